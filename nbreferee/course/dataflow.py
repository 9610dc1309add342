"""Which names a cell's code reads, binds and changes: found by reading, for a cell by itself."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import Protocol

from nbreferee.course.nodes import children, walk


class Code(Protocol):
    """A cell, of which the syntax tree is read."""

    @property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None where the cell is not Python."""


def imported_names(cell: Code) -> set[str]:
    """Return the names that a cell imports."""
    imports = (
        [node for node in walk(cell.tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
        if cell.tree
        else []
    )
    return {(alias.asname or alias.name).split(".")[0] for node in imports for alias in node.names}


def changed_names(cell: Code, modules: Collection[str] = ()) -> set[str] | None:
    """Return the names that a cell binds, or whose objects it may change; None: cannot be told.

    A call may change the object whose method it is, and what it is given; but a module's function
    only where nothing is done with its result, or where it draws random numbers.
    """
    names = imported_names(cell)
    if cell.tree is None or "*" in names:
        return None
    discarded = {id(node.value) for node in walk(cell.tree) if isinstance(node, ast.Expr)}
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


def used_names(cell: Code) -> set[str] | None:
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
    free = set().union(*(free_names(child) for child in children(node)))
    if isinstance(node, ast.ExceptHandler):
        return free - {node.name}
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        own = {
            one.id
            for part in node.generators
            for one in walk(part.target)
            if isinstance(one, ast.Name)
        }
        return (free - own) | free_names(node.generators[0].iter)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        local = {a.arg for a in walk(node.args) if isinstance(a, ast.arg)}
        outer = {name for n in walk(node) if isinstance(n, ast.Global) for name in n.names}
        local |= {
            n.id for n in walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
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
        for child in children(node):
            yield from same_scope(child)


def root_name(node: ast.AST) -> str:
    """Return the name at the root of `x.a[0].b`, or ''."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
