"""The instructor's notebook: its cells as nbgrader sees them, and which cells need which.

It reads and never runs. Whatever nbgrader would refuse, or grade wrongly, is a `MasterError`.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.inputtransformer2 import TransformerManager

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
        return TransformerManager().transform_cell(self.source)

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None where the cell is not Python."""
        try:
            return ast.parse(self.python)
        except SyntaxError:
            return None

    @cached_property
    def has_magic(self) -> bool:
        """Whether the source is no Python as it stands: it holds IPython's own syntax."""
        try:
            ast.parse(self.source)
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


# ---------------------------------------------------------------- which cells need which


def imported_names(cell: Cell) -> set[str]:
    """Return the names that a cell imports."""
    imports = (
        [node for node in ast.walk(cell.tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
        if cell.tree
        else []
    )
    return {(alias.asname or alias.name).split(".")[0] for node in imports for alias in node.names}


def changed_names(cell: Cell, modules: Collection[str] = ()) -> set[str] | None:
    """Return the names that a cell binds, or whose objects it may change; None: cannot be told.

    A call may change the object whose method it is, and what it is given; but a module's function
    only where nothing is done with its result, or where it draws random numbers.
    """
    names = imported_names(cell)
    if cell.tree is None or "*" in names:
        return None
    discarded = {id(node.value) for node in ast.walk(cell.tree) if isinstance(node, ast.Expr)}
    for node in same_scope(cell.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            names.add(node.id)
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(
            node.ctx, (ast.Store, ast.Del)
        ):
            names.add(root_name(node))
        elif isinstance(node, ast.Call):
            root = root_name(node.func)
            if root == "get_ipython":  # a magic: it may run anything
                return None
            if isinstance(node.func, ast.Attribute) and (
                root not in modules or "random" in ast.unparse(node.func)
            ):
                names.add(root)
            if root not in modules or id(node) in discarded:
                names |= {argument.id for argument in node.args if isinstance(argument, ast.Name)}
    return names - {""}


def used_names(cell: Cell) -> set[str] | None:
    """Return the names that a cell needs from earlier ones; None: cannot be told."""
    if cell.tree is None:
        return None
    used: set[str] = set()
    bound: set[str] = set()
    for statement in cell.tree.body:
        used |= free_names(statement) - bound
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            bound.add(statement.name)
        elif isinstance(statement, ast.Assign):
            bound |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return None if used & {"globals", "locals", "eval", "exec", "get_ipython", "vars"} else used


def free_names(node: ast.AST) -> set[str]:
    """Return the names read in a node, without those that are local to a function in it."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    if isinstance(node, ast.AugAssign):
        return free_names(node.value) | {root_name(node.target)}
    free = set().union(*(free_names(child) for child in ast.iter_child_nodes(node)))
    if isinstance(node, ast.ExceptHandler):
        return free - {node.name}
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        own = {
            one.id
            for part in node.generators
            for one in ast.walk(part.target)
            if isinstance(one, ast.Name)
        }
        return (free - own) | free_names(node.generators[0].iter)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        local = {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
        outer = {name for n in ast.walk(node) if isinstance(n, ast.Global) for name in n.names}
        local |= {
            n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        local |= _defined_in(node)
        defaults = [d for d in (*node.args.defaults, *node.args.kw_defaults) if d is not None]
        free = (free - (local - outer)).union(*map(free_names, defaults))
    return free


def _defined_in(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """Return the names of the functions, classes, imports and captured patterns of a function's own
    scope.
    """
    body = [] if isinstance(function, ast.Lambda) else function.body
    found: set[str | None] = set()
    for node in (one for statement in body for one in same_scope(statement)):
        if isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.MatchAs, ast.MatchStar)
        ):
            found.add(node.name)
        elif isinstance(node, ast.MatchMapping):
            found.add(node.rest)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return {name for name in found if name}


def same_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Walk the tree, but not into functions and classes."""
    yield node
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        for child in ast.iter_child_nodes(node):
            yield from same_scope(child)


def root_name(node: ast.AST) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
