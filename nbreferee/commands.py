"""What the longer commands do: options in, exit status out, and on the way whatever a person should see."""

from __future__ import annotations

import contextlib
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from nbreferee.aside import whole_file
from nbreferee.autograde import Autograding, Manner, alone, expected
from nbreferee.course import CourseError, gradebook_trouble, gradebook_writer, open_course, source_assignments
from nbreferee.display import Display, Tally
from nbreferee.folders import why_nobody
from nbreferee.nbgrader_settings import warnings_about
from nbreferee.outcome import Outcome
from nbreferee.settings import NbReferee, SandboxError
from nbreferee.submission.folder import shown
from nbreferee.workers import Workers, far_workers, local_workers

STOPPED = 130  # as a shell says of a command that Ctrl-C has ended


@dataclass(frozen=True)
class Wanted:
    """What a command is to work on, and with whom."""

    assignments: tuple[str, ...]
    course_dir: Path
    jobs: int | None = None
    scheduler: str | None = None
    students: tuple[str, ...] = ()
    json_path: Path | None = None
    force: bool = False
    unsafe_no_sandbox: str | None = None


def autograde(wanted: Wanted, workers: Workers | None = None) -> int:
    """Grade, and return the exit status: 0 all graded; 1 some could not be; 2 nothing can be."""
    return _run(wanted, [_grade], workers)


def feedback(wanted: Wanted) -> int:
    """Write what students get to read, and return the exit status."""
    return _run(wanted, [_write_feedback])


def grade(wanted: Wanted, workers: Workers | None = None) -> int:
    """Grade, write what students get to read, print the class, and return the exit status."""
    return _run(wanted, [_grade, _write_feedback, _report], workers)


@dataclass
class _Desk:
    """What the steps of a command share."""

    wanted: Wanted
    course: CourseDirectory
    gradebook: Gradebook
    workers: Workers
    console: Console


def _run(wanted: Wanted, steps: list[Callable[[_Desk], int]], workers: Workers | None = None) -> int:
    warnings.filterwarnings("ignore", module="nbgrader")
    try:
        try:
            if wanted.json_path and not wanted.json_path.parent.is_dir():
                raise CourseError(f"{wanted.json_path.parent}: no such folder for --json. Make it first.")
            course = open_course(wanted.course_dir)
            source_assignments(course, wanted.assignments)
            workers = workers or _workers(wanted)
            return _work(wanted, course, workers, steps)
        except (CourseError, SandboxError) as error:
            _say(str(error))
            return 2
        finally:
            if workers is not None:
                workers.close()
    except KeyboardInterrupt:
        _say("stopped. What is done is kept; run the command again to go on.")
        os._exit(STOPPED)  # workers end with this process


