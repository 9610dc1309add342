"""The results of a cell and of a notebook, each written once.

The tester's answer carries a `CellVerdict`. What `--json` writes, what an executed notebook says of
its grading, and the rows of the gradebook are made from a `NotebookResult`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

CellStatus = Literal["passed", "partial", "failed", "error", "timeout", "manual", "grader_failed"]
# skipped: graded before, and unchanged since; grader_failed: a fault of ours
NotebookStatus = Literal["graded", "skipped", "missing", "unreadable", "grader_failed"]


@dataclass(frozen=True)
class CellVerdict:
    """The verdict on one cell that is scored."""

    grade_id: str
    status: CellStatus  # manual: a person reads it
    score: float
    max_score: float
    message: str  # why it lost points, as the student reads it
    # earlier answers in whose place the solution's stood for this result
    follow_through: tuple[str, ...] = ()
    in_one_process: bool = False  # the test ran together with the answer
    behaviour: str = ""  # a digest of what the answer gives to a test that fails
    is_unanswered: bool = False  # what a person reads is as released: it gets 0 points

    @property
    def automatic_score(self) -> float | None:
        """The score for the gradebook; None where a person has to give one."""
        return None if self.is_left_to_a_person and not self.is_unanswered else self.score

    @property
    def is_left_to_a_person(self) -> bool:
        """Whether the cell has no automatic score."""
        return self.status in ("manual", "grader_failed")

    @property
    def is_unsure(self) -> bool:
        """Whether this is an automatic test that was not scored; what a person reads anyway has no
        message.
        """
        return self.is_left_to_a_person and bool(self.message)


@dataclass(frozen=True)
class Cost:
    """What it took to grade a notebook."""

    wall_s: float = 0.0
    cells_run: int = 0  # of its code cells; the others were as before
    cell_walls: tuple[tuple[str, float], ...] = ()  # (grade id or '', seconds) of cells


NO_COST = Cost()


@dataclass(frozen=True)
class NotebookResult:
    """The result of one notebook of one submission."""

    status: NotebookStatus
    message: str = ""  # why it is not graded
    cells: tuple[CellVerdict, ...] = ()
    comments: Mapping[str, str | None] = field(default_factory=dict)  # the grader's, by grade id
    repairs: tuple[str, ...] = ()  # what had to be put right in the notebook first
    warnings: tuple[str, ...] = ()  # about the instructor's notebook
    cost: Cost = NO_COST


def verdict_as_json(verdict: CellVerdict) -> dict[str, Any]:
    """Return a verdict as `nbreferee autograde --json` and executed notebooks have it."""
    plain: dict[str, Any] = {
        "grade_id": verdict.grade_id,
        "status": verdict.status,
        "score": verdict.score,
        "max_score": verdict.max_score,
        "message": verdict.message,
    }
    if verdict.follow_through:
        plain["follow_through"] = list(verdict.follow_through)
    if verdict.in_one_process:
        plain["in_one_process"] = True
    if verdict.behaviour:
        plain["behaviour"] = verdict.behaviour
    if verdict.is_unanswered:
        plain["is_unanswered"] = True
    return plain


def read_verdict(plain: Mapping[str, Any]) -> CellVerdict:
    """Read what `verdict_as_json` has made.

    Raises
    ------
    TypeError
        if it is nothing like that.
    """
    return CellVerdict(**{**plain, "follow_through": tuple(plain.get("follow_through", ()))})


def read_verdicts(record: Mapping[str, Any]) -> dict[str, CellVerdict]:
    """Return the verdicts that an executed notebook holds in its metadata `nbreferee`, by grade id.

    What is no verdict is left out.
    """
    found = {}
    for plain in record.get("cells", ()):
        with contextlib.suppress(TypeError, ValueError, AttributeError):
            verdict = read_verdict(plain)
            found[verdict.grade_id] = verdict
    return found
