"""Say how a wrong result differs from the right one, and what is likely to have caused it.

`gradcheck` asks this file where an answer is wrong. It knows arrays only: nothing of functions,
mistakes or notebooks. A cause is named where it explains every case to full precision, and never as
a guess.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

ATOL = 1e-12
RTOL = 1e-7
RTOL_FLOAT32 = 1e-4
FACTOR_RTOL = 1e-6  # how well a factor must be met to be named
MOST_TURNS = 4  # larger numbers are no angles


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
    finite = np.isfinite(want)
    if got.shape != want.shape or not np.array_equal(got[~finite], want[~finite], equal_nan=True):
        return False
    scale = np.max(np.abs(want[finite]), initial=0)
    return bool(np.all(np.abs(got[finite] - want[finite]) <= ATOL + rtol * scale))


def tolerance(got: np.ndarray, rtol: float = RTOL) -> float:
    """Return the relative tolerance for a result: a larger one where it is float32."""
    return max(rtol, RTOL_FLOAT32) if got.dtype == np.float32 else rtol


# ---------------------------------------------------------------- what is wrong with one result


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
    bad = np.argwhere(~np.isfinite(got) & np.isfinite(want))
    return f"{_at(bad[0])} {got[tuple(bad[0])]:g}, expected finite numbers" if len(bad) else ""


def value_fault(got: np.ndarray, want: np.ndarray) -> str:
    """Name the entry that is farthest from the right one, with digits in which they differ."""
    worst = farthest(got, want)
    return f"{_at(worst)} {differing(got[worst], want[worst])}"


def farthest(got: np.ndarray, want: np.ndarray) -> tuple[Any, ...]:
    """Return the index of the entry that is farthest from the right one."""
    distance = np.where(
        np.isfinite(want), np.abs(got - want), np.where(np.equal(got, want), 0, np.inf)
    )
    return np.unravel_index(np.argmax(np.nan_to_num(distance, nan=np.inf)), got.shape)


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


# ---------------------------------------------------------------- what all results have in common


@np.errstate(all="ignore")
def pattern(results: Sequence[Result], names: Sequence[str] = ()) -> str:
    """Say in what simple way the results of all cases differ from the right ones, or ''.

    Cases in which a result is not finite do not count: there, something has overflowed. What is
    said holds for all others, and at least two wrong entries show it.
    """
    plain = [result for result in results if result.is_plain]
    wrong = [result for result in plain if not result.is_right]
    # In some cases the shapes are equal only because an axis has length 1.
    is_mixed = len({result.got.shape == result.want.shape for result in results}) > 1
    if is_mixed and wrong:
        words = in_other_shape(results, names)
        return words if "; besides" in words else ""
    if words := _bounded(plain, wrong):
        return words
    if sum(result.wrong_entries for result in wrong) >= 2:
        finders = [
            _constant,
            _factor,
            _given_back,
            _order_of_axes,
            _function_of_each,
            _turns,
            _offset,
        ]
        finders += [_signs, _diagonal, _ended_early, _same_slice, _for_large_numbers]
        finders += [_place, _zeros, _mixed_up]
        for find in finders:
            if find in WANT_MORE and _may_be_chance(plain):
                continue
            if words := find(plain, wrong, names):
                return words
    words = _turns(plain, wrong, names) or _for_large_numbers(plain, wrong, names)
    if words and wrong and len(plain) > 2:
        return words
    shapes = [result for result in results if result.got.shape != result.want.shape]
    if shapes and not wrong:
        return _sum_or_not(shapes) or _part_of_right_one(shapes)
    overflowed = [
        result
        for result in results
        if not np.all(np.isfinite(result.got)) and np.all(np.isfinite(result.want))
    ]
    if overflowed and len(results) > len(overflowed) and not wrong and not shapes:
        return (
            "a step on the way overflows or divides 0 by 0 for these numbers; for numbers of "
            "ordinary size the result is right"
        )
    return ""


@np.errstate(all="ignore")
def factor_pattern(
    results: Sequence[Result], mistake: Sequence[Result], names: Sequence[str] = ()
) -> str:
    """Say by what factor the results differ from those of a mistake, or ''; `mistake` is that
    beside the right ones.
    """
    plain = [result for result in results if result.is_plain]
    wrong = [result for result in plain if not result.is_right]
    shown = [
        result
        for result in mistake
        if result.is_plain and not result.is_right and result.want.any()
    ]
    if len(plain) < len(results) or not any(result.want.size > 2 for result in shown) or not wrong:
        return ""
    words = _factor(plain, wrong, names)
    return "" if words == KNOWN_FACTORS[-1.0] else words  # a sign makes unlike mistakes equal


@np.errstate(all="ignore")
def plain_pattern(results: Sequence[Result], names: Sequence[str] = ()) -> str:
    """Say how one small example differs from the right one, where few numbers cannot mislead: by a
    constant factor, or by its axes; else ''.
    """
    plain = [result for result in results if result.is_plain and not result.is_right]
    if not plain or any(len(np.unique(np.abs(r.want[r.want != 0]))) < 3 for r in plain):
        return ""
    words = _factor(plain, plain, names)
    if words and words != KNOWN_FACTORS[-1.0]:  # for one example a sign may be flipped by chance
        return words
    words = _order_of_axes(plain, plain, names)
    return words if "transpose" in words else ""


@np.errstate(all="ignore")
def in_other_shape(results: Sequence[Result], names: Sequence[str] = ()) -> str:
    """Say that results are flattened or have their axes permuted, and by what factor they are off
    besides; '' where that does not explain them.
    """
    if not results or not all(np.all(np.isfinite(r.got)) for r in results):
        return ""
    ndim = results[0].want.ndim
    if not 2 <= ndim <= 4 or any(r.want.ndim != ndim for r in results):
        return ""
    changes: list[tuple[str, Callable[[np.ndarray], np.ndarray]]] = [("it is flattened", np.ravel)]
    for order in itertools.permutations(range(ndim)):
        if order != tuple(range(ndim)):
            words = "it is the transpose" if ndim == 2 else "the axes are permuted"
            changes.append((words, functools.partial(np.transpose, axes=order)))
    for words, change in changes:
        changed = [
            Result(r.got, want, r.arguments, r.least_rtol)
            for r in results
            for want in [change(r.want), *([r.want] if 1 in r.want.shape else [])]
            if want.shape == r.got.shape
        ][: len(results)]
        wrong = [r for r in changed if r.want.size > 2 and r.want.any()]
        if len(changed) < len(results) or not wrong:
            continue
        if all(r.is_right for r in changed):
            return words
        if found := _factor(changed, wrong, names):
            return f"{words}; besides, {found}"
    return ""


def _everywhere(plain: Sequence[Result], made: Iterable[ArrayLike]) -> bool:
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


def _subject(results: Sequence[Result]) -> str:
    return "every entry is" if any(result.want.size > 1 for result in results) else "the value is"


def _may_be_chance(plain: Sequence[Result]) -> bool:
    """Tell whether one small example is all there is: few unlike numbers, or whole ones."""
    if len(plain) > 1:
        return False
    want = plain[0].want
    return len(np.unique(want)) < 4 or bool(np.all(want == np.rint(want)))


def _is_enough(wrong: Sequence[Result]) -> bool:
    return len(wrong) > 1 or any(result.want.size >= 6 for result in wrong)


def _constant(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    number = wrong[0].got.flat[0] + 0.0  # -0 becomes 0
    largest = max(np.max(np.abs(result.got), initial=0) for result in plain)
    if (
        0
        < largest
        <= ATOL * min(1, max(np.max(np.abs(result.want), initial=0) for result in plain))
    ):
        return f"{_subject(plain)} 0 but for rounding"
    if not _everywhere(plain, (np.full(result.got.shape, number) for result in plain)):
        return ""
    always = ", whatever the arguments" if len(plain) > 1 else ""
    if number == 0 and always and all(np.max(np.abs(r.want), initial=0) <= 1 for r in plain):
        always += ": an array of integers cuts such numbers off, and one that is not filled stays 0"
    return f"{_subject(plain)} {number:.6g}{always}"


# ---------------------------------------------------------------- factors

KNOWN_FACTORS = {
    -1.0: "the sign is flipped",
    2.0: "{} twice the right one",
    0.5: "{} half the right one",
    1 / np.log(2): "{} too large by 1/log(2): a logarithm is to base 2 instead of e",
    1 / np.log(10): "{} too small by log(10): a logarithm is to base 10 instead of e",
    np.log(2): "{} too small by log(2): a logarithm to base 2 or a power of 2 has got into it",
    np.pi / 180: "{} too small by π/180: radians are taken for degrees",
    180 / np.pi: "{} too large by 180/π: it is in degrees instead of radians",
}


def _factor(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    found = []
    for result in plain:
        if not result.want.any():
            if not agree(result.got, result.want, result.rtol):
                return ""
            continue
        unit = result.want / np.max(
            np.abs(result.want)
        )  # so that the squares of small numbers do not vanish
        factor = np.vdot(unit, result.got).real / np.vdot(unit, result.want).real
        if not agree(result.got, factor * result.want, result.rtol):
            return ""
        found.append((float(factor), result.arguments))
    factors = np.array([factor for factor, _ in found])
    if not factors.size or np.any(factors == 0):
        return ""
    rtol = max(FACTOR_RTOL, plain[0].least_rtol)
    if np.allclose(factors, factors[0], rtol=rtol, atol=0):
        if abs(factors[0] - 1) < 1e-4 or (len(factors) == 1 and plain[0].want.size == 1):
            return ""
        for number, words in KNOWN_FACTORS.items():
            if abs(factors[0] - number) < rtol * abs(number):
                return words.format(_subject(plain))
        return f"{_subject(plain)} {factors[0]:.6g} times the right one"
    for what, sizes in _sizes([arguments for _, arguments in found], names):
        if words := _factor_of_size(factors, np.array(sizes, dtype=float), what):
            return f"{_subject(plain)} {words}"
    return ""


def _sizes(
    cases: Sequence[tuple[Any, ...]], names: Sequence[str]
) -> Iterator[tuple[str, list[int]]]:
    """Yield what the sizes of the arguments are called, and their values in each case."""
    for position, values in enumerate(zip(*cases, strict=False)):
        name = names[position] if position < len(names) else f"argument {position + 1}"
        if all(isinstance(value, (int, np.integer)) and value > 0 for value in values):
            yield name, list(values)
        shapes = [
            np.shape(value) if isinstance(value, (np.ndarray, list)) else () for value in values
        ]
        ndim = len(shapes[0])
        if not ndim or any(len(shape) != ndim for shape in shapes):
            continue
        for axis in range(ndim):
            axis_name = {
                1: ("the length",),
                2: ("the number of rows", "the number of columns"),
            }.get(ndim)
            words = axis_name[axis] if axis_name else f"the length of axis {axis}"
            yield f"{words} of {name}", [shape[axis] for shape in shapes]
        if ndim > 1:
            yield f"the number of entries of {name}", [int(np.prod(shape)) for shape in shapes]


def _factor_of_size(factors: np.ndarray, sizes: np.ndarray, what: str) -> str:
    """Say how the factors depend on a size, or ''."""

    def is_met(expected: np.ndarray) -> bool:
        return bool(np.allclose(factors, expected, rtol=FACTOR_RTOL, atol=0))

    if np.all(sizes == sizes[0]) or np.any(sizes < 1):
        return ""
    for coefficient, also in (
        (1, ""),
        (-1, ", and the sign is flipped"),
        (2, ", and by 2"),
        (0.5, ", and by 1/2"),
    ):
        if is_met(coefficient * sizes):
            return (
                f"too large by {what}{also}: a division by it is missing, as where a sum stands "
                "for a mean, or a mean for the sum in a denominator"
            )
        if is_met(coefficient / sizes):
            return (
                f"too small by {what}{also}: it is divided by it once too often, as where a mean "
                "stands for a sum, or a sum for the mean in a denominator"
            )
        if is_met(coefficient * np.sqrt(sizes)):
            return f"too large by the root of {what}{also}"
        if is_met(coefficient / np.sqrt(sizes)):
            return f"too small by the root of {what}{also}"
        if is_met(coefficient / sizes**2):
            return f"too small by the square of {what}{also}: it is divided by it twice too often"
    if np.all(sizes > 1) and is_met(sizes / (sizes - 1)):
        return f"divided by one less than {what}"
    if is_met(sizes / (sizes + 1)):
        return f"divided by one more than {what}"
    return ""


# ---------------------------------------------------------------- places and shapes


def _given_back(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    for position in range(min(len(result.arguments) for result in plain)):
        arguments = [result.arguments[position] for result in plain]
        if all(isinstance(a, np.ndarray) for a in arguments) and _everywhere(
            plain, (r.arguments[position] for r in plain)
        ):
            name = names[position] if position < len(names) else f"argument {position + 1}"
            return f"it is {name} as it was given"
    return ""


def _order_of_axes(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    ndims = {result.got.ndim for result in plain}
    if len(ndims) > 1 or not 1 <= (ndim := ndims.pop()) <= 4:
        return ""
    if ndim == 2 and _everywhere(plain, (r.want.T for r in plain)):
        return "it is the transpose"
    for order in itertools.permutations(range(ndim)):
        if order != tuple(range(ndim)) and all(
            agree(r.got.transpose(order), r.want, r.rtol) for r in plain
        ):
            return f"the axes are permuted: np.transpose(result, {order}) would be right"
    for axis in range(ndim):
        along = f" along axis {axis}" if ndim > 1 else ""
        if _everywhere(plain, (np.flip(r.want, axis) for r in plain)):
            return f"the order is reversed{along}"
        for shift in (1, -1):
            if _everywhere(plain, (np.roll(r.want, shift, axis) for r in plain)):
                return f"the entries are shifted by one place{along}"
    return ""


def _diagonal(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that the diagonal, or what is above or below it, is all that is right, or all that is
    wrong.
    """
    if any(r.got.ndim != 2 or len(set(r.got.shape)) != 1 for r in plain):
        return ""
    if all(r.got.size < 2 for r in wrong) or not any(np.any(np.diag(r.want)) for r in wrong):
        return ""
    if _everywhere(plain, (np.where(np.eye(len(r.got), dtype=bool), r.got, r.want) for r in plain)):
        return "all is right but the diagonal"
    for side, keep in (("below", np.tril), ("above", np.triu)):

        def mended(result: Result, keep: Callable[..., Any] = keep) -> np.ndarray:
            outside = keep(np.ones(result.got.shape, dtype=bool), -1 if keep is np.tril else 1)
            return np.where(outside, result.got, result.want)

        if _everywhere(plain, map(mended, plain)):
            zero = all(not np.any(r.got[mended(r) != r.want]) for r in wrong)
            return (
                f"only the entries {side} the diagonal are {'0' if zero else 'wrong'}; all others "
                "are right"
            )
    if _everywhere(plain, (np.where(np.eye(len(r.got), dtype=bool), r.want, r.got) for r in plain)):
        return "only the diagonal is right" if all(map(_is_wrong_off_diagonal, wrong)) else ""
    return ""


