"""Tell whether a module of the instructor's keeps anything between two calls of its functions."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from nbreferee.course.class_state import changes_itself
from nbreferee.course.dataflow import root_name
from nbreferee.course.known_calls import ITERATORS
from nbreferee.course.module_state import (
    has_fixed_defaults,
    is_immutable,
    keeps_nothing,
    last_name,
    mutable_globals,
)
from nbreferee.course.nodes import children, parse, walk
from nbreferee.course.scopes import FUNCTIONS, bindings

DENIED = frozenset(
    "open exec eval compile setattr delattr globals vars __import__ input breakpoint lru_cache "
    "cache cached_property singledispatch environ seterr seterrcall set_printoptions rcParams "
    "modules settrace savefig tofile savetxt savez write_text write_bytes "
    # settings of a library or of Python
    "rc rcdefaults rc_context style ion ioff switch_backend xkcd set_cmap use set_loglevel "
    "rc_file rc_file_defaults setbufsize setrecursionlimit setprofile resetwarnings showwarning "
    "autumn bone cool copper flag gray hot hsv inferno jet magma nipy_spectral pink plasma prism "
    "spring summer viridis winter "
    # files, random numbers of the whole process, and what reaches further
    "save savez_compressed dump imsave memmap open_memmap rvs samples kde_random __enter__ "
    "basinhopping differential_evolution dual_annealing random_array "
    "__dict__ __class__ __globals__ __defaults__ __setattr__ "
    # names of the notebook that a cell does not read itself
    "f_builtins f_globals f_locals get_ipython getclosurevars getmembers getmodule user_ns".split()
)
MODULES = frozenset(
    "__future__ abc cmath collections contextlib copy dataclasses fractions functools inspect io "
    "itertools linecache math matplotlib numbers numpy re scipy statistics string sys textwrap "
    "time traceback typing types warnings".split()
)
DRAWING = frozenset("cluster stats".split())  # parts of SciPy that use NumPy's random numbers
NONE = frozenset[str]()
OF_CONTAINERS = frozenset(  # methods that change one, and that no module has as functions
    "clear discard extend pop popitem register remove setdefault unregister update".split()
)
OF_SYS = frozenset(
    "_getframe byteorder exc_info float_info getrecursionlimit getsizeof maxsize stderr stdout "
    "version version_info".split()
)
FILTERS = ("filterwarnings", "simplefilter")  # which hold until `catch_warnings` ends


def is_stateless(
    source: str,
    instructors: Collection[str] = (),
    shared: frozenset[str] = NONE,
    fixed: frozenset[str] = NONE,
) -> bool:
    """Tell whether the functions of a module certainly keep nothing.

    Parameters
    ----------
    instructors
        the names of the instructor's modules: its kin.
    shared
        names in all of these of what can be changed.
    fixed
        those of them that stand for containers whose parts cannot be changed.

    Raises
    ------
    SyntaxError
        if it is not Python.
    """
    tree = parse(source)
    nodes = walk(tree)
    if any(_is_denied(node, instructors) for node in nodes) or _acts_when_imported(tree.body):
        return False
    filtering = {id(one) for node in nodes if _catches_warnings(node) for one in walk(node)}
    if any(getattr(one, "attr", "") in FILTERS and id(one) not in filtering for one in nodes):
        return False
    modules = bindings(one for one in nodes if isinstance(one, ast.Import))
    if any(_keeps_a_module(node, modules) for node in nodes):
        return False
    imported = bindings(one for one in nodes if isinstance(one, (ast.Import, ast.ImportFrom)))
    if any(_replaces(node, imported | {"__builtins__"}) for node in nodes):
        return False
    functions = [one for one in nodes if isinstance(one, FUNCTIONS)]
    classes = [one for one in nodes if isinstance(one, ast.ClassDef)]
    borrowed = _borrowed(tree, instructors, shared)
    if borrowed is None:
        return False
    mutable = mutable_globals(tree) | borrowed
    used = {one.id for one in nodes if isinstance(one, ast.Name)}
    return (
        all(has_fixed_defaults(one, mutable) for one in functions)
        and not any(changes_itself(one, used, mutable) for one in classes)
        and all(
            keeps_nothing(node, tree, borrowed, borrowed & fixed) for node in _outer_functions(tree)
        )
    )


def _is_denied(node: ast.AST, instructors: Collection[str]) -> bool:
    match node:
        case ast.Global() | ast.Nonlocal():
            return True
        case ast.Name(id=name):
            return name in DENIED
        case ast.Attribute(attr="random", value=value):
            return last_name(value) not in ("np", "numpy")  # which see below
        case ast.Attribute(attr=name, value=ast.Attribute(attr="random")):
            return name not in ("default_rng", "Generator")
        case ast.Attribute(attr=name, value=ast.Name(id="sys")):
            return name not in OF_SYS
        case ast.Attribute(attr=name):
            return name in DENIED
        case ast.Import():
            parts = {part for one in node.names if one.asname for part in one.name.split(".")}
            return any(_is_foreign(one.name, instructors) for one in node.names) or (
                "random" in parts
            )
        case ast.ImportFrom(module=module):
            names = {one.name for one in node.names}
            if module == "numpy.random":
                return not names <= {"default_rng", "Generator"}
            return _is_foreign(module or "", instructors) or not names.isdisjoint(
                DENIED | DRAWING | {"*", "random", *FILTERS}
            )
    return False


def _is_foreign(module: str, instructors: Collection[str]) -> bool:
    first, *others = module.split(".")
    return first not in MODULES | set(instructors) or not DRAWING.isdisjoint(others)


def _acts_when_imported(body: list[ast.stmt]) -> bool:
    """Tell whether a module calls something for its effect: the first cell that imports it would
    have that.
    """
    for statement in body:
        match statement:
            case ast.Expr(value=ast.Call()):
                return True
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                pass
            case ast.If() | ast.With() | ast.Try() | ast.For() | ast.While():
                inner = [one for one in children(statement) if isinstance(one, ast.stmt)]
                if _acts_when_imported(inner):
                    return True
    return False


def _catches_warnings(node: ast.AST) -> bool:
    return isinstance(node, ast.With) and any(
        "catch_warnings" in ast.unparse(one.context_expr) for one in node.items
    )


def _keeps_a_module(node: ast.AST, modules: Collection[str]) -> bool:
    """Tell whether a node hands a module on, under a name that nobody would know."""
    if isinstance(node, ast.Attribute):
        return False
    return any(isinstance(one, ast.Name) and one.id in modules for one in children(node))


def _borrowed(
    tree: ast.Module, instructors: Collection[str], shared: Collection[str]
) -> frozenset[str] | None:
    """Return the names under which a module has what is `shared` by its kin; None where it reaches
    that otherwise.
    """
    found, kin = set[str](), set[str]()
    for node in walk(tree):
        match node:
            case ast.Import(names=names):
                ours = [one for one in names if one.name.split(".")[0] in instructors]
                kin |= {(one.asname or one.name).split(".")[0] for one in ours}
            case ast.ImportFrom(module=module, names=names, level=level):
                if not level and (module or "").split(".")[0] not in instructors:
                    continue
                theirs = [one for one in names if one.name in shared]
                if theirs and (node not in tree.body or any(one.asname for one in theirs)):
                    return None
                found |= {one.name for one in theirs}
                kin |= {one.asname or one.name for one in names}
    for node in walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in shared and root_name(node) in kin:
            return None
    return frozenset(found)


def _replaces(node: ast.AST, imported: Collection[str]) -> bool:
    """Tell whether a node sets a part of what is imported, in a function or not, or changes a
    container there.
    """
    match node:
        case ast.Call(func=ast.Attribute(attr=name, value=ast.Name() | ast.Attribute() as value)):
            return name in OF_CONTAINERS and root_name(value) in imported
        case (
            ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del())
        ):
            return root_name(node) in imported
        case ast.AugAssign(target=ast.Name(id=name)):
            return name in imported
    return False


def _outer_functions(
    tree: ast.AST,
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
    for child in children(tree):
        if isinstance(child, FUNCTIONS):
            yield child
        else:
            yield from _outer_functions(child)


def mutable_names(tree: ast.Module, kin: Collection[str]) -> set[str]:
    """Return the names of a module whose objects a notebook could change: also imported modules,
    and classes that hold more than functions and constants; `kin` are the instructor's modules.
    """
    found = set(mutable_globals(tree))
    for statement in tree.body:
        match statement:
            case ast.Import():
                found |= bindings([statement])
            case ast.ImportFrom(module=module, level=0) if (module or "").split(".")[0] not in kin:
                found |= bindings([statement])
            case ast.ClassDef(name=name, body=body):
                values = [one.value for one in body if isinstance(one, (ast.Assign, ast.AnnAssign))]
                if not all(map(is_immutable, values)):
                    found.add(name)
    return found


def makes_iterators(trees: Collection[ast.Module]) -> set[str]:
    """Return the names of functions in modules that return what can be read once."""
    found = set(ITERATORS)
    functions = [one for tree in trees for one in walk(tree) if isinstance(one, ast.FunctionDef)]
    while more := {
        one.name for one in functions if one.name not in found and _makes_iterator(one, found)
    }:
        found |= more
    return found - ITERATORS


def _makes_iterator(function: ast.FunctionDef, known: Collection[str]) -> bool:
    if "contextmanager" in map(ast.unparse, function.decorator_list):
        return False
    for node in walk(function):
        match node:
            case ast.Yield() | ast.YieldFrom():
                return True
            case ast.Return(value=ast.GeneratorExp()):
                return True
            case ast.Return(value=ast.Call(func=ast.Name(id=name))) if name in known:
                return True
            case ast.Return(value=ast.Call(func=ast.Attribute(attr=name))) if name in known:
                return True
    return False
