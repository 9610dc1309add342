"""The part of Python that `effects` can read, and what is known of the names of a notebook."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from nbreferee.course.iterators import is_consumed, used_up_in
from nbreferee.course.known_calls import (
    DENIED,
    MODULES,
    SPECIAL_NAMES,
)
from nbreferee.course.nodes import walk
from nbreferee.course.scopes import (
    bindings,
)

# A new generator keeps nothing; and a seed changes nothing that is read, for drawing is not known.
HARMLESS = ("numpy.random.default_rng", "numpy.random.seed")


class Unsure(Exception):
    """What a cell does cannot be told by reading it; the text says why."""


@dataclass(frozen=True)
class Context:
    """What is known of the names of a whole notebook."""

    modules: frozenset[tuple[str, str]]  # (name, the module or member that it always is)
    own: frozenset[str]  # other names that some cell binds
    methods: frozenset[str]  # of the notebook's own classes
    files: frozenset[str]  # the instructor's modules that keep nothing from call to call
    data: frozenset[str] = frozenset()  # names of the instructor's other files


def context_of(
    sources: Iterable[str], files: Mapping[str, bytes], data: Iterable[str] = ()
) -> Context:
    """Return what is known of the names of a notebook, from its code cells as plain Python.

    `files` are the instructor's modules, by name, and `data` the names of the other files.
    """
    modules: dict[str, set[str]] = {}
    own: set[str] = set()
    methods: set[str] = set()
    for source in sources:
        imports, others, theirs = _names_of(source)
        for name, path in imports:
            modules.setdefault(name, set()).add(path)
        own |= others
        methods |= theirs
    certain = {name: min(paths) for name, paths in modules.items() if len(paths) == 1}
    certain = {name: path for name, path in certain.items() if name not in own}
    modules_of_files = {name: data for name, data in files.items() if name.endswith(".py")}
    ours = frozenset(name.partition("/")[0].removesuffix(".py") for name in modules_of_files)
    keep_nothing = all(keeps_nothing(data, ours) for data in modules_of_files.values())
    stateless = ours if keep_nothing else frozenset[str]()
    return Context(
        frozenset(certain.items()),
        frozenset(own | (modules.keys() - certain.keys())),
        frozenset(methods),
        stateless,
        frozenset(data),
    )


@lru_cache(maxsize=4096)
def _names_of(source: str) -> tuple[frozenset[tuple[str, str]], frozenset[str], frozenset[str]]:
    """Return (imported names with their paths, other bound names, names of methods) of a cell."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return frozenset(), frozenset(), frozenset()
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
    return frozenset(imports), frozenset(bound), frozenset(methods)


@lru_cache(maxsize=64)
def keeps_nothing(data: bytes, kin: frozenset[str]) -> bool:
    """Tell whether the functions of an instructor's module certainly keep nothing between calls."""
    from nbreferee.course.stateless import is_stateless

    try:
        return is_stateless(data.decode(), kin)
    except (UnicodeDecodeError, SyntaxError, ValueError):
        return False


class KnownCode:
    """Tells what the expressions of one cell name, and raises `Unsure` where they are not known."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.modules = dict(context.modules)
        self._allowed: set[int] = set()  # nodes np.random of np.random.default_rng
        self._used_up: set[int] = set()  # iterators that end with the call of their function

    def is_python(self, name: str, local: frozenset[str]) -> bool:
        """Tell whether a name is one of Python's own functions or classes here."""
        known = hasattr(builtins, name) or name in ("display", "get_ipython")
        return known and name not in local and name not in self.context.own

    def is_instructors(self, path: str) -> bool:
        """Tell whether a dotted name is of one of the instructor's modules."""
        return path.split(".")[0] in self.context.files

    def path(self, node: ast.expr, local: frozenset[str]) -> str | None:
        """Return the dotted name in a library that an expression names, if it names one."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id in local or node.id not in self.modules:
            return None
        return ".".join([self.modules[node.id], *reversed(parts)])

    def refuse(self, node: ast.AST, local: frozenset[str]) -> None:
        """Raise Unsure where a node is outside the part of Python that is known."""
        match node:
            case ast.Yield() | ast.YieldFrom():
                raise Unsure("it has a generator")
            case ast.Await() | ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith():
                raise Unsure("it is asynchronous")
            case ast.Global():
                raise Unsure("a function binds a global name")
            case ast.FunctionDef():
                self._used_up |= set(used_up_in(node, self.context.own))
            case ast.Import():
                for one in node.names:
                    self._require_known(one.name)
            case ast.ImportFrom():
                for one in node.names:
                    self._require_known(node.module or "", one.name)
            case ast.Call(func=ast.Attribute() as function):
                if self._reads_file_of_instructor(node, local):
                    self._allowed.add(id(function))
            case ast.Attribute():
                if node.attr.startswith("__") and node.attr not in SPECIAL_NAMES:
                    raise Unsure(f"it uses {node.attr}")
                path = self.path(node, local) or ""
                if path in HARMLESS:
                    self._allowed.add(id(node.value))
                elif id(node) in self._allowed:
                    pass
                elif path.startswith("numpy.random.") or node.attr in DENIED:
                    raise Unsure(f"it uses {node.attr}")

    def _reads_file_of_instructor(self, node: ast.Call, local: frozenset[str]) -> bool:
        """Tell whether a call loads a file that no cell writes: whatever writes is not known."""
        match node:
            case ast.Call(args=[ast.Constant(value=str(name))], keywords=[]):
                return name in self.context.data and self.path(node.func, local) == "numpy.load"
        return False

    def refuse_class(self, node: ast.ClassDef) -> None:
        """Raise Unsure where operators or attributes of a class may change something unseen."""
        quiet = ("__init__", "__call__", "__post_init__", "__repr__", "__str__")
        for one in node.body:
            if not isinstance(one, ast.FunctionDef):
                continue
            if one.name.startswith("__") and one.name not in quiet:
                raise Unsure(f"a class of its own has {one.name}")
            for decorator in one.decorator_list:
                if ast.unparse(decorator) not in ("staticmethod", "classmethod"):
                    raise Unsure("a method is decorated")

    def _require_known(self, module: str, member: str = "") -> None:
        if member == "*":
            raise Unsure(f"it imports everything from {module}")
        first = module.split(".")[0]
        if first in self.context.files or f"{module}.{member}" == "numpy.random.default_rng":
            return
        if module not in MODULES and f"{module}.{member}" not in MODULES:
            raise Unsure(f"it imports {module}")
        if member in DENIED:
            raise Unsure(f"it imports {member} from {module}")

    def require_consumed(self, node: ast.AST, parent: ast.AST | None) -> None:
        """Raise Unsure where an iterator may be kept: reading it once would use it up."""
        if id(node) not in self._used_up and not is_consumed(node, parent, self.context.own):
            raise Unsure("it may keep an iterator")
