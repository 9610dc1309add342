"""What the functions of an instructor's module may keep or give away: global objects, defaults."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from functools import lru_cache

from nbreferee.course.dataflow import root_name
from nbreferee.course.known_calls import CHANGING_FUNCTIONS, READING_METHODS
from nbreferee.course.nodes import children, walk
from nbreferee.course.scopes import FUNCTIONS, bindings, own_names

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
# Decorators that keep nothing from call to call.
DECORATORS = frozenset(
    "abstractmethod classmethod contextmanager dataclass errstate final overload override property "
    "setter staticmethod total_ordering wraps".split()
)
# Methods that return a part of their object, or a view of its memory.
OF_PARTS = frozenset(
    "diagonal get item items keys ravel reshape squeeze swapaxes take transpose values view "
    "astype".split()
)
# Calls that return nothing of what they are given.
COPYING = frozenset(
    "abs all any array bool float int isinstance len print repr str sum type deepcopy dot einsum "
    "exp log matmul mean prod sqrt std".split()
)


@lru_cache(maxsize=64)  # by the tree itself, as below
def mutable_globals(tree: ast.Module) -> frozenset[str]:
    """Return the names of a module that hold more than numbers, text, functions and classes."""
    found, frozen = set[str](), _frozen_classes(tree)
    for statement in tree.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            if not is_immutable(statement.value, frozen):
                found |= bindings([statement])
                found |= _marked(statement)
        elif not isinstance(
            statement,
            (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Expr),
        ):
            found |= bindings([statement])
    return frozenset(found)


def _marked(statement: ast.stmt) -> set[str]:
    """Return the names of functions and the like that a statement gives an attribute."""
    return {
        root_name(one)
        for one in walk(statement)
        if isinstance(one, ast.Attribute) and not isinstance(one.ctx, ast.Load)
    }


def _frozen_classes(tree: ast.Module) -> frozenset[str]:
    return frozenset(
        one.name
        for one in tree.body
        if isinstance(one, ast.ClassDef)
        and any("frozen=True" in ast.unparse(each) for each in one.decorator_list)
        and "default_factory" not in ast.unparse(one)
    )


def is_immutable(node: ast.expr | None, frozen: Collection[str] = ()) -> bool:
    """Tell whether an expression certainly stands for what cannot change; `frozen` are classes."""
    match node:
        case ast.Constant() | ast.Lambda() | None:
            return True
        case ast.Call(func=ast.Name(id="range")):
            return True
        case ast.Call(func=ast.Name(id=name), args=args, keywords=named) if name in frozen:
            return all(is_immutable(one, frozen) for one in (*args, *(one.value for one in named)))
        case ast.Subscript(value=ast.Name(id="tuple" | "list" | "dict" | "Callable" | "type")):
            return True  # a name of a type
        case ast.Tuple(elts=parts):
            return all(is_immutable(one, frozen) for one in parts)
    return False


def _has_fixed_parts(tree: ast.Module, name: str) -> bool:
    """Tell whether all parts of a module's container are constants, functions and the like."""
    values = [
        one.value
        for one in tree.body
        if isinstance(one, (ast.Assign, ast.AnnAssign)) and name in bindings([one])
    ]
    return bool(values) and all(_is_flat(tree, one) for one in values)


def _is_flat(tree: ast.Module, node: ast.expr | None) -> bool:
    makers, mutable = _makers(tree), mutable_globals(tree)
    match node:
        case ast.List(elts=parts) | ast.Set(elts=parts) | ast.Dict(values=parts):
            return all(is_fixed(_item(one), makers, mutable) for one in parts)
        case ast.BinOp(left=ast.Name(id=one), op=ast.BitOr(), right=ast.Name(id=other)):
            return _has_fixed_parts(tree, one) and _has_fixed_parts(tree, other)
        case ast.Call(func=ast.Name(id="frozenset" | "set"), args=[ast.List() | ast.Set() as one]):
            return _is_flat(tree, one)
    return False


def _item(node: ast.expr) -> ast.expr:
    """Return the items of a container that is unpacked into another one, as one of them."""
    node = node.value if isinstance(node, ast.Starred) else node
    match node:
        case ast.ListComp(elt=one) | ast.GeneratorExp(elt=one) | ast.DictComp(value=one):
            return one
    return node


@lru_cache(maxsize=64)
def _makers(tree: ast.Module) -> frozenset[str]:
    """Return the names of a module's functions that only return functions."""
    found = set()
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            nodes = walk(function)
            inner = {one.name for one in nodes[1:] if isinstance(one, ast.FunctionDef)}
            values = [one.value for one in function.body if isinstance(one, ast.Return)]
            if values and all(
                isinstance(one, ast.Lambda) or (isinstance(one, ast.Name) and one.id in inner)
                for one in values
            ):
                found.add(function.name)
    return frozenset(found)


