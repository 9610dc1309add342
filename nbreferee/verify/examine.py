"""Examine one notebook: try solutions, lazy answers, mutants, alternatives and mistakes on its
tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from nbreferee.engine.box_runner import CellResult
from nbreferee.engine.one_process import number_of
from nbreferee.verify.changed_answers import Alternatives, Controls, Mutants
from nbreferee.verify.lazy_students import LazyStudents
from nbreferee.verify.mistakes import Mistakes
from nbreferee.verify.records import Examined, in_points
from nbreferee.verify.subject import Subject
from nbreferee.verify.trial import Trial, TrialResult
from nbreferee.verify.trials import Trials


class _Attempt(Protocol):
    """One sort of answers to try."""

    def trials(self) -> list[Trial]:
        """Return what to run."""

    def judge(self, results: Mapping[Any, TrialResult]) -> None:
        """Count how the answers have fared, and find what is to be mended."""


def examine(subject: Subject, trials: Trials) -> Examined:
    """Try everything; return the counts and what to mend."""
    if subject.master.tests and _solution_is_sound(subject, trials):
        controls, alternatives = Controls(subject), Alternatives(subject)
        lazy_students = LazyStudents(subject)
        attempts: list[_Attempt] = [
            controls,
            Mistakes(subject),
            _Release(subject),
            Mutants(subject),
            alternatives,
        ]
        tried = [trial for one in attempts for trial in one.trials()]
        results = trials.run(tried, subject.solution)
        subject.whole |= controls.failing(results).keys()
        again = [trial for one in attempts for trial in one.trials()]
        again = [new for old, new in zip(tried, again, strict=True) if new.at != old.at]
        more = [*again, *alternatives.alone(results), *lazy_students.trials()]
        results |= trials.run(more, subject.solution)
        for one in (*attempts, lazy_students):
            one.judge(results)
        _judge_visible_lines(subject, trials)
    return Examined(list(subject.exercises.values()), subject.findings)


def _solution_is_sound(subject: Subject, trials: Trials) -> bool:
    """Run the solution; return whether answers can be tried on the tests."""
    cells = subject.master.cells
    ran = [(n, one) for n, one in enumerate(trials.run_solution()) if cells[n].is_code]
    subject.walls_s = {index: one.wall_s for index, one in ran}
    is_sound = True
    for index, one in ran:
        cell = cells[index]
        if cell.is_test and _ends_in_bare_expression(one):
            subject.find(
                cell.label,
                "ends in a bare expression, which nbgrader takes for partial credit. Assign "
                "it, or end in a check.",
            )
        if why := trials.calibration.faults.get(cell.grade_id) if cell.is_test else "":
            subject.find(cell.label, f"{why}. Mend the solution or the test.")
            is_sound = False
        elif cell.is_test and one.score < cell.points:
            subject.find(
                cell.label,
                f"the solution earns {one.score:g} of {cell.points:g} points: {one.message}. Mend "
                "the solution or the test.",
            )
            is_sound = False
        elif not cell.is_test and (error := error_in(one)):
            subject.find(
                cell.label,
                f"the solution's notebook stops here: {error}. Mend this cell.",
            )
            is_sound = False
    return is_sound


def _judge_visible_lines(subject: Subject, trials: Trials) -> None:
    """Find tests that fail as they are released, with the solution's answers: students see that."""
    tests = {test.index: subject.release[test.index] for test in subject.master.tests}
    parts = subject.with_sources(tests)
    for part, one in zip(parts, trials.run_together(parts), strict=True):
        if part.step in tests and one.status in ("failed", "error", "timeout"):
            subject.find(
                subject.master.cells[part.step].label,
                f"as released it fails with the solution's answers: {one.message}. Move what its "
                "visible lines need above BEGIN HIDDEN TESTS.",
            )


def error_in(result: CellResult) -> str:
    """Return in one line the error that a cell ends in, or ''."""
    for output in result.outputs:
        if output["output_type"] == "error":
            return f"{output['ename']}: {output['evalue']}".splitlines()[0]
    return ""


def _ends_in_bare_expression(result: CellResult) -> bool:
    return any(
        output["output_type"] == "execute_result"
        and number_of(output["data"].get("text/plain")) is None
        for output in result.outputs
    )


class _Release:
    """The release, untouched."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def trials(self) -> list[Trial]:
        """Return what to run."""
        subject = self._subject
        sources = {
            cell.index: cell.source if cell.is_test else subject.release[cell.index]
            for cell in subject.master.cells
            if cell.is_code
        }
        parts = subject.with_sources(sources)
        return [Trial("release", parts, limit_s=subject.limit_s(parts))]

    def judge(self, results: Mapping[Any, TrialResult]) -> None:
        """Find points that it earns, and cells that do not run."""
        subject = self._subject
        answers = {cell.index for cell in subject.master.answers}
        for index, one in results["release"].ran:
            cell = subject.master.cells[index]
            if cell.is_test and one.score > 0:
                subject.find(
                    cell.label,
                    f"the untouched release earns {in_points(one.score)}. Test what the student "
                    "must write.",
                )
            elif (
                not cell.is_answer
                and not cell.is_test
                and not answers & subject.master.providers[cell.index]
                and (error := error_in(one))
            ):
                subject.find(cell.label, f"the release stops here, before any stub: {error}.")
