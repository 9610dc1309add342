"""Choose the likely cause of a wrong answer: which searches run, and in which order.

A named mistake that does the same comes first, then a pattern, then a small change of the two, and
last what the grader finds. Most sentences stand in `factors`, `entries`, `places` and `shapes`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck import ended
from gradtests.agreement import agreement_of, is_surely
from gradtests.calls import call, exactly, without_ones
from gradtests.changes import changed_mistake
from gradtests.comparison import any_svd
from gradtests.entries import too_few_digits
from gradtests.equal_lengths import on_equal_lengths
from gradtests.factors import factor_pattern
from gradtests.faults import RAISED, SHAPE, SHAPE_CAUSES, VALUES, own_frames
from gradtests.messages import parameter_names
from gradtests.patterns import pattern, vague_pattern
from gradtests.results import Result, agree, tolerance
from gradtests.shapes import in_other_shape
from gradtests.trials import Trial, results_of
from gradtests.where import where_wrong
from gradtests.wrong_entries import where_entries_are_wrong

# A grader that knows more than the test, such as the solution, may put a function here. It is
# called where a wrong answer has no known cause, with the student's function's name, the reference,
# and `agrees`, which tells of a wrong function whether it does what the student's did; it returns
# the cause in words, or "".
look_further: (
    Callable[[str, Callable[..., Any], Callable[[Callable[..., Any]], bool]], str] | None
) = None


def likely_cause(
    trial: Trial,
    mistakes: Mapping[str, Callable[..., Any]],
    student: Callable[..., Any],
    reference: Callable[..., Any],
) -> str:
    """Return the likely cause of a wrong answer, or ''.

    The answer is wrong whatever comes of the search: an error in it means that no cause is found.
    """
    with contextlib.suppress(ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return _found_cause(trial, mistakes, student, reference)
    return ""


def _found_cause(
    trial: Trial,
    mistakes: Mapping[str, Callable[..., Any]],
    student: Callable[..., Any],
    reference: Callable[..., Any],
) -> str:
    names = parameter_names(reference) or parameter_names(student)
    if found := _known_cause(trial, mistakes, names):
        return found
    equal = on_equal_lengths(trial, student, reference)
    if equal and not any(equal.faults):
        return (
            "it is right where all lengths are equal: a transpose is missing, or the length of one "
            "axis stands where that of another belongs"
        )
    if found := changed_mistake(trial, mistakes, reference, names):
        return found
    fault = trial.fault
    shapes_fail = fault.rank in (RAISED, SHAPE)
    if equal and shapes_fail and all(f and f.rank == VALUES for f in equal.faults):
        if found := _known_cause(equal, mistakes, names) or changed_mistake(
            equal, mistakes, reference, names
        ):
            return found
        if fault.rank == RAISED:
            trial, fault = equal, equal.fault
    elif found := _named_mistake(trial, mistakes, needs_values=False):
        return found
    if fault.rank == SHAPE and fault.sentence.endswith(SHAPE_CAUSES):
        return ""
    if found := where_wrong(trial, student, reference, names) or where_entries_are_wrong(
        trial, student, reference, names
    ):
        return found
    if look_further is not None and (
        found := look_further(
            getattr(student, "__name__", ""),
            reference,
            lambda wrong: is_surely(agreement_of(replace(trial, memory={}), wrong)),
        )
    ):
        return found
    # A mistake that only equal lengths allow, with something that makes the lengths fit.
    if (
        equal
        and fault.rank == VALUES
        and all(f and f.rank == VALUES for f in equal.faults)
        and (found := _named_mistake(equal, mistakes))
    ):
        return found
    return vague_pattern(results_of(trial, trial.gots, trial.wants))


def _known_cause(trial: Trial, mistakes: Mapping[str, Callable[..., Any]], names: list[str]) -> str:
    """Return exchanged outputs, a named mistake, or what all results have in common; else ''."""
    exchanged = _exchanged_outputs(trial, names)
    if "Besides" in exchanged:  # two mistakes, which one that is named cannot tell
        return exchanged
    if found := _memory_of_another(trial) or _named_mistake(trial, mistakes) or exchanged:
        return found
    results = results_of(trial, trial.gots, trial.wants)
    if found := pattern(results, names):
        return found
    if found := _another_output(trial):
        return found
    if found := too_few_digits(results):
        return found
    for sentence, wrong in mistakes.items():
        others = [
            call(wrong, case, want.parts, trial.judged)
            for case, want in zip(trial.cases, trial.wants, strict=True)
        ]
        if found := factor_pattern(
            results_of(trial, trial.gots, others), results_of(trial, others, trial.wants), names
        ):
            return f"{ended(sentence)} Besides, {found}"
    return ""


def _named_mistake(
    trial: Trial, mistakes: Mapping[str, Callable[..., Any]], needs_values: bool = True
) -> str:
    """Return the sentence of the mistake that agrees best, or ''. One that raises the same
    exceptions and gives no value to compare counts only where no values are needed.
    """
    agreements = {
        sentence: agreement
        for sentence, wrong in mistakes.items()
        if (agreement := agreement_of(trial, wrong)) and (agreement.values or not needs_values)
    }
    return min(agreements, key=lambda one: agreements[one].excused) if agreements else ""


def _exchanged_outputs(trial: Trial, names: list[str]) -> str:
    """Say that two outputs stand in each other's place, and by what factor one of them is off."""
    n = trial.fault.output
    number = len(trial.wants[trial.worst].parts)
    pairs = [
        (got, want, case)
        for got, want, case in zip(trial.gots, trial.wants, trial.cases, strict=True)
        if want.error is None
    ]
    size = np.asarray if trial.judged.compare is exactly else np.abs  # or else signs are free
    if not trial.judged.outputs or any(len(got.returned) != number for got, _, _ in pairs):
        return ""
    for m in (m for m in range(number) if m != n):
        factors = []
        for place, other in ((n, m), (m, n)):
            results = [
                Result(size(_like(came, w.parts[other])), size(w.parts[other]), c)
                for g, w, c in pairs
                if (came := g.returned[place]) is not None
            ]
            if len(results) < len(pairs):
                break
            if all(result.is_right for result in results):
                factors.append("")
            elif found := factor_pattern(results, results, names):
                factors.append(f" Besides, in {trial.judged.outputs[other]} {found}.")
            elif found := in_other_shape(results, names):
                factors.append(f" Besides, of {trial.judged.outputs[other]} {found}.")
            else:
                break
        if len(factors) == 2 and ("" in factors or all("permuted" in x for x in factors)):
            first, second = (trial.judged.outputs[place] for place in sorted((n, m)))
            return f"{first} and {second} stand in each other's place.{''.join(factors)}"
    return ""


