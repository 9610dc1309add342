"""Whatever comes from a box, the tester gets a value, an exception of the student's, or Lost; never
anything else.
"""

from __future__ import annotations

import array
import builtins
import contextlib
import dataclasses
import datetime
import decimal
import fractions
import io
import ipaddress
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
import types
import typing
import uuid
import zoneinfo
from collections import (
    ChainMap,
    Counter,
    OrderedDict,
    UserDict,
    UserList,
    UserString,
    defaultdict,
    deque,
)
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from nbreferee.engine.tester.box_client import BoxClient, Lost, OutOfTime
from nbreferee.engine.tester.references import NameOwnership
from nbreferee.engine.tester.suspicious import ARGUMENTS, CHANGES, DRAWS, EMPTY, NAN, in_words
from nbreferee.engine.wire import known_types
from nbreferee.engine.wire.channel import LENGTH, Channel, Closed, Late, Oversized
from nbreferee.engine.wire.codec import CodecError, decode, encode
from nbreferee.engine.wire.exceptions import Classes, class_names, exception_class
from nbreferee.engine.wire.protocol import ObjectDescription

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 10**12)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)
words = st.sampled_from(
    [
        "copy",
        "named",
        "module",
        "instance",
        "object",
        "yours",
        "callback",
        "main",
        "builtins",
        "int",
        "eval",
        "os",
        "numpy",
        "range",
        "matrix",
    ]
)
references = st.lists(words | st.integers(-3, 9) | plain, max_size=6).map(tuple)
bodies = st.sampled_from(["value", "raised", "call", "nonsense"])


@contextlib.contextmanager
def student_and_box(answers: list[bytes]) -> Iterator[BoxClient]:
    """A tester's side whose box sends these frames, and is gone."""
    ours, theirs = socket.socketpair()
    student = BoxClient({}, NameOwnership(modules=("math",)))
    student.connect(Channel(ours, most_bytes=1 << 20), 5.0)
    student.begin(float("inf"))

    def answer() -> None:
        with theirs, contextlib.suppress(OSError):
            for frame in answers:
                theirs.sendall(frame)
            theirs.shutdown(socket.SHUT_WR)
            while theirs.recv(1 << 16):
                pass

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield student
    finally:
        ours.close()
        thread.join()


def framed(body: bytes) -> bytes:
    return LENGTH.pack(len(body)) + body


def wrapped(value: object) -> object:
    """Something that `wrap` below sends as a reference."""

    class Reference:
        said = value

    return Reference()


class FromStudent(Exception):
    """Stands for whatever a student's function may raise."""


def heard(frames: list[bytes]) -> object:
    """What asking comes to: it may raise nothing but what a test can meet."""
    with student_and_box(frames) as student:
        try:
            return student.call("len", ([1],)), student.name("x")
        except (Lost, OutOfTime):
            return "lost"
        except BaseException as error:
            assert getattr(error, "from_student", False), repr(error)
            return "raised"


fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@fuzz
@given(st.lists(st.binary(max_size=60), max_size=3))
def test_garbage_is_lost(frames: list[bytes]) -> None:
    assert heard([framed(frame) for frame in frames]) == "lost"
    assert heard(frames) == "lost"


@fuzz
@given(st.integers(0, 3), bodies, plain, st.none() | st.booleans() | references)
def test_well_formed_nonsense_is_lost_or_the_students(
    number: int, what: object, body: object, reference: object
) -> None:
    message = encode((number, what, (body, wrapped(reference))), wrap=lambda one: one.said)
    assert heard([framed(message)] * 3) in ("lost", "raised")


@fuzz
@given(references)
def test_forged_references_are_refused(reference: object) -> None:
    blob = encode(wrapped(reference), wrap=lambda one: one.said)
    student = BoxClient({}, NameOwnership())
    with contextlib.suppress(CodecError):
        value = decode(blob, unwrap=student._references.unwrap)
        assert not callable(value) or isinstance(value, type), value


@fuzz
@given(plain)
def test_facts_are_facts_or_refused(said: object) -> None:
    with contextlib.suppress(CodecError):
        assert isinstance(ObjectDescription.from_tuple(said), ObjectDescription)


