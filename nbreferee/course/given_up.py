"""Which names an answer cell makes the student's: those that its solution binds, or whose objects
it changes.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection

from nbreferee.course.dataflow import imported_names, root_name, same_scope
from nbreferee.course.source import Cell

CHANGING_METHODS = frozenset(
    {
        "add",
        "append",
        "appendleft",
        "clear",
        "discard",
        "extend",
        "fill",
        "insert",
        "pop",
        "popitem",
        "popleft",
        "push",
        "put",
        "remove",
        "reverse",
        "setdefault",
        "sort",
        "update",
    }
)
CHANGING_FUNCTIONS = frozenset(
    {  # of modules: random, numpy, heapq, bisect
        "copyto",
        "fill_diagonal",
        "heapify",
        "heappop",
        "heappush",
        "heapreplace",
        "insort",
        "place",
        "put",
        "put_along_axis",
        "putmask",
        "shuffle",
    }
)
READING = frozenset(dir(builtins)) - {"delattr", "next", "setattr"}


def bound_names(tree: ast.AST) -> set[str]:
    """Return the names that statements bind outside of functions and classes."""
    bound: set[str] = set()
    for node in same_scope(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            bound.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return bound


def given_up(cell: Cell, modules: Collection[str] = ()) -> set[str]:
    """Return the names that a solution binds, or whose objects it means to change.

    It means to change what it assigns to a part of, what it calls a changing method of, and what it
    gives to a call whose result it does not use. What merely is an argument stays the instructor's,
    and so does a module, also one that the solution imports.
    """
    if cell.tree is None:
        return set()
    names = bound_names(cell.tree)
    unused = {id(node.value) for node in same_scope(cell.tree) if isinstance(node, ast.Expr)}
    for node in same_scope(cell.tree):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(
            node.ctx, (ast.Store, ast.Del)
        ):
            names.add(root_name(node))
        elif isinstance(node, ast.AugAssign):
            names.add(root_name(node.target))
        elif isinstance(node, ast.Call):
            names |= _changed_by_call(node, id(node) in unused, modules)
    return names - {"", "get_ipython"} - imported_names(cell) - set(modules)


def _changed_by_call(call: ast.Call, unused: bool, modules: Collection[str]) -> set[str]:
    """Return the names whose objects a call means to change."""
    arguments = {argument.id for argument in call.args if isinstance(argument, ast.Name)}
    root = root_name(call.func)
    if root in modules:
        return (
            arguments
            if isinstance(call.func, ast.Attribute) and call.func.attr in CHANGING_FUNCTIONS
            else set()
        )
    if isinstance(call.func, ast.Name):
        return arguments if unused and root not in READING else set()
    method = isinstance(call.func, ast.Attribute) and (call.func.attr in CHANGING_METHODS or unused)
    return (arguments if unused else set()) | ({root} if method else set())
