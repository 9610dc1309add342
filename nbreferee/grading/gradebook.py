"""Scores into nbgrader's gradebook, as `nbgrader autograde` would put them; marks by hand stay as
they are.

One transaction a submission, and no query for a single cell: what an assignment consists of is read
once, and rows are written in bulk. `storing` says what
becomes of a process that is killed meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    Notebook,
    SolutionCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import bindparam, insert, select, update

from nbreferee.course.locate import CourseError
from nbreferee.course.nbgrader_settings import has_late_penalties
from nbreferee.grading.changes import OldScore
from nbreferee.submission.originals import Released
from nbreferee.verdicts import CellVerdict, NotebookResult

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory
    from sqlalchemy import Table


class PenaltyError(Exception):
    """The course's plugin for late penalties has failed."""


def released_cells(gradebook: Gradebook, assignment: str, notebook: str) -> dict[str, Released]:
    """Return the cells of a notebook as nbgrader has released them, by grade id.

    Raises
    ------
    CourseError
        where it has not.
    """
    try:
        found = gradebook.find_notebook(notebook, assignment)
    except MissingEntry:
        raise CourseError(
            f"{assignment}/{notebook} has never been released. Run nbgrader generate_assignment "
            f"{assignment} first."
        ) from None
    return {
        cell.name: Released(cell.source or "", cell.checksum or "") for cell in found.source_cells
    }


# What a student reads instead of a comment.
GRADER_FAILED = (
    "This notebook has not been graded: the automatic grader failed, not your answers. A person "
    "looks at it."
)
UNREADABLE = "This notebook cannot be graded: {}. A person looks at it."


@dataclass(frozen=True)
class _Row:
    """A row of scores or comments: of which notebook and cell."""

    notebook: str
    cell_id: str
    name: str
    is_task: bool


class _Change(Protocol):
    """Says what to write of a row."""

    def __call__(
        self, row: _Row, result: NotebookResult, old: Any, *, keeps_earlier: bool, is_same: bool
    ) -> dict[str, Any]:
        """Return the values that change, by column; `old` is the row that there is, and `is_same`
        tells whether the answer is as it was then.
        """


