"""The commands that set a course up, and a student's `validate`. Heavy imports wait inside them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nbreferee.options import COURSE_DIR


@click.command()
@COURSE_DIR
@click.option("--undo", is_flag=True, help="Take the lines out again.")
def init(course_dir: Path, undo: bool) -> None:
    """Set up a course: nbgrader's commands and the Formgrader's buttons grade with nbreferee.

    Adds lines to the end of its nbgrader_config.py and prints each. --undo leaves the file as it
    was.
    """
    from nbreferee.authoring import commands

    sys.exit(commands.init(course_dir, undo))


@click.command()
@click.argument("assignment")
@COURSE_DIR
@click.option(
    "--function",
    "functions",
    metavar="NAME",
    multiple=True,
    help="A function that students write; may be given several times (default: the assignment's "
    "name).",
)
def new(assignment: str, course_dir: Path, functions: tuple[str, ...]) -> None:
    """Write a notebook to start a new assignment from.

    It holds an example exercise for each function: task, solution, a cell to try it, a visible
    check, and hidden tests with known mistakes. nbreferee verify finds nothing to mend in it.
    """
    from nbreferee.authoring import commands

    sys.exit(commands.new(course_dir, assignment, functions))


@click.command()
@click.argument("roster", metavar="[FILE.csv]", required=False, type=click.Path(path_type=Path))
@COURSE_DIR
def roster(course_dir: Path, roster: Path | None) -> None:
    """Write the names of students into the gradebook, for the Formgrader and reports.

    FILE.csv (default: the course's students.csv) has a row for each student and headings such as
    student_id, first_name, last_name and email; a Canvas gradebook or a Moodle grading worksheet
    serves as well.
    """
    from nbreferee.lms import commands

    sys.exit(commands.save_roster(course_dir, roster))


@click.command()
@click.argument(
    "notebooks", metavar="NOTEBOOK ...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
def validate(notebooks: tuple[Path, ...]) -> None:
    """Run a student's notebook, and say which of its visible tests fail and why.

    It is for students, and runs the notebook unprotected. Exit status: 0 all tests pass, 1 some
    fail, 2 a notebook cannot be run.
    """
    from nbreferee.validate import validate_all

    worst = 0
    for status, line in validate_all(notebooks):
        click.echo(line, err=status == 2)
        worst = max(worst, status)
    sys.exit(worst)
