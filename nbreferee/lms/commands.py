"""What `nbreferee import`, `export` and `gradescope` do: options in, exit status out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from nbreferee.course.locate import (
    CourseError,
    gradebook_trouble,
    gradebook_writer,
    open_course,
    open_gradebook,
    source_assignments,
)
from nbreferee.grading.assignment import alone
from nbreferee.lms.archive import ZipError
from nbreferee.lms.csvtext import TableError
from nbreferee.quiet import without_warnings_of

ROSTER = "students.csv"  # in the course's folder


def import_submissions(course_dir: Path, **options: Any) -> int:
    """Import a zip, print what became of it, and return the exit status."""
    from nbreferee.lms.importing import ImportOptions, import_zip, show

    wanted = ImportOptions(**options)

    def work(course: CourseDirectory, gradebook: Gradebook) -> int:
        source_assignments(course, [wanted.assignment])
        done = import_zip(course, gradebook, wanted)
        show(done, _console(), wanted.dry_run)
        return 0 if done.complete else 1

    return _in_course(course_dir, work, gradebook_writer)


def save_roster(course_dir: Path, roster: Path | None) -> int:
    """Write the names of a roster into the gradebook, say who is left out, and return the exit
    status.
    """
    from nbreferee.lms.students import save_roster as save
    from nbreferee.lms.students import show

    def work(course: CourseDirectory, gradebook: Gradebook) -> int:
        done = save(course, gradebook, roster or Path(course.root, ROSTER))
        show(done, _console())
        return 1 if done.problems else 0

    return _in_course(course_dir, work, gradebook_writer)


def export_scores(course_dir: Path, assignments: tuple[str, ...], **options: Any) -> int:
    """Export scores, print what changes and what does not, and return the exit status."""
    from nbreferee.lms.exported import show
    from nbreferee.lms.exporting import ExportOptions, assignments_of, export

    def work(course: CourseDirectory, gradebook: Gradebook) -> int:
        wanted = ExportOptions(assignments=assignments_of(gradebook, assignments), **options)
        for path in (wanted.to, wanted.feedback_zip):
            if path and (path.is_dir() or not path.absolute().parent.is_dir()):
                raise TableError(
                    f"{path}: this is a folder, or its folder is not there. Name a file to write."
                )
        done = export(course, gradebook, wanted)
        show(done, wanted.to, wanted.feedback_zip, _console())
        return 0 if done.complete else 1

    return _in_course(course_dir, work)


def make_autograder(
    course_dir: Path, assignment: str, to: Path, visibility: tuple[str, ...], **options: Any
) -> int:
    """Write a Gradescope autograder for an assignment, and return the exit status."""
    from nbreferee.lms.autograder_zip import PackingOptions, read_visibility, write_autograder

    def work(course: CourseDirectory, gradebook: Gradebook) -> int:
        source_assignments(course, [assignment])
        if not to.absolute().parent.is_dir():
            raise CourseError(f"{to.parent}: no such folder for --to. Make it first.")
        count = write_autograder(
            course,
            gradebook,
            PackingOptions(assignment, to, shown=read_visibility(visibility), **options),
        )
        print(
            f"{to}: an autograder for {assignment}. Gradescope will install {count} packages, at "
            "the versions that are installed here."
        )
        return 0

    return _in_course(course_dir, work)


def _in_course(
    course_dir: Path,
    work: Callable[[CourseDirectory, Gradebook], int],
    opened: Any = open_gradebook,
) -> int:
    """Do something with a course and its gradebook; say what ends it."""
    with without_warnings_of("nbgrader"):
        return _work_quietly(course_dir, work, opened)


def _work_quietly(
    course_dir: Path, work: Callable[[CourseDirectory, Gradebook], int], opened: Any
) -> int:
    course = None
    try:
        course = open_course(course_dir)
        console = Console(stderr=True)
        with (
            alone(
                course,
                lambda: console.print(
                    "Another nbreferee works on this course: waiting for its end."
                ),
            ),
            opened(course) as gradebook,
        ):
            return work(course, gradebook)
    except (CourseError, TableError, ZipError) as error:
        _say(str(error))
    except SQLAlchemyError as error:
        _say(gradebook_trouble(course, error) if course else str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _say(
            f"{where}{error.strerror or error}. Check the disk and its permissions, then run the "
            "command again."
        )
    return 2


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 200)


def _say(text: str) -> None:
    click.echo(f"nbreferee: {text}", err=True)
