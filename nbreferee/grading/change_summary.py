"""Print who gains and who loses when a class is graded again."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nbreferee.grading.changes import CellChange
from nbreferee.grading.outcome import NotebookOutcome
from nbreferee.submission.folder import shown

MOST_ROWS = 500  # of one run, so that memory and the screen have room for a large class


@dataclass
class _Totals:
    """How the students' points for one assignment move."""

    up: int = 0
    down: int = 0
    same: int = 0
    retold: int = 0  # cells with the same score and another message
    ungraded: int = 0  # submissions that were not graded before

    def in_words(self) -> str:
        """Return it as a sentence."""
        parts = [f"{self.up} up", f"{self.down} down", f"{self.same} the same"]
        text = f"students' totals: {', '.join(parts)}"
        if self.retold:
            what = "answer is" if self.retold == 1 else "answers are"
            text += f"; {self.retold} {what} told another mistake"
        return text + (f"; {self.ungraded} not graded before" if self.ungraded else "")


@dataclass
class ChangeSummary:
    """Collects what changes; its size does not grow with the class beyond `MOST_ROWS`."""

    is_preview: bool = False
    rows: list[tuple[str, str, str, CellChange]] = field(default_factory=list)
    more_rows: int = 0
    was_regraded: bool = False  # some submission was graded again that is as it was
    _totals: dict[str, _Totals] = field(default_factory=dict)
    _open: tuple[str, str] | None = None  # assignment and student whose notebooks are being added
    _points: list[tuple[float, float]] = field(default_factory=list)
    _is_new: bool = False  # the student has handed in again, and this is no preview

    def add(self, outcome: NotebookOutcome) -> None:
        """Add a notebook; those of one submission come one after another."""
        if (outcome.assignment, outcome.student) != self._open:
            self._close()
            self._open = outcome.assignment, outcome.student
        found = outcome.comparison
        if outcome.status == "skipped":
            self._points.append((0.0, 0.0))
        if found is None:
            return
        if not (self.is_preview or found.is_same_submission):
            self._is_new = True
            return
        self.was_regraded |= found.is_same_submission
        self._points.append((found.old_points, found.new_points))
        totals = self._of(outcome.assignment)
        for change in found.changes:
            totals.retold += not change.moves
            if len(self.rows) < MOST_ROWS:
                note = "" if found.is_same_submission else "handed in again"
                where = f"{outcome.notebook}: {change.grade_id}"
                self.rows.append((shown(outcome.student), where, note, change))
            else:
                self.more_rows += 1

    def _of(self, assignment: str) -> _Totals:
        return self._totals.setdefault(assignment, _Totals())

    def _close(self) -> None:
        if self._open is not None and not self._is_new:
            totals = self._of(self._open[0])
            old = round(sum(before for before, _ in self._points), 9)
            new = round(sum(now for _, now in self._points), 9)
            if not self._points:
                totals.ungraded += 1
            elif new == old:
                totals.same += 1
            else:
                totals.up += new > old
                totals.down += new < old
        self._open, self._points, self._is_new = None, [], False

    def print(self, console: Console) -> None:
        """Print it: nothing, if no submission was graded again as it was."""
        self._close()
        if not (self.is_preview or self.was_regraded):
            return
        if self.is_preview:
            console.print("Preview: nothing has been written. What grading now would change:")
        else:
            console.print("Graded again with changed tests or settings. What has changed:")
        if self.rows:
            console.print(self._table())
        if self.more_rows:
            console.print(f"{self.more_rows} more changes: see them with --json FILE.")
        for assignment, totals in self._totals.items():
            console.print(f"{assignment}: {totals.in_words()}.", markup=False, soft_wrap=True)

    def _table(self) -> Table:
        table = Table("student", "exercise", "points", "why", box=None)
        table.columns[0].overflow = table.columns[1].overflow = "fold"
        for student, where, note, change in self.rows:
            points = f"{_points(change.old_score)} → {_points(change.new_score)}"
            if not change.moves:
                points = _points(change.new_score)
            why = f"{note}; {change.why}" if note else change.why
            table.add_row(escape(student), escape(where), points, escape(why))
        return table


def _points(score: float | None) -> str:
    return "a person" if score is None else f"{score:g}"