class Recorder:
    """Writes submissions of one assignment."""

    def __init__(self, gradebook: Gradebook, course: CourseDirectory, assignment: str) -> None:
        self._gradebook = gradebook
        self._course = course
        self._assignment = assignment
        found = gradebook.db.execute(
            select(Assignment.id, Assignment.duedate).where(Assignment.name == assignment)
        ).one()
        self._assignment_id, self._due = found
        notebooks = select(Notebook.name, Notebook.id).where(
            Notebook.assignment_id == self._assignment_id
        )
        self._notebooks: dict[str, str] = dict(gradebook.db.execute(notebooks).all())
        self._scored = self._cells(GradeCell) + self._cells(TaskCell)
        self._commented = self._cells(SolutionCell) + self._cells(TaskCell)
        self._students = set(gradebook.db.execute(select(Student.id)).scalars())
        self.due = str(self._due or "")
        self._by_hand: dict[str, dict[str, float]] = {}  # by student and cell
        self._before = self._scores()
        # no transaction is open, and nothing locked, while students' code runs
        gradebook.db.rollback()

    def holds(self, student: str, cells: Mapping[str, Iterable[CellVerdict]]) -> bool:
        """Return whether the gradebook had, before this run, these very verdicts of a student on
        notebooks, and zeros for others.
        """
        verdicts = {(name, cell.grade_id): cell for name, those in cells.items() for cell in those}
        before = self._before.get(student, {})
        for row in self._scored:
            verdict = verdicts.get((row.notebook, row.name))
            score = verdict.score if verdict else 0.0
            by_hand = row.notebook in cells and (verdict is None or verdict.is_left_to_a_person)
            if row.cell_id not in before or not (by_hand or before[row.cell_id] == score):
                return False
        return True

    def old_scores(self, student: str, notebook: str) -> dict[str, OldScore]:
        """Return what the gradebook had before this run, by grade id; nothing if nobody has looked
        at the notebook.
        """
        before, by_hand = self._before.get(student, {}), self._by_hand.get(student, {})
        return {
            row.name: OldScore(before[row.cell_id], by_hand.get(row.cell_id))
            for row in self._scored
            if row.notebook == notebook and row.cell_id in before
        }

    def has_marks_by_hand(self, student: str) -> bool:
        """Tell whether the gradebook had, before this run, marks by hand of a student."""
        return bool(self._by_hand.get(student))

    def record(
        self,
        student: str,
        timestamp: datetime | None,
        results: Mapping[str, NotebookResult],
        *,
        keep_earlier: Collection[str] = (),
        forget_timestamp: bool = False,
        same_answers: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """Write a submission, all of its notebooks; without a timestamp, an earlier one stays,
        unless it is to be forgotten.

        `keep_earlier` are the notebooks on which the grader failed and that an earlier run graded;
        `same_answers` holds the grade ids of answers that are as they were, by notebook: marks by
        hand on these stay decided.
        """
        database = self._gradebook.db
        try:
            submission, notebooks = self._submission(student, timestamp, forget_timestamp)
            for table, rows, change in (
                (Grade.__table__, self._scored, _score),
                (Comment.__table__, self._commented, _comment),
            ):
                self._write(
                    table, rows, notebooks, results, keep_earlier, change, same_answers or {}
                )
            self._penalise(student, submission, results)
            database.commit()
            self._students.add(student)
        except BaseException:
            database.rollback()
            raise

    def _scores(self) -> dict[str, dict[str, float | None]]:
        """Return the automatic scores of every student by cell; none of a cell that nobody has
        looked at.
        """
        rows = (
            select(
                SubmittedAssignment.student_id,
                Grade.cell_id,
                Grade.auto_score,
                Grade.manual_score,
            )
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
            .where(SubmittedAssignment.assignment_id == self._assignment_id)
            .where(
                Grade.auto_score.is_not(None)
                | Grade.manual_score.is_not(None)
                | Grade.needs_manual_grade
            )
        )
        found: dict[str, dict[str, float | None]] = {}
        for student, cell, score, by_hand in self._gradebook.db.execute(rows):
            found.setdefault(student, {})[cell] = score
            if by_hand is not None:
                self._by_hand.setdefault(student, {})[cell] = by_hand
        return found

    def _cells(self, kind: Any) -> list[_Row]:
        names = {number: name for name, number in self._notebooks.items()}
        found = self._gradebook.db.execute(
            select(kind.notebook_id, kind.id, kind.name).where(kind.notebook_id.in_(names))
        )
        is_task = kind is TaskCell
        return [_Row(names[notebook], cell, name, is_task) for notebook, cell, name in found]

    def _submission(
        self, student: str, timestamp: datetime | None, forget_timestamp: bool
    ) -> tuple[str, dict[str, str]]:
        """Return the ids of a student's submission and of its notebooks, entered if they are
        new.
        """
        database = self._gradebook.db
        if student not in self._students:
            database.execute(insert(Student.__table__).values(id=student))
        mine = SubmittedAssignment.__table__
        where = (mine.c.assignment_id == self._assignment_id) & (mine.c.student_id == student)
        submission = database.execute(select(mine.c.id).where(where)).scalar_one_or_none()
        if submission is None:
            submission = _new_id(SubmittedAssignment)
            database.execute(
                insert(mine).values(
                    id=submission,
                    assignment_id=self._assignment_id,
                    student_id=student,
                    timestamp=timestamp,
                )
            )
        elif timestamp is not None or forget_timestamp:
            database.execute(
                update(mine).where(mine.c.id == submission).values(timestamp=timestamp)
            )
        theirs = SubmittedNotebook.__table__
        of_submission = theirs.c.notebook_id.in_(self._notebooks.values()) & (
            theirs.c.assignment_id == submission
        )
        there = dict(
            database.execute(select(theirs.c.notebook_id, theirs.c.id).where(of_submission)).all()
        )
        new = [
            {
                "id": _new_id(SubmittedNotebook),
                "assignment_id": submission,
                "notebook_id": number,
                "flagged": False,
            }
            for number in self._notebooks.values()
            if number not in there
        ]
        if new:
            database.execute(insert(theirs), new)
        there |= {row["notebook_id"]: row["id"] for row in new}
        return submission, {name: there[number] for name, number in self._notebooks.items()}

    def _write(
        self,
        table: Table,
        rows: list[_Row],
        notebooks: dict[str, str],
        results: Mapping[str, NotebookResult],
        keep_earlier: Collection[str],
        change: _Change,
        same_answers: Mapping[str, Collection[str]],
    ) -> None:
        """Insert or update one row for each cell."""
        database = self._gradebook.db
        # By cells first, as the tables' only index has it: or every submission would read the whole
        # class.
        mine = table.c.cell_id.in_([row.cell_id for row in rows]) & table.c.notebook_id.in_(
            notebooks.values()
        )
        there = {
            (row.notebook_id, row.cell_id): row
            for row in database.execute(select(table).where(mine))
        }
        defaults = {
            column.name: True if column.name == "needs_manual_grade" else None
            for column in table.columns
        }
        new: list[dict[str, Any]] = []
        changed: dict[tuple[str, ...], list[dict[str, Any]]] = {}  # by the columns that change
        for row in rows:
            key = (notebooks[row.notebook], row.cell_id)
            old = there.get(key)
            values: dict[str, Any] = {}
            if row.notebook in results:
                keeps = row.notebook in keep_earlier
                same = row.name in same_answers.get(row.notebook, ())
                result = results[row.notebook]
                values = change(row, result, old, keeps_earlier=keeps, is_same=same)
            if old is None:
                new.append(
                    {
                        **defaults,
                        "id": _new_id(Grade),
                        "notebook_id": key[0],
                        "cell_id": key[1],
                        **values,
                    }
                )
            elif any(getattr(old, name) != value for name, value in values.items()):
                changed.setdefault(tuple(sorted(values)), []).append({"key": old.id, **values})
        if new:
            database.execute(insert(table), new)
        for columns, rows_changed in changed.items():
            statement = (
                update(table)
                .where(table.c.id == bindparam("key"))
                .values({name: bindparam(name) for name in columns})
            )
            database.execute(statement, rows_changed)

    def _penalise(
        self, student: str, submission: str, results: Mapping[str, NotebookResult]
    ) -> None:
        """Take something off for lateness, as nbgrader or the course's plugin says."""
        if self._due is None or not has_late_penalties(self._course.config):
            return
        database = self._gradebook.db
        database.expire_all()
        found = database.get(SubmittedAssignment, submission)
        for notebook in found.notebooks:
            status = results[notebook.name].status if notebook.name in results else ""
            if status == "unreadable":
                notebook.late_submission_penalty = None
            if status != "graded":
                continue
            penalty = None
            if found.total_seconds_late > 0:
                penalty = self._penalty(student, notebook.score, found.total_seconds_late)
            notebook.late_submission_penalty = (
                None if penalty is None else min(max(penalty, 0), notebook.score)
            )

    def _penalty(self, student: str, score: float, seconds_late: float) -> float | None:
        try:
            plugin = AssignLatePenalties(config=self._course.config)
            plugin.init_plugin()
            penalty: float | None = plugin.plugin_inst.late_submission_penalty(
                student, score, seconds_late
            )
            return penalty
        except Exception as error:
            raise PenaltyError(
                f"the course's plugin for late penalties failed, {type(error).__name__}: {error}"
            ) from error


def _new_id(model: Any) -> str:
    made: str = model.__table__.c.id.default.arg(None)
    return made


def _score(
    row: _Row, result: NotebookResult, old: Any, *, keeps_earlier: bool, is_same: bool
) -> dict[str, Any]:
    """Return what to write of a row of scores; `old` is the row that there is."""
    by_hand = old is not None and old.manual_score is not None
    if result.status == "missing":  # as nbgrader has it
        return {"auto_score": 0.0, "needs_manual_grade": False}
    if result.status == "unreadable":
        decided = by_hand and old.auto_score == 0  # a person has decided, and nothing has changed
        return {"auto_score": 0.0} if decided else {"auto_score": 0.0, "needs_manual_grade": True}
    if result.status == "grader_failed":
        scored = old is not None and (keeps_earlier or by_hand)
        return {} if scored else {"auto_score": None, "needs_manual_grade": True}
    verdict = next((cell for cell in result.cells if cell.grade_id == row.name), None)
    if verdict is None or row.is_task:  # nbgrader writes none for a task
        return {}
    score = verdict.automatic_score
    is_decided = by_hand and is_same and not old.needs_manual_grade
    return {
        "auto_score": score,
        "needs_manual_grade": not is_decided and (by_hand or score is None),
    }


def _comment(
    row: _Row, result: NotebookResult, old: Any, *, keeps_earlier: bool, is_same: bool
) -> dict[str, Any]:
    """Return what to write of a row of comments; `old` is the row that there is."""
    if result.status == "graded":
        known = row.name in result.comments
        return {"auto_comment": result.comments[row.name]} if known else {}
    if result.status == "missing":
        return {} if old is None else {"auto_comment": None}
    if keeps_earlier:
        return {}
    failed = result.status == "grader_failed"
    return {"auto_comment": GRADER_FAILED if failed else UNREADABLE.format(result.message)}
