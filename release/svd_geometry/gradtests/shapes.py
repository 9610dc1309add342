"""Patterns of results of another shape: flattened, permuted, not summed, or a part only."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from gradtests.factors import common_factor
from gradtests.results import Result, meets, plural_name, slice_name


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
        if found := common_factor(changed, wrong, names):
            return f"{words}; besides, {found}"
    return ""


def sum_or_not(results: Sequence[Result]) -> str:
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
                    meets(reduce(r.got, axis=axes), r.want) for r in results
                ):
                    return f"the {name} over {along} is missing"
                if want_ndim == got_ndim + number and all(
                    meets(r.got, reduce(r.want, axis=axes)) for r in results
                ):
                    return (
                        f"it is the {name} over {along} of the right result, which keeps every "
                        "entry"
                    )
    return ""


def part_of_right_one(results: Sequence[Result]) -> str:
    """Say that results are the diagonal, or some slices, of the right ones, up to signs."""
    ndims = {(r.got.ndim, r.want.ndim) for r in results}
    if len(ndims) > 1 or any(r.got.size == 0 for r in results):
        return ""
    got_ndim, ndim = ndims.pop()
    if got_ndim == ndim == 1 and all(
        r.got.size > 1 and r.got.shape == (part := r.want[r.want != 0]).shape and meets(r.got, part)
        for r in results
    ):
        return "the entries that are 0 are left out; they are asked for as well"
    if sum(r.got.size for r in results) < (3 if len(results) > 1 else 6):
        return ""

    def are(parts: Iterable[np.ndarray]) -> bool:
        return all(meets(np.abs(r.got), np.abs(p)) for r, p in zip(results, parts, strict=True))

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
                    return f"it is only the {end} {slice_name(ndim, axis)} of the right result"
    if got_ndim != ndim:
        return ""
    for axis in range(ndim):
        many = plural_name(ndim, axis)
        lengths = [(r.got.shape[axis], r.want.shape[axis]) for r in results]
        if any(n >= m for n, m in lengths):
            continue
        one = all(m - n == 1 for n, m in lengths)
        for end, other in (("first", "last"), ("last", "first")):

            def part(result: Result, a: int = axis, e: str = end) -> np.ndarray:
                n, m = result.got.shape[a], result.want.shape[a]
                return np.take(result.want, range(n) if e == "first" else range(m - n, m), a)

            if all(meets(np.abs(r.got), np.abs(part(r))) for r in results):
                if one:
                    return f"the {other} of the {many} is missing, all others are right"
                return f"it holds only the {end} {many} of the right result"
    return ""
