"""Plain values as bytes, for talking with a box that nobody trusts.

Values of exactly these types have a form: None, bool, int, float, complex, str, bytes, list, tuple,
dict, set, frozenset, NumPy scalars and arrays of the kinds b i u f c U. A subclass is not its base:
it may lie. Nothing here runs code that the bytes ask for (no pickle), and reading is bounded: in
bytes, in depth, in the number of values, in the bits of an integer.

A value is a tag of one byte and a body; lengths are 32 bits, all numbers little-endian. An array
keeps what a test may look at: whether it is read-only, and how its numbers lie in memory (in rows,
in columns, or apart). A list, set, dictionary or array that is in two places of a message is one on the
other side, too. For everything else there is one more tag: whoever encodes may `wrap` a value into one
of the above, and whoever decodes has to `unwrap` it.
"""

from __future__ import annotations

import array
import math
import re
import struct
import sys
from collections.abc import Callable, Iterator
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
PACKED, PACKED_TAGS = 16, {list: b"L", tuple: b"P"}  # how many numbers are worth being packed
MAKERS = {tag: kind for kind, tag in COLLECTIONS.items()}
SCALARS = frozenset(kind for kind in np.sctypeDict.values() if DTYPE.fullmatch(np.dtype(kind).newbyteorder("<").str))
CONTAINERS = frozenset({*COLLECTIONS, dict})
CHANGEABLE = frozenset({list, set, dict, np.ndarray})  # where it matters whether two are the same
SIMPLE = frozenset({type(None), bool, int, float, complex, str, bytes})
CONSTANTS: dict[bytes, bool | None] = {b"N": None, b"T": True, b"F": False}


READ_ONLY, BY_COLUMNS, APART = 1, 2, 4  # flags of an array


def encode(value: Any, bounds: Bounds = BOUNDS, wrap: Callable[[Any], Any] | None = None) -> bytes:
    """Return a value as bytes; what has no form of its own is sent as `wrap` of it.

    Raises
    ------
    CodecError
        where it, or something in it, has no form, or it is too large.
    """
    parts: list[bytes] = []
    size = 0
    for count, part in enumerate(_Writer(bounds, wrap).parts(value, bounds.depth)):
        size += len(part)
        if size > bounds.total_bytes or count > bounds.values:
            raise CodecError("too large to send")
        parts.append(part)
    return b"".join(parts)


def decode(data: bytes, bounds: Bounds = BOUNDS, unwrap: Callable[[Any], Any] | None = None) -> Any:
    """Return the value that bytes stand for, with `unwrap` of what was wrapped.

    Raises
    ------
    CodecError
        where they stand for none, for more than one, or for too large a one.
    """
    if len(data) > bounds.total_bytes:
        raise CodecError("too large to read")
    reader = _Reader(data, bounds, unwrap)
    value = reader.value(bounds.depth)
    if reader.left:
        raise CodecError("bytes left over")
    return value


# ---------------------------------------------------------------- writing


class _Writer:
    """Takes values apart into bytes."""

    def __init__(self, bounds: Bounds, wrap: Callable[[Any], Any] | None) -> None:
        self._bounds = bounds
        self._wrap = wrap
        self._written: dict[int, tuple[int, Any]] = {}  # id: (number, value); kept, or its id could be another's

    def parts(self, value: Any, depth: int) -> Iterator[bytes]:
        """Yield the bytes of a value, one part for each value in it."""
        if depth == 0:
            raise CodecError("nested too deeply, or holds itself")
        kind = type(value)
        if id(value) in self._written:
            yield b"r" + struct.pack("<I", self._written[id(value)][0])
        elif kind in CONTAINERS or (kind is np.ndarray and value.dtype.kind in "biufcU"):
            yield from self._array(value) if kind is np.ndarray else self._container(value, kind, depth - 1)
            if kind in CHANGEABLE:
                self._written[id(value)] = len(self._written), value
        elif kind in SIMPLE:
            yield self._simple(value, kind)
        elif kind in SCALARS:
            number = np.asarray(value)
            yield b"g" + _dtype(number.dtype) + number.astype(number.dtype.newbyteorder("<")).tobytes()
        elif self._wrap is not None:
            yield b"x"
            yield from self.parts(self._wrap(value), depth - 1)
        else:
            raise CodecError(f"no form for {f'numbers of type {value.dtype}' if kind is np.ndarray else f'a {kind.__name__}'}")

    def _simple(self, value: Any, kind: type) -> bytes:
        if value is None or kind is bool:
            return b"N" if value is None else b"T" if value else b"F"
        if kind is int:
            if value.bit_length() >= self._bounds.integer_bits:
                raise CodecError("an integer of too many bits")
            return b"i" + _sized(value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))
        if kind is float:
            return b"f" + struct.pack("<d", value)
        if kind is complex:
            return b"c" + struct.pack("<dd", value.real, value.imag)
        return b"b" + _sized(value) if kind is bytes else b"u" + _sized(value.encode("utf-8", "surrogatepass"))

    def _container(self, value: Any, kind: type, depth: int) -> Iterator[bytes]:
        if kind in PACKED_TAGS and PACKED <= len(value) <= 10 * self._bounds.values and (packed := _packed(value)):
            yield PACKED_TAGS[kind] + packed
            return
        yield (b"d" if kind is dict else COLLECTIONS[kind]) + struct.pack("<I", len(value))
        for item in value.items() if kind is dict else value:
            for part in item if kind is dict else (item,):
                yield from self.parts(part, depth)

    def _array(self, value: np.ndarray) -> Iterator[bytes]:
        most = self._bounds.total_bytes
        if value.nbytes > most or (value.size > most and not value.nbytes):
            raise CodecError("too large to send")
        by_rows, by_columns = value.flags.c_contiguous, value.flags.f_contiguous
        layout = 0 if by_rows else BY_COLUMNS if by_columns else APART
        flags = layout | (0 if value.flags.writeable else READ_ONLY)
        yield b"a" + _dtype(value.dtype) + struct.pack(f"<BB{value.ndim}Q", flags, value.ndim, *value.shape)
        yield np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<")).tobytes()


