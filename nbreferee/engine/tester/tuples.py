"""Named tuples of students' classes: real tuples in the tester, whose methods stay in the box."""

from __future__ import annotations

import keyword
import operator
from typing import Any

from nbreferee.engine.tester.class_proxies import ClassProxy
from nbreferee.engine.wire.codec import CodecError

MOST_FIELDS = 1_000


def prepare_tuple_class(kind: ClassProxy, fields: tuple[Any, ...]) -> None:
    """Give a class that stands for a student's named tuple its fields; no text is compiled for it.

    Raises
    ------
    CodecError
        where it is no class of tuples, or a field is no name.
    """
    if not issubclass(type(kind), ClassProxy) or tuple not in type.__getattribute__(
        kind, "__mro__"
    ):
        raise CodecError("not a named tuple")
    if "_field_names" in type.__getattribute__(kind, "__dict__"):
        return
    if (
        len(fields) > MOST_FIELDS
        or len(set(fields)) != len(fields)
        or not all(map(_is_field, fields))
    ):
        raise CodecError("no names of fields")
    for number, name in enumerate(fields):
        type.__setattr__(kind, name, property(operator.itemgetter(number)))
    type.__setattr__(kind, "_field_names", fields)
    type.__setattr__(kind, "__repr__", _shown)
    type.__setattr__(kind, "__getattr__", _asked)


def _is_field(name: Any) -> bool:
    return (
        type(name) is str
        and name.isidentifier()
        and not keyword.iskeyword(name)
        and not name.startswith("_")
    )


def _shown(self: Any) -> str:
    names = type.__getattribute__(type(self), "_field_names")
    pairs = ", ".join(f"{name}={value!r}" for name, value in zip(names, self, strict=True))
    return f"{type(self).__name__}({pairs})"


def _asked(self: Any, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return type(self)._student.call("getattr", (self, name))