@fuzz
@given(st.sampled_from(sorted(known_types.BUILDERS)), st.lists(plain, max_size=4))
def test_descriptions_build_values_or_are_refused(name: str, parts: list[object]) -> None:
    if name in ("DataFrame", "Series", "Index", "Timestamp", "Timedelta", "NaT", "NA"):
        pytest.importorskip("pandas")
    with contextlib.suppress(CodecError):
        known_types.build((name, *parts))


BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
RECORDS = np.array([(1, "a")], [("x", "i8"), ("y", "U1")]).view(np.recarray)
VALUES = [
    range(1, 9, 2),
    slice(1, None, 2),
    ...,
    NotImplemented,
    bytearray(b"ab"),
    fractions.Fraction(1, 3),
    decimal.Decimal("1.50"),
    datetime.date(2026, 1, 2),
    datetime.datetime(2026, 1, 2, 3, 4, 5, 6),
    datetime.time(1, 2),
    datetime.timedelta(1, 2, 3),
    Counter("hello"),
    OrderedDict(b=1, a=2),
    defaultdict(None, {1: 2}),
    deque([1, 2], 3),
    {"a": 1}.keys(),
    {"a": 1}.items(),
    np.dtype("f4"),
    np.datetime64("2026-01-02"),
    np.array(["2026-01-02"], "M8[D]"),
    np.array([b"ab", b"c"]),
    np.array([None, "x", 1], object),
    np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
    np.array([[1, 2]]).view(np.matrix),
    np.array([(1, (2.0, [1, 2]))], [("a", "i4"), ("b", [("c", "f8"), ("d", "i2", 2)])]),
    np.array([(1, 2.5)], "i4,f8")[0],
    np.array([(1, None)], [("n", "i4"), ("o", "O")]),
    RECORDS,
    RECORDS[0],
    np.dtype([("a", "i4"), ("b", "f8", (2,))]),
    np.void(b"abc"),
    np.datetime64("NaT", "D"),
    np.bytes_(b""),
    np.zeros(0, "M8[D]"),
    np.ma.masked_less(np.arange(4), 2),
    np.ma.array([1.0, 2.0]),
    np.ma.masked,
    np.poly1d([1, 2]),
    np.polynomial.Polynomial([1, 2]),
    np.polynomial.Chebyshev([1, 2], domain=[0, 2]),
    datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN),
    BERLIN,
    datetime.time(1, 2, tzinfo=datetime.UTC),
    datetime.timezone(datetime.timedelta(hours=1), "X"),
    time.gmtime(0),
    re.compile("a+", re.IGNORECASE),
    re.compile(b"a"),
    [*re.finditer("b", "abcb")][1],
    re.fullmatch("a|ab", "ab"),
    pathlib.Path("a/b"),
    pathlib.PureWindowsPath("c:\\x"),
    uuid.UUID(int=7),
    array.array("d", [1.5]),
    types.SimpleNamespace(a=1),
    types.MappingProxyType({1: 2}),
    ChainMap({1: 2}, {3: 4}),
    UserDict({1: 2}),
    UserList([1]),
    UserString("ab"),
    statistics.NormalDist(1, 2),
    list[int],
    int | None,
    typing.List[int],  # noqa: UP006, the old alias is meant
    typing.Optional[int],  # noqa: UP045, the old alias is meant
    ipaddress.IPv4Network("10.0.0.0/8"),
    decimal.Decimal("sNaN"),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_of_known_types_travel_by_copy(value: Any) -> None:
    back = there_and_back(value)
    assert type(back) is type(value)
    assert repr(back) == repr(value)
    if isinstance(value, np.ndarray):
        assert back.dtype == value.dtype


def there_and_back(value: object) -> Any:
    """Return a value of a known type as it arrives at the other side."""

    def wrap(one: object) -> tuple[Any, ...]:
        return (
            ("class", one.__name__)
            if isinstance(one, type)
            else ("copy", known_types.describe(one))
        )

    return decode(
        encode(value, wrap=wrap),
        unwrap=lambda said: (
            known_types.build(said[1]) if said[0] == "copy" else getattr(builtins, said[1])
        ),
    )


