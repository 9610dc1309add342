"""Grade the assignments of a course one after another, and tell of each notebook as it is done."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from nbreferee.course.locate import (
    CourseError,
)
from nbreferee.grading.assignment import AssignmentGrader, GradingOptions
from nbreferee.grading.atomic import whole_file
from nbreferee.grading.calibration import FAULT
from nbreferee.grading.change_summary import ChangeSummary
from nbreferee.grading.interrupts import uninterrupted
from nbreferee.grading.outcome import NotebookOutcome
from nbreferee.grading.pool import Workers
from nbreferee.grading.progress import ClassTotals, Progress, ProgressDisplay
from nbreferee.submission.folder import shown
from nbreferee.unforeseen import told

FAILURES = ("unreadable", "grader_failed")  # statuses of notebooks that could not be graded


@dataclass
class GradeRun:
    """Grades assignments one after another, each by itself."""

    course: CourseDirectory
    gradebook: Gradebook
    workers: Workers
    console: Console
    manner: GradingOptions
    tally: ClassTotals
    changes: ChangeSummary
    refused: int = 0  # assignments that could not be graded
    writing_s: float = 0.0

    def run(
        self,
        students: Mapping[str, list[str]],
        display: ProgressDisplay,
        listener: Callable[[NotebookOutcome], None],
    ) -> None:
        """Grade the submissions of students, given by assignment."""
        for name, some in students.items():
            display.expect(name, len(some))
        for name, some in students.items():
            try:
                grading = AssignmentGrader(
                    self.course,
                    self.gradebook,
                    name,
                    self.workers,
                    self.manner,
                    listener,
                )
            except SQLAlchemyError:
                raise
            except CourseError as error:  # the other assignments can still be graded
                self._refuse(display, str(error), name)
                continue
            except Exception as error:
                self._refuse(display, told(error, f"{name}: its notebooks cannot be used"), name)
                continue
            try:
                grading.run(some)
            except (
                SQLAlchemyError,
                OSError,
                CourseError,
            ):  # nor can any other assignment be graded
                raise
            except Exception as error:
                self.refused += 1
                display.say(told(error, f"{name}: grading stopped"))
            finally:
                self.writing_s += grading.writing_s

    def _refuse(self, display: ProgressDisplay, why: str, name: str) -> None:
        self.refused += 1
        display.say(f"nbreferee: {why} Nothing of {name} has been graded.")

    def print_table(self) -> None:
        """Print what has been done."""
        console = self.console
        for warning in self.tally.warnings:
            console.print(
                f"Look at this test: {warning}", highlight=False, markup=False, soft_wrap=True
            )
        out = Console(width=None if console.is_terminal else 120, highlight=False)
        self.changes.print(out)
        out.print(self.tally.table(self.writing_s))


@contextlib.contextmanager
def verdicts_file(path: Path | None) -> Iterator[Callable[[NotebookOutcome], None]]:
    """Yield a function that writes verdicts into a JSON list as they come; without a path, one that
    writes nothing.
    """
    if path is None:
        yield lambda _: None
        return
    before = "["
    failure: BaseException | None = None
    with whole_file(path) as file:

        def write(outcome: NotebookOutcome) -> None:
            nonlocal before
            file.write(
                f"{before}\n{json.dumps(outcome.as_json(), indent=1, ensure_ascii=False)}".encode()
            )
            before = ","

        try:
            yield write
        except BaseException as error:  # what is done is written all the same
            failure = error
        with uninterrupted():
            file.write(b"[]\n" if before == "[" else b"\n]\n")
    if failure is not None:
        raise failure


class ResultHandler:
    """Hears of every notebook: counts it, writes its verdicts, and says at once what has failed."""

    def __init__(
        self,
        display: ProgressDisplay,
        progress: Progress,
        tally: ClassTotals,
        changes: ChangeSummary,
        write_verdicts: Callable[[NotebookOutcome], None],
    ) -> None:
        self._display = display
        self._progress = progress
        self._tally = tally
        self._changes = changes
        self._write_verdicts = write_verdicts
        self._last: tuple[str, str] | None = None

    def __call__(self, outcome: NotebookOutcome) -> None:
        self._tally.add(outcome)
        self._changes.add(outcome)
        self._progress.graded += outcome.status == "graded"
        self._write_verdicts(outcome)
        student = shown(outcome.student)
        if (
            outcome.student,
            outcome.assignment,
        ) != self._last:  # notebooks of a submission come one after another
            self._last = outcome.student, outcome.assignment
            self._display.submission_done(outcome.assignment)
            for note in outcome.notes:
                self._display.say(f"{student}: {outcome.assignment}: {note}.")
        if outcome.status in FAILURES:
            self._display.say(
                f"{student}: {outcome.assignment}/{outcome.notebook}: {outcome.message}"
            )
        for cell in outcome.cells if outcome.status == "graded" else ():
            if cell.is_unsure and FAULT not in cell.message:
                self._display.say(
                    f"{student}: {outcome.assignment}/{outcome.notebook}, cell {cell.grade_id}: "
                    f"{cell.message}"
                )
