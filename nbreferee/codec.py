"""Plain values as bytes, for talking with a box that nobody trusts.

Values of exactly these types have a form: None, bool, int, float, complex, str, bytes, list, tuple,
dict, set, frozenset, NumPy scalars and arrays of the kinds b i u f c U. A subclass is not its base:
it may lie. Nothing here runs code that the bytes ask for (no pickle), and reading is bounded: in
bytes, in depth, in the number of values, in the bits of an integer.

A value is a tag of one byte and a body; lengths are 32 bits, all numbers little-endian.
"""

from __future__ import annotations

import math
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


class CodecError(ValueError):
    """A value that has no form, or bytes that are none; the text says which, in a few words."""


@dataclass(frozen=True)
class Bounds:
    """How much one message may hold."""

    total_bytes: int = 256 << 20
    depth: int = 64
    values: int = 1_000_000
    integer_bits: int = 1 << 16


BOUNDS = Bounds()
DTYPE = re.compile(r"\|b1|\|[iu]1|<[iu][248]|<f[248]|<c(8|16)|<U(0|[1-9][0-9]{0,6})")
COLLECTIONS: dict[type, bytes] = {list: b"l", tuple: b"t", set: b"s", frozenset: b"z"}
MAKERS = {tag: kind for kind, tag in COLLECTIONS.items()}
CONSTANTS: dict[bytes, bool | None] = {b"N": None, b"T": True, b"F": False}


def encode(value: Any, bounds: Bounds = BOUNDS) -> bytes:
    """Return a value as bytes.

    Raises
    ------
    CodecError
        where it, or something in it, has no form, or it is too large.
    """
    parts: list[bytes] = []
    size = 0
    for count, part in enumerate(_parts(value, bounds, bounds.depth)):
        size += len(part)
        if size > bounds.total_bytes or count > bounds.values:
            raise CodecError("too large to send")
        parts.append(part)
    return b"".join(parts)


def decode(data: bytes, bounds: Bounds = BOUNDS) -> Any:
    """Return the value that bytes stand for.

    Raises
    ------
    CodecError
        where they stand for none, for more than one, or for too large a one.
    """
    if len(data) > bounds.total_bytes:
        raise CodecError("too large to read")
    reader = _Reader(data, bounds)
    value = reader.value(bounds.depth)
    if reader.left:
        raise CodecError("bytes left over")
    return value


# ---------------------------------------------------------------- writing


def _parts(value: Any, bounds: Bounds, depth: int) -> Iterator[bytes]:
    """Yield the bytes of a value, one part for each value in it."""
    if depth == 0:
        raise CodecError("nested too deeply, or holds itself")
    kind = type(value)
    if value is None or kind is bool:
        yield b"N" if value is None else b"T" if value else b"F"
    elif kind is int:
        if value.bit_length() >= bounds.integer_bits:
            raise CodecError("an integer of too many bits")
        yield b"i" + _sized(value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))
    elif kind is float:
        yield b"f" + struct.pack("<d", value)
    elif kind is complex:
        yield b"c" + struct.pack("<dd", value.real, value.imag)
    elif kind is str:
        yield b"u" + _sized(value.encode("utf-8", "surrogatepass"))
    elif kind is bytes:
        yield b"b" + _sized(value)
    elif kind in COLLECTIONS:
        yield COLLECTIONS[kind] + struct.pack("<I", len(value))
        for item in value:
            yield from _parts(item, bounds, depth - 1)
    elif kind is dict:
        yield b"d" + struct.pack("<I", len(value))
        for item in value.items():
            yield from _parts(item[0], bounds, depth - 1)
            yield from _parts(item[1], bounds, depth - 1)
    elif kind is np.ndarray:
        if value.nbytes > bounds.total_bytes or (value.size > bounds.total_bytes and not value.nbytes):
            raise CodecError("too large to send")
        yield b"a" + _dtype(value.dtype) + struct.pack(f"<B{value.ndim}Q", value.ndim, *value.shape)
        yield np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<")).tobytes()
    elif isinstance(value, np.generic) and kind.__module__ == "numpy":
        array = np.asarray(value)
        yield b"g" + _dtype(array.dtype) + array.astype(array.dtype.newbyteorder("<")).tobytes()
    else:
        raise CodecError(f"no form for a {kind.__name__}")


