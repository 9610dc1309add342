"""Honest answers get here what they get where everything runs in one namespace, as stock nbgrader
does.

The cases are in `honest/*.txt`: small masters, each with other answers to it, right and wrong.
Every one is run both ways, and the scores must be equal, cell by cell. (But for a warning on
stderr: that costs all points with stock nbgrader, and nothing here.) In `one_process.txt` tests
need one process; there an answer may also be left to a person, but not the solution. Cases in
`impossible.txt` fail in words that tell why.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest
from building import answer, graded
from honest_cases import FOLDER, Case, read_cases
from IPython.core.interactiveshell import InteractiveShell
from one_namespace import Session, in_forks
from refereed import Court, verdicts

from nbreferee.budget import Budget
from nbreferee.course.source import Cell
from nbreferee.verdicts import CellVerdict

SHOWN: list[
    str
] = []  # errors of the running cell, also of a cell within it (`%%capture`), as nbgrader sees them


FILES = sorted(path.name for path in FOLDER.glob("*.txt") if path.name != "impossible.txt")
TRAVELLING = {
    case.name for case in read_cases("kinds.txt")
}  # all of whose values pass between the two processes
CASES = [pytest.param(case, id=case.name) for name in FILES for case in read_cases(name)]


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court() as court:
        yield court


@pytest.fixture(scope="module")
def hasty_court() -> Iterator[Court]:
    with Court(Budget(call_s=0.5, cell_s=5)) as court:
        yield court


@pytest.fixture(scope="module")
def stock(request: pytest.FixtureRequest) -> dict[tuple[str, str], dict[str, float]]:
    """What all answers get in one namespace."""
    wanted: list[Any] = [
        item.callspec.params["case"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and "stock" in item.fixturenames
    ]
    with Court() as court:  # whose processes are not needed
        masters = {case.name: court.material(*case.cells).master.cells for case in wanted}
    outcomes = in_forks([("all", lambda: in_one_namespace_each(wanted, masters))], 120)
    return {(case, name): scores for case, name, scores in outcomes["all"]}


def in_one_namespace_each(
    cases: list[Case], masters: dict[str, tuple[Cell, ...]]
) -> list[tuple[str, str, dict[str, float]]]:
    """Return (case, answer, scores) of all answers, each run in a fork of a process with a
    shell.
    """
    warnings.resetwarnings()
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        show = partial(SHOWN.append, "an error")  # its text takes long
        vars(InteractiveShell.instance())["showtraceback"] = lambda *_, **__: show()
        session.run("import pandas, unittest, asyncio, csv, statistics, timeit")
        session.renew()
        gc.freeze()
        scores = in_forks(
            (
                ((case.name, name), partial(in_one_namespace, session, masters[case.name], answers))
                for case in cases
                for name, answers in case.answers.items()
            ),
            30,
        )
        os.chdir("/")
    return [(case, name, found) for (case, name), found in scores.items()]


def in_one_namespace(
    session: Session, cells: tuple[Cell, ...], answers: dict[str, str]
) -> dict[str, float]:
    """Return the scores that stock nbgrader would give; figures are closed after each cell, as in a
    notebook.
    """
    os.chdir(tempfile.mkdtemp(dir="."))
    sys.modules["__main__"] = session.module  # as in a kernel
    scores = {}
    for one in cells:
        if one.is_code:
            SHOWN.clear()
            ran = session.run(answers.get(one.grade_id, one.source))
            plt.close("all")
            if one.is_test:
                scores[one.grade_id] = replace(ran, error=ran.error or "".join(SHOWN)).score(one)
    return scores


@pytest.mark.parametrize("case", CASES)
def test_scores_are_those_of_one_namespace(
    case: Case, court: Court, stock: dict[tuple[str, str], dict[str, float]]
) -> None:
    if "pandas" in case.name:
        pytest.importorskip("pandas")
    material = court.material(*case.cells)
    points = {one.grade_id: one.points for one in material.master.tests}
    if case.name in TRAVELLING:
        assert court.grader.calibrate(material).one_process == {}
    for name, answers in case.answers.items():
        there = stock[case.name, name]
        assert (there == points) is name.startswith("right"), (
            f"{name}: the case itself is wrong: {there}"
        )
        came = verdicts(court.grade(material, answers))
        unsure = {grade_id for grade_id, one in came.items() if one.is_unsure}
        assert not unsure or ("one process" in case.name and name != "right"), (
            f"{name}: {said(came)}"
        )
        assert {grade_id: one.score for grade_id, one in came.items()} == {
            **there,
            **dict.fromkeys(unsure, 0),
        }, f"{name}: {said(came)}"
        assert all(one.message for one in came.values() if one.status != "passed"), (
            f"{name}: {said(came)}"
        )


def said(came: dict[str, CellVerdict]) -> str:
    return "; ".join(
        f"{grade_id}: {one.score:g} ({one.status}) {one.message}" for grade_id, one in came.items()
    )


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name) for case in read_cases("impossible.txt")]
)
def test_what_cannot_be_equal_fails_in_words_that_tell_why(case: Case, hasty_court: Court) -> None:
    words = next(source for kind, _, source in case.parts if kind == "words")
    (verdict,) = hasty_court.grade(hasty_court.material(*case.cells), {}).cells
    assert (verdict.score, verdict.status) == (0, "manual"), verdict
    assert words in verdict.message
    assert len(verdict.message) < 250


def test_error_in_a_magic_of_a_test_costs_its_points(court: Court) -> None:
    cells = [
        graded(source, f"test{number}")
        for number, source in enumerate(
            (
                '%%capture out\nr = f("Ada")\nassert r == 3',
                "%%time\nassert f('Bo') == 2",
                "%%capture\nf(1)",
            )
        )
    ]
    material = court.material(
        answer(
            "def f(name):\n    return len(str(name)) + (name == 1) * g(0)\ndef g(x):\n    return x"
        ),
        *cells,
    )
    assert [one.score for one in court.grade(material, {}).cells] == [2, 2, 2]
    wrong = court.grade(material, {"f": "def f(name):\n    return 0 if name != 1 else 1 / 0"}).cells
    assert [(one.score, one.status) for one in wrong] == [
        (0, "failed"),
        (0, "failed"),
        (0, "error"),
    ]
    assert "division by zero" in wrong[2].message