def _another_output(trial: Trial) -> str:
    """Say that an output is what another should be."""
    n, outputs = trial.fault.output, trial.judged.outputs
    if trial.judged.compare is any_svd or any(want.error is not None for want in trial.wants):
        return ""
    for m in (m for m in range(len(outputs)) if m != n):
        if all(
            len(g.parts) == len(outputs)
            and agree(_like(g.parts[n], w.parts[m]), w.parts[m], tolerance(g.parts[n]))
            for g, w in zip(trial.gots, trial.wants, strict=True)
        ):
            return f"here stands what belongs in another output, {outputs[m]}"
    return ""


def _like(array: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return an array in the other's shape, where they differ in axes of length 1 only."""
    return array.reshape(other.shape) if without_ones(array) == without_ones(other) else array


def _memory_of_another(trial: Trial) -> str:
    """Say that the memory ran out in another function than the one under test."""
    error = trial.gots[trial.worst].error
    inner = [f.name for f in own_frames(error) if f.name.isidentifier()] if error else []
    if not isinstance(error, MemoryError) or not inner or inner[-1] == trial.name:
        return ""
    if not trial.name.isidentifier():  # a lambda, which may call whatever it is
        return ""
    return (
        f"the memory runs out in {inner[-1]}, which {trial.name} calls: how many entries has the "
        "largest array there?"
    )
