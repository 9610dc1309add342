"""Values survive the codec exactly; whatever else is thrown at it is one kind of error, and
cheap.
"""

from __future__ import annotations

import collections
import contextlib
import struct
import sys
import time
from types import FrameType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nbreferee.engine.wire.codec import Bounds, CodecError, decode, encode
from nbreferee.engine.wire.codec_format import identity

DTYPES = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(),
    hnp.unsigned_integer_dtypes(),
    hnp.unicode_string_dtypes(max_len=4),
    hnp.floating_dtypes(sizes=(16, 32, 64)),
    hnp.complex_number_dtypes(sizes=(64, 128)),
    st.sampled_from([np.dtype("<f16"), np.dtype("<c32")]),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.binary(),
    st.characters(codec=None),
)
ARRAYS = DTYPES.flatmap(
    lambda dtype: hnp.arrays(
        dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
    )
)
NUMPY_SCALARS = st.one_of(
    st.integers(-100, 100).map(np.int16),
    st.floats(width=32).map(np.float32),
    st.booleans().map(np.bool_),
    st.complex_numbers(width=64).map(np.complex64),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4).map(np.str_),
)
VALUES = st.recursive(
    st.one_of(SCALARS, ARRAYS, NUMPY_SCALARS),
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(SCALARS, inner),
        st.frozensets(SCALARS),
        st.sets(SCALARS),
    ),
    max_leaves=12,
)


