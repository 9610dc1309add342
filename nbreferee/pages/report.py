"""The class at a glance: a table of students and assignments, read from the gradebook."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from nbgrader.api import Gradebook
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from nbreferee.course.locate import CourseError


@dataclass(frozen=True)
class StudentTotal:
    """What a student has in one assignment so far, in points."""

    student: str
    assignment: str
    score: float
    max_score: float
    needs_reading: bool  # some answer waits for a person


def read_results(gradebook: Gradebook, assignments: Iterable[str]) -> list[StudentTotal]:
    """Return the results of all submissions, by student and then in the order of the assignments."""
    results = [
        StudentTotal(
            row["student"], assignment, row["score"], row["max_score"], row["needs_manual_grade"]
        )
        for assignment in assignments
        for row in gradebook.submission_dicts(assignment)
    ]
    return sorted(results, key=lambda result: result.student)


def class_table(results: Iterable[StudentTotal], assignments: list[str]) -> Table:
    """Lay results out as a table, a student a row."""
    rows: dict[str, dict[str, StudentTotal]] = {}
    for result in results:
        rows.setdefault(result.student, {})[result.assignment] = result
    table = Table("student", box=SIMPLE_HEAD)
    for name in [*assignments, "total"]:
        table.add_column(name, justify="right", overflow="fold")
    for student, row in rows.items():
        cells = [_cell(row[name]) if name in row else "–" for name in assignments]
        total = (
            f"{sum(r.score for r in row.values()):g} / {sum(r.max_score for r in row.values()):g}"
        )
        table.add_row(student, *cells, total)
    return table


def _cell(result: StudentTotal) -> str:
    return f"{result.score:g} / {result.max_score:g}" + ("*" if result.needs_reading else " ")


def print_report(gradebook: Gradebook, wanted: Iterable[str], feedback_directory: str) -> None:
    """Print what every student has in the assignments that are wanted, or in all.

    Raises
    ------
    CourseError
        where the gradebook does not know one of them.
    """
    known = sorted(assignment.name for assignment in gradebook.assignments)
    if unknown := sorted(set(wanted) - set(known)):
        raise CourseError(
            f"{unknown[0]} is not in the gradebook, which holds: {', '.join(known) or 'nothing yet'}."
        )
    names = list(wanted) or known
    results = read_results(gradebook, names)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(class_table(results, names))
    if any(result.needs_reading for result in results):
        console.print("* some answers wait for a person: make lab, then Nbgrader > Formgrader.")
    console.print(f"What students get to read: {feedback_directory}/STUDENT/ASSIGNMENT/*.html")