def _work(wanted: Wanted, course: CourseDirectory, pool: Workers, steps: list[Callable[[_Desk], int]]) -> int:
    """Take the steps; what ends them is said before workers finish what they are at."""
    console = Console(stderr=True)
    try:
        with alone(course, lambda: console.print("Another nbreferee works on this course: waiting for its end.")), gradebook_writer(course) as gradebook:
            desk = _Desk(wanted, course, gradebook, pool, console)
            return max(step(desk) for step in steps)
    except SQLAlchemyError as error:
        _say(gradebook_trouble(course, error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _say(f"{where}{error.strerror or error}. Check the disk and its permissions, then run the command again: what is done is kept.")
    return 2


def _say(text: str) -> None:
    click.echo(f"nbreferee: {text}", err=True)


def _grade(desk: _Desk) -> int:
    wanted, course = desk.wanted, desk.course
    students = expected(course, wanted.assignments, wanted.students)
    manner = Manner(NbReferee(config=course.config).budget(unsafe=bool(wanted.unsafe_no_sandbox)), wanted.unsafe_no_sandbox or "", wanted.force)
    tally, writing_s, refused = Tally(), 0.0, 0
    for warning in warnings_about(course.config):
        _say(warning)
    with Display(desk.console) as display, _verdicts_file(wanted.json_path) as write_verdicts:
        listener = _Listener(display, tally, write_verdicts)
        for name, some in students.items():
            display.expect(name, len(some))
        for name, some in students.items():
            try:
                grading = Autograding(course, desk.gradebook, name, desk.workers, manner, listener)
            except CourseError as error:  # the other assignments can still be graded
                if len(students) == 1:
                    raise
                refused += 1
                display.say(f"{error} Nothing of {name} has been graded.")
                continue
            grading.run(some)
            writing_s += grading.writing_s
    for warning in tally.warnings:
        desk.console.print(f"Look at this test: {warning}", highlight=False, markup=False, soft_wrap=True)
    Console(width=None if desk.console.is_terminal else 120, highlight=False).print(tally.table(writing_s))
    if refused and refused == len(students):
        return 2
    if not tally.counts["graded"] + tally.counts["skipped"] and (why := _why_nobody(course, students)):
        _say(f"nobody has been graded: {why}")
        return 1
    return 1 if tally.counts["unreadable"] or tally.counts["grader_failed"] or refused else 0


def _why_nobody(course: CourseDirectory, students: Mapping[str, list[str]]) -> str:
    """Return why submissions have not been graded, in a sentence; nothing where there are none."""
    if any(students.values()):
        return "there are submissions, and none has a notebook with the name of one of the assignment's."
    return why_nobody(course, list(students) or source_assignments(course))


@contextlib.contextmanager
def _verdicts_file(path: Path | None) -> Iterator[Callable[[Outcome], None]]:
    """Lend what writes verdicts into a JSON list as they come; nowhere, where there is no path."""
    if path is None:
        yield lambda _: None
        return
    before = "["
    with whole_file(path) as file:

        def write(outcome: Outcome) -> None:
            nonlocal before
            file.write(f"{before}\n{json.dumps(outcome.as_json(), indent=1, ensure_ascii=False)}".encode())
            before = ","

        yield write
        file.write(b"[]\n" if before == "[" else b"\n]\n")


def _write_feedback(desk: _Desk) -> int:
    from nbreferee.feedback import executed, write_feedback

    status = 0

    def page_done(name: str, path: Path, why: str) -> None:
        nonlocal status
        display.submission_done(f"{name}: pages")
        if why:
            status = 1
            display.say(f"{path}: no page ({why}).")

    with Display(desk.console) as display:
        pages = {name: executed(desk.course, desk.gradebook, name) for name in desk.wanted.assignments or source_assignments(desk.course)}
        for name, found in pages.items():
            display.expect(f"{name}: pages", len(found))
        for name, found in pages.items():
            if found:
                write_feedback(desk.course, desk.gradebook, name, found, desk.workers, partial(page_done, name))
    return status


def _report(desk: _Desk) -> int:
    from nbreferee.report import print_report

    print_report(desk.gradebook, desk.wanted.assignments, desk.course.feedback_directory)
    return 0


class _Listener:
    """Hears of every notebook: counts it, writes its verdicts, and says at once what has failed."""

    def __init__(self, display: Display, tally: Tally, write_verdicts: Callable[[Outcome], None]) -> None:
        self._display = display
        self._tally = tally
        self._write_verdicts = write_verdicts
        self._last: tuple[str, str] | None = None

    def __call__(self, outcome: Outcome) -> None:
        self._tally.add(outcome)
        self._write_verdicts(outcome)
        student = shown(outcome.student)
        if (outcome.student, outcome.assignment) != self._last:  # notebooks of a submission come one after another
            self._last = outcome.student, outcome.assignment
            self._display.submission_done(outcome.assignment)
            for note in outcome.notes:
                self._display.say(f"{student}: {outcome.assignment}: {note}.")
        if outcome.status in ("unreadable", "grader_failed"):
            self._display.say(f"{student}: {outcome.assignment}/{outcome.notebook}: {outcome.message}")


def _workers(wanted: Wanted) -> Workers:
    if wanted.scheduler is not None:
        return far_workers(wanted.scheduler, lambda: _say("no worker has joined the cluster yet: waiting for one."))
    return local_workers(wanted.jobs)
