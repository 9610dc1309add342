"""nbreferee roster: names from a file into the gradebook, as the Formgrader shows them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

NBREFEREE = Path(sys.executable).with_name("nbreferee")


def write_roster(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [NBREFEREE, "roster", *arguments], cwd=course, capture_output=True, text=True
    )


def names(course: Path) -> dict[str, tuple[str | None, str | None, str | None]]:
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        return {one.id: (one.first_name, one.last_name, one.email) for one in book.students}


def test_students_csv_of_the_course_names_everybody(course: Path) -> None:
    (course / "students.csv").write_text(
        "student_id,first_name,last_name,email\nanna,Anna,Adams,anna@x.edu\nben,,Madonna,\n"
    )
    (course / "submitted/carl/softmax").mkdir(parents=True)
    done = write_roster(course)
    assert done.returncode == 0
    assert names(course) == {"anna": ("Anna", "Adams", "anna@x.edu"), "ben": ("", "Madonna", None)}
    assert "students.csv: 2 students in the gradebook now, 2 of them new.\n" in done.stdout
    assert "Without a name: carl. The Formgrader shows None, None for them." in done.stdout


def test_what_a_later_roster_leaves_out_stays(course: Path) -> None:
    (course / "students.csv").write_text("id;name;mail\nanna;Anna Adams;anna@x.edu\n")
    write_roster(course)
    (course / "more.csv").write_text("student_id,last_name\nanna,Adams-Young\nben,Baker\n")
    done = write_roster(course, "more.csv")
    assert names(course) == {
        "anna": ("Anna", "Adams-Young", "anna@x.edu"),
        "ben": ("", "Baker", None),
    }
    assert "2 students in the gradebook now, 1 of them new." in done.stdout


REFUSED = {
    None: (
        2,
        "there is no roster here. Make it, with student_id,first_name,last_name in the first line",
    ),
    "student_id,name\n": (2, "no students here. Write one row for each, below the headings."),
    "first_name,last_name\nAnna,Adams\n": (2, "no column here names students by an id"),
    "student_id,name\n../anna,Anna\nben,Ben\n": (
        1,
        "Left out: students.csv, row 2: '../anna' cannot be a student's id",
    ),
}


@pytest.mark.parametrize("text", REFUSED)
def test_roster_that_cannot_be_used_is_refused_in_a_sentence(
    course: Path, text: str | None
) -> None:
    if text is not None:
        (course / "students.csv").write_text(text)
    done = write_roster(course, "students.csv")
    status, words = REFUSED[text]
    assert done.returncode == status
    assert words in " ".join((done.stdout + done.stderr).split())
