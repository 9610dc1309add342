"""Say in what simple way the results of all cases differ from the right ones.

What the modules about entries, factors, places and shapes find is tried in one order: a new pattern
is added here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradtests.entries import (
    bounded,
    constant,
    for_large_numbers,
    function_of_each,
    same_offset,
    signs,
    turns,
    wrapped,
    zeros,
)
from gradtests.factors import KNOWN_FACTORS, common_factor, times_an_argument
from gradtests.places import (
    are_mixed_up,
    ended_early,
    given_back,
    on_diagonal,
    one_end,
    order_of_axes,
    reordered,
    same_slice,
)
from gradtests.results import Result
from gradtests.shapes import in_other_shape, part_of_right_one, sum_or_not


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
    if words := bounded(plain, wrong) or wrapped(plain, wrong):
        return words
    if sum(result.wrong_entries for result in wrong) >= 2:
        finders = [
            constant,
            common_factor,
            given_back,
            order_of_axes,
            function_of_each,
            turns,
            same_offset,
        ]
        finders += [signs, on_diagonal, ended_early, same_slice, for_large_numbers]
        finders += [times_an_argument, one_end, zeros, reordered]
        for find in finders:
            if find in WANT_MORE and _may_be_chance(plain):
                continue
            if words := find(plain, wrong, names):
                return words
    words = turns(plain, wrong, names) or for_large_numbers(plain, wrong, names)
    if words and wrong and len(plain) > 2:
        return words
    shapes = [result for result in results if result.got.shape != result.want.shape]
    if shapes and not wrong:
        return sum_or_not(shapes) or part_of_right_one(shapes)
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


def vague_pattern(results: Sequence[Result]) -> str:
    """Say that the right numbers stand in other places, or ''. It explains little: it is for
    results of which nothing else can be said.
    """
    wrong = [result for result in results if result.is_plain and not result.is_right]
    if sum(result.wrong_entries for result in wrong) < 2:
        return ""
    if not all(result.is_plain for result in results) or not are_mixed_up(results, wrong):
        return ""
    return "the right numbers stand in other places"


@np.errstate(all="ignore")
def plain_pattern(results: Sequence[Result], names: Sequence[str] = ()) -> str:
    """Say how one small example differs from the right one, where few numbers cannot mislead: by a
    constant factor, or by its axes; else ''.
    """
    plain = [result for result in results if result.is_plain and not result.is_right]
    if not plain or any(len(np.unique(np.abs(r.want[r.want != 0]))) < 3 for r in plain):
        return ""
    words = common_factor(plain, plain, names)
    if words and words != KNOWN_FACTORS[-1.0]:  # for one example a sign may be flipped by chance
        return words
    words = order_of_axes(plain, plain, names)
    return words if "transpose" in words else ""


def _may_be_chance(plain: Sequence[Result]) -> bool:
    """Tell whether one small example is all there is: few unlike numbers, or whole ones."""
    if len(plain) > 1:
        return False
    want = plain[0].want
    return len(np.unique(want)) < 4 or bool(np.all(want == np.rint(want)))


WANT_MORE = frozenset(
    {function_of_each, on_diagonal, one_end, zeros}
)  # one small example shows these by chance
