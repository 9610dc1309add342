"""Which names a piece of Python reads and binds, with the scopes that Python gives them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from functools import lru_cache

from nbreferee.course.nodes import children, walk

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def outer_parts(node: Function | Comprehension) -> list[ast.AST]:
    """Return the parts of a function or comprehension that run in the scope around it."""
    if isinstance(node, COMPREHENSIONS):
        return [node.generators[0].iter]
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
    parts: list[ast.AST | None] = [*arguments.defaults, *arguments.kw_defaults]
    parts += [one.annotation for one in every]
    if not isinstance(node, ast.Lambda):
        parts += [*node.decorator_list, node.returns]
    return [one for one in parts if one is not None]


def inner_parts(node: Function | Comprehension) -> list[ast.AST]:
    """Return the parts of a function or comprehension that run in a scope of its own."""
    if isinstance(node, ast.Lambda):
        return [node.body]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return list(node.body)
    value = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    parts: list[ast.AST] = [*value]
    for number, one in enumerate(node.generators):
        parts += [one.target, *one.ifs, *([one.iter] if number else [])]
    return parts


@lru_cache(maxsize=4096)  # by the node itself
def own_names(node: Function | Comprehension) -> frozenset[str]:
    """Return the names that are local to a function or comprehension."""
    if isinstance(node, COMPREHENSIONS):
        parts = [part for one in node.generators for part in walk(one.target)]
        return frozenset(
            part.id for part in parts if isinstance(part, ast.Name) and _is_stored(part)
        )
    inside = in_scope(inner_parts(node))
    free = {
        name for one in inside if isinstance(one, (ast.Global, ast.Nonlocal)) for name in one.names
    }
    arguments = {one.arg for one in walk(node.args) if isinstance(one, ast.arg)}
    return frozenset((_bound_by(inside) - free) | arguments)


def deleted(statement: ast.stmt) -> set[str]:
    """Return the names that a statement may delete."""
    return {
        one.id
        for one in walk(statement)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Del)
    }


def imported_in(node: ast.AST) -> frozenset[str]:
    """Return the names that a function imports for itself."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return frozenset()
    imports = [one for one in in_scope(node.body) if isinstance(one, (ast.Import, ast.ImportFrom))]
    return frozenset(bindings(imports))


def functions_made_in(node: ast.AST) -> frozenset[str]:
    """Return the names that stand for functions which each call of this one makes anew."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return frozenset()
    made = [one.name for one in in_scope(node.body) if isinstance(one, ast.FunctionDef)]
    others = {one.id for one in walk(node) if isinstance(one, ast.Name) and _is_stored(one)}
    others |= {one.arg for one in walk(node.args) if isinstance(one, ast.arg)}
    for one in walk(node):
        if isinstance(one, (ast.Global, ast.Nonlocal)):
            others |= set(one.names)
    return frozenset(name for name in made if made.count(name) == 1) - others


def _is_stored(name: ast.Name) -> bool:
    return not isinstance(name.ctx, ast.Load)


def in_scope(nodes: Iterable[ast.AST]) -> list[ast.AST]:
    """Return what runs in one scope: of functions, comprehensions and classes, the outer parts."""
    found = list(nodes)
    for node in found:  # which grows meanwhile
        if isinstance(node, FUNCTIONS):
            found += outer_parts(node)
        elif isinstance(node, COMPREHENSIONS):
            found += outer_parts(node)
            # which bind in the scope around it
            found += [one.target for one in walk(node) if isinstance(one, ast.NamedExpr)]
        elif isinstance(node, ast.ClassDef):
            found += [*node.bases, *node.keywords, *node.decorator_list]
        else:
            found += children(node)
    return found


def bindings(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that statements bind or delete in their own scope."""
    return _bound_by(in_scope(nodes))


def _bound_by(nodes: Iterable[ast.AST]) -> set[str]:
    bound: set[str | None] = set()
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                bound.add(name)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                bound.add(node.name)
            case ast.Import() | ast.ImportFrom():
                bound |= {(one.asname or one.name).split(".")[0] for one in node.names}
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
                bound.add(node.name)
            case ast.MatchMapping():
                bound.add(node.rest)
    return {name for name in bound if name}


