"""What the longer commands do: options in, exit status out, and on the way whatever a person should
see.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from nbreferee.course.folders import why_nobody
from nbreferee.course.locate import (
    CourseError,
    gradebook_trouble,
    gradebook_writer,
    open_course,
    open_gradebook,
    source_assignments,
)
from nbreferee.course.nbgrader_settings import warnings_about
from nbreferee.course.settings import NbReferee, SandboxError
from nbreferee.grading.assignment import AssignmentGrader, GradingOptions, alone, expected
from nbreferee.grading.atomic import whole_file
from nbreferee.grading.calibration import FAULT
from nbreferee.grading.change_summary import ChangeSummary
from nbreferee.grading.interrupts import STOPPED, answered, uninterrupted
from nbreferee.grading.outcome import NotebookOutcome
from nbreferee.grading.pool import Workers, far_workers, local_workers
from nbreferee.grading.progress import ClassTotals, Progress, ProgressDisplay
from nbreferee.quiet import without_warnings_of
from nbreferee.submission.folder import shown
from nbreferee.unforeseen import told

FAILURES = ("unreadable", "grader_failed")  # statuses of notebooks that could not be graded


@dataclass(frozen=True)
class CommandOptions:
    """What a command is to work on, and with whom."""

    assignments: tuple[str, ...]
    course_dir: Path
    jobs: int | None = None
    scheduler: str | None = None
    students: tuple[str, ...] = ()
    json_path: Path | None = None
    force: bool = False
    preview: bool = False
    unsafe_no_sandbox: str | None = None


def autograde(wanted: CommandOptions, workers: Workers | None = None) -> int:
    """Grade, and return the exit status: 0 all graded; 1 some could not be; 2 nothing can be."""
    return _run(wanted, [_grade], workers)


def feedback(wanted: CommandOptions) -> int:
    """Write what students get to read, and return the exit status."""
    return _run(wanted, [_write_feedback])


def grade(wanted: CommandOptions, workers: Workers | None = None) -> int:
    """Grade, write what students get to read, print the class, and return the exit status."""
    return _run(wanted, [_grade, _write_feedback, _report], workers)


@dataclass
class _CommandState:
    """What the steps of a command share."""

    wanted: CommandOptions
    course: CourseDirectory
    gradebook: Gradebook
    workers: Workers
    console: Console
    progress: Progress


def _run(
    wanted: CommandOptions,
    steps: list[Callable[[_CommandState], int]],
    workers: Workers | None = None,
) -> int:
    progress = Progress(is_preview=wanted.preview)
    workers = (
        workers
        if workers is not None or wanted.scheduler is not None
        else local_workers(wanted.jobs)
    )

    def stop() -> None:
        if workers is not None:
            workers.stop()
        _say(f"stopped: {progress.text()}. Run the command again to go on.")
        sys.stdout.flush()

    with answered(stop), without_warnings_of("nbgrader"):
        try:
            why, status = _try_steps(wanted, steps, workers, progress)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            stop()
            atexit._run_exitfuncs()  # folders of this process go with it
            os._exit(STOPPED)
    if why:
        _say(why)
    return status


def _try_steps(
    wanted: CommandOptions,
    steps: list[Callable[[_CommandState], int]],
    workers: Workers | None,
    progress: Progress,
) -> tuple[str, int]:
    """Take the steps of a command; return why they have stopped, or nothing, and the exit
    status.
    """
    finished = False
    try:
        if wanted.json_path and not wanted.json_path.parent.is_dir():
            raise CourseError(
                f"{wanted.json_path.parent}: no such folder for --json. Make it first."
            )
        course = open_course(wanted.course_dir)
        source_assignments(course, wanted.assignments)
        workers = workers or far_workers(
            wanted.scheduler or "",
            lambda: _say("no worker has joined the cluster yet: waiting for one."),
        )
        try:
            status = _work(wanted, course, workers, steps, progress)
            finished = True
            return "", status
        except SQLAlchemyError as error:
            why = gradebook_trouble(course, error)
    except (CourseError, SandboxError) as error:
        why = str(error)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        why = (
            f"{where}{error.strerror or error}. Check the disk and its permissions, then run the "
            "command again: what is done is kept."
        )
    except Exception as error:
        why = told(error, f"stopped, {progress.text()}")
    finally:
        if workers is not None:
            if not finished:
                workers.stop()
            workers.close()
    return why, 1 if progress.graded else 2


def _work(
    wanted: CommandOptions,
    course: CourseDirectory,
    pool: Workers,
    steps: list[Callable[[_CommandState], int]],
    progress: Progress,
) -> int:
    console = Console(stderr=True)
    with (
        alone(
            course,
            lambda: console.print("Another nbreferee works on this course: waiting for its end."),
            reads_only=wanted.preview,
        ),
        (open_gradebook if wanted.preview else gradebook_writer)(course) as gradebook,
    ):
        desk = _CommandState(wanted, course, gradebook, pool, console, progress)
        status = 0
        for step in steps:
            status = max(status, step(desk))
            if status == 2:  # nothing that the next could work on
                break
        return status


def _say(text: str) -> None:
    click.echo(f"nbreferee: {text}", err=True)


def _grade(desk: _CommandState) -> int:
    wanted, course = desk.wanted, desk.course
    students = expected(course, wanted.assignments, wanted.students)
    manner = GradingOptions(
        NbReferee(config=course.config).budget(unsafe=bool(wanted.unsafe_no_sandbox)),
        wanted.unsafe_no_sandbox or "",
        wanted.force,
        wanted.preview,
    )
    grading = _GradeRun(desk, manner, ClassTotals(), ChangeSummary(wanted.preview))
    for warning in warnings_about(course.config):
        _say(warning)
    try:
        with (
            ProgressDisplay(desk.console, desk.progress) as display,
            _verdicts_file(wanted.json_path) as write_verdicts,
        ):
            grading.run(
                students,
                display,
                _ResultHandler(
                    display, desk.progress, grading.tally, grading.changes, write_verdicts
                ),
            )
    finally:
        grading.print_table()
    if not wanted.preview:
        _update_group_comments(desk, students)
    tally, refused = grading.tally, grading.refused
    if refused and refused == len(students):
        return 2
    if not sum(tally.counts[status] for status in ("graded", "skipped", *FAILURES)) and (
        why := _why_nobody(course, students)
    ):
        _say(f"nobody has been graded: {why}")
        return 1
    return 1 if refused or tally.unsure or any(tally.counts[status] for status in FAILURES) else 0


@dataclass
class _GradeRun:
    """Grades assignments one after another, each by itself."""

    desk: _CommandState
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
                    self.desk.course,
                    self.desk.gradebook,
                    name,
                    self.desk.workers,
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
        console = self.desk.console
        for warning in self.tally.warnings:
            console.print(
                f"Look at this test: {warning}", highlight=False, markup=False, soft_wrap=True
            )
        out = Console(width=None if console.is_terminal else 120, highlight=False)
        self.changes.print(out)
        out.print(self.tally.table(self.writing_s))


def _why_nobody(course: CourseDirectory, students: Mapping[str, list[str]]) -> str:
    """Return why submissions have not been graded, in a sentence; nothing where there are none."""
    if any(students.values()):
        return (
            "there are submissions, and none has a notebook with the name of one of the "
            "assignment's."
        )
    return why_nobody(course, list(students) or source_assignments(course))


@contextlib.contextmanager
def _verdicts_file(path: Path | None) -> Iterator[Callable[[NotebookOutcome], None]]:
    """Lend what writes verdicts into a JSON list as they come; nowhere, where there is no path."""
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


def _update_group_comments(desk: _CommandState, assignments: Iterable[str]) -> None:
    """Have the comments on groups of answers follow the answers (see `nbreferee comment`)."""
    from nbreferee.marking.group_comments import update_group_comments

    update_group_comments(desk.course, desk.gradebook, assignments)


def _write_feedback(desk: _CommandState) -> int:
    from nbreferee.grading.feedback import pages_of, write_feedback

    status = 0

    def page_done(name: str, path: Path, why: str) -> None:
        nonlocal status
        display.submission_done(f"{name}: pages")
        if why:
            status = 1
            display.say(f"{path}: no page ({why}).")

    names, students = (
        desk.wanted.assignments or source_assignments(desk.course),
        desk.wanted.students,
    )
    _update_group_comments(desk, names)
    desk.progress.unit, desk.progress.done, desk.progress.total = "pages", 0, 0
    with ProgressDisplay(desk.console, desk.progress) as display:
        pages = {name: pages_of(desk.course, desk.gradebook, name, students) for name in names}
        for student in students:
            if not any(one.student == student for found in pages.values() for one in found):
                display.say(
                    f"{shown(student)}: nothing of {' or '.join(names)} has been graded, so there "
                    "is no page."
                )
                status = 1
        for name, found in pages.items():
            display.expect(f"{name}: pages", len(found))
        for name, found in pages.items():
            if found:
                write_feedback(
                    desk.course, desk.gradebook, name, found, desk.workers, partial(page_done, name)
                )
    return status


def _report(desk: _CommandState) -> int:
    from nbreferee.report.command import report

    report(desk.course, desk.gradebook, desk.wanted.assignments)
    return 0


class _ResultHandler:
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
