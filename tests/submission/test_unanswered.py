"""'No response.' is said of an answer only where it is certain that there is none; what is not
certain is left to a person.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import nbformat
import pytest
from building import answer, cell, graded
from refereed import Court, scores

from nbreferee.grading.notebook import NotebookMaterial
from nbreferee.submission.originals import Released
from nbreferee.submission.rebuild import rebuild

STUB = "YOUR ANSWER HERE"
TEXT = "Ice is lighter than water, so it swims."
COURSE = (
    cell("# Ice", "markdown"),
    cell("## Why does it swim?", "markdown", grade_id="question", locked=True),
    cell(
        "Because it is lighter.", "markdown", grade_id="first", grade=True, solution=True, points=2
    ),
    cell(
        "Because of its crystals.",
        "markdown",
        grade_id="second",
        grade=True,
        solution=True,
        points=2,
    ),
    cell("### The next cell is right as it is", "markdown", grade_id="between", locked=True),
    cell("items = []", grade_id="start", locked=True),
    answer("items.append(1)", "one"),
    answer("items.append(2)", "two"),
    graded("assert items == [1, 2]", "items_tests"),
    cell("limit = 3", grade_id="limit", grade=True, solution=True, points=1),
)
STUBS = {
    "first": STUB,
    "second": STUB,
    "one": "# YOUR CODE HERE\nraise NotImplementedError()",
    "two": "# YOUR CODE HERE\nraise NotImplementedError()",
    "limit": "limit = 3",
}


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court() as court:
        yield court


@pytest.fixture(scope="module")
def material(court: Court) -> NotebookMaterial:
    made = court.material(*COURSE)
    released = {
        name: Released(STUBS.get(name, one.source), "") for name, one in made.released.items()
    }
    return NotebookMaterial(made.path, made.data, released, made.files)


def submission() -> list[dict[str, Any]]:
    """The cells as released, in JSON."""
    notebook = nbformat.writes(nbformat.v4.new_notebook(cells=list(COURSE)))
    cells: list[dict[str, Any]] = json.loads(notebook)["cells"]
    for one in cells:
        grade_id = one["metadata"].get("nbgrader", {}).get("grade_id")
        one["source"] = STUBS.get(grade_id, "".join(one["source"]))
    return cells


FIRST, SECOND, START, ONE, TWO = 2, 3, 5, 6, 7


def note(text: str = TEXT, kind: str = "markdown") -> dict[str, Any]:
    return {"cell_type": kind, "source": text, "metadata": {}}


def put(number: int, **fields: object) -> Callable[[list[dict[str, Any]]], None]:
    return lambda cells: cells[number].update(fields)


def insert(number: int, *new: dict[str, Any]) -> Callable[[list[dict[str, Any]]], None]:
    return lambda cells: cells.__setitem__(slice(number, number), new)


def merged(cells: list[dict[str, Any]]) -> None:
    cells[FIRST]["source"] = f"{TEXT}\n\nAnd so on."
    del cells[SECOND]


def bare(cells: list[dict[str, Any]]) -> None:
    for n, one in enumerate(cells):
        one.update(metadata={}, id=f"new{n}")
    cells[FIRST]["source"] = TEXT
    cells[SECOND]["source"] = f"{TEXT} Yes."


ALL = {"first", "second"}
# what a student does: (change, which texts certainly have no response, texts that stand in their
# place)
CASES: dict[str, tuple[Callable[[list[dict[str, Any]]], object], set[str], dict[str, str]]] = {
    "nothing": (lambda cells: None, ALL, {"first": STUB}),
    "answers": (put(FIRST, source=TEXT), {"second"}, {"first": TEXT}),
    "blanks at the ends": (put(FIRST, source=f"{STUB}  \r\n\r\n"), ALL, {"first": STUB}),
    "blanks in front": (put(FIRST, source=f"  {STUB}"), {"second"}, {}),
    "empties the cell": (put(FIRST, source=""), {"second"}, {"first": ""}),
    "only attaches a picture": (
        put(FIRST, attachments={"why.png": {"image/png": "iVBORw0KGgo="}}),
        {"second"},
        {},
    ),
    "writes above": (insert(FIRST, note()), {"second"}, {"first": TEXT}),
    "writes below": (insert(SECOND + 1, note()), {"first"}, {"second": TEXT}),
    "writes between both": (insert(SECOND, note()), set(), {"first": STUB, "second": STUB}),
    "writes into the question": (put(1, source=f"## Why does it swim?\n\n{TEXT}"), {"second"}, {}),
    "writes at the top": (insert(0, note()), set(), {}),
    "writes at the end": (lambda cells: cells.append(note()), set(), {}),
    "writes into one cell for both": (merged, set(), {"first": f"{TEXT}\n\nAnd so on."}),
    "deletes the cell": (lambda cells: cells.pop(SECOND), ALL, {"second": STUB}),
    "writes code elsewhere": (lambda cells: cells.append(note("print(1)", "code")), ALL, {}),
    "has no metadata": (bare, set(), {"first": TEXT, "second": f"{TEXT} Yes."}),
}


@pytest.mark.parametrize("case", CASES)
def test_no_response_is_said_where_it_is_certain(case: str, material: NotebookMaterial) -> None:
    change, unanswered, texts = CASES[case]
    cells = submission()
    change(cells)
    made = rebuild(material.originals, json.dumps({"cells": cells}).encode())
    assert made.unanswered & ALL == unanswered, made.repairs
    found = {
        one.metadata.nbgrader.grade_id: one.source
        for one in made.notebook.cells
        if "nbgrader" in one.metadata
    }
    assert {name: found[name] for name in texts} == texts
    for (
        one
    ) in made.notebook.cells:  # nbgrader itself says it where text and checksum are as released
        name = one.metadata.get("nbgrader", {}).get("grade_id")
        if name in ALL and name not in made.unanswered and one.source == STUB:
            assert one.metadata.nbgrader.checksum == ""


def test_answer_that_is_the_released_text_is_left_to_a_person(
    court: Court, material: NotebookMaterial
) -> None:
    got = court.grade_bytes(material, json.dumps({"cells": submission()}).encode())
    assert scores(got) == {"first": 0, "second": 0, "items_tests": 0, "limit": None}
    assert {name for name, comment in got.result.comments.items() if comment == "No response."} == {
        "first",
        "second",
        "one",
        "two",
    }


def test_tests_of_answers_that_may_be_in_several_cells_are_left_to_a_person(
    court: Court, material: NotebookMaterial
) -> None:
    for last, score in (("items.append(3)", None), ("items.append(2)", 2)):
        cells = submission()
        cells[ONE : TWO + 1] = [
            note("items.append(1)", "code"),
            note("print(items)", "code"),
            note(last, "code"),
        ]
        got = court.grade_bytes(material, json.dumps({"cells": cells}).encode())
        assert "cell one was not found for certain: look at the cells around it" in got.repairs
        tests = next(one for one in got.cells if one.grade_id == "items_tests")
        assert (scores(got)["items_tests"], tests.status) == (
            score,
            "manual" if score is None else "passed",
        )


def test_tests_that_students_copy_never_become_answers(material: NotebookMaterial) -> None:
    cells = submission()
    del cells[ONE]
    cells.insert(ONE, note("assert items == [1, 2]", "code"))
    made = rebuild(material.originals, json.dumps({"cells": cells}).encode())
    answers = {
        one.metadata.nbgrader.grade_id: one.source
        for one in made.notebook.cells
        if one.metadata.get("nbgrader", {}).get("solution")
    }
    assert answers == STUBS
