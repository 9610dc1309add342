"""What marking keeps beside the gradebook: ticked steps, unwritten marks, comments on groups.

It lies in `.nbreferee/marking.db`, an SQLite file of its own: a locked gradebook loses nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS answer (
    assignment TEXT, notebook TEXT, cell TEXT, student TEXT,
    steps TEXT, scheme TEXT, score REAL, digest TEXT, draft TEXT,
    PRIMARY KEY (assignment, notebook, cell, student));
CREATE TABLE IF NOT EXISTS group_comment (
    assignment TEXT, notebook TEXT, exercise TEXT, behaviours TEXT, text TEXT,
    PRIMARY KEY (assignment, notebook, exercise, behaviours));
CREATE TABLE IF NOT EXISTS group_applied (
    assignment TEXT, notebook TEXT, exercise TEXT, student TEXT, text TEXT,
    PRIMARY KEY (assignment, notebook, exercise, student));
"""
FOLDER, FILE = ".nbreferee", "marking.db"
BUSY_S = 5.0  # how long to wait for another process that writes


@dataclass(frozen=True)
class AnswerKey:
    """One student's answer to one graded cell."""

    assignment: str
    notebook: str
    cell: str
    student: str

    @property
    def columns(self) -> tuple[str, str, str, str]:
        """The key as the table has it."""
        return self.assignment, self.notebook, self.cell, self.student


@dataclass(frozen=True)
class Draft:
    """A mark that the gradebook has not taken yet."""

    score: float | None
    comment: str
    seen: str  # a digest of what the gradebook held when it was typed


@dataclass(frozen=True)
class AnswerNote:
    """What is kept of one answer."""

    steps: tuple[int, ...] = ()  # which steps of the scheme are ticked, from 0
    scheme: str = ""  # a digest of the scheme
    score: float | None = None  # that was written with them
    digest: str = ""  # of the answer that was marked
    draft: Draft | None = None


@dataclass(frozen=True)
class GroupComment:
    """A tutor's comment on all answers that behave alike."""

    notebook: str
    exercise: str
    behaviours: tuple[str, ...]  # digests; an answer with one of them is meant
    text: str


@dataclass(frozen=True)
class Applied:
    """A group's comment in the gradebook of one student."""

    notebook: str
    exercise: str
    student: str
    text: str


class MarkingNotes:
    """The file of one course."""

    def __init__(self, root: Path) -> None:
        folder = root / FOLDER
        folder.mkdir(exist_ok=True)
        self._database = sqlite3.connect(folder / FILE, timeout=BUSY_S)
        with self._database:
            self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def answer(self, key: AnswerKey) -> AnswerNote:
        """Return what is kept of an answer."""
        row = self._database.execute(
            "SELECT steps, scheme, score, digest, draft FROM answer"
            " WHERE assignment = ? AND notebook = ? AND cell = ? AND student = ?",
            key.columns,
        ).fetchone()
        return _note(row) if row else AnswerNote()

    def answers(self, assignment: str) -> dict[AnswerKey, AnswerNote]:
        """Return what is kept of all answers of an assignment."""
        rows = self._database.execute(
            "SELECT notebook, cell, student, steps, scheme, score, digest, draft FROM answer"
            " WHERE assignment = ?",
            (assignment,),
        )
        return {AnswerKey(assignment, *row[:3]): _note(row[3:]) for row in rows}

    def keep(self, key: AnswerKey, note: AnswerNote) -> None:
        """Keep what is to be kept of an answer."""
        draft = note.draft and json.dumps([note.draft.score, note.draft.comment, note.draft.seen])
        values = (json.dumps(note.steps), note.scheme, note.score, note.digest, draft)
        with self._database:
            self._database.execute(
                "INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*key.columns, *values),
            )

    def group_comments(self, assignment: str) -> list[GroupComment]:
        """Return the comments on groups, in the order in which they were given."""
        rows = self._database.execute(
            "SELECT notebook, exercise, behaviours, text FROM group_comment"
            " WHERE assignment = ? ORDER BY rowid",
            (assignment,),
        )
        return [GroupComment(row[0], row[1], tuple(json.loads(row[2])), row[3]) for row in rows]

    def replace_group_comment(self, assignment: str, comment: GroupComment) -> None:
        """Keep a comment on a group in the place of an earlier one; an empty text takes it away."""
        with self._database:
            for old in self.group_comments(assignment):
                if (old.notebook, old.exercise) == (comment.notebook, comment.exercise) and set(
                    old.behaviours
                ) & set(comment.behaviours):
                    self._database.execute(
                        "DELETE FROM group_comment WHERE assignment = ? AND notebook = ?"
                        " AND exercise = ? AND behaviours = ?",
                        (assignment, old.notebook, old.exercise, json.dumps(old.behaviours)),
                    )
            if comment.text:
                self._database.execute(
                    "INSERT INTO group_comment VALUES (?, ?, ?, ?, ?)",
                    (
                        assignment,
                        comment.notebook,
                        comment.exercise,
                        json.dumps(comment.behaviours),
                        comment.text,
                    ),
                )

    def applied(self, assignment: str) -> list[Applied]:
        """Return which students have a group's comment in the gradebook."""
        rows = self._database.execute(
            "SELECT notebook, exercise, student, text FROM group_applied WHERE assignment = ?",
            (assignment,),
        )
        return [Applied(*row) for row in rows]

    def replace_applied(self, assignment: str, applied: Sequence[Applied]) -> None:
        """Keep which students have a group's comment."""
        with self._database:
            self._database.execute("DELETE FROM group_applied WHERE assignment = ?", (assignment,))
            self._database.executemany(
                "INSERT INTO group_applied VALUES (?, ?, ?, ?, ?)",
                [
                    (assignment, one.notebook, one.exercise, one.student, one.text)
                    for one in applied
                ],
            )


def _note(row: Sequence[str | float | None]) -> AnswerNote:
    steps, scheme, score, digest, draft = row
    found = json.loads(str(draft)) if draft else None
    return AnswerNote(
        tuple(json.loads(str(steps or "[]"))),
        str(scheme or ""),
        float(score) if score is not None else None,
        str(digest or ""),
        Draft(*found) if found else None,
    )


def has_notes(root: Path) -> bool:
    """Return whether anything has been kept for a course."""
    return (root / FOLDER / FILE).is_file()


@contextmanager
def marking_notes(root: Path) -> Iterator[MarkingNotes]:
    """Open the file of a course."""
    notes = MarkingNotes(root)
    try:
        yield notes
    finally:
        notes.close()