def _packed(values: list | tuple) -> bytes:
    """Return numbers all of one type, float or a small int, as one piece; empty where they are not."""
    kinds = set(map(type, values))
    try:
        code = {float: "d", int: "q"}[kinds.pop()] if len(kinds) == 1 else ""
        return code.encode() + _sized(array.array(code, values).tobytes()) if code else b""
    except (KeyError, OverflowError):
        return b""


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

    def __init__(self, data: bytes, bounds: Bounds, unwrap: Callable[[Any], Any] | None) -> None:
        self._data = memoryview(data)
        self._at = 0
        self._bounds = bounds
        self._unwrap = unwrap
        self._values = 0
        self._read: list[Any] = []  # what can be the same as something later

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
        if tag == b"r":
            (number,) = self._unpack("<I")
            if number >= len(self._read):
                raise CodecError("no such value before")
            return self._read[number]
        if tag in (b"L", b"P"):
            return self._kept(self._numbers(list if tag == b"L" else tuple))
        if tag in MAKERS or tag == b"d":
            return self._kept(self._collection(tag, depth))
        if tag in (b"a", b"g"):
            return self._kept(self._array(scalar=tag == b"g"))
        if tag == b"x" and self._unwrap is not None:
            return self._unwrap(self.value(depth - 1))
        raise CodecError("no such tag")

    def _kept(self, value: Any) -> Any:
        if type(value) in CHANGEABLE:
            self._read.append(value)
        return value

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

    def _numbers(self, kind: type) -> Any:
        code = self._take(1)
        body = self._sized(self._bounds.total_bytes)
        self._values += len(body) // 80  # a tenth of a value each: they are quick to read
        if code not in (b"d", b"q") or len(body) % 8 or self._values > self._bounds.values:
            raise CodecError("no such numbers, or too many")
        return kind(array.array(code.decode(), body))

    def _array(self, scalar: bool) -> Any:
        (length,) = self._unpack("<B")
        name = self._take(length).decode("ascii", "replace")
        if not DTYPE.fullmatch(name):
            raise CodecError("no such type of numbers")
        dtype = np.dtype(name)
        shape: tuple[int, ...] = ()
        flags = 0
        if not scalar:
            flags, axes = self._unpack("<BB")
            shape = self._unpack(f"<{axes}Q")
        body = self._take(dtype.itemsize * math.prod(shape))
        try:
            flat = np.frombuffer(body, dtype) if body else np.empty(math.prod(shape), dtype)
            if dtype.kind == "U" and np.any(flat.view(np.uint8).view("<u4") > sys.maxunicode):
                raise CodecError("not text")
            made = _laid_out(flat.reshape(shape), flags)
        except (ValueError, OverflowError, MemoryError):
            raise CodecError("not an array") from None
        return made[()] if scalar else made


def _laid_out(array: np.ndarray, flags: int) -> np.ndarray:
    """Return a copy that lies in memory as the flags say."""
    if flags & APART and array.ndim:
        gaps = np.empty((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        laid_out = gaps[..., ::2]
        laid_out[...] = array
    else:
        laid_out = array.copy(order="F" if flags & BY_COLUMNS else "C")
    laid_out.flags.writeable = not flags & READ_ONLY
    return laid_out
