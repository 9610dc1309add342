"""Damaged and hostile notebooks: each is rebuilt from the master, with its repairs in words, or
refused in a sentence.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rebuilding import (
    KNOWN,
    MASTER,
    MINE,
    ORIGINALS,
    PICTURE,
    THE_MASTER,
    check,
)

from nbreferee.course.rules import released_view
from nbreferee.submission.reading import CELL_CHARACTERS, CELLS, SubmissionError
from nbreferee.submission.rebuild import Rebuilt, rebuild


def submission(answers: dict[str, str] | None = None) -> dict[str, Any]:
    """The notebook as a student who touched nothing else hands it in: plain JSON."""
    notebook: dict[str, Any] = json.loads(
        nbformat.writes(nbformat.v4.new_notebook(cells=copy.deepcopy(list(MASTER))))
    )
    for one in notebook["cells"]:
        grade_id = one["metadata"].get("nbgrader", {}).get("grade_id")
        one["source"] = (MINE if answers is None else answers).get(
            grade_id, released_view("".join(one["source"]))
        )
    return notebook


def rebuilt(notebook: object) -> Rebuilt:
    """What intake makes of a notebook; always one that is valid, with the master's cells in
    order.
    """
    data = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    made = rebuild(ORIGINALS, data)
    check(made)
    return made


def sources(made: Rebuilt) -> list[str]:
    """The text of all cells, in order."""
    return [one.source for one in made.notebook.cells]


def answers(made: Rebuilt) -> dict[str, str]:
    """The text of the answers by grade id."""
    return {
        one.metadata.nbgrader["grade_id"]: one.source
        for one in made.notebook.cells
        if one.metadata.get("nbgrader", {}).get("solution")
    }


def find(notebook: dict[str, Any], grade_id: str) -> dict[str, Any]:
    """A cell of a notebook in JSON."""
    cells: list[dict[str, Any]] = notebook["cells"]
    return next(
        one for one in cells if one["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )


def place_of(notebook: dict[str, Any], grade_id: str) -> int:
    cells: list[dict[str, Any]] = notebook["cells"]
    return cells.index(find(notebook, grade_id))


def delete(grade_id: str) -> Callable[[dict[str, Any]], None]:
    return lambda notebook: notebook["cells"].remove(find(notebook, grade_id))


def duplicate(grade_id: str, source: str | None = None) -> Callable[[dict[str, Any]], None]:
    def change(notebook: dict[str, Any]) -> None:
        again = copy.deepcopy(find(notebook, grade_id))
        again["source"] = again["source"] if source is None else source
        notebook["cells"].insert(place_of(notebook, grade_id) + 1, again)

    return change


def put(grade_id: str, **fields: object) -> Callable[[dict[str, Any]], None]:
    return lambda notebook: find(notebook, grade_id).update(fields)


def set_grade(which: str, /, **fields: object) -> Callable[[dict[str, Any]], None]:
    return lambda notebook: find(notebook, which)["metadata"]["nbgrader"].update(fields)


def strip(grade_id: str) -> Callable[[dict[str, Any]], None]:
    return lambda notebook: find(notebook, grade_id).update(metadata={})


def reverse(notebook: dict[str, Any]) -> None:
    notebook["cells"].reverse()


def add_everywhere(notebook: dict[str, Any]) -> None:
    notebook["cells"] = [
        one
        for old in notebook["cells"]
        for one in ({"cell_type": "code", "source": "1", "metadata": {}}, old)
    ]


def move_to_front(grade_id: str) -> Callable[[dict[str, Any]], None]:
    def change(notebook: dict[str, Any]) -> None:
        notebook["cells"].insert(0, notebook["cells"].pop(place_of(notebook, grade_id)))

    return change


# name: (damage, repairs, answers that are not the student's own)
RELEASED_F = THE_MASTER.cells[2].source
DAMAGE: dict[str, tuple[Callable[[dict[str, Any]], object], list[str], dict[str, str]]] = {
    "nothing": (lambda notebook: None, [], {}),
    "test_deleted": (delete("f_tests"), ["cell f_tests was missing: put back"], {}),
    "answer_deleted": (delete("f"), ["cell f was missing: put back"], {"f": RELEASED_F}),
    "locked_deleted": (delete("imports"), ["cell imports was missing: put back"], {}),
    "free_deleted": (lambda notebook: notebook["cells"].pop(4), [], {}),
    "all_deleted": (
        lambda notebook: notebook["cells"].clear(),
        [f"cell {name} was missing: put back" for name in KNOWN],
        {"f": RELEASED_F, "why": "*Why?*", "g": THE_MASTER.cells[6].source},
    ),
    "test_copied": (
        duplicate("f_tests"),
        ["cell f_tests was there twice: the last one counts"],
        {},
    ),
    "answer_copied": (
        duplicate("f", "def f(x): return 2"),
        ["cell f was there twice: the last one counts"],
        {"f": "def f(x): return 2"},
    ),
    "reversed": (reverse, ["cells were in another order: put back"], {}),
    "test_before_answer": (move_to_front("f_tests"), ["cells were in another order: put back"], {}),
    "answer_as_markdown": (
        put("f", cell_type="markdown"),
        ["cell f had become markdown: turned back"],
        {},
    ),
    "answer_as_raw": (put("f", cell_type="raw"), ["cell f had become markdown: turned back"], {}),
    "text_as_code": (put("why", cell_type="code"), ["cell why had become code: turned back"], {}),
    "test_as_markdown": (
        put("f_tests", cell_type="markdown"),
        ["cell f_tests had become markdown: turned back"],
        {},
    ),
    "test_changed": (
        put("f_tests", source="assert True"),
        ["cell f_tests had been changed: the instructor's own is used"],
        {},
    ),
    "test_emptied": (
        put("f_tests", source=""),
        ["cell f_tests had been changed: the instructor's own is used"],
        {},
    ),
    "locked_changed": (
        put("imports", source="np = None"),
        ["cell imports had been changed: the instructor's own is used"],
        {},
    ),
    "test_stripped": (
        strip("f_tests"),
        ["cell f_tests was without its grade id: recognised by cell id"],
        {},
    ),
    "answer_stripped": (strip("f"), ["cell f was without its grade id: recognised by cell id"], {}),
    "more_points": (set_grade("f_tests", points=1000), [], {}),
    "not_graded": (set_grade("f_tests", grade=False, locked=False), [], {}),
    "test_as_answer": (set_grade("f_tests", solution=True), [], {}),
    "answer_as_test": (set_grade("f", grade=True, solution=False, points=100), [], {}),
    "answer_locked": (set_grade("f", locked=True), [], {}),
    "schema_of_the_past": (set_grade("f", schema_version=1), [], {}),
    "schema_of_the_future": (set_grade("f", schema_version=99), [], {}),
    "schema_of_no_kind": (
        set_grade("f_tests", schema_version="x", points="many", grade=None),
        [],
        {},
    ),
    "checksum": (set_grade("f_tests", checksum="0"), [], {}),
    "grade_id_renamed": (
        set_grade("f", grade_id="F"),
        ["cell f was without its grade id: recognised by cell id"],
        {},
    ),
    "grade_id_taken": (
        set_grade("g", grade_id="f"),
        ["cell g was without its grade id: recognised by cell id"],
        {},
    ),
    "grade_id_of_a_list": (
        set_grade("f", grade_id=["f"]),
        ["cell f was without its grade id: recognised by cell id"],
        {},
    ),
    "extra_cells_everywhere": (add_everywhere, [], {}),
    "source_as_lines": (
        put("f", source=["def f(x):\n", "    return x"]),
        [],
        {"f": "def f(x):\n    return x"},
    ),
    "source_with_null_lines": (
        put("f", source=["def f(x):\n", None, 3, ["x"], "    return x"]),
        [],
        {"f": "def f(x):\n    return x"},
    ),
    "source_missing": (lambda notebook: find(notebook, "f").pop("source"), [], {"f": ""}),
    "source_null": (put("f", source=None), [], {"f": ""}),
    "source_a_number": (put("f", source=1), [], {"f": ""}),
    "source_an_object": (put("f", source={"text": "x"}), [], {"f": ""}),
    "source_of_half_characters": (put("f", source="'\ud800'"), [], {"f": "'?'"}),
    "source_with_nul": (put("f", source="x\0y"), [], {"f": "x\0y"}),
    "source_too_long": (
        put("f", source="x" * (CELL_CHARACTERS + 1)),
        [],
        {"f": "x" * CELL_CHARACTERS},
    ),
    "windows_lines_in_a_test": (
        put("f_tests", source="assert f(0) == 0\r\nassert f(2) == 2"),
        ["cell f_tests had been changed: the instructor's own is used"],
        {},
    ),
    "cell_type_null": (put("f", cell_type=None), ["cell f had become markdown: turned back"], {}),
    "metadata_null": (
        put("f", metadata=None),
        ["cell f was without its grade id: recognised by cell id"],
        {},
    ),
    "metadata_a_list": (
        put("f", metadata=[["nbgrader", {"grade_id": "f"}]]),
        ["cell f was without its grade id: recognised by cell id"],
        {},
    ),
    "nbgrader_a_text": (
        lambda notebook: find(notebook, "f")["metadata"].update(nbgrader="f"),
        ["cell f was without its grade id: recognised by cell id"],
        {},
    ),
    "outputs_of_no_kind": (
        put("f", outputs=[{"output_type": "score"}], execution_count="many"),
        [],
        {},
    ),
    "attachments_of_no_kind": (put("why", attachments=[1]), [], {}),
    "ids_duplicated": (
        lambda notebook: [one.update(id="same") for one in notebook["cells"]],
        [],
        {},
    ),
    "ids_of_no_kind": (
        lambda notebook: [one.update(id={"x": 1}) for one in notebook["cells"]],
        [],
        {},
    ),
    "cells_of_no_kind": (lambda notebook: notebook["cells"].extend([None, 1, "x", [], {}]), [], {}),
    "notebook_metadata": (
        lambda notebook: notebook.update(metadata={"kernelspec": {"name": "evil"}, "x": 1}),
        [],
        {},
    ),
    "no_metadata": (lambda notebook: notebook.pop("metadata"), [], {}),
    "no_format": (
        lambda notebook: (notebook.pop("nbformat"), notebook.pop("nbformat_minor")),
        [],
        {},
    ),
    "format_of_the_future": (lambda notebook: notebook.update(nbformat=99), [], {}),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_repaired_and_told(damage: str) -> None:
    change, repairs, others = DAMAGE[damage]
    notebook = submission()
    change(notebook)
    made = rebuilt(notebook)
    assert list(made.repairs) == repairs
    assert answers(made) == {**MINE, **others}


def test_untouched_release_needs_no_repair_and_holds_no_solution() -> None:
    untouched = {
        one.grade_id: f"stub of {one.grade_id}" for one in THE_MASTER.cells if one.solution
    }
    made = rebuilt(submission(untouched))
    assert made.repairs == ()
    assert answers(made) == untouched


def test_added_cell_stays_behind_the_known_cell_that_it_followed() -> None:
    notebook = submission()
    for grade_id in ("f", "g_tests"):
        notebook["cells"].insert(
            place_of(notebook, grade_id) + 1,
            {"cell_type": "code", "source": f"after_{grade_id}", "metadata": {}},
        )
    notebook["cells"].insert(0, {"cell_type": "markdown", "source": "hello", "metadata": {}})
    found = sources(rebuilt(notebook))
    assert found[0] == "hello"
    assert found[found.index(MINE["f"]) + 1] == "after_f"
    assert found[-1] == "after_g_tests"


def test_added_cell_that_claims_to_be_graded_is_a_plain_cell() -> None:
    notebook = submission()
    settings_ = {
        "grade_id": "bonus",
        "grade": True,
        "solution": False,
        "locked": True,
        "points": 100,
        "schema_version": 3,
        "task": False,
    }
    notebook["cells"].append(
        {
            "cell_type": "code",
            "source": "100",
            "metadata": {"nbgrader": settings_, "deletable": False},
        }
    )
    made = rebuilt(notebook)
    assert sources(made)[-1] == "100"
    assert made.notebook.cells[-1].metadata == {}


def test_images_of_a_text_answer_are_kept_and_nothing_else_that_is_attached() -> None:
    notebook = submission()
    everything: dict[str, object] = {
        **PICTURE,
        "page.html": {"text/html": "<script>"},
        "both": {"image/svg+xml": "<svg/>", "text/html": "x"},
    }
    everything |= {"list": [1], "number": {"image/png": 1}, "\ud800": {"image/png": "eA=="}}
    for grade_id in ("why", "f", "f_tests"):
        find(notebook, grade_id)["attachments"] = everything
    made = rebuilt(notebook)
    attached = {
        one.metadata.get("nbgrader", {}).get("grade_id"): one.attachments
        for one in made.notebook.cells
        if "attachments" in one
    }
    assert set(attached) == {"why"}
    assert attached["why"]["why.png"] == PICTURE["why.png"]
    assert {mime for bundle in attached["why"].values() for mime in bundle} <= {
        "image/png",
        "image/svg+xml",
    }
    assert all("script" not in json.dumps(bundle) for bundle in attached.values())


def test_60_mb_and_as_many_cells_as_allowed_are_read() -> None:
    notebook = submission()
    notebook["cells"][0]["source"] = "x" * (60 << 20)
    notebook["cells"] += [{"cell_type": "code", "source": "1", "metadata": {}}] * (
        CELLS - len(notebook["cells"])
    )
    made = rebuilt(notebook)
    assert answers(made) == MINE
    assert len(sources(made)[0]) == CELL_CHARACTERS


# ---------------------------------------------------------------- laws

TEXTS = st.text(max_size=20) | st.sampled_from(
    ["\ud800", "\0", "code", "markdown", "image/png", "### BEGIN SOLUTION", *KNOWN]
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
ANYTHING = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
FIELDS = dict.fromkeys(("grade", "solution", "points", "schema_version"), ANYTHING)
SETTINGS = st.fixed_dictionaries(
    {}, optional={"grade_id": st.sampled_from(KNOWN) | ANYTHING, **FIELDS}
)
CELL = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | ANYTHING,
        "source": TEXTS | st.lists(TEXTS, max_size=3) | ANYTHING,
        "input": ANYTHING,
        "metadata": st.fixed_dictionaries({}, optional={"nbgrader": SETTINGS | ANYTHING})
        | ANYTHING,
        "attachments": st.dictionaries(
            TEXTS, st.dictionaries(TEXTS, ANYTHING, max_size=2), max_size=2
        )
        | ANYTHING,
        "id": ANYTHING,
        "outputs": ANYTHING,
    },
)
NOTEBOOK = st.fixed_dictionaries(
    {"cells": st.lists(CELL, max_size=8)},
    optional={"nbformat": ANYTHING, "metadata": ANYTHING, "worksheets": ANYTHING},
)


@settings(deadline=None, max_examples=150)
@given(
    ANYTHING
    | NOTEBOOK
    | st.fixed_dictionaries({"worksheets": st.lists(NOTEBOOK | ANYTHING, max_size=3)})
)
def test_any_json_is_a_valid_notebook_or_a_submission_error(notebook: object) -> None:
    try:
        rebuilt(notebook)
    except SubmissionError as error:
        assert str(error).startswith(("the file ", "the notebook has "))


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_submission_error_or_a_notebook(data: bytes) -> None:
    try:
        rebuilt(data)
    except SubmissionError as error:
        assert str(error).startswith(("the file ", "the notebook has "))
        assert str(error).isprintable()


@settings(deadline=None, max_examples=80)
@given(NOTEBOOK)
def test_what_was_rebuilt_stays_as_it_is(notebook: object) -> None:
    once = rebuilt(notebook)
    for one in once.notebook.cells:  # as students get it: hidden tests are not among them
        one.source = (
            released_view(one.source)
            if one.metadata.get("nbgrader", {}).get("locked")
            else one.source
        )
    again = rebuilt(nbformat.writes(once.notebook).encode())
    assert again.repairs == ()
    assert answers(again) == answers(once)
    assert [place.cell and place.cell.grade_id for place in again.places] == [
        place.cell and place.cell.grade_id for place in once.places
    ]


@settings(deadline=None, max_examples=50)
@given(st.permutations(range(len(MASTER))), st.sets(st.sampled_from(KNOWN)))
def test_order_and_losses_never_change_what_the_other_answers_are(
    order: list[int], lost: set[str]
) -> None:
    notebook = submission()
    notebook["cells"] = [
        one
        for one in (notebook["cells"][number] for number in order)
        if one["metadata"].get("nbgrader", {}).get("grade_id") not in lost
    ]
    made = rebuilt(notebook)
    assert {name: text for name, text in answers(made).items() if name not in lost} == {
        name: text for name, text in MINE.items() if name not in lost
    }
    assert {f"cell {name} was missing: put back" for name in lost} == {
        text for text in made.repairs if "missing" in text
    }
