"""Which names a statement binds to what cannot change: constants, functions and classes."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from nbreferee.course.scopes import bindings


def plain_names(statement: ast.stmt) -> Iterable[str]:
    """Return the names that a statement binds to what cannot change: functions and classes that
    hold no state of their own, and constants.
    """
    match statement:
        case ast.Assign(targets=targets, value=value) if _is_constant(value):
            return bindings(targets)
        case ast.FunctionDef(name=name, decorator_list=[], args=arguments):
            return [name] if _are_constant(arguments) else []
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda(args=arguments)):
            return [name] if _are_constant(arguments) else []
        case ast.ClassDef(name=name, decorator_list=[], keywords=[]):
            kept = (ast.FunctionDef, ast.Pass, ast.Expr)
            simple = all(
                isinstance(one, kept) or (isinstance(one, ast.Assign) and _is_constant(one.value))
                for one in statement.body
            )
            return [name] if simple else []
    return []


def _are_constant(arguments: ast.arguments) -> bool:
    defaults = [*arguments.defaults, *arguments.kw_defaults]
    return all(one is None or _is_constant(one) for one in defaults)


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _is_constant(node.operand)
    if isinstance(node, ast.Tuple):
        return all(map(_is_constant, node.elts))
    return isinstance(node, ast.Constant)
