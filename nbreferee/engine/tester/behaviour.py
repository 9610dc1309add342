"""What an answer does in one test, as a short digest: the same for answers that do the same.

The digest runs over all that the student's code gives to the test, in order: results of calls,
exceptions, changed arguments, and values that the test looks up by name. Numbers count to five
digits of the largest in their array, as two ways to the same number differ by rounding. Texts of
exceptions count without addresses.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbreferee.engine.tester.proxies import is_proxy

DIGITS = 5
STEPS = 20_000  # of one cell; what comes after is not looked at
ENTRIES = 10_000  # of one array; of a larger one, as many entries count, the same ones each time
ITEMS = 2_000  # of one container
VALUES = 20_000  # of one cell, not counting numbers in arrays and in lists of numbers
DEPTH = 8
WAITING_BYTES = 4 << 20  # of values that wait to be digested
WAITING_OVERHEAD_BYTES = 200
WAITING_ITEMS = 8  # of a tuple
SMALLEST = 0.7531e-12  # numbers below this are 0
# No change to another power of ten, and no border between steps, lies at a number that people use.
_POWER_OFFSET, _STEP_OFFSET = 0.1234, 0.3183098861837907
_ADDRESS = re.compile(r"0x[0-9a-f]+|\bline \d+|<ipython-input[^>]*>", re.IGNORECASE)
_TEXT = 2_000
NUMBERS = "biufc"  # kinds of arrays
SCALARS = frozenset(
    {bool, int, float, complex}
    | {kind for kind in np.sctypeDict.values() if np.dtype(kind).kind in NUMBERS}
)
LISTS = frozenset({list, tuple})


@dataclass(frozen=True)
class _Entries:
    """Those entries of a large array that count."""

    shape: tuple[int, ...]
    flat: np.ndarray

    @property
    def nbytes(self) -> int:
        return self.flat.nbytes


class Behaviour:
    """The digest of one test cell after another."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start a cell."""
        self._hash = hashlib.sha256()
        self._left = STEPS
        self._values_left = VALUES
        self._waiting: list[tuple[str, Any]] = []
        self._waiting_bytes = 0

    @property
    def digest(self) -> str:
        """The digest so far; '' where the student's code was not asked for anything."""
        self._digest_waiting()
        return self._hash.hexdigest()[:16] if self._left < STEPS else ""

    def gives(self, label: str, value: Any) -> None:
        """Note a value of the student's.

        A copy of a plain value waits, for most cells pass and need no digest.
        """
        if self._left <= 0:
            return
        self._left -= 1
        copy = _copy(value)
        if copy is None:
            self._digest_waiting()
            self._give(label, value)
            return
        self._waiting.append((label, copy))
        self._waiting_bytes += _bytes_of(copy)
        if self._waiting_bytes > WAITING_BYTES:
            self._digest_waiting()

    def _digest_waiting(self) -> None:
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        for label, value in waiting:
            self._give(label, value)

    def _give(self, label: str, value: Any) -> None:
        self._hash.update(f"\n{label}:".encode("utf-8", "replace"))
        try:
            self._feed(value, DEPTH)
        except Exception:  # whatever it is, the test goes on
            self._hash.update(b"?")

    def raises(self, label: str, error: BaseException) -> None:
        """Note an exception of the student's."""
        if self._left > 0:
            self._left -= 1
            self._digest_waiting()
            try:
                text = str(error)
            except BaseException:  # of a student's class
                text = ""
            words = _ADDRESS.sub("", text[:_TEXT])
            said = f"\n{label}! {type(error).__name__}: {words}"
            self._hash.update(said.encode("utf-8", "replace"))

    def _feed(self, value: Any, depth: int) -> None:
        self._values_left -= 1
        if self._values_left < 0:
            return
        if is_proxy(value):
            self._hash.update(b"object;")
        elif type(value) is _Entries:
            self._hash.update(f"{value.shape}".encode() + _rounded_entries(value.flat))
        elif hasattr(type(value), "to_numpy"):  # of pandas
            self._feed([list(axis) for axis in value.axes], depth - 1)
            self._feed(value.to_numpy(), depth - 1)
        elif isinstance(value, (bool, int, float, complex, np.generic, np.ndarray)):
            self._feed_array(value)
        elif isinstance(value, (list, tuple, set, frozenset)) and depth > 0:
            self._feed_items(value, depth)
        elif isinstance(value, Mapping) and depth > 0:
            self._hash.update(f"{{{len(value)}".encode())
            for key in list(value)[:ITEMS]:
                self._feed(key, depth - 1)
                self._feed(value[key], depth - 1)
        elif isinstance(value, (str, bytes)) or value is None:
            self._hash.update(f"{value!r:.{_TEXT}};".encode("utf-8", "replace"))
        else:
            self._hash.update(f"{type(value).__name__};".encode())

    def _feed_items(self, value: Any, depth: int) -> None:
        if isinstance(value, (list, tuple)) and value and _are_numbers(value):
            with contextlib.suppress(ValueError):  # rows of unlike lengths
                array = np.array(value)
                if array.dtype.kind in NUMBERS:  # not with integers beyond all of NumPy's
                    self._hash.update(b"[")
                    self._feed_array(array)
                    return
        items = list(itertools.islice(value, ITEMS))
        if items and all(type(item) in (bool, int, float) for item in items):
            numbers = sorted(items) if isinstance(value, (set, frozenset)) else items
            self._hash.update(f"[{len(value)}".encode())
            self._feed_array(numbers)
            return
        if isinstance(value, (set, frozenset)):
            items = sorted(items, key=lambda item: f"{type(item).__name__} {item!r:.200}")
        self._hash.update(f"[{len(value)}".encode())
        for item in items:
            self._feed(item, depth - 1)

    def _feed_array(self, value: Any) -> None:
        try:
            array = np.asarray(value)
            if array.dtype.kind not in NUMBERS:
                raise TypeError
            rounded = _rounded_entries(_entries(array))
        except (TypeError, ValueError, OverflowError):  # dates, texts, integers beyond all floats
            self._hash.update(
                f"{type(value).__name__} {value!r:.{_TEXT}};".encode("utf-8", "replace")
            )
            return
        self._hash.update(f"{array.shape}".encode() + rounded)


