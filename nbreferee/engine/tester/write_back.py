"""What a student's function changed in its arguments, brought to the test's own objects."""

from __future__ import annotations

import collections
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from nbreferee.engine.wire import known_types

CONTAINERS = (list, dict)  # that may hold themselves


def adopt_all(pairs: list[tuple[Any, Any]]) -> None:
    """Make the first of each pair equal to the second in place; where one now holds another, it
    holds the test's own.
    """
    same = {id(new): old for old, new in pairs if type(old) is type(new)}
    done: set[tuple[int, int]] = set()
    for old, new in pairs:
        adopt(old, new, same, done)


def adopt(
    old: Any,
    new: Any,
    same: Mapping[int, Any] | None = None,
    done: set[tuple[int, int]] | None = None,
) -> Any:
    """Make `old` equal to `new` in place where that can be done, and return that of the two which
    then holds.

    `same` are the test's own objects by the ids of their new selves; `done` are the pairs that have
    been dealt with, for a list may hold itself.
    """
    same, done = same or {}, set() if done is None else done
    if type(old) is not type(new) or old is new:
        return same.get(id(new), new)
    if type(old) in CONTAINERS:
        if (id(old), id(new)) in done:
            return old
        done.add((id(old), id(new)))
    if type(old) is np.ndarray:
        if old.dtype != new.dtype or not _reshape(old, new.shape):
            return new
        if old.flags.writeable and (old.dtype.hasobject or old.tobytes() != new.tobytes()):
            old[...] = new
    elif type(old) is list:
        before = list(old)
        old[:] = [
            adopt(before[n], item, same, done) if n < len(before) else same.get(id(item), item)
            for n, item in enumerate(new)
        ]
    elif type(old) is dict:
        merged = {
            key: adopt(old[key], item, same, done) if key in old else same.get(id(item), item)
            for key, item in new.items()
        }
        old.clear()
        old.update(merged)
    elif type(old) is set:
        old.clear()
        old.update(new)
    elif type(old) is bytearray:
        old[:] = new
    elif type(old) is tuple and len(old) == len(new):
        adopted = tuple(adopt(*pair, same, done) for pair in zip(old, new, strict=True))
        return old if all(map(operator.is_, old, adopted)) else adopted
    elif type(old) in (
        collections.deque,
        collections.Counter,
        collections.OrderedDict,
        collections.defaultdict,
    ):
        items = list(new.items()) if isinstance(new, dict) else list(new)
        old.clear()
        old.extend(items) if type(old) is collections.deque else dict.update(old, items)
    elif not known_types.adopt_state(old, new):
        return new
    return old


def with_own_parts(value: Any, same: Mapping[int, Any], done: set[int] | None = None) -> Any:
    """Return a value that holds the test's own objects in the places of their new selves."""
    done = set() if done is None else done
    if id(value) in same:
        return same[id(value)]
    if type(value) not in (list, dict, tuple) or id(value) in done:
        return value
    done.add(id(value))
    if type(value) is list:
        value[:] = [with_own_parts(item, same, done) for item in value]
    elif type(value) is dict:
        value.update({key: with_own_parts(item, same, done) for key, item in value.items()})
    else:
        own = tuple(with_own_parts(item, same, done) for item in value)
        return value if all(map(operator.is_, value, own)) else own
    return value


def _reshape(array: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Give an array another shape in place, as a student's code did; tell whether that could be
    done.
    """
    try:
        if array.shape != shape:
            array.resize(shape, refcheck=False)
    except ValueError:
        return False
    return True


def replaced(value: Any, pairs: list[tuple[Any, Any]]) -> Any:
    """Return a value with the second of each pair in place of the first, in tuples and lists as
    well.
    """
    for old, new in pairs:
        if value is old:
            return new
    return (
        type(value)(replaced(item, pairs) for item in value)
        if type(value) in (tuple, list)
        else value
    )