def _sized(body: bytes) -> bytes:
    return struct.pack("<I", len(body)) + body


def _dtype(dtype: np.dtype) -> bytes:
    text = dtype.newbyteorder("<").str
    if not DTYPE.fullmatch(text):
        raise CodecError(f"no form for numbers of type {dtype}")
    return struct.pack("<B", len(text)) + text.encode()


# ---------------------------------------------------------------- reading


class _Reader:
    """Takes values off the front of bytes that may be anything."""

    def __init__(self, data: bytes, bounds: Bounds) -> None:
        self._data = memoryview(data)
        self._at = 0
        self._bounds = bounds
        self._values = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def value(self, depth: int) -> Any:
        self._values += 1
        if depth == 0 or self._values > self._bounds.values:
            raise CodecError("nested too deeply, or too many values")
        tag = self._take(1)
        if tag in CONSTANTS:
            return CONSTANTS[tag]
        if tag == b"i":
            return int.from_bytes(self._sized(self._bounds.integer_bits // 8 + 1), "little", signed=True)
        if tag == b"f":
            return self._unpack("<d")[0]
        if tag == b"c":
            return complex(*self._unpack("<dd"))
        if tag == b"u":
            return self._text(self._sized(self._bounds.total_bytes))
        if tag == b"b":
            return self._sized(self._bounds.total_bytes)
        if tag in MAKERS or tag == b"d":
            return self._collection(tag, depth)
        if tag in (b"a", b"g"):
            return self._array(scalar=tag == b"g")
        raise CodecError("no such tag")

    def _take(self, count: int) -> bytes:
        if count > self.left:
            raise CodecError("cut short")
        taken = bytes(self._data[self._at : self._at + count])
        self._at += count
        return taken

    def _unpack(self, form: str) -> tuple:
        return struct.unpack(form, self._take(struct.calcsize(form)))

    def _sized(self, most: int) -> bytes:
        (size,) = self._unpack("<I")
        if size > most:
            raise CodecError("too long")
        return self._take(size)

    def _text(self, body: bytes) -> str:
        try:
            return body.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise CodecError("not text") from None

    def _collection(self, tag: bytes, depth: int) -> Any:
        (count,) = self._unpack("<I")
        if count > self.left:  # each takes a byte at least
            raise CodecError("cut short")
        try:
            if tag == b"d":
                return {self.value(depth - 1): self.value(depth - 1) for _ in range(count)}
            return MAKERS[tag](self.value(depth - 1) for _ in range(count))
        except TypeError:  # a key, or a member of a set, that cannot be one
            raise CodecError("not hashable") from None

    def _array(self, scalar: bool) -> Any:
        (length,) = self._unpack("<B")
        name = self._take(length).decode("ascii", "replace")
        if not DTYPE.fullmatch(name):
            raise CodecError("no such type of numbers")
        dtype = np.dtype(name)
        shape: tuple[int, ...] = ()
        if not scalar:
            (axes,) = self._unpack("<B")
            shape = self._unpack(f"<{axes}Q")
        body = self._take(dtype.itemsize * math.prod(shape))
        try:
            flat = np.frombuffer(body, dtype) if body else np.empty(math.prod(shape), dtype)
            if dtype.kind == "U" and np.any(flat.view(np.uint8).view("<u4") > sys.maxunicode):
                raise CodecError("not text")
            array = flat.reshape(shape).copy()
        except (ValueError, OverflowError, MemoryError):
            raise CodecError("not an array") from None
        return array[()] if scalar else array
