"""Patterns: all entries are off by one factor, such as -1 ("the sign is flipped"), which may depend
on a length.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gradtests.results import Result, agree, everywhere, subject

LEAST_FACTOR = 1e-12  # less is 0 but for rounding
FACTOR_RTOL = 1e-6  # how well a factor must be met to be named
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
    words = common_factor(plain, wrong, names)
    return "" if words == KNOWN_FACTORS[-1.0] else words  # a sign makes unlike mistakes equal


def common_factor(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that all entries are wrong by one factor, if need be by one that depends on a length."""
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
    if not factors.size or np.any(np.abs(factors) < LEAST_FACTOR):
        return ""
    rtol = max(FACTOR_RTOL, plain[0].least_rtol)
    if np.allclose(factors, factors[0], rtol=rtol, atol=0):
        if abs(factors[0] - 1) < 1e-4 or (len(factors) == 1 and plain[0].want.size == 1):
            return ""
        for number, words in KNOWN_FACTORS.items():
            if abs(factors[0] - number) < rtol * abs(number):
                return words.format(subject(plain))
        return f"{subject(plain)} {factors[0]:.6g} times the right one"
    for what, sizes in _sizes([arguments for _, arguments in found], names):
        if words := _factor_of_size(factors, np.array(sizes, dtype=float), what):
            return f"{subject(plain)} {words}"
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


def times_an_argument(
    plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]
) -> str:
    """Say that the result is multiplied or divided by an argument, entry by entry."""
    ndims = {r.want.ndim for r in plain}
    if len(ndims) > 1 or sum(np.count_nonzero(r.want) for r in wrong) < 4:
        return ""
    ndim = ndims.pop()
    for n, name in enumerate(names):
        for axes in itertools.combinations(range(ndim), _number_of_axes(plain, n)):
            shaped = [_along(r, n, axes) for r in plain]
            for words, made in (
                ("times", [r.want * a for r, a in zip(plain, shaped, strict=True)]),
                ("divided by", [r.want / a for r, a in zip(plain, shaped, strict=True)]),
            ):
                if everywhere(plain, made):
                    return f"{subject(plain)} the right one {words} {name}"
    return ""


def _number_of_axes(plain: Sequence[Result], n: int) -> int:
    """Return how many axes an argument has in all results, or more than any has."""
    found = {np.ndim(r.arguments[n]) if n < len(r.arguments) else -1 for r in plain}
    is_array = all(isinstance(r.arguments[n], np.ndarray) for r in plain if n < len(r.arguments))
    return found.pop() if len(found) == 1 and is_array and min(found) > 0 else 99


def _along(result: Result, n: int, axes: tuple[int, ...]) -> np.ndarray:
    """Return an argument with its axes put where these of the result are; NaN if they differ."""
    argument = np.asarray(result.arguments[n])
    shape = [1] * result.want.ndim
    for length, axis in zip(argument.shape, axes, strict=True):
        shape[axis] = length
    fits = all(result.want.shape[axis] == shape[axis] for axis in axes)
    return argument.reshape(shape) if fits else np.full(result.want.shape, np.nan)
