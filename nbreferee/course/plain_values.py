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
            named = all(isinstance(one, (ast.Name, ast.Attribute)) for one in statement.bases)
            simple = named and all(map(_keeps_nothing, statement.body))
            return [name] if simple else []
    return []


def _keeps_nothing(part: ast.stmt) -> bool:
    """Tell whether a statement of a class binds nothing that can change."""
    match part:
        case ast.FunctionDef(args=arguments):
            return _are_constant(arguments)
        case ast.Assign(value=value) | ast.Expr(value=value):
            return _is_constant(value)
        case ast.Pass():
            return True
    return False


def _are_constant(arguments: ast.arguments) -> bool:
    defaults = [*arguments.defaults, *arguments.kw_defaults]
    return all(one is None or _is_constant(one) for one in defaults)


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _is_constant(node.operand)
    if isinstance(node, ast.Tuple):
        return all(map(_is_constant, node.elts))
    return isinstance(node, ast.Constant)
