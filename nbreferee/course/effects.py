"""What running one code cell can do to another: found by reading, and only if that is certain.

A cell reads names, binds names, and changes objects in place. Two cells depend on each other
through nothing else, as long as both are written in the part of Python that this module knows.
Whatever is outside of it (files, magics, `exec`, global random numbers, settings of libraries,
modules that are not known) raises `Unsure`: then nobody must conclude anything from the reading.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from nbreferee.course.changes import Changes, names_in
from nbreferee.course.context import Context
from nbreferee.course.escapes import safe_places
from nbreferee.course.known_calls import (
    CHANGING,
    ITERATORS,
    OF_IPYTHON,
    PASSING_MANAGERS,
    READING,
    READING_METHODS,
)
from nbreferee.course.known_code import FUTURE, Unsure
from nbreferee.course.library_use import ITERATING, changes_arguments, changes_receiver
from nbreferee.course.nodes import children, parse, walk
from nbreferee.course.plain_values import plain_names
from nbreferee.course.scopes import (
    COMPREHENSIONS,
    FUNCTIONS,
    always_bound,
    bindings,
    first_reads,
    functions_made_in,
    global_reads,
    imported_in,
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
    results: frozenset[str] = frozenset()  # names of functions whose results may be changed
    later_results: frozenset[str] = frozenset()


@lru_cache(maxsize=4096)
def effects_of(source: str, context: Context) -> Effects:
    """Return what a cell, as plain Python, reads and changes.

    Raises
    ------
    Unsure
        if that cannot be told.
    """
    try:
        tree = parse(source)
    except (SyntaxError, ValueError):  # the cell fails before it does anything
        return Effects()
    reader = _Reader(context, safe_places(walk(tree)))
    for statement in tree.body:
        reader.visit(statement, frozenset())
    passes_on = reader.passes_on
    reads = first_reads(tree.body, passes_on)
    certain = (always_bound(one, passes_on) for one in tree.body)
    for name in reads - set[str]().union(*certain):
        if name.startswith("_"):
            raise Unsure(f"it reads {name}")
    if any(
        name.startswith("_") and name.strip("_i0123456789") == "" for name in reader.later_reads
    ):
        raise Unsure("a function reads what IPython binds")
    binds = bindings(tree.body)
    if any(isinstance(one, ast.ImportFrom) and one.module == FUTURE for one in tree.body):
        binds.add(FUTURE)
    data = {name for one in tree.body for name in bindings([one]) - set(plain_names(one))}
    known = {name for name, _ in context.modules}
    return Effects(
        frozenset(reads | {FUTURE}),
        frozenset(reader.later_reads),
        frozenset(binds),
        frozenset((data - known) | (binds & context.loose)),
        frozenset(reader.changes - known),
        frozenset(reader.later_changes - known),
        frozenset(reader.passes - known),
        frozenset(reader.later_passes - known),
        reader.changes_locals,
        reader.marks_objects,
        reader.draws,
        frozenset(reader.results - known),
        frozenset(reader.later_results - known),
    )


class _Reader(Changes):
    """Walks the statements of one cell."""

    def passes_on(self, manager: ast.expr) -> bool:
        """Tell whether a context manager of a cell, outside of functions, swallows no exception."""
        return isinstance(manager, ast.Call) and (
            self._known.path(manager.func, frozenset()) in PASSING_MANAGERS
        )

    def visit(self, node: ast.AST, local: frozenset[str], parent: ast.AST | None = None) -> None:
        """Read a node; `local` are the names that are local to the functions around it."""
        self._known.refuse(node, local, parent)
        if isinstance(node, ast.Name):
            self._name(node, local)
        elif isinstance(node, ast.Call):
            self._call(node, local, parent)
        elif isinstance(node, ast.GeneratorExp):
            self._known.require_consumed(node, parent)
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            if not isinstance(node.ctx, ast.Load):
                self._set_part(node, local)
            elif isinstance(node, ast.Subscript) and self._known.context.inserts:
                self._change(names_in(node.value), local)
            elif isinstance(node, ast.Attribute):
                self._known.refuse_kept_part(node, parent)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            if self._known.context.inserts:  # "%(name)s" % mapping
                self._change(names_in(node.right), local)
        elif isinstance(node, ast.AugAssign):
            self._change(names_in(node.target), local)
        elif isinstance(node, ast.Nonlocal):
            self._note_locals(True)
        elif isinstance(node, ast.withitem):  # its object may note that
            self._change(names_in(node.context_expr), local)
        if isinstance(node, (*FUNCTIONS, *COMPREHENSIONS)):
            self._enter(node, local)
            return
        if isinstance(node, ast.ClassDef):
            self._enter_class(node, local)
            return
        for child in children(node):
            self.visit(child, local, node)

    def _enter_class(self, node: ast.ClassDef, local: frozenset[str]) -> None:
        self._known.refuse_class(node)
        self._decorate(node.decorator_list, local)
        self.later_reads |= global_reads(node) - local
        own = frozenset(bindings(node.body))
        self._depth += 1  # its methods are called later
        for child in children(node):
            is_value = isinstance(child, (ast.Assign, ast.AnnAssign))
            self.visit(child, local | own if is_value else local, node)
        self._depth -= 1

    def _decorate(self, decorators: Iterable[ast.expr], local: frozenset[str]) -> None:
        for one in decorators:
            if self._known.path(one, local) is None:
                self._pass(names_in(one), local)

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
        if isinstance(node, ast.FunctionDef):
            self._decorate(node.decorator_list, local)
        self._depth += is_function
        if is_function and self._depth == 1:
            self.later_reads |= global_reads(node) - local
        around = self._fresh
        if is_function:
            self._fresh = functions_made_in(node)
        inner = local | (own_names(node) - (self._known.modules.keys() & imported_in(node)))
        for part in inner_parts(node):
            self.visit(part, inner, node)
        self._fresh = around
        self._depth -= is_function
        if self._changes_in_comprehension and not self._depth:  # what it loops over, perhaps
            self._changes_in_comprehension = bool(local)
            self.passes |= global_reads(node) - local

    # ------------------------------------------------ calls

    def _call(self, node: ast.Call, local: frozenset[str], parent: ast.AST | None) -> None:
        values = [*node.args, *(one.value for one in node.keywords)]
        arguments = set[str]().union(*map(names_in, values))
        path = self._known.path(node.func, local)
        if path is not None:
            self._library_call(path, node, arguments, local, parent)
        elif isinstance(node.func, ast.Attribute):
            name = node.func.attr
            self._known.refuse_method(node.func, node, parent)
            if name in self._known.context.iterating:
                self._known.require_consumed(node, parent)
            receiver = names_in(node.func.value)
            own = name in self._known.context.methods
            if name not in READING_METHODS or own or changes_receiver(name, node):
                self._note_results([node.func.value, *values], local)
                self._change(receiver, local)
                self._pass(arguments, local)
        elif isinstance(node.func, ast.Name) and self._known.is_python(node.func.id, local):
            self._python_call(node.func.id, node, arguments, local, parent)
        else:  # a function of the notebook, or one that was handed in
            self._note_results(values, local)
            self._pass(names_in(node.func) | arguments, local)

    def _library_call(
        self,
        path: str,
        node: ast.Call,
        arguments: set[str],
        local: frozenset[str],
        parent: ast.AST | None,
    ) -> None:
        values = [*node.args, *(one.value for one in node.keywords)]
        name = path.rpartition(".")[2]
        ours = self._known.is_instructors(path)
        if (
            path.split(".")[0] == "itertools"
            or name in ITERATING
            or (ours and name in self._known.context.iterating)
        ):
            self._known.require_consumed(node, parent)
        if changes_arguments(path, node):
            self._note_results(values, local)
            self._change(arguments, local)
        elif isinstance(parent, ast.Expr) or ours:
            self._note_results(values, local)
            self._pass(arguments, local)

    def _python_call(
        self,
        name: str,
        node: ast.Call,
        arguments: set[str],
        local: frozenset[str],
        parent: ast.AST | None,
    ) -> None:
        self._known.refuse_python(name, node)
        values = [*node.args, *(one.value for one in node.keywords)]
        if name in CHANGING:
            self._note_results(values, local)
            self._change(arguments, local)
        elif name not in READING:
            raise Unsure(f"it calls {name}")
        if name in ITERATORS:
            self._known.require_consumed(node, parent)
        calls = name in ("map", "filter") or (name == "iter" and len(node.args) > 1)
        if calls or any(one.arg in ("key", None) for one in node.keywords):
            self._note_results(values, local)
            self._pass(arguments, local)
        if name == "type":
            self._known.refuse_type(node, parent, local)

    # ------------------------------------------------ what is not known

    def _name(self, node: ast.Name, local: frozenset[str]) -> None:
        if node.id in local:
            return
        path = self._known.modules.get(node.id)
        if path is not None and not isinstance(node.ctx, ast.Load):
            raise Unsure(f"it binds {node.id}, which is a module's elsewhere")
        if path is not None and path.startswith("matplotlib") and self._depth:
            self.draws = True
        is_bound = not isinstance(node.ctx, ast.Load)
        if node.id.startswith("__") and (is_bound or node.id != "__name__"):
            raise Unsure(f"it uses {node.id}")
        if node.id in OF_IPYTHON:
            raise Unsure(f"it uses {node.id}")
        if (
            path is None
            and node.id not in self._known.context.own
            and isinstance(node.ctx, ast.Load)
        ):
            is_python = hasattr(builtins, node.id) or node.id == "get_ipython"
            if is_python and node.id not in READING | CHANGING | {"NotImplemented"}:
                raise Unsure(f"it uses {node.id}")
