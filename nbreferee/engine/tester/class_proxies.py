"""What a test holds in place of a student's class: a class of the tester's own, each use of which
is a question to the box.
"""

from __future__ import annotations

import sys
from typing import Any

from nbreferee.engine.wire.codec import CodecError
from nbreferee.engine.wire.protocol import ObjectDescription

# What libraries look for to see an object's memory, to take it apart or to give their work to it;
# and what leads to all names of the notebook.
NEVER_ASKED = frozenset(
    {
        "__dataframe__",
        "__arrow_c_array__",
        "__arrow_c_stream__",
        "__arrow_c_schema__",
        "__cuda_array_interface__",
        "__dlpack__",
        "__dlpack_device__",
        "__torch_function__",
        "__buffer__",
        "__release_buffer__",
        "__reduce__",
        "__getstate__",
        "__setstate__",
        "__getnewargs__",
        "__getnewargs_ex__",
        "__getattribute__",
        "__getattr__",
        "__subclasshook__",
        "__init_subclass__",
        "__globals__",
        "__builtins__",
    }
)


class ClassProxy(type):
    """The class of a class that stays in the box.

    Such a class is a real one here, derived from those of its bases that are known: so `isinstance`
    and `issubclass` work with Python's own classes, libraries' and the instructor's.
    """

    def __new__(cls, name: str, bases: tuple[Any, ...], namespace: dict[Any, Any], **_: Any) -> Any:
        theirs = next(base for base in bases if isinstance(base, ClassProxy))
        theirs._student.note_limit(
            f"a class is derived from the class {theirs._facts.type_name}, which stays with the "
            "student's code"
        )
        raise TypeError(
            f"a test cannot derive a class from the class {theirs._facts.type_name}, which stays "
            "in the notebook"
        )

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        return cls._student.call(cls, arguments, named)

    def __getattribute__(cls, name: str) -> Any:
        if name in ("_student", "_number", "_facts", "__class__"):
            return type.__getattribute__(cls, name)
        student, facts = cls._student, cls._facts
        if name == "__dict__":
            return student.attributes(cls)
        if name == "__signature__":
            return student.signature(cls)
        if name == "__name__":
            return facts.type_name
        if name == "__module__":
            return facts.type_module
        if name == "__bases__":
            return tuple(student.call("getattr", (cls, name)))
        if name in NEVER_ASKED or name.startswith("__array"):
            return type.__getattribute__(cls, name)
        return student.call("getattr", (cls, name))

    def __setattr__(cls, name: str, value: Any) -> None:
        cls._student.call("setattr", (cls, name, value))

    def __delattr__(cls, name: str) -> None:
        cls._student.call("delattr", (cls, name))

    def __dir__(cls) -> list[str]:
        names: list[str] = cls._student.call("dir", (cls,))
        return names

    def __repr__(cls) -> str:
        return str(cls._student.call("repr", (cls,)))

    def __len__(cls) -> int:
        length: int = cls._student.call("len", (cls,))
        return length

    def __bool__(cls) -> bool:
        return True

    def __iter__(cls) -> Any:
        return cls._student.call("iter", (cls,))

    def __reversed__(cls) -> Any:
        return cls._student.call("reversed", (cls,))

    def __getitem__(cls, key: Any) -> Any:
        return cls._student.call("getitem", (cls, key))

    def __contains__(cls, item: Any) -> bool:
        return bool(cls._student.call("contains", (cls, item)))

    def __instancecheck__(cls, one: Any) -> bool:
        return bool(type.__instancecheck__(cls, one) or cls._student.is_of("isinstance", one, cls))

    def __subclasscheck__(cls, one: Any) -> bool:
        if (
            type.__subclasscheck__(cls, one) or sys._getframe(1).f_globals.get("__name__") == "abc"
        ):  # which looks at all subclasses there are
            return type.__subclasscheck__(cls, one)
        return bool(cls._student.is_of("issubclass", one, cls))


class _Unset:
    """Stands for the box while a class proxy is made, when `__init_subclass__` of a base may use
    the class.

    In the box it has set its attributes before. A question about a class that is not known yet
    would have no end.
    """

    def call(self, function: Any, arguments: tuple[Any, ...], named: Any = None) -> None:
        """Drop what changes the class, and answer no question."""
        if function not in ("setattr", "delattr"):
            raise AttributeError(f"{function} of a class that is not known yet")


class _Unprepared:
    """A first base, which keeps other bases from preparing a class: they may want arguments that
    stay in the box.
    """

    __slots__ = ()

    def __init_subclass__(cls, **_: Any) -> None:
        """Do nothing."""


def make_class_proxy(student: Any, number: int, facts: ObjectDescription, bases: list[type]) -> Any:
    """Return a class that stands for one in the box, derived from known ones where Python allows
    it.
    """
    shadowed = {base for one in bases for base in one.__mro__[1:]}
    known = [one for one in bases if one not in shadowed]
    namespace = {
        "_student": _Unset(),
        "_number": number,
        "_facts": facts,
        "__module__": facts.type_module,
    }
    for parents in (
        known,
        [_Unprepared, *known],
        [one for one in known if one.__module__ == "builtins"],
        [],
    ):
        try:
            metas = {type(one) for one in parents} - {type}
            meta = type("type", (ClassProxy, *metas), {}) if metas else ClassProxy
            made: Any = type.__new__(
                meta, facts.type_name, tuple(parents) or (object,), dict(namespace)
            )
            type.__setattr__(made, "_student", student)
            return made
        except (
            Exception
        ):  # the instructor's class may not want to be derived from, or classes do not go together
            continue
    raise CodecError("no such class")
