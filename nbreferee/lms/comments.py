"""What graders wrote to students, as text that a platform may show as HTML."""

from __future__ import annotations

import html

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Gradebook,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import select

from nbreferee.lms.csvtext import safe_text


def read_comments(gradebook: Gradebook, assignment: str) -> dict[str, str]:
    """Return what graders wrote to each student, as text for HTML."""
    rows = (
        select(SubmittedAssignment.student_id, Notebook.name, BaseCell.name, Comment.manual_comment)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(Comment, Comment.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, BaseCell.id == Comment.cell_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .where(Assignment.name == assignment)
        .order_by(SubmittedAssignment.student_id, Notebook.name, BaseCell.name)
    )
    found: dict[str, list[str]] = {}
    for student, _, cell, text in gradebook.db.execute(rows):
        if text and text.strip():
            found.setdefault(student, []).append(f"{cell}: {text.strip()}")
    return {
        student: safe_text(
            "<br>".join(html.escape(line, quote=False).replace("\n", "<br>") for line in lines)
        )
        for student, lines in found.items()
    }
