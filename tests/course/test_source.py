"""Reading an instructor's notebook: what it refuses, in which words, and which cells need which."""

from __future__ import annotations

from pathlib import Path

import pytest
from building import HIDDEN, SOLUTION, answer, cell, graded, write
from nbformat import NotebookNode

from nbreferee.course.dataflow import changed_names, used_names
from nbreferee.course.rules import Delimiters, marked_lines, released_view
from nbreferee.course.source import Cell, MasterError, read_master

BAD = {
    "no END of hidden tests": (
        [answer(), graded(HIDDEN.replace("END", "NED"))],
        'BEGIN HIDDEN TESTS has no END. Add "### END HIDDEN TESTS"',
    ),
    "nested": (
        [answer(), graded(HIDDEN.replace("assert", "### BEGIN HIDDEN TESTS\nassert"))],
        "in line 2 follows another",
    ),
    "no END of solution": (
        [answer("### BEGIN SOLUTION\n1"), graded()],
        'BEGIN SOLUTION has no END. Add "### END SOLUTION"',
    ),
    "solution in a plain cell": (
        [answer(), cell(SOLUTION), graded()],
        "a solution in a cell that is no solution cell",
    ),
    "hidden tests in a plain cell": (
        [answer(), cell(HIDDEN), graded()],
        "hidden tests in a cell that is not graded",
    ),
    "duplicate ids": ([answer(), graded(), graded()], "a second cell has this grade id"),
    "bad id": (
        [answer(grade_id="f x"), graded()],
        "the grade id 'f x' is not letters, digits, - and _",
    ),
    "negative points": ([answer(), graded(points=-1)], "-1 points. Points cannot be negative"),
}


@pytest.mark.parametrize(("cells", "words"), BAD.values(), ids=BAD)
def test_master_that_nbgrader_would_refuse_is_named(
    cells: list[NotebookNode], words: str, tmp_path: Path
) -> None:
    with pytest.raises(MasterError) as caught:
        read_master(write(tmp_path, *cells))
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "one.ipynb"))


def test_regions_that_only_end_are_taken_as_nbgrader_takes_them(tmp_path: Path) -> None:
    master = read_master(
        write(tmp_path, answer("x = 1\n### END SOLUTION"), graded("assert x\n### END HIDDEN TESTS"))
    )
    assert (master.cells[0].solution_lines, master.cells[1].hidden_lines) == ({1, 2}, set())


def test_notebook_with_tests_and_no_answer_cell_is_read(tmp_path: Path) -> None:
    master = read_master(write(tmp_path, cell("def f(x): return x"), graded()))
    assert ([c.label for c in master.tests], master.answers) == (["f_tests"], [])


def test_cells_that_nbgrader_does_not_keep_may_share_an_id(tmp_path: Path) -> None:
    master = read_master(
        write(
            tmp_path,
            cell("a = 1", grade_id="foo"),
            cell("b = 2", grade_id="foo"),
            answer(),
            graded(),
        )
    )
    assert [c.is_known for c in master.cells] == [False, False, True, True]


def test_own_delimiters_mark_solutions_and_hidden_tests(tmp_path: Path) -> None:
    own = Delimiters(solution=("BSOL", "ESOL"), hidden=("BTEST", "ETEST"))
    cells = (
        answer("def f(x):\n    # BSOL\n    return x\n    # ESOL"),
        graded("assert f(1)\n# BTEST\nassert f(2)\n# ETEST\n### END HIDDEN TESTS"),
    )
    master = read_master(write(tmp_path, *cells), own)
    assert (master.cells[0].solution_lines, master.cells[1].hidden_lines) == ({3}, {3})
    assert released_view(cells[1].source, own) == "assert f(1)\n### END HIDDEN TESTS"
    with pytest.raises(MasterError, match="BTEST has no END"):
        read_master(write(tmp_path, answer(), graded("# BTEST\nassert f(2)")), own)


