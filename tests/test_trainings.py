"""The exercise `train` of fman45_layers: each right training keeps all points, each wrong one is told what is wrong."""

from __future__ import annotations

import contextlib
import io
from types import CodeType

import pytest
from notebooks import SOURCES, is_test, read, settings
from trainings import RIGHT, WRONG, changed

SOURCE = next(path for path in SOURCES if path.stem == "fman45_layers")


@pytest.fixture(scope="module")
def notebook() -> tuple[dict, dict[str, CodeType]]:
    """The names that a training finds in the solved notebook, and the test cells of `train`, in order."""
    space: dict = {"__name__": "__main__"}
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


def messages(notebook: tuple[dict, dict[str, CodeType]], changes: list[tuple[str, str]]) -> dict[str, str]:
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
def test_right_training_keeps_every_point(notebook, name):
    assert messages(notebook, RIGHT[name]) == {}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_training_loses_the_cells_of_its_fault_and_is_told(notebook, name):
    changes, expected = WRONG[name]
    lost = messages(notebook, changes)
    lost.pop("train_check", None)  # shapes
    assert lost.keys() == expected.keys()
    assert {cell: lost[cell] for cell, words in expected.items() if words not in lost[cell]} == {}
    assert not [message for message in lost.values() if message.endswith("expected 0.")]
