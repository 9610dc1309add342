"""Check a student's function against a reference: one AssertionError says what is wrong.

To the fault that `faults` finds it adds the likely cause: a named mistake that does the same, or
else a pattern, or else what the grader finds (see `causes`).
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck import ended, failure, kind_of
from gradtests.calls import Judged, Parts, call, call_reference, exactly
from gradtests.causes import likely_cause
from gradtests.faults import NOT_FINITE, VALUES, find_fault
from gradtests.forms import FORMS, GIVEN_AS, SCALED, form_note, in_form
from gradtests.messages import describe, name_of, parameter_names
from gradtests.patterns import pattern, plain_pattern
from gradtests.results import RTOL, RTOL_FLOAT32, Result
from gradtests.trials import Trial, results_of, try_cases

# a formula meets this in some case; finite differences, right to 11 digits at best, in none
ANALYTIC_RTOL = 1e-12


def check(
    student: Callable[..., Any],
    reference: Callable[..., Any],
    cases: Iterable[tuple[Any, ...]],
    mistakes: Mapping[str, Callable[..., Any]] | None = None,
    *,
    compare: Callable[[Parts, Parts, tuple[Any, ...]], Parts] = exactly,
    outputs: tuple[str, ...] = (),
    only: str = "",
    forms: Iterable[str] = tuple(FORMS),
    rtol: float = RTOL,
    analytic: bool = False,
) -> None:
    """Call a student's function and the reference on every case and compare.

    Parameters
    ----------
    student, reference : functions of the same arguments. A reference that returns a tuple has
        several parts, each compared by itself; one that raises a ValueError wants the same of the
        student.
    cases : tuples of arguments; each call gets its own copy.
    mistakes : known wrong answers, {what a tutor would say: function}.
    compare : which answers count as equal: `up_to_sign`, `up_to_basis`, `any_svd`,
        `any_slope(...)`; by default only the reference's.
    outputs : names of the parts, for messages.
    only : the name of the one output that is judged; the others may be anything, None too. A
        changed argument is then a fault where `only` is the first output, so that it costs points
        once.
    forms : in which forms of `FORMS` the first case is tried too.
    rtol : max|got - want| <= 1e-12 + rtol * max|want|; 1e-4 where the student returns float32.
    analytic : whether finite differences, which are right to 7 to 11 digits in every case, are a
        fault.

    Raises
    ------
    AssertionError
        with one text that says what is wrong and, where it can be told, why.

    Examples
    --------
    >>> check(lambda x: -2 * x, lambda x: 2 * x, [(np.array([1.0, 3.0]),)])
    Traceback (most recent call last):
    ...
    AssertionError: Your function, called with x = [1, 3]: entry [1] is -6, expected 6.
    Likely cause: the sign is flipped.
    """
    check_cases(
        student, reference, cases, mistakes or {}, compare, outputs, only, forms, rtol, analytic
    )


def check_cases(
    student: Callable[..., Any],
    reference: Callable[..., Any],
    cases: Iterable[tuple[Any, ...]],
    mistakes: Mapping[str, Callable[..., Any]],
    compare: Callable[[Parts, Parts, tuple[Any, ...]], Parts] = exactly,
    outputs: tuple[str, ...] = (),
    only: str = "",
    forms: Iterable[str] = (),
    rtol: float = RTOL,
    analytic: bool = False,
    is_example: bool = False,
) -> None:
    """Do what `check` does; an example is one small case, which tells little of a cause."""
    cases = list(cases)
    if not cases or set(forms) - set(FORMS):
        raise ValueError(f"check wants cases, and forms among {', '.join(FORMS)}")
    if others := [case for case in cases if not isinstance(case, tuple)]:
        raise ValueError(
            "a case is a tuple of arguments, such as (x,) for one; this one is "
            f"{kind_of(others[0])}"
        )
    if only and only not in outputs:
        raise ValueError(
            f"only={only!r} is none of the outputs {', '.join(outputs) or '(there are none)'}"
        )
    name = name_of(student)
    judged = Judged(compare, tuple(outputs), only, rtol)
    form_notes: dict[str, str] = {}  # one for each form
    trial = try_cases(student, reference, cases, judged, form_notes)
    _require_written(trial, name)
    if any(trial.faults):
        n = trial.worst
        where = describe(student, reference, trial.cases[n])
        right = trial.faults.count(None)
        some = f" It is right for {right} of {len(cases)} sets of arguments." if right else ""
        if is_example or (
            len(cases) == 1 and not mistakes and not forms
        ):  # one small example fits too many causes
            names = parameter_names(student)
            cause = plain_pattern(results_of(trial, trial.gots, trial.wants), names)
        else:
            cause = likely_cause(trial, mistakes, student, reference)
        raise failure(f"{name}, {where}: {ended(trial.fault.sentence)}{some}", cause)
    if analytic:
        _require_formula(trial, name)
    has_arrays = any(isinstance(x, np.ndarray) and x.ndim for x in trial.cases[0])
    for form in forms if has_arrays else ():
        _try_form(form, student, reference, trial, form_notes)
    for note in dict.fromkeys(
        [*(note for got in trial.gots for note in got.notes), *form_notes.values()]
    ):
        print(f"Note: {name} {ended(note)}")
    print(f"{name}: right on {len(cases)} case{'s' if len(cases) > 1 else ''}.")


def _require_written(trial: Trial, name: str) -> None:
    """Say which function is not written yet, if that is why a case fails."""
    for got in trial.gots:
        if isinstance(got.error, NotImplementedError):
            frames = traceback.extract_tb(got.error.__traceback__)[1:]
            unwritten, said, _ = str(got.error).partition(" is not written yet.")
            if not said:  # a stub of another kind
                unwritten = frames[-1].name if frames and frames[-1].name.isidentifier() else name
            calls = "" if unwritten == name else f"{name} calls {unwritten}, and "
            raise failure(f"{calls}{unwritten} is not written yet.")


def _require_formula(trial: Trial, name: str) -> None:
    """Raise where every case is right to the digits of finite differences and no more."""
    errors = []
    for got, want in zip(trial.gots, trial.wants, strict=True):
        for n in trial.judged.places(len(want.parts)):
            g, w = got.parts[n], want.parts[n]
            if g.dtype != np.float32 and (largest := np.max(np.abs(w), initial=0)) > 0:
                errors.append(np.max(np.abs(g - w)) / largest)
    if len(errors) > 1 and min(errors) > ANALYTIC_RTOL:
        digits = int(-np.log10(max(errors)))
        raise failure(
            f"{name}: right to {digits} digits only, as finite differences are. Derive a formula, "
            "and compute that."
        )


def _try_form(
    form: str,
    student: Callable[..., Any],
    reference: Callable[..., Any],
    trial: Trial,
    notes: dict[str, str],
) -> None:
    """Try the first case in another form: a fault in small or large numbers costs points, others
    give a note.
    """
    case, judged = in_form(trial.cases[0], form), trial.judged
    want = call_reference(reference, case)
    if want.error is not None or not all(np.all(np.isfinite(part)) for part in want.parts):
        return  # the exercise has no answer for these numbers
    if form == "float32":
        judged = replace(judged, rtol=max(judged.rtol, RTOL_FLOAT32))
    got = call(student, case, want.parts, judged, form)
    fault = find_fault(got, want, case, judged)
    if fault and form in GIVEN_AS:
        notes.setdefault(form, form_note(fault.sentence, form))
    elif fault:
        given, cause = SCALED[form]
        where = describe(student, reference, case)
        if fault.rank == VALUES:
            result = Result(got.parts[fault.output], want.parts[fault.output], case)
            lost = np.count_nonzero((result.got == 0) & (result.want != 0))
            smaller = np.max(np.abs(result.got)) < np.max(np.abs(result.want))
            cause = (
                cause
                if (lost if form == "small" else smaller)
                else pattern([result], parameter_names(reference))
            )
        elif fault.rank == NOT_FINITE:
            cause = (
                "a step on the way overflows for such numbers"
                if form == "large"
                else "a step on the way vanishes for such numbers"
            )
        else:
            cause = ""
        raise failure(f"{name_of(student)}, {where} given {given}: {ended(fault.sentence)}", cause)
