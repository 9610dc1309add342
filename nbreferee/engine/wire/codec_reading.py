"""The reading side of the codec: it takes values off the front of bytes that may be anything."""

from __future__ import annotations

import array
import math
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from nbreferee.engine.wire.codec_format import (
    ALIGNED,
    APART,
    BY_COLUMNS,
    COMPLEX,
    CONTAINER_COST,
    COUNT,
    DTYPE,
    FLOAT,
    LARGE,
    LONG_DOUBLES,
    MIXED,
    READ_ONLY,
    Bounds,
    CodecError,
    Wrap,
)


class Reader:
    """Takes values off the front of bytes that may be anything."""

    def __init__(
        self,
        data: bytes | memoryview,
        bounds: Bounds,
        unwrap: Wrap,
        parts: list[Any] | None,
        shared: Sequence[Any],
    ) -> None:
        self._data = memoryview(data)
        self._at, self._size = 0, len(self._data)
        self._bounds = bounds
        self._unwrap = unwrap
        self._values = 0
        self._read: list[Any] = (
            [] if parts is None else parts
        )  # containers, which later bytes may refer to
        self._shared = shared

    @property
    def left(self) -> int:
        return self._size - self._at

    def value(self, depth: int) -> Any:
        self._values += 1
        if depth == 0 or self._values > self._bounds.values:
            raise CodecError("nested too deeply, or too many values")
        if self._at >= self._size:
            raise CodecError("cut short")
        tag = self._data[self._at]
        self._at += 1
        read = READERS.get(tag)
        if read is None:
            raise CodecError("no such tag")
        return read(self, depth)

    def integer(self) -> int:
        return int.from_bytes(self.sized(self._bounds.integer_bits // 8 + 1), "little", signed=True)

    def sized(self, most: int) -> bytes:
        start = self._at + COUNT.size
        if start > self._size:
            raise CodecError("cut short")
        (size,) = COUNT.unpack_from(self._data, self._at)
        if size > most:
            raise CodecError("too long")
        self._at = start + size
        if self._at > self._size:
            raise CodecError("cut short")
        return self._data[start : self._at].tobytes()

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:
        start = self._at
        self._at += form.size
        if self._at > self._size:
            raise CodecError("cut short")
        return form.unpack_from(self._data, start)

    def bytes_(self) -> bytes:
        return self.sized(self._bounds.total_bytes)

    def text(self) -> str:
        try:
            return self.sized(self._bounds.total_bytes).decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise CodecError("not text") from None

    def same(self, containers: Sequence[Any]) -> Any:
        (number,) = self.unpack(COUNT)
        if number >= len(containers):
            raise CodecError("no such value before")
        return containers[number]

    def wrapped(self, depth: int) -> Any:
        if self._unwrap is None:
            raise CodecError("no such tag")
        return self._unwrap(self.value(depth - 1))

    def collection(self, kind: type, depth: int) -> Any:
        (count,) = self.unpack(COUNT)
        self._values += CONTAINER_COST
        if count > self.left:  # each takes a byte at least
            raise CodecError("cut short")
        if kind in (tuple, frozenset):
            return self._hashable(kind, count, depth - 1)
        made = kind()
        self._read.append(made)
        if kind is list:
            for _ in range(count):
                made.append(self.value(depth - 1))
            return made
        try:
            for _ in range(count):
                if kind is dict:
                    key = self.value(depth - 1)
                    made[key] = self.value(depth - 1)
                else:
                    made.add(self.value(depth - 1))
        except TypeError:  # a key, or a member of a set, that cannot be one
            raise CodecError("not hashable") from None
        return made

    def _hashable(self, kind: type, count: int, depth: int) -> Any:
        items = [self.value(depth) for _ in range(count)]
        try:
            return kind(items)
        except TypeError:
            raise CodecError("not hashable") from None

    def _view(self, count: int) -> memoryview:
        start = self._at
        self._at += count
        if self._at > self._size:
            raise CodecError("cut short")
        return self._data[start : self._at]

    def numbers(self, kind: type) -> Any:
        code = bytes(self._view(1))
        codes = self.bytes_() if code == b"m" else b""
        body = self.bytes_()
        self._values += (len(body) // 8 + len(codes)) // 10  # they are quick to read
        if code not in (b"d", b"q", b"m") or len(body) % 8 or self._values > self._bounds.values:
            raise CodecError("no such numbers, or too many")
        mixed = code == b"m"
        made = kind(self._mixed(codes, body) if mixed else array.array(code.decode(), body))
        if kind is list:
            self._read.append(made)
        return made

    def _mixed(self, codes: bytes, whole: bytes) -> Iterator[Any]:
        """Return numbers of several types, in the order of the codes of these."""
        others = self.bytes_()
        count = codes.count(MIXED[int])
        if (len(whole), len(others)) != (8 * count, 8 * (len(codes) - count)):
            raise CodecError("no such numbers")
        if codes.translate(None, b"".join(MIXED.values())):
            raise CodecError("no such type of numbers")
        floats = iter(array.array("d", others))
        following: dict[int, Iterator[Any]] = {
            MIXED[int][0]: iter(array.array("q", whole)),
            MIXED[float][0]: floats,
            MIXED[np.float64][0]: map(np.float64, floats),
        }
        return map(next, map(following.__getitem__, codes))

    def array(self, scalar: bool) -> Any:
        (length,) = self._view(1)
        name = bytes(self._view(length)).decode("ascii", "replace")
        if not DTYPE.fullmatch(name):
            raise CodecError("no such type of numbers")
        dtype = np.dtype(name)
        shape: tuple[int, ...] = ()
        flags = 0
        if not scalar:
            flags, axes = self._view(2)
            shape = self.unpack(struct.Struct(f"<{axes}Q"))
        length = dtype.itemsize * math.prod(shape)
        if (
            not dtype.itemsize and math.prod(shape) > self._bounds.values
        ):  # empty texts take no bytes here, but do in memory
            raise CodecError("too many values")
        if length >= LARGE and not scalar:
            self._view(-self._at % ALIGNED)
        made = self._array_of(self._view(length), dtype, shape, flags)
        if scalar:
            return made[()]
        self._read.append(made)
        return made

    def _array_of(
        self, body: memoryview, dtype: np.dtype, shape: tuple[int, ...], flags: int
    ) -> np.ndarray:
        try:
            flat = np.frombuffer(body, dtype) if len(body) else np.empty(math.prod(shape), dtype)
            if dtype.kind == "U" and np.any(flat.view(np.uint8).view("<u4") > sys.maxunicode):
                raise CodecError("not text")
            if dtype.itemsize in LONG_DOUBLES.get(dtype.kind, ()):
                flat = _sound_long_doubles(flat)
            return _laid_out(flat.reshape(shape), flags)
        except (ValueError, OverflowError, MemoryError):
            raise CodecError("not an array") from None


READERS: dict[int, Callable[[Reader, int], Any]] = {
    ord(tag): read
    for tag, read in {
        "N": lambda reader, depth: None,
        "T": lambda reader, depth: True,
        "F": lambda reader, depth: False,
        "i": lambda reader, depth: reader.integer(),
        "f": lambda reader, depth: reader.unpack(FLOAT)[0],
        "c": lambda reader, depth: complex(*reader.unpack(COMPLEX)),
        "u": lambda reader, depth: reader.text(),
        "b": lambda reader, depth: reader.bytes_(),
        "l": lambda reader, depth: reader.collection(list, depth),
        "t": lambda reader, depth: reader.collection(tuple, depth),
        "s": lambda reader, depth: reader.collection(set, depth),
        "z": lambda reader, depth: reader.collection(frozenset, depth),
        "d": lambda reader, depth: reader.collection(dict, depth),
        "L": lambda reader, depth: reader.numbers(list),
        "P": lambda reader, depth: reader.numbers(tuple),
        "a": lambda reader, depth: reader.array(scalar=False),
        "g": lambda reader, depth: reader.array(scalar=True),
        "r": lambda reader, depth: reader.same(reader._read),
        "p": lambda reader, depth: reader.same(reader._shared),
        "x": lambda reader, depth: reader.wrapped(depth),
    }.items()
}


def _sound_long_doubles(numbers: np.ndarray) -> np.ndarray:
    """Return long doubles in which each pattern of bits that is no number is a plain NaN.

    An x87 processor knows patterns that compare as NaN does, and that `isnan` does not find.
    """
    numbers = numbers.copy()
    parts = numbers.view(np.longdouble)
    unequal = parts != parts
    parts[unequal] = np.copysign(np.longdouble(np.nan), parts[unequal])
    return numbers


def _laid_out(array: np.ndarray, flags: int) -> np.ndarray:
    """Return what lies in memory as the flags say: a large array where it is, if it may be changed
    there, or a copy.
    """
    if array.nbytes >= LARGE and not flags and array.flags.writeable and array.flags.aligned:
        return array
    if flags & APART and array.ndim:
        laid_out = _with_gaps(array.shape, array.dtype, array.nbytes >= LARGE)
        laid_out[...] = array
    else:
        laid_out = array.copy(order="F" if flags & BY_COLUMNS else "C")
    laid_out.flags.writeable = not flags & READ_ONLY
    return laid_out


def _with_gaps(shape: tuple[int, ...], dtype: np.dtype, is_large: bool) -> np.ndarray:
    """Return an array that is contiguous neither by rows nor by columns.

    A large one has a gap after each row, where that is enough: it takes half the memory of gaps
    between all entries.
    """
    if is_large:
        with_gaps = np.empty((*shape[:-1], shape[-1] + 1), dtype)[..., :-1]
        if not with_gaps.flags.forc:
            return with_gaps
    return np.empty((*shape[:-1], 2 * shape[-1]), dtype)[..., ::2]
