"""What the gradebook says of a student's notebook, and what else its page is made from."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import select

from nbreferee.course.rules import DELIMITERS, Delimiters
from nbreferee.grading.storing import mark_of_failure
from nbreferee.pages.exercises import Mark
from nbreferee.pages.page import GradedNotebook
from nbreferee.pages.sanitize import cell_texts
from nbreferee.pages.student import Header

EARLIER = (
    "A later version of this notebook has not been graded: the automatic grader failed, not your "
    "answers. This page shows the version before it."
)


@dataclass(frozen=True)
class _Submission:
    """A student's notebook in the gradebook."""

    number: str
    penalty: float
    student_name: str
    timestamp: datetime | None
    extension: timedelta | None


class MarkReader:
    """Reads marks of one assignment: a few queries for each notebook, however many cells it has."""

    def __init__(
        self,
        course: CourseDirectory,
        gradebook: Gradebook,
        assignment: str,
        delimiters: Delimiters = DELIMITERS,
    ) -> None:
        self._course = course
        self._gradebook = gradebook
        self._delimiters = delimiters
        self._texts: dict[str, frozenset[str]] = {}
        self.assignment = assignment

    @cached_property
    def _submissions(self) -> Mapping[tuple[str, str], _Submission]:
        columns = (
            SubmittedAssignment.student_id,
            Notebook.name,
            SubmittedNotebook.id,
            SubmittedNotebook.late_submission_penalty,
            Student.first_name,
            Student.last_name,
            SubmittedAssignment.timestamp,
            SubmittedAssignment.extension,
        )
        wanted = (
            select(*columns)
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .join(Student, Student.id == SubmittedAssignment.student_id)
            .where(Assignment.name == self.assignment)
            .order_by(SubmittedAssignment.student_id, Notebook.name)
        )
        rows = self._gradebook.db.execute(wanted)
        return {
            (student, name): _Submission(
                number, penalty or 0.0, _full_name(student, first, last), timestamp, extension
            )
            for student, name, number, penalty, first, last, timestamp, extension in rows
        }

    def notebooks(self) -> list[tuple[str, str]]:
        """Return (student, notebook) of all that the gradebook knows."""
        return list(self._submissions)

    @cached_property
    def _due(self) -> datetime | None:
        wanted = select(Assignment.duedate).where(Assignment.name == self.assignment)
        due: datetime | None = self._gradebook.db.execute(wanted).scalar_one_or_none()
        return due

    def header(self, student: str, notebook: str, graded: datetime | None = None) -> Header:
        """Return whose page it is, and of what."""
        found = self._submissions[student, notebook]
        handed_in, lateness = "", ""
        if found.timestamp is not None:
            handed_in = moment_text(found.timestamp.replace(tzinfo=UTC))
            if self._due is not None:
                late = found.timestamp - self._due - (found.extension or timedelta(0))
                lateness = f"{span_text(late)} late" if late > timedelta(0) else ""
        shown = moment_text(graded) if graded is not None else ""
        return Header(
            student,
            self.assignment,
            notebook,
            found.student_name,
            handed_in,
            lateness,
            shown,
            found.penalty,
        )

    def graded(self, student: str, notebook: str, executed: Path) -> GradedNotebook:
        """Return what the page of an executed notebook is made from."""
        number = self._submissions[student, notebook].number
        comments, automatic = self.comments(student, notebook)
        graded = datetime.fromtimestamp(executed.stat().st_mtime, UTC)
        return GradedNotebook(
            self.header(student, notebook, graded),
            executed.read_bytes(),
            self._marks(number),
            comments,
            automatic,
            (EARLIER,) if mark_of_failure(executed).exists() else (),
            self._delimiters,
            self.texts(notebook),
        )

    def _marks(self, number: str) -> dict[str, Mark]:
        columns = (
            BaseCell.name,
            Grade.auto_score,
            Grade.manual_score,
            Grade.extra_credit,
            Grade.needs_manual_grade,
            GradeCell.max_score,
            TaskCell.max_score,
        )
        joined = select(*columns).join(BaseCell, BaseCell.id == Grade.cell_id)
        joined = joined.outerjoin(GradeCell.__table__, GradeCell.__table__.c.id == BaseCell.id)
        joined = joined.outerjoin(TaskCell.__table__, TaskCell.__table__.c.id == BaseCell.id)
        rows = self._gradebook.db.execute(joined.where(Grade.notebook_id == number))
        return {
            name: _mark(
                automatic, by_hand, extra, waits, points if points is not None else task_points
            )
            for name, automatic, by_hand, extra, waits, points, task_points in rows
        }

    def points(self, student: str, notebook: str) -> float:
        """Return the points that a notebook has in all."""
        return sum(
            mark.points
            for mark in self._marks(self._submissions[student, notebook].number).values()
        )

    def comments(self, student: str, notebook: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return comments of people and of the grader, by grade id."""
        number = self._submissions[student, notebook].number
        wanted = select(BaseCell.name, Comment.auto_comment, Comment.manual_comment)
        wanted = wanted.join(BaseCell, BaseCell.id == Comment.cell_id).where(
            Comment.notebook_id == number
        )
        rows = self._gradebook.db.execute(wanted).all()
        by_hand = {name: manual for name, _, manual in rows if manual}
        return by_hand, {name: automatic for name, automatic, _ in rows if automatic}

    def texts(self, notebook: str) -> frozenset[str]:
        """Return the texts of a notebook's cells as the instructor wrote and released them."""
        if notebook not in self._texts:
            texts: frozenset[str] = frozenset()
            for folder in (self._course.source_directory, self._course.release_directory):
                path = (
                    Path(self._course.format_path(folder, ".", self.assignment))
                    / f"{notebook}.ipynb"
                )
                with contextlib.suppress(OSError):
                    texts |= cell_texts(path.read_bytes())
            with contextlib.suppress(MissingEntry):
                cells = self._gradebook.find_notebook(notebook, self.assignment).source_cells
                texts |= {cell.source for cell in cells if cell.source}
            self._texts[notebook] = texts
        return self._texts[notebook]


def _mark(
    automatic: float | None, by_hand: float | None, extra: float | None, waits: Any, points: float
) -> Mark:
    given = by_hand if by_hand is not None else automatic
    undecided = by_hand is None and (automatic is None or bool(waits))
    return Mark(
        (given or 0.0) + (extra or 0.0), points or 0.0, undecided, by_hand is not None, extra or 0.0
    )


def _full_name(student: str, first: str | None, last: str | None) -> str:
    name = " ".join(part for part in (first, last) if part)
    return f"{name} ({student})" if name else student


def moment_text(moment: datetime) -> str:
    """Return a moment in the local time, for people."""
    local = moment.astimezone()
    return f"{local.day} {local:%B %Y, %H:%M} {local.tzname()}"


def span_text(late: timedelta) -> str:
    """Return a length of time in words, by its largest unit."""
    minutes = max(int(late.total_seconds() // 60), 1)
    for size, name in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "a moment"
