"""Patterns of single entries: a constant, a function of the right one, an offset, signs, bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import DTypeLike

from gradtests.factors import FACTOR_RTOL
from gradtests.results import ATOL, Result, agree, everywhere, farthest, is_enough, subject

MOST_TURNS = 4  # larger numbers are no angles

NARROW: dict[DTypeLike, str] = {
    np.float16: "it is computed in half precision, float16, which holds 3 digits",
    np.float32: "it is computed in single precision, float32, which holds 7 digits",
}


def constant(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that all entries are one number."""
    number = wrong[0].got.flat[0] + 0.0  # -0 becomes 0
    largest = max(np.max(np.abs(result.got), initial=0) for result in plain)
    if (
        0
        < largest
        <= ATOL * min(1, max(np.max(np.abs(result.want), initial=0) for result in plain))
    ):
        return f"{subject(plain)} 0 but for rounding"
    if not everywhere(plain, (np.full(result.got.shape, number) for result in plain)):
        return ""
    always = ", whatever the arguments" if len(plain) > 1 else ""
    if number == 0 and always and all(np.max(np.abs(r.want), initial=0) <= 1 for r in plain):
        always += ": an array of integers cuts such numbers off, and one that is not filled stays 0"
    return f"{subject(plain)} {number:.6g}{always}"


def function_of_each(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that a known function was taken of every entry, or none where one belongs."""
    for words, function in FUNCTIONS.items():
        if everywhere(plain, (function(r.want.astype(float)) for r in plain)):
            return f"{subject(plain)} {words}"
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


def wrapped(plain: Sequence[Result], wrong: Sequence[Result]) -> str:
    """Say that whole numbers began anew at the end of a narrow kind of integers."""
    for kind in (np.uint8, np.int8, np.uint16, np.int16):
        limits = np.iinfo(kind)
        numbers = 2**limits.bits
        if wrong and everywhere(
            plain,
            ((r.want - limits.min) % numbers + limits.min for r in plain),
        ):
            return (
                f"an array of {kind.__name__} holds no number above {limits.max}: larger ones "
                "begin anew"
            )
    return ""


def same_offset(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that all entries are wrong by the same amount."""
    offsets = [np.mean(r.got - r.want) for r in plain]
    if not all(
        agree(r.got, r.want + offset, r.rtol) for r, offset in zip(plain, offsets, strict=True)
    ):
        return ""
    if np.allclose(offsets, offsets[0], rtol=FACTOR_RTOL, atol=0) and (
        len(offsets) > 1 or plain[0].got.size > 2
    ):
        return (
            f"{subject(plain)} too {'large' if offsets[0] > 0 else 'small'} by "
            f"{abs(offsets[0]):.6g}"
        )
    if any(r.got.size > 2 for r in wrong):
        return (
            "all entries are wrong by the same amount: a term that does not depend on the entry "
            "is missing or too much"
        )
    return ""


def turns(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that angles are off by whole or half turns."""
    if any(np.max(np.abs([r.got, r.want]), initial=0) > MOST_TURNS * 2 * np.pi for r in plain):
        return ""  # numbers of this size are no angles
    for turn, words in ((2 * np.pi, "full turns (2π)"), (np.pi, "half turns (π)")):
        if everywhere(plain, (r.want + turn * np.rint((r.got - r.want) / turn) for r in plain)):
            return f"{subject(plain)} off by {words}"
    return ""


def zeros(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that entries are wrong only where 0 belongs, or only by being 0."""
    if all(r.want.size < 3 for r in wrong):
        return ""
    if any(r.want.any() for r in wrong) and everywhere(
        plain, (np.where(r.want == 0, r.got, r.want) for r in plain)
    ):
        return "only entries that should be 0 are wrong"
    if any(r.got.any() for r in wrong) and everywhere(
        plain, (np.where(r.got == 0, r.got, r.want) for r in plain)
    ):
        return "some entries are 0 that should not be; all others are right"
    return ""


def signs(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that entries are right but for their signs, and where, if it can be told."""
    if not is_enough(wrong) or not everywhere(plain, (np.copysign(r.want, r.got) for r in plain)):
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


def bounded(plain: Sequence[Result], wrong: Sequence[Result]) -> str:
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
        if everywhere(plain, (cut(r.want, bound) for r in plain)):
            return (
                f"no entry is {words} {bound:.6g}, all else is right: the numbers are cut off "
                "there, or before a function is taken of them"
            )
    return ""


def for_large_numbers(
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
        "overflows, loses its digits, or is cut off by a bound"
    )


@np.errstate(all="ignore")
def too_few_digits(results: Sequence[Result]) -> str:
    """Say to how many digits all results are right, if most entries are a little off; else ''."""
    if not results or not all(result.is_plain and result.want.any() for result in results):
        return ""
    errors = np.concatenate([np.ravel(r.got - r.want) / np.max(np.abs(r.want)) for r in results])
    largest = np.max(np.abs(errors))
    if np.mean(errors != 0) <= 0.5:
        return ""
    got = np.concatenate([np.ravel(r.got) for r in results])
    for kind, words in NARROW.items():
        # Whole numbers and the like are the same in every precision.
        is_narrow = np.array_equal(got.astype(kind).astype(float), got)
        if is_narrow and np.mean(got == np.rint(got)) < 0.5 and largest < 40 * np.finfo(kind).eps:
            return words
    if not 0 < largest < 1e-5:
        return ""
    digits = int(-np.log10(largest))
    return f"it is right to {digits} digits only, as finite differences and rounded numbers are"
