"""What became of one notebook of one submission, for a person and for `--json`."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from typing import Any

from nbreferee.grading.changes import Comparison
from nbreferee.grading.gradebook import PenaltyError
from nbreferee.grading.task import TaskResult
from nbreferee.submission.folder import shown
from nbreferee.unforeseen import details
from nbreferee.verdicts import CellVerdict, NotebookResult, NotebookStatus, verdict_as_json


@dataclass(frozen=True)
class NotebookOutcome:
    """The result of one notebook of one submission."""

    student: str
    assignment: str
    notebook: str
    result: NotebookResult
    notes: tuple[str, ...] = ()  # on the submission: what else of it could not be read
    points: float = 0.0  # of the notebook, where it has no verdicts
    comparison: Comparison | None = None  # with the earlier run, if it was graded before

    @property
    def status(self) -> NotebookStatus:
        """Whether it is graded, or why not."""
        return self.result.status

    @property
    def message(self) -> str:
        """Why it is not graded, and what follows from that."""
        return self.result.message

    @property
    def cells(self) -> tuple[CellVerdict, ...]:
        """The verdicts on its cells."""
        return self.result.cells

    @property
    def repairs(self) -> tuple[str, ...]:
        """What had to be put right in the submission."""
        return self.result.repairs

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` writes it."""
        return {
            "student": shown(self.student),
            "assignment": self.assignment,
            "notebook": self.notebook,
            "status": self.status,
            "score": None
            if self.status == "grader_failed" and not self.cells
            else sum(cell.score for cell in self.cells),
            "max_score": sum(cell.max_score for cell in self.cells) or self.points,
            "wall_s": round(self.result.cost.wall_s, 4),
            "repairs": [*self.repairs, *self.notes],
            "cells": [verdict_as_json(cell) for cell in self.cells],
            "message": self.message,
            "cells_run": self.result.cost.cells_run,
            **self._comparison_as_json(),
        }

    def _comparison_as_json(self) -> dict[str, Any]:
        if self.comparison is None:
            return {}
        return {
            "old_points": self.comparison.old_points,
            "new_points": self.comparison.new_points,
            "changes": [change.as_json() for change in self.comparison.changes],
        }


class Failures:
    """Makes results of errors of the grader; writes the traceback of each kind of error into a
    file, once.
    """

    def __init__(self) -> None:
        self._details: dict[str, str] = {}  # by kind and text of the error

    def result(self, error: BaseException) -> TaskResult:
        """Return the result of a notebook that the grader failed on."""
        if (
            isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"
        ):  # Dask's, which need not be there
            return _failed("its worker has ended, perhaps for want of memory")
        if isinstance(error, MemoryError):
            return _failed("there is not enough memory for it")
        first = next(iter(str(error).splitlines()), "")[:200]
        why = first if isinstance(error, PenaltyError) else f"{type(error).__name__}: {first}"
        if why not in self._details:
            self._details[why] = details(error).removesuffix(".")
        return _failed(f"{why}. {self._details[why]}")


def _failed(why: str) -> TaskResult:
    return TaskResult(NotebookResult("grader_failed", f"the grader failed on it ({why})"))
