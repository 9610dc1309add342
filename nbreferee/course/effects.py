"""What running one code cell can do to another: found by reading, and only if that is certain.

A cell reads names, binds names, and changes objects in place. Two cells depend on each other
through nothing else, as long as both are written in the part of Python that this module knows.
Whatever is outside of it (files, magics, `exec`, global random numbers, settings of libraries,
modules that are not known) raises `Unsure`: then nobody must conclude anything from the reading.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from nbreferee.course.known_calls import (
    CHANGING,
    CHANGING_FUNCTIONS,
    CONSUMING,
    DENIED,
    ITERATORS,
    MODULES,
    READING,
    READING_METHODS,
    SPECIAL_NAMES,
)
from nbreferee.course.scopes import (
    COMPREHENSIONS,
    FUNCTIONS,
    always_bound,
    bindings,
    global_reads,
    inner_parts,
    outer_parts,
    own_names,
)


class Unsure(Exception):
    """What a cell does cannot be told by reading it; the text says why."""


@dataclass(frozen=True)
class Context:
    """What is known of the names of a whole notebook."""

    modules: frozenset[tuple[str, str]]  # (name, the module or member that it always is)
    own: frozenset[str]  # other names that some cell binds
    methods: frozenset[str]  # of the notebook's own classes
    files: frozenset[str]  # the instructor's modules that keep nothing from call to call


@dataclass(frozen=True)
class Effects:
    """What one cell reads and changes."""

    reads: frozenset[str] = frozenset()  # while it runs, from other cells
    later_reads: frozenset[str] = frozenset()  # by its functions, whenever they are called
    binds: frozenset[str] = frozenset()
    data: frozenset[str] = frozenset()  # those of them that are no plain functions or modules
    changes: frozenset[str] = frozenset()  # names whose objects it changes itself
    later_changes: frozenset[str] = frozenset()  # and its functions, whenever they are called
    passes: frozenset[str] = frozenset()  # names whose objects it hands to what may change them
    later_passes: frozenset[str] = frozenset()
    changes_locals: bool = False  # its functions change objects that they were given or made
    marks_objects: bool = False  # its functions set attributes of what they were given
    draws: bool = False  # its functions use pyplot


@lru_cache(maxsize=4096)
def effects_of(source: str, context: Context) -> Effects:
    """Return what a cell, as plain Python, reads and changes.

    Raises
    ------
    Unsure
        if that cannot be told.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # the cell fails before it does anything
        return Effects()
    reader = _Reader(context)
    for statement in tree.body:
        reader.visit(statement, frozenset())
    reads: set[str] = set()
    bound: set[str] = set()
    for statement in tree.body:
        reads |= global_reads(statement) - bound
        bound |= always_bound(statement)
    for name in reads - bound:
        if name.startswith("_"):
            raise Unsure(f"it reads {name}")
    binds = bindings(tree.body)
    data = {name for one in tree.body for name in bindings([one]) - set(_plain_names(one))}
    known = {name for name, _ in context.modules}
    return Effects(
        frozenset(reads),
        frozenset(reader.later_reads),
        frozenset(binds),
        frozenset(data - known),
        frozenset(reader.changes - known),
        frozenset(reader.later_changes - known),
        frozenset(reader.passes - known),
        frozenset(reader.later_passes - known),
        reader.changes_locals,
        reader.marks_objects,
        reader.draws,
    )


def _plain_names(statement: ast.stmt) -> Iterable[str]:
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
            kept = (ast.FunctionDef, ast.Pass, ast.Expr)
            simple = all(
                isinstance(one, kept) or (isinstance(one, ast.Assign) and _is_constant(one.value))
                for one in statement.body
            )
            return [name] if simple else []
    return []


def _are_constant(arguments: ast.arguments) -> bool:
    defaults = [*arguments.defaults, *arguments.kw_defaults]
    return all(one is None or _is_constant(one) for one in defaults)


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _is_constant(node.operand)
    if isinstance(node, ast.Tuple):
        return all(map(_is_constant, node.elts))
    return isinstance(node, ast.Constant)


