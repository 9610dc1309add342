"""The instructor's notebook: its cells as nbgrader sees them, and which cells need which.

It reads and never runs. Whatever nbgrader would refuse, or grade wrongly, is a `MasterError`.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbreferee.course.cell_text import transformed
from nbreferee.course.dataflow import (
    changed_names,
    imported_names,
    used_names,
)
from nbreferee.course.nodes import parse
from nbreferee.course.rules import DELIMITERS, Delimiters, marked_lines

if TYPE_CHECKING:
    from nbformat import NotebookNode


class MasterError(Exception):
    """An instructor's notebook that cannot be used; the text says where, what, and the cure."""


@dataclass(frozen=True)
class Cell:
    """One cell of a master notebook."""

    index: int
    label: str  # its grade id, else the notebook's id of the cell
    is_code: bool
    source: str
    grade_id: str = ""
    points: float = 0.0
    graded: bool = False
    solution: bool = False
    locked: bool = False
    attachments: Mapping[str, Any] = field(default_factory=dict, hash=False)
    has_output: bool = False
    is_task: bool = False  # for a person to score, with no cell of its own for the answer
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)  # nbgrader's metadata
    delimiters: Delimiters = DELIMITERS

    @property
    def is_known(self) -> bool:
        """Kept by nbgrader: graded, a solution, locked or a task."""
        return bool(self.grade_id) and (self.graded or self.solution or self.locked or self.is_task)

    @property
    def is_test(self) -> bool:
        """Scored without a person."""
        return self.is_code and self.graded and not self.solution

    @property
    def is_answer(self) -> bool:
        """Where a student writes code that tests look at; what a person reads is not one."""
        return self.is_code and self.solution and not self.graded

    @cached_property
    def python(self) -> str:
        """The source as plain Python, with IPython's own syntax turned into calls."""
        return transformed(self.source)

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None where the cell is not Python."""
        try:
            return parse(self.python)
        except SyntaxError:
            return None

    @cached_property
    def has_magic(self) -> bool:
        """Whether the source is no Python as it stands: it holds IPython's own syntax."""
        try:
            parse(self.source)
        except SyntaxError:
            return True
        return False

    @property
    def hidden_lines(self) -> set[int]:
        """Numbers, from 1, of the lines between the markers of hidden tests."""
        return marked_lines(self.source, self.delimiters.hidden)

    @property
    def solution_lines(self) -> set[int]:
        """Numbers, from 1, of the lines that nbgrader replaces by a stub."""
        return marked_lines(self.source, self.delimiters.solution) or set(
            range(1, self.source.count("\n") + 2)
        )


@dataclass(frozen=True)
class Master:
    """An instructor's notebook."""

    path: Path
    cells: tuple[Cell, ...]
    notebook: NotebookNode = field(repr=False)
    delimiters: Delimiters = DELIMITERS

    @property
    def name(self) -> str:
        """The notebook's name, as in the gradebook."""
        return self.path.stem

    @property
    def tests(self) -> list[Cell]:
        """The cells that are scored without a person."""
        return [cell for cell in self.cells if cell.is_test]

    @property
    def answers(self) -> list[Cell]:
        """The cells in which students write code."""
        return [cell for cell in self.cells if cell.is_answer]

    @cached_property
    def providers(self) -> dict[int, frozenset[int]]:
        """For every code cell, the earlier cells that it needs, directly or not."""
        modules = set().union(*(imported_names(cell) for cell in self.cells if cell.is_code))
        needed: dict[int, frozenset[int]] = {}
        changed: dict[int, set[str] | None] = {}
        for cell in (cell for cell in self.cells if cell.is_code):
            used = used_names(cell)
            direct = {
                i for i, names in changed.items() if names is None or used is None or names & used
            }
            needed[cell.index] = frozenset(direct).union(*(needed[i] for i in direct))
            changed[cell.index] = changed_names(cell, modules)
        return needed

    def affected_tests(self, index: int) -> list[Cell]:
        """Return the tests whose result may depend on cell `index`: all later ones where none seems
        to.
        """
        affected = [test for test in self.tests if index in self.providers[test.index]]
        return affected or [test for test in self.tests if test.index > index]