def test_buffers_travel_with_what_they_hold_and_where_they_are() -> None:
    for buffer, text in ((io.StringIO("ab\ncd"), "cd"), (io.BytesIO(b"ab\ncd"), b"cd")):
        buffer.readline()
        copy = there_and_back(buffer)
        assert copy.read() == text
        copy.write(text)
        assert known_types.adopt_state(buffer, copy)
        assert (buffer.getvalue(), buffer.tell()) == (copy.getvalue(), copy.tell())
    view = memoryview(array.array("i", [1, 2, 3, 4])).cast("B").cast("i", (2, 2))
    assert there_and_back(view) == view
    assert there_and_back(memoryview(b"ab")).readonly


def test_fields_of_data_classes_travel() -> None:
    fields = dataclasses.fields(
        dataclasses.make_dataclass(
            "Card", [("rank", int), ("tags", list, dataclasses.field(default_factory=list))]
        )
    )
    assert [repr(one) for one in there_and_back(list(fields))] == [repr(one) for one in fields]
    assert there_and_back(fields[1])._field_type is dataclasses._FIELD  # type: ignore[attr-defined]  # private


def test_time_zones_of_unknown_classes_stay_where_they_are() -> None:
    class Zone(datetime.tzinfo):
        def utcoffset(self, at: datetime.datetime | None) -> datetime.timedelta:
            return datetime.timedelta(hours=1)

        def dst(self, at: datetime.datetime | None) -> None:
            return None

        def tzname(self, at: datetime.datetime | None) -> str:
            return "zone"

    assert known_types.describe(datetime.datetime(2024, 1, 1, tzinfo=Zone())) is None
    assert known_types.describe(datetime.time(1, tzinfo=Zone())) is None


HOSTILE = {
    "text for typing to compile": ("typing", "List", ("__import__('os')",)),
    "text in a union": ("UnionType", int, "x"),
    "a zone that is a path": ("ZoneInfo", "../../etc/passwd"),
    "indices beyond a sparse matrix": (
        "sparse",
        "csr_matrix",
        (2, 2),
        (np.ones(1), np.array([9]), np.array([0, 1, 1])),
    ),
    "a sparse matrix of objects": (
        "sparse",
        "csr_matrix",
        (1, 1),
        (np.array([None]), np.array([0]), np.array([0, 1])),
    ),
    "an image with too little in it": ("Image", "RGB", (100, 100), b"x"),
    "no bytes in a shape of many": ("raw", "<M8[s]", (10**12,), b""),
    "objects as bytes": ("raw", "|O", (1,), bytes(8)),
    "a mask of another shape": ("masked", np.zeros(3), np.zeros(5, bool), None, False),
    "a random generator beyond its numbers": ("Random", (3, (*[1] * 624, 999), None)),
    "an array of text": ("array.array", "u", b"\xff\xff\xff\xff"),
    "a match that is none": ("Match", re.compile("a"), "b", 0, 1, (0, 1)),
    "a zone that is text": ("datetime", 2024, 1, 1, 0, 0, 0, 0, "UTC", 0),
    "a pattern that is none": ("Pattern", "(", 0),
}


@pytest.mark.parametrize("description", HOSTILE.values(), ids=HOSTILE)
def test_hostile_descriptions_are_refused(description: tuple[Any, ...]) -> None:
    with pytest.raises(CodecError):
        known_types.build(description)


def test_random_generators_travel_with_their_state() -> None:
    for generator in (np.random.default_rng(3), np.random.RandomState(3)):
        copy = there_and_back(generator)
        assert copy.random(3).tolist() == generator.random(3).tolist()
        generator.random(5)
        assert known_types.adopt_state(copy, generator)
        assert copy.random() == generator.random()


def test_subclasses_are_not_taken_for_their_bases() -> None:
    class Liar(np.ndarray):
        pass

    class Word(str):
        __slots__ = ()

    class Hidden(np.ma.MaskedArray):
        pass

    for value in (
        np.zeros(2).view(Liar),
        Word("a"),
        Hidden([1.0], [True]),
        type("Counter", (Counter,), {})(),
    ):
        assert known_types.describe(value) is None
        with pytest.raises(CodecError):
            encode(value)


