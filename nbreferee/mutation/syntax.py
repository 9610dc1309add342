"""Nodes of a solution's syntax tree that mutants may change, and what is asked of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

Place = ast.expr | ast.stmt
Change = tuple[Place, str, ast.AST]  # a node, the kind of change, and what to put in its place


def worth_changing(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk the tree, but not into annotations, docstrings, and what an exception says."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, (ast.arguments, ast.Import, ast.ImportFrom)) or _is_docstring(child):
            continue
        yield child
        if not isinstance(child, ast.Raise):
            yield from worth_changing(child)


def reduced(call: ast.Call) -> ast.expr | None:
    """Return what a call is about: the first argument of a module's function, or the object of a
    method.
    """
    if isinstance(call.func, ast.Attribute):
        of_module = isinstance(call.func.value, ast.Name) and call.func.value.id in (
            "np",
            "numpy",
            "math",
        )
        return (call.args[0] if call.args else None) if of_module else call.func.value
    return None


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_transpose(node: ast.AST) -> bool:
    """Tell whether a node is `x.T`."""
    return isinstance(node, ast.Attribute) and node.attr == "T"
