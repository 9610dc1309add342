"""The hidden tests, as far as `nbreferee verify` cannot tell: are their references right, their
tables full?
"""

from __future__ import annotations

import functools
import importlib
from pathlib import Path

import numpy as np
import pytest
from notebooks import SOURCES, Check, Run, functions, graded_cells, read, run

notebooks = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)

# Functions that leave room for fewer than four mistakes, or whose test is no table.
FEWER = {"train"}


@functools.cache
def solved(source: Path) -> Run:
    """A run of the source as it is; made once."""
    return run(source)


def tables(source: Path) -> dict[str, list[Check]]:
    """The checks of every hidden test cell, by function."""
    cells = graded_cells(functions(read(source)), solved(source).faults)
    hidden = {
        name: [grade_id for grade_id in ids if grade_id.endswith("_tests")]
        for name, ids in cells.items()
    }
    return {
        name: [check for check in solved(source).checks if check.grade_id in ids]
        for name, ids in hidden.items()
    }


@notebooks
def test_solution_passes_every_test(source: Path) -> None:
    assert {grade_id: fault for grade_id, fault in solved(source).faults.items() if fault} == {}


@notebooks
def test_every_function_has_a_visible_check_and_hidden_tests(source: Path) -> None:
    cells = graded_cells(functions(read(source)), solved(source).faults)
    assert {grade_id for ids in cells.values() for grade_id in ids} == set(solved(source).faults)
    for name, ids in cells.items():
        assert ids[-1].endswith("_tests"), name
        assert f"{name}_check" in ids or len(ids) > 1, (
            f"{name}: no worked example"
        )  # or outputs that are marked apart


@notebooks
def test_every_function_has_at_least_four_named_mistakes(source: Path) -> None:
    counts = {
        name: sum(len(check.mistakes) for check in checks)
        for name, checks in tables(source).items()
    }
    assert {name: n for name, n in counts.items() if n < 4 and name not in FEWER} == {}


@notebooks
def test_every_function_is_tried_on_axes_that_are_all_unlike(source: Path) -> None:
    """Where the exercise allows it: a rotation and a confusion matrix are square."""

    def unlike(case: tuple[object, ...]) -> bool:
        return all(len(set(x.shape)) == x.ndim for x in case if isinstance(x, np.ndarray))

    alike = [
        name
        for name, checks in tables(source).items()
        if not any(unlike(c) for k in checks for c in k.cases)
    ]
    assert set(alike) <= {"rotation_angle", "svd_stages"}


@notebooks
def test_reference_agrees_with_independent_differentiation(source: Path) -> None:
    derivatives = importlib.import_module(f"gradients.{source.stem}").GRADIENTS
    full = {
        name: next((c for c in checks if c.mistakes), None)
        for name, checks in tables(source).items()
    }
    references = {name: check.reference for name, check in full.items() if check}
    tried = {name: check.cases[:2] for name, check in full.items() if check}
    for name, (derivative, case) in derivatives.items():
        for arguments in (case, *tried[name]):
            want, got = derivative(*arguments), references[name](*arguments)
            pairs = zip(got, want, strict=True) if isinstance(want, tuple) else [(got, want)]
            for g, w in pairs:
                g, w = np.asarray(g), np.asarray(w)
                assert g.shape == w.shape, name
                assert np.max(np.abs(g - w)) <= 1e-10 * np.max(np.abs(w)), name
