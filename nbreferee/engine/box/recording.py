"""Record how a cell calls answers, and call answers as recorded (see `engine.replay`)."""

from __future__ import annotations

import contextlib
import decimal
import fractions
import hashlib
import inspect
import io
import sys
import types
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeGuard

import matplotlib.pyplot as plt
import numpy as np

from nbreferee.engine.wire.codec import CodecError, decode, encode
from nbreferee.engine.wire.to_box_replay import RecordedCall

MOST_CALLS, MOST_BYTES = 2_000, 16 << 20  # of one cell
# Objects that code in the known part of Python cannot change.
LASTING = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.ModuleType,
    type,
    np.ufunc,
)
MANY_ARGUMENTS = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
UNCHANGEABLE = frozenset(
    (int, float, complex, bool, str, bytes, type(None), range, fractions.Fraction, decimal.Decimal)
)
ONE_REFERENCE = 2  # and that of the call which counts them
NO_FUNCTION = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def is_plain(function: Any, name: str) -> TypeGuard[types.FunctionType]:
    """Tell whether an answer is a function with its own name."""
    return type(function) is types.FunctionType and function.__name__ == name


def signature(function: types.FunctionType) -> bytes:
    """Return how a function may be called: its parameters and their defaults; nothing where those
    are no data.
    """
    code = function.__code__
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount
    flags = code.co_flags & (MANY_ARGUMENTS | NO_FUNCTION)
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    try:
        return encode((counts, flags, names, function.__defaults__, function.__kwdefaults__))
    except CodecError:
        return b""


class CallRecorder:
    """Notes the calls of some functions that come from elsewhere, while a cell runs."""

    def __init__(self, functions: Mapping[str, types.FunctionType]) -> None:
        self._names = {one.__code__: name for name, one in functions.items()}
        self._running: types.FrameType | None = None
        self._blob = b""
        self._left = MOST_BYTES
        self.is_complete = True
        self.calls: list[RecordedCall] = []
        self.results: list[Any] = []

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Note calls in the meantime."""
        sys.setprofile(self._note)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _note(self, frame: types.FrameType, event: str, value: Any) -> None:
        if self._running is None:
            if event == "call" and self.is_complete and frame.f_code in self._names:
                self._running = frame
                self._blob = self._arguments(frame)
        elif event == "return" and frame is self._running:
            self._running = None
            self._keep(frame, value)

    def _arguments(self, frame: types.FrameType) -> bytes:
        code = frame.f_code
        if code.co_flags & (MANY_ARGUMENTS | NO_FUNCTION):
            return b""
        local = frame.f_locals
        positional = code.co_varnames[: code.co_argcount]
        named = code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
        try:
            arguments = tuple(local[name] for name in positional)
            return encode((arguments, {name: local[name] for name in named}))
        except (CodecError, KeyError):
            return b""

    def _keep(self, frame: types.FrameType, value: Any) -> None:
        """Note a call that has ended; None is what a call that raises returns."""
        try:
            result = encode(value)
        except CodecError:
            result = b""
        self._left -= len(self._blob) + len(result)
        whole = bool(self._blob and result) and value is not None
        if not whole or self._left < 0 or len(self.calls) >= MOST_CALLS:
            self.is_complete = False
            return
        self.calls.append((self._names[frame.f_code], self._blob))
        self.results.append(decode(result))  # the cell may change what it has got


def call_answers(
    names: Mapping[str, Any], calls: Sequence[RecordedCall], limited: Callable[[], Any]
) -> tuple[bool, list[Any]]:
    """Call functions by name; return whether they did nothing but return, and what."""
    results: list[Any] = []
    heard = io.StringIO()
    figures = plt.get_fignums()
    try:
        with (
            warnings.catch_warnings(record=True) as warned,
            contextlib.redirect_stdout(heard),
            contextlib.redirect_stderr(heard),
            limited(),
        ):
            warnings.simplefilter("always")
            for name, blob in calls:
                function = names.get(name)
                if not is_plain(function, name):
                    return False, []
                parts: list[Any] = []
                arguments, named = decode(blob, parts=parts)
                results.append(function(*arguments, **named))
                if encode((arguments, named)) != blob or not is_fresh(results, -1):
                    return False, []
                encode(results[-1])
    except BaseException:
        return False, []
    return not (heard.getvalue() or warned or plt.get_fignums() != figures), results


def is_fresh(holder: Any, key: Any) -> bool:
    """Tell whether all that can change in an item of a list, tuple or dictionary has this one
    reference, so that no argument, no name and no other part is the same object or its memory.
    """
    kind = type(holder[key])
    if kind in UNCHANGEABLE or issubclass(kind, np.generic):
        return True
    if kind is tuple and all(type(one) in UNCHANGEABLE for one in holder[key]):
        return True  # Python may keep one for all calls
    if sys.getrefcount(holder[key]) > ONE_REFERENCE:
        return False
    one = holder[key]
    if kind is np.ndarray:
        return bool(one.flags.writeable) and _has_own_memory(one)
    if kind is dict:
        return all(is_fresh(one, key) for key in one)
    if kind in (list, tuple):
        return all(is_fresh(one, place) for place in range(len(one)))
    return kind is set  # of what cannot change


def _has_own_memory(array: np.ndarray) -> bool:
    if array.base is None:
        return True
    if type(array.base) is not np.ndarray or sys.getrefcount(array.base) > ONE_REFERENCE:
        return False
    return _has_own_memory(array.base)


class Snapshot:
    """What the names of a notebook hold at one moment."""

    def __init__(self, names: Mapping[str, Any], hidden: Collection[str]) -> None:
        self._held = {
            name: value
            for name, value in names.items()
            if type(name) is str and name not in hidden and not name.startswith("_")
        }
        self._digests = {name: _digest(value) for name, value in self._held.items()}

    @property
    def opaque(self) -> set[str]:
        """The names of objects that can change, and cannot be compared."""
        return {
            name
            for name, value in self._held.items()
            if not self._digests[name] and not isinstance(value, LASTING)
        }

    def values(self, wanted: Collection[str]) -> dict[str, Any]:
        """Return the values of names that can be compared."""
        return {name: self._held[name] for name in wanted if self._digests.get(name)}

    def changed(self, later: Snapshot) -> set[str]:
        """Return the names that hold, or may hold, something else later."""
        found = self._held.keys() ^ later._held.keys()
        both = self._held.keys() & later._held.keys()
        found |= {
            name
            for name in both
            if self._held[name] is not later._held[name]
            or self._digests[name] != later._digests[name]
        }
        return found | self.opaque | later.opaque


def _digest(value: Any) -> bytes:
    """Return a hash of a value; nothing where it is no data."""
    try:
        return hashlib.sha256(encode(value)).digest()
    except CodecError:
        return b""
