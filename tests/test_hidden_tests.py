"""The hidden tests, as far as `nbreferee verify` cannot tell: are their references right, their tables full?"""

from __future__ import annotations

import functools
import importlib
from pathlib import Path

import numpy as np
import pytest
from notebooks import SOURCES, Check, functions, read, run

notebooks = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)

# Functions that leave room for fewer than four mistakes, or whose test is no table.
FEWER = {"train"}


@functools.cache
def solved(source: Path):
    """A run of the source as it is; made once."""
    return run(source)


def tables(source: Path) -> dict[str, list[Check]]:
    """The checks of every hidden test cell, by function."""
    found = {name: [] for name in functions(read(source))}
    for check in solved(source).checks:
        name, _, kind = check.grade_id.rpartition("_")
        if kind == "tests":
            found[name].append(check)
    return found


@notebooks
def test_solution_passes_every_test(source):
    assert {grade_id: fault for grade_id, fault in solved(source).faults.items() if fault} == {}


@notebooks
def test_every_function_has_a_visible_check_and_hidden_tests(source):
    expected = {f"{name}_{kind}" for name in functions(read(source)) for kind in ("check", "tests")}
    assert set(solved(source).faults) == expected


@notebooks
def test_every_function_has_at_least_four_named_mistakes(source):
    counts = {name: sum(len(check.mistakes) for check in checks) for name, checks in tables(source).items()}
    assert {name: n for name, n in counts.items() if n < 4 and name not in FEWER} == {}


@notebooks
def test_every_function_is_tried_on_axes_that_are_all_unlike(source):
    """Where the exercise allows it: a rotation and a confusion matrix are square."""

    def unlike(case):
        return all(len(set(x.shape)) == x.ndim for x in case if isinstance(x, np.ndarray))

    alike = [name for name, checks in tables(source).items() if not any(unlike(c) for k in checks for c in k.cases)]
    assert set(alike) <= {"rotation_angle", "svd_stages"}


@notebooks
def test_reference_agrees_with_independent_differentiation(source):
    derivatives = importlib.import_module(f"gradients.{source.stem}").GRADIENTS
    references = {name: checks[0].reference for name, checks in tables(source).items() if checks}
    tried = {name: [check.cases[:2] for check in checks][0] for name, checks in tables(source).items() if checks}
    for name, (derivative, case) in derivatives.items():
        for arguments in (case, *tried[name]):
            want, got = derivative(*arguments), references[name](*arguments)
            pairs = zip(got, want, strict=True) if isinstance(want, tuple) else [(got, want)]
            for g, w in pairs:
                g, w = np.asarray(g), np.asarray(w)
                assert g.shape == w.shape, name
                assert np.max(np.abs(g - w)) <= 1e-10 * np.max(np.abs(w)), name