NO_NOTEBOOK = {
    "not JSON": (b"# a notebook", "it is not JSON"),
    "not text": (b"\xff\xfe\x00", "it is not JSON"),
    "not a notebook": (b'{"cells": 3}', "not a valid notebook"),
    "a list": (b"[]", "not a valid notebook"),
    "empty": (b"", "it is not JSON"),
}


@pytest.mark.parametrize(("content", "words"), NO_NOTEBOOK.values(), ids=NO_NOTEBOOK)
def test_file_that_is_no_notebook_is_named(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "one.ipynb"
    path.write_bytes(content)
    with pytest.raises(MasterError) as caught:
        read_master(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MasterError, match="No such file"):
        read_master(tmp_path / "none.ipynb")


def test_cells_are_read_as_nbgrader_sees_them(tmp_path: Path) -> None:
    master = read_master(
        write(
            tmp_path,
            cell("import numpy as np"),
            answer(),
            graded(),
            cell("*text*", "markdown", grade_id="m", grade=True, solution=True, points=3),
        )
    )
    assert [c.label for c in master.answers] == ["f"]
    assert [(c.label, c.points) for c in master.tests] == [("f_tests", 2)]
    assert master.cells[1].solution_lines == {3}
    assert master.cells[2].hidden_lines == {2}
    assert master.cells[3].points == 3


def test_solution_without_markers_is_all_of_the_cell(tmp_path: Path) -> None:
    master = read_master(write(tmp_path, answer("def f(x):\n    return x"), graded()))
    assert master.cells[0].solution_lines == {1, 2}


def test_marked_lines() -> None:
    assert marked_lines(
        "a\n# BEGIN X\nb\nc\n# END X\nd\n# BEGIN X\ne\n# END X", ("BEGIN X", "END X")
    ) == {3, 4, 8}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x = 1", {"x"}),
        ("def f(): y = 1", {"f"}),
        ("import numpy as np\nfrom a import b as c", {"np", "c"}),
        ("x[0] = 1", {"x"}),
        ("x.y = 1", {"x"}),
        ("x += 1", {"x"}),
        ("model.fit(data)", {"model", "data"}),
        ("y = model.step()", {"y", "model"}),
        ("np.random.seed(1)", {"np"}),
        ("np.fill_diagonal(A, 0)", {"A"}),
        ("y = np.sum(A)", {"y"}),
        ("y = train(A, 10)", {"y", "A"}),
        ("%%time\ny = 1", None),
        ("for i in r: pass", {"i"}),
        ("from a import *", None),
        ("x = = 1", None),
    ],
)
def test_changed_names(source: str, names: set[str] | None) -> None:
    assert changed_names(Cell(0, "", True, source), modules={"np"}) == names


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("y = f(x)", {"f", "x"}),
        ("y = 1\nz = y + x", {"x"}),
        ("def g(a): b = a; return b + c", {"c"}),
        ("def g(): return 1\ng()", set()),
        ("def g(add=add): return add", {"add"}),
        ("x += 1", {"x"}),
        ("[i * k for i in r]", {"k", "r"}),
        ("globals()['x']", None),
    ],
)
def test_used_names(source: str, names: set[str] | None) -> None:
    assert used_names(Cell(0, "", True, source)) == names


def test_tests_are_affected_through_what_they_use(tmp_path: Path) -> None:
    master = read_master(
        write(
            tmp_path,
            answer("def f(x): return x", "f"),
            answer("def g(x): return f(x)", "g"),
            answer("def h(x): return x", "h"),
            graded("assert g(1) == 1", "g_tests"),
            graded("assert h(1) == 1", "h_tests"),
        )
    )
    assert [t.label for t in master.affected_tests(0)] == ["g_tests"]
    assert [t.label for t in master.affected_tests(1)] == ["g_tests"]
    assert [t.label for t in master.affected_tests(2)] == ["h_tests"]
