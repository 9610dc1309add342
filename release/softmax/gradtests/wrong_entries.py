"""Say which entries of a result are wrong: those where an argument's entry is 0, or has one sign.

New arguments that hold zeros must bear it out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradtests.faults import VALUES
from gradtests.trials import Trial, try_cases

ENTRIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "is 0": lambda x: x == 0,
    "is negative": lambda x: x < 0,
    "is positive": lambda x: x > 0,
    "is not positive": lambda x: x <= 0,
    "is not negative": lambda x: x >= 0,
}


def where_entries_are_wrong(
    trial: Trial,
    student: Callable[..., Any],
    reference: Callable[..., Any],
    names: Sequence[str],
) -> str:
    """Say that only entries are wrong where an argument of the same shape is 0, or has one sign."""
    if trial.fault.rank != VALUES or len(trial.wants[0].parts) != 1:
        return ""
    for n, name in enumerate(names[: min(map(len, trial.cases))]):
        for words, holds in ENTRIES.items():
            if not _agree_where(trial, n, holds):
                continue
            new = [
                with_argument(case, n, zeroed(case[n], True, seed))
                for seed, case in enumerate(trial.cases)
                if isinstance(case[n], np.ndarray) and case[n].size > 5
            ]
            if new and _agree_where(try_cases(student, reference, new, trial.judged, {}), n, holds):
                return f"it is wrong only in the entries where {name} {words}"
    return ""


def _agree_where(trial: Trial, n: int, holds: Callable[[np.ndarray], np.ndarray]) -> bool:
    """Tell whether an entry of the result is wrong exactly where an argument's entry has
    something; there must be entries of both kinds.
    """
    found = []
    for got, want, case in zip(trial.gots, trial.wants, trial.cases, strict=True):
        if not got.parts or not want.parts:
            return False
        g, w = got.parts[0], want.parts[0]
        if not isinstance(case[n], np.ndarray) or not g.shape == w.shape == case[n].shape:
            return False
        with np.errstate(all="ignore"):
            off = ~(np.abs(g - w) <= 1e-7 * np.abs(w) + 1e-12)
        if not np.array_equal(off, holds(case[n])):
            return False
        found.append(off.ravel())
    off = np.concatenate(found)
    return bool(off.any() and np.count_nonzero(~off) >= 4)


def with_argument(case: tuple[Any, ...], n: int, value: Any) -> tuple[Any, ...]:
    """Return a case with another argument in one place."""
    return (*case[:n], value, *case[n + 1 :])


def zeroed(array: np.ndarray, value: bool, seed: int) -> np.ndarray:
    """Return a copy with a 0 in one place, or in none."""
    changed = np.where(array == 0, 1.5, array)
    if value and changed.size:
        changed.flat[np.random.default_rng(seed).integers(changed.size)] = 0
    return changed
