"""The box's side of references: what stands for values that are no plain ones (see `protocol`)."""

from __future__ import annotations

import collections
import enum
import inspect
import operator
import types
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nbreferee.engine.box.stand_ins import stand_in
from nbreferee.engine.wire import known_types
from nbreferee.engine.wire.codec import CodecError, decode
from nbreferee.engine.wire.exceptions import class_names
from nbreferee.engine.wire.instances import (
    content_base,
    content_of,
    is_of_python,
    is_plain_named_tuple,
    member,
    new,
    set_state,
    state_of,
)
from nbreferee.engine.wire.protocol import MOST_CHARACTERS, ObjectDescription, importable_name

CallBack = Callable[[int, tuple[Any, ...], dict[Any, Any]], Any]
MOST_IDENTITIES, MOST_KEPT = (
    2_000,
    20_000,
)  # containers of one message, and of all, whose identities the tester is told
IN_EVERY_CLASS = frozenset(
    "__module__ __dict__ __weakref__ __doc__ __init__ __new__ __qualname__ __firstlineno__ "
    "__static_attributes__".split()
)


class Callback:
    """An object of the tester's that may be called, and is no function."""

    def __init__(self, call_back: CallBack, number: int) -> None:
        self._call_back, self._number = call_back, number

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._call_back(self._number, arguments, named)

    def __deepcopy__(self, memo: dict[int, Any]) -> Callback:
        return self


class Identities:
    """Stands in a message for which objects its containers are."""


@dataclass(frozen=True)
class ObjectTable:
    """Objects of the instructor's classes in a message."""

    instances: list[Any] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)  # of these, by id


class BoxReferences:
    """Objects that stay in the box, by number, and what stands here for those that stay in the
    tester.
    """

    def __init__(self, names: Callable[[], dict[str, Any]], call_back: CallBack) -> None:
        self._names = names  # of the notebook
        self._call_back = call_back
        self._objects: dict[int, Any] = {}
        self._numbers: dict[
            int, int
        ] = {}  # id to number; what has a number is kept, so ids stay good
        self.heap = ObjectTable()
        self._remote: dict[
            int, Any
        ] = {}  # by number: functions and iterators that stay in the tester
        self._remote_numbers: dict[int, int] = {}  # of these, by id
        self._kept: dict[
            int, tuple[int, Any]
        ] = {}  # by id: (number, container) of what the tester has been told the identity
        self._kept_count = 0

    # ------------------------------------------------ what stays in the tester

    def _remote_function(
        self,
        number: int,
        about: tuple[Any, ...],
        is_function: bool,
        parameters: tuple[Any, ...] | None,
    ) -> Any:
        if number not in self._remote:

            def function(*arguments: Any, **named: Any) -> Any:
                return self._call_back(number, arguments, named)

            made: Any = function if is_function else Callback(self._call_back, number)
            if about[0] is not None or is_function:
                made.__name__ = made.__qualname__ = about[0] or "function"
            made.__doc__, made.__module__ = about[1], "__main__"
            if parameters is not None:
                made.__signature__ = inspect.Signature(
                    [
                        inspect.Parameter(
                            name,
                            inspect._ParameterKind(kind),
                            default=None if optional else inspect.Parameter.empty,
                        )
                        for name, kind, optional in parameters
                    ]
                )
            self._keep_remote(number, made)
        return self._remote[number]

    def _stand_in(self, number: int, name: str) -> Any:
        return self._remote.get(number) or self._keep_remote(
            number, stand_in(self._call_back, number, name)
        )

    def _remote_iterator(self, number: int, is_generator: bool) -> Any:
        generator = self._remote.get(number)
        if generator is None or inspect.getgeneratorstate(generator) == inspect.GEN_CLOSED:
            generator = self._keep_remote(number, self._items(number))
        return generator

    def _keep_remote(self, number: int, made: Any) -> Any:
        self._remote[number] = made
        self._remote_numbers[id(made)] = number
        return made

    def _items(self, number: int) -> Generator[Any, Any, Any]:
        """Give the items of an iterator that stays in the tester, one by one."""
        sent: tuple[Any, ...] = ()
        while True:
            what, value = self._call_back(number, sent, {})
            if what == "end":
                return value
            got = yield value
            sent = () if got is None else (got,)

    # ------------------------------------------------ values and references

    def wrap(self, value: Any) -> tuple[Any, ...]:
        if (
            id(value) in self._remote_numbers
            and self._remote[self._remote_numbers[id(value)]] is value
        ):
            return ("yours", self._remote_numbers[id(value)])
        if id(value) in self.heap.numbers:
            return ("instance", self.heap.numbers[id(value)])
        if isinstance(value, types.ModuleType):
            return ("module", value.__name__)
        description = known_types.describe(value)
        if description is not None:
            return ("copy", description)
        kind: Any = type(value)
        if isinstance(value, type) and (named := importable_name(value)):
            return ("named", *named)
        if kind in (types.WrapperDescriptorType, types.MethodDescriptorType):
            name: str = value.__name__
            if getattr(object, name, None) is value:
                return ("of any object", name)
        if is_plain_named_tuple(kind):
            return ("named tuple", kind, kind._fields, tuple(tuple.__iter__(value)))
        if is_of_python(kind) and importable_name(kind):
            if isinstance(value, enum.Enum):
                return (
                    "member",
                    kind,
                    value._name_,
                    value._value_ if isinstance(value, enum.Flag) else None,
                )
            if (base := content_base(kind)) is not None:
                return ("content", kind, content_of(value, base), state_of(value)[0])
        return ("object", self._numbered(value), self._facts(value).as_tuple())

    def _numbered(self, value: Any) -> int:
        number = self._numbers.setdefault(id(value), len(self._numbers) + 1)
        self._objects[number] = value
        return number

    def _facts(self, value: Any) -> ObjectDescription:
        kind = type(value)
        if isinstance(value, type) or kind.__module__ != "__main__":
            return _facts(value)
        return replace(_facts(value), type_number=self._numbered(kind))

    def unwrap(self, said: tuple[Any, ...]) -> Any:
        match said:
            case ("copy", description):
                return known_types.build(description)
            case ("yours", number):
                return self._objects[number]
            case ("named", module, name):
                return operator.attrgetter(name)(__import__(module, fromlist=["_"]))
            case ("module", name):
                return __import__(name, fromlist=["_"])
            case ("callback", number, about, is_function, parameters):
                return self._remote_function(number, about, is_function, parameters)
            case ("iterator", number, is_generator):
                return self._remote_iterator(number, is_generator)
            case ("reference", number, name):
                return self._stand_in(number, name)
            case ("instance", number):
                return self.heap.instances[number]
            case ("main", name):
                return self._main(name)
            case ("member", kind, name, value):
                return member(kind, name, value)
            case ("named tuple", kind, _, values):
                return tuple.__new__(kind, values)
            case ("main tuple", name, fields, values):
                kind = self._names().get(name)
                if (
                    isinstance(kind, type)
                    and issubclass(kind, tuple)
                    and getattr(kind, "_fields", None) == fields
                ):
                    return tuple.__new__(kind, values)
                return tuple.__new__(collections.namedtuple(name, fields), values)
            case ("content", kind, content, attributes):
                made = new(kind, content)
                set_state(made, attributes, content)
                return made
        raise CodecError("no such reference")

    def _main(self, name: str) -> type:
        kind = self._names().get(name)
        if not isinstance(kind, type):
            raise CodecError(f"the notebook has no class {name}")
        return kind

    def rebuild(self, heap: list[Any]) -> None:
        """Make the instructor's objects of a message: all of them first, for they may hold each
        other.
        """
        instances = [self._empty(class_name, state) for class_name, state in heap]
        self.heap = ObjectTable(
            instances, {id(one): number for number, one in enumerate(instances)}
        )
        for one, (_, state) in reversed(
            [*zip(instances, heap, strict=True)]
        ):  # the last first: others may need their hashes
            set_state(one, *decode(state, unwrap=self.unwrap))

    def _empty(self, class_name: str, state: bytes) -> Any:
        """Return an object of the instructor's without its attributes."""
        kind = self._main(class_name)
        base = content_base(kind)
        return new(kind, decode(state, unwrap=lambda said: None)[1] if base is not None else None)

    def identities(self, parts: list[Any]) -> tuple[int, ...]:
        """Return a number for each container: the same object gets the same, for as long as it is
        kept.
        """
        if len(parts) > MOST_IDENTITIES:
            return ()
        if len(self._kept) > MOST_KEPT:
            self._kept.clear()
        for one in parts:
            if id(one) not in self._kept:
                self._kept_count += 1
                self._kept[id(one)] = self._kept_count, one
        return tuple(self._kept[id(one)][0] for one in parts)


