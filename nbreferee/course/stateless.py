"""Tell whether a module of the instructor's keeps anything between two calls of its functions."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from nbreferee.course.known_calls import CHANGING_FUNCTIONS, READING_METHODS
from nbreferee.course.nodes import children, walk
from nbreferee.course.scopes import FUNCTIONS, bindings, own_names

DENIED = frozenset(
    "open exec eval compile setattr delattr globals vars __import__ input breakpoint lru_cache "
    "cache cached_property environ seterr seterrcall set_printoptions rcParams modules settrace "
    "savefig tofile savetxt savez write_text write_bytes".split()
)
MODULES = frozenset(
    "__future__ abc cmath collections contextlib copy dataclasses fractions functools inspect io "
    "itertools linecache math matplotlib numbers numpy re scipy statistics string sys textwrap "
    "time traceback typing types warnings".split()
)


def is_stateless(source: str, instructors: Collection[str] = ()) -> bool:
    """Tell whether the functions of a module certainly keep nothing; `instructors` are its kin.

    Raises
    ------
    SyntaxError
        if it is not Python.
    """
    tree = ast.parse(source)
    if any(_is_denied(node, instructors) for node in walk(tree)):
        return False
    mutable = mutable_globals(tree)
    return all(_keeps_nothing(node, mutable) for node in _outer_functions(tree))


def _is_denied(node: ast.AST, instructors: Collection[str]) -> bool:
    match node:
        case ast.Global() | ast.Nonlocal():
            return True
        case ast.Name(id=name):
            return name in DENIED
        case ast.Attribute(attr="random"):
            return False  # see below
        case ast.Attribute(attr=name, value=ast.Attribute(attr="random")):
            return name not in ("default_rng", "Generator")
        case ast.Attribute(attr=name):
            return name in DENIED
        case ast.Import():
            names = {one.name.split(".")[0] for one in node.names}
            return not names <= MODULES | set(instructors)
        case ast.ImportFrom(module=module):
            first = (module or "").split(".")[0]
            wrong = any(one.name in DENIED or one.name == "random" for one in node.names)
            return wrong or first not in MODULES | set(instructors)
    return False


def _outer_functions(
    tree: ast.AST,
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
    for child in children(tree):
        if isinstance(child, FUNCTIONS):
            yield child
        else:
            yield from _outer_functions(child)


def mutable_globals(tree: ast.Module) -> set[str]:
    """Return the names of a module that hold more than numbers, text, functions and classes."""
    found: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            if not _is_immutable(statement.value):
                found |= bindings([statement])
        elif not isinstance(
            statement,
            (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Expr),
        ):
            found |= bindings([statement])
    return found


def mutable_names(tree: ast.Module, kin: Collection[str]) -> set[str]:
    """Return the names of a module whose objects a notebook could change: also imported modules,
    and classes that hold more than functions and constants; `kin` are the instructor's modules.
    """
    found = mutable_globals(tree)
    for statement in tree.body:
        match statement:
            case ast.Import():
                found |= bindings([statement])
            case ast.ImportFrom(module=module, level=0) if (module or "").split(".")[0] not in kin:
                found |= bindings([statement])
            case ast.ClassDef(name=name, body=body):
                values = [one.value for one in body if isinstance(one, (ast.Assign, ast.AnnAssign))]
                if not all(map(_is_immutable, values)):
                    found.add(name)
    return found


def _is_immutable(node: ast.expr | None) -> bool:
    match node:
        case ast.Constant() | ast.Lambda() | None:
            return True
        case ast.Call(func=ast.Name(id="range")):
            return True
        case ast.Subscript(value=ast.Name(id="tuple" | "list" | "dict" | "Callable" | "type")):
            return True  # a name of a type
        case ast.Tuple(elts=parts):
            return all(map(_is_immutable, parts))
    return False


def _keeps_nothing(
    function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, mutable: Collection[str]
) -> bool:
    arguments = function.args
    defaults = [*arguments.defaults, *arguments.kw_defaults]
    if any(isinstance(one, (ast.List, ast.Dict, ast.Set, ast.ListComp)) for one in defaults):
        return False
    nodes = walk(function)
    local = {name for one in nodes if isinstance(one, FUNCTIONS) for name in own_names(one)}
    given = {one.arg for one in nodes if isinstance(one, ast.arg)} - {"self"}
    return all(
        _is_quiet(child, parent, local, given, mutable)
        for parent in nodes
        for child in children(parent)
    )


def _is_quiet(
    node: ast.AST,
    parent: ast.AST,
    local: Collection[str],
    given: Collection[str],
    mutable: Collection[str],
) -> bool:
    """Tell whether one node of a function leaves what is outside of the function as it is."""
    if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
        match node.value:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np")), args=[first, *_]):
                return _root(first) in local  # a view of it, or a new array
        root = _root(node)
        return root in local and not (isinstance(node, ast.Attribute) and root in given)
    if isinstance(node, ast.AugAssign):
        return _root(node.target) in local
    if not isinstance(node, ast.Name) or node.id in local or node.id not in mutable:
        return True
    match parent:
        case ast.Subscript(value=one) if one is node:
            return True
        case ast.Attribute(attr=name):
            return name in READING_METHODS and name not in CHANGING_FUNCTIONS
        case ast.Compare() | ast.BinOp() | ast.For() | ast.comprehension() | ast.Starred():
            return True
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.arg() | ast.arguments():
            return True  # an annotation
        case ast.Call(func=ast.Attribute(attr="join")):
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in ("dict", "list", "tuple", "set", "len", "sorted", "isinstance", "zip")
    return False


def _root(node: ast.AST) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
