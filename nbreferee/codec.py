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
import itertools
import math
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
    depth: int = 64
    values: int = 1_000_000
    integer_bits: int = 1 << 16


BOUNDS = Bounds()
DTYPE = re.compile(r"\|b1|\|[iu]1|<[iu][248]|<f[248]|<c(8|16)|<U(0|[1-9][0-9]{0,6})")
COLLECTIONS: dict[type, bytes] = {list: b"l", tuple: b"t", set: b"s", frozenset: b"z"}
LARGE = 1 << 16  # bytes of an array that is a piece of its own, and read where it lies,
ALIGNED = 16  # from a multiple of this on
PACKED, PACKED_TAGS = 16, {list: b"L", tuple: b"P"}  # how many numbers are worth being packed
SCALARS = frozenset(kind for kind in np.sctypeDict.values() if DTYPE.fullmatch(np.dtype(kind).newbyteorder("<").str))
CONTAINERS = frozenset({*COLLECTIONS, dict})
CHANGEABLE = frozenset({list, set, dict, np.ndarray})  # where it matters whether two are the same
SIMPLE = frozenset({type(None), bool, int, float, complex, str, bytes})
COUNT, FLOAT, COMPLEX = struct.Struct("<I"), struct.Struct("<d"), struct.Struct("<dd")
READ_ONLY, BY_COLUMNS, APART = 1, 2, 4  # flags of an array


def encode(value: Any, bounds: Bounds = BOUNDS, wrap: Callable[[Any], Any] | None = None) -> bytes:
    """Return a value as bytes; what has no form of its own is sent as `wrap` of it.

    Raises
    ------
    CodecError
        where it, or something in it, has no form, or it is too large.
    """
    return b"".join(in_pieces(value, bounds, wrap))


def in_pieces(value: Any, bounds: Bounds = BOUNDS, wrap: Callable[[Any], Any] | None = None) -> list[bytes | memoryview]:
    """Return what `encode` does in pieces: large arrays are no copies, so send them before they change."""
    writer = _Writer(bounds, wrap)
    writer.write(value, bounds.depth)
    return [*writer.pieces, bytes(writer.last)]


