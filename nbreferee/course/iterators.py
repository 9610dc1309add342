"""Tell where an iterator is read at once, and no name keeps it for another cell."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from nbreferee.course.known_calls import CONSUMING, ITERATORS
from nbreferee.course.nodes import children, walk
from nbreferee.course.scopes import FUNCTIONS


def is_consumed(node: ast.AST, parent: ast.AST | None, own: Collection[str]) -> bool:
    """Tell whether what is around an iterator reads it and keeps no reference to it.

    `own` are the names that the notebook binds: a function of one of them may be any.
    """
    match parent:
        case ast.For(iter=one) | ast.comprehension(iter=one):
            return one is node
        case ast.Assign(targets=[ast.Tuple() | ast.List()]) | ast.Starred():
            return True
        case ast.Call(func=ast.Name(id="max" | "min" as name), args=[_], keywords=keywords):
            return name not in own and all(one.arg == "key" for one in keywords)
        case ast.Call(func=ast.Name(id="max" | "min")):
            return False  # one of them is what is returned
        case ast.Call(func=ast.Name(id="sum" | "next" as name), args=[first, *_]):
            return first is node and name not in own
        case ast.Call(func=ast.Name(id=name)):
            return name in CONSUMING | ITERATORS and name not in own
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join")):
            return True
        case ast.Call(func=ast.Attribute(attr="join")):
            return "join" not in own
        case (
            ast.ListComp(generators=[first, *_])
            | ast.SetComp(generators=[first, *_])
            | ast.DictComp(generators=[first, *_])
            | ast.GeneratorExp(generators=[first, *_])
        ):
            return first.iter is node  # or else it is an item
    return False


def used_up_in(function: ast.FunctionDef, own: Collection[str]) -> Iterator[int]:
    """Yield the ids of values that a function binds to a name of its own, and only reads as
    iterators: with the end of the call they are gone.
    """
    nodes = list(_own_nodes(function))
    inner = [node for node in nodes if isinstance(node, (*FUNCTIONS, ast.ClassDef))]
    kept = {node.id for one in inner for node in walk(one) if isinstance(node, ast.Name)}
    for parent in nodes:
        kept |= {
            node.id
            for node in children(parent)
            if isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Load)
            and not is_consumed(node, parent, own)
        }
        if isinstance(parent, (ast.Global, ast.Nonlocal)):
            kept |= set(parent.names)
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in kept:
                yield id(value)


def _own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield the nodes of a function; of functions and classes in it, these alone."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            waiting += children(node)
