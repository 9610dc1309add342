"""Read from the instructor's notebook what follow-through needs: which answers a test judges, and
how to make references.

*Follow-through*: a test cell that has lost points is judged again with the solution's functions in
the place of earlier answers that have lost points (see `engine.follow_through`). An answer is a
name that an answer cell of the solution binds; a notebook may bind the same name again later, so an
answer is known by its name and the index of its cell.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nbreferee.course.dataflow import free_names, imported_names, root_name, same_scope, used_names
from nbreferee.course.given_up import CHANGING_FUNCTIONS, CHANGING_METHODS, bound_names
from nbreferee.course.ownership import Plan, Reference, role_of
from nbreferee.course.source import Master

DRAWING = ("matplotlib", "pylab", "seaborn", "plotly")  # an answer that draws has no reference


@dataclass(frozen=True)
class _Statement:
    """One statement of the instructor's, outside of functions and classes."""

    cell: int
    role: str
    tree: ast.stmt
    changes: frozenset[str]
    uses: frozenset[str]
    imports: bool


def with_follow_through(plan: Plan, master: Master) -> Plan:
    """Return the plan with the answers that each test judges and the references of these
    answers.
    """
    statements = _statements(master)
    answers = _answers(statements)
    steps = [
        replace(step, **_judged_by(master, step.index, statements, answers))
        if step.role == "test"
        else step
        for step in plan.steps
    ]
    judged = sorted({one for step in steps for one in step.judges})
    references = [
        Reference(name, cell, source)
        for name, cell in judged
        if (source := _source(name, cell, statements))
    ]
    return replace(plan, steps=tuple(steps), references=tuple(references))


def _statements(master: Master) -> list[_Statement]:
    modules = set().union(*(imported_names(cell) for cell in master.cells if cell.is_code))
    found = []
    for cell in master.cells:
        role = role_of(cell)
        if role == "text" or cell.tree is None:
            continue
        for node in cell.tree.body:
            imports = isinstance(node, (ast.Import, ast.ImportFrom))
            changes = bound_names(node) | (set() if imports else _changed_parts(node, modules))
            uses = free_names(node)
            if "get_ipython" not in uses:  # a magic is for the notebook
                found.append(
                    _Statement(cell.index, role, node, frozenset(changes), frozenset(uses), imports)
                )
    return found


def _changed_parts(statement: ast.stmt, modules: Collection[str]) -> set[str]:
    """Return the names to whose objects a statement gives new parts."""
    changed: set[str] = set()
    for node in same_scope(statement):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(
            node.ctx, (ast.Store, ast.Del)
        ):
            changed.add(root_name(node))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            root = root_name(node.func)
            if root in modules and node.func.attr in CHANGING_FUNCTIONS:
                changed |= {argument.id for argument in node.args if isinstance(argument, ast.Name)}
            elif root not in modules and node.func.attr in CHANGING_METHODS:
                changed.add(root)
    return changed - {""}


def _answers(statements: Iterable[_Statement]) -> dict[str, list[int]]:
    """Return the cells in which each answer is bound, in order."""
    cells: dict[str, set[int]] = {}
    for one in statements:
        for name in bound_names(one.tree) if one.role == "answer" and not one.imports else ():
            cells.setdefault(name, set()).add(one.cell)
    return {name: sorted(found) for name, found in cells.items()}


def _judged_by(
    master: Master, index: int, statements: Sequence[_Statement], answers: dict[str, list[int]]
) -> dict[str, Any]:
    """Return for the plan's step of a test which answers it reads, and which of them it judges:
    those that come last.

    What it reads it may read through the instructor's functions and values. A test of which that
    cannot be told (it looks names up by their text) judges nothing.
    """
    tree = master.cells[index].tree
    if tree is None or used_names(master.cells[index]) is None:
        return {}
    own = [
        one for one in statements if one.cell < index and one.role != "answer" and not one.imports
    ]
    reads = _read_from_outside(tree)
    while more := set().union(*(one.uses for one in own if one.changes & reads)) - reads:
        reads |= more
    latest = {
        name: max(before)
        for name, cells in answers.items()
        if name in reads and (before := [cell for cell in cells if cell < index])
    }
    last = max(latest.values(), default=-1)
    judges = tuple(sorted((name, cell) for name, cell in latest.items() if cell == last))
    return {"under_test": tuple(sorted(latest)), "judges": judges}


def _read_from_outside(tree: ast.Module) -> set[str]:
    """Return the names that a cell reads before it binds them."""
    reads: set[str] = set()
    bound: set[str] = set()
    for statement in tree.body:
        target = (
            bound_names(statement.target)
            if isinstance(statement, (ast.For, ast.AsyncFor))
            else set()
        )
        reads |= free_names(statement) - bound - target
        if not isinstance(
            statement, (ast.If, ast.Try, ast.While, ast.Match)
        ):  # which may bind nothing
            bound |= bound_names(statement)
    return reads


# ---------------------------------------------------------------- references


def _source(name: str, cell: int, statements: Sequence[_Statement]) -> str:
    """Return the statements of the solution that make an answer as it is after its cell; '' if it
    may draw.

    A function may use what is bound after it: such names are looked for in later cells.
    """
    statements = [one for one in statements if one.role != "test"]
    before = [one for one in statements if one.cell <= cell]
    needed = {name}
    kept: set[int] = set()
    while True:
        new = {n for n, one in enumerate(before) if n not in kept and one.changes & needed}
        if not new:
            missing = (
                needed - set().union(*(statements[n].changes for n in kept)) - set(dir(builtins))
            )
            new = {
                n
                for n, one in enumerate(statements)
                if n not in kept and bound_names(one.tree) & missing
            }
        if not new:
            break
        kept |= new
        needed |= set().union(*(statements[n].uses for n in new))
    chosen = [statements[n] for n in sorted(kept)]
    if any(
        one.imports and any(word in ast.unparse(one.tree) for word in DRAWING) for one in chosen
    ):
        return ""
    return "\n".join(ast.unparse(one.tree) for one in chosen)