def is_fixed(node: ast.expr, makers: Collection[str] = (), mutable: Collection[str] = ()) -> bool:
    """Tell whether an expression stands for a constant, a function or a class; `makers` are
    functions that return functions, and `mutable` names of anything else.
    """
    match node:
        case ast.Tuple(elts=parts):
            return all(is_fixed(one, makers, mutable) for one in parts)
        case ast.UnaryOp(operand=one):
            return is_fixed(one)
        case ast.BinOp(left=one, right=other):
            return is_fixed(one) and is_fixed(other)
        case ast.Name(id=name):
            return name not in mutable
        case ast.Attribute() | ast.JoinedStr():
            return True  # of a library
        case ast.Call(func=ast.Name(id=name)) if name in makers:
            return True
    return is_immutable(node)


def has_fixed_defaults(function: Function, mutable: Collection[str]) -> bool:
    """Tell whether the defaults of a function cannot change, and its decorators keep nothing."""
    arguments = function.args
    defaults = [one for one in (*arguments.defaults, *arguments.kw_defaults) if one is not None]
    decorators = [] if isinstance(function, ast.Lambda) else function.decorator_list
    return all(_is_fixed_default(one, mutable) for one in defaults) and all(
        last_name(one) in DECORATORS for one in decorators
    )


def _is_fixed_default(node: ast.expr, mutable: Collection[str]) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="tuple" | "frozenset")):
            return True
    return is_fixed(node, (), mutable)


def last_name(node: ast.expr) -> str:
    """Return the last part of what an expression names or calls."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


# ---------------------------------------------------------------- functions


def keeps_nothing(
    function: Function, tree: ast.Module, borrowed: frozenset[str], fixed_there: frozenset[str]
) -> bool:
    """Tell whether a function of a module leaves what is outside of it as it is, and gives nothing
    of that away which can change.

    `borrowed` are the names of what another module has and can be changed, `fixed_there` those of
    containers whose parts cannot.
    """
    mutable = mutable_globals(tree) | borrowed
    shared, fixed, containers = _kinds_of_names(tree)
    shared, fixed, containers = shared - borrowed, fixed | fixed_there, containers | borrowed
    nodes = walk(function)
    local = {name for one in nodes if isinstance(one, FUNCTIONS) for name in own_names(one)}
    given = {one.arg for one in nodes if isinstance(one, ast.arg)} - {"self"}
    given |= set(_aliases(nodes, shared - local))
    parents = {id(child): parent for parent in nodes for child in children(parent)}
    return all(
        _is_quiet(child, parent, local, given, mutable)
        and not (
            isinstance(child, ast.Name)
            and child.id in mutable - local - fixed
            and _gives_away(child, parents, child.id in containers)
        )
        for parent in nodes
        for child in children(parent)
    )


def fixed_containers(tree: ast.Module) -> frozenset[str]:
    """Return those names of a module that stand for containers with parts that cannot change."""
    return _kinds_of_names(tree)[1]


@lru_cache(maxsize=64)
def _kinds_of_names(tree: ast.Module) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return those names of a module that stand for functions, classes and modules; for containers
    with parts that cannot change; and for containers.
    """
    values = [one for one in tree.body if isinstance(one, (ast.Assign, ast.AnnAssign))]
    parts = ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.DictComp
    return (
        frozenset(bindings(one for one in tree.body if one not in values)),
        frozenset(name for name in mutable_globals(tree) if _has_fixed_parts(tree, name)),
        frozenset(bindings(one for one in values if isinstance(one.value, parts))),
    )


def _aliases(nodes: Collection[ast.AST], shared: Collection[str]) -> Iterator[str]:
    """Yield the names of a function that stand for a function or a class of the module's."""
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=alias)], value=ast.Name(id=name)):
                if name in shared:
                    yield alias
            case ast.Assign(targets=[ast.Name(id=alias)], value=ast.Call(func=ast.Name(id="type"))):
                yield alias


def _gives_away(node: ast.AST, parents: dict[int, ast.AST], holds_parts: bool) -> bool:
    """Tell whether a part of a global object, or a view of its memory, may get another name."""
    while True:
        parent = parents.get(id(node))
        match parent:
            case ast.Subscript(value=one) if one is node:
                node = parent
            case ast.Attribute(value=one, attr=name) if one is node:
                call = parents.get(id(parent))
                if name in OF_PARTS | {"T"}:
                    node = call if isinstance(call, ast.Call) and call.func is parent else parent
                else:
                    return name not in READING_METHODS
            case ast.BinOp(op=ast.Add() | ast.Mult() | ast.BitOr()):
                return holds_parts  # a sum of lists has the same parts
            case ast.Compare() | ast.BinOp() | ast.UnaryOp() | ast.FormattedValue():
                return False
            case ast.Subscript() | ast.arg() | ast.arguments() | ast.FunctionDef():
                return False  # an index, or an annotation
            case ast.Call() if last_name(parent) in COPYING:
                return False
            case ast.If() | ast.While() | ast.Assert():
                return False
            case _:
                return True


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
                return root_name(first) in local  # a view of it, or a new array
        root = root_name(node)
        return root in local and not (isinstance(node, ast.Attribute) and root in given)
    if isinstance(node, ast.AugAssign):
        return root_name(node.target) in local
    if not isinstance(node, ast.Name) or node.id in local or node.id not in mutable:
        return True
    match parent:
        case ast.Subscript(value=one) if one is node:
            return True
        case ast.Attribute(attr="T"):
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
