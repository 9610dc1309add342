"""Rosters: a CSV file of students, a Canvas gradebook, a Moodle worksheet, Gradescope's scores, or
the gradebook itself.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from nbreferee.lms import canvas, moodle
from nbreferee.lms.csvtext import Table, TableError, read_table
from nbreferee.lms.people import Person

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

# Headings of a roster, in small letters without blanks and signs.
HEADINGS = {
    "student": ("studentid", "id", "student", "nbgraderid"),
    "first": ("firstname", "first", "givenname", "vorname", "prénom", "nombre"),
    "last": ("lastname", "last", "surname", "familyname", "nachname", "nom", "apellidos"),
    "name": ("name", "fullname", "studentname", "displayname"),
    "email": ("email", "mail", "emailaddress"),
    "lms": ("lmsuserid",),
    "canvas": ("canvasid", "canvasuserid", "canvas"),
    "anonymous": ("anonymousid", "canvasanonymousid"),
    "participant": (
        "participant",
        "participantid",
        "participantnumber",
        "moodleid",
        "moodleparticipant",
        "identifier",
    ),
    "sis": ("sisuserid", "sisid"),
    "login": ("login", "loginid", "sisloginid"),
    "username": ("username",),
    "sid": ("sid", "gradescopesid"),
    "idnumber": ("idnumber",),
    "groups": ("group", "groups", "team"),
}


def read_roster(path: Path) -> list[Person]:
    """Return the people of a roster.

    Raises
    ------
    TableError
        where the file is none.
    """
    return roster_of(read_table(path))


def roster_of(table: Table) -> list[Person]:
    """Return the people of a table, which may be a platform's own."""
    if canvas.is_gradebook(table):
        people = canvas.people_of(table)
    elif moodle.is_worksheet(table):
        people = moodle.people_of(table)
    else:
        people = _plain_roster(table)
    return list(
        {
            (one.name, one.first, one.last, one.groups, *sorted(one.ids.items())): one
            for one in people
        }.values()
    )


def gradebook_people(gradebook: Gradebook) -> list[Person]:
    """Return the students that nbgrader's gradebook knows."""
    from nbgrader.api import Student
    from sqlalchemy import select

    columns = (
        Student.id,
        Student.first_name,
        Student.last_name,
        Student.email,
        Student.lms_user_id,
    )
    found = []
    for student, first, last, email, lms in gradebook.db.execute(
        select(*columns).order_by(Student.id)
    ):
        ids = {
            "student": student,
            "login": student,
            "email": email or (student if "@" in student else ""),
            "lms": lms or "",
        }
        ids = {kind: value for kind, value in ids.items() if value}
        found.append(
            Person(
                f"{first or ''} {last or ''}".strip(),
                first or "",
                last or "",
                ids,
                where="the gradebook",
            )
        )
    return found


def _plain_roster(table: Table) -> list[Person]:
    columns: dict[str, int] = {}
    for number, heading in enumerate(table.header):
        plain = re.sub(r"[^\w]|_", "", unicodedata.normalize("NFC", heading).casefold())
        for kind, names in HEADINGS.items():
            if plain in names and kind not in columns:
                columns[kind] = number
    if not columns.keys() - {"first", "last", "name", "groups"}:
        raise TableError(
            f"{table.name}: no column here names students by an id. A roster has a heading with "
            "student_id, first_name, last_name, email, and canvas_id, sid or another platform's "
            "id; a Canvas gradebook or a Moodle grading worksheet serves as well."
        )
    people = []
    for number, row in enumerate(table.rows[1:], 2):
        values = {kind: table.value(row, column) for kind, column in columns.items()}
        first, last, name, groups = (
            values.pop(kind, "") for kind in ("first", "last", "name", "groups")
        )
        ids = {
            kind: _bare_number(value) if kind == "participant" else value
            for kind, value in values.items()
            if value
        }
        if ids:
            some = tuple(group.strip() for group in re.split("[,;]", groups) if group.strip())
            people.append(
                Person(
                    name or f"{first} {last}".strip(),
                    first,
                    last,
                    ids,
                    some,
                    f"{table.name}, row {number}",
                )
            )
    return people


def _bare_number(value: str) -> str:
    found = re.search(r"(\d+)$", value)
    return found[1] if found else value
