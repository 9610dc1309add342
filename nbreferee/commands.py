"""What the longer commands do: options in, exit status out, and on the way whatever a person should see."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

import click
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from nbreferee import pool
from nbreferee.autograde import Autograding, Manner, Outcome, Workers, alone, submitted_by
from nbreferee.course import CourseError, gradebook_writer, open_course, source_assignments
from nbreferee.display import Display, closing_table
from nbreferee.settings import NbReferee, SandboxError

STOPPED = 130  # as a shell says of a command that Ctrl-C has ended


def autograde(
    assignments: tuple[str, ...], course_dir: Path, students: tuple[str, ...], json_path: Path | None,
    jobs: int | None, scheduler: str | None, force: bool, unsafe_no_sandbox: str | None,
) -> int:  # fmt: skip
    """Grade, and return the exit status: 0 all graded; 1 some could not be; 2 nothing can be."""
    warnings.filterwarnings("ignore", module="nbgrader")
    console = Console(stderr=True)
    outcomes: list[Outcome] = []
    try:
        if json_path and not json_path.parent.is_dir():
            raise CourseError(f"{json_path.parent}: no such folder for --json. Make it first.")
        course = open_course(course_dir)
        names = [name for name in source_assignments(course, assignments) if assignments or submitted_by(course, name)]
        expected = {name: submitted_by(course, name, students) for name in names}
        budget = NbReferee(config=course.config).budget(unsafe=bool(unsafe_no_sandbox))
        workers = _workers(jobs, scheduler)
        manner = Manner(budget, unsafe_no_sandbox or "", force)
        try:
            with (
                alone(course, lambda: console.print("Another nbreferee grades this course: waiting for its end.")),
                gradebook_writer(course) as gradebook,
                Display(console) as display,
            ):
                for name in names:
                    display.expect(name, len(expected[name]))
                for name in names:
                    Autograding(course, gradebook, name, workers, manner, _Listener(display, outcomes)).run(expected[name])
        finally:
            workers.close()
    except (CourseError, SandboxError) as error:
        click.echo(f"nbreferee: {error}", err=True)
        return 2
    except (SQLAlchemyError, OSError) as error:
        click.echo(f"nbreferee: {_what_failed(error)} What is graded is kept; run the command again to go on.", err=True)
        return 2
    except KeyboardInterrupt:
        click.echo("nbreferee: stopped. What is graded is kept; run the command again to go on.", err=True)
        os._exit(STOPPED)  # workers end with this process
    if json_path:
        json_path.write_text(json.dumps([outcome.as_json() for outcome in outcomes], indent=1, ensure_ascii=False) + "\n")
    for warning in dict.fromkeys(text for outcome in outcomes for text in outcome.warnings):
        console.print(f"Look at this test: {warning}", highlight=False, markup=False, soft_wrap=True)
    Console(width=None if console.is_terminal else 120, highlight=False).print(closing_table(outcomes))
    return 1 if any(outcome.status == "failed" for outcome in outcomes) else 0


class _Listener:
    """Hears of every notebook: counts submissions, and says at once what has failed."""

    def __init__(self, display: Display, outcomes: list[Outcome]) -> None:
        self._display = display
        self._outcomes = outcomes
        self._last: tuple[str, str] | None = None

    def __call__(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        if (outcome.student, outcome.assignment) != self._last:  # notebooks of a submission come one after another
            self._last = outcome.student, outcome.assignment
            self._display.submission_done(outcome.assignment)
        if outcome.status == "failed":
            self._display.say(f"{outcome.student}: {outcome.assignment}/{outcome.notebook}: {outcome.message}. It gets no points.")


def _workers(jobs: int | None, scheduler: str | None) -> Workers:
    if scheduler is not None:
        executor, threads = pool.dask_pool(scheduler)
        return Workers(lambda: executor, 2 * threads)
    jobs = jobs or len(os.sched_getaffinity(0))
    return Workers(lambda: pool.local_pool(jobs), 2 * jobs + 2)


def _what_failed(error: Exception) -> str:
    if isinstance(error, SQLAlchemyError):
        return f"the gradebook cannot be written ({str(getattr(error, 'orig', error)).splitlines()[0]}). Close what else uses it, and check its permissions."
    where = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
    return f"{where}{getattr(error, 'strerror', None) or error}. Check the disk and its permissions."
