"""Note which names' objects a cell changes, or hands to what may change them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable

from nbreferee.course.context import Context
from nbreferee.course.known_calls import READING_METHODS
from nbreferee.course.known_code import KnownCode, Unsure
from nbreferee.course.nodes import walk
from nbreferee.course.scopes import global_reads


class Changes:
    """What a cell changes, as far as it has been read."""

    def __init__(self, context: Context, safe: frozenset[int]) -> None:
        self._known = KnownCode(context, safe)
        self.later_reads: set[str] = set()
        self.changes: set[str] = set()
        self.later_changes: set[str] = set()
        self.passes: set[str] = set()
        self.later_passes: set[str] = set()
        self.changes_locals = False
        self.marks_objects = False
        self.results: set[str] = set()
        self.later_results: set[str] = set()
        self._changes_in_comprehension = False
        self.draws = False
        self._depth = 0  # of functions
        self._fresh = frozenset[str]()  # functions that each call of the innermost one makes

    def _set_part(self, node: ast.Attribute | ast.Subscript, local: frozenset[str]) -> None:
        root = node.value
        if self._known.path(root, local) is not None:
            raise Unsure("it sets a part of a module")
        if isinstance(root, ast.Name) and root.id in self._fresh:
            return
        if isinstance(node, ast.Attribute) and self._names_library(root, local):
            raise Unsure("it sets a part of what a library may keep")
        self._note_results([root], local)
        self._change(names_in(root), local)
        if isinstance(node, ast.Attribute) and self._depth:
            name = root.id if isinstance(root, ast.Name) else ""
            self.marks_objects |= not name or (name in local and name != "self")

    def _change(self, names: Collection[str], local: frozenset[str]) -> None:
        if "super" in names and self._known.is_python("super", local):  # which is `self`
            self._note_locals(True)
        names = self._without_python(names, local)
        outer = {name for name in names if name not in local}
        (self.later_changes if self._depth else self.changes).update(outer)
        self._note_locals(len(outer) < len(names))

    def _pass(self, names: Collection[str], local: frozenset[str]) -> None:
        names = self._without_python(names, local)
        outer = {name for name in names if name not in local}
        (self.later_passes if self._depth else self.passes).update(outer)
        self._note_locals(len(outer) < len(names))

    def _note_results(self, parts: Iterable[ast.expr], local: frozenset[str]) -> None:
        """Note that what a function of the notebook returns is changed, which may have any name."""
        for one in (one for part in parts for one in walk(part)):
            if isinstance(one, ast.Call) and self._is_own(one.func, local):
                names = self._without_python(names_in(one), local)
                outer = {name for name in names if name not in local}
                (self.later_results if self._depth else self.results).update(outer)
                self._note_locals(not names_in(one.func) <= outer)

    def _names_library(self, root: ast.expr, local: frozenset[str]) -> bool:
        parts = [one for one in walk(root) if isinstance(one, (ast.Name, ast.Attribute))]
        return any(self._known.path(one, local) is not None for one in parts)

    def _is_own(self, function: ast.expr, local: frozenset[str]) -> bool:
        if isinstance(function, ast.Attribute) and self._known.path(function, local) is None:
            methods = READING_METHODS - self._known.context.methods
            return function.attr not in methods or self._is_own(function.value, local)
        if isinstance(function, ast.Name) and self._known.is_python(function.id, local):
            return False
        return self._known.path(function, local) is None and not isinstance(function, ast.Constant)

    def _without_python(self, names: Collection[str], local: frozenset[str]) -> set[str]:
        """Return names without Python's own functions, which nothing changes."""
        return {name for name in names if not self._known.is_python(name, local)}

    def _note_locals(self, are_changed: bool) -> None:
        if are_changed and self._depth:
            self.changes_locals = True
        elif are_changed:
            self._changes_in_comprehension = True


def names_in(node: ast.AST) -> set[str]:
    """Return the names in an expression, but for those that are local to a function in it."""
    return {node.id} if isinstance(node, ast.Name) else global_reads(node)
