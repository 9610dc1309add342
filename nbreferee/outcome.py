"""What became of one notebook of one submission, for a person and for `--json`."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field
from typing import Any

from nbreferee.gradebook import PenaltyError
from nbreferee.grading import CellVerdict, plain_verdict
from nbreferee.submission.folder import shown
from nbreferee.worker import Result


@dataclass(frozen=True)
class Outcome:
    """What came of one notebook of one submission."""

    student: str
    assignment: str
    notebook: str
    status: str  # graded, skipped (unchanged), missing, unreadable or grader_failed
    message: str = ""
    wall_s: float = 0.0
    repairs: tuple[str, ...] = ()
    cells: tuple[CellVerdict, ...] = ()
    warnings: tuple[str, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()  # on the submission: what else of it could not be read
    points: float = 0.0  # of the notebook, where it has no verdicts

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` writes it."""
        return {
            "student": shown(self.student), "assignment": self.assignment, "notebook": self.notebook, "status": self.status,
            "score": None if self.status == "grader_failed" and not self.cells else sum(cell.score for cell in self.cells),
            "max_score": sum(cell.max_score for cell in self.cells) or self.points,
            "wall_s": round(self.wall_s, 4), "repairs": [*self.repairs, *self.notes], "cells": [plain_verdict(cell) for cell in self.cells],
            "message": self.message,
        }  # fmt: skip


def failed_by_us(error: BaseException) -> Result:
    """Return the result of a notebook that the grader failed on."""
    ended = isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"  # Dask's, which need not be there
    if ended:
        why = "its worker has ended, perhaps for want of memory"
    elif isinstance(error, PenaltyError):
        why = str(error)
    elif isinstance(error, MemoryError):
        why = "there is not enough memory for it"
    else:
        why = f"{type(error).__name__}: {error}"
    return Result("grader_failed", f"the grader failed on it ({why})")
