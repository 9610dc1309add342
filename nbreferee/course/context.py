"""What is known of the names of a whole notebook: modules, its own names, what may be reached by
more than one of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from nbreferee.course.escapes import Escapes, escapes_of
from nbreferee.course.known_calls import READING_METHODS
from nbreferee.course.nodes import parse, walk
from nbreferee.course.scopes import bindings
from nbreferee.course.united import united

INSERTING = re.compile(rb"defaultdict|DefaultDict|__missing__")


@dataclass(frozen=True)
class Context:
    """What is known of the names of a whole notebook."""

    modules: frozenset[tuple[str, str]]  # (name, the module or member that it always is)
    own: frozenset[str]  # other names that some cell binds
    methods: frozenset[str]  # of the notebook's own classes
    files: frozenset[str]  # the instructor's modules that keep nothing from call to call
    data: frozenset[str] = frozenset()  # names of the instructor's other files
    stateful: frozenset[str] = (
        frozenset()
    )  # names in the instructor's modules of more than functions
    loose: frozenset[str] = frozenset()  # own functions and classes that may have another name
    inserts: bool = False  # reading an item of a mapping may insert it
    iterating: frozenset[str] = frozenset()  # functions of those modules that return iterators


def context_of(
    sources: Iterable[str],
    files: Mapping[str, bytes],
    data: Iterable[str] = (),
    tests: Collection[str] = (),
) -> Context:
    """Return what is known of the names of a notebook, from its code cells as plain Python.

    `files` are the instructor's modules, by name, `data` the names of the other files, and
    `tests` those of the sources that are the instructor's tests.
    """
    modules: dict[str, set[str]] = {}
    own: set[str] = set()
    methods: set[str] = set()
    escapes = Escapes()
    for source in sources:
        imports, others, theirs, kept = _names_of(source, source in tests)
        escapes = united(escapes, kept)
        for name, path in imports:
            modules.setdefault(name, set()).add(path)
        own |= others
        methods |= theirs
    methods |= escapes.attributes | (READING_METHODS if escapes.names_by_text else frozenset())
    certain = {name: min(paths) for name, paths in modules.items() if len(paths) == 1}
    certain = {name: path for name, path in certain.items() if name not in own}
    modules_of_files, ours = _modules(files)
    return Context(
        frozenset(certain.items()),
        frozenset(own | (modules.keys() - certain.keys())),
        frozenset(methods),
        stateless_modules(files),
        frozenset(data),
        frozenset[str]().union(*(_stateful(data, ours) for data in modules_of_files.values())),
        escapes.loose,
        escapes.inserts or any(INSERTING.search(one) for one in modules_of_files.values()),
        _iterating(tuple(modules_of_files.values())),
    )


@lru_cache(maxsize=4096)
def _names_of(
    source: str, is_test: bool
) -> tuple[frozenset[tuple[str, str]], frozenset[str], frozenset[str], Escapes]:
    """Return (imported names with their paths, other bound names, names of methods, what may get
    other names) of a cell.
    """
    try:
        tree = parse(source)
    except (SyntaxError, ValueError):
        return frozenset(), frozenset(), frozenset(), Escapes()
    imports: set[tuple[str, str]] = set()
    for node in walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                first = one.name.split(".")[0]
                imports.add((one.asname or first, one.name if one.asname else first))
        elif isinstance(node, ast.ImportFrom):
            imports |= {(one.asname or one.name, f"{node.module}.{one.name}") for one in node.names}
    imported = {name for name, _ in imports}
    others = [one for one in tree.body if not isinstance(one, (ast.Import, ast.ImportFrom))]
    bound = bindings(tree.body) - (imported - bindings(others))
    classes = [node for node in walk(tree) if isinstance(node, ast.ClassDef)]
    methods = {
        node.name for one in classes for node in one.body if isinstance(node, ast.FunctionDef)
    }
    return frozenset(imports), frozenset(bound), frozenset(methods), escapes_of(tree, is_test)


def _modules(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], frozenset[str]]:
    """Return those of the instructor's files that are modules, and by what names they, or the
    packages that they are in, are imported.
    """
    modules = {name: data for name, data in files.items() if name.endswith(".py")}
    return modules, frozenset(name.partition("/")[0].removesuffix(".py") for name in modules)


def stateless_modules(files: Mapping[str, bytes]) -> frozenset[str]:
    """Return the names of the instructor's modules, if they all keep nothing from call to call; or
    else nothing.
    """
    modules, ours = _modules(files)
    shared, changing = frozenset[str](), frozenset[str]()
    for data in modules.values():
        mutable, fixed = _mutable(data)
        shared, changing = shared | mutable, changing | (mutable - fixed)
    keep_nothing = all(
        keeps_nothing(data, ours, shared, shared - changing) for data in modules.values()
    )
    return ours if keep_nothing else frozenset()


@lru_cache(maxsize=64)
def _mutable(data: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names in a module of what can be changed, and those of containers with parts that
    cannot.
    """
    from nbreferee.course.module_state import fixed_containers, mutable_globals

    try:
        tree = parse(data.decode())
    except (SyntaxError, ValueError):
        return frozenset(), frozenset()
    return mutable_globals(tree), fixed_containers(tree)


@lru_cache(maxsize=64)
def keeps_nothing(
    data: bytes, kin: frozenset[str], shared: frozenset[str], fixed: frozenset[str]
) -> bool:
    """Tell whether the functions of an instructor's module certainly keep nothing between calls;
    `shared` and `fixed` are names of its kin (see `stateless`).
    """
    from nbreferee.course.stateless import is_stateless

    try:
        return is_stateless(data.decode(), kin, shared, fixed)
    except (UnicodeDecodeError, SyntaxError, ValueError):
        return False


@lru_cache(maxsize=64)
def _iterating(modules: tuple[bytes, ...]) -> frozenset[str]:
    """Return the names of functions in the instructor's modules that return what is read once."""
    from nbreferee.course.stateless import makes_iterators

    try:
        return frozenset(makes_iterators([parse(one.decode()) for one in modules]))
    except (SyntaxError, ValueError):
        return frozenset()


@lru_cache(maxsize=64)
def _stateful(data: bytes, kin: frozenset[str]) -> frozenset[str]:
    """Return the names in an instructor's module that stand for what can be changed."""
    from nbreferee.course.stateless import mutable_names

    try:
        return frozenset(mutable_names(parse(data.decode()), kin))
    except (SyntaxError, ValueError):
        return frozenset()
