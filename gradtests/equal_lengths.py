"""Try an answer on arguments whose lengths are all equal: there, no product or index fails for a
transpose that is missing, or for the length of another axis.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from gradtests.calls import exactly
from gradtests.faults import RAISED, SHAPE, VALUES
from gradtests.trials import Trial, try_cases

Case = tuple[Any, ...]


def on_equal_lengths(
    trial: Trial, student: Callable[..., Any], reference: Callable[..., Any]
) -> Trial | None:
    """Try the functions on random arguments whose lengths are all equal; None where the lengths are
    not what makes the answer fail, or make no sense there.
    """
    case = trial.cases[trial.worst]
    if trial.fault.rank not in (RAISED, SHAPE, VALUES) or trial.judged.compare is not exactly:
        return None
    lengths = sorted({n for x in case if isinstance(x, np.ndarray) for n in x.shape})
    # The answer must be wrong for the lengths of the test, and for these the other way round.
    unlike = [dict(zip(lengths, order, strict=True)) for order in (lengths, lengths[::-1])]
    made = [_with_lengths(case, new, False, seed) for seed, new in enumerate(unlike)]
    made += [
        _with_lengths(case, dict.fromkeys(lengths, n), len(lengths) == 1, n) for n in (3, 4, 5)
    ]
    if not all(made):
        return None
    with contextlib.suppress(Exception):  # of the reference
        if all(try_cases(student, reference, made[:2], trial.judged, {}).faults):
            tried = try_cases(student, reference, made[2:], trial.judged, {})
            return None if any(want.error for want in tried.wants) else tried
    return None


def _with_lengths(case: Case, new: dict[int, int], are_lengths: bool, seed: int) -> Case:
    """Return random arguments of the same kinds, each length replaced by a new one; () where that
    makes no difference, or no sense. Whole numbers are replaced too if they are lengths, or indices
    below one.
    """
    rng = np.random.default_rng(seed)
    whole = [x for x in case if isinstance(x, int)]
    if not new or len(new) + len(whole) < 2:
        return ()
    made: list[Any] = []
    for x in case:
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            positive = bool(np.all(x > 0) and np.all(x < 1))
            shape = tuple(new[n] for n in x.shape)
            made.append(rng.uniform(size=shape) if positive else rng.normal(size=shape))
        elif isinstance(x, int) and not isinstance(x, bool):
            length = next(iter(new.values()))
            if not are_lengths:
                made.append(x)
            elif not made and x < max([*new, *whole]):
                made.append(length - 1 if x + 1 in whole else x % length)
            elif x == 0:
                return ()  # no length: it is the 0 that matters
            else:
                made.append(length)
        else:
            return ()  # labels, functions, generators: the lengths are not all there is
    return tuple(made)
