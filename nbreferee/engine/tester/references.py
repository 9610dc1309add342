"""What stands for values that are no plain ones, on their way between tester and box (see
`protocol`).
"""

from __future__ import annotations

import builtins
import enum
import inspect
import io
import sys
import types
import weakref
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbreferee.engine.tester.class_proxies import ClassProxy, make_class_proxy
from nbreferee.engine.tester.proxies import DATA, is_proxy, library_class, make_proxy_class, what
from nbreferee.engine.tester.reference_answers import ReferenceAnswer
from nbreferee.engine.tester.tuples import prepare_tuple_class
from nbreferee.engine.wire import known_types
from nbreferee.engine.wire.codec import CodecError
from nbreferee.engine.wire.exceptions import DOT, Classes, exception_class
from nbreferee.engine.wire.instances import (
    content_base,
    content_of,
    is_of_python,
    member,
    named_tuple,
    new,
    set_state,
    state_of,
)
from nbreferee.engine.wire.protocol import ObjectDescription, importable_name, is_installed


@dataclass(frozen=True)
class Reference:
    """An object in the box, for a question about it."""

    _number: int


@dataclass(frozen=True)
class NameOwnership:
    """What a master says about whose names are whose."""

    student_classes: Collection[
        str
    ] = ()  # that its solution defines: these may compare and compute
    modules: Collection[str] = ()  # that it imports: these the tester may import too
    written: Collection[str] = ()  # global names that its solution's functions change


