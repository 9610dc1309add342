"""Plain values as bytes, for talking with a box that nobody trusts.

Values of exactly these types have a form: None, bool, int, float, complex, str, bytes, list, tuple,
dict, set, frozenset, NumPy scalars and arrays of the kinds b i u f c U, long double included. A
subclass is not its base: it may lie. Nothing here runs code that the bytes ask for (no pickle), and
reading is bounded: in bytes, in depth, in the number of values, in the bits of an integer. Every
other value is encoded as what `wrap` makes of it, and decoded by `unwrap`: `known_types` for types
of the standard library and pandas, `box.references` for what stays where it is.

A value is a tag of one byte and a body; lengths are 32 bits, all numbers little-endian. An array
keeps what a test may look at: whether it is read-only, and how its numbers lie in memory (in rows,
in columns, or apart). A list, set, dictionary or array that is in two places of a message is one
object on the other side, and a list or dictionary may hold itself. Two sides that have exchanged a
message can refer to the containers in it later (`parts` and `shared`).
"""

from __future__ import annotations

import array
import itertools
import struct
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from nbreferee.engine.wire.codec_format import (
    ALIGNED,
    APART,
    BOUNDS,
    BY_COLUMNS,
    CHANGEABLE,
    COLLECTIONS,
    COMPLEX,
    CONTAINER_COST,
    CONTAINERS,
    COUNT,
    DTYPE,
    FLOAT,
    LARGE,
    MIXED,
    PACKED,
    PACKED_TAGS,
    READ_ONLY,
    SCALARS,
    SIMPLE,
    Bounds,
    CodecError,
    Wrap,
    identity,
    room_for_recursion,
)
from nbreferee.engine.wire.codec_reading import Reader

LITTLE = "<|=" if sys.byteorder == "little" else "<|"  # orders of bytes that stay as they are
SMALL_INTEGERS = {
    value: b"i" + COUNT.pack(1) + value.to_bytes(1, "little", signed=True)
    for value in range(-128, 128)
}
__all__ = ["BOUNDS", "Bounds", "CodecError", "decode", "encode", "in_pieces"]


def encode(
    value: Any,
    bounds: Bounds = BOUNDS,
    wrap: Wrap = None,
    parts: list[Any] | None = None,
    shared: Mapping[int, int] | None = None,
) -> bytes:
    """Return a value as bytes; what has no form of its own is sent as `wrap` of it.

    Parameters
    ----------
    parts : list, optional
        Gets the containers of the message, in the order in which `decode` finds them.
    shared : dict, optional
        Places in a list of containers that both sides have, by `identity`: these are sent as
        references.

    Raises
    ------
    CodecError
        where it, or something in it, has no form, or it is too large.
    """
    return b"".join(in_pieces(value, bounds, wrap, parts, shared))


def in_pieces(
    value: Any,
    bounds: Bounds = BOUNDS,
    wrap: Wrap = None,
    parts: list[Any] | None = None,
    shared: Mapping[int, int] | None = None,
) -> list[bytes | memoryview]:
    """Return what `encode` does in pieces: large arrays are no copies, so send them before they
    change.
    """
    writer = _Writer(bounds, wrap, parts, shared)
    with room_for_recursion(bounds.depth):
        writer.write(value, bounds.depth)
    return [*writer.pieces, bytes(writer.last)]


def decode(
    data: bytes | memoryview,
    bounds: Bounds = BOUNDS,
    unwrap: Wrap = None,
    parts: list[Any] | None = None,
    shared: Sequence[Any] = (),
) -> Any:
    """Return the value that bytes stand for, with `unwrap` of what was wrapped.

    `parts` gets the containers of the message; `shared` are those that the other side may refer to.

    Raises
    ------
    CodecError
        where they stand for none, for more than one, or for too large a one.
    """
    if len(data) > bounds.total_bytes:
        raise CodecError("too large to read")
    reader = Reader(data, bounds, unwrap, parts, shared)
    with room_for_recursion(bounds.depth):
        value = reader.value(bounds.depth)
    if reader.left:
        raise CodecError("bytes left over")
    return value


# ---------------------------------------------------------------- writing


