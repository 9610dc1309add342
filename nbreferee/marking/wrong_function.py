"""A student's wrong answer as a function that stands alone, for a test's table of mistakes.

A test knows what the instructor's own cells define. What else the answer uses goes into the
function: what its cell defines, and the solutions of other exercises, because a mistake has to be
the same for all students, whatever they have written there.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

from nbformat import NotebookNode

from nbreferee.course.dataflow import free_names, same_scope


@dataclass(frozen=True)
class Surroundings:
    """What the instructor's notebook defines."""

    known: frozenset[str]  # names that a test has
    solutions: Mapping[str, Sequence[ast.stmt]]  # of answers, by name


@dataclass(frozen=True)
class WrongFunction:
    """A function for a table of mistakes."""

    source: str
    expression: str = ""  # the same as a lambda, where it is short
    unknown: tuple[str, ...] = ()  # names that it uses and nobody defines


def source_of(notebook: NotebookNode, name: str) -> str:
    """Return the source of a cell of the instructor's notebook; '' where there is none."""
    return next(
        (
            str(cell.source)
            for cell in notebook.cells
            if cell.metadata.get("nbgrader", {}).get("grade_id") == name
        ),
        "",
    )


def surroundings(notebook: NotebookNode, answers: Collection[str]) -> Surroundings:
    """Return what the instructor's notebook defines for an exercise with these answers."""
    given: list[str] = []
    solutions: list[str] = []
    for cell in notebook.cells:
        settings = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code" or settings.get("grade_id") in answers:
            continue
        if settings.get("solution"):
            solutions.append(cell.source)
        elif not settings.get("grade"):
            given.append(cell.source)
    known = frozenset(name for one in statements_of(given) for name in _bound(one))
    return Surroundings(known, _by_name(statements_of(solutions)))


def wrong_function(name: str, code: str, around: Surroundings) -> WrongFunction | None:
    """Return the function of an answer as `wrong_NAME`; None where the answer has none."""
    own = _by_name(statements_of([code]))
    definition = next(filter(None, map(_definition, reversed(own.get(name, ())))), None)
    if definition is None:
        return None
    needed, unknown = _needed(name, definition, own, around)
    body = [node for node in definition.body if not _is_docstring(node)] or definition.body
    only = body[0] if len(body) == 1 else None
    expression = ""
    if isinstance(only, ast.Return) and only.value and not needed and name not in free_names(only):
        expression = f"lambda {ast.unparse(definition.args)}: {ast.unparse(only.value)}"
    renamed = f"wrong_{name}"
    definition.name, definition.body = renamed, [*needed, *body]
    source = ast.unparse(_Renamed(name, renamed).visit(definition))
    return WrongFunction(source, expression, unknown)


def statements_of(cells: Iterable[str]) -> Iterator[ast.stmt]:
    """Yield the statements of cells of code; a cell that is no Python has none."""
    for source in cells:
        try:
            yield from ast.parse(source).body
        except (SyntaxError, ValueError):  # a magic, perhaps
            continue


def _by_name(statements: Iterable[ast.stmt]) -> dict[str, list[ast.stmt]]:
    found: dict[str, list[ast.stmt]] = {}
    for one in statements:
        for name in _bound(one):
            found.setdefault(name, []).append(one)
    return found


def _bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds."""
    names: set[str] = set()
    for node in same_scope(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(one.asname or one.name).split(".")[0] for one in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _definition(statement: ast.stmt) -> ast.FunctionDef | None:
    """Return a statement that defines a function, as a plain `def`; a copy."""
    if isinstance(statement, ast.FunctionDef):
        found = deepcopy(statement)
    elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Lambda):
        made = deepcopy(statement.value)
        found = ast.parse("def f():\n    return 0").body[0]  # type: ignore[assignment]
        found.args, found.body = made.args, [ast.Return(made.body)]
    else:
        return None
    for one in ast.walk(found.args):
        if isinstance(one, ast.arg):
            one.annotation = None
    found.returns, found.decorator_list = None, []
    return found


def _needed(
    name: str,
    definition: ast.FunctionDef,
    own: Mapping[str, Sequence[ast.stmt]],
    around: Surroundings,
) -> tuple[list[ast.stmt], tuple[str, ...]]:
    """Return the statements that a function needs inside it, and names that nobody defines."""
    solutions: dict[int, ast.stmt] = {}
    helpers: dict[int, ast.stmt] = {}
    unknown: list[str] = []
    seen = {name}
    left = sorted(free_names(definition))
    while left:
        one = left.pop()
        if one in seen:
            continue
        seen.add(one)
        mine = [each for each in own.get(one, ()) if not (_is_import(each) and one in around.known)]
        taken = mine or ([] if one in around.known else around.solutions.get(one, []))
        (helpers if mine else solutions).update({id(each): each for each in taken})
        left += sorted({other for each in taken for other in free_names(each)})
        if not taken and one not in around.known and not hasattr(builtins, one):
            unknown.append(one)
    last = sorted(helpers.values(), key=lambda each: each.lineno)
    return [*map(deepcopy, (*reversed(solutions.values()), *last))], tuple(unknown)


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


class _Renamed(ast.NodeTransformer):
    """Gives a function that calls itself its new name there."""

    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old, new

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Rename a name."""
        return ast.Name(self._new, node.ctx) if node.id == self._old else node
