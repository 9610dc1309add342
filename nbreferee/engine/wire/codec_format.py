"""What writing and reading in the codec have in common: its errors, bounds and numbers."""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


class CodecError(ValueError):
    """A value that has no form, or bytes that are none; the text says which, in a few words."""


@dataclass(frozen=True)
class Bounds:
    """How much one message may hold."""

    total_bytes: int = 256 << 20
    depth: int = 400
    values: int = 24_000_000  # a container counts as CONTAINER_COST values
    integer_bits: int = 1 << 24


BOUNDS = Bounds()
CONTAINER_COST = (
    4  # empty sets take 216 bytes each: reading must not take much more memory than the bytes say
)
DTYPE = re.compile(r"\|b1|\|[iu]1|<[iu][248]|<f([248]|16)|<c(8|16|32)|<U(0|[1-9][0-9]{0,6})")
COLLECTIONS: dict[type, bytes] = {list: b"l", tuple: b"t", set: b"s", frozenset: b"z"}
LONG_DOUBLES = {"f": (16,), "c": (32,)}  # bytes of an item
LARGE = 1 << 16  # bytes of an array that is a piece of its own, and read where it lies,
ALIGNED = 16  # from a multiple of this on
PACKED, PACKED_TAGS = 16, {list: b"L", tuple: b"P"}  # how many numbers are worth being packed
MIXED: dict[type, bytes] = {int: b"q", float: b"d", np.float64: b"D"}  # numbers that are packed
SCALARS = frozenset(
    kind for kind in np.sctypeDict.values() if DTYPE.fullmatch(np.dtype(kind).newbyteorder("<").str)
)
CONTAINERS = frozenset({*COLLECTIONS, dict})
CHANGEABLE = frozenset({list, set, dict, np.ndarray})  # where it matters whether two are the same
SIMPLE = frozenset({type(None), bool, int, float, complex, str, bytes})
COUNT, FLOAT, COMPLEX = struct.Struct("<I"), struct.Struct("<d"), struct.Struct("<dd")
READ_ONLY, BY_COLUMNS, APART = 1, 2, 4  # flags of an array
FRAMES_OF_A_LEVEL = 6  # of Python, that reading or writing takes for a container in a container
Wrap = Callable[[Any], Any] | None
# A number for each object that there is, as `id` is, but no audit event: handling those takes time.
identity: Callable[[object], int] = object.__hash__


class room_for_recursion:
    """Allow as many frames as a value of that depth needs, whatever limit a notebook has set."""

    __slots__ = ("_before", "_depth")

    def __init__(self, depth: int) -> None:
        self._depth = depth

    def __enter__(self) -> None:
        self._before = sys.getrecursionlimit()
        sys.setrecursionlimit(self._before + FRAMES_OF_A_LEVEL * self._depth)

    def __exit__(self, *_: object) -> None:
        sys.setrecursionlimit(self._before)