def decode(data: bytes | memoryview, bounds: Bounds = BOUNDS, unwrap: Callable[[Any], Any] | None = None) -> Any:
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
        self.pieces: list[bytes | memoryview] = []
        self.last = bytearray()  # what comes after them
        self._bounds = bounds
        self._wrap = wrap
        self._values, self._in_pieces = 0, 0
        self._written: dict[int, tuple[int, Any]] = {}  # id: (number, value); kept, or its id could be another's

    def write(self, value: Any, depth: int) -> None:
        """Add the bytes of a value."""
        kind = type(value)
        self._values += 1
        if depth == 0:
            raise CodecError("nested too deeply, or holds itself")
        if kind in SIMPLE:
            self.last += self._simple(value, kind)
        elif id(value) in self._written:
            self.last += b"r" + COUNT.pack(self._written[id(value)][0])
        elif kind in CONTAINERS or (kind is np.ndarray and value.dtype.kind in "biufcU"):
            self._array(value) if kind is np.ndarray else self._container(value, kind, depth - 1)
            if kind in CHANGEABLE:
                self._written[id(value)] = len(self._written), value
        elif kind in SCALARS:
            number = np.asarray(value)
            self.last += b"g" + _dtype(number.dtype) + number.astype(number.dtype.newbyteorder("<")).tobytes()
        elif self._wrap is not None:
            self.last += b"x"
            self.write(self._wrap(value), depth - 1)
        else:
            raise CodecError(f"no form for {f'numbers of type {value.dtype}' if kind is np.ndarray else f'a {kind.__name__}'}")
        if self._in_pieces + len(self.last) > self._bounds.total_bytes or self._values > self._bounds.values:
            raise CodecError("too large to send")

    def _simple(self, value: Any, kind: type) -> bytes:
        if kind is str:
            return b"u" + _sized(value.encode("utf-8", "surrogatepass"))
        if kind is int:
            if value.bit_length() >= self._bounds.integer_bits:
                raise CodecError("an integer of too many bits")
            return b"i" + _sized(value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))
        if kind is float:
            return b"f" + FLOAT.pack(value)
        if kind is complex:
            return b"c" + COMPLEX.pack(value.real, value.imag)
        return b"b" + _sized(value) if kind is bytes else b"N" if value is None else b"T" if value else b"F"

    def _container(self, value: Any, kind: type, depth: int) -> None:
        if kind in PACKED_TAGS and PACKED <= len(value) <= 10 * self._bounds.values and (packed := _packed(value)):
            self.last += PACKED_TAGS[kind] + packed
            return
        if len(value) > self._bounds.values:
            raise CodecError("too large to send")
        self.last += (b"d" if kind is dict else COLLECTIONS[kind]) + COUNT.pack(len(value))
        for item in itertools.chain.from_iterable(value.items()) if kind is dict else value:
            if depth and type(item) in SIMPLE:
                self._values += 1
                self.last += self._simple(item, type(item))
                if self._in_pieces + len(self.last) > self._bounds.total_bytes:
                    raise CodecError("too large to send")
            else:
                self.write(item, depth)

    def _array(self, value: np.ndarray) -> None:
        most = self._bounds.total_bytes
        if value.nbytes > most or (value.size > most and not value.nbytes):
            raise CodecError("too large to send")
        by_rows, by_columns = value.flags.c_contiguous, value.flags.f_contiguous
        layout = 0 if by_rows else BY_COLUMNS if by_columns else APART
        flags = layout | (0 if value.flags.writeable else READ_ONLY)
        self.last += b"a" + _dtype(value.dtype) + struct.pack(f"<BB{value.ndim}Q", flags, value.ndim, *value.shape)
        in_rows = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
        if value.nbytes < LARGE:
            self.last += in_rows.tobytes()
        else:
            self.last += bytes(-(self._in_pieces + len(self.last)) % ALIGNED)
            self.pieces += bytes(self.last), in_rows.reshape(-1).view(np.uint8).data
            self._in_pieces += len(self.last) + value.nbytes
            self.last.clear()


def _packed(values: list | tuple) -> bytes:
    """Return numbers all of one type, float or a small int, as one piece; empty where they are not."""
    kinds = set(map(type, values))
    try:
        code = {float: "d", int: "q"}[kinds.pop()] if len(kinds) == 1 else ""
        return code.encode() + _sized(array.array(code, values).tobytes()) if code else b""
    except (KeyError, OverflowError):
        return b""


def _sized(body: bytes) -> bytes:
    return COUNT.pack(len(body)) + body


def _dtype(dtype: np.dtype) -> bytes:
    text = dtype.newbyteorder("<").str
    if not DTYPE.fullmatch(text):
        raise CodecError(f"no form for numbers of type {dtype}")
    return struct.pack("<B", len(text)) + text.encode()


# ---------------------------------------------------------------- reading