def _copy(value: Any) -> Any:
    """Return a copy of an array, a number, or a tuple of these; None of what does not wait."""
    if type(value) is not tuple:
        return _copy_one(value)
    copies = tuple(map(_copy_one, value[: WAITING_ITEMS + 1]))
    return None if len(copies) > WAITING_ITEMS or any(one is None for one in copies) else copies


def _copy_one(value: Any) -> Any:
    kind = type(value)
    if kind is np.ndarray:
        is_large = value.size > ENTRIES
        if value.dtype.kind not in NUMBERS or (is_large and not value.flags.c_contiguous):
            return None
        return _Entries(value.shape, _entries(value)) if is_large else value.copy()
    return value if kind in SCALARS and (kind is not int or abs(value) < 1 << 63) else None


def _bytes_of(copy: Any) -> int:
    arrays = copy if type(copy) is tuple else (copy,)
    return WAITING_OVERHEAD_BYTES + sum(getattr(one, "nbytes", 0) for one in arrays)


def _entries(array: np.ndarray) -> np.ndarray:
    """Return the entries of an array that count, without axes."""
    flat = np.ravel(array)
    return flat[_places(flat.size)] if flat.size > ENTRIES else flat


def _rounded_entries(flat: np.ndarray) -> bytes:
    if flat.dtype.kind == "c":
        flat = np.concatenate([flat.real, flat.imag])
    return _rounded(flat.astype(np.float64))


@functools.lru_cache(maxsize=16)
def _places(size: int) -> np.ndarray:
    """Return the places of the entries that count in an array of this size."""
    return np.sort(np.random.default_rng(size).integers(0, size, ENTRIES))


def _are_numbers(items: Collection[Any], depth: int = DEPTH) -> bool:
    """Tell whether all items are numbers, or lists and tuples of numbers."""
    kinds = set(map(type, items))
    if kinds <= SCALARS:
        return True
    return bool(depth) and kinds <= LISTS and all(_are_numbers(one, depth - 1) for one in items)


def _rounded(numbers: np.ndarray) -> bytes:
    """Return numbers as steps of a hundred-thousandth of the largest's power of ten."""
    finite = np.isfinite(numbers)
    sizes = np.abs(numbers[finite])
    largest = float(sizes.max()) if sizes.size else 0.0
    if largest < SMALLEST:
        power, steps = 0, np.zeros(numbers.shape)
    else:
        power = math.floor(math.log10(largest) + _POWER_OFFSET)
        with np.errstate(all="ignore"):
            steps = np.floor(numbers / 10.0 ** (power - DIGITS) + _STEP_OFFSET)
    marks = np.where(finite, 0, np.where(np.isnan(numbers), 1, np.where(numbers > 0, 2, 3)))
    whole = np.where(finite, steps, 0).astype(np.int64)
    return f"e{power}".encode() + whole.tobytes() + marks.astype(np.int8).tobytes()
