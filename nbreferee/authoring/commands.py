"""What `nbreferee init` and `nbreferee new` do: options in, exit status out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from nbreferee.authoring.configuration import InitError, add_settings, remove_settings
from nbreferee.course.locate import CourseError


def init(course_dir: Path, undo: bool) -> int:
    """Add nbreferee's lines to a course's configuration, or take them out, and say which."""
    try:
        done = remove_settings(course_dir) if undo else add_settings(course_dir)
    except InitError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename or course_dir}: {error.strerror or error}.")
    if not undo and not done.lines:
        click.echo(f"{done.path}: nothing is changed, nbgrader grades with nbreferee already.")
        return 0
    click.echo(f"{done.path}: {'taken out' if undo else 'added at the end'}:")
    for line in done.lines:
        click.echo(f"    {line}")
    for note in done.notes:
        click.echo(note)
    if not undo:
        click.echo(
            "nbgrader autograde, nbgrader generate_feedback and the Formgrader's buttons now grade "
            "with nbreferee. Next: nbreferee verify says whether the course's tests are any good."
        )
    return 0


def new(course_dir: Path, assignment: str, functions: Sequence[str]) -> int:
    """Write a notebook to start from, say what to do with it, and return the exit status."""
    from nbreferee.authoring.starter import StarterError, write_starter

    try:
        written = write_starter(course_dir, assignment, functions)
    except (CourseError, StarterError) as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename or course_dir}: {error.strerror or error}.")
    for path in written:
        click.echo(f"{path}")
    click.echo(
        "Open the notebook in JupyterLab, write your exercise in the place of the example, "
        f"then try its tests: nbreferee verify {assignment}"
    )
    return 0


def _refuse(why: str) -> int:
    click.echo(f"nbreferee: {why}", err=True)
    return 2
