"""What a test holds in place of a student's function or object: each use of it is a question to the
box.

An object that stays in the box can answer anything. So it is never asked for a verdict: what
compares or computes with a value of the test raises, unless the exercise is about that class. Its
attributes and what its methods return are values like any other.

A proxy has those special methods that the class of its object has, and no others: so Python and its
libraries treat it as they would treat the object. Where they would look for more than a proxy can
give, that is noted (`Student.note_limit`).
"""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable
from typing import Any, SupportsIndex

import numpy as np

from nbreferee.engine.tester.class_proxies import NEVER_ASKED, ClassProxy
from nbreferee.engine.wire.codec import CodecError
from nbreferee.engine.wire.exceptions import described
from nbreferee.engine.wire.protocol import ObjectDescription, is_installed

Student = Any  # engine.student.Student, which makes proxies

# attributes with special names that functions and objects may have beyond those of their class
ALWAYS_ASKED = frozenset(
    {
        "__name__",
        "__qualname__",
        "__doc__",
        "__module__",
        "__code__",
        "__defaults__",
        "__kwdefaults__",
        "__annotations__",
        "__closure__",
        "__type_params__",
        "__self__",
        "__func__",
        "__dict__",
        "__slots__",
        "__mro__",
        "__dataclass_fields__",
        "__dataclass_params__",
        "__wrapped__",
    }
)
HARMLESS = {
    "property",
    "staticmethod",
    "classmethod",
    "map",
    "filter",
    "zip",
    "enumerate",
    "reversed",
}  # types of Python's that hold no value
DATA = {
    "list",
    "dict",
    "tuple",
    "set",
    "frozenset",
    "str",
    "bytes",
    "bytearray",
    "int",
    "float",
    "complex",
}  # whose C functions look inside
FUNCTION_TYPES = {
    "method": types.MethodType,
    "builtin_function_or_method": types.BuiltinFunctionType,
    "ufunc": np.ufunc,
}
COMPARISONS = ("lt", "le", "eq", "ne", "gt", "ge")
OPERATORS = (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and_",
    "or_",
    "xor",
    "lshift",
    "rshift",
    "divmod",
)
COMPUTED = ("neg", "pos", "abs", "invert", "contains", "round", "trunc", "floor", "ceil")
ASKED = (
    "len",
    "iter",
    "next",
    "reversed",
    "length_hint",
    "getitem",
    "setitem",
    "delitem",
    "bool",
    "float",
    "int",
    "complex",
    "index",
    "fspath",
    "bytes",
    "enter",
    "aiter",
    "anext",
    "aenter",
    "aexit",
)