def alike(a: Any, b: Any) -> bool:
    """The same type, value, dtype and shape, NaN and signed zeros included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        same_type = a.dtype.newbyteorder("<") == b.dtype.newbyteorder("<")
        if a.dtype.char in "gG":  # long doubles, which have unused bytes
            parts = np.ravel(a).view(np.longdouble), np.ravel(b).view(np.longdouble)
            return bool(
                same_type
                and a.shape == b.shape
                and np.array_equal(*parts, equal_nan=True)
                and np.array_equal(np.signbit(parts[0]), np.signbit(parts[1]))
            )
        same = same_type and a.shape == b.shape and a.astype(b.dtype).tobytes() == b.tobytes()
        return bool(same)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and all(
            alike(x, y) for x, y in zip(a.items(), b.items(), strict=True)
        )
    if isinstance(a, (set, frozenset)):
        return sorted(map(repr, a)) == sorted(map(repr, b))
    return repr(a) == repr(b)


@given(VALUES)
def test_values_come_back_exactly(value: object) -> None:
    assert alike(value, decode(encode(value)))


def test_arrays_come_back_whatever_their_memory_is_like() -> None:
    whole = np.arange(24.0).reshape(4, 6)
    for array in (
        whole[::2, ::3],
        whole.T,
        np.asfortranarray(whole),
        whole.astype(">f8"),
        np.broadcast_to(1.0, (2, 3)),
        np.arange(18_000.0).reshape(90, 200)[:, ::2],
        np.arange(9_600.0).reshape(4, 40, 60).transpose(2, 0, 1),
        np.arange(20_000.0)[::2],
        np.arange(20_000.0).reshape(1, 20_000)[:, ::2],
    ):
        back = decode(encode(array))
        np.testing.assert_array_equal(back, array)
        assert (back.flags.writeable, back.flags.c_contiguous, back.flags.f_contiguous) == (
            array.flags.writeable,
            array.flags.c_contiguous,
            array.flags.f_contiguous,
        )


class Liar(list[Any]):
    """A list that is not one."""


class Claims(np.ndarray):
    """An array that is not one."""


def nested(depth: int) -> list[Any]:
    inner: list[Any] = [0]
    for _ in range(depth - 1):
        inner = [inner]
    return inner


NO_FORM: dict[str, tuple[object, str]] = {
    "function": (len, "a builtin_function_or_method cannot be copied"),
    "subclass of list": (Liar([1]), "a Liar cannot be copied"),
    "ordered dictionary": (collections.OrderedDict(a=1), "a OrderedDict cannot be copied"),
    "subclass of array": (np.ones(2).view(Claims), "a Claims cannot be copied"),
    "masked array": (np.ma.array([1.0]), "a MaskedArray cannot be copied"),
    "tuple of a tuple's subclass": (time.gmtime(0), "a struct_time cannot be copied"),
    "array of objects": (np.array([None]), "numbers of type object cannot be copied"),
    "records": (np.zeros(2, dtype="i4,f8"), "numbers of type"),
    "dates": (np.array(["2020-01-01"], dtype="M8[D]"), "numbers of type"),
    "module": (np, "a module cannot be copied"),
    "lists 500 deep": (
        nested(500),
        "nested too deeply",
    ),
    "integer of too many bits": (1 << (1 << 24), "an integer of too many bits"),
    "long list": ([None] * 24_000_001, "too large to send"),
}


@pytest.mark.parametrize(("value", "words"), NO_FORM.values(), ids=NO_FORM)
def test_value_without_a_form_is_refused(value: object, words: str) -> None:
    with pytest.raises(CodecError, match=words):
        encode(value)


def test_message_that_is_too_large_is_refused_before_it_is_made() -> None:
    for value in (
        b"x" * 2000,
        np.broadcast_to(1.0, (10**15,)),
        np.broadcast_to("a", (10**9, 10**9)),
    ):
        with pytest.raises(CodecError, match="too large"):
            encode(value, Bounds(total_bytes=1000))


@settings(max_examples=500)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_codec_error(data: bytes) -> None:
    with contextlib.suppress(CodecError):
        decode(data)


@settings(max_examples=300)
@given(VALUES, st.data())
def test_damaged_bytes_are_a_value_or_a_codec_error(value: object, data: st.DataObject) -> None:
    message = bytearray(encode(value))
    for _ in range(data.draw(st.integers(1, 3))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CodecError):
        decode(bytes(message[: data.draw(st.integers(0, len(message)))]))


def claimed(dtype: str, *shape: int) -> bytes:
    return (
        b"a"
        + struct.pack("<B", len(dtype))
        + dtype.encode()
        + struct.pack(f"<B{len(shape)}Q", len(shape), *shape)
    )


HOSTILE = {
    "10^15 numbers that are not there": claimed("<f8", 10**15),
    "a shape whose product overflows": claimed("<f8", 2**63, 2**63),
    "nothing, in a shape too large": claimed("<f8", 2**63, 0, 2**63),
    "no bytes an item, for ever": claimed("<U0", 2**62),
    "33 axes and more": claimed("<f8", *[1] * 200) + bytes(8),
    "objects": claimed("|O", 1) + bytes(8),
    "text beyond Unicode": claimed("<U1", 1) + b"\xff\xff\xff\xff",
    "a list of 2^32 values": b"l\xff\xff\xff\xff",
    "a dictionary keyed by lists": b"d\x01\x00\x00\x00l\x00\x00\x00\x00N",
    "a set of arrays": b"s\x01\x00\x00\x00" + claimed("<f8", 0),
    "lists 10,000 deep": b"l\x01\x00\x00\x00" * 10_000 + b"N",
    "two values": b"NN",
    "nothing": b"",
    "an unknown tag": b"?",
    "an integer of 24 million bits": b"i" + struct.pack("<I", 3_000_000) + bytes(3_000_000),
    "a tuple that holds itself": b"t\x01\0\0\0" + b"r\0\0\0\0",
    "a container of another message": b"p\0\0\0\0",
}


@pytest.mark.parametrize("message", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_refused_at_once(message: bytes) -> None:
    with pytest.raises(CodecError):
        decode(message)


def test_bounds_hold_when_reading() -> None:
    with pytest.raises(CodecError, match="too large to read"):
        decode(encode(b"x" * 2000), Bounds(total_bytes=1000))
    with pytest.raises(CodecError, match="too many values"):
        decode(encode([None] * 20), Bounds(values=20))
    with pytest.raises(CodecError, match="too many"):
        decode(encode([0.5] * 200), Bounds(values=20))
    with pytest.raises(CodecError, match="too many"):  # an empty container takes memory as well
        decode(encode([set() for _ in range(15)]), Bounds(values=20))


def test_what_is_one_stays_one() -> None:
    row, array = [1, "x"], np.zeros(2)
    grid = decode(encode([row, row, [1, "x"], (array, {"a": array}), [[0.5] * 20] * 2]))
    assert grid[0] is grid[1]
    assert grid[0] is not grid[2]
    assert grid[3][0] is grid[3][1]["a"]
    assert grid[4][0] is grid[4][1]
    separate = decode(encode([[0] * 3 for _ in range(3)]))
    assert len({id(one) for one in separate}) == 3


def test_temporary_values_are_not_taken_for_one() -> None:
    class Pair:
        def __init__(self, number: int) -> None:
            self.number = number

    back = decode(
        encode([Pair(n) for n in range(50)], wrap=lambda one: [one.number]),
        unwrap=lambda said: said[0],
    )
    assert back == list(range(50))


NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.floats(), st.floats().map(np.float64), st.just(0)
)


@given(st.lists(NUMBERS, min_size=16, max_size=40), st.sampled_from([list, tuple]), st.data())
def test_lists_of_unlike_numbers_are_one_piece_and_keep_each_type(
    numbers: list[float], kind: type[list[float]] | type[tuple[float, ...]], data: st.DataObject
) -> None:
    packed = encode(kind(numbers))
    found = decode(packed)
    assert len(packed) <= 20 + 9 * len(numbers)
    assert list(map(type, found)) == list(map(type, numbers))
    assert all(a == b or a != a for a, b in zip(found, numbers, strict=True))
    damaged = bytearray(packed)
    damaged[data.draw(st.integers(1, 1 + len(numbers)))] ^= 1  # a type, or how many there are
    with contextlib.suppress(CodecError):
        decode(bytes(damaged))


def test_long_lists_of_unlike_numbers_take_few_steps() -> None:
    numbers = [[0, 0.5, np.float64(1.5), 2] * 10] * 3
    steps: list[str] = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        steps.append(event)

    packed = encode([list(row) for row in numbers])
    sys.setprofile(note)
    try:
        found = decode(packed)
    finally:
        sys.setprofile(None)
    assert found == numbers
    assert len(steps) < 300


def test_references_to_nothing_are_refused() -> None:
    for message in (b"r\0\0\0\0", b"l\x02\0\0\0" + b"r\x01\0\0\0" + b"N"):
        with pytest.raises(CodecError, match="no such value before"):
            decode(message)


@given(
    st.recursive(
        st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.integers(), inner),
        max_leaves=20,
    ),
    st.data(),
)
def test_values_may_hold_themselves(value: Any, data: st.DataObject) -> None:
    containers: list[Any] = []
    back_parts: list[Any] = []
    encode([value], parts=containers)
    holder = data.draw(st.sampled_from(containers))
    inner = data.draw(st.sampled_from(containers))
    holder.append(inner) if isinstance(holder, list) else holder.update({"inner": inner})
    again: list[Any] = []
    back = decode(encode([value, inner], parts=again), parts=back_parts)
    places = {id(one): n for n, one in enumerate(again)}
    for one, copy in zip(again, back_parts, strict=True):
        pairs = (
            zip(one, copy, strict=True)
            if type(one) is list
            else zip(one.values(), copy.values(), strict=True)
        )
        for part, part_copy in pairs:
            assert (
                part_copy is back_parts[places[id(part)]]
                if id(part) in places
                else part_copy == part
            )
    assert type(back[1]) is type(inner)


@given(VALUES)
def test_both_sides_find_the_same_containers(value: object) -> None:
    ours: list[Any] = []
    theirs: list[Any] = []
    decode(encode(value, parts=ours), parts=theirs)
    assert [type(one) for one in ours] == [type(one) for one in theirs]
    shared = {identity(one): n for n, one in enumerate(ours)}
    back = decode(encode(list(ours), shared=shared), shared=theirs)
    assert all(one is other for one, other in zip(back, theirs, strict=True))


@pytest.mark.parametrize(
    "bits", [b"\0" * 7 + b"\x40\xff\x3f", b"\1" + b"\0" * 7 + b"\xff\x7f", b"\0" * 8 + b"\xff\x7f"]
)
def test_long_doubles_that_are_no_numbers_are_nan(bits: bytes) -> None:
    """Patterns of bits that an x87 processor takes for no number, and `isnan` on some systems for
    one.
    """
    message = b"a" + struct.pack("<B", 4) + b"<f16" + struct.pack("<BBQ", 0, 1, 1) + bits + bytes(6)
    (number,) = decode(message)
    assert np.isnan(number)
    assert number.tobytes()[:10] == np.longdouble("nan").tobytes()[:10]


def test_values_far_beyond_a_course_travel() -> None:
    for value in (
        [[n, n + 1] for n in range(200_000)],
        {n: str(n) for n in range(200_000)},
        [[0.5] * 1000] * 2000,
        7**100_000,
    ):
        assert decode(encode(value)) == value