class _Reader:
    """Takes values off the front of bytes that may be anything."""

    def __init__(self, data: bytes | memoryview, bounds: Bounds, unwrap: Callable[[Any], Any] | None) -> None:
        self._data = memoryview(data)
        self._at, self._size = 0, len(self._data)
        self._bounds = bounds
        self._unwrap = unwrap
        self._values = 0
        self._read: list[Any] = []  # what can be the same as something later

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
        value = read(self, depth)
        if tag in KEPT and type(value) in CHANGEABLE:
            self._read.append(value)
        return value

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

    def unpack(self, form: struct.Struct) -> tuple:
        start = self._at
        self._at += form.size
        if self._at > self._size:
            raise CodecError("cut short")
        return form.unpack_from(self._data, start)

    def bytes_(self) -> bytes:
        return self.sized(self._bounds.total_bytes)

    def text(self) -> str:
        try:
            return self.bytes_().decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise CodecError("not text") from None

    def same(self) -> Any:
        (number,) = self.unpack(COUNT)
        if number >= len(self._read):
            raise CodecError("no such value before")
        return self._read[number]

    def wrapped(self, depth: int) -> Any:
        if self._unwrap is None:
            raise CodecError("no such tag")
        return self._unwrap(self.value(depth - 1))

    def collection(self, kind: type, depth: int) -> Any:
        (count,) = self.unpack(COUNT)
        if count > self.left:  # each takes a byte at least
            raise CodecError("cut short")
        try:
            if kind is dict:
                return {self.value(depth - 1): self.value(depth - 1) for _ in range(count)}
            return kind([self.value(depth - 1) for _ in range(count)])
        except TypeError:  # a key, or a member of a set, that cannot be one
            raise CodecError("not hashable") from None

    def _view(self, count: int) -> memoryview:
        start = self._at
        self._at += count
        if self._at > self._size:
            raise CodecError("cut short")
        return self._data[start : self._at]

    def numbers(self, kind: type) -> Any:
        code = bytes(self._view(1))
        body = self.bytes_()
        self._values += len(body) // 80  # a tenth of a value each: they are quick to read
        if code not in (b"d", b"q") or len(body) % 8 or self._values > self._bounds.values:
            raise CodecError("no such numbers, or too many")
        return kind(array.array(code.decode(), body))

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
        if length >= LARGE and not scalar:
            self._view(-self._at % ALIGNED)
        body = self._view(length)
        try:
            flat = np.frombuffer(body, dtype) if len(body) else np.empty(math.prod(shape), dtype)
            if dtype.kind == "U" and np.any(flat.view(np.uint8).view("<u4") > sys.maxunicode):
                raise CodecError("not text")
            made = _laid_out(flat.reshape(shape), flags)
        except (ValueError, OverflowError, MemoryError):
            raise CodecError("not an array") from None
        return made[()] if scalar else made


READERS: dict[int, Callable[[_Reader, int], Any]] = {
    ord(tag): read for tag, read in {
        "N": lambda reader, depth: None, "T": lambda reader, depth: True, "F": lambda reader, depth: False,
        "i": lambda reader, depth: reader.integer(), "f": lambda reader, depth: reader.unpack(FLOAT)[0],
        "c": lambda reader, depth: complex(*reader.unpack(COMPLEX)), "u": lambda reader, depth: reader.text(), "b": lambda reader, depth: reader.bytes_(),
        "l": lambda reader, depth: reader.collection(list, depth), "t": lambda reader, depth: reader.collection(tuple, depth),
        "s": lambda reader, depth: reader.collection(set, depth), "z": lambda reader, depth: reader.collection(frozenset, depth),
        "d": lambda reader, depth: reader.collection(dict, depth), "L": lambda reader, depth: reader.numbers(list), "P": lambda reader, depth: reader.numbers(tuple),
        "a": lambda reader, depth: reader.array(scalar=False), "g": lambda reader, depth: reader.array(scalar=True),
        "r": lambda reader, depth: reader.same(), "x": lambda reader, depth: reader.wrapped(depth),
    }.items()
}  # fmt: skip
KEPT = frozenset(b"lsdLa")


def _laid_out(array: np.ndarray, flags: int) -> np.ndarray:
    """Return what lies in memory as the flags say: a large array where it is, if it may be changed there, or a copy."""
    if array.nbytes >= LARGE and not flags and array.flags.writeable and array.flags.aligned:
        return array
    if flags & APART and array.ndim:
        gaps = np.empty((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        laid_out = gaps[..., ::2]
        laid_out[...] = array
    else:
        laid_out = array.copy(order="F" if flags & BY_COLUMNS else "C")
    laid_out.flags.writeable = not flags & READ_ONLY
    return laid_out
