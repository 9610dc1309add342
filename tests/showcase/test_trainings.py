"""The exercise `train` of fman45_layers: each right training keeps all points, each wrong one is
told what is wrong.
"""

from __future__ import annotations

import contextlib
import io
from types import CodeType
from typing import Any

import pytest
from notebooks import SOURCES, is_test, read, settings
from trainings import EVERY, RIGHT, WRONG, changed

from nbreferee.course.follow_through import with_follow_through
from nbreferee.course.ownership import make_plan
from nbreferee.course.source import read_master

SOURCE = next(path for path in SOURCES if path.stem == "fman45_layers")


@pytest.fixture(scope="module")
def notebook() -> tuple[dict[str, Any], dict[str, CodeType]]:
    """The names that a training finds in the solved notebook, and the test cells of `train`, in
    order.
    """
    space: dict[str, Any] = {"__name__": "__main__"}
    tests = {}
    with contextlib.chdir(SOURCE.parent):
        for cell in read(SOURCE).cells:
            grade_id = settings(cell).get("grade_id", "")
            if cell.cell_type != "code" or not grade_id:
                continue
            if is_test(cell) and grade_id.startswith("train_"):
                tests[grade_id] = compile(cell.source, grade_id, "exec")
            elif not is_test(cell) and grade_id != "digits":
                exec(compile(cell.source, grade_id, "exec"), space)
    return space, tests


def messages(
    notebook: tuple[dict[str, Any], dict[str, CodeType]], changes: list[tuple[str, str]]
) -> dict[str, str]:
    """What a student with this training reads, by the cell that loses its points."""
    space, tests = dict(notebook[0]), notebook[1]
    exec(compile(changed(changes), "training", "exec"), space)
    lost = {}
    with contextlib.chdir(SOURCE.parent), contextlib.redirect_stdout(io.StringIO()):
        for grade_id, code in tests.items():
            try:
                exec(code, space)
            except AssertionError as error:
                lost[grade_id] = str(error)
    return lost


@pytest.mark.parametrize("name", RIGHT)
def test_right_training_keeps_every_point(
    notebook: tuple[dict[str, Any], dict[str, CodeType]], name: str
) -> None:
    assert messages(notebook, RIGHT[name]) == {}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_training_loses_the_cells_of_its_fault_and_is_told(
    notebook: tuple[dict[str, Any], dict[str, CodeType]], name: str
) -> None:
    changes, expected = WRONG[name]
    lost = messages(notebook, changes)
    lost.pop("train_check", None)  # shapes
    assert lost.keys() == expected.keys()
    assert {cell: lost[cell] for cell, words in expected.items() if words not in lost[cell]} == {}
    assert not [message for message in lost.values() if message.endswith("expected 0.")]


def test_wrong_layers_can_be_replaced_in_every_cell_of_train() -> None:
    """What a test reads itself is under test, and follow-through never replaces it."""
    master = read_master(SOURCE)
    steps = with_follow_through(make_plan(master), master).steps
    cells = {settings(cell).get("grade_id"): index for index, cell in enumerate(read(SOURCE).cells)}
    assert {
        name: next(step for step in steps if step.index == cells[name]).under_test for name in EVERY
    } == dict.fromkeys(EVERY, ("train",))
