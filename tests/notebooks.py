"""The course's notebooks for tests: where they are, and a quick run of them in this process.

A run takes the cells that nbgrader knows (solutions, tests, locked cells), in order and in one
namespace, and leaves out try-it cells and figures. What nbgrader itself makes of the notebooks is
the business of test_class.py.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
from nbformat import NotebookNode

import gradtests

COURSE = Path(__file__).parent.parent
SOURCES = sorted((COURSE / "source").glob("*/*.ipynb"))


def what_notebooks_import() -> dict[str, bytes]:
    """Return the course's modules, by their paths in an assignment's folder."""
    paths = [COURSE / "gradcheck.py", *sorted(COURSE.glob("gradtests/*.py"))]
    return {path.relative_to(COURSE).as_posix(): path.read_bytes() for path in paths}


def read(path: Path) -> NotebookNode:
    """Return a notebook, in format 4."""
    notebook: NotebookNode = nbformat.read(str(path), as_version=4)
    return notebook


def released(source: Path) -> Path:
    """Return where the release of a source notebook lies."""
    return COURSE / "release" / source.parent.name / source.name


def settings(cell: NotebookNode) -> Mapping[str, Any]:
    """Return nbgrader's metadata of a cell; empty where there are none."""
    found: Mapping[str, Any] = cell.metadata.get("nbgrader", {})
    return found


def is_test(cell: NotebookNode) -> bool:
    """Tell whether a cell holds automatic tests."""
    return cell.cell_type == "code" and bool(settings(cell).get("grade"))


def functions(notebook: NotebookNode) -> list[str]:
    """Return the grade ids of the cells where students write code: the names of their functions."""
    return [
        settings(c)["grade_id"]
        for c in notebook.cells
        if c.cell_type == "code" and settings(c).get("solution")
    ]


def graded_cells(functions: Iterable[str], grade_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return by function which cells test it: `_check` and `_tests`, or one `_tests` for each
    output that is marked apart.
    """
    found: dict[str, list[str]] = {name: [] for name in functions}
    for grade_id in grade_ids:
        owners = [
            name for name in found if re.fullmatch(rf"{name}(_check|(_[A-Za-z]+)?_tests)", grade_id)
        ]
        if owners:
            found[max(owners, key=len)].append(grade_id)
    return found


@dataclass(frozen=True)
class Check:
    """One call of `gradtests.check` in a notebook."""

    grade_id: str
    student: Callable[..., Any]
    reference: Callable[..., Any]
    cases: list[tuple[Any, ...]]
    mistakes: Mapping[str, Callable[..., Any]]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """What became of a notebook's graded cells."""

    faults: dict[str, str] = field(default_factory=dict)  # by grade id; '' where the cell passed
    checks: list[Check] = field(default_factory=list)


def run(path: Path) -> Run:
    """Run a notebook as its author left it."""
    result, space, original = Run(), {"__name__": "__main__"}, gradtests.check

    def recording_check(
        student: Callable[..., Any],
        reference: Callable[..., Any],
        cases: Iterable[tuple[Any, ...]],
        mistakes: Mapping[str, Callable[..., Any]] | None = None,
        **options: Any,
    ) -> None:
        cases = list(cases)
        result.checks.append(Check(grade_id, student, reference, cases, mistakes or {}, options))
        original(student, reference, cases, mistakes, **options)

    with mock.patch.object(gradtests, "check", recording_check), contextlib.chdir(path.parent):
        for cell in read(path).cells:
            grade_id = settings(cell).get("grade_id", "")
            if cell.cell_type != "code" or not grade_id:
                continue
            code = compile(cell.source, f"{path.stem}:{grade_id}", "exec")
            fault, errors = "", io.StringIO()
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
                try:
                    exec(code, space)
                except Exception as error:
                    fault = f"{type(error).__name__}: {error}"
            if is_test(cell):
                result.faults[grade_id] = fault or errors.getvalue()
            elif fault:
                raise AssertionError(f"{path.name}, cell {grade_id}: {fault}")
    return result
