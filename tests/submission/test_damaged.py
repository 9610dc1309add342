"""300 notebooks with several damages each: every one is rebuilt, and no answer that is whole in
some cell is lost.
"""

from __future__ import annotations

import ast
import json
import tempfile
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from building import answer, cell, graded, write
from damaging import DAMAGES, damaged
from damaging import Released as Stubs
from hand_in import answered, solved
from notebooks import COURSE, read, settings
from rebuilding import check_against
from refereed import Court, scores

from nbreferee.course.source import read_master
from nbreferee.grading.notebook import NotebookMaterial
from nbreferee.submission.originals import Originals, Released, originals_of
from nbreferee.submission.rebuild import Rebuilt, rebuild

NOTEBOOKS = 300
COURSE_NOTEBOOK = COURSE / "source/softmax/softmax.ipynb"
STUB = "def {0}(x):\n    ### BEGIN SOLUTION\n    {1}\n    ### END SOLUTION"
SMALL = (
    cell("# Numbers and what can be done with them", "markdown"),
    cell("import math\n\nUNIT = 3", grade_id="imports", locked=True),
    answer(STUB.format("double", "y = x + x\n    return y"), "double"),
    graded(
        "assert double(2) == 4\n### BEGIN HIDDEN TESTS\nassert double(5) == 10\n"
        "### END HIDDEN TESTS",
        "double_tests",
    ),
    cell("# Try it: expect 6\nprint(double(3))"),
    answer(STUB.format("half", "y = x / 2\n    return y"), "half"),
    answer(STUB.format("third", "y = x / UNIT\n    return y"), "third"),
    graded("assert half(2) == 1", "half_tests"),
    graded("assert third(6) == 2", "third_tests"),
    cell("### Why is a half less than the whole?", "markdown", grade_id="why_task", locked=True),
    cell("*Why?*", "markdown", grade_id="why", grade=True, solution=True, points=3),
)
WHY = "Because a part is less than the whole.\n\nAnd the whole is more.\nSo it is."


@dataclass(frozen=True)
class Sample:
    """A notebook with all answers, and what it takes to rebuild it."""

    originals: Originals
    notebook: dict[str, Any]
    stubs: Stubs
    texts: dict[str, str]  # the answers that are text

    @property
    def functions(self) -> dict[str, str]:
        """The answers that are code, by the name that they define."""
        return dict(
            item
            for one in self.notebook["cells"]
            if one["cell_type"] == "code" and solution(one)
            for item in definitions(one["source"]).items()
        )


def solution(one: dict[str, Any]) -> bool:
    return bool(one["metadata"].get("nbgrader", {}).get("solution"))


def definitions(source: str) -> dict[str, str]:
    """Return the functions that a cell defines, in a form of their own; none where it is not
    Python.
    """
    try:
        tree = ast.parse(textwrap.dedent(source.replace("\r\n", "\n")))
    except SyntaxError:
        return {}
    return {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef)}


def sample(path: Path, release: nbformat.NotebookNode, texts: dict[str, str]) -> Sample:
    source = read(path)
    stubs = {
        settings(one)["grade_id"]: one.source
        for one in release.cells
        if settings(one).get("solution")
    }
    released = {
        settings(one)["grade_id"]: Released(stubs.get(settings(one)["grade_id"], one.source), "")
        for one in source.cells
        if settings(one)
    }
    notebook = json.loads(nbformat.writes(answered(release, {**solved(source), **texts})))
    for one in notebook["cells"]:
        one["source"] = "".join(one["source"])
    return Sample(originals_of(read_master(path), released), notebook, Stubs(stubs), texts)


def course_sample() -> Sample:
    release = read(COURSE / "release/softmax/softmax.ipynb")
    texts = {
        "shift_proof": WHY.replace("whole", "sum"),
        "jacobian_proof": WHY.replace("whole", "derivative"),
    }
    return sample(COURSE_NOTEBOOK, release, texts)


def small_sample() -> Sample:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), *SMALL)
        release = read(path)
        for one in release.cells:
            if settings(one).get("solution"):
                one.source = (
                    "YOUR ANSWER HERE"
                    if one.cell_type == "markdown"
                    else (
                        f"{one.source.splitlines()[0]}\n    # YOUR CODE HERE\n"
                        "    raise NotImplementedError()"
                    )
                )
            elif settings(one).get("grade"):
                one.source = one.source.split("\n### BEGIN")[0]
        return sample(path, release, {"why": WHY})


SAMPLES = {"small": small_sample(), "course": course_sample()}


def lost(sample: Sample, made: Rebuilt) -> list[str]:
    """Return which answers are not there when the tests that use them run, and which texts are
    called no response.
    """
    now: dict[str, str] = {}
    missing = []
    wanted = sample.functions
    for one, place in zip(made.notebook.cells, made.places, strict=True):
        if place.cell is not None and place.cell.is_test:
            words = {
                node.id
                for node in ast.walk(ast.parse(place.cell.source))
                if isinstance(node, ast.Name)
            }
            missing += [
                f"{name} at {place.cell.grade_id}"
                for name in sorted(words & set(wanted))
                if now.get(name) != wanted[name]
            ]
        elif one.cell_type == "code":
            now.update(definitions(one.source))
    return missing + [f"text {name}" for name in sample.texts if name in made.unanswered]


@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_notebooks_lose_no_answer(kind: str, damage: str) -> None:
    sample = SAMPLES[kind]
    first = list(DAMAGES).index(damage)
    seeds = range(first, NOTEBOOKS // 2, len(DAMAGES))
    assert len(seeds) >= 6
    for seed in seeds:
        data, names = damaged(sample.notebook, sample.stubs, seed)
        made = rebuild(sample.originals, data)
        check_against(sample.originals.master, made)
        assert lost(sample, made) == [], (seed, names, made.repairs)
        assert all(repair.isprintable() for repair in made.repairs)


def test_whole_notebooks_need_no_repair() -> None:
    for sample in SAMPLES.values():
        made = rebuild(sample.originals, json.dumps(sample.notebook).encode())
        assert (made.repairs, lost(sample, made), made.unanswered) == ((), [], frozenset())


SAMPLED = (
    4,
    5,
    8,
    10,
    11,
    18,
    19,
    20,
)  # of the seeds: duplicated stubs, merged, retyped, stripped, elsewhere


def test_damaged_notebooks_graded_for_real_keep_their_points() -> None:
    sample = SAMPLES["small"]
    master = sample.originals.master
    with Court() as court:
        material = NotebookMaterial(
            master.path.name,
            nbformat.writes(master.notebook).encode(),
            sample.originals.released,
            court.files({}),
        )
        for seed in SAMPLED:
            data, names = damaged(sample.notebook, sample.stubs, seed)
            got = court.grade_bytes(material, data)
            assert {cell.grade_id: cell.score for cell in got.cells if cell.grade_id != "why"} == {
                "double_tests": 2,
                "half_tests": 2,
                "third_tests": 2,
            }, names
            assert scores(got)["why"] is None
            assert "No response." not in got.result.comments.values()
            assert got.repairs, names
