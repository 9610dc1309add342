"""Patterns of places: axes, the diagonal, one end, what a loop leaves, right numbers elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradtests.results import (
    ATOL,
    Result,
    agree,
    everywhere,
    is_enough,
    plural_name,
    slice_name,
)


def given_back(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that the result is an argument as it was given."""
    for position in range(min(len(result.arguments) for result in plain)):
        arguments = [result.arguments[position] for result in plain]
        if all(isinstance(a, np.ndarray) for a in arguments) and everywhere(
            plain, (r.arguments[position] for r in plain)
        ):
            name = names[position] if position < len(names) else f"argument {position + 1}"
            return f"it is {name} as it was given"
    return ""


def order_of_axes(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that the result is right but for the order of its axes, or of entries along one."""
    ndims = {result.got.ndim for result in plain}
    if len(ndims) > 1 or not 1 <= (ndim := ndims.pop()) <= 4:
        return ""
    if ndim == 2 and everywhere(plain, (r.want.T for r in plain)):
        return "it is the transpose"
    for order in itertools.permutations(range(ndim)):
        if order != tuple(range(ndim)) and all(
            agree(r.got.transpose(order), r.want, r.rtol) for r in plain
        ):
            return f"the axes are permuted: np.transpose(result, {order}) would be right"
    for axis in range(ndim):
        along = f" along axis {axis}" if ndim > 1 else ""
        if everywhere(plain, (np.flip(r.want, axis) for r in plain)):
            return f"the order is reversed{along}"
        for shift in (1, -1):
            if everywhere(plain, (np.roll(r.want, shift, axis) for r in plain)):
                return f"the entries are shifted by one place{along}"
    return ""


def on_diagonal(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that the diagonal, or what is above or below it, is all that is right, or all that is
    wrong.
    """
    if any(r.got.ndim != 2 or len(set(r.got.shape)) != 1 for r in plain):
        return ""
    if all(r.got.size < 2 for r in wrong) or not any(np.any(np.diag(r.want)) for r in wrong):
        return ""
    if everywhere(plain, (np.where(np.eye(len(r.got), dtype=bool), r.got, r.want) for r in plain)):
        return "all is right but the diagonal"
    for side, keep in (("below", np.tril), ("above", np.triu)):

        def mended(result: Result, keep: Callable[..., Any] = keep) -> np.ndarray:
            outside = keep(np.ones(result.got.shape, dtype=bool), -1 if keep is np.tril else 1)
            return np.where(outside, result.got, result.want)

        if everywhere(plain, map(mended, plain)):
            zero = all(not np.any(r.got[mended(r) != r.want]) for r in wrong)
            return (
                f"only the entries {side} the diagonal are {'0' if zero else 'wrong'}; all others "
                "are right"
            )
    if everywhere(plain, (np.where(np.eye(len(r.got), dtype=bool), r.want, r.got) for r in plain)):
        return "only the diagonal is right" if all(map(_is_wrong_off_diagonal, wrong)) else ""
    return ""


def _is_wrong_off_diagonal(result: Result) -> bool:
    """Tell whether all entries off the diagonal are wrong that are not nearly 0."""
    largest = np.max(np.abs(result.want))
    off = ~np.eye(len(result.want), dtype=bool) & (np.abs(result.want) > 1e-6 * largest)
    return bool(np.all(np.abs(result.got - result.want)[off] > ATOL + result.rtol * largest))


def one_end(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
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

            if everywhere(plain, map(mended, plain)):
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


def ended_early(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that the result is right up to some place along an axis, and 0 from there, or the other
    way round.
    """
    ndims = {r.got.ndim for r in plain}
    if len(ndims) > 1 or not 1 <= (ndim := ndims.pop()) <= 4 or not is_enough(wrong):
        return ""
    if len(np.unique(np.concatenate([r.want[r.got != r.want] for r in wrong]))) < 2:
        # all wrong entries should be one number: another property than their place may tell them
        # apart
        return ""
    long = any(min(r.got.shape) > 2 for r in wrong)
    if ndim == 2 and long and everywhere(plain, map(_without_last_row_and_column, plain)):
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
            one, many = slice_name(ndim, axis), plural_name(ndim, axis)
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


def same_slice(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say that every row or column is the right first, or last, one."""
    ndims = {r.got.ndim for r in plain}
    if len(ndims) > 1 or not 2 <= (ndim := ndims.pop()) <= 4 or not is_enough(wrong):
        return ""
    for axis in range(ndim):
        for index, end in ((0, "first"), (-1, "last")):
            if everywhere(
                plain,
                (np.zeros_like(r.want) + np.take(r.want, [index], axis) for r in plain),
            ):
                one = slice_name(ndim, axis)
                return (
                    f"every {one} is the right one for the {end} {one}: the index of the loop is "
                    "not used"
                )
    return ""


def are_mixed_up(plain: Sequence[Result], wrong: Sequence[Result]) -> bool:
    """Tell whether the right numbers stand in other places."""
    return any(len(np.unique(r.want)) >= 3 for r in wrong) and all(
        agree(np.sort(r.got, axis=None), np.sort(r.want, axis=None), r.rtol) for r in plain
    )


def reordered(plain: Sequence[Result], wrong: Sequence[Result], names: Sequence[str]) -> str:
    """Say by what reshape the right numbers have come to stand in other places."""
    if not are_mixed_up(plain, wrong):
        return ""
    ndims = {r.want.ndim for r in plain}
    orders = (
        itertools.permutations(range(max(ndims))) if len(ndims) == 1 and max(ndims) <= 4 else ()
    )
    if is_enough(wrong) and any(
        everywhere(plain, (r.want.transpose(order).reshape(r.got.shape) for r in plain))
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
        if is_enough(wrong) and everywhere(plain, by_columns):
            return f"the right numbers stand in other places: an array is {words} by columns"
    return ""
