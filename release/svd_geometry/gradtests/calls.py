"""Call a function on a copy of a case, and read what it returns as arrays."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck import as_array, kind_of
from gradtests.forms import give
from gradtests.results import RTOL

Parts = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Outcome:
    """What one call did: the arrays it returned, or why there are none; its arguments
    afterwards.
    """

    parts: Parts = ()
    error: BaseException | None = None
    complaint: str = ""
    notes: tuple[str, ...] = ()
    arguments: tuple[Any, ...] = ()
    returned: tuple[np.ndarray | None, ...] = ()  # all parts as they came, judged or not


def exactly(got: Parts, right: Parts, case: tuple[Any, ...]) -> Parts:
    """Accept the reference's answer alone; other comparisons are in `comparison`."""
    return right


@dataclass(frozen=True)
class Judged:
    """What is compared, and how: which outputs, by what names, and whether arguments must come back
    unchanged.
    """

    compare: Callable[[Parts, Parts, tuple[Any, ...]], Parts] = exactly
    outputs: tuple[str, ...] = ()
    only: str = ""
    rtol: float = RTOL

    def judges(self, position: int) -> bool:
        """Tell whether an output is judged."""
        return not self.only or self.outputs.index(self.only) == position

    def places(self, number: int) -> list[int]:
        """Return which of so many outputs are judged."""
        return [n for n in range(number) if number == 1 or self.judges(n)]

    def prefix(self, position: int, number: int = 0) -> str:
        """Return the output's name, to stand before what is wrong with it."""
        if position < len(self.outputs):
            return f"{self.outputs[position]}: "
        return f"part {position + 1} of {number}: " if number else f"part {position + 1}: "

    @property
    def arguments(self) -> bool:
        """Whether arguments must come back unchanged."""
        return not self.only or self.only == self.outputs[0]


_ALL = Judged()


def call(
    function: Callable[..., Any],
    case: tuple[Any, ...],
    like: Parts = (),
    judged: Judged = _ALL,
    form: str = "",
) -> Outcome:
    """Call `function` on a copy of `case`; read what it returns as arrays, `like` the
    reference's.
    """
    arguments = tuple(give(argument, form) for argument in case)
    try:
        # A warning on the way to a right value is no mistake, and nbgrader takes stderr for one.
        with (
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            value = function(*arguments)
    except (Exception, SystemExit) as error:
        return Outcome(error=error, arguments=arguments)
    several = len(like) > 1 if like else isinstance(value, tuple)
    if several and (not isinstance(value, (tuple, list)) or (like and len(value) != len(like))):
        returned = kind_of(value)
        if isinstance(value, (tuple, list)):
            returned = f"{len(value)} thing{'s' * (len(value) != 1)}"
        wanted = f"{len(like)} arrays" + (
            f" ({', '.join(judged.outputs)})" if judged.outputs else ""
        )
        return Outcome(complaint=f"returned {returned}, expected {wanted}", arguments=arguments)
    parts, notes = [], []
    came: list[np.ndarray | None] = []
    for position, item in enumerate(value if several else (value,)):
        try:
            array, note = read_part(item, like[position] if like else None)
            came.append(array)
        except ValueError as error:
            came.append(None)
            if like and not judged.judges(position):
                parts.append(like[position])
                continue
            return Outcome(
                complaint=(judged.prefix(position) if several else "") + str(error),
                arguments=arguments,
            )
        if like and not judged.judges(position):
            usable = array.shape == like[position].shape and np.all(np.isfinite(array))
            parts.append(array if usable else like[position])
            continue
        parts.append(array)
        notes += [note] if note else []
    return Outcome(tuple(parts), notes=tuple(notes), arguments=arguments, returned=tuple(came))


def call_reference(reference: Callable[..., Any], case: tuple[Any, ...]) -> Outcome:
    """Call the reference: it returns arrays, or raises a ValueError that students should raise."""
    want = call(reference, case)
    if want.complaint:
        raise TypeError(f"The reference {want.complaint}.")
    if want.error is not None and not isinstance(want.error, ValueError):
        raise want.error
    return want


def read_part(value: Any, like: np.ndarray | None = None) -> tuple[np.ndarray, str]:
    """Read one returned value as an array, in the shape of the reference's where they differ in
    axes of length 1 only; return it with a note of what was changed.
    """
    array = as_array(value, may_be_complex=like is not None and like.dtype.kind == "c")
    note = ""
    if type(value) in (list, tuple):
        note = f"returned a {type(value).__name__}; it is read as an array"
    if like is not None and array.ndim != like.ndim and without_ones(array) == without_ones(like):
        note = f"returned shape {array.shape}; it is read as {like.shape}"
        array = array.reshape(like.shape)
    return array, note


def without_ones(array: np.ndarray) -> tuple[int, ...]:
    """Return the shape without axes of length 1."""
    return tuple(n for n in array.shape if n != 1)
