"""Objects of classes that both sides have, taken apart and put together: no code of the class
runs.
"""

from __future__ import annotations

import collections
import enum
import sys
from collections.abc import Callable, Mapping
from typing import Any

from nbreferee.engine.wire.codec import CodecError

MUTABLE = (list, dict, set, bytearray, collections.deque)
IMMUTABLE = (str, bytes, int, float, complex, tuple, frozenset)
PLAIN_TUPLE = frozenset(
    {  # what a named tuple defines without its author's doing
        "__module__",
        "__doc__",
        "__dict__",
        "__slots__",
        "__new__",
        "__repr__",
        "__getnewargs__",
        "__match_args__",
        "__annotations__",
        "__orig_bases__",
        "__replace__",
        "__weakref__",
        "__annotate__",
        "__annotate_func__",
        "__annotations_cache__",
        "__static_attributes__",
        "__firstlineno__",
    }
)


def content_base(kind: type) -> Any:
    """Return the plain type that a class extends; None where its objects hold nothing but
    attributes.
    """
    return next((base for base in (*MUTABLE, *IMMUTABLE) if issubclass(kind, base)), None)


NUMBERS: dict[type, Callable[[Any], Any]] = {
    int: int.__int__,
    float: float.__float__,
    complex: lambda one: complex(complex.__pos__(one)),
}


def content_of(value: Any, base: Any) -> Any:
    """Return what an object holds as an object of a plain type."""
    if base in NUMBERS:
        return NUMBERS[base](value)
    if base is dict:
        return dict(dict.items(value))
    return (
        base(value[:])
        if base is bytearray
        else base(base.__iter__(value))
        if base is not str
        else str.__getitem__(value, slice(None))
    )


def state_of(value: Any) -> tuple[dict[str, Any], Any]:
    """Return the attributes of an object, in its dictionary or in slots, and what else it holds."""
    kind = type(value)
    attributes = dict(getattr(value, "__dict__", None) or {})
    for base in kind.__mro__:
        names = vars(base).get("__slots__", ())
        for name in (names,) if isinstance(names, str) else names:
            private = (
                f"_{base.__name__.lstrip('_')}{name}"
                if name.startswith("__") and not name.endswith("__")
                else name
            )
            descriptor: Any = vars(base).get(private)
            if name not in ("__dict__", "__weakref__") and hasattr(descriptor, "__get__"):
                try:
                    attributes[private] = descriptor.__get__(value, kind)
                except AttributeError:  # not set yet
                    continue
    extended = content_base(kind)
    return attributes, None if extended is None else content_of(value, extended)


def new(kind: type, content: Any) -> Any:
    """Return an object of a class without calling its `__init__`, and for plain types without its
    `__new__`.

    Raises
    ------
    CodecError
        where the class does not allow that.
    """
    base = content_base(kind)
    try:
        if base is None:
            return object.__new__(kind)
        return base.__new__(kind) if base in MUTABLE else base.__new__(kind, content)
    except TypeError:
        raise CodecError(f"an object of the class {kind.__name__}") from None


def set_state(one: Any, attributes: Mapping[str, Any], content: Any = None) -> None:
    """Give an object its attributes, and for a list and the like what it holds."""
    for name, value in attributes.items():
        object.__setattr__(one, name, value)
    base = content_base(type(one))
    if base in MUTABLE:
        base.clear(one)
        if base in (dict, set):
            base.update(one, content)
        else:
            base.extend(one, content)


def is_plain_named_tuple(kind: type) -> bool:
    """Tell whether the objects of a class are tuples with names and methods, but with no operators
    of their own.
    """
    if not issubclass(kind, tuple) or type(getattr(kind, "_fields", None)) is not tuple:
        return False
    own = {name for base in kind.__mro__ if base not in (tuple, object) for name in vars(base)}
    return not {name for name in own if name.startswith("__") and name.endswith("__")} - PLAIN_TUPLE


def named_tuple(kind: type, fields: Any, values: Any) -> Any:
    """Return a tuple of a class, if it has as many values as that has names.

    Raises
    ------
    CodecError
        where it has not.
    """
    if (
        type(values) not in (tuple, list)
        or not issubclass(kind, tuple)
        or len(getattr(kind, "_fields", values)) != len(values)
    ):
        raise CodecError("not a named tuple")
    return tuple.__new__(kind, values)


def member(kind: type, name: Any, value: Any) -> Any:
    """Return a member of an enumeration, or a combination of flags.

    Raises
    ------
    CodecError
        where there is none.
    """
    members = getattr(kind, "__members__", {}) if issubclass(kind, enum.Enum) else {}
    if type(name) is str and name in members:
        return members[name]
    if issubclass(kind, enum.Flag) and type(value) is int:
        try:
            return kind(value)
        except Exception:
            raise CodecError("no such member") from None
    raise CodecError("no such member")


def is_of_python(kind: type) -> bool:
    """Tell whether a class is of the standard library or of IPython."""
    package = kind.__module__.partition(".")[0]
    return package == "IPython" or (package in sys.stdlib_module_names and package != "__main__")
