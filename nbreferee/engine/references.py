"""What stands for values that are no plain ones, on their way between tester and box (see `conversation`)."""

from __future__ import annotations

import builtins
import sys
import types
import weakref
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbreferee.codec import CodecError
from nbreferee.engine import kinds
from nbreferee.engine.conversation import Facts, importable_name, is_installed
from nbreferee.engine.exceptions import exception_class
from nbreferee.engine.proxies import Proxy, make_proxy


@dataclass(frozen=True)
class Reference:
    """An object in the box, for a question about it."""

    _number: int


@dataclass(frozen=True)
class Trust:
    """What a master says about whose names are whose."""

    student_classes: Collection[str] = ()  # that its solution defines: these may compare and compute
    modules: Collection[str] = ()  # that it imports: these the tester may import too
    written: Collection[str] = ()  # global names that its solution's functions change


def own_attributes(kind: type, attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that an instance may have: none takes the place of a method of the instructor's."""
    return {name: value for name, value in attributes.items() if not callable(getattr(kind, name, None))}


class References:
    """The tester's side of references; nothing that the box sends is believed."""

    def __init__(self, student: Any, names: dict[str, Any], trust: Trust) -> None:
        self._student = student  # whom proxies ask
        self._names = names  # of the tester: where the instructor's classes are
        self._trust = trust
        self.proxies: weakref.WeakValueDictionary[int, Proxy] = weakref.WeakValueDictionary()
        self.callbacks: list[Any] = []
        self.heap: list[Any] = []  # instances of the instructor's classes in the arguments at hand
        self.copies: dict[int, Any] = {}  # by number: such instances on their way in
        self.unfilled: list[int] = []  # those of them whose attributes are still to be had
        self.exceptions: dict[str, type] = {}

    def wrap(self, value: Any) -> tuple:
        """Return what stands for a value on its way to the box.

        Raises
        ------
        CodecError
            where it cannot go there.
        """
        if issubclass(type(value), (Proxy, Reference)):
            return ("yours", value._number)
        if (description := kinds.describe(value)) is not None:
            return ("copy", description)
        if isinstance(value, types.ModuleType) and is_installed(value):
            return ("module", value.__name__)
        if named := importable_name(value):
            return ("named", *named)
        if callable(value) and not isinstance(value, type):
            self.callbacks.append(value)
            return ("callback", len(self.callbacks) - 1, str(getattr(value, "__name__", "function")))
        if isinstance(value, type) and dict.get(self._names, value.__name__) is value:
            return ("main", value.__name__)
        if dict.get(self._names, type(value).__name__) is type(value):
            for number, one in enumerate(self.heap):
                if one is value:
                    return ("instance", number)
            self.heap.append(value)
            return ("instance", len(self.heap) - 1)
        raise CodecError(f"an object of the type {type(value).__name__}")

    def unwrap(self, said: Any) -> Any:
        """Return what something that the box has sent stands for.

        Raises
        ------
        CodecError
            where it stands for nothing.
        """
        match said:
            case ("copy", tuple(description)):
                return kinds.build(description)
            case ("named", str(module), str(name)):
                return self._named(module, name)
            case ("module", str(name)):
                return self._module(name)
            case ("instance", int(number)) if 0 <= number < len(self.heap):
                return self.heap[number]
            case ("yours", int(number)) if 0 <= number < len(self.callbacks):
                return self.callbacks[number]
            case ("object", int(number), facts):
                return self._object(number, Facts.from_tuple(facts))
        raise CodecError("no such reference")

    def _named(self, module: str, name: str) -> Any:
        loaded = sys.modules.get(module)
        found = getattr(loaded, name, None) if loaded is not None and is_installed(loaded) else None
        if not isinstance(found, type):
            raise CodecError(f"no type {module}.{name} here")
        return found

    def _module(self, name: str) -> Any:
        """Import the trusted module of that name, where the master imports it, too."""
        if name not in sys.modules and name.partition(".")[0] not in self._trust.modules:
            raise CodecError(f"the module {name}, which the assignment does not import")
        module = __import__(name, fromlist=["_"])
        if not is_installed(module) and name.partition(".")[0] not in self._trust.modules:
            raise CodecError(f"the module {name}")
        return module

    def _object(self, number: int, facts: Facts) -> Any:
        proxy = self.proxies.get(number)
        if proxy is not None:
            return proxy
        if facts.kind == "class":
            if "BaseException" in facts.bases:
                return exception_class((facts.type_name, *facts.bases), self.known_class, self.exceptions)
            own = dict.get(self._names, facts.type_name)
            if isinstance(own, type) and facts.type_module == "__main__":
                return own
        own = dict.get(self._names, facts.type_name)
        if facts.kind in ("object", "callable", "iterator") and facts.type_module == "__main__" and isinstance(own, type):
            return self._copy_of(number, own)
        computes = facts.type_name in self._trust.student_classes and facts.type_module == "__main__"
        proxy = self.proxies[number] = make_proxy(self._student, number, facts, computes)
        return proxy

    def _copy_of(self, number: int, kind: type) -> Any:
        """Return an instance of the instructor's class, with the attributes that the student's has."""
        if number not in self.copies:
            self.copies[number] = kind.__new__(kind)
            self.unfilled.append(number)
        return self.copies[number]

    def known_class(self, name: str) -> type | None:
        """Return a class of the instructor's or of NumPy's exceptions by its name."""
        own = dict.get(self._names, name)
        return own if isinstance(own, type) else getattr(builtins, name, None) or getattr(np.linalg, name, None) or getattr(np.exceptions, name, None)
