"""Read Canvas's gradebook (a CSV file) and the names of files in its submission zips.

Scores are put into the gradebook's table by `exporting`.

Sources: instructure/canvas-lms, lib/gradebook_exporter.rb, lib/gradebook_importer.rb,
lib/content_zipper.rb.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nbreferee.lms.csvtext import Cell, Table, TableError, read_number
from nbreferee.lms.people import Person, Register, name_key

IDS = {"SIS User ID": "sis", "SIS Login ID": "login"}
UNTOUCHED = ("EX", "N/A")  # excused; not assigned to this student


def is_gradebook(table: Table) -> bool:
    """Return whether a table is a gradebook that Canvas would read, or its heading is that of
    one.
    """
    header = table.header
    return "Section" in header and (
        header[:2] == ["Student", "ID"] or header[:3] == ["LastName", "FirstName", "ID"]
    )


def people_of(table: Table) -> list[Person]:
    """Return the students of a gradebook."""
    return [person for _, person in student_rows(table)]


def student_rows(table: Table) -> list[tuple[tuple[Cell, ...], Person]]:
    """Return the rows of students, each with who it is."""
    header = table.header
    split = header[0] == "LastName"
    number = 2 if split else 1
    columns = {
        kind: header.index(name)
        for name, kind in IDS.items()
        if name in header[: header.index("Section")]
    }
    found = []
    for position, row in enumerate(table.rows[1:], 2):
        if "Points Possible" in row[0].value or not table.value(row, number):
            continue
        if split:
            last, first = table.value(row, 0), table.value(row, 1)
        else:
            last, _, first = (part.strip() for part in table.value(row, 0).partition(","))
        ids = {
            "canvas": table.value(row, number),
            **{kind: table.value(row, column) for kind, column in columns.items()},
        }
        if "@" in ids.get("login", ""):
            ids["email"] = ids["login"]
        ids = {kind: value for kind, value in ids.items() if value}
        name = f"{first} {last}".strip()
        found.append((row, Person(name, first, last, ids, where=f"{table.name}, row {position}")))
    return found


@dataclass(frozen=True)
class Column:
    """The column of an assignment."""

    number: int
    heading: str
    max_score: float | None


def find_column(table: Table, assignment: str, wanted: str = "") -> Column:
    """Return the column of an assignment, by its Canvas id, its heading, or its title.

    Raises
    ------
    TableError
        where it is not there, or more than once, or has no id: Canvas would make a new assignment
        of it.
    """
    first = table.header.index("Section") + 1
    columns = {
        number: heading
        for number, heading in enumerate(table.header)
        if number >= first and heading
    }
    with_id = {
        number: found
        for number, heading in columns.items()
        if (found := re.fullmatch(r"(.*\S)\s*\((\d+)\)", heading))
    }
    target = wanted or assignment
    matching = [
        number
        for number, found in with_id.items()
        if target in (found[2], found[0])
        or (not wanted and name_key(found[1]) == name_key(target))
        or (wanted and found[1] == wanted)
    ]
    there = ", ".join(columns[number] for number in with_id) or "none"
    if not matching and (
        bare := [heading for heading in columns.values() if name_key(heading) == name_key(target)]
    ):
        raise TableError(
            f"{table.name}: the column {bare[0]} has no Canvas id in parentheses, so Canvas would "
            "make a new assignment of it. Download the gradebook again."
        )
    if not matching:
        raise TableError(
            f"{table.name}: no column for {target}. Canvas's assignments there: {there}. Say "
            f"which one it is, for example --column {assignment}=ID with the number in "
            "parentheses."
        )
    if len(matching) > 1 or table.header.count(columns[matching[0]]) > 1:
        raise TableError(
            f"{table.name}: several columns for {target}: "
            f"{', '.join(columns[number] for number in matching)}. Say which one, with the number "
            f"in parentheses: --column {assignment}=ID."
        )
    number = matching[0]
    points = next((row for row in table.rows[1:] if "Points Possible" in row[0].value), None)
    if points is not None and "read only" in table.value(points, number):
        raise TableError(
            f"{table.name}: {columns[number]} is read only in Canvas. Choose another column."
        )
    return Column(
        number, columns[number], read_number(table.value(points, number)) if points else None
    )


@dataclass(frozen=True)
class FileName:
    """What the name of a file in a submissions zip says; names of groups stand in place of their
    representative's.
    """

    name: str
    late: bool
    user: str
    anonymous: str
    file: str


_ANONYMOUS = re.compile(
    r"(?:(?P<late>LATE)_)?anon_(?P<id>[A-Za-z0-9]+)_(?:(?P<attachment>\d+)_(?P<file>.+)|(?P<entry>text|link)\.html)"
)
_REST = re.compile(r"(?P<user>\d+)_(?:(?P<attachment>\d+)_(?P<file>.+)|(?P<entry>text|link)\.html)")


def read_file_name(entry: str) -> list[FileName]:
    """Return all that a file's name can mean: a name may end with digits, and so may a file's begin
    with them.
    """
    if anonymous := _ANONYMOUS.fullmatch(entry):
        file = anonymous["file"] or f"{anonymous['entry']}.html"
        return [FileName("", bool(anonymous["late"]), "", anonymous["id"], file)]
    found = []
    for mark in re.finditer(r"_(?=\d+_)", entry):
        rest = _REST.fullmatch(entry, mark.end())
        name = entry[: mark.start()]
        if rest and name:
            late = name.endswith("_LATE")
            found.append(
                FileName(
                    name.removesuffix("_LATE"),
                    late,
                    rest["user"],
                    "",
                    rest["file"] or f"{rest['entry']}.html",
                )
            )
    return found


def choose(meanings: list[FileName], register: Register) -> FileName | None:
    """Return what a file's name means, given who there is; None where that is not certain."""
    if len(meanings) == 1:
        return meanings[0]
    known = [one for one in meanings if register.with_id("canvas", one.user)]
    if len(known) > 1 or (not known and not register.knows(("canvas", "lms"))):
        known = [one for one in known or meanings if register.named(Person(one.name))]
    return known[0] if len(known) == 1 else None
