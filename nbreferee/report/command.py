"""nbreferee report: read the class once, then print it, and write the files that are wanted."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from pathlib import Path

import click
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SQLAlchemyError

from nbreferee.course.locate import CourseError, gradebook_trouble, open_course, open_gradebook
from nbreferee.report.classroom import read_class
from nbreferee.report.table import print_report


def run(
    course_dir: Path,
    assignments: Iterable[str],
    csv_path: Path | None = None,
    html_folder: Path | None = None,
) -> int:
    """Report on a course; return the exit status."""
    gc.disable()  # a class is no garbage, and looking for some takes a fifth of the time
    try:
        course = open_course(course_dir)
        try:
            with open_gradebook(course) as gradebook:
                report(course, gradebook, assignments, csv_path, html_folder)
        except SQLAlchemyError as error:
            raise CourseError(gradebook_trouble(course, error)) from None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise CourseError(
                f"{where}{error.strerror or error}. Choose another place, or mend the permissions."
            ) from None
    except CourseError as error:
        click.echo(f"nbreferee: {error}", err=True)
        return 2
    finally:
        gc.enable()
    return 0


def report(
    course: CourseDirectory,
    gradebook: Gradebook,
    wanted: Iterable[str],
    csv_path: Path | None = None,
    html_folder: Path | None = None,
) -> None:
    """Report on the assignments that are wanted, or on all.

    Raises
    ------
    CourseError
        where the gradebook does not know one of them, or a file cannot be written.
    """
    if csv_path and not csv_path.parent.is_dir():
        raise CourseError(f"{csv_path.parent}: no such folder for --csv. Make it first.")
    results = read_class(course, gradebook, wanted)
    print_report(results, course.feedback_directory)
    if csv_path:
        from nbreferee.report.csvfile import write_csv

        write_csv(csv_path, results)
        print(f"Points by exercise: {csv_path}")
    if html_folder:
        from nbreferee.report.pages import write_pages

        print(f"Pages for teachers: {write_pages(course, results, html_folder)}")