def _is_wrong_off_diagonal(result: Result) -> bool:
    """Tell whether all entries off the diagonal are wrong that are not nearly 0."""
    largest = np.max(np.abs(result.want))
    off = ~np.eye(len(result.want), dtype=bool) & (np.abs(result.want) > 1e-6 * largest)
    return bool(np.all(np.abs(result.got - result.want)[off] > ATOL + result.rtol * largest))


# ---------------------------------------------------------------- loops


def _slices(ndim: int, axis: int) -> str:
    """Return what one slice along an axis is called."""
    return {1: "entry", 2: ("row", "column")[min(axis, 1)]}.get(ndim, f"slice along axis {axis}")


def _plural(ndim: int, axis: int) -> str:
    return {1: "entries", 2: ("rows", "columns")[min(axis, 1)]}.get(
        ndim, f"slices along axis {axis}"
    )


def _ended_early(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that the result is right up to some place along an axis, and 0 from there, or the other
    way round.
    """
    ndims = {r.got.ndim for r in plain}
    if len(ndims) > 1 or not 1 <= (ndim := ndims.pop()) <= 4 or not _is_enough(wrong):
        return ""
    if len(np.unique(np.concatenate([r.want[r.got != r.want] for r in wrong]))) < 2:
        # all wrong entries should be one number: another property than their place may tell them
        # apart
        return ""
    long = any(min(r.got.shape) > 2 for r in wrong)
    if ndim == 2 and long and _everywhere(plain, map(_without_last_row_and_column, plain)):
        return (
            "the last row and the last column are 0, all else is right: look at the ranges of the "
            "loops"
        )
    for axis in range(ndim):
        for end, other in (("last", "first"), ("first", "last")):
            places = [_first_of_zeros(r, axis, end == "first") for r in wrong]
            if any(place is None for place in places) or not any(places):
                continue
            lengths = [r.got.shape[axis] for r in wrong]
            one, many = _slices(ndim, axis), _plural(ndim, axis)
            left = [length - place for length, place in zip(lengths, places, strict=True)]
            if all(number == 1 for number in left):
                look = (
                    "look at where the loop begins and ends, and what stands in it"
                    if all(place == 1 for place in places)
                    else "look at the range of the loop"
                )
                return f"the {end} {one} is 0, all else is right: {look}"
            if all(place == 1 for place in places):
                early = (
                    "does the loop return, or end, too early?"
                    if other == "first"
                    else "does a line stand outside the loop, or does the loop start too late?"
                )
                return f"only the {other} {one} is right, the rest is 0: {early}"
            return f"the {end} {many} are 0, all others are right: look at the range of the loop"
    return ""


def _without_last_row_and_column(result: Result) -> np.ndarray:
    made = np.zeros_like(result.want)
    made[:-1, :-1] = result.want[:-1, :-1]
    return made


def _first_of_zeros(result: Result, axis: int, reverse: bool) -> int | None:
    """Return how many slices along an axis are right, where all that follow are 0; None where it is
    not so.
    """
    got, want = (np.moveaxis(a, axis, 0) for a in (result.got, result.want))
    if reverse:
        got, want = got[::-1], want[::-1]
    off = np.abs(got - want) > ATOL + result.rtol * np.max(np.abs(want))
    place = int(np.argmax(off.reshape(len(off), -1).any(axis=1)))
    if np.any(got[place:]) or (place and not np.any(want[:place])):
        return None
    return place


def _same_slice(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that every row or column is the right first, or last, one."""
    ndims = {r.got.ndim for r in plain}
    if len(ndims) > 1 or not 2 <= (ndim := ndims.pop()) <= 4 or not _is_enough(wrong):
        return ""
    for axis in range(ndim):
        for index, end in ((0, "first"), (-1, "last")):
            if _everywhere(
                plain,
                (np.zeros_like(r.want) + np.take(r.want, [index], axis) for r in plain),
            ):
                one = _slices(ndim, axis)
                return (
                    f"every {one} is the right one for the {end} {one}: the index of the loop is "
                    "not used"
                )
    return ""


def _rounded_to(decimals: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.round(x, decimals)


FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the logarithm of the right one": np.log,
    "the exponential of the right one": np.exp,
    "the square of the right one": np.square,
    "the root of the right one": np.sqrt,
    "the absolute value of the right one": np.abs,
    "1 divided by the right one": np.reciprocal,
    "1 minus the right one": lambda x: 1 - x,
    "the right one, but 0 where that is negative": lambda x: np.maximum(x, 0),
    "only the sign of the right one": np.sign,
    "cut to a whole number: an array of integers holds no fractions": np.trunc,
    **{f"rounded to {n} decimals": _rounded_to(n) for n in range(8)},
}


def _function_of_each(
    plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]
) -> str:
    for words, function in FUNCTIONS.items():
        if _everywhere(plain, (function(r.want.astype(float)) for r in plain)):
            return f"{_subject(plain)} {words}"
    return ""


