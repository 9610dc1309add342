"""A small instructor's notebook, and what must hold of each submission rebuilt from it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nbformat
from building import answer, cell, graded, write

from nbreferee.course.source import Master, read_master
from nbreferee.submission.originals import Released, originals_of
from nbreferee.submission.rebuild import Rebuilt

PICTURE = {"why.png": {"image/png": "iVBORw0KGgo="}}


MASTER = (
    cell("# Title", "markdown"),
    cell("import numpy as np", grade_id="imports", locked=True),
    answer(),
    graded(
        "assert f(0) == 0\n### BEGIN HIDDEN TESTS\nassert f(1) == 1\n### END HIDDEN TESTS\n"
        "assert f(2) == 2"
    ),
    cell("# free\nx = 1"),
    cell("*Why?*", "markdown", grade_id="why", grade=True, solution=True, points=3),
    answer("def g(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION", "g"),
    graded("### BEGIN HIDDEN TESTS\nassert g(1) == 1\n### END HIDDEN TESTS", "g_tests"),
)


KNOWN = ["imports", "f", "f_tests", "why", "g", "g_tests"]


MINE = {"f": "def f(x): return x", "why": "So.", "g": "def g(x): return x"}


def make_master() -> Master:
    """The master of all tests here."""
    with tempfile.TemporaryDirectory() as folder:
        return read_master(write(Path(folder), *MASTER))


THE_MASTER = make_master()


RELEASED = {
    one.grade_id: Released(one.source, "checksum") for one in THE_MASTER.cells if one.grade_id
}


ORIGINALS = originals_of(THE_MASTER, RELEASED)


def check(made: Rebuilt) -> None:
    """Whatever came in: the notebook is valid, and its known cells are the master's, with the
    master's settings and tests.
    """
    check_against(THE_MASTER, made)


def check_against(master: Master, made: Rebuilt) -> None:
    nbformat.validate(made.notebook)
    nbformat.writes(made.notebook).encode()
    known = [one for one in made.notebook.cells if "nbgrader" in one.metadata]
    assert [one.metadata.nbgrader["grade_id"] for one in known] == [
        one.grade_id for one in master.cells if one.is_known
    ]
    for one, place in zip(made.notebook.cells, made.places, strict=True):
        assert ("nbgrader" in one.metadata) == (place.cell is not None)
        if place.cell is None:
            continue
        assert one.cell_type == ("code" if place.cell.is_code else "markdown")
        wanted = {
            name: place.cell.settings.get(name)
            for name in ("grade", "solution", "locked", "points", "schema_version", "task")
        }
        assert {name: one.metadata.nbgrader.get(name) for name in wanted} == wanted
        if not place.cell.solution:
            assert one.source == place.cell.source
    passed = [index for place in made.places for index in place.passed]
    assert passed == sorted(set(passed))
