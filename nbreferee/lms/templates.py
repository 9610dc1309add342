"""The file that an instructor downloaded, as a place for scores: one column of it, a row for each
student.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nbreferee.lms import canvas, gradescope, moodle
from nbreferee.lms.csvtext import Cell, Table, TableError
from nbreferee.lms.people import Person


@dataclass(frozen=True)
class StudentCell:
    """A student's cell."""

    person: Person
    cell: Cell | None
    max_score: float | None
    comment: Cell | None = None
    refusal: str = ""  # why the platform's own file says to leave it


@dataclass(frozen=True)
class AssignmentCells:
    """The cells of one assignment."""

    heading: str
    slots: tuple[StudentCell, ...]
    takes_more: bool = True  # whether the platform takes scores above the maximum
    decimal_comma: bool = False


def open_template(
    platform: str, table: Table, assignment: str, column: str, comments: str | None
) -> AssignmentCells:
    """Return the cells for an assignment's scores in a platform's file.

    Raises
    ------
    TableError
        where it is another file, or has no column for the assignment.
    """
    return {"canvas": _canvas, "moodle": _moodle, "gradescope": _gradescope}[platform](
        table, assignment, column, comments
    )


def _canvas(table: Table, assignment: str, column: str, comments: str | None) -> AssignmentCells:
    if not canvas.is_gradebook(table):
        raise TableError(
            f"{table.name}: this is no Canvas gradebook, for its heading does not begin with "
            "Student, ID. Take the file of Grades > Export."
        )
    found = canvas.find_column(table, assignment, column)
    slots = []
    for row, person in canvas.student_rows(table):
        cell = row[found.number] if found.number < len(row) else None
        mark = cell.value.strip().upper() if cell else ""
        refusal = {"EX": "is excused in Canvas", "N/A": "has not been assigned this in Canvas"}.get(
            mark, ""
        )
        slots.append(StudentCell(person, cell, found.max_score, None, refusal))
    return AssignmentCells(found.heading, tuple(slots), decimal_comma=table.decimal_comma)


def _moodle(table: Table, assignment: str, column: str, comments: str | None) -> AssignmentCells:
    if not moodle.is_worksheet(table):
        raise TableError(
            f"{table.name}: this is no grading worksheet of Moodle, for its first column does not "
            "hold participants' numbers. Take the file of Download grading worksheet."
        )
    found = moodle.find_columns(table, column, comments or "")
    if comments is not None and found.comments is None:
        raise TableError(
            f"{table.name}: no column for comments. Switch on Feedback comments and the "
            "worksheet's, or say which: --comments HEADING."
        )
    slots = []
    for row, person in moodle.student_rows(table):
        refusal = (
            "has a grade that cannot be changed in Moodle"
            if moodle.is_locked(table, row, found)
            else ""
        )
        comment = (
            row[found.comments] if comments is not None and found.comments is not None else None
        )
        slots.append(StudentCell(person, row[found.grade], found.max_score, comment, refusal))
    # A comma that is not the language's own would cut a number short, so only the maximum itself
    # counts.
    comma = any("," in table.value(row, found.grade + 1) for row in table.body)
    return AssignmentCells(
        table.header[found.grade], tuple(slots), takes_more=False, decimal_comma=comma
    )


def _gradescope(
    table: Table, assignment: str, column: str, comments: str | None
) -> AssignmentCells:
    if not gradescope.is_scores(table):
        raise TableError(
            f"{table.name}: this is no table of scores of Gradescope, for it has no columns SID "
            "and Email. Take the file of Download Grades."
        )
    found = gradescope.find_column(table, assignment, column)
    slots = []
    for row, person in gradescope.student_rows(table):
        cell = row[found.number] if found.number < len(row) else None
        slots.append(StudentCell(person, cell, gradescope.max_score(table, row, found)))
    return AssignmentCells(found.heading, tuple(slots))


def known_maximum(template: AssignmentCells) -> Mapping[float, int]:
    """Return the maxima that the file's rows give, with how many give them."""
    counts: dict[float, int] = {}
    for slot in template.slots:
        if slot.max_score is not None:
            counts[slot.max_score] = counts.get(slot.max_score, 0) + 1
    return counts