def _offset(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    offsets = [np.mean(r.got - r.want) for r in plain]
    if not all(
        agree(r.got, r.want + offset, r.rtol) for r, offset in zip(plain, offsets, strict=True)
    ):
        return ""
    if np.allclose(offsets, offsets[0], rtol=FACTOR_RTOL, atol=0) and (
        len(offsets) > 1 or plain[0].got.size > 2
    ):
        return (
            f"{_subject(plain)} too {'large' if offsets[0] > 0 else 'small'} by "
            f"{abs(offsets[0]):.6g}"
        )
    if any(r.got.size > 2 for r in wrong):
        return (
            "all entries are wrong by the same amount: a term that does not depend on the entry "
            "is missing or too much"
        )
    return ""


def _turns(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that angles are off by whole or half turns."""
    if any(np.max(np.abs([r.got, r.want]), initial=0) > MOST_TURNS * 2 * np.pi for r in plain):
        return ""  # numbers of this size are no angles
    for turn, words in ((2 * np.pi, "full turns (2π)"), (np.pi, "half turns (π)")):
        if _everywhere(plain, (r.want + turn * np.rint((r.got - r.want) / turn) for r in plain)):
            return f"{_subject(plain)} off by {words}"
    return ""


def _zeros(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that entries are wrong only where 0 belongs, or only by being 0."""
    if all(r.want.size < 3 for r in wrong):
        return ""
    if any(r.want.any() for r in wrong) and _everywhere(
        plain, (np.where(r.want == 0, r.got, r.want) for r in plain)
    ):
        return "only entries that should be 0 are wrong"
    if any(r.got.any() for r in wrong) and _everywhere(
        plain, (np.where(r.got == 0, r.got, r.want) for r in plain)
    ):
        return "some entries are 0 that should not be; all others are right"
    return ""


def _place(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that only one end of one axis is wrong."""
    ndims = {result.got.ndim for result in plain}
    if len(ndims) > 1 or not 1 <= (ndim := ndims.pop()) <= 2:
        return ""
    words = {
        1: (("first entry", "last entry"),),
        2: (("first row", "last row"), ("first column", "last column")),
    }[ndim]
    for axis, ends in enumerate(words):
        if all(r.got.shape[axis] < 3 for r in wrong) or len(wrong) < 2:
            continue
        for index, where in zip((0, -1), ends, strict=True):

            def mended(result: Result, axis: int = axis, index: int = index) -> np.ndarray:
                made = result.want.copy()
                place = (slice(None),) * axis + (index,)
                made[place] = result.got[place]
                return made

            if _everywhere(plain, map(mended, plain)):
                as_given = _left_as_given(wrong, axis, index, names)
                return f"only the {where} is wrong{as_given}"
    return ""


def _left_as_given(wrong: Sequence[Result], axis: int, index: int, names: Sequence[str]) -> str:
    """Say that the slice at one end is that of an argument, or ''."""
    for position in range(min(len(r.arguments) for r in wrong)):
        given = [r.arguments[position] for r in wrong]
        if all(
            isinstance(x, np.ndarray)
            and x.shape == r.got.shape
            and agree(np.take(r.got, [index], axis), np.take(x, [index], axis), r.rtol)
            for x, r in zip(given, wrong, strict=True)
        ):
            name = names[position] if position < len(names) else f"argument {position + 1}"
            return f"; there it is {name} as it was given: look at the range of the loop"
    return ""


def _signs(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that entries are right but for their signs, and where, if it can be told."""
    if not _is_enough(wrong) or not _everywhere(plain, (np.copysign(r.want, r.got) for r in plain)):
        return ""
    flipped = [(r.got * r.want < 0, r.want != 0) for r in wrong]
    if not any(np.any(~bad & shown) for bad, shown in flipped):
        return ""  # all of them: a factor
    if all(r.got.ndim >= 2 and r.got.shape[0] == r.got.shape[1] for r in wrong):
        diagonals = [
            np.eye(len(r.got), dtype=bool).reshape(r.got.shape[:2] + (1,) * (r.got.ndim - 2))
            for r in wrong
        ]
        for where, on in (("on", True), ("off", False)):
            if all(
                np.array_equal(bad, (diagonal == on) & shown)
                for (bad, shown), diagonal in zip(flipped, diagonals, strict=True)
            ):
                return f"{where} the diagonal the sign is flipped, all else is right"
    if all(r.got.ndim == 2 for r in wrong):
        for axis, lines in ((0, "columns"), (1, "rows")):
            if all(
                not np.any(np.any(bad, axis=axis) & np.any(~bad & shown, axis=axis))
                for bad, shown in flipped
            ):
                return f"the sign of some {lines} is flipped, all else is right"
    return "the sign of some entries is flipped, all else is right"


def _bounded(plain: Sequence[Result], wrong: Sequence[Result]) -> str:
    """Say that no entry is below, or above, some number, and all others are right."""
    right = np.concatenate([np.ravel(r.got) for r in plain if r.is_right] or [np.empty(0)])
    if not wrong or len(np.unique(right)) < 3:
        return ""
    worst = farthest(wrong[0].got, wrong[0].want)
    bound = float(wrong[0].got[worst])
    few = sum(r.wrong_entries for r in wrong) < 2
    if bound == 0 or (few and not 100 < abs(bound) < np.max(np.abs(wrong[0].want)) / 2):
        return ""
    for words, cut in (("below", np.maximum), ("above", np.minimum)):
        if _everywhere(plain, (cut(r.want, bound) for r in plain)):
            return (
                f"no entry is {words} {bound:.6g}, all else is right: the numbers are cut off "
                "there, or before a function is taken of them"
            )
    return ""


def _for_large_numbers(
    plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]
) -> str:
    """Say that results are wrong for very large arguments only."""

    def size(result: Result) -> float:
        arrays = [x for x in result.arguments if isinstance(x, np.ndarray) and x.dtype.kind in "if"]
        return max((float(np.max(np.abs(x), initial=0)) for x in arrays), default=0.0)

    right = [size(r) for r in plain if r.is_right]
    if not right or not wrong or min(map(size, wrong)) < 20 * max(1.0, *right):
        return ""
    return (
        "for numbers of ordinary size the result is right; for very large ones a step on the way "
        "overflows, or a bound cuts it off"
    )


def _mixed_up(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    if all(len(np.unique(r.want)) < 3 for r in wrong):
        return ""
    if not all(agree(np.sort(r.got, axis=None), np.sort(r.want, axis=None), r.rtol) for r in plain):
        return ""
    ndims = {r.want.ndim for r in plain}
    orders = (
        itertools.permutations(range(max(ndims))) if len(ndims) == 1 and max(ndims) <= 4 else ()
    )
    if _is_enough(wrong) and any(
        _everywhere(plain, (r.want.transpose(order).reshape(r.got.shape) for r in plain))
        for order in orders
    ):
        return (
            "the right numbers stand in other places, as after a reshape: a reshape moves no "
            "axis, a transpose does"
        )
    for words, by_columns in (
        ("filled", [r.want.ravel().reshape(r.got.shape, order="F") for r in plain]),
        ("read", [r.want.ravel("F").reshape(r.got.shape) for r in plain]),
    ):
        if _is_enough(wrong) and _everywhere(plain, by_columns):
            return f"the right numbers stand in other places: an array is {words} by columns"
    return "the right numbers stand in other places"


WANT_MORE = frozenset(
    {_function_of_each, _diagonal, _place, _zeros}
)  # one small example shows these by chance


def _sum_or_not(results: Sequence[Result]) -> str:
    """Say that a sum or a mean over an axis is missing, or was taken once too often."""
    ndims = {(r.got.ndim, r.want.ndim) for r in results}
    if len(ndims) > 1 or any(r.got.size == 0 for r in results):
        return ""
    got_ndim, want_ndim = ndims.pop()
    for number in range(1, 3):
        for axes in itertools.combinations(range(max(got_ndim, want_ndim)), number):
            along = (
                f"axis {axes[0]}"
                if number == 1
                else "both axes"
                if max(got_ndim, want_ndim) == 2
                else f"axes {axes}"
            )
            for name, reduce in (("sum", np.sum), ("mean", np.mean)):
                if got_ndim == want_ndim + number and all(
                    _meets(reduce(r.got, axis=axes), r.want) for r in results
                ):
                    return f"the {name} over {along} is missing"
                if want_ndim == got_ndim + number and all(
                    _meets(r.got, reduce(r.want, axis=axes)) for r in results
                ):
                    return (
                        f"it is the {name} over {along} of the right result, which keeps every "
                        "entry"
                    )
    return ""


def _meets(got: np.ndarray, want: np.ndarray) -> bool:
    return agree(np.asarray(got), np.asarray(want), tolerance(np.asarray(got)))


def _part_of_right_one(results: Sequence[Result]) -> str:
    """Say that results are the diagonal, or some slices, of the right ones, up to signs."""
    ndims = {(r.got.ndim, r.want.ndim) for r in results}
    if len(ndims) > 1 or any(r.got.size == 0 for r in results):
        return ""
    got_ndim, ndim = ndims.pop()
    if sum(r.got.size for r in results) < (3 if len(results) > 1 else 6):
        return ""

    def are(parts: Iterable[np.ndarray]) -> bool:
        return all(_meets(np.abs(r.got), np.abs(p)) for r, p in zip(results, parts, strict=True))

    if got_ndim == ndim - 1:
        for a, b in itertools.combinations(range(ndim), 2):
            if all(r.want.shape[a] == r.want.shape[b] for r in results) and are(
                np.moveaxis(np.diagonal(r.want, axis1=a, axis2=b), -1, a) for r in results
            ):
                return (
                    "it holds the diagonal of the right result only; what stands beside the "
                    "diagonal is asked for as well"
                )
        for axis in range(ndim):
            for index, end in ((0, "first"), (-1, "last")):
                if are(np.take(r.want, index, axis) for r in results):
                    return f"it is only the {end} {_slices(ndim, axis)} of the right result"
    if got_ndim != ndim:
        return ""
    for axis in range(ndim):
        many = _plural(ndim, axis)
        lengths = [(r.got.shape[axis], r.want.shape[axis]) for r in results]
        if any(n >= m for n, m in lengths):
            continue
        one = all(m - n == 1 for n, m in lengths)
        for end, other in (("first", "last"), ("last", "first")):

            def part(result: Result, a: int = axis, e: str = end) -> np.ndarray:
                n, m = result.got.shape[a], result.want.shape[a]
                return np.take(result.want, range(n) if e == "first" else range(m - n, m), a)

            if all(_meets(np.abs(r.got), np.abs(part(r))) for r in results):
                if one:
                    return f"the {other} of the {many} is missing, all others are right"
                return f"it holds only the {end} {many} of the right result"
    return ""
