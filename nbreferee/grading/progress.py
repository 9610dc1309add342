"""What `nbreferee autograde` shows while it works, and at the end: a bar in a terminal, plain lines
elsewhere.
"""

from __future__ import annotations

import math
import statistics
import time
from array import array
from collections import Counter
from dataclasses import dataclass
from typing import Any

import rich.progress
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from nbreferee.grading.outcome import NotebookOutcome

PLAIN_EVERY_S = 10.0


class _Rate(ProgressColumn):
    """Submissions a minute."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{60 * speed:.0f}/min" if speed else "", style="dim")


@dataclass
class Progress:
    """How far a command has come."""

    unit: str = "submissions"
    done: int = 0
    total: int = 0
    graded: int = 0  # notebooks
    is_preview: bool = False  # nothing is kept

    def text(self) -> str:
        """Return it in words."""
        if self.is_preview:
            return "nothing has been written"
        return (
            f"{self.done} of {self.total} {self.unit} are done and kept"
            if self.total
            else "what was done before is kept"
        )


class ProgressDisplay:
    """Counts outcomes and shows how far things are; use it in a `with`."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._started = time.monotonic()
        self._said = 0.0
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
        )
        self._bar = rich.progress.Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        )
        self._rows: dict[str, Any] = {}

    def __enter__(self) -> ProgressDisplay:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def expect(self, assignment: str, submissions: int) -> None:
        """Start an assignment."""
        self._progress.total += submissions
        self._rows[assignment] = self._bar.add_task(assignment, total=submissions)

    def submission_done(self, assignment: str) -> None:
        """Count a submission."""
        self._progress.done += 1
        self._bar.advance(self._rows[assignment])
        now = time.monotonic()
        if not self._console.is_terminal and now - self._said >= PLAIN_EVERY_S:
            self._said = now
            done, total = self._progress.done, self._progress.total
            rate = done / (now - self._started)
            left = (total - done) / rate if rate else 0
            self._console.print(
                f"{assignment}: {done} of {total}, {60 * rate:.0f} a minute, {left:.0f} s left",
                highlight=False,
            )

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(text, highlight=False, markup=False, soft_wrap=True)


class ClassTotals:
    """What has come of all notebooks; of each it keeps no more than a number."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()  # by status
        self.warnings: dict[str, None] = {}  # about tests; each is told once
        self._repaired = 0
        self.unsure = 0  # test cells without a score
        self._walls = array("d")
        self._slowest = (0.0, "", "")

    def add(self, outcome: NotebookOutcome) -> None:
        """Count a notebook."""
        self.counts[outcome.status] += 1
        self.warnings.update(dict.fromkeys(outcome.result.warnings))
        self.unsure += sum(cell.is_unsure for cell in outcome.cells)
        if outcome.status == "graded":
            self._repaired += bool(outcome.repairs)
            wall_s = outcome.result.cost.wall_s
            self._walls.append(wall_s)
            self._slowest = max(self._slowest, (wall_s, outcome.student, outcome.notebook))

    def table(self, writing_s: float) -> Table:
        """Return the last word: how many of what, and how long they took."""
        table = Table(box=None, show_header=False)
        words = {
            "graded": "graded",
            "skipped": "unchanged, skipped",
            "missing": "not handed in",
            "unreadable": "unreadable: 0 points, look at them",
            "grader_failed": "the grader failed: run the command again",
        }
        for status, text in words.items():
            if self.counts[status] or status == "graded":
                table.add_row(text, str(self.counts[status]))
        if self._repaired:
            table.add_row("repaired", str(self._repaired))
        if self.unsure:
            table.add_row(
                "test cells left to a person", f"{self.unsure}: mark them in the Formgrader"
            )
        if self._walls:
            walls, (longest_s, student, notebook) = sorted(self._walls), self._slowest
            table.add_row(
                "seconds a notebook",
                f"median {statistics.median(walls):.2f}, 95 % below "
                f"{walls[math.ceil(0.95 * len(walls)) - 1]:.2f}",
            )
            who = student if student.isprintable() else ascii(student)[1:-1]
            table.add_row("slowest", f"{longest_s:.2f} s: {who}, {notebook}")
            table.add_row("writing results", f"{writing_s:.1f} s")
        return table