def global_reads(node: ast.AST) -> set[str]:
    """Return the names that a node reads and that are not local to a function in it."""
    if isinstance(node, ast.Name):
        return set() if isinstance(node.ctx, ast.Store) else {node.id}
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        return global_reads(node.value) | {node.target.id}
    if isinstance(node, (*FUNCTIONS, *COMPREHENSIONS)):
        inner = set().union(*map(global_reads, inner_parts(node)))
        return (inner - own_names(node)).union(*map(global_reads, outer_parts(node)))
    return set[str]().union(*map(global_reads, children(node)))


def _never(_: ast.expr) -> bool:
    return False


def always_bound(statement: ast.stmt, passes_on: Callable[[ast.expr], bool] = _never) -> set[str]:
    """Return the names that a statement has certainly bound once it has run.

    `passes_on` tells which context managers never swallow an exception.
    """
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import() | ast.ImportFrom():
            return bindings([statement])
        case ast.Assign():
            return bindings(statement.targets)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
            return {name}
        case ast.With(items=items, body=body) if all(passes_on(one.context_expr) for one in items):
            targets = [one.optional_vars for one in items if one.optional_vars]
            inner = [always_bound(one, passes_on) for one in body]
            return bindings(targets).union(*inner) - deleted(statement)
    return set()


def first_reads(
    statements: Iterable[ast.stmt], passes_on: Callable[[ast.expr], bool] = _never
) -> set[str]:
    """Return the names that statements read before they have certainly bound them, in order.

    `passes_on` tells which context managers never swallow an exception.
    """
    return _reads_in_order(statements, frozenset(), passes_on)


def _reads_in_order(
    statements: Iterable[ast.stmt],
    bound: frozenset[str],
    passes_on: Callable[[ast.expr], bool],
) -> set[str]:
    reads: set[str] = set()
    for statement in statements:
        match statement:
            case ast.For(target=target, iter=iterated, body=body, orelse=otherwise):
                inner = (bound | bindings([target])) - deleted(statement)
                reads |= (global_reads(iterated) | global_reads(target)) - bound
                reads |= _reads_in_order(body, inner, passes_on) | _reads_in_order(
                    otherwise, bound, passes_on
                )
            case ast.With(items=items, body=body):
                inner = bound
                for item in items:
                    reads |= global_reads(item) - inner
                    inner |= bindings([item.optional_vars] if item.optional_vars else [])
                reads |= _reads_in_order(body, inner, passes_on)
            case ast.Try():
                reads |= _reads_of_try(statement, bound, passes_on)
            case ast.If(test=test, body=body, orelse=otherwise):
                reads |= global_reads(test) - bound - _bound_first(test)
                bound |= _bound_first(test)
                reads |= _reads_in_order(body, bound, passes_on) | _reads_in_order(
                    otherwise, bound, passes_on
                )
            case _:
                reads |= global_reads(statement) - bound
        bound = (bound | always_bound(statement, passes_on)) - deleted(statement)
    return reads


def _reads_of_try(
    statement: ast.Try, bound: frozenset[str], passes_on: Callable[[ast.expr], bool]
) -> set[str]:
    reads = _reads_in_order(statement.body, bound, passes_on)
    for one in statement.handlers:
        reads |= (global_reads(one.type) if one.type else set()) - bound
        inner = bound | {one.name} if one.name else bound
        reads |= _reads_in_order(one.body, inner - deleted(statement), passes_on)
    for rest in (statement.orelse, statement.finalbody):
        reads |= _reads_in_order(rest, bound - deleted(statement), passes_on)
    return reads


def _bound_first(test: ast.expr) -> frozenset[str]:
    """Return the name that a condition binds before it reads anything but the name's value."""
    match test:
        case (
            ast.NamedExpr(target=ast.Name(id=name), value=value)
            | ast.Compare(left=ast.NamedExpr(target=ast.Name(id=name), value=value))
        ) if name not in global_reads(value):
            return frozenset([name])
    return frozenset()
