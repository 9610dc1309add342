"""Find where a name stands at a place that keeps no reference to its object, and what else the
names of a notebook depend on: classes that get other names, attributes that are set.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from nbreferee.course.nodes import children, walk
from nbreferee.course.scopes import (
    COMPREHENSIONS,
    FUNCTIONS,
    bindings,
    functions_made_in,
    in_scope,
    own_names,
)

_ATTRIBUTE_SETTERS = ("setattr", "delattr", "wraps", "update_wrapper")
_INSERTING = ("defaultdict", "DefaultDict")
_NAMING = ("namedtuple", "NamedTuple", "make_dataclass", "setattr", "__dict__")


@dataclass(frozen=True)
class Escapes:
    """What the names of a cell, or of a notebook, may be reached by."""

    classes: frozenset[str] = frozenset()  # of its own
    functions: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()  # names whose objects may get another name
    attributes: frozenset[str] = frozenset()  # that are set on objects, or stand in classes
    marked: frozenset[str] = frozenset()  # names of functions that get attributes by that name
    otherwise_bound: frozenset[str] = frozenset()  # names of more than functions and classes
    sets_attributes: bool = False  # of other objects than `self` and those
    through_names: frozenset[str] = frozenset()  # names whose attributes are read
    names_by_text: bool = False  # attributes that are named by a text
    inserts: bool = False  # reading an item may insert it

    @property
    def loose(self) -> frozenset[str]:
        """Names of functions and classes whose objects may be changed under another name."""
        plain = (self.classes | self.functions) - self.otherwise_bound
        if (
            self.sets_attributes
            or not self.marked <= plain
            or not self.classes.isdisjoint(self.through_names)
        ):
            return (self.kept & (self.classes | self.functions)) | self.marked
        return (self.kept & self.classes) | self.marked


def escapes_of(tree: ast.Module, is_test: bool = False) -> Escapes:
    """Return what the names of one cell may be reached by; the instructor's tests may rename what
    they have made.
    """
    nodes = walk(tree)
    safe = safe_places(nodes)
    classes = [one for one in nodes if isinstance(one, ast.ClassDef)]
    names = [one for one in nodes if isinstance(one, ast.Name)]
    words = {one.id for one in names} | {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    fresh = {id(one) for node in nodes for one in _set_on_fresh(node)}
    stored = [
        one
        for one in nodes
        if isinstance(one, ast.Attribute)
        and not isinstance(one.ctx, ast.Load)
        and id(one) not in fresh
        and not (is_test and one.attr in ("__name__", "__doc__"))
    ]
    words |= {
        one.name for n in nodes if isinstance(n, (ast.Import, ast.ImportFrom)) for one in n.names
    }
    kept = {one.id for one in names if isinstance(one.ctx, ast.Load) and id(one) not in safe}
    # K[int] sets its attributes on K
    kept |= {
        n.value.id for n in nodes if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name)
    }
    outer = {id(one) for one in _global_roots(tree, frozenset())}
    direct = [n.value for n in stored if isinstance(n.value, ast.Name) and id(n) in outer]
    others = [one for one in tree.body if not isinstance(one, (ast.FunctionDef, ast.ClassDef))]
    if "classmethod" in words:
        kept |= {one.name for one in classes}
    return Escapes(
        frozenset(one.name for one in classes),
        frozenset(_functions(tree)),
        frozenset(kept),
        frozenset(one.attr for one in stored).union(*(bindings(one.body) for one in classes)),
        frozenset(one.id for one in direct),
        frozenset(bindings(one for one in others if not _is_lambda(one))),
        not words.isdisjoint(_ATTRIBUTE_SETTERS)
        or any(
            not (isinstance(n.value, ast.Name) and (n.value.id == "self" or n.value in direct))
            for n in stored
        ),
        frozenset(
            n.value.id
            for n in nodes
            if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
        ),
        not words.isdisjoint(_NAMING),
        not words.isdisjoint(_INSERTING),
    )


def _global_roots(node: ast.AST, local: frozenset[str]) -> Iterator[ast.Attribute]:
    """Yield the attributes of what names of the notebook stand for, local ones left out."""
    if isinstance(node, (*FUNCTIONS, *COMPREHENSIONS)):
        local |= own_names(node)
    for one in children(node):
        yield from _global_roots(one, local)
    match node:
        case ast.Attribute(value=ast.Name(id=name)) if name not in local:
            yield node


def _functions(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            yield statement.name
        elif _is_lambda(statement):
            yield from bindings([statement])


def _is_lambda(statement: ast.stmt) -> bool:
    match statement:
        case ast.Assign(targets=[ast.Name()], value=ast.Lambda()):
            return True
    return False


def _set_on_fresh(node: ast.AST) -> Iterator[ast.Attribute]:
    """Yield the attributes that a function sets on functions which each of its calls makes anew."""
    if not isinstance(node, ast.FunctionDef):
        return
    made = functions_made_in(node)
    for one in in_scope(node.body) if made else ():
        match one:
            case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                if name in made:
                    yield one


def safe_places(nodes: list[ast.AST]) -> frozenset[int]:
    """Return the ids of the nodes whose value is used up where they stand: called, compared, asked
    for a part, named as a type.
    """
    return frozenset(id(one) for node in nodes for one in _used_up(node))


def _used_up(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Call(func=function, args=arguments, keywords=keywords):
            yield function
            if isinstance(function, ast.Name) and function.id in ("isinstance", "issubclass"):
                for one in arguments:
                    yield from _types_in(one)
            for keyword in keywords:
                if keyword.arg in ("dtype", "cmap"):
                    yield from _types_in(keyword.value)
        case ast.Attribute(value=one) | ast.Subscript(value=one):
            yield one
        case ast.Compare(left=left, comparators=others):
            for one in (left, *others):
                yield from _types_in(one)
        case ast.ClassDef(bases=bases, decorator_list=decorators):
            for one in (*bases, *decorators):
                yield from _types_in(one)
        case ast.FunctionDef(returns=annotation, decorator_list=decorators):
            for one in (*decorators, *([annotation] if annotation else [])):
                yield from _types_in(one)
        case ast.arg(annotation=ast.expr() as one) | ast.AnnAssign(annotation=one):
            yield from _types_in(one)
        case ast.ExceptHandler(type=ast.expr() as one) | ast.Raise(exc=ast.expr() as one):
            yield from _types_in(one)
        case ast.MatchClass(cls=one):
            yield one


def _types_in(node: ast.expr) -> Iterator[ast.AST]:
    """Yield an expression that names types, and the names in it."""
    match node:
        case ast.Name() | ast.Attribute():
            yield node
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for one in parts:
                yield from _types_in(one)
        case ast.Subscript(value=value, slice=inner):
            yield from (*_types_in(value), *_types_in(inner))
        case ast.BinOp(left=left, right=right):
            yield from (*_types_in(left), *_types_in(right))
