"""What the longer commands do: options in, exit status out, and on the way whatever a person should
see.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
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
from nbreferee.grade_run import FAILURES, GradeRun, ResultHandler, verdicts_file
from nbreferee.grading.assignment import GradingOptions, alone, expected
from nbreferee.grading.change_summary import ChangeSummary
from nbreferee.grading.interrupts import STOPPED, answered
from nbreferee.grading.pool import Workers, far_workers, local_workers
from nbreferee.grading.progress import ClassTotals, Progress, ProgressDisplay
from nbreferee.quiet import without_warnings_of
from nbreferee.submission.folder import shown
from nbreferee.unforeseen import told


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
    grading = GradeRun(
        course,
        desk.gradebook,
        desk.workers,
        desk.console,
        manner,
        ClassTotals(),
        ChangeSummary(wanted.preview),
    )
    for warning in warnings_about(course.config):
        _say(warning)
    try:
        with (
            ProgressDisplay(desk.console, desk.progress) as display,
            verdicts_file(wanted.json_path) as write_verdicts,
        ):
            grading.run(
                students,
                display,
                ResultHandler(
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


def _why_nobody(course: CourseDirectory, students: Mapping[str, list[str]]) -> str:
    """Return why submissions have not been graded, in a sentence; nothing where there are none."""
    if any(students.values()):
        return (
            "there are submissions, and none has a notebook with the name of one of the "
            "assignment's."
        )
    return why_nobody(course, list(students) or source_assignments(course))


def _update_group_comments(desk: _CommandState, assignments: Iterable[str]) -> None:
    """Have the comments on groups of answers follow the answers (see `nbreferee comment`)."""
    from nbreferee.marking.notes import has_notes

    if not has_notes(Path(desk.course.root)):
        return
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
