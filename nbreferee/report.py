"""The class at a glance: a table of students and assignments, read from the gradebook."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nbgrader.api import Gradebook
from rich.box import SIMPLE_HEAD
from rich.table import Table


@dataclass(frozen=True)
class Result:
    """What a student has in one assignment so far, in points."""

    student: str
    assignment: str
    score: float
    max_score: float
    needs_reading: bool  # some answer waits for a person


def read_results(gradebook: Gradebook, assignments: Iterable[str]) -> list[Result]:
    """Return the results of all submissions, by student and then in the order of the assignments."""
    results = [
        Result(row["student"], assignment, row["score"], row["max_score"], row["needs_manual_grade"])
        for assignment in assignments
        for row in gradebook.submission_dicts(assignment)
    ]
    return sorted(results, key=lambda result: result.student)


def class_table(results: Iterable[Result], assignments: list[str]) -> Table:
    """Lay results out as a table, a student a row."""
    rows: dict[str, dict[str, Result]] = {}
    for result in results:
        rows.setdefault(result.student, {})[result.assignment] = result
    table = Table("student", box=SIMPLE_HEAD)
    for name in [*assignments, "total"]:
        table.add_column(name, justify="right", overflow="fold")
    for student, row in rows.items():
        cells = [_cell(row[name]) if name in row else "–" for name in assignments]
        total = f"{sum(r.score for r in row.values()):g} / {sum(r.max_score for r in row.values()):g}"
        table.add_row(student, *cells, total)
    return table


def _cell(result: Result) -> str:
    return f"{result.score:g} / {result.max_score:g}" + ("*" if result.needs_reading else " ")
