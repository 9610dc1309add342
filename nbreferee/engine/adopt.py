"""What a student's function changed in its arguments, brought to the test's own objects."""

from __future__ import annotations

import collections
from collections.abc import Mapping
from typing import Any

import numpy as np

from nbreferee.engine import kinds


def adopt_all(pairs: list[tuple[Any, Any]]) -> None:
    """Make the first of each pair equal to the second in place; where one now holds another, it holds the test's own."""
    same = {id(new): old for old, new in pairs if type(old) is type(new)}
    for old, new in pairs:
        adopt(old, new, same)


def adopt(old: Any, new: Any, same: Mapping[int, Any] | None = None) -> Any:
    """Make `old` equal to `new` in place where that can be done, and return whichever then holds.

    `same` are the test's own objects by the ids of their new selves.
    """
    same = same or {}
    if type(old) is not type(new) or old is new:
        return same.get(id(new), new)
    if type(old) is np.ndarray:
        if old.dtype != new.dtype or not _reshape(old, new.shape):
            return new
        if old.flags.writeable and old.tobytes() != new.tobytes():
            old[...] = new
    elif type(old) is list:
        old[:] = [adopt(old[n], item, same) if n < len(old) else same.get(id(item), item) for n, item in enumerate(new)]
    elif type(old) is dict:
        merged = {key: adopt(old[key], item, same) if key in old else same.get(id(item), item) for key, item in new.items()}
        old.clear()
        old.update(merged)
    elif type(old) is set:
        old.clear()
        old.update(new)
    elif type(old) is bytearray:
        old[:] = new
    elif type(old) is tuple and len(old) == len(new):
        return tuple(adopt(*pair, same) for pair in zip(old, new, strict=True))
    elif type(old) in (collections.deque, collections.Counter, collections.OrderedDict, collections.defaultdict):
        items = list(new.items()) if isinstance(new, dict) else list(new)
        old.clear()
        old.extend(items) if type(old) is collections.deque else dict.update(old, items)
    elif not kinds.adopt_state(old, new):
        return new
    return old


def _reshape(array: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Give an array another shape in place, as a student's code did; tell whether that could be done."""
    try:
        if array.shape != shape:
            array.resize(shape, refcheck=False)
    except ValueError:
        return False
    return True
