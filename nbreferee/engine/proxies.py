"""What a test holds in place of a student's function, class or object: each use of it is a question to the box.

An object that stays in the box can answer anything. So it is never asked for a verdict: what compares
or computes with a value of the test raises, unless the exercise is about that class. Its attributes
and what its methods return are values like any other.
"""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable
from typing import Any

from nbreferee.codec import CodecError
from nbreferee.engine.conversation import Facts, is_installed
from nbreferee.engine.exceptions import described

Student = Any  # engine.student.Student, which makes proxies

# What Python and its libraries look for in any object, to treat it in a special way.
ATTRIBUTES_OF_FUNCTIONS = {"__name__", "__qualname__", "__doc__", "__code__", "__defaults__", "__kwdefaults__", "__annotations__", "__closure__"}
ATTRIBUTES_OF_OBJECTS = {"__dict__", "__doc__", "__slots__", "__mro__", "__dataclass_fields__", "__dataclass_params__", "__wrapped__"}
HARMLESS = {"property", "staticmethod", "classmethod", "map", "filter", "zip", "enumerate", "reversed"}  # types of Python's that hold no value
COMPARISONS = ("lt", "le", "eq", "ne", "gt", "ge")
OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and_", "or_", "xor", "lshift", "rshift")
UNARY = ("neg", "pos", "abs", "invert")


class Proxy:
    """Something that stays in the box."""

    __slots__ = ("__weakref__", "_facts", "_number", "_student")
    __array_ufunc__ = None  # NumPy leaves operators to us
    _computes = False  # whether the exercise is about this class

    def __init__(self, student: Student, number: int, facts: Facts) -> None:
        object.__setattr__(self, "_student", student)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_facts", facts)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__") and name not in ATTRIBUTES_OF_FUNCTIONS | ATTRIBUTES_OF_OBJECTS:
            raise AttributeError(name)
        if name == "__dict__":
            return self._student.attributes(self)
        return self._student.call("getattr", (self, name))

    def __setattr__(self, name: str, value: Any) -> None:
        self._student.call("setattr", (self, name, value))

    def __delattr__(self, name: str) -> None:
        self._student.call("delattr", (self, name))

    def __dir__(self) -> list[str]:
        return self._student.call("dir", (self,))

    def __repr__(self) -> str:
        return str(self._student.call("repr", (self,)))

    def __str__(self) -> str:
        return str(self._student.call("str", (self,)))

    def __hash__(self) -> int:
        return self._student.call("hash", (self,)) if self._computes else self._number

    def __round__(self, *digits: int) -> Any:
        self._must_compute()
        return self._student.call("round", (self, *digits))

    def __format__(self, spec: str) -> str:
        return str(self._student.call("format", (self, spec)))

    def __len__(self) -> int:
        return self._student.call("len", (self,))

    def __bool__(self) -> bool:
        return bool(self._student.call("bool", (self,))) if self._computes else True

    def __float__(self) -> float:
        return self._student.call("float", (self,))

    def __int__(self) -> int:
        return self._student.call("int", (self,))

    def __iter__(self) -> Any:
        return self._student.call("iter", (self,))

    def __getitem__(self, key: Any) -> Any:
        return self._student.call("getitem", (self, key))

    def __setitem__(self, key: Any, value: Any) -> None:
        self._student.call("setitem", (self, key, value))

    def __delitem__(self, key: Any) -> None:
        self._student.call("delitem", (self, key))

    def __contains__(self, item: Any) -> bool:
        self._must_compute()
        return bool(self._student.call("contains", (self, item)))

    def __enter__(self) -> Any:
        return self._student.call("enter", (self,))

    def __exit__(self, *error: Any) -> Any:
        return self._student.call("exit", (self, None if error[1] is None else described(error[1])))

    def __array__(self, *_: Any, **__: Any) -> Any:
        self._student.note_limit(f"{self._what()} stays with the student's code: it is not a plain array")
        raise TypeError(f"{self._what()} is not a plain array")

    def _what(self) -> str:
        return f"an object of the type {self._facts.type_name}"

    def _must_compute(self) -> None:
        if not self._computes:
            self._student.note_limit(f"{self._what()} stays with the student's code: it is not a plain value")
            raise TypeError(f"{self._what()} is not a plain value: it cannot be compared or computed with")


def _comparison(name: str) -> Callable[..., Any]:
    def compare(self: Proxy, other: Any) -> Any:
        if not self._computes and (other is None or isinstance(other, (Proxy, type, types.FunctionType))):
            return (self is other) is (name == "eq") if name in ("eq", "ne") else NotImplemented
        self._must_compute()
        return self._student.call(name, (self, other))

    return compare


