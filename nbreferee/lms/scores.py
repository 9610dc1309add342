"""The scores that go out: nbgrader's own, a mark by hand before an automatic one, extra credit in,
a late penalty off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.api import (
    Assignment,
    Grade,
    Gradebook,
    MissingEntry,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import and_, case, func, select

from nbreferee.course.locate import CourseError


@dataclass(frozen=True)
class Score:
    """What a student has in an assignment."""

    student: str
    points: float | None  # as in the Formgrader, less the late penalty; None: there is none yet
    why_none: str = ""  # 'waits for a person', 'missing', ...
    so_far: float | None = None  # of one that waits
    penalty: float = 0.0
    timestamp: datetime | None = None


def max_points(gradebook: Gradebook, assignment: str) -> float:
    """Return the points that an assignment is worth.

    Raises
    ------
    CourseError
        where the gradebook does not know it.
    """
    try:
        return float(gradebook.find_assignment(assignment).max_score)
    except MissingEntry:
        raise CourseError(
            f"{assignment} is not in the gradebook. Run nbgrader generate_assignment "
            f"{assignment}, then grade."
        ) from None


def read_scores(course: CourseDirectory, gradebook: Gradebook, assignment: str) -> dict[str, Score]:
    """Return the scores of an assignment, by student: of everybody whom the gradebook knows."""
    waiting = Grade.needs_manual_grade | and_(
        Grade.auto_score.is_(None), Grade.manual_score.is_(None)
    )
    grades = (
        select(
            SubmittedNotebook.assignment_id,
            func.sum(Grade.score).label("points"),
            func.sum(case((waiting, 1), else_=0)).label("waiting"),
        )
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .group_by(SubmittedNotebook.assignment_id)
        .subquery()
    )
    penalties = (
        select(
            SubmittedNotebook.assignment_id,
            func.sum(SubmittedNotebook.late_submission_penalty).label("penalty"),
        )
        .group_by(SubmittedNotebook.assignment_id)
        .subquery()
    )
    rows = (
        select(
            SubmittedAssignment.student_id,
            SubmittedAssignment.timestamp,
            grades.c.points,
            grades.c.waiting,
            penalties.c.penalty,
        )
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .outerjoin(grades, grades.c.assignment_id == SubmittedAssignment.id)
        .outerjoin(penalties, penalties.c.assignment_id == SubmittedAssignment.id)
        .where(Assignment.name == assignment)
    )
    found = {row.student_id: _score(course, assignment, row) for row in gradebook.db.execute(rows)}
    for student in gradebook.db.execute(select(Student.id)).scalars():
        if student not in found:
            handed_in = Path(
                course.format_path(course.submitted_directory, student, assignment)
            ).is_dir()
            found[student] = Score(
                student,
                None,
                "is not graded yet: run nbreferee autograde" if handed_in else "handed in nothing",
            )
    names = gradebook.db.execute(
        select(Notebook.name).join(Assignment).where(Assignment.name == assignment)
    )
    expected = {f"{name}.ipynb" for name in names.scalars()}
    return {
        student: _unless_misnamed(course, assignment, score, expected)
        for student, score in found.items()
    }


def _unless_misnamed(
    course: CourseDirectory, assignment: str, score: Score, expected: set[str]
) -> Score:
    """Return a score; no points where a notebook is missing that another file may be.

    The gradebook has zeros for that notebook, which say nothing of the student's answers.
    """
    if score.points is None:
        return score
    folders = (
        Path(course.format_path(folder, score.student, assignment))
        for folder in (course.submitted_directory, course.autograded_directory)
    )
    submitted, graded = ({path.name for path in folder.glob("*.ipynb")} for folder in folders)
    others = sorted(submitted - expected)
    missing = sorted(expected - submitted - graded)
    if not others or not missing:
        return score
    why = f"{missing[0]} was not handed in, but {' and '.join(others)}: look at nbreferee report"
    return replace(score, points=None, why_none=why, so_far=score.points)


def _score(course: CourseDirectory, assignment: str, row: Any) -> Score:
    penalty = row.penalty or 0.0
    points = None if row.points is None else max(0.0, row.points - penalty)
    if points is None:
        return Score(
            row.student_id,
            None,
            "is not graded yet: run nbreferee autograde",
            timestamp=row.timestamp,
        )
    folder = Path(course.format_path(course.submitted_directory, row.student_id, assignment))
    newer = (
        row.timestamp
        and (folder / "timestamp.txt").is_file()
        and _newer(course, folder, row.timestamp)
    )
    if newer:
        return Score(
            row.student_id,
            None,
            "handed in again after being graded: run nbreferee autograde",
            points,
            penalty,
            row.timestamp,
        )
    if row.waiting or not math.isfinite(points):
        return Score(row.student_id, None, "waits for a person", points, penalty, row.timestamp)
    return Score(row.student_id, points, "", None, penalty, row.timestamp)


def _newer(course: CourseDirectory, folder: Path, graded: datetime) -> bool:
    from nbgrader.utils import parse_utc

    try:
        moment: datetime = parse_utc(course.get_existing_timestamp(str(folder)))
        return moment.replace(tzinfo=None) > graded
    except (ValueError, TypeError, AttributeError, OverflowError):
        return False
