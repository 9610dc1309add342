"""What an export did: each student's cell, and why those that stay do; and how that is printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Sheet

from nbreferee.lms.csvtext import read_number

MISSING = "handed in nothing"
UNKNOWN = "is not in the gradebook"


@dataclass(frozen=True)
class ExportedCell:
    """What became of a student's cell."""

    assignment: str
    student: str
    name: str
    before: str
    after: str
    remark: str = ""

    @property
    def written(self) -> bool:
        """Whether there is a score of ours in the file."""
        return bool(self.after)


@dataclass
class ExportSummary:
    """What an export did."""

    rows: list[ExportedCell] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    pages: int = 0

    @property
    def complete(self) -> bool:
        """Whether everybody's score is in the file."""
        return not self.problems and all(
            row.written or row.remark in (MISSING, UNKNOWN) for row in self.rows
        )


def show(done: ExportSummary, to: Path, feedback_zip: Path | None, console: Console) -> None:
    """Print what changes, and everybody whose cell stays as it was with the reason."""
    told = [
        row
        for row in done.rows
        if row.remark or (row.before and read_number(row.before) != read_number(row.after))
    ]
    sheet = Sheet("assignment", "student", "name", "was", "is", "remarks", box=SIMPLE_HEAD)
    for row in told:
        cells = (
            row.assignment,
            row.student,
            row.name,
            row.before,
            row.after or "as it was",
            row.remark,
        )
        sheet.add_row(*(escape(cell) for cell in cells))
    if told:
        console.print(sheet)
    for problem in done.problems:
        console.print(problem, highlight=False, markup=False, soft_wrap=True)
    written = sum(row.written for row in done.rows)
    console.print(
        f"{to}: {_count(written, 'score')} written, {len(done.rows) - written} left as they were.",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    if feedback_zip is not None:
        console.print(
            f"{feedback_zip}: {_count(done.pages, 'page')}.",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
