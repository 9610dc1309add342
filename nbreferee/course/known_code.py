"""The part of Python that `effects` can read."""

from __future__ import annotations

import ast
import builtins

from nbreferee.course.context import Context
from nbreferee.course.iterators import is_consumed, used_up_in
from nbreferee.course.known_calls import (
    DENIED,
    MODULES,
    MUTATORS,
    ONLY_CALLED,
    SPECIAL_NAMES,
)
from nbreferee.course.library_use import why_not
from nbreferee.course.nodes import walk

# A new generator keeps nothing; and a seed changes nothing that is read, for drawing is not known.
HARMLESS = ("numpy.random.default_rng", "numpy.random.seed")
FUTURE = "__future__"  # stands for the flags that cells are compiled with


class Unsure(Exception):
    """What a cell does cannot be told by reading it; the text says why."""


class KnownCode:
    """Tells what the expressions of one cell name, and raises `Unsure` where they are not known."""

    def __init__(self, context: Context, safe: frozenset[int] = frozenset()) -> None:
        self.context = context
        self._safe = safe  # nodes that stand where nothing keeps their value
        self.modules = dict(context.modules)
        self._allowed: set[int] = set()  # nodes np.random of np.random.default_rng
        self._entered: set[int] = set()  # context managers that are certainly left again
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

    def refuse(self, node: ast.AST, local: frozenset[str], parent: ast.AST | None) -> None:
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
                self._entered |= set(map(id, node.decorator_list))
            case ast.With():
                self._entered |= {id(one.context_expr) for one in node.items}
            case ast.Import():
                for one in node.names:
                    self._require_known(one.name)
                    self._require_one_meaning(one.asname or one.name.split(".")[0], one.name)
            case ast.ImportFrom():
                for one in node.names:
                    self._require_known(node.module or "", one.name)
                    self._require_one_meaning(one.asname or one.name, f"{node.module}.{one.name}")
            case ast.Call(func=ast.Attribute() as function):
                if self._reads_file_of_instructor(node, local):
                    self._allowed.add(id(function))
            case ast.Attribute():
                self._refuse_attribute(node, local, parent)
            case ast.Name(id=name, ctx=ast.Load()):
                self._refuse_use(node, local, parent)
                if name in ONLY_CALLED and self.is_python(name, local):
                    self._require_called(node, parent)
        if getattr(node, "type_params", None) or type(node).__name__ == "TypeAlias":
            raise Unsure("it has type parameters")

    def _refuse_attribute(
        self, node: ast.Attribute, local: frozenset[str], parent: ast.AST | None
    ) -> None:
        name, is_read = node.attr, isinstance(node.ctx, ast.Load)
        if name.startswith("__") and (
            name not in SPECIAL_NAMES or not (is_read or name in ("__name__", "__doc__"))
        ):
            raise Unsure(f"it uses {name}")
        path = self.path(node, local) or ""
        if path in HARMLESS:
            self._allowed.add(id(node.value))
        elif id(node) not in self._allowed and (path.startswith("numpy.random.") or name in DENIED):
            raise Unsure(f"it uses {name}")
        if is_read and id(node) not in self._allowed:
            self._refuse_use(node, local, parent)
        kept = name in MUTATORS or name in ("format", "format_map")
        if is_read and kept and not _is_called(node, parent) and not path:
            raise Unsure(f"it keeps the method {name}")

    def _refuse_use(
        self, node: ast.Attribute | ast.Name, local: frozenset[str], parent: ast.AST | None
    ) -> None:
        """Raise Unsure where a library may be changed by what a name stands for."""
        path = self.path(node, local)
        if path is None or isinstance(parent, ast.Attribute):
            return
        called, safe = _is_called(node, parent), id(node) in self._safe
        if (
            self.is_instructors(path)
            and not called
            and path.split(".")[-1] in self.context.iterating
        ):
            raise Unsure(f"it keeps {path}")
        files, stateful = self.context.files, self.context.stateful
        if why := why_not(path, files, stateful, is_called=called, is_safe=safe):
            raise Unsure(why)
        if called and path == "numpy.printoptions" and id(parent) not in self._entered:
            raise Unsure(f"it keeps the result of {path}")
        if called and path == "numpy.random.default_rng":
            match parent:
                case ast.Call(args=[ast.Constant(value=None)]) | ast.Call(args=[], keywords=[]):
                    raise Unsure("its random numbers are others in each run")
                case ast.Call(args=[], keywords=[ast.keyword(value=ast.Constant(value=None))]):
                    raise Unsure("its random numbers are others in each run")
        if called and path in ("numpy.finfo", "numpy.iinfo") and id(parent) not in self._safe:
            raise Unsure(f"it keeps the result of {path}")

    def _require_called(self, node: ast.Name, parent: ast.AST | None) -> None:
        if not _is_called(node, parent) and id(node) not in self._safe:
            raise Unsure(f"it keeps {node.id}")

    def _reads_file_of_instructor(self, node: ast.Call, local: frozenset[str]) -> bool:
        """Tell whether a call loads a file that no cell writes: whatever writes is not known."""
        match node:
            case ast.Call(args=[ast.Constant(value=str(name))], keywords=[]):
                return name in self.context.data and self.path(node.func, local) == "numpy.load"
        return False

    def refuse_class(self, node: ast.ClassDef) -> None:
        """Raise Unsure where operators or attributes of a class may change something unseen."""
        for one in node.body:
            match one:
                case ast.FunctionDef() | ast.Pass() | ast.Expr(value=ast.Constant()):
                    pass
                case ast.Assign(targets=targets) if all(map(_binds_names, targets)):
                    pass
                case ast.AnnAssign(target=ast.Name()):
                    pass
                case _:
                    raise Unsure("a class does more than to define")
        quiet = ("__init__", "__call__", "__post_init__", "__repr__", "__str__")
        for one in node.body:
            if not isinstance(one, ast.FunctionDef):
                continue
            if one.name.startswith("__") and one.name not in quiet:
                raise Unsure(f"a class of its own has {one.name}")
            for decorator in one.decorator_list:
                if ast.unparse(decorator) not in ("staticmethod", "classmethod"):
                    raise Unsure("a method is decorated")

    def refuse_kept_part(self, node: ast.Attribute, parent: ast.AST | None) -> None:
        """Raise Unsure where a cell keeps an array's `flat`, which is an iterator."""
        is_item = isinstance(parent, ast.Subscript) and parent.value is node
        if node.attr == "flat" and not is_item:
            self.require_consumed(node, parent)

    def refuse_method(self, method: ast.Attribute, call: ast.Call, parent: ast.AST | None) -> None:
        """Raise Unsure where a call of a method may reach what no name shows."""
        if method.attr in ("format", "format_map"):
            match method.value:
                case ast.Constant(value=str(text)) if "__" not in text and not (
                    "[" in text and self.context.inserts
                ):
                    pass
                case _:  # a text can name the inside of an object, or an item
                    raise Unsure("it formats with a text that is not there")
        if method.attr == "elements":
            self.require_consumed(call, parent)

    def refuse_python(self, name: str, call: ast.Call) -> None:
        """Raise Unsure where a call of one of Python's functions may do more than is seen."""
        if name in ("setattr", "delattr"):
            match call.args:
                case [_, ast.Constant(value=str(text)), *_] if not text.startswith("__"):
                    pass
                case _:
                    raise Unsure(f"it names an attribute for {name}")
        named = {one.arg for one in call.keywords}
        if name == "display" and not named.isdisjoint({"display_id", "update", None}):
            raise Unsure("it changes what another cell shows")

    def refuse_type(self, call: ast.Call, parent: ast.AST | None, local: frozenset[str]) -> None:
        """Raise Unsure where the class of an object is kept."""
        if len(call.args) != 1 or isinstance(call.args[0], ast.Starred):
            raise Unsure("it makes a class with type")
        match parent:
            case ast.Attribute(attr="__name__" | "__doc__", ctx=ast.Load()):
                return
            case ast.Attribute():
                pass
            case ast.FormattedValue() | ast.Compare():
                return
            case ast.Call(func=function) if function is call:
                return
            case ast.Call(func=ast.Name(id=name)) if self.is_python(name, local):
                if name in ("isinstance", "issubclass", "print", "str", "repr"):
                    return
        if id(call) not in self._safe or isinstance(parent, ast.Attribute):
            raise Unsure("it keeps the class of an object")

    def _require_known(self, module: str, member: str = "") -> None:
        if member == "*":
            raise Unsure(f"it imports everything from {module}")
        first = module.split(".")[0]
        if (module, member) == (FUTURE, "annotations"):
            return
        if first in self.context.files or f"{module}.{member}" == "numpy.random.default_rng":
            return
        if module not in MODULES and f"{module}.{member}" not in MODULES:
            raise Unsure(f"it imports {module}")
        if member in DENIED:
            raise Unsure(f"it imports {member} from {module}")

    def _require_one_meaning(self, name: str, path: str) -> None:
        """Raise Unsure where a name is a module's or class's at one place, and not at another."""
        if name in self.modules or path.startswith(f"{FUTURE}."):
            return
        files, stateful = self.context.files, self.context.stateful
        if why_not(path, files, stateful, is_called=False, is_safe=False):
            raise Unsure(f"{name} has several meanings")

    def require_consumed(self, node: ast.AST, parent: ast.AST | None) -> None:
        """Raise Unsure where an iterator may be kept: reading it once would use it up."""
        own = self.context.own | ({"join"} & self.context.methods)
        if id(node) not in self._used_up and not is_consumed(node, parent, own):
            raise Unsure("it may keep an iterator")


def _is_called(node: ast.AST, parent: ast.AST | None) -> bool:
    return isinstance(parent, ast.Call) and parent.func is node


def _binds_names(target: ast.expr) -> bool:
    return all(isinstance(one, (ast.Name, ast.Tuple, ast.List)) for one in walk(target))
