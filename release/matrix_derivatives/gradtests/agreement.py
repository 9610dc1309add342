"""Tell whether a wrong function does what a student's function did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradtests.calls import Judged, Outcome
from gradtests.comparison import up_to_basis, up_to_sign
from gradtests.faults import ARGUMENTS, SHAPE, VALUES, Fault, same_argument
from gradtests.results import agree, tolerance
from gradtests.trials import Trial

Change = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Agreement:
    """How a wrong function does what the student's did.

    Cases that tell are those where the student's answer is wrong in the very same way: one at least
    is needed. The two may differ in a case where one of them overflows or runs out of memory: that
    depends on details of how they compute, and not on the mistake. Any other difference speaks
    against the function.
    """

    telling: int  # cases that tell
    values: int  # those of them in which there are values to compare, and no exception
    finite: int  # those of them in which all values are finite
    entries: int  # wrong entries in these
    excused: int  # cases that differ


def agreement_of(
    trial: Trial, wrong: Callable[..., Any], change: Change | None = None
) -> Agreement | None:
    """Compare a student's function with a wrong one, whose judged output is changed first."""
    telling = values = finite = entries = excused = unlike = 0
    changed = trial.fault.rank == ARGUMENTS
    same_text = False
    answers = {
        type(want.error) for want in trial.wants if want.error is not None
    }  # an exception may be a right answer
    for n in trial.in_order:
        got, want, case, fault = trial.gots[n], trial.wants[n], trial.cases[n], trial.faults[n]
        other = trial.outcome_of(wrong, n)
        if change is not None:
            changed_outcome = _changed(other, change, trial.fault.output)
            if changed_outcome is None:
                return None
            other = changed_outcome
        if other.error is None and not changed and _changes_alone(other, got, case):
            return None
        if _same_outcome(got, other, case, trial.judged, changed):
            telling += fault is not None
            if fault is not None and other.error is None:
                values += not other.complaint
                if not _overflows(other):
                    finite += not other.complaint
                    entries += _wrong_entries(got, want, fault)
            alike = str(other.error) == str(got.error) or isinstance(
                got.error, (MemoryError, *answers)
            )
            same_text = same_text or (fault is not None and alike)
        elif want.error is None and (_overflows(got) or _overflows(other)):
            excused += 1
            unlike += fault is None  # the mistake overflows where the student's answer is right
        else:
            return None
    if unlike and not finite:
        return None
    # With no value to compare, the type of the exceptions alone says too little.
    return (
        Agreement(telling, values, finite, entries, excused)
        if telling and (values or same_text)
        else None
    )


def _changed(outcome: Outcome, change: Change, place: int) -> Outcome | None:
    """Return an outcome with one part changed; None where it has no such part, or cannot be."""
    if len(outcome.parts) <= place:
        return None
    try:
        part = change(outcome.parts[place])
    except (ValueError, IndexError, TypeError):
        return None
    return replace(outcome, parts=(*outcome.parts[:place], part, *outcome.parts[place + 1 :]))


def _changes_alone(other: Outcome, got: Outcome, case: tuple[Any, ...]) -> bool:
    """Tell whether a wrong function changed an argument that the student's left as it was."""
    return any(
        not same_argument(before, after) and same_argument(before, left)
        for before, after, left in zip(case, other.arguments, got.arguments, strict=True)
    )


def _wrong_entries(got: Outcome, want: Outcome, fault: Fault) -> int:
    if fault.rank == VALUES:
        return int(np.count_nonzero(got.parts[fault.output] != want.parts[fault.output]))
    return got.parts[fault.output].size if fault.rank == SHAPE else 0


def is_surely(agreement: Agreement | None) -> bool:
    """Tell whether an agreement can be no coincidence."""
    return agreement is not None and (agreement.finite > 1 or agreement.entries > 3)


def _overflows(outcome: Outcome) -> bool:
    if isinstance(outcome.error, (ArithmeticError, MemoryError, RecursionError)):
        return True
    return any(not np.all(np.isfinite(part)) for part in outcome.parts)


def _same_outcome(
    got: Outcome, other: Outcome, case: tuple[Any, ...], judged: Judged, arguments: bool
) -> bool:
    if got.error is not None or other.error is not None:
        kinds = type(got.error), type(other.error)  # NumPy's own MemoryError is a MemoryError
        return issubclass(*kinds) or issubclass(*kinds[::-1])
    if got.complaint or other.complaint:
        return got.complaint == other.complaint
    places = judged.places(len(other.parts))
    if any(got.parts[n].shape != other.parts[n].shape for n in places):
        return False
    parts = other.parts
    if judged.compare in (up_to_sign, up_to_basis) and all(
        np.all(np.isfinite(a)) for a in got.parts + other.parts
    ):
        parts = judged.compare(got.parts, other.parts, case)
    if not all(agree(got.parts[n], parts[n], tolerance(got.parts[n])) for n in places):
        return False
    return not arguments or all(map(same_argument, got.arguments, other.arguments))
