"""Marks and comments of one assignment in nbgrader's own tables: short transactions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SolutionCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

LOCKED = (
    "The gradebook is in use by another program. "
    "What you entered is kept, and is written as soon as it is free."
)


class GradebookLockedError(Exception):
    """Another program keeps the gradebook locked; `reason` is what the database says."""

    def __init__(self, reason: DBAPIError) -> None:
        super().__init__(LOCKED)
        self.reason = reason


@dataclass(frozen=True)
class GradedCell:
    """A cell that has points, with where its comments stand in the gradebook."""

    notebook: str
    name: str
    kind: str  # answer, task or test
    points: float
    cell_id: str
    comment_cell_id: str = ""  # none: the cell itself takes no comment


@dataclass(frozen=True)
class StoredMark:
    """What the gradebook holds of one student's cell."""

    student: str
    student_name: str
    notebook_id: str  # of the submission
    grade_id: str
    automatic: float | None
    score: float | None  # by hand
    is_flagged: bool  # nbgrader wants a person to look at it
    comment: str = ""  # by hand
    automatic_comment: str = ""

    @property
    def is_undecided(self) -> bool:
        """Whether nobody has given a score."""
        return self.score is None and (self.automatic is None or self.is_flagged)

    @property
    def digest(self) -> str:
        """A name for what a person has entered."""
        return digest_of(self.score, self.comment)


def digest_of(*values: object) -> str:
    """Return a short name for values."""
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


