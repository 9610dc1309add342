"""Find the first thing that is wrong with an outcome, and say it in a sentence.

In this order: the function raised; it returned nothing, or something that is no array; the shape is
wrong; a value is not finite; the values are wrong; an argument was changed.
"""

from __future__ import annotations

import itertools
import linecache
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradtests.calls import Judged, Outcome
from gradtests.results import RTOL_FLOAT32, agree, farthest, largest, tolerance

RAISED, NO_ARRAY, SHAPE, NOT_FINITE, VALUES, ARGUMENTS = range(6)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong."""

    rank: int  # place in the order in which faults are reported
    sentence: str
    output: int = 0  # the number of the output that is wrong


@np.errstate(all="ignore")
def find_fault(got: Outcome, want: Outcome, case: tuple[Any, ...], judged: Judged) -> Fault | None:
    """Return the first thing that is wrong with an outcome, or None."""
    if want.error is not None:
        if isinstance(got.error, type(want.error)):
            return None
        instead = f"raised {type(got.error).__name__}" if got.error else "returned a value"
        return Fault(RAISED, f"{instead}, expected a {type(want.error).__name__}")
    if got.error is not None:
        return Fault(RAISED, _error_sentence(got.error))
    if got.complaint:
        return Fault(NO_ARRAY, got.complaint)
    places = judged.places(len(want.parts))
    prefixes = {n: judged.prefix(n, len(want.parts)) if len(want.parts) > 1 else "" for n in places}
    for n in places:
        if got.parts[n].shape != want.parts[n].shape:
            return Fault(SHAPE, prefixes[n] + shape_fault(got.parts[n], want.parts[n]), n)
    for n in places:
        if sentence := finite_fault(got.parts[n], want.parts[n]):
            return Fault(NOT_FINITE, prefixes[n] + sentence, n)
    right = judged.compare(got.parts, want.parts, case)
    for n in places:
        if not agree(got.parts[n], right[n], tolerance(got.parts[n], judged.rtol)):
            return Fault(VALUES, prefixes[n] + value_fault(got.parts[n], right[n]), n)
    if judged.arguments:
        for before, after in zip(case, got.arguments, strict=True):
            if not same_argument(before, after):
                return Fault(
                    ARGUMENTS, "changed its argument; work on a copy (x = x - 1, not x -= 1)"
                )
    return None


SHAPE_CAUSES = (
    ": it is the transpose",
    ": it is flattened",
    ": the numbers are right, reshape them",
    ": the axes are permuted",
)


def shape_fault(got: np.ndarray, want: np.ndarray, right: str = "expected") -> str:
    """Say in what the shape differs."""
    if got.size == 0 and want.size > 0:
        return f"is empty, of shape {got.shape}, {right} {want.shape}"
    fault = f"has shape {got.shape}, {right} {want.shape}"
    if got.ndim == want.ndim == 2 and got.T.shape == want.shape:
        return fault + (
            ": it is the transpose"
            if agree(got.T, want, RTOL_FLOAT32)
            else ", that of the transpose"
        )
    if got.size == want.size and agree(got.ravel(), want.ravel(), RTOL_FLOAT32):
        return fault + (
            ": it is flattened" if got.ndim < want.ndim else ": the numbers are right, reshape them"
        )
    if got.ndim == want.ndim and sorted(got.shape) == sorted(want.shape):
        orders = itertools.permutations(range(got.ndim)) if got.ndim <= 5 else ()
        if any(agree(got.transpose(order), want, RTOL_FLOAT32) for order in orders):
            return fault + ": the axes are permuted"
    return fault


def finite_fault(got: np.ndarray, want: np.ndarray) -> str:
    """Name an entry that should be finite and is not; '' where there is none."""
    if np.isfinite(largest(got)):
        return ""
    bad = np.argwhere(~np.isfinite(got) & np.isfinite(want))
    return f"{_at(bad[0])} {got[tuple(bad[0])]:g}, expected finite numbers" if len(bad) else ""


def value_fault(got: np.ndarray, want: np.ndarray) -> str:
    """Name the entry that is farthest from the right one, with digits in which they differ."""
    worst = farthest(got, want)
    return f"{_at(worst)} {differing(got[worst], want[worst])}"


def differing(got: Any, want: Any, between: str = ", expected ") -> str:
    """Write two numbers with as many digits as make them differ."""
    got, want = got + 0.0, want + 0.0  # -0 becomes 0

    def differ(n: int) -> bool:
        return f"{got:.{n}g}" != f"{want:.{n}g}"

    # 0.2095 and 0.20949 differ in three digits, but not in four: both counts must do.
    digits = next((n + 1 for n in range(3, 17) if differ(n) and differ(n + 1)), 17)
    return f"{got:.{digits}g}{between}{want:.{digits}g}"


def _at(index: Sequence[Any]) -> str:
    index = [int(i) for i in index]
    return f"entry {index} is" if index else "the value is"


def same_argument(before: Any, after: Any) -> bool:
    """Tell whether an argument is as it was before the call."""
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(same_argument, before, after))
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(
            same_argument(before[key], after[key]) for key in before
        )
    if isinstance(before, (np.ndarray, int, float, complex)):
        return np.array_equal(before, after) or (
            np.asarray(before).dtype.kind in "fc" and np.array_equal(before, after, equal_nan=True)
        )
    return True  # a function or a random generator


def _error_sentence(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "called exit(), which would end the notebook"
    try:
        text = " ".join(str(error).split())
    except Exception:  # it may be the student's own class
        text = ""
    own = own_frames(error)
    line = (
        (own[-1].line or linecache.getline(own[-1].filename, own[-1].lineno or 0)).strip()
        if own
        else ""
    )
    return f"raised {type(error).__name__}: {text}"[:300] + (f" (at: {line})" if line else "")


def own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames of an exception that are no library's."""
    return [
        f
        for f in traceback.extract_tb(error.__traceback__)[1:]
        if "site-packages" not in f.filename and not f.filename.startswith("<__array")
    ]
