"""The command line. Heavy imports wait inside the commands, so that --help answers at once."""

from __future__ import annotations

import sys
from pathlib import Path

import click

COURSE_DIR = click.option(
    "--course-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The course's folder, the one with nbgrader_config.py (default: this one).",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Grade nbgrader courses."""


@main.command()
@click.argument("assignments", nargs=-1)
@COURSE_DIR
def report(assignments: tuple[str, ...], course_dir: Path) -> None:
    """Print what every student has in every assignment."""
    from rich.console import Console

    from nbreferee.course import CourseError, open_course, open_gradebook
    from nbreferee.report import class_table, read_results

    try:
        course = open_course(course_dir)
        with open_gradebook(course) as gradebook:
            known = sorted(assignment.name for assignment in gradebook.assignments)
            if unknown := sorted(set(assignments) - set(known)):
                raise CourseError(f"There is no assignment {unknown[0]}. There are: {', '.join(known)}.")
            names = list(assignments) or known
            results = read_results(gradebook, names)
    except CourseError as error:
        click.echo(f"nbreferee: {error}", err=True)
        sys.exit(2)
    console = Console()
    console.print(class_table(results, names))
    if any(result.needs_reading for result in results):
        console.print("* some answers wait for a person: make lab, then Nbgrader > Formgrader.")
    console.print(f"What students get to read: {course.feedback_directory}/STUDENT/ASSIGNMENT/*.html")
