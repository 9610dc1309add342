"""The result of one cell, written once: JSON and the gradebook are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CellStatus = Literal["passed", "partial", "failed", "error", "timeout", "manual", "grader_failed"]


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
