"""nbreferee roster: names of students from a file into nbgrader's gradebook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from rich.console import Console

from nbreferee.course.folders import submitting_students
from nbreferee.lms import canvas, moodle
from nbreferee.lms.csvtext import Table, TableError, read_table
from nbreferee.lms.importing import save_students
from nbreferee.lms.naming import name_students
from nbreferee.lms.roster import gradebook_people, roster_of

SHOWN = 10  # students that a sentence lists


@dataclass(frozen=True)
class RosterSummary:
    """What a roster has added to the gradebook, and what is left to do."""

    path: Path
    students: int
    new: int
    nameless: tuple[str, ...]  # in the gradebook or `submitted/`, without a name
    problems: tuple[str, ...]  # rows that are left out, each with the reason


def save_roster(course: CourseDirectory, gradebook: Gradebook, path: Path) -> RosterSummary:
    """Write the students of a roster into the gradebook; what a row leaves empty stays as it is
    there.

    Raises
    ------
    TableError
        where the file is no roster, or names nobody.
    """
    if not path.is_file():
        raise TableError(
            f"{path}: there is no roster here. Make it, with student_id,first_name,last_name in "
            "the first line and a line for each student, or name another file: nbreferee roster "
            "FILE.csv."
        )
    table = read_table(path)
    named = name_students(roster_of(table), gradebook_people(gradebook))
    if not named.people and not named.problems:
        raise TableError(f"{path}: no students here. Write one row for each, below the headings.")
    gradebook.db.rollback()
    save_students(gradebook, list(named.people), _platform(table))
    known = gradebook_people(gradebook)
    with_name = {person.student for person in known if person.name}
    everybody = {person.student for person in known} | submitting_students(course)
    return RosterSummary(
        path,
        len(named.people),
        len(named.new),
        tuple(sorted(everybody - with_name)),
        tuple(f"{person.where or person.label}: {problem}" for person, problem in named.problems),
    )


def _platform(table: Table) -> str:
    if canvas.is_gradebook(table):
        return "canvas"
    return "moodle" if moodle.is_worksheet(table) else ""


def show(done: RosterSummary, console: Console) -> None:
    """Print what a roster has added, and who still has no name."""

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    students = "1 student" if done.students == 1 else f"{done.students} students"
    say(f"{done.path}: {students} in the gradebook now, {done.new} of them new.")
    for problem in done.problems:
        say(f"Left out: {problem}")
    if done.nameless:
        some = ", ".join(done.nameless[:SHOWN]) + ", ..." * (len(done.nameless) > SHOWN)
        say(
            f"Without a name: {some}. The Formgrader shows None, None for them. "
            f"Add them to {done.path.name}, then run this again."
        )
