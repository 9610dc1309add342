"""What the commands `mark`, `groups` and `comment` do: options in, exit status out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SQLAlchemyError

from nbreferee.course.locate import (
    CourseError,
    gradebook_trouble,
    open_course,
    open_gradebook,
    source_assignments,
)
from nbreferee.grading.marks import MarkReader
from nbreferee.marking.answers import AnswerReader
from nbreferee.marking.group_comments import apply_comments, wrong_answers
from nbreferee.marking.group_list import as_json, as_text
from nbreferee.marking.groups import ExerciseGroups, Group
from nbreferee.marking.marks import MarkTable
from nbreferee.marking.notes import GroupComment, has_notes, marking_notes
from nbreferee.marking.patience import wait_briefly
from nbreferee.marking.questions import questions_of, read_notebook
from nbreferee.marking.session import COMMENT_CHARACTERS, MARKED, Marking
from nbreferee.marking.suggestion import suggestion
from nbreferee.pages.shown import plain
from nbreferee.quiet import without_warnings_of
from nbreferee.submission.reading import well_formed

THEN = "Then: nbreferee verify {0}; nbgrader generate_assignment {0} --force; nbreferee grade {0}."


@contextmanager
def _opened(course_dir: Path, assignment: str) -> Iterator[tuple[CourseDirectory, Gradebook]]:
    """Open a course and its gradebook; what a database says becomes a sentence."""
    course = open_course(course_dir)
    source_assignments(course, [assignment])
    with without_warnings_of("nbgrader"):
        try:
            with open_gradebook(course) as gradebook:
                yield course, gradebook
        except SQLAlchemyError as error:
            raise CourseError(gradebook_trouble(course, error)) from None


def mark(course_dir: Path, assignment: str, with_names: bool, port: int) -> int:
    """Serve the marking pages until Ctrl-C, and return the exit status."""
    from nbreferee.marking.server import HOST, serve

    try:
        with (
            _opened(course_dir, assignment) as (course, gradebook),
            marking_notes(Path(course.root)) as notes,
        ):
            reader = AnswerReader(course, MarkReader(course, gradebook, assignment))
            wait_briefly(gradebook)
            table = MarkTable(gradebook, assignment)
            questions = questions_of(course, table, assignment)
            marking = Marking(table, notes, reader, assignment, questions, with_names)
            _require_answers(marking, assignment)

            def ready(address: str) -> None:
                click.echo(_told(marking))
                click.echo(f"Open {address} in a browser on this machine. Ctrl-C ends it.")

            try:
                asyncio.run(serve(marking, port, ready))
            except OSError as error:
                raise CourseError(
                    f"{HOST}, port {port}: {error.strerror}. Choose another --port, or none."
                ) from None
            click.echo(
                f"{_told(marking)} Pages that have changed: nbreferee feedback {assignment}."
            )
    except CourseError as error:
        click.echo(f"nbreferee: {error}", err=True)
        return 2
    return 0


def _require_answers(marking: Marking, assignment: str) -> None:
    if not marking.questions:
        raise CourseError(
            f"{assignment}: no cell is marked by a person, and no test was left to one."
        )
    if not any(marking.queue(question) for question in marking.questions):
        raise CourseError(
            f"{assignment}: nobody has been graded. Run nbreferee autograde {assignment} first."
        )


def _told(marking: Marking) -> str:
    queues = [marking.queue(question) for question in marking.questions]
    left = sum(entry.state != MARKED for queue in queues for entry in queue)
    every = sum(map(len, queues))
    return f"{marking.assignment}: {left} of {every} answers left to mark."


def groups(
    course_dir: Path, assignment: str, exercises: Sequence[str], json_path: Path | None
) -> int:
    """Print wrong answers in groups, and return the exit status."""
    try:
        if json_path and not json_path.parent.is_dir():
            raise CourseError(f"{json_path.parent}: no such folder for --json. Make it first.")
        course = open_course(course_dir)
        source_assignments(course, [assignment])
        found = _chosen(_graded(course, assignment), assignment, exercises)
        comments = _comments(course, assignment)
    except CourseError as error:
        click.echo(f"nbreferee: {error}", err=True)
        return 2
    if json_path:
        said = [as_json(one, comments) for one in found]
        text = json.dumps(
            {"assignment": assignment, "exercises": said}, indent=1, ensure_ascii=False
        )
        json_path.write_text(f"{text}\n", encoding="utf-8")
    click.echo(as_text(assignment, found, comments))
    return 0


def comment(course_dir: Path, assignment: str, exercise: str, group_name: str, text: str) -> int:
    """Give a group a comment, and return the exit status."""
    try:
        text = well_formed(plain(text)).strip()
        if len(text) > COMMENT_CHARACTERS:
            raise CourseError(f"A comment has at most {COMMENT_CHARACTERS:,} characters.")
        with (
            _opened(course_dir, assignment) as (course, gradebook),
            marking_notes(Path(course.root)) as notes,
        ):
            found = _graded(course, assignment)
            one = _chosen(found, assignment, [exercise])[0]
            group = _group(one, group_name)
            behaviours = group.behaviours
            notes.replace_group_comment(
                assignment,
                GroupComment(one.exercise.notebook, one.exercise.name, behaviours, text),
            )
            changed = apply_comments(course, gradebook, notes, assignment, found)
            path = f"{course.source_directory}/{assignment}/{one.exercise.notebook}.ipynb"
            source = read_notebook(
                Path(course.format_path(course.source_directory, ".", assignment))
                / f"{one.exercise.notebook}.ipynb"
            )
    except CourseError as error:
        click.echo(f"nbreferee: {error}", err=True)
        return 2
    count = len(group.answers)
    click.echo(
        f"{one.exercise.name}, group {group.id}, {_people(count)}: "
        f"{'the comment stands' if text else 'the comment is taken away'} in the gradebook "
        f"({changed} changed). "
        f"Write the pages that have changed: nbreferee feedback {assignment}."
    )
    if text and source is not None:
        advice = suggestion(one.exercise, group, text, path, source)
        click.echo(
            f"{advice.sentence}\n\n{advice.lines}\n\n{THEN.format(assignment)}"
            if advice.lines
            else advice.sentence
        )
    return 0


def _graded(course: CourseDirectory, assignment: str) -> list[ExerciseGroups]:
    found = wrong_answers(course, assignment)
    if not found:
        raise CourseError(f"{assignment}: no exercise has automatic tests.")
    if not any(one.handed_in for one in found):
        raise CourseError(
            f"{assignment}: nothing has been graded by nbreferee. "
            f"Run nbreferee autograde {assignment} first."
        )
    return found


def _chosen(
    found: list[ExerciseGroups], assignment: str, names: Sequence[str]
) -> list[ExerciseGroups]:
    chosen = []
    for name in names:
        mine = [one for one in found if one.exercise.is_called(name)]
        if not mine:
            there = ", ".join(one.exercise.name for one in found)
            raise CourseError(f"{assignment}: no exercise {name}. There are: {there}.")
        if len(mine) > 1:
            there = " or ".join(f"{one.exercise.notebook}/{name}" for one in mine)
            raise CourseError(
                f"{assignment}: {name} is an exercise of several notebooks. Write {there}."
            )
        chosen += mine
    return chosen if names else found


def _group(one: ExerciseGroups, name: str) -> Group:
    """Return a group by its id, or by its place in the list, from 1."""
    for place, group in enumerate(one.groups, 1):
        if name in (group.id, str(place)):
            return group
    there = ", ".join(f"{n} ({group.id})" for n, group in enumerate(one.groups, 1))
    hint = f"There are: {there}." if there else "Nobody has a wrong answer."
    raise CourseError(f"{one.exercise.name}: no group {name}. {hint}")


def _comments(course: CourseDirectory, assignment: str) -> list[GroupComment]:
    if not has_notes(Path(course.root)):
        return []
    with marking_notes(Path(course.root)) as notes:
        return notes.group_comments(assignment)


def _people(count: int) -> str:
    return f"{count} answer{'' if count == 1 else 's'}"
