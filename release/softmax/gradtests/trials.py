"""Try a student's function and the reference on every case."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gradtests.calls import Judged, Outcome, call, call_reference
from gradtests.faults import NOT_FINITE, SHAPE, VALUES, Fault, find_fault
from gradtests.forms import as_float_arrays, form_note
from gradtests.messages import describe, name_of
from gradtests.results import Result

MOST_KEPT = 1000  # entries of an outcome that is kept for comparisons


@dataclass(frozen=True)
class Trial:
    """What the student's function did on every case, beside the reference."""

    cases: list[tuple[Any, ...]]
    wants: list[Outcome]
    gots: list[Outcome]
    faults: list[Fault | None]
    judged: Judged
    name: str = ""
    memory: dict[tuple[Callable[..., Any], int], Outcome] = field(default_factory=dict)

    def outcome_of(self, wrong: Callable[..., Any], n: int) -> Outcome:
        """Return what a wrong function does on a case; small outcomes are kept."""
        if (wrong, n) in self.memory:
            return self.memory[wrong, n]
        outcome = call(wrong, self.cases[n], self.wants[n].parts, self.judged)
        if sum(part.size for part in outcome.parts) < MOST_KEPT:
            self.memory[wrong, n] = outcome
        return outcome

    @property
    def worst(self) -> int:
        """Return the number of the case with the fault to report: of the first kind, and there the
        first.
        """
        return min((fault.rank, n) for n, fault in enumerate(self.faults) if fault)[1]

    @property
    def fault(self) -> Fault:
        """Return the fault to report."""
        fault = self.faults[self.worst]
        assert fault is not None, "no case has a fault"
        return fault

    @property
    def in_order(self) -> list[int]:
        """Return the numbers of all cases, those with faults first."""
        return sorted(range(len(self.cases)), key=lambda n: (self.faults[n] is None, n))


def try_cases(
    student: Callable[..., Any],
    reference: Callable[..., Any],
    cases: list[tuple[Any, ...]],
    judged: Judged,
    notes: dict[str, str],
) -> Trial:
    """Call both functions on every case.

    Where lists or integers alone are what fails, arrays of floats count.
    """
    cases, gots, faults = list(cases), [], []
    wants = [call_reference(reference, case) for case in cases]
    for n, want in enumerate(wants):
        try:
            got = call(student, cases[n], want.parts, judged)
        except BaseException as error:  # a grader's limit on the time
            error.add_note(f"{name_of(student)} was {describe(student, reference, cases[n])}")
            raise
        fault = find_fault(got, want, cases[n], judged)
        for given in as_float_arrays(cases[n]) if fault else ():
            other = call(student, given, want.parts, judged)
            if fault and find_fault(other, want, given, judged) is None:
                form = "lists" if any(isinstance(x, list) for x in cases[n]) else "integers"
                notes.setdefault(form, form_note(fault.sentence, form))
                cases[n], got, fault = given, other, None
                break
        gots.append(got)
        faults.append(fault)
    return Trial(cases, wants, gots, faults, judged, getattr(student, "__name__", ""))


def results_of(trial: Trial, gots: list[Outcome], wants: list[Outcome]) -> list[Result]:
    """Return the outputs that show the fault beside what they are compared with; none where one
    raised something.
    """
    fault = trial.fault
    if fault.rank not in (SHAPE, NOT_FINITE, VALUES):
        return []
    results = []
    for got, want, case in zip(gots, wants, trial.cases, strict=True):
        if not got.parts or not want.parts:
            if want.error is None or got.error is None:
                return []
            continue  # both raise, as they should
        right = want.parts
        if [g.shape for g in got.parts] == [w.shape for w in want.parts]:
            with contextlib.suppress(Exception):  # one that wants finite numbers, for example
                right = trial.judged.compare(got.parts, want.parts, case)
        results.append(Result(got.parts[fault.output], right[fault.output], case))
    return results