def _facts(value: Any) -> ObjectDescription:
    kinds_of_object: tuple[tuple[str, Any], ...] = (
        ("class", type),
        ("function", (types.FunctionType, types.BuiltinFunctionType, types.MethodType, np.ufunc)),
        ("coroutine", types.CoroutineType),
        ("generator", types.GeneratorType),
        ("callable", Callable),
        ("iterator", Iterator),
        ("object", object),
    )
    kind = next(name for name, type_ in kinds_of_object if isinstance(value, type_))
    described = value if isinstance(value, type) else type(value)
    bases = class_names(described)[1:]
    name = _name_of(value, kind)
    specials = _specials(described) if kind in ("callable", "iterator", "object") else ()
    return ObjectDescription(
        kind,
        name[: MOST_CHARACTERS - 1],
        described.__name__[: MOST_CHARACTERS - 1],
        str(described.__module__)[: MOST_CHARACTERS - 1],
        bases,
        specials,
    )


def _name_of(value: Any, kind: str) -> str:
    """Return an object's `__name__`, without its class's `__getattr__` being asked for it."""
    try:
        name = (
            value.__name__
            if kind in ("class", "function", "coroutine", "generator")
            else object.__getattribute__(value, "__name__")
        )
    except Exception:
        return ""
    return str(name or "")


def _specials(kind: type) -> tuple[str, ...]:
    """Return the special methods and attributes of a class beyond those that any object has."""
    names = {
        name
        for base in kind.__mro__[:-1]
        for name in vars(base)
        if type(name) is str and name.startswith("__") and name.endswith("__")
    }
    return tuple(sorted(names - IN_EVERY_CLASS) + ["unhashable"] * (kind.__hash__ is None))
