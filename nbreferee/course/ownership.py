"""Whose a name is, the student's or the instructor's, and what the tester does at each cell: found
by reading the master alone.

The last cell of the master that changes a name decides its owner. After an answer cell whose
solution binds or changes the name, the student owns it; after a locked or graded cell that binds
it, the instructor; `given_up` has the rule for answer cells. What students change elsewhere (`np`,
or an expected value) does not reach the tests.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from nbreferee.course.dataflow import (
    changed_names,
    free_names,
    imported_names,
    root_name,
    same_scope,
    used_names,
)
from nbreferee.course.given_up import CHANGING_METHODS, bound_names, given_up
from nbreferee.course.nodes import walk
from nbreferee.course.source import Cell, Master

# What tests take from a free cell of the instructor's; of a solution, its imports alone.
DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Step:
    """One cell of the master."""

    index: int  # among the master's cells
    role: str  # 'text', 'answer', 'locked', 'free' or 'test'
    grade_id: str = ""
    # what the tester runs; of a locked or free cell only what some test needs, of a solution its
    # imports
    source: str = ""
    points: float = 0.0
    given_up: tuple[str, ...] = ()  # names that are the student's from here on
    set_for_students: tuple[str, ...] = ()  # names that a test sets and students' functions read
    hidden_lines: tuple[int, ...] = ()  # of the source, from 1
    under_test: tuple[str, ...] = ()  # of a test, for follow-through: the answers that it reads
    judges: tuple[
        tuple[str, int], ...
    ] = ()  # those of them that it is a test of, each with its cell


@dataclass(frozen=True)
class Reference:
    """How to make an answer as the solution has it (see `follow_through`)."""

    name: str
    cell: int  # the answer cell, among the master's cells
    source: str


@dataclass(frozen=True)
class Plan:
    """What the tester has to know of a master; no solution is in it, except as references for
    follow-through.
    """

    notebook: str
    steps: tuple[Step, ...]
    student_names: tuple[str, ...]  # that the solution binds: these may hide Python's own
    student_classes: tuple[str, ...]
    modules: tuple[str, ...]  # that the master imports
    written: tuple[str, ...]  # global names that the solution's functions change
    references: tuple[Reference, ...] = ()


def make_plan(master: Master) -> Plan:
    """Read a master for what its tests need."""
    answers = [cell for cell in master.cells if cell.is_code and cell.solution]
    codes = [cell for cell in master.cells if cell.is_code]
    needed = _needed_by_tests(master)
    read_by_students = set().union(*(_names_read_in_functions(cell) for cell in answers))
    modules = set().union(*(_imported_modules(cell) for cell in codes))
    aliases = set().union(*(imported_names(cell) for cell in codes))
    bound = set().union(*(bound_names(cell.tree) for cell in answers if cell.tree))
    written = set().union(*(_names_written_in_functions(cell) for cell in answers))
    classes = {
        node.name
        for cell in answers
        if cell.tree
        for node in same_scope(cell.tree)
        if isinstance(node, ast.ClassDef)
    }
    steps = []
    for cell in master.cells:
        role = role_of(cell)
        common: dict[str, Any] = {
            "index": cell.index,
            "role": role,
            "grade_id": cell.grade_id,
            "points": cell.points,
        }
        if role == "answer":
            imports = _statements(cell, (ast.Import, ast.ImportFrom))
            steps.append(
                Step(**common, source=imports, given_up=tuple(sorted(given_up(cell, aliases))))
            )
        elif role == "test":
            set_names = bound_names(cell.tree) & read_by_students if cell.tree else set()
            hidden = tuple(sorted(cell.hidden_lines))
            steps.append(
                Step(
                    **common,
                    source=cell.source,
                    set_for_students=tuple(sorted(set_names)),
                    hidden_lines=hidden,
                )
            )
        elif role == "locked":
            steps.append(Step(**common, source=cell.source if cell.index in needed else ""))
        elif role == "free":
            source = _statements(cell, DEFINITIONS)
            given = bound_names(cell.tree) - bound_names(ast.parse(source)) if cell.tree else set()
            steps.append(
                Step(
                    **common,
                    source=source if cell.index in needed else "",
                    given_up=tuple(sorted(given)),
                )
            )
        else:
            steps.append(Step(**common))
    return Plan(
        master.name,
        tuple(steps),
        student_names=tuple(sorted(bound)),
        student_classes=tuple(sorted(classes)),
        modules=tuple(sorted(modules)),
        written=tuple(sorted(written)),
    )


def role_of(cell: Cell) -> str:
    """Return what a cell is to the grader."""
    if not cell.is_code:
        return "text"
    if cell.is_test:
        return "test"
    return "answer" if cell.solution else "locked" if cell.locked else "free"


def _needed_by_tests(master: Master) -> set[int]:
    """Return which locked and free cells the tester must run, going backwards from the tests."""
    names: set[str] = set()
    everything = False
    needed: set[int] = set()
    modules = set().union(*(imported_names(cell) for cell in master.cells if cell.is_code))
    for cell in reversed(master.cells):
        role = role_of(cell)
        if role not in ("test", "locked", "free"):
            continue
        if role != "test":
            changed = changed_names(cell, modules)
            if not (everything or changed is None or changed & names):
                continue
            needed.add(cell.index)
        used = used_names(cell)
        everything = everything or (used is None and role == "test")
        names |= used or set()
    return needed


def _names_read_in_functions(cell: Cell) -> set[str]:
    if cell.tree is None:
        return set()
    functions = [
        node
        for node in walk(cell.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    ]
    return set().union(*(free_names(node) for node in functions))


def _names_written_in_functions(cell: Cell) -> set[str]:
    """Return the global names to which a solution's functions give a value, or whose objects they
    change.
    """
    written: set[str] = set()
    for function in walk(cell.tree) if cell.tree else ():
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            free = free_names(function)
            for node in walk(function):
                if isinstance(node, ast.Global):
                    written |= set(node.names)
                elif isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(
                    node.ctx, ast.Store
                ):
                    written |= {root_name(node)} & free
                elif (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in CHANGING_METHODS
                ):
                    written |= {root_name(node.func)} & free
    return written


def _imported_modules(cell: Cell) -> set[str]:
    found: set[str] = set()
    for node in walk(cell.tree) if cell.tree else ():
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def _statements(cell: Cell, kinds: tuple[type, ...]) -> str:
    """Return what the tests may take from a cell that students can edit: its statements of some
    kinds.
    """
    if cell.tree is None:
        return ""
    return "\n".join(ast.unparse(node) for node in cell.tree.body if isinstance(node, kinds))
