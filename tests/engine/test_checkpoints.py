"""Answers that are tried from a checkpoint see what the cells before have left, and nothing of each
other.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from building import answer, cell, graded
from refereed import Court

from nbreferee.course.ownership import make_plan
from nbreferee.engine.box_runner import CellResult, CellToRun
from nbreferee.engine.checkpoints import Checkpoint, CheckpointLost, Line
from nbreferee.engine.referee import Referee, SolutionRun
from nbreferee.grading.notebook import NotebookMaterial, solution_parts

ANSWER, TEST = 2, 3  # the cells of the notebook
ANSWERS = {  # and what the test says of each
    "def append(): seen.append('mine'); return seen": "",
    "def append(): seen.append('mine'); seen.append('again'); return seen": "['before', 'mine', 'again']",
    "def append(): open('note.txt', 'w').close(); return []": "[]",
    "def append(): import os; return os.listdir()": "['before.txt', 'given.csv']",
    "def append(): import os; os._exit(1)": "the notebook's process ended",
    "def append():\n    while True: pass": "it takes too long",
    "def append(): import socket; socket.socket()": "Operation not permitted",
    "def append():\n    try: bytearray(3 << 30)\n    except MemoryError: return ['short']": "['short']",
    "import os\nos._exit(1)": "name 'append' is not defined",
}


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    """Warm processes."""
    with Court() as court:
        yield court


@pytest.fixture(scope="module")
def material(court: Court) -> NotebookMaterial:
    """A notebook in which an answer changes what an earlier cell has made."""
    return court.material(
        cell("seen = ['before']\nopen('before.txt', 'w').close()", grade_id="given", locked=True),
        cell("wanted = ['before', 'mine']", grade_id="wanted", locked=True),
        answer("def append():\n    seen.append('mine')\n    return seen", "append"),
        graded("got = append()\nassert list(got) == wanted, str(sorted(got, key=got.index))", "t"),
        files={"given.csv": b"1\n"},
    )


@pytest.fixture(scope="module")
def line(court: Court, material: NotebookMaterial) -> Iterator[Line]:
    """The notebook, run up to the answer."""
    line = Line(court.warm, make_plan(material.master), {}, SolutionRun({}), material.files)
    for part in solution_parts(material)[:ANSWER]:
        line.run(part)
    yield line
    line.close()


def tried(checkpoint: Checkpoint, material: NotebookMaterial, source: str) -> CellResult:
    """Return the result of the test of another answer."""
    plan = make_plan(material.master)
    referee = Referee(checkpoint, checkpoint.tester, plan, {}, SolutionRun({}), material.files)
    parts = [CellToRun(source, True, ANSWER, "answer"), solution_parts(material)[TEST]]
    return referee.grade(parts)[-1]


def test_answers_are_tried_apart_at_the_same_time(line: Line, material: NotebookMaterial) -> None:
    checkpoint = line.checkpoint()
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda one: tried(checkpoint, material, one), ANSWERS))
    checkpoint.close()
    said = {source: result.message for source, result in zip(ANSWERS, results, strict=True)}
    assert [(said[one], words) for one, words in ANSWERS.items() if words not in said[one]] == []
    assert [result.score for result in results] == [2.0] + [0.0] * (len(ANSWERS) - 1)


def test_line_goes_on_from_where_it_was_while_a_checkpoint_stays(
    line: Line, material: NotebookMaterial
) -> None:
    checkpoint = line.checkpoint()
    answered, judged = (line.run(part) for part in solution_parts(material)[ANSWER:])
    assert (answered.outputs, judged.score) == ([], 2.0)
    assert tried(checkpoint, material, next(iter(ANSWERS))).score == 2.0
    checkpoint.close()


def test_answer_is_not_judged_where_its_checkpoint_has_ended(
    line: Line, material: NotebookMaterial
) -> None:
    checkpoint = line.checkpoint()
    checkpoint.close()
    with pytest.raises(CheckpointLost, match="cannot be forked"):
        tried(checkpoint, material, next(iter(ANSWERS)))
