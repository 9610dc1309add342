"""What tester and box say to each other, and in which words.

The tester asks; the box answers with a value, or with an exception. While it computes, it may call
functions that it was handed, and while one of those runs, the tester may ask again: a conversation
nests. Every question carries a number that its answer must repeat.

    question    (number, operation, arguments)   of the classes in `to_box`, by their fields
    answer      (number, "value", value)
                (number, "raised", ExceptionDescription)
                (0, "call", FunctionCall)        which the tester answers with
                (0, "returned", (value,))  or  (0, "failed", TestException)

Values travel by copy. What has no copy travels as a reference, a tuple after the codec's tag for
wrapped values:

    ("copy", description)              see `known_types`
    ("named", module, name)            a function or type that both sides can import
    ("module", name)
    ("main", name)                     a class of the instructor's, which both sides have
    ("instance", number)               of a class that the instructor defined; its attributes
                                       travel along
    ("member", class, name, value)     of an enumeration that both sides have
    ("named tuple", class, fields, values)
    ("content", class, content, attributes)  of a library's subclass of list, str and the like
    ("object", number, ObjectDescription)          stays in the box; the tester gets a proxy
    ("yours", number)                  an object of the box on its way back
    ("of any object", name)            `object.__eq__` and the like
    ("callback", number, (name, documentation), is_function, parameters)
                                       a function that stays in the tester
    ("iterator", number, is_generator) an iterator that stays in the tester
    ("reference", number, name)        a function of the solution, which stays in the tester
                                       (see `reference_answers`)
    ("identities", numbers)            which objects of the box the containers of a message are
"""

from __future__ import annotations

import _random
import ctypes
import os
import random
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np

from nbreferee.engine.wire.codec import CodecError

POSITIONS = 624  # of a Mersenne Twister's numbers
TWISTER_BYTES = 4 * (POSITIONS + 1)
NUMPY_RANDOM: Any = np.random  # some versions have no types of what is used of it here
# before the name of a figure that is still to be drawn, in the place of its picture
MARK = "nbreferee-figure:"
CANNOT_LEAVE = (
    "a value that cannot leave the notebook"  # what the box says of a value that has no copy
)
MOST_CHARACTERS = 200  # of a name of a class or function
NESTED = 20  # questions within callbacks within questions


@dataclass(frozen=True)
class ObjectDescription:
    """What the box says of an object that stays there; nothing hangs on its being true."""

    kind: str  # 'function', 'class', 'coroutine', 'generator', 'callable', 'iterator' or 'object'
    name: str  # of the function or class
    type_name: str
    type_module: str
    bases: tuple[str, ...] = ()  # the names of the classes that it, or its class, descends from
    specials: tuple[
        str, ...
    ] = ()  # of an object: the special methods and attributes that its class has
    type_number: int = 0  # of an object: which object of the box its class is

    def as_tuple(self) -> tuple[Any, ...]:
        """Return it as the codec takes it."""
        return (
            self.kind,
            self.name,
            self.type_name,
            self.type_module,
            self.bases,
            self.specials,
            self.type_number,
        )

    @staticmethod
    def from_tuple(said: Any) -> ObjectDescription:
        """Read what was said.

        Raises
        ------
        CodecError
            where that is no tuple of facts.
        """
        if type(said) is not tuple or len(said) != 7 or type(said[6]) is not int:
            raise CodecError("no facts about an object")
        if not all(type(word) is str and len(word) < MOST_CHARACTERS for word in said[:4]):
            raise CodecError("no facts about an object")
        for words in said[4:6]:
            if (
                type(words) is not tuple
                or not all(type(word) is str and len(word) < MOST_CHARACTERS for word in words)
                or len(words) > 500
            ):
                raise CodecError("no facts about an object")
        return ObjectDescription(*said)


@dataclass(frozen=True)
class FunctionCall:
    """A call by the box of a function that stays in the tester."""

    number: int
    arguments: tuple[Any, ...]
    named: dict[str, Any]

    def as_tuple(self) -> tuple[Any, ...]:
        """Return it as the codec takes it."""
        return self.number, self.arguments, self.named

    @staticmethod
    def from_tuple(said: Any) -> FunctionCall:
        """Read what was said.

        Raises
        ------
        CodecError
            where that is no call.
        """
        match said:
            case (int(number), tuple(arguments), dict(named)):
                return FunctionCall(number, arguments, named)
        raise CodecError("no call of a function")


class CallContext(NamedTuple):
    """What a student's function finds when it is called, besides its arguments."""

    random: tuple[Any, ...] | None = (
        None  # state of the global generators, where the test has changed it
    )
    names: Mapping[str, Any] = {}  # that the test has set, or whose values it has changed
    gone: Sequence[str] = ()  # that it has deleted
    builtins: Mapping[str, Any] = {}  # Python's own that it has replaced
    errstate: Mapping[str, Any] = {}  # of NumPy, where the test has changed it
    in_place: Sequence[str] = ()  # those of the names whose objects stay the same ones