def _operator(name: str, reflected: bool = False) -> Callable[..., Any]:
    def compute(self: Proxy, *others: Any) -> Any:
        self._must_compute()
        return self._student.call(name, (*others, self) if reflected else (self, *others))

    return compute


for _name in COMPARISONS:
    setattr(Proxy, f"__{_name}__", _comparison(_name))
for _name in OPERATORS + UNARY:
    setattr(Proxy, f"__{_name.strip('_')}__", _operator(_name))
for _name in OPERATORS:
    if _name not in ("lshift", "rshift"):
        setattr(Proxy, f"__i{_name.strip('_')}__", _operator(f"i{_name.strip('_')}"))
    setattr(Proxy, f"__r{_name.strip('_')}__", _operator(_name, reflected=True))


class CallableProxy(Proxy):
    """An object that may be called."""

    __slots__ = ()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._student.call(self, arguments, named)

    @property
    def __signature__(self) -> inspect.Signature:
        return self._student.signature(self)


class FunctionProxy(CallableProxy):
    """A function, a method or the like."""

    __slots__ = ()
    __class__ = property(lambda self: types.FunctionType)

    @property
    def __name__(self) -> str:
        return self._facts.name

    def _what(self) -> str:
        return f"the function {self._facts.name}"


class ClassProxy(CallableProxy):
    """A class."""

    __slots__ = ()
    __class__ = property(lambda self: type)

    @property
    def __name__(self) -> str:
        return self._facts.type_name

    @property
    def __bases__(self) -> tuple[type, ...]:
        return tuple(self._student.call("getattr", (self, "__bases__")))

    def __mro_entries__(self, bases: tuple) -> tuple:
        self._student.note_limit(f"a class is derived from {self._what()}, which stays with the student's code")
        raise TypeError(f"a test cannot derive a class from {self._what()}, which stays in the notebook")

    def __instancecheck__(self, one: Any) -> bool:
        return type(one).__mro__[-2] is Proxy and bool(self._student.call("isinstance", (one, self)))

    def __subclasscheck__(self, one: Any) -> bool:
        return isinstance(one, Proxy) and bool(self._student.call("issubclass", (one, self)))

    def _what(self) -> str:
        return f"the class {self._facts.type_name}"


class IteratorProxy(Proxy):
    """A generator or another iterator."""

    __slots__ = ()

    def __next__(self) -> Any:
        return self._student.call("next", (self,))


class GeneratorProxy(IteratorProxy):
    """A generator."""

    __slots__ = ()
    __class__ = property(lambda self: types.GeneratorType)

    def __iter__(self) -> GeneratorProxy:
        return self


# What a test asks for is the documentation of the student's, not ours.
def type_of(one: Any) -> Any:
    """Return what type(one) would be if all ran in one namespace."""
    if not issubclass(type(one), Proxy):
        return type(one)
    if isinstance(one, (FunctionProxy, ClassProxy, GeneratorProxy)):
        return one.__class__
    return one._student.call("type", (one,)) if one._facts.type_module == "__main__" else one.__class__


DOCUMENTATION = property(lambda self: self._student.call("getattr", (self, "__doc__")))
for _kind in (Proxy, CallableProxy, FunctionProxy, ClassProxy, IteratorProxy, GeneratorProxy):
    _kind.__doc__ = DOCUMENTATION
for _kind, _name in ((FunctionProxy, "function"), (ClassProxy, "type"), (GeneratorProxy, "generator")):
    _kind.__name__ = _kind.__qualname__ = _name  # as type(f).__name__ has it

KINDS = {"function": FunctionProxy, "class": ClassProxy, "generator": GeneratorProxy, "callable": CallableProxy, "iterator": IteratorProxy, "object": Proxy}


def make_proxy(student: Student, number: int, facts: Facts, computes: bool) -> Proxy:
    """Return a proxy whose type has the name that the object's type has.

    Raises
    ------
    CodecError
        where there is no such kind.
    """
    base = KINDS.get(facts.kind)
    if base is None:
        raise CodecError("no such kind of object")
    if base in (Proxy, CallableProxy, IteratorProxy):
        contents: dict[str, Any] = {"__slots__": (), "_computes": computes, "__doc__": DOCUMENTATION}
        if claimed := _library_class(facts) or student.base_of(facts):
            contents["__class__"] = property(lambda self: claimed)
        base = type(facts.type_name, (base,), contents)
    return base(student, number, facts)


def _library_class(facts: Facts) -> type | None:
    """Return the class of a loaded library that the object says it is of; plain values are none."""
    module = sys.modules.get(facts.type_module)
    if module is None or facts.type_module.partition(".")[0] in ("numpy", "__main__") or not is_installed(module):
        return None
    if facts.type_module == "builtins" and facts.type_name not in HARMLESS:
        return None
    found = getattr(module, facts.type_name, None)
    return found if isinstance(found, type) else None