class MarkTable:
    """Reads and writes the marks of one assignment."""

    def __init__(self, gradebook: Gradebook, assignment: str) -> None:
        self._engine = gradebook.engine
        self._assignment = assignment
        gradebook.db.remove()  # the session holds no transaction open meanwhile

    @contextmanager
    def _transaction(self, *, writes: bool = False) -> Iterator[Connection]:
        """Yield a connection; one that `writes` lets no other writer in between its statements."""
        try:
            with self._engine.begin() as connection:
                if writes and self._engine.dialect.name == "sqlite":  # else locked after reading
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
        except DBAPIError as error:
            if "lock" in str(error.orig):
                raise GradebookLockedError(error) from error
            raise

    def cells(self) -> list[GradedCell]:
        """Return the cells that have points."""
        with self._transaction() as connection:
            answers = {
                (notebook, name): cell_id
                for notebook, name, cell_id, _ in connection.execute(
                    self._of_assignment(SolutionCell)
                )
            }
            graded = [
                GradedCell(
                    notebook,
                    name,
                    "answer" if (notebook, name) in answers else "test",
                    points,
                    cell_id,
                    answers.get((notebook, name), ""),
                )
                for notebook, name, cell_id, points in connection.execute(
                    self._of_assignment(GradeCell)
                )
            ]
            tasks = connection.execute(self._of_assignment(TaskCell))
            return graded + [
                GradedCell(notebook, name, "task", points, cell_id, cell_id)
                for notebook, name, cell_id, points in tasks
            ]

    def answer_cells(self) -> dict[tuple[str, str], str]:
        """Return the ids of the cells that take comments, by notebook and grade id."""
        with self._transaction() as connection:
            return {
                (notebook, name): cell_id
                for kind in (SolutionCell, TaskCell)
                for notebook, name, cell_id, _ in connection.execute(self._of_assignment(kind))
            }

    def _of_assignment(self, kind: Any) -> Select[Any]:
        cells, base = kind.__table__, BaseCell.__table__
        points = cells.c.max_score if "max_score" in cells.c else cells.c.id
        return (
            select(Notebook.name, base.c.name, base.c.id, points)
            .select_from(base)
            .join(cells, cells.c.id == base.c.id)
            .join(Notebook, Notebook.id == base.c.notebook_id)
            .join(Assignment, Assignment.id == Notebook.assignment_id)
            .where(Assignment.name == self._assignment)
        )

    def marks(self, cell: GradedCell) -> dict[str, StoredMark]:
        """Return the marks of everybody on a cell, by student."""
        with self._transaction() as connection:
            return self._marks(connection, cell)

    def _marks(
        self, connection: Connection, cell: GradedCell, student: str | None = None
    ) -> dict[str, StoredMark]:
        columns = (
            SubmittedAssignment.student_id,
            Student.first_name,
            Student.last_name,
            SubmittedNotebook.id,
            Grade.id,
            Grade.auto_score,
            Grade.manual_score,
            Grade.needs_manual_grade,
            Comment.manual_comment,
            Comment.auto_comment,
        )
        wanted = (
            select(*columns)
            .select_from(Grade)
            .join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
            .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
            .join(Student, Student.id == SubmittedAssignment.student_id)
            .outerjoin(
                Comment,
                (Comment.notebook_id == SubmittedNotebook.id)
                & (Comment.cell_id == cell.comment_cell_id),
            )
            .where(Grade.cell_id == cell.cell_id)
        )
        if student is not None:
            wanted = wanted.where(SubmittedAssignment.student_id == student)
        return {
            row[0]: StoredMark(
                row[0],
                " ".join(part for part in row[1:3] if part),
                *row[3:7],
                bool(row[7]),
                row[8] or "",
                row[9] or "",
            )
            for row in connection.execute(wanted)
        }

    def mark(self, cell: GradedCell, student: str) -> StoredMark | None:
        """Return the mark of one student; None where there is none."""
        with self._transaction() as connection:
            return self._marks(connection, cell, student).get(student)

    def write(
        self,
        cell: GradedCell,
        student: str,
        score: float | None,
        comment: str,
        seen: str,
        *,
        is_flagged: bool = False,
    ) -> StoredMark | None:
        """Write a mark if the gradebook holds what the marker has seen, or this mark already.

        With `is_flagged`, nbgrader goes on to ask a person to look at it.

        Returns
        -------
        StoredMark | None
            another mark that stands there meanwhile, which stays; None where this one is written.
        """
        with self._transaction(writes=True) as connection:
            found = self._marks(connection, cell, student)[student]
            row = select(Grade.id).where(Grade.id == found.grade_id).with_for_update()
            connection.execute(row)
            now = self._marks(connection, cell, student)[student]
            if now.digest not in (seen, digest_of(score, comment)):
                return now
            connection.execute(
                update(Grade.__table__)
                .where(Grade.__table__.c.id == now.grade_id)
                .values(
                    manual_score=score,
                    needs_manual_grade=is_flagged or (score is None and now.automatic is None),
                )
            )
            if comment != now.comment:
                self._write_comment(connection, now.notebook_id, cell.comment_cell_id, comment)
            return None

    def exchange_text(self, student: str, notebook: str, cell_id: str, old: str, new: str) -> bool:
        """Put a text into a comment in the place of another, or behind what stands there.

        Returns
        -------
        bool
            whether the comment has changed.
        """
        with self._transaction(writes=True) as connection:
            number = connection.execute(
                select(SubmittedNotebook.id)
                .join(
                    SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id
                )
                .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
                .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
                .where(Assignment.name == self._assignment, Notebook.name == notebook)
                .where(SubmittedAssignment.student_id == student)
            ).scalar_one_or_none()
            if number is None:
                return False
            comments = Comment.__table__
            where = (comments.c.notebook_id == number) & (comments.c.cell_id == cell_id)
            text = connection.execute(select(comments.c.manual_comment).where(where)).scalar() or ""
            changed = _exchanged(text, old, new)
            if changed != text:
                self._write_comment(connection, number, cell_id, changed)
            return changed != text

    def _write_comment(
        self, connection: Connection, notebook_id: str, cell_id: str, text: str
    ) -> None:
        comments = Comment.__table__
        where = (comments.c.notebook_id == notebook_id) & (comments.c.cell_id == cell_id)
        written = connection.execute(
            update(comments).where(where).values(manual_comment=text or None)
        )
        if not written.rowcount:
            connection.execute(
                insert(comments).values(
                    id=comments.c.id.default.arg(None),
                    notebook_id=notebook_id,
                    cell_id=cell_id,
                    manual_comment=text or None,
                )
            )


def _exchanged(text: str, old: str, new: str) -> str:
    """Return a text with one of its paragraphs exchanged; a new one comes last."""
    before, found, after = text.partition(old) if old else (text, "", "")
    is_there = bool(new) and not found and new in text  # a person has put it there
    parts = (before.strip(), "" if is_there else new, after.strip())
    return "\n\n".join(part for part in parts if part)