class Proxy:
    """Something that stays in the box."""

    __slots__ = ("__weakref__", "_facts", "_number", "_student")
    __array_ufunc__ = None  # NumPy leaves operators to us
    _computes = False  # whether the exercise is about this class

    def __init__(self, student: Student, number: int, facts: ObjectDescription) -> None:
        object.__setattr__(self, "_student", student)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_facts", facts)

    def __getattr__(self, name: str) -> Any:
        if name == "__dict__":
            return self._student.attributes(self)
        if not may_be_asked(self._student, self._facts, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self._student.call("getattr", (self, name))

    def __setattr__(self, name: str, value: Any) -> None:
        self._student.call("setattr", (self, name, value))

    def __delattr__(self, name: str) -> None:
        self._student.call("delattr", (self, name))

    def __dir__(self) -> list[str]:
        names: list[str] = self._student.call("dir", (self,))
        return names

    def __repr__(self) -> str:
        return str(self._student.call("repr", (self,)))

    def __str__(self) -> str:
        return str(self._student.call("str", (self,)))

    def __hash__(self) -> int:
        number: int = self._student.call("hash", (self,)) if self._computes else self._number
        return number

    def __format__(self, spec: str) -> str:
        return str(self._student.call("format", (self, spec)))

    def __eq__(self, other: object) -> Any:
        return self._compared("eq", other)

    def __ne__(self, other: object) -> Any:
        return self._compared("ne", other)

    def __copy__(self) -> Any:
        return self._student.call("copy", (self,))

    def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
        return self._student.call("deepcopy", (self,))

    def __sizeof__(self) -> int:
        size: int = self._student.call("sizeof", (self,))
        return size

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        self._student.note_limit(
            f"{self._what()} stays with the student's code: it cannot be pickled here"
        )
        raise TypeError(f"cannot pickle {self._what()}, which stays in the notebook")

    def __array__(self, *_: Any, **__: Any) -> Any:
        self._student.note_limit(
            f"{self._what()} stays with the student's code: it is not a plain array"
        )
        raise TypeError(f"{self._what()} is not a plain array")

    def _what(self) -> str:
        return f"an object of the type {self._facts.type_name}"

    def _must_compute(self) -> None:
        if not self._computes:
            self._student.note_limit(
                f"{self._what()} stays with the student's code: it is not a plain value"
            )
            raise TypeError(
                f"{self._what()} is not a plain value: it cannot be compared or computed with"
            )

    def _compared(self, name: str, other: object) -> Any:
        if not self._computes and (
            other is None
            or isinstance(other, types.FunctionType)
            or is_proxy(other)
            or isinstance(other, type)
        ):
            if self is not other and f"__{name}__" in self._facts.specials:
                self._student.note_limit(
                    f"{self._what()} stays with the student's code: it is compared as the same "
                    "object or another"
                )
            return (self is other) is (name == "eq") if name in ("eq", "ne") else NotImplemented
        self._must_compute()
        return self._student.call(name, (self, other))


def is_proxy(one: Any) -> bool:
    """Tell whether this stands for something that stays in the box."""
    return issubclass(type(one), (Proxy, ClassProxy))


def what(one: Any) -> str:
    """Say in a few words what a proxy stands for."""
    return f"the class {one._facts.type_name}" if isinstance(one, ClassProxy) else one._what()


def may_be_asked(student: Student, facts: ObjectDescription, name: str) -> bool:
    """Tell whether the box may be asked for an attribute; note it where the object has it and the
    answer is no.
    """
    if not (name.startswith("__") and name.endswith("__")) or name in ALWAYS_ASKED:
        return True
    if name in NEVER_ASKED or name.startswith("__array"):
        if name in facts.specials or name in ("__globals__", "__builtins__"):
            student.note_limit(
                f"the attribute {name} of {facts.name or facts.type_name} stays with the "
                "student's code"
            )
        return False
    return name in facts.specials


# -------------------------------- special methods, for the classes that have them


def _asking(name: str) -> Callable[..., Any]:
    def ask(self: Proxy, *others: Any) -> Any:
        return self._student.call(name, (self, *others))

    return ask


def _comparing(name: str) -> Callable[..., Any]:
    return lambda self, other: self._compared(name, other)


def _computing(name: str, reflected: bool = False) -> Callable[..., Any]:
    def compute(self: Proxy, *others: Any) -> Any:
        self._must_compute()
        return self._student.call(name, (*others, self) if reflected else (self, *others))

    return compute


def _leave(self: Proxy, *error: Any) -> Any:
    raised = None if error[1] is None else described(error[1]).as_tuple()
    return self._student.call("exit", (self, raised))


def _call(self: Proxy, *arguments: Any, **named: Any) -> Any:
    return self._student.call(self, arguments, named)


def _await(self: Proxy) -> Any:
    return (yield from _Done(self._student.run_to_end(self)))


class _Done:
    """An iterator that gives nothing and returns a value."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __iter__(self) -> _Done:
        return self

    def __next__(self) -> Any:
        raise StopIteration(self._value)


SPECIAL_METHODS: dict[str, Any] = {
    **{f"__{name}__": _asking(name) for name in ASKED},
    **{f"__{name}__": _comparing(name) for name in COMPARISONS},
    **{f"__{name.strip('_')}__": _computing(name) for name in OPERATORS + COMPUTED},
    **{
        f"__i{name.strip('_')}__": _computing(f"i{name.strip('_')}")
        for name in OPERATORS
        if name != "divmod"
    },
    **{f"__r{name.strip('_')}__": _computing(name, reflected=True) for name in OPERATORS},
    "__exit__": _leave,
    "__call__": _call,
    "__await__": _await,
    "__signature__": property(lambda self: self._student.signature(self)),
    "__dataclass_fields__": property(
        lambda self: self._student.call("getattr", (self, "__dataclass_fields__"))
    ),
}
REFLECTED = tuple(f"__r{name.strip('_')}__" for name in OPERATORS)


# -------------------------------- functions, iterators and coroutines


class CallableProxy(Proxy):
    """An object that may be called."""

    __slots__ = ()
    __call__ = _call

    @property
    def __signature__(self) -> inspect.Signature:
        signature: inspect.Signature = self._student.signature(self)
        return signature


class FunctionProxy(CallableProxy):
    """A function, a method or the like."""

    __slots__ = ()
    __class__ = property(lambda self: FUNCTION_TYPES.get(self._facts.type_name, types.FunctionType))

    @property
    def __name__(self) -> str:
        name: str = self._facts.name
        return name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Return a method, where a test has put a student's function into a class of its own."""
        return (
            self
            if instance is None or self._facts.type_name != "function"
            else types.MethodType(self, instance)
        )

    def __copy__(self) -> FunctionProxy:
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> FunctionProxy:
        return self

    def _what(self) -> str:
        return f"the function {self._facts.name}"


class IteratorProxy(Proxy):
    """A generator or another iterator."""

    __slots__ = ()
    __next__ = _asking("next")

    def __iter__(self) -> IteratorProxy:
        return self


class GeneratorProxy(IteratorProxy):
    """A generator."""

    __slots__ = ()
    __class__ = property(lambda self: types.GeneratorType)


class CoroutineProxy(Proxy):
    """A coroutine: it runs in the box, to its end, when it is awaited."""

    __slots__ = ()
    __class__ = property(lambda self: types.CoroutineType)
    __await__ = _await

    def send(self, value: None) -> None:
        """Run it; what it returns is the value of StopIteration."""
        raise StopIteration(self._student.run_to_end(self))

    def throw(self, *error: Any) -> None:
        """Raise an exception, for it waits nowhere."""
        raise error[0]

    def close(self) -> None:
        """Do not run it."""
        self._student.call("getattr", (self, "close"))()


def type_of(one: Any) -> Any:
    """Return what type(one) would be if all ran in one namespace."""
    if isinstance(one, ClassProxy):
        return type
    if not issubclass(type(one), Proxy):
        return type(one)
    if isinstance(one, (FunctionProxy, GeneratorProxy, CoroutineProxy)):
        return one.__class__
    return (
        one._student.call("type", (one,)) if one._facts.type_module == "__main__" else one.__class__
    )


# What a test asks for is the documentation of the student's, not ours.
DOCUMENTATION = property(lambda self: self._student.call("getattr", (self, "__doc__")))
for _kind in (Proxy, CallableProxy, FunctionProxy, IteratorProxy, GeneratorProxy, CoroutineProxy):
    _kind.__doc__ = DOCUMENTATION  # type: ignore[assignment]  # it is asked of objects
for _kind, _name in (
    (FunctionProxy, "function"),
    (GeneratorProxy, "generator"),
    (CoroutineProxy, "coroutine"),
):
    _kind.__name__ = _kind.__qualname__ = _name  # type: ignore[method-assign]  # as type(f).__name__ has it

KINDS = {
    "function": FunctionProxy,
    "coroutine": CoroutineProxy,
    "generator": GeneratorProxy,
    "callable": CallableProxy,
    "iterator": IteratorProxy,
    "object": Proxy,
}
ONLY_THESE = (FunctionProxy, GeneratorProxy, CoroutineProxy)  # whose classes are Python's own


def make_proxy_class(student: Student, facts: ObjectDescription, computes: bool) -> type:
    """Return the class of proxies of objects with these facts; it has the name that their class
    has.

    Raises
    ------
    CodecError
        where there is no such kind.
    """
    base = KINDS.get(facts.kind)
    if base is None:
        raise CodecError("no such kind of object")
    if base in ONLY_THESE:
        return base
    contents: dict[str, Any] = {
        name: SPECIAL_METHODS[name] for name in facts.specials if name in SPECIAL_METHODS
    }
    contents |= {"__slots__": (), "_computes": computes, "__doc__": DOCUMENTATION}
    contents["__hash__"] = None if "unhashable" in facts.specials else Proxy.__hash__
    if computes and DATA & set(
        facts.bases
    ):  # [1] + x is no question of x's class where that is a list
        contents |= {name: SPECIAL_METHODS[name] for name in REFLECTED if name not in contents}
    if facts.type_module == "__main__":
        contents["__class__"] = property(lambda self: student.class_of(self))
    elif claimed := library_class(facts):
        contents["__class__"] = property(lambda self: claimed)
    return type(facts.type_name, (base,), contents)


def library_class(facts: ObjectDescription) -> type | None:
    """Return the class of a loaded library that the object says it is of; plain values are none."""
    module = sys.modules.get(facts.type_module)
    if (
        module is None
        or facts.type_module.partition(".")[0] in ("numpy", "__main__")
        or not is_installed(module)
    ):
        return None
    if facts.type_module == "builtins" and facts.type_name not in HARMLESS:
        return {"async_generator": types.AsyncGeneratorType}.get(facts.type_name)
    found = getattr(module, facts.type_name, None)
    return found if isinstance(found, type) else None