def own_attributes(kind: type, attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that an instance may have: none takes the place of a method of the
    instructor's.
    """
    return {
        name: value for name, value in attributes.items() if not callable(getattr(kind, name, None))
    }


OF_ANY_OBJECT = (
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
)  # `object.__eq__` and the like


class NextItem:
    """What the box calls for the next item of an iterator that stays in the tester."""

    def __init__(self, iterator: Any) -> None:
        self.iterator = iterator

    def __call__(self, *sent: Any) -> tuple[str, Any]:
        try:
            return "item", self.iterator.send(*sent) if sent else next(self.iterator)
        except StopIteration as end:
            return "end", end.value


class References:
    """The tester's side of references; nothing that the box sends is believed."""

    def __init__(self, student: Any, names: dict[str, Any], trust: NameOwnership) -> None:
        self._student = student  # whom proxies ask
        self._names = names  # of the tester: where the instructor's classes are
        self._trust = trust
        self.proxies: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self._outdated: weakref.WeakValueDictionary[int, Any] = (
            weakref.WeakValueDictionary()
        )  # by id: of a box that has ended
        self._proxy_classes: dict[ObjectDescription, type] = {}
        self._callbacks: list[
            Any
        ] = []  # functions and steps of iterators that the box has been handed
        self._callback_numbers: dict[int, int] = {}  # by id
        self.returned: dict[
            int, ReferenceAnswer
        ] = {}  # which reference has returned a function or iterator, by its number
        self.heap: list[Any] = []  # instances of the instructor's classes in the arguments at hand
        self.copies: dict[int, Any] = {}  # by number: such instances on their way in
        self.unfilled: list[int] = []  # those of them whose attributes are still to be had
        # which objects of the box the containers of the last message are
        self.identities: tuple[Any, ...] = ()
        self.exceptions = Classes(self.known_class, {}, student.note_limit)

    def forget_box(self) -> None:
        """Start with another box: what stands for objects of the last one is of no more use."""
        for proxy in list(self.proxies.values()):
            self._outdated[id(proxy)] = proxy
        self.proxies.clear()
        self._proxy_classes.clear()

    # ------------------------------------------------ to the box

    def wrap(self, value: Any) -> tuple[Any, ...]:
        """Return what stands for a value on its way to the box.

        Raises
        ------
        CodecError
            where it cannot go there.
        """
        kind = type(value)
        if kind is Reference:
            return ("yours", value._number)
        if is_proxy(value):
            return self._wrap_proxy(value)
        if kind is ReferenceAnswer:
            return ("reference", self._callback_number(value), value.name)
        if isinstance(kind, ClassProxy):
            return ("named tuple", kind, (), tuple(value))
        if (
            description := known_types.describe(value) or known_types.describe_argument(value)
        ) is not None:
            return ("copy", description)
        if isinstance(value, types.ModuleType) and is_installed(value):
            return ("module", value.__name__)
        if named := importable_name(value):
            return ("named", *named)
        if isinstance(value, type):
            name = value.__name__
            if dict.get(self._names, name) is value:
                return ("main", name)
            raise CodecError(f"the class {name}")
        if isinstance(value, (types.FunctionType, types.MethodType, types.BuiltinFunctionType)):
            return self._wrap_function(value)
        return self._wrap_object(value, kind)

    def _wrap_proxy(self, proxy: Any) -> tuple[Any, ...]:
        if self._outdated.get(id(proxy)) is proxy:
            raise CodecError(f"{what(proxy)}, which was in a process that has ended")
        self._hold(proxy)
        return ("yours", proxy._number)

    def _wrap_object(self, value: Any, kind: Any) -> tuple[Any, ...]:
        own = dict.get(self._names, kind.__name__) is kind
        if isinstance(value, enum.Enum) and (own or importable_name(kind)):
            return (
                "member",
                kind,
                value._name_,
                value._value_ if isinstance(value, enum.Flag) else None,
            )
        if isinstance(value, tuple) and type(getattr(kind, "_fields", None)) is tuple:
            if importable_name(kind):
                return ("named tuple", kind, kind._fields, tuple(tuple.__iter__(value)))
            return ("main tuple", kind.__name__, kind._fields, tuple(tuple.__iter__(value)))
        if own:
            return self._wrap_instance(value)
        base = content_base(kind)
        if base is not None and is_of_python(kind) and importable_name(kind):
            return ("content", kind, content_of(value, base), state_of(value)[0])
        if isinstance(value, types.GeneratorType):
            return self._wrap_iterator(value)
        if isinstance(value, Iterator) and kind.__module__ in ("builtins", "itertools"):
            self._student.hold(
                f"an object of the type {kind.__name__} is handed over as a generator"
            )
            return self._wrap_iterator(value)
        if callable(value):
            self._student.hold(
                f"an object of the type {kind.__name__} is handed over as a function"
            )
            return self._wrap_function(value)
        if isinstance(value, Iterator) and not isinstance(value, io.IOBase):
            self._student.hold(
                f"an iterator of the type {kind.__name__} is handed over as one that gives items "
                "and does no more"
            )
            return self._wrap_iterator(value)
        raise CodecError(f"an object of the type {kind.__name__}")

    def _wrap_iterator(self, iterator: Iterator[Any]) -> tuple[Any, ...]:
        return (
            "iterator",
            self._callback_number(iterator, NextItem),
            isinstance(iterator, types.GeneratorType),
        )

    def _wrap_function(self, function: Any) -> tuple[Any, ...]:
        try:
            parameters = tuple(
                (p.name, int(p.kind), p.default is not p.empty)
                for p in inspect.signature(function).parameters.values()
            )
        except (TypeError, ValueError):
            parameters = None
        is_function = isinstance(function, types.FunctionType)
        if isinstance(function, (types.MethodType, types.BuiltinFunctionType)):
            self._student.hold(f"the method {function.__name__} is handed over as a function")
        about = tuple(
            one if type(one := getattr(function, name, None)) is str else None
            for name in ("__name__", "__doc__")
        )
        return ("callback", self._callback_number(function), about, is_function, parameters)

    def _wrap_instance(self, value: Any) -> tuple[Any, ...]:
        for number, one in enumerate(self.heap):
            if one is value:
                return ("instance", number)
        self.heap.append(value)
        return ("instance", len(self.heap) - 1)

    def _callback_number(self, value: Any, kept_as: Any = lambda value: value) -> int:
        number = self._callback_numbers.get(id(value))
        if number is None:
            self._callbacks.append(kept_as(value))
            number = self._callback_numbers[id(value)] = len(self._callbacks) - 1
        return number

    @property
    def count(self) -> int:
        """How many functions and iterators the box has been handed."""
        return len(self._callbacks)

    def source_of(self, number: int) -> ReferenceAnswer | None:
        """Return the reference that has this number, or that has returned what has it."""
        found = self._callbacks[number]
        return found if type(found) is ReferenceAnswer else self.returned.get(number)

    def callback(self, number: Any) -> Any:
        """Return what the box may call by a number.

        Raises
        ------
        IndexError, TypeError
            where there is none.
        """
        if type(number) is not int or number < 0:
            raise TypeError(number)
        return self._callbacks[number]

    # ------------------------------------------------ from the box

    def unwrap(self, said: Any) -> Any:
        """Return what something that the box has sent stands for.

        Raises
        ------
        CodecError
            where it stands for nothing.
        """
        match said:
            case ("copy", (str(name), *_) as description) if name not in known_types.ONLY_ARGUMENTS:
                return known_types.build(description)
            case ("of any object", str(name)) if isinstance(
                found := getattr(object, name, None), OF_ANY_OBJECT
            ):
                return found
            case ("named", str(module), str(name)):
                return self._named(module, name)
            case ("module", str(name)):
                return self._module(name)
            case ("instance", int(number)) if 0 <= number < len(self.heap):
                return self.heap[number]
            case ("yours", int(number)) if 0 <= number < len(self._callbacks):
                found, source = self._callbacks[number], self.source_of(number)
                if source is not None and not source.is_alive:
                    raise CodecError("a function that stood in for an answer")
                return found.iterator if type(found) is NextItem else found
            case ("member", type() as kind, name, value) if not is_proxy(kind):
                return member(kind, name, value)
            case ("named tuple", type() as kind, tuple(fields), tuple(values)):
                return self._named_tuple(kind, fields, values)
            case ("content", type() as kind, content, dict(attributes)) if not is_proxy(kind):
                return _with_content(kind, content, attributes)
            case ("identities", tuple(numbers)):
                self.identities = numbers
                return None
            case ("object", int(number), facts):
                return self._object(number, ObjectDescription.from_tuple(facts))
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

    def _object(self, number: int, facts: ObjectDescription) -> Any:
        proxy = self.proxies.get(number)
        if proxy is not None:
            self._hold(proxy)
            return proxy
        own = dict.get(self._names, facts.type_name) if facts.type_module == "__main__" else None
        if facts.kind == "class":
            if "BaseException" in facts.bases:
                return exception_class((facts.type_name, *facts.bases), self.exceptions)
            proxy = (
                own
                if isinstance(own, type)
                else make_class_proxy(self._student, number, facts, self._known_bases(facts))
            )
        elif (
            isinstance(own, type)
            and not is_proxy(own)
            and facts.kind in ("object", "callable", "iterator")
        ):
            return self._copy_of(number, own)
        elif f"enum{DOT}Enum" in facts.bases and (kind := library_class(facts)):
            return self._copy_of(number, kind)
        else:
            proxy = self._proxy(number, facts)
        self.proxies[number] = proxy
        return proxy

    def _proxy(self, number: int, facts: ObjectDescription) -> Any:
        kind = self._proxy_classes.get(facts)
        computes = (
            facts.type_name in self._trust.student_classes and facts.type_module == "__main__"
        )
        if kind is None:
            kind = self._proxy_classes[facts] = make_proxy_class(self._student, facts, computes)
        proxy = kind(self._student, number, facts)
        self._hold(proxy)
        return proxy

    def _hold(self, proxy: Any) -> None:
        """Remember that the test holds an object into which C functions, or its own comparisons,
        may want to look.
        """
        facts = proxy._facts if is_proxy(proxy) else None
        if (
            facts
            and facts.kind in ("object", "callable")
            and (not proxy._computes or DATA & set(facts.bases))
        ):
            self._student.hold(
                f"an object of the type {facts.type_name} stays with the student's code"
            )

    def _known_bases(self, facts: ObjectDescription) -> list[type]:
        """Return those of the classes that a student's class descends from that are known here."""
        found = [self._known_base(name) for name in facts.bases]
        return [one for one in found if isinstance(one, type) and one is not object]

    def _known_base(self, name: str) -> Any:
        own = dict.get(self._names, name)
        if isinstance(own, type) and not is_proxy(own) and own.__module__ == "__main__":
            return own
        module, _, last = name.rpartition(DOT)
        loaded = sys.modules.get(module or "builtins")
        return getattr(loaded, last, None) if loaded is not None and is_installed(loaded) else None

    def _named_tuple(self, kind: Any, fields: tuple[Any, ...], values: tuple[Any, ...]) -> Any:
        if is_proxy(kind):
            prepare_tuple_class(kind, fields)
        return named_tuple(kind, fields, values)

    def _copy_of(self, number: int, kind: type) -> Any:
        """Return an instance of a class that both sides have, with the attributes that the box's
        has.
        """
        if number in self.copies:
            return self.copies[number]
        if issubclass(kind, enum.Enum):
            attributes, _ = self._student.state(Reference(number))
            self.copies[number] = member(kind, attributes.get("_name_"), attributes.get("_value_"))
        elif issubclass(kind, (str, bytes, int, float, complex, tuple, frozenset)):
            attributes, content = self._student.state(Reference(number))
            self.copies[number] = new(kind, content)
            set_state(self.copies[number], own_attributes(kind, attributes))
        else:
            self.copies[number] = new(kind, None)
            if kind.__hash__ in (object.__hash__, None):
                self.unfilled.append(number)
            else:  # a set or dictionary may ask for its hash at once
                self._student.fill(number)
        return self.copies[number]

    def known_class(self, name: str) -> type | None:
        """Return a class of the instructor's, or of a loaded library's exceptions, by its name."""
        module, _, last = name.rpartition(DOT)
        if module:
            loaded = sys.modules.get(module)
            found = (
                getattr(loaded, last, None) if loaded is not None and is_installed(loaded) else None
            )
            return found if isinstance(found, type) and issubclass(found, BaseException) else None
        own = dict.get(self._names, name)
        return (
            own
            if isinstance(own, type)
            else getattr(builtins, name, None)
            or getattr(np.linalg, name, None)
            or getattr(np.exceptions, name, None)
        )


def _with_content(kind: type, content: Any, attributes: dict[Any, Any]) -> Any:
    """Return an object of a library's subclass of list, str and the like; of another class, its
    content alone.
    """
    base = content_base(kind)
    if base is None or type(content) is not base:
        raise CodecError("no content of an object")
    if not is_of_python(kind):
        return content
    made = new(kind, content)
    set_state(made, own_attributes(kind, attributes), content)
    return made
