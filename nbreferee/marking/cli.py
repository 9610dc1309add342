"""The commands for marking by hand. Heavy imports wait inside them, so that --help is quick."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nbreferee.options import COURSE_DIR


@click.command()
@click.argument("assignment")
@COURSE_DIR
@click.option("--names", is_flag=True, help="Show who wrote an answer; else names are hidden.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Serve at this port (default: any that is free).",
)
def mark(assignment: str, course_dir: Path, names: bool, port: int) -> None:
    """Mark written answers, and tests that were left to a person, in a browser.

    Goes through one exercise at a time over all students, by keys alone if you like. Scores and
    comments go into nbgrader's gradebook at once, where the Formgrader shows them.
    """
    from nbreferee.marking import commands

    sys.exit(commands.mark(course_dir, assignment, names, port))


@click.command()
@click.argument("assignment")
@click.argument("exercises", nargs=-1)
@COURSE_DIR
@click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all groups to this file as well.",
)
def groups(
    assignment: str, exercises: tuple[str, ...], course_dir: Path, json_path: Path | None
) -> None:
    """Group the wrong answers to each exercise by what they do, the largest group first.

    Answers are alike if a test names the same mistake for both, if they raise the same exception,
    or if they give the same results in all tests. An exercise is named by the grade id of its
    answer.
    """
    from nbreferee.marking import commands

    sys.exit(commands.groups(course_dir, assignment, exercises, json_path))


@click.command()
@click.argument("assignment")
@click.argument("exercise")
@click.argument("group")
@click.argument("text")
@COURSE_DIR
def comment(assignment: str, exercise: str, group: str, text: str, course_dir: Path) -> None:
    """Give a whole group of wrong answers a tutor's comment.

    GROUP is what `nbreferee groups` prints, g3f9a1c for example. The comment stands on the pages of
    all in the group, also of those who come into it by a later grading. An empty TEXT takes it
    away.
    """
    from nbreferee.marking import commands

    sys.exit(commands.comment(course_dir, assignment, exercise, group, text))