class _Reader:
    """Walks the statements of one cell."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._modules = dict(context.modules)
        self.later_reads: set[str] = set()
        self.changes: set[str] = set()
        self.later_changes: set[str] = set()
        self.passes: set[str] = set()
        self.later_passes: set[str] = set()
        self.changes_locals = False
        self.marks_objects = False
        self._changes_in_comprehension = False
        self._allowed: set[int] = set()  # nodes np.random of np.random.default_rng
        self.draws = False
        self._depth = 0  # of functions

    def visit(self, node: ast.AST, local: frozenset[str], parent: ast.AST | None = None) -> None:
        """Read a node; `local` are the names that are local to the functions around it."""
        self._refuse(node, local)
        if isinstance(node, ast.Name):
            self._name(node, local)
        elif isinstance(node, ast.Call):
            self._call(node, local, parent)
        elif isinstance(node, ast.GeneratorExp):
            self._require_consumed(node, parent)
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            if not isinstance(node.ctx, ast.Load):
                if self._path(node.value, local) is not None:
                    raise Unsure("it sets a part of a module")
                self._change(_names_in(node.value), local)
                root = node.value
                if isinstance(node, ast.Attribute) and isinstance(root, ast.Name) and self._depth:
                    self.marks_objects |= root.id in local and root.id != "self"
        elif isinstance(node, ast.AugAssign):
            self._change(_names_in(node.target), local)
        if isinstance(node, (*FUNCTIONS, *COMPREHENSIONS)):
            self._enter(node, local)
            return
        if isinstance(node, ast.ClassDef):
            self._refuse_class(node)
            self.later_reads |= global_reads(node) - local
            self._depth += 1  # its methods are called later
            for child in ast.iter_child_nodes(node):
                self.visit(child, local, node)
            self._depth -= 1
            return
        for child in ast.iter_child_nodes(node):
            self.visit(child, local, node)

    def _enter(
        self,
        node: ast.FunctionDef
        | ast.AsyncFunctionDef
        | ast.Lambda
        | ast.ListComp
        | ast.SetComp
        | ast.DictComp
        | ast.GeneratorExp,
        local: frozenset[str],
    ) -> None:
        for part in outer_parts(node):
            self.visit(part, local, node)
        is_function = isinstance(node, FUNCTIONS)
        self._depth += is_function
        if is_function and self._depth == 1:
            self.later_reads |= global_reads(node) - local
        for part in inner_parts(node):
            self.visit(part, local | own_names(node), node)
        self._depth -= is_function
        if self._changes_in_comprehension and not self._depth:  # what it loops over, perhaps
            self._changes_in_comprehension = bool(local)
            self.passes |= global_reads(node) - local

    # ------------------------------------------------ what changes

    def _change(self, names: Collection[str], local: frozenset[str]) -> None:
        outer = {name for name in names if name not in local}
        (self.later_changes if self._depth else self.changes).update(outer)
        self._note_locals(len(outer) < len(names))

    def _pass(self, names: Collection[str], local: frozenset[str]) -> None:
        outer = {name for name in names if name not in local}
        (self.later_passes if self._depth else self.passes).update(outer)
        self._note_locals(len(outer) < len(names))

    def _note_locals(self, are_changed: bool) -> None:
        if are_changed and self._depth:
            self.changes_locals = True
        elif are_changed:
            self._changes_in_comprehension = True

    def _call(self, node: ast.Call, local: frozenset[str], parent: ast.AST | None) -> None:
        arguments = set().union(
            *map(_names_in, node.args), *(_names_in(one.value) for one in node.keywords)
        )
        path = self._path(node.func, local)
        if path is not None:
            self._library_call(path, node, arguments, local, parent)
        elif isinstance(node.func, ast.Attribute):
            name = node.func.attr
            receiver = _names_in(node.func.value)
            if name not in READING_METHODS or name in self._context.methods:
                self._change(receiver, local)
                self._pass(arguments, local)
        elif isinstance(node.func, ast.Name) and self._is_python(node.func.id, local):
            self._python_call(node.func.id, node, arguments, local, parent)
        else:  # a function of the notebook, or one that was handed in
            self._pass(_names_in(node.func) | arguments, local)

    def _library_call(
        self,
        path: str,
        node: ast.Call,
        arguments: set[str],
        local: frozenset[str],
        parent: ast.AST | None,
    ) -> None:
        name = path.rpartition(".")[2]
        unused = isinstance(parent, ast.Expr)
        into = any(one.arg in ("out", None) for one in node.keywords)
        if path.split(".")[0] == "itertools":
            self._require_consumed(node, parent)
        if name in CHANGING_FUNCTIONS or into:
            self._change(arguments, local)
        elif unused or self._is_instructors(path):
            self._pass(arguments, local)

    def _python_call(
        self,
        name: str,
        node: ast.Call,
        arguments: set[str],
        local: frozenset[str],
        parent: ast.AST | None,
    ) -> None:
        if name in CHANGING:
            self._change(arguments, local)
        elif name not in READING:
            raise Unsure(f"it calls {name}")
        if name in ITERATORS:
            self._require_consumed(node, parent)
        if name in ("map", "filter") or any(one.arg == "key" for one in node.keywords):
            self._pass(arguments, local)
        if name == "type" and len(node.args) != 1:
            raise Unsure("it makes a class with type")

    def _is_python(self, name: str, local: frozenset[str]) -> bool:
        known = hasattr(builtins, name) or name in ("display", "get_ipython")
        return known and name not in local and name not in self._context.own

    def _is_instructors(self, path: str) -> bool:
        return path.split(".")[0] in self._context.files

    def _path(self, node: ast.expr, local: frozenset[str]) -> str | None:
        """Return the dotted name in a library that an expression names, if it names one."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id in local or node.id not in self._modules:
            return None
        return ".".join([self._modules[node.id], *reversed(parts)])

    # ------------------------------------------------ what is not known

    def _name(self, node: ast.Name, local: frozenset[str]) -> None:
        if node.id in local:
            return
        path = self._modules.get(node.id)
        if path is not None and not isinstance(node.ctx, ast.Load):
            raise Unsure(f"it binds {node.id}, which is a module's elsewhere")
        if path is not None and path.startswith("matplotlib") and self._depth:
            self.draws = True
        if node.id.startswith("__") and node.id != "__name__":
            raise Unsure(f"it uses {node.id}")
        if path is None and node.id not in self._context.own and isinstance(node.ctx, ast.Load):
            is_python = hasattr(builtins, node.id) or node.id == "get_ipython"
            if is_python and node.id not in READING | CHANGING | {"NotImplemented"}:
                raise Unsure(f"it uses {node.id}")

    def _refuse(self, node: ast.AST, local: frozenset[str]) -> None:
        """Raise Unsure where a node is outside the part of Python that is known."""
        match node:
            case ast.Yield() | ast.YieldFrom():
                raise Unsure("it has a generator")
            case ast.Await() | ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith():
                raise Unsure("it is asynchronous")
            case ast.Global():
                raise Unsure("a function binds a global name")
            case ast.Import():
                for one in node.names:
                    self._require_known(one.name)
            case ast.ImportFrom():
                for one in node.names:
                    self._require_known(node.module or "", one.name)
            case ast.Attribute():
                if node.attr.startswith("__") and node.attr not in SPECIAL_NAMES:
                    raise Unsure(f"it uses {node.attr}")
                path = self._path(node, local) or ""
                if path == "numpy.random.default_rng":  # which keeps nothing
                    self._allowed.add(id(node.value))
                elif path.startswith("numpy.random.") or (
                    node.attr in DENIED and id(node) not in self._allowed
                ):
                    raise Unsure(f"it uses {node.attr}")

    def _refuse_class(self, node: ast.ClassDef) -> None:
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
        if first in self._context.files or f"{module}.{member}" == "numpy.random.default_rng":
            return
        if module not in MODULES and f"{module}.{member}" not in MODULES:
            raise Unsure(f"it imports {module}")
        if member in DENIED:
            raise Unsure(f"it imports {member} from {module}")

    def _require_consumed(self, node: ast.AST, parent: ast.AST | None) -> None:
        """Raise Unsure where an iterator may be kept: reading it once would use it up."""
        match parent:
            case ast.For(iter=one) | ast.comprehension(iter=one) if one is node:
                return
            case ast.Assign(targets=[ast.Tuple() | ast.List()]) | ast.Starred():
                return
            case ast.Call(func=ast.Name(id=name)) if name in CONSUMING | ITERATORS:
                if name not in self._context.own:
                    return
            case ast.Call(func=ast.Attribute(attr="join")):
                return
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return  # the first iterable of it
        raise Unsure("it may keep an iterator")


def _names_in(node: ast.AST) -> set[str]:
    """Return the names in an expression, but for those that are local to a function in it."""
    return {node.id} if isinstance(node, ast.Name) else global_reads(node)


def context_of(sources: Iterable[str], files: Mapping[str, bytes]) -> Context:
    """Return what is known of the names of a notebook, from its code cells as plain Python.

    `files` are the instructor's, by name.
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
    )


@lru_cache(maxsize=4096)
def _names_of(source: str) -> tuple[frozenset[tuple[str, str]], frozenset[str], frozenset[str]]:
    """Return (imported names with their paths, other bound names, names of methods) of a cell."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return frozenset(), frozenset(), frozenset()
    imports: set[tuple[str, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                first = one.name.split(".")[0]
                imports.add((one.asname or first, one.name if one.asname else first))
        elif isinstance(node, ast.ImportFrom):
            imports |= {(one.asname or one.name, f"{node.module}.{one.name}") for one in node.names}
    imported = {name for name, _ in imports}
    others = [one for one in tree.body if not isinstance(one, (ast.Import, ast.ImportFrom))]
    bound = bindings(tree.body) - (imported - bindings(others))
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
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