def test_student_exceptions_are_of_classes_that_tests_can_catch() -> None:
    limits: list[str] = []
    classes = Classes({"LinAlgError": np.linalg.LinAlgError}.get, {}, limits.append)
    assert exception_class(("ValueError", "Exception"), classes) is ValueError
    assert exception_class(("LinAlgError", "ValueError"), classes) is np.linalg.LinAlgError
    own = exception_class(("MyError", "KeyError", "LookupError"), classes)
    assert own.__name__ == "MyError"
    assert issubclass(own, KeyError)
    assert exception_class(("MyError", "KeyError"), classes) is own
    assert issubclass(exception_class((), classes), Exception)
    assert not hasattr(own(), "code")
    assert limits == ["code of the exception MyError stays with the student's code"]


def test_student_exceptions_derive_from_what_they_do_in_the_box() -> None:
    class Base(Exception):
        pass

    class Other(Base, ValueError):
        pass

    class Both(Other, KeyError):
        pass

    classes = Classes(lambda name: None, {}, lambda limit: None)
    both = exception_class(class_names(Both), classes)
    base, other = (exception_class(class_names(kind), classes) for kind in (Base, Other))
    assert both.__bases__ == (other, KeyError)
    assert other.__bases__ == (base, ValueError)
    assert base.__bases__ == (Exception,)


@pytest.mark.parametrize(
    "links",
    [("A", "\1A\1B", "\1B\1A"), ("A", "\1A\1A"), ("A", "\1"), ("A", "\1A\1int\1KeyError\1OSError")],
)
def test_links_that_no_class_has_make_an_exception(links: tuple[str, ...]) -> None:
    assert issubclass(
        exception_class(links, Classes(lambda name: None, {}, lambda limit: None)), Exception
    )


# ------------------------------------------------ the channel itself


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours, most_bytes=1000), theirs


def test_frames_arrive_whole(pair: tuple[Channel, socket.socket]) -> None:
    channel, other = pair
    far = Channel(other)
    for body in (b"", b"x", bytes(1000)):
        far.send(body)
        assert channel.receive() == body


def test_channel_says_why_nothing_comes(pair: tuple[Channel, socket.socket]) -> None:
    channel, other = pair
    import time

    with pytest.raises(Late):
        channel.receive(time.monotonic() + 0.01)
    other.sendall(b"\x05\0\0\0ab")  # a drip that never ends
    with pytest.raises(Late):
        channel.receive(time.monotonic() + 0.01)
    other.sendall(b"cde" + LENGTH.pack(1001))
    with pytest.raises(Oversized):
        channel.receive()
    other.close()
    with pytest.raises(Closed):
        channel.receive()


RECEIVING = """
import resource, socket
from nbreferee.engine.wire.channel import LENGTH, Channel, Closed
ours, theirs = socket.socketpair()
theirs.sendall(LENGTH.pack(250 << 20))
theirs.close()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    Channel(ours).receive()
except Closed:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_announced_length_costs_no_memory() -> None:
    kilobytes = int(
        subprocess.run(
            [sys.executable, "-c", RECEIVING], capture_output=True, text=True, check=True
        ).stdout
    )
    assert kilobytes < 4 << 10


def test_sockets_are_handed_over(pair: tuple[Channel, socket.socket]) -> None:
    channel, other = pair
    mine, yours = socket.socketpair()
    with mine, yours:
        channel.send_with_sockets(b"here", [yours])
        frame, (received,) = Channel(other).receive_with_sockets()
        with received:
            received.sendall(b"!")
            assert (bytes(frame), mine.recv(1)) == (b"here", b"!")


@pytest.mark.parametrize(
    ("label", "oddity", "words"),
    [
        ("fib", "a class", "fib is a class"),
        ("f()", NAN, "f() gives nan, which is no number"),
        ("()", "a class", "a function that an answer returns gives a class"),
        ("f()" + ARGUMENTS, EMPTY, "f() leaves something empty in an argument"),
        (
            "iter",
            CHANGES,
            "iteration of an answer's object changes an argument, which the solution does not do",
        ),
        (
            "fib()",
            DRAWS,
            "fib() draws random numbers from np.random or random, which the solution does not do",
        ),
        (
            "an object that f() changes",
            NAN,
            "an object that f() changes holds nan, which is no number",
        ),
    ],
)
def test_oddity_is_named_in_words_for_a_person(label: str, oddity: str, words: str) -> None:
    assert in_words(label, oddity) == words
