"""The marks of an assignment, of everybody and in a few queries, however large the class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SourceCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import or_, select

from nbreferee.grading.gradebook import GRADER_FAILED, UNREADABLE
from nbreferee.pages.exercises import Mark
from nbreferee.pages.student import NO_RESPONSE

_UNREADABLE = UNREADABLE.partition("{")[0]


@dataclass(frozen=True)
class CellKey:
    """A cell of an assignment."""

    notebook: str
    grade_id: str


@dataclass(frozen=True)
class Submission:
    """What the gradebook holds of one student's submission."""

    student: str
    marks: Mapping[CellKey, Mark]
    penalty: float = 0.0
    late: timedelta = timedelta(0)
    failures: Mapping[str, str] = field(default_factory=dict)  # by notebook: why it has no verdicts
    unwritten: frozenset[CellKey] = frozenset()  # answers left as released

    @cached_property
    def score(self) -> float:
        """All points so far, as the Formgrader counts them: a late penalty is not taken off."""
        return sum(mark.score for mark in self.marks.values())

    @cached_property
    def waiting(self) -> tuple[CellKey, ...]:
        """The cells that wait for a person."""
        return tuple(key for key, mark in self.marks.items() if mark.waits)


@dataclass(frozen=True)
class AssignmentMarks:
    """What the gradebook holds of one assignment."""

    name: str
    due: datetime | None
    notebooks: tuple[str, ...]
    points: Mapping[CellKey, float]  # of every graded cell
    submissions: Mapping[str, Submission]  # by student
    released: Mapping[CellKey, str]  # cells as students got them

    @cached_property
    def max_score(self) -> float:
        """The points of the whole assignment."""
        return sum(self.points.values())


def read_students(gradebook: Gradebook) -> dict[str, str]:
    """Return the full names of all students of the gradebook, by id."""
    rows = gradebook.db.execute(select(Student.id, Student.first_name, Student.last_name))
    return {
        student: " ".join(part for part in (first, last) if part)
        for student, first, last in sorted(rows)
    }


def read_marks(gradebook: Gradebook, assignment: str) -> AssignmentMarks:
    """Return the marks of an assignment that the gradebook knows."""
    database = gradebook.db
    number, due = database.execute(
        select(Assignment.id, Assignment.duedate).where(Assignment.name == assignment)
    ).one()
    names: dict[str, str] = dict(
        database.execute(
            select(Notebook.id, Notebook.name)
            .where(Notebook.assignment_id == number)
            .order_by(Notebook.name)
        ).all()
    )
    cells, points = _graded_cells(gradebook, names)
    submitted, theirs = _submitted(gradebook, number, names)
    marks = _marks(gradebook, cells, points, theirs)
    failures, unwritten = _said(gradebook, names, theirs)
    penalties: dict[str, float] = defaultdict(float)
    for of, _, penalty in theirs.values():
        penalties[of] += penalty
    submissions = {
        student: Submission(
            student,
            marks.get(one, {}),
            penalties[one],
            _late(timestamp, due, extension),
            failures.get(one, {}),
            frozenset(unwritten.get(one, ())),
        )
        for one, (student, timestamp, extension) in submitted.items()
    }
    released = {
        CellKey(names[notebook], name): source or ""
        for notebook, name, source in database.execute(
            select(SourceCell.notebook_id, SourceCell.name, SourceCell.source).where(
                SourceCell.notebook_id.in_(names)
            )
        )
    }
    return AssignmentMarks(assignment, due, tuple(names.values()), points, submissions, released)


def _graded_cells(
    gradebook: Gradebook, names: Mapping[str, str]
) -> tuple[dict[str, CellKey], dict[CellKey, float]]:
    """Return graded cells by their ids in the gradebook, and their points."""
    cells: dict[str, CellKey] = {}
    points: dict[CellKey, float] = {}
    for kind in (GradeCell, TaskCell):
        rows = select(kind.id, kind.name, kind.notebook_id, kind.max_score)
        for number, name, notebook, most in gradebook.db.execute(
            rows.where(kind.notebook_id.in_(names))
        ):
            cells[number] = key = CellKey(names[notebook], name)
            points[key] = float(most or 0.0)
    return cells, points


