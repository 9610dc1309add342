"""What is odd about a value: some pass tests that have forgotten about them, whatever the right
answer.

Oddity is no fault. A value counts as wrong where the solution gives none that is odd in the same
way.
"""

from __future__ import annotations

import collections
import decimal
import itertools
import types
import typing
from typing import Any

import numpy as np

from nbreferee.engine.tester.proxies import IteratorProxy, Proxy
from nbreferee.engine.wire import known_types, known_types_numpy

WALKED = 10_000  # values in a container that are looked at
NAN, EMPTY = "nan, which is no number", "something empty"
NOTHING_SHOWN = "nothing but hidden values"
CHANGES = "an argument that it has changed"
DRAWS = "random numbers that it has drawn"
ARGUMENTS = (
    ", in its arguments,"  # after the name of a function: what it changes, not what it returns
)
OPERATIONS = {
    "getattr": "an attribute",
    "iter": "iteration",
    "next": "a step of iteration",
    "getitem": "an item",
    "call": "a call",
}
NOTHING: dict[str, str] = {}
VIEWS = (type(NOTHING.keys()), type(NOTHING.values()), type(NOTHING.items()))
CONTAINERS = (list, tuple, set, frozenset, collections.deque, *VIEWS)
HOLDERS = (collections.UserDict, collections.UserList, collections.ChainMap, types.MappingProxyType)
POLYNOMIALS = (np.poly1d, *known_types_numpy.POLYNOMIALS)
CLASSES = (
    type,
    types.GenericAlias,
    types.UnionType,
    type(typing.List[int]),  # noqa: UP006, the old alias is meant
    type(typing.Optional[int]),  # noqa: UP045, the old alias is meant
)
NUMBERS = frozenset(
    {
        type(None),
        bool,
        int,
        float,
        complex,
        *(kind for kind in np.sctypeDict.values() if np.dtype(kind).kind in "biufc"),
    }
)
SIZED = (*CONTAINERS, dict, range, str, bytes, bytearray)


def in_words(label: str, oddity: str) -> str:
    """Say for a person whose value is odd, and in what way: `fib is a class`."""
    if oddity in (CHANGES, DRAWS):
        done = (
            "changes an argument"
            if oddity == CHANGES
            else "draws random numbers from np.random or random"
        )
        return f"{_doer(label)} {done}, which the solution does not do"
    if label.endswith(ARGUMENTS):
        return f"{_doer(label.removesuffix(ARGUMENTS))} leaves {oddity} in an argument"
    if label.startswith("an object that "):
        return f"{label} holds {oddity}"
    if label.endswith("()") or label in OPERATIONS:
        return f"{_doer(label)} gives {oddity}"
    return f"{label} is {oddity}"


def _doer(label: str) -> str:
    """Name a function of an answer; one without a name, and what Python does to an object, are
    described.
    """
    if label == "()":
        return "a function that an answer returns"
    return f"{OPERATIONS[label]} of an answer's object" if label in OPERATIONS else label


def oddities(value: Any) -> set[str]:
    """Return what is odd about a value and what it holds, in words; nothing, as a rule."""
    if type(value) in NUMBERS:
        return {NAN} if value != value else set()
    if type(value) is np.ndarray and value.dtype.kind in "biufc":
        return _of_array(value)
    found = {EMPTY} if _is_empty(value) else set()
    left = [value]
    for _ in range(WALKED):
        if not left:
            break
        one = left.pop()
        if issubclass(type(one), Proxy):
            found.add(_of_proxy(one))
        elif isinstance(one, (types.WrapperDescriptorType, types.MethodDescriptorType)):
            found.add("a function")
        elif isinstance(one, CLASSES):
            found.add("a class")
        elif isinstance(one, np.ma.MaskedArray):
            found |= _of_masked(one)
        elif isinstance(one, np.ndarray):
            found |= _of_array(one)
            left.extend(itertools.islice(one.flat, WALKED) if one.dtype.kind == "O" else ())
            left.extend(one[name] for name in one.dtype.names or ())
        elif isinstance(one, np.void) and one.dtype.names:
            left.extend(one[name] for name in one.dtype.names)
        elif isinstance(one, CONTAINERS):
            found |= {EMPTY} if isinstance(one, (list, tuple)) and not one else set()
            found |= (
                {"a named tuple"} if isinstance(one, tuple) and type(one) is not tuple else set()
            )
            left.extend(itertools.islice(one, WALKED))
        elif isinstance(one, dict):
            left.extend(itertools.islice(one.values(), WALKED))
        elif isinstance(one, decimal.Decimal):
            found |= {NAN} if one.is_nan() else set()
        elif isinstance(one, (float, complex, np.generic)) and one != one:
            found.add(NAN)
        elif isinstance(one, POLYNOMIALS):
            found.add("a polynomial")
            left.append(np.asarray(one.coef))
        elif isinstance(one, known_types.NAMESPACES):
            found.add("a namespace")
            left.extend(itertools.islice(vars(one).values(), WALKED))
        elif type(one).__module__.partition(".")[0] == "pandas":
            found |= _of_pandas(one)
        elif (
            type(one) in HOLDERS
        ):  # not isinstance: they are abstract classes, which look at all subclasses there are
            left.extend(
                one.maps
                if isinstance(one, collections.ChainMap)
                else [getattr(one, "data", None) or dict(one)]
            )
    return found


def _is_empty(value: Any) -> bool:
    """Tell whether a value is a container without anything in it; objects of the instructor's
    classes are not asked.
    """
    if (
        issubclass(type(value), (Proxy, np.ndarray, np.dtype, type, *POLYNOMIALS))
        or type(value).__module__ == "__main__"
    ):
        return isinstance(value, SIZED) and not issubclass(type(value), Proxy) and not len(value)
    try:
        return hasattr(type(value), "__len__") and not len(value)
    except TypeError:  # an array without axes
        return False


def _of_pandas(value: Any) -> set[str]:
    if not hasattr(value, "isna"):  # a scalar: NaT is not equal to itself, and NA does not say
        return {NAN} if type(value).__name__ in ("NaTType", "NAType") else set()
    return {NAN} if np.any(value.isna()) else set()


def _of_array(array: np.ndarray) -> set[str]:
    if not array.size:
        return {EMPTY}
    if array.dtype.kind in "fc":
        return {NAN} if np.isnan(array).any() else set()
    return {NAN} if array.dtype.kind in "mM" and np.isnat(array).any() else set()


def _of_masked(array: np.ma.MaskedArray) -> set[str]:
    """Say what is odd about an array that hides some of its values: of what is not there, nothing
    can be wrong.
    """
    if not array.size:
        return {EMPTY}
    if array.dtype.names:
        masks: Any = np.ma.getmaskarray(array)
        hides = any(np.any(masks[name]) for name in array.dtype.names)
        return {"hidden values"} if hides else set()
    mask = np.ma.getmaskarray(array)
    hidden = {NOTHING_SHOWN} if mask.all() else {"hidden values"} if mask.any() else set()
    return hidden | _of_array(array.compressed()) if not mask.all() else hidden


def _of_proxy(proxy: Proxy) -> str:
    kind, name = proxy._facts.kind, proxy._facts.type_name
    if isinstance(proxy, IteratorProxy):
        return "an iterator"
    if kind in ("function", "coroutine"):
        return f"a {kind}"
    if kind == "callable" and proxy._facts.type_module != "__main__":
        return "a function"
    return f"a {name}" if proxy._computes else "an object that is no plain value"