def read_master(path: Path, delimiters: Delimiters = DELIMITERS) -> Master:
    """Read an instructor's notebook.

    Raises
    ------
    MasterError
        where it is no notebook, or nbgrader could not release and grade it.
    """
    try:
        return parse_master(path, path.read_bytes(), delimiters)
    except OSError as error:
        raise MasterError(
            f"{path}: cannot be read ({error.strerror}). Check the file and its permissions."
        ) from None


def parse_master(path: Path, data: bytes, delimiters: Delimiters = DELIMITERS) -> Master:
    """Read the bytes of an instructor's notebook; `path` is for messages.

    Raises
    ------
    MasterError
        where they are no notebook, or nbgrader could not release and grade it.
    """
    import nbformat  # testers read plans, not notebooks, and start faster without it

    try:
        notebook = nbformat.reads(data.decode(), as_version=4)
        nbformat.validate(notebook)
    except (json.JSONDecodeError, UnicodeDecodeError, nbformat.reader.NotJSONError):
        raise MasterError(
            f"{path}: not a notebook, for it is not JSON. Restore it from your version control."
        ) from None
    except Exception as error:
        said = str(error).split("\n")[0]
        raise MasterError(
            f"{path}: not a valid notebook ({said}). Open it in JupyterLab and save it again."
        ) from None
    cells = tuple(_read_cell(index, cell, delimiters) for index, cell in enumerate(notebook.cells))
    _refuse(path, cells, delimiters)
    return Master(path, cells, notebook, delimiters)


def _read_cell(index: int, cell: NotebookNode, delimiters: Delimiters) -> Cell:
    settings: dict[str, Any] = cell.metadata.get("nbgrader", {})
    grade_id = settings.get("grade_id", "")
    return Cell(
        index=index,
        label=grade_id or f"number {index + 1}",
        is_code=cell.cell_type == "code",
        source=cell.source,
        grade_id=grade_id,
        points=float(settings.get("points", 0) or 0)
        if settings.get("grade") or settings.get("task")
        else 0.0,
        graded=bool(settings.get("grade")),
        solution=bool(settings.get("solution")),
        locked=bool(settings.get("locked"))
        or (bool(settings.get("grade")) and not settings.get("solution")),
        attachments=cell.get("attachments", {}),
        has_output=bool(cell.get("outputs") or cell.get("execution_count")),
        is_task=bool(settings.get("task")),
        settings=dict(settings),
        delimiters=delimiters,
    )


def _refuse(path: Path, cells: Iterable[Cell], delimiters: Delimiters) -> None:
    seen: set[str] = set()
    for cell in cells:
        where = f"{path}, cell {cell.label}"
        for pair in (delimiters.hidden, delimiters.solution):
            _refuse_unpaired(where, cell.source, *pair)
        if delimiters.enforced and delimiters.hidden[0] in cell.source and not cell.graded:
            raise MasterError(
                f"{where}: hidden tests in a cell that is not graded. Make it an autograder tests "
                "cell."
            )
        if delimiters.enforced and delimiters.solution[0] in cell.source and not cell.solution:
            raise MasterError(
                f"{where}: a solution in a cell that is no solution cell. Make it an autograded "
                "answer."
            )
        if (cell.graded or cell.solution) and not re.fullmatch(r"[a-zA-Z0-9_\-]+", cell.grade_id):
            raise MasterError(
                f"{where}: the grade id {cell.grade_id!r} is not letters, digits, - and _. Rename "
                "it."
            )
        if cell.is_known and cell.grade_id in seen:
            raise MasterError(
                f"{where}: a second cell has this grade id. Give one of them another."
            )
        if cell.points < 0:
            raise MasterError(f"{where}: {cell.points:g} points. Points cannot be negative.")
        if cell.is_known:
            seen.add(cell.grade_id)


def _refuse_unpaired(where: str, source: str, begin: str, end: str) -> None:
    """Refuse what nbgrader refuses: a region in a region, or without an end.

    An end alone is a line that is left out.
    """
    open_since = 0
    for number, line in enumerate(source.split("\n"), 1):
        if begin in line:
            if open_since:
                raise MasterError(
                    f'{where}: {begin} in line {number} follows another. Add "### {end}" before it.'
                )
            open_since = number
        elif end in line:
            open_since = 0
    if open_since:
        raise MasterError(f'{where}: {begin} has no END. Add "### {end}".')