_Submitted = dict[str, tuple[str, datetime | None, timedelta | None]]
_Notebooks = dict[str, tuple[str, str, float]]


def _submitted(
    gradebook: Gradebook, assignment: str, names: Mapping[str, str]
) -> tuple[_Submitted, _Notebooks]:
    """Return submissions (student, timestamp, extension) and their notebooks (submission, name,
    penalty), by id.
    """
    mine, theirs = SubmittedAssignment, SubmittedNotebook
    submitted = {
        number: (student, timestamp, extension)
        for number, student, timestamp, extension in gradebook.db.execute(
            select(mine.id, mine.student_id, mine.timestamp, mine.extension)
            .where(mine.assignment_id == assignment)
            .order_by(mine.student_id)
        )
    }
    rows = select(
        theirs.id, theirs.assignment_id, theirs.notebook_id, theirs.late_submission_penalty
    )
    notebooks = {
        number: (of, names[notebook], penalty or 0.0)
        for number, of, notebook, penalty in gradebook.db.execute(
            rows.where(theirs.notebook_id.in_(names))
        )
        if of in submitted
    }
    return submitted, notebooks


def _marks(
    gradebook: Gradebook,
    cells: Mapping[str, CellKey],
    points: Mapping[CellKey, float],
    notebooks: _Notebooks,
) -> dict[str, dict[CellKey, Mark]]:
    """Return the marks of each submission; what the Formgrader asks a person to mark waits."""
    found: dict[str, dict[CellKey, Mark]] = defaultdict(dict)
    columns = (Grade.auto_score, Grade.manual_score, Grade.extra_credit, Grade.needs_manual_grade)
    rows = select(Grade.notebook_id, Grade.cell_id, *columns).where(Grade.cell_id.in_(cells))
    for notebook, cell, automatic, by_hand, extra, waits in gradebook.db.execute(rows):
        if notebook in notebooks:
            key = cells[cell]
            given = by_hand if by_hand is not None else automatic
            found[notebooks[notebook][0]][key] = Mark(
                (given or 0.0) + (extra or 0.0),
                points[key],
                bool(waits) or given is None,
                by_hand is not None,
                extra or 0.0,
            )
    return found


def _said(
    gradebook: Gradebook, names: Mapping[str, str], notebooks: _Notebooks
) -> tuple[dict[str, dict[str, str]], dict[str, set[CellKey]]]:
    """Return, by submission, why notebooks could not be graded, and answers left as released."""
    told = (_UNREADABLE, GRADER_FAILED, NO_RESPONSE)
    said = or_(*(Comment.auto_comment.startswith(words, autoescape=True) for words in told))
    rows = (
        select(Comment.notebook_id, BaseCell.name, Comment.auto_comment)
        .join(BaseCell, BaseCell.id == Comment.cell_id)
        .where(BaseCell.notebook_id.in_(names), said)
    )
    failures: dict[str, dict[str, str]] = defaultdict(dict)
    unwritten: dict[str, set[CellKey]] = defaultdict(set)
    for number, name, text in gradebook.db.execute(rows):
        if number in notebooks:
            submission, notebook, _ = notebooks[number]
            if text.startswith(NO_RESPONSE):
                unwritten[submission].add(CellKey(notebook, name))
            else:
                failures[submission][notebook] = text
    return failures, unwritten


def _late(
    timestamp: datetime | None, due: datetime | None, extension: timedelta | None
) -> timedelta:
    """Return how much too late a submission is."""
    if timestamp is None or due is None:
        return timedelta(0)
    return max(timestamp - due - (extension or timedelta(0)), timedelta(0))
