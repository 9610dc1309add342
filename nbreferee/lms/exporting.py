"""nbreferee export: scores from the gradebook into the file that the instructor downloaded from the
platform.

One column changes, and in it the cells of students with a final score. All else stays byte for
byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from nbreferee.grading.atomic import write_whole
from nbreferee.lms.comments import read_comments
from nbreferee.lms.csvtext import Cell, Table, TableError, number_text, read_table, row_text
from nbreferee.lms.exported import MISSING, UNKNOWN, ExportedCell, ExportSummary
from nbreferee.lms.naming import name_students
from nbreferee.lms.own_table import COLUMNS, own_row
from nbreferee.lms.people import Person, Register
from nbreferee.lms.roster import gradebook_people, read_roster
from nbreferee.lms.scores import Score, max_points, read_scores
from nbreferee.lms.templates import AssignmentCells, StudentCell, known_maximum, open_template


@dataclass(frozen=True)
class ExportOptions:
    """What to export, and how."""

    platform: str
    assignments: tuple[str, ...]
    template: Path | None
    to: Path
    columns: tuple[str, ...] = ()  # 'ID' or 'assignment=ID'
    roster: Path | None = None
    scale: bool = False
    partial: bool = False  # send what there is so far
    missing_zero: bool = False
    comments: str | None = None  # None: none; '': find the column; else its heading
    feedback_zip: Path | None = None
    students: tuple[str, ...] = ()


def export(course: CourseDirectory, gradebook: Gradebook, wanted: ExportOptions) -> ExportSummary:
    """Export scores of assignments.

    Raises
    ------
    CourseError, TableError
        where the gradebook or the template cannot be used; then nothing is written.
    """
    if wanted.platform == "csv":
        _check_students(gradebook, wanted)
        return _export_own(course, gradebook, wanted)
    if wanted.template is None:
        raise TableError(
            f"export {wanted.platform} writes into the file that you downloaded from there. Name "
            "it with --template FILE."
        )
    if wanted.to.exists() and wanted.to.samefile(wanted.template):
        raise TableError(
            f"{wanted.to}: --to is the template. Name another file, so that the one you "
            "downloaded stays as it is."
        )
    if wanted.platform == "moodle" and len(wanted.assignments) != 1:
        raise TableError(
            "a grading worksheet of Moodle holds one assignment. Export one at a time."
        )
    table = read_table(wanted.template)
    done = ExportSummary()
    edits: dict[Cell, str] = {}
    for assignment in wanted.assignments:
        template = open_template(
            wanted.platform, table, assignment, _column(wanted, assignment), wanted.comments
        )
        edits |= _fill(course, gradebook, wanted, table, assignment, template, done)
    write_whole(wanted.to, table.edited(edits))
    return done


def _column(wanted: ExportOptions, assignment: str) -> str:
    """Return which column the instructor names for an assignment, or nothing."""
    for given in wanted.columns:
        if given.startswith(f"{assignment}="):
            return given.removeprefix(f"{assignment}=")
    bare = [
        given
        for given in wanted.columns
        if not any(given.startswith(f"{name}=") for name in wanted.assignments)
    ]
    if len(bare) > 1 or (bare and len(wanted.assignments) > 1):
        raise TableError(
            f"--column {bare[0]}: of which assignment? Write --column ASSIGNMENT={bare[0]}."
        )
    return bare[0] if bare else ""


def _fill(
    course: CourseDirectory,
    gradebook: Gradebook,
    wanted: ExportOptions,
    table: Table,
    assignment: str,
    template: AssignmentCells,
    done: ExportSummary,
) -> dict[Cell, str]:
    """Return the edits for one assignment; note what became of everybody."""
    _check_students(gradebook, wanted)
    factor = _factor(table, assignment, max_points(gradebook, assignment), template, wanted.scale)
    scores = read_scores(course, gradebook, assignment)
    students, strangers, problems = _students(gradebook, template, wanted)
    done.problems += problems
    remarks = read_comments(gradebook, assignment) if wanted.comments is not None else {}
    edits: dict[Cell, str] = {}
    seen, pages = set(), []
    for slot in template.slots:
        student = students.get(slot.person.where, "")
        before = slot.cell.value.strip() if slot.cell else ""
        if not student and slot.person.where in strangers and not wanted.students:
            done.rows.append(ExportedCell(assignment, "", slot.person.label, before, "", UNKNOWN))
        if not student or (wanted.students and student not in wanted.students):
            continue
        seen.add(student)
        score = scores.get(student, Score(student, None, MISSING))
        value, remark = _value(slot, score, factor, wanted, template)
        text = "" if value is None else number_text(value, template.decimal_comma)
        if value is not None and slot.cell is not None:
            edits[slot.cell] = text
            pages.append((slot.person, student))
            if slot.comment is not None and (comment := remarks.get(student)):
                edits[slot.comment] = comment
        done.rows.append(ExportedCell(assignment, student, slot.person.name, before, text, remark))
    for student, score in scores.items():
        if (
            student not in seen
            and (score.points is not None or score.so_far is not None)
            and wanted.students in ((), (student,))
        ):
            done.problems.append(
                f"{student} has a score in {assignment} and is not in {table.name}: not exported."
            )
    if wanted.feedback_zip is not None:
        from nbreferee.lms.feedback_zip import write_feedback_zip

        done.pages = write_feedback_zip(course, assignment, pages, wanted.feedback_zip)
    return edits


def _check_students(gradebook: Gradebook, wanted: ExportOptions) -> None:
    known = {person.student for person in gradebook_people(gradebook)}
    if unknown := [student for student in wanted.students if student not in known]:
        raise TableError(
            f"--student {unknown[0]}: no such student in the gradebook. Look at nbreferee report."
        )


def _factor(
    table: Table, assignment: str, points: float, template: AssignmentCells, scale: bool
) -> float:
    """Return what to multiply scores by.

    Raises
    ------
    TableError
        where the maxima differ and nobody has said to scale.
    """
    maxima = known_maximum(template)
    if not maxima:
        return 1.0
    if len(maxima) > 1:
        raise TableError(
            f"{table.name}: different maxima in the column for {assignment}: "
            f"{', '.join(f'{one:g}' for one in maxima)}. Download it again."
        )
    theirs = next(iter(maxima))
    if abs(theirs - points) < 1e-9:
        return 1.0
    if not scale:
        raise TableError(
            f"{assignment} is worth {points:g} points here and {theirs:g} in {table.name}. "
            f"Change one of them, or say --scale to multiply every score by {theirs:g}/{points:g}."
        )
    if points <= 0 or theirs <= 0:
        raise TableError(
            f"{assignment} is worth {points:g} points here and {theirs:g} in {table.name}: "
            "nothing to scale by. Change one of them."
        )
    return theirs / points


def _students(
    gradebook: Gradebook, template: AssignmentCells, wanted: ExportOptions
) -> tuple[dict[str, str], set[str], list[str]]:
    """Return which student of the gradebook each row of the file is, the rows that are none, and
    what is uncertain.
    """
    people = [slot.person for slot in template.slots]
    if wanted.roster is not None:
        register = Register(read_roster(wanted.roster), str(wanted.roster))
        people = [_with_roster(person, register) for person in people]
    named = name_students(people, gradebook_people(gradebook))
    problems = [
        f"{person.where}: {person.label}: {why} Left as it was." for person, why in named.problems
    ]
    found = {
        person.where: person.student for person in named.people if person.student not in named.new
    }
    return found, {person.where for person in named.people if person.student in named.new}, problems


def _with_roster(person: Person, register: Register) -> Person:
    """Return a person with the roster's other ids, where exactly one entry shares an id and none
    differs.
    """
    match = register.find(Person(ids=person.ids))
    return person if match.person is None else person.with_ids(**{**match.person.ids, **person.ids})


def _certain(score: Score, wanted: ExportOptions) -> tuple[float | None, str]:
    """Return the points that may go out, or None, and what to say."""
    points, notes = score.points, []
    if points is None and score.so_far is not None and wanted.partial:
        points, notes = score.so_far, [f"{score.why_none}; so far"]
    if points is None and score.why_none == MISSING and wanted.missing_zero:
        points, notes = 0.0, [f"{MISSING}: 0"]
    if points is None:
        return None, score.why_none
    return points, "; ".join(
        [*notes, *([f"late: {score.penalty:g} taken off"] if score.penalty else [])]
    )


def _value(
    slot: StudentCell, score: Score, factor: float, wanted: ExportOptions, template: AssignmentCells
) -> tuple[float | None, str]:
    """Return the number for a student's cell, or None to leave it, and what to say."""
    points, remark = _certain(score, wanted)
    if points is None:
        return None, remark
    if slot.refusal:
        return None, f"{slot.refusal}: left as it was"
    if slot.cell is None:
        return None, "has no cell in this column: download the file again"
    value = points if factor == 1.0 else round(points * factor, 2)
    if not template.takes_more and slot.max_score is not None and value > slot.max_score:
        more = f"{value:g} is more than the maximum of {slot.max_score:g}"
        return None, f"{more}, which Moodle does not take: enter it there by hand"
    return value, remark


def _export_own(
    course: CourseDirectory, gradebook: Gradebook, wanted: ExportOptions
) -> ExportSummary:
    """Write a table of our own: everybody whom the gradebook knows, in every assignment."""
    done = ExportSummary()
    people = {person.student: person for person in gradebook_people(gradebook)}
    lines = [row_text(COLUMNS)]
    for assignment in wanted.assignments:
        points = max_points(gradebook, assignment)
        for student, score in sorted(read_scores(course, gradebook, assignment).items()):
            if wanted.students and student not in wanted.students:
                continue
            value, remark = _certain(score, wanted)
            lines.append(own_row(assignment, people[student], score, value, points, remark))
            text = "" if value is None else number_text(value)
            done.rows.append(
                ExportedCell(assignment, student, people[student].name, "", text, remark)
            )
    write_whole(wanted.to, "".join(lines).encode())
    return done


def assignments_of(gradebook: Gradebook, given: Iterable[str]) -> tuple[str, ...]:
    """Return the assignments that are given, or all that the gradebook knows."""
    return tuple(given) or tuple(sorted(one.name for one in gradebook.assignments))
