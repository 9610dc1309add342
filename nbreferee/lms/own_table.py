"""A table of all scores as a CSV file of our own: nbgrader's columns, a remark, and no formula."""

from __future__ import annotations

from nbreferee.lms.csvtext import number_text, row_text, safe_text
from nbreferee.lms.people import Person
from nbreferee.lms.scores import Score

COLUMNS = (
    "assignment",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "lms_user_id",
    "timestamp",
    "score",
    "max_score",
    "late_penalty",
    "remark",
)


def own_row(
    assignment: str, person: Person, score: Score, value: float | None, points: float, remark: str
) -> str:
    """Return the line of one student in one assignment."""
    names = (
        assignment,
        person.student,
        person.last,
        person.first,
        person.ids.get("email", ""),
        person.ids.get("lms", ""),
    )
    moment = f"{score.timestamp} UTC" if score.timestamp else ""
    shown = "" if value is None else number_text(value)
    return row_text(
        [
            *map(safe_text, names),
            moment,
            shown,
            number_text(points),
            number_text(score.penalty),
            remark,
        ]
    )
