"""Tell of a class in an instructor's module whether its objects change unseen."""

from __future__ import annotations

import ast
from collections.abc import Collection

from nbreferee.course.dataflow import root_name
from nbreferee.course.known_calls import READING_METHODS
from nbreferee.course.module_state import DECORATORS, is_fixed, last_name
from nbreferee.course.nodes import walk
from nbreferee.course.scopes import bindings

# Special methods whose calls a cell shows.
NOTED = ("__init__", "__post_init__", "__new__", "__call__", "__enter__", "__exit__")


def changes_itself(
    node: ast.ClassDef, used: Collection[str], mutable: Collection[str] = ()
) -> bool:
    """Tell whether objects of a class share what can change, or change something where a cell only
    looks at them: by operators, properties, and methods that have the name of one which only reads.

    `used` are the names that the module reads: a notebook must not name a class with such parts.
    `mutable` are those of its objects that can change.
    """
    values = [one.value for one in node.body if isinstance(one, (ast.Assign, ast.AnnAssign))]
    is_used = node.name in used or any(isinstance(one, ast.FunctionDef) for one in node.body)
    if is_used and not all(
        one is None or is_fixed(one, (), mutable) or _is_field(one) for one in values
    ):
        return True
    if not all(last_name(one) in DECORATORS for one in node.decorator_list):
        return True
    methods = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}
    changing = {name for name, one in methods.items() if _changes_self(one, ())}
    while more := {
        name
        for name, one in methods.items()
        if name not in changing and _changes_self(one, changing)
    }:
        changing |= more
    unseen = {
        name
        for name, one in methods.items()
        if (name.startswith("__") and name not in NOTED)
        or name in READING_METHODS
        or any(last_name(each) in ("property", "setter") for each in one.decorator_list)
    }
    return not changing.isdisjoint(unseen)


def _is_field(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and last_name(node) == "field"


def _changes_self(method: ast.FunctionDef, changing: Collection[str]) -> bool:
    """Tell whether a method changes its object or an argument, perhaps by one of its `changing`
    methods.
    """
    first = next(iter([*method.args.posonlyargs, *method.args.args]), None)
    own, given = first.arg if first is not None else "", _given(method)
    for node in walk(method):
        match node:
            case (
                ast.Attribute(ctx=ast.Store() | ast.Del())
                | ast.Subscript(ctx=ast.Store() | ast.Del())
            ):
                if root_name(node) in given:
                    return True
            case ast.AugAssign(target=ast.Name(id=name)) if name in given:
                return True
            case ast.Call(func=ast.Name(id="next"), args=[one, *_]) if root_name(one) in given:
                return True
            case ast.Call(func=ast.Attribute(attr=name, value=one)) if root_name(one) in given:
                is_own = isinstance(one, ast.Name) and one.id == own
                if name in changing or (not is_own and name not in READING_METHODS):
                    return True
    return False


def _given(method: ast.FunctionDef) -> set[str]:
    """Return the names in a method of what it is given, and of parts of that."""
    found = {one.arg for one in walk(method.args) if isinstance(one, ast.arg)}
    for _ in range(2):  # a part of a part
        for node in walk(method):
            match node:
                case ast.Assign(targets=targets, value=value) if root_name(value) in found:
                    found |= bindings(targets)
                case ast.For(target=target, iter=value) if root_name(value) in found:
                    found |= bindings([target])
    return found