class CallResult(NamedTuple):
    """The result of a call."""

    value: Any = None
    raised: tuple[Any, ...] | None = None  # an exception, described
    same: int | str | None = None  # the argument that it has returned
    changed: bytes | None = None  # the arguments as they are now, where that is otherwise
    # attributes and content of those that are of the instructor's classes
    states: Sequence[tuple[dict[str, Any], Any]] = ()
    heard: Sequence[str] = ("", "")  # what it has printed
    warned: Sequence[tuple[Any, ...]] = ()
    random: tuple[Any, ...] | None = (
        None  # state of the global generators, where it has drawn from them
    )
    figures: int = 0  # how many are open
    names: Mapping[str, Any] = {}  # that the test has set, and the call has set again
    wrote: bool = False  # a file


def compacted(record: CallContext | CallResult) -> dict[int, Any]:
    """Return what a record says beyond the usual, by place."""
    usual = type(record)._field_defaults.values()
    return {
        place: said
        for place, (said, one) in enumerate(zip(record, usual, strict=True))
        if type(said) is not type(one) or said != one
    }


ERRSTATE = CallContext._fields.index("errstate")
C = TypeVar("C", CallContext, CallResult)


def expanded(kind: type[C], said: dict[int, Any]) -> C:
    """Return the record that `compacted` made this of; places that it does not have are left
    out.
    """
    values = list(kind._field_defaults.values())
    for place, one in said.items():
        if type(place) is int and 0 <= place < len(values):
            values[place] = one
    return kind._make(values)


class RandomState:
    """The global random generators of `random` and NumPy."""

    def __init__(self) -> None:
        self._state: tuple[Any, ...] | None = None
        self._memory = b""  # as it was then
        self._generators: tuple[object, object] = None, None
        self._places: tuple[Any, Any] = None, None  # of these, in memory

    def state(self, last: tuple[Any, ...] | None = None) -> tuple[Any, ...]:
        """Return their state, to compare and to send: `last` itself where nothing has changed.

        That is looked up in memory, for it takes longer to be told a state than a call takes
        otherwise.
        """
        memory = self._in_memory()
        same = bool(memory) and memory == self._memory and last is self._state
        if (  # a normal number in stock is nowhere in memory
            same
            and last is not None
            and last[0][2] is None is random.getstate.__self__.gauss_next  # type: ignore[attr-defined]  # it is bound
            and not last[3]
        ):
            return last
        numpy_state: tuple[Any, ...] = NUMPY_RANDOM.get_state()
        _, keys, position, has_gauss, cached = numpy_state
        state = random.getstate(), keys.tobytes(), position, has_gauss, cached
        now = last if last is not None and state == last else state
        self._state, self._memory = now, memory
        return now

    def _in_memory(self) -> bytes:
        """Return numbers and positions of both Mersenne Twisters (CPython's RandomObject, NumPy's
        mt19937_state); nothing where one has been replaced.
        """
        ours: Any = random.getstate.__self__  # type: ignore[attr-defined]  # it is bound
        theirs = NUMPY_RANDOM.get_bit_generator()
        if type(theirs) is not np.random.MT19937 or type(ours) is not random.Random:
            return b""
        if self._generators[0] is not ours or self._generators[1] is not theirs:
            self._generators = ours, theirs
            own_bytes = _random.Random.__basicsize__ - object.__basicsize__
            self._places = (
                (ctypes.c_char * own_bytes).from_address(id(ours) + object.__basicsize__),
                (ctypes.c_char * TWISTER_BYTES).from_address(theirs.ctypes.state_address),
            )
        of_python, of_numpy = self._places
        return bytes(of_python.raw + of_numpy.raw)


def set_random_state(state: tuple[Any, ...]) -> None:
    """Go on from a state of the global generators.

    Raises
    ------
    CodecError
        where it is none.
    """
    try:
        (version, words, gauss), keys, position, has_gauss, cached = state
        if not 0 <= position <= POSITIONS or type(gauss) not in (
            float,
            type(None),
        ):  # nobody else looks
            raise ValueError
        random.setstate((version, words, gauss))
        np.random.set_state(
            ("MT19937", np.frombuffer(keys, np.uint32), position, has_gauss, cached)
        )
    except (TypeError, ValueError, OverflowError):
        raise CodecError("no state of a random generator") from None


def importable_name(value: Any) -> tuple[str, str] | None:
    """Return (module, name) of a function or type that an installed module holds under that
    name.
    """
    if not isinstance(
        value, (type, np.ufunc, types.FunctionType, types.BuiltinFunctionType, type(np.dot))
    ):  # before its attributes are read: an object may answer for every name
        return None
    module, name = (
        getattr(value, "__module__", None),
        getattr(value, "__qualname__", None) or getattr(value, "__name__", None),
    )
    if isinstance(value, np.ufunc):
        module, name = "numpy", value.__name__
    if type(module) is not str or type(name) is not str or module == "__main__":
        return None
    loaded = sys.modules.get(module)
    if loaded is None or not is_installed(loaded):
        return None
    return (module, name) if getattr(loaded, name, None) is value else None


def is_writing(flags: object) -> bool:
    """Tell from the flags of an `open` event whether the file may be written."""
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def is_installed(module: types.ModuleType) -> bool:
    """Tell whether a module is Python's own or an installed package's: the same on both sides."""
    path = getattr(module, "__file__", None)
    return path is None or path.startswith((sys.base_prefix, sys.prefix))
