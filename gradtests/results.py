"""One output beside the right one, and when two arrays agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

ATOL = 1e-12
RTOL = 1e-7
RTOL_FLOAT32 = 1e-4


@dataclass(frozen=True)
class Result:
    """One output for one case: what came, what is right, and the arguments."""

    got: np.ndarray
    want: np.ndarray
    arguments: tuple[Any, ...] = ()
    least_rtol: float = RTOL

    @property
    def rtol(self) -> float:
        """The relative tolerance of comparisons with it."""
        return tolerance(self.got, self.least_rtol)

    @property
    def is_right(self) -> bool:
        """Whether it is the right one, up to rounding."""
        return agree(self.got, self.want, self.rtol)

    @property
    def wrong_entries(self) -> int:
        """The number of entries that are wrong."""
        off = np.abs(self.got - self.want) > ATOL + self.rtol * np.max(np.abs(self.want), initial=0)
        return int(np.count_nonzero(off))

    @property
    def is_plain(self) -> bool:
        """Whether both are arrays of finite numbers and of one shape."""
        return self.got.shape == self.want.shape and bool(
            np.all(np.isfinite(self.got)) and np.all(np.isfinite(self.want))
        )


def agree(got: np.ndarray, want: np.ndarray, rtol: float) -> bool:
    """max|got - want| <= ATOL + rtol * max|want|, with inf and NaN in the same places."""
    if got.shape != want.shape:
        return False
    scale = largest(want)
    if not np.isfinite(scale):
        finite = np.isfinite(want)
        if not np.array_equal(got[~finite], want[~finite], equal_nan=True):
            return False
        got, want = got[finite], want[finite]
        scale = largest(want)
    return bool(largest(got - want) <= ATOL + rtol * scale)


def largest(array: np.ndarray) -> Any:
    """Return max|array|, 0 without entries: not finite where an entry is not.

    Real numbers are not copied for it; an array of a derivative can have millions.
    """
    if array.dtype.kind != "f":
        return np.max(np.abs(array), initial=0)
    return np.maximum(array.max(initial=0), -array.min(initial=0))


def tolerance(got: np.ndarray, rtol: float = RTOL) -> float:
    """Return the relative tolerance for a result: a larger one where it is float32."""
    return max(rtol, RTOL_FLOAT32) if got.dtype == np.float32 else rtol


def farthest(got: np.ndarray, want: np.ndarray) -> tuple[Any, ...]:
    """Return the index of the entry that is farthest from the right one."""
    distance = np.where(
        np.isfinite(want), np.abs(got - want), np.where(np.equal(got, want), 0, np.inf)
    )
    return np.unravel_index(np.argmax(np.nan_to_num(distance, nan=np.inf)), got.shape)


def everywhere(plain: Sequence[Result], made: Iterable[ArrayLike]) -> bool:
    """Tell whether every result is the one of `made`, which may fail as it makes them."""
    expecting = iter(made)
    for result in plain:
        try:
            expected = next(expecting)
        except (ValueError, IndexError, TypeError):
            return False
        if not agree(result.got, np.asarray(expected), result.rtol):
            return False
    return True


def subject(results: Sequence[Result]) -> str:
    """Return how a sentence about every result begins."""
    return "every entry is" if any(result.want.size > 1 for result in results) else "the value is"


def is_enough(wrong: Sequence[Result]) -> bool:
    """Tell whether wrong results are too many to fit a pattern by chance."""
    return len(wrong) > 1 or any(result.want.size >= 6 for result in wrong)


def slice_name(ndim: int, axis: int) -> str:
    """Return what one slice along an axis is called."""
    return {1: "entry", 2: ("row", "column")[min(axis, 1)]}.get(ndim, f"slice along axis {axis}")


def plural_name(ndim: int, axis: int) -> str:
    """Return what all slices along an axis are called."""
    return {1: "entries", 2: ("rows", "columns")[min(axis, 1)]}.get(
        ndim, f"slices along axis {axis}"
    )


def meets(got: np.ndarray, want: np.ndarray) -> bool:
    """Tell whether a result is right."""
    return agree(np.asarray(got), np.asarray(want), tolerance(np.asarray(got)))