class _Writer:
    """Takes values apart into bytes."""

    def __init__(
        self, bounds: Bounds, wrap: Wrap, parts: list[Any] | None, shared: Mapping[int, int] | None
    ) -> None:
        self.pieces: list[bytes | memoryview] = []
        self.last = bytearray()  # what comes after them
        self._bounds = bounds
        self._wrap = wrap
        self._values, self._in_pieces = 0, 0
        self._numbers: dict[int, int] = {}  # of containers, by identity
        self._parts = (
            [] if parts is None else parts
        )  # those containers: kept, or an identity could be another's
        self._shared = shared or {}

    def write(self, value: Any, depth: int) -> None:
        """Add the bytes of a value."""
        kind = type(value)
        self._values += 1
        if depth == 0:
            raise CodecError("nested too deeply")
        if kind in SIMPLE:
            self.last += self._simple(value, kind)
        elif (number := self._numbers.get(known := identity(value))) is not None:
            self.last += b"r" + COUNT.pack(number)
        elif (number := self._shared.get(known)) is not None:
            self.last += b"p" + COUNT.pack(number)
        elif kind in CONTAINERS or (kind is np.ndarray and value.dtype.kind in "biufcU"):
            if kind in CHANGEABLE:
                self._numbers[known] = len(self._numbers)
                self._parts.append(value)
            self._array(value) if kind is np.ndarray else self._container(value, kind, depth - 1)
        elif kind in SCALARS:
            scalar = np.asarray(value)
            self.last += (
                b"g"
                + _dtype(scalar.dtype)
                + scalar.astype(scalar.dtype.newbyteorder("<")).tobytes()
            )
        elif self._wrap is not None:
            self.last += b"x"
            self.write(self._wrap(value), depth - 1)
        else:
            what = f"numbers of type {value.dtype}" if kind is np.ndarray else f"a {kind.__name__}"
            raise CodecError(f"{what} cannot be copied")
        if (
            self._in_pieces + len(self.last) > self._bounds.total_bytes
            or self._values > self._bounds.values
        ):
            raise CodecError("too large to send")

    def _simple(self, value: Any, kind: type) -> bytes:
        if kind is str:
            encoded: bytes = value.encode("utf-8", "surrogatepass")
            return b"u" + COUNT.pack(len(encoded)) + encoded
        if kind is int:
            if -128 <= value < 128:
                return SMALL_INTEGERS[value]
            if value.bit_length() >= self._bounds.integer_bits:
                raise CodecError("an integer of too many bits")
            return b"i" + _sized(value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))
        if kind is float:
            return b"f" + FLOAT.pack(value)
        if kind is complex:
            return b"c" + COMPLEX.pack(value.real, value.imag)
        return (
            b"b" + _sized(value)
            if kind is bytes
            else b"N"
            if value is None
            else b"T"
            if value
            else b"F"
        )

    def _container(self, value: Any, kind: type, depth: int) -> None:
        count = len(value)
        self._values += CONTAINER_COST
        if (
            count >= PACKED
            and kind in PACKED_TAGS
            and count <= 10 * self._bounds.values
            and (packed := _packed(value))
        ):
            self.last += PACKED_TAGS[kind] + packed
            return
        if count > self._bounds.values:
            raise CodecError("too large to send")
        self.last += (b"d" if kind is dict else COLLECTIONS[kind]) + COUNT.pack(count)
        for item in itertools.chain.from_iterable(value.items()) if kind is dict else value:
            item_kind = type(item)
            if depth and item_kind in SIMPLE:
                self._values += 1
                self.last += self._simple(item, item_kind)
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
        self.last += (
            b"a"
            + _dtype(value.dtype)
            + struct.pack(f"<BB{value.ndim}Q", flags, value.ndim, *value.shape)
        )
        if value.nbytes < LARGE and value.dtype.byteorder in LITTLE:
            self.last += value.tobytes()
            return
        in_rows = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
        if value.nbytes < LARGE:
            self.last += in_rows.tobytes()
        else:
            self.last += bytes(-(self._in_pieces + len(self.last)) % ALIGNED)
            self.pieces += bytes(self.last), in_rows.reshape(-1).view(np.uint8).data
            self._in_pieces += len(self.last) + value.nbytes
            self.last.clear()


def _packed(values: list[Any] | tuple[Any, ...]) -> bytes:
    """Return numbers as one piece; empty where some are of other types than floats and small
    integers.
    """
    kinds = set(map(type, values))
    if not kinds <= MIXED.keys():
        return b""
    try:
        if kinds in ({float}, {int}):
            code = MIXED[kinds.pop()]
            return code + _sized(array.array(code.decode(), values).tobytes())
        codes = b"".join([MIXED[type(one)] for one in values])
        whole = array.array("q", [one for one in values if type(one) is int])
        others = array.array("d", [one for one in values if type(one) is not int])
    except OverflowError:
        return b""
    return b"m" + b"".join(map(_sized, (codes, whole.tobytes(), others.tobytes())))


def _sized(body: bytes) -> bytes:
    return COUNT.pack(len(body)) + body


@lru_cache(maxsize=256)
def _dtype(dtype: np.dtype) -> bytes:
    text = dtype.newbyteorder("<").str
    if not DTYPE.fullmatch(text):
        raise CodecError(f"numbers of type {dtype} cannot be copied")
    return struct.pack("<B", len(text)) + text.encode()
