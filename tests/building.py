"""Notebooks made for a test, cell by cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

HIDDEN = "### BEGIN HIDDEN TESTS\nassert f(1) == 1\n### END HIDDEN TESTS"
SOLUTION = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"


def cell(source: str, kind: str = "code", **settings: Any) -> NotebookNode:
    """A cell; with settings, one that nbgrader knows."""
    new: NotebookNode = (
        nbformat.v4.new_code_cell(source)
        if kind == "code"
        else nbformat.v4.new_markdown_cell(source)
    )
    if settings:
        defaults = {
            "grade": False,
            "solution": False,
            "locked": False,
            "schema_version": 3,
            "task": False,
        }
        new.metadata["nbgrader"] = {**defaults, **settings}
    return new


def answer(source: str = SOLUTION, grade_id: str = "f", **settings: Any) -> NotebookNode:
    """A solution cell."""
    return cell(source, grade_id=grade_id, solution=True, **settings)


def graded(source: str = HIDDEN, grade_id: str = "f_tests", **settings: Any) -> NotebookNode:
    """A cell of automatic tests, 2 points."""
    return cell(
        source, **{"grade_id": grade_id, "grade": True, "locked": True, "points": 2, **settings}
    )


def write(folder: Path, *cells: NotebookNode, name: str = "one") -> Path:
    """Write cells as a notebook; return where."""
    path = folder / f"{name}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), str(path))
    return path
