"""What running one code cell can do to another: found by reading, and only if that is certain.

A cell reads names, binds names, and changes objects in place. Two cells depend on each other
through nothing else, as long as both are written in the part of Python that this module knows.
Whatever is outside of it (files, magics, `exec`, global random numbers, settings of libraries,
modules that are not known) raises `Unsure`: then nobody must conclude anything from the reading.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from nbreferee.course.known_calls import (
    CHANGING,
    CHANGING_FUNCTIONS,
    ITERATORS,
    PASSING_MANAGERS,
    READING,
    READING_METHODS,
)
from nbreferee.course.known_code import Context, KnownCode, Unsure
from nbreferee.course.nodes import children
from nbreferee.course.plain_values import plain_names
from nbreferee.course.scopes import (
    COMPREHENSIONS,
    FUNCTIONS,
    always_bound,
    bindings,
    first_reads,
    functions_made_in,
    global_reads,
    inner_parts,
    outer_parts,
    own_names,
)


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
    passes_on = reader.passes_on
    reads = first_reads(tree.body, passes_on)
    certain = (always_bound(one, passes_on) for one in tree.body)
    for name in reads - set[str]().union(*certain):
        if name.startswith("_"):
            raise Unsure(f"it reads {name}")
    binds = bindings(tree.body)
    data = {name for one in tree.body for name in bindings([one]) - set(plain_names(one))}
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


class _Reader:
    """Walks the statements of one cell."""

    def __init__(self, context: Context) -> None:
        self._known = KnownCode(context)
        self.later_reads: set[str] = set()
        self.changes: set[str] = set()
        self.later_changes: set[str] = set()
        self.passes: set[str] = set()
        self.later_passes: set[str] = set()
        self.changes_locals = False
        self.marks_objects = False
        self._changes_in_comprehension = False
        self.draws = False
        self._depth = 0  # of functions
        self._fresh = frozenset[str]()  # functions that each call of the innermost one makes

    def passes_on(self, manager: ast.expr) -> bool:
        """Tell whether a context manager of a cell, outside of functions, swallows no exception."""
        return isinstance(manager, ast.Call) and (
            self._known.path(manager.func, frozenset()) in PASSING_MANAGERS
        )

    def visit(self, node: ast.AST, local: frozenset[str], parent: ast.AST | None = None) -> None:
        """Read a node; `local` are the names that are local to the functions around it."""
        self._known.refuse(node, local)
        if isinstance(node, ast.Name):
            self._name(node, local)
        elif isinstance(node, ast.Call):
            self._call(node, local, parent)
        elif isinstance(node, ast.GeneratorExp):
            self._known.require_consumed(node, parent)
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            if not isinstance(node.ctx, ast.Load):
                self._set_part(node, local)
        elif isinstance(node, ast.AugAssign):
            self._change(_names_in(node.target), local)
        if isinstance(node, (*FUNCTIONS, *COMPREHENSIONS)):
            self._enter(node, local)
            return
        if isinstance(node, ast.ClassDef):
            self._known.refuse_class(node)
            self.later_reads |= global_reads(node) - local
            self._depth += 1  # its methods are called later
            for child in children(node):
                self.visit(child, local, node)
            self._depth -= 1
            return
        for child in children(node):
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
        around = self._fresh
        if is_function:
            self._fresh = functions_made_in(node)
        for part in inner_parts(node):
            self.visit(part, local | own_names(node), node)
        self._fresh = around
        self._depth -= is_function
        if self._changes_in_comprehension and not self._depth:  # what it loops over, perhaps
            self._changes_in_comprehension = bool(local)
            self.passes |= global_reads(node) - local

    # ------------------------------------------------ what changes

    def _set_part(self, node: ast.Attribute | ast.Subscript, local: frozenset[str]) -> None:
        root = node.value
        if self._known.path(root, local) is not None:
            raise Unsure("it sets a part of a module")
        if isinstance(root, ast.Name) and root.id in self._fresh:
            return
        self._change(_names_in(root), local)
        if isinstance(node, ast.Attribute) and isinstance(root, ast.Name) and self._depth:
            self.marks_objects |= root.id in local and root.id != "self"

    def _change(self, names: Collection[str], local: frozenset[str]) -> None:
        names = self._without_python(names, local)
        outer = {name for name in names if name not in local}
        (self.later_changes if self._depth else self.changes).update(outer)
        self._note_locals(len(outer) < len(names))

    def _pass(self, names: Collection[str], local: frozenset[str]) -> None:
        names = self._without_python(names, local)
        outer = {name for name in names if name not in local}
        (self.later_passes if self._depth else self.passes).update(outer)
        self._note_locals(len(outer) < len(names))

    def _without_python(self, names: Collection[str], local: frozenset[str]) -> set[str]:
        """Return names without Python's own functions, which nothing changes."""
        return {name for name in names if not self._known.is_python(name, local)}

    def _note_locals(self, are_changed: bool) -> None:
        if are_changed and self._depth:
            self.changes_locals = True
        elif are_changed:
            self._changes_in_comprehension = True

    def _call(self, node: ast.Call, local: frozenset[str], parent: ast.AST | None) -> None:
        arguments = set().union(
            *map(_names_in, node.args), *(_names_in(one.value) for one in node.keywords)
        )
        path = self._known.path(node.func, local)
        if path is not None:
            self._library_call(path, node, arguments, local, parent)
        elif isinstance(node.func, ast.Attribute):
            name = node.func.attr
            receiver = _names_in(node.func.value)
            if name not in READING_METHODS or name in self._known.context.methods:
                self._change(receiver, local)
                self._pass(arguments, local)
        elif isinstance(node.func, ast.Name) and self._known.is_python(node.func.id, local):
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
            self._known.require_consumed(node, parent)
        if name in CHANGING_FUNCTIONS or into:
            self._change(arguments, local)
        elif unused or self._known.is_instructors(path):
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
            self._known.require_consumed(node, parent)
        if name in ("map", "filter") or any(one.arg == "key" for one in node.keywords):
            self._pass(arguments, local)
        if name == "type" and len(node.args) != 1:
            raise Unsure("it makes a class with type")

    # ------------------------------------------------ what is not known

    def _name(self, node: ast.Name, local: frozenset[str]) -> None:
        if node.id in local:
            return
        path = self._known.modules.get(node.id)
        if path is not None and not isinstance(node.ctx, ast.Load):
            raise Unsure(f"it binds {node.id}, which is a module's elsewhere")
        if path is not None and path.startswith("matplotlib") and self._depth:
            self.draws = True
        if node.id.startswith("__") and node.id != "__name__":
            raise Unsure(f"it uses {node.id}")
        if (
            path is None
            and node.id not in self._known.context.own
            and isinstance(node.ctx, ast.Load)
        ):
            is_python = hasattr(builtins, node.id) or node.id == "get_ipython"
            if is_python and node.id not in READING | CHANGING | {"NotImplemented"}:
                raise Unsure(f"it uses {node.id}")


def _names_in(node: ast.AST) -> set[str]:
    """Return the names in an expression, but for those that are local to a function in it."""
    return {node.id} if isinstance(node, ast.Name) else global_reads(node)
