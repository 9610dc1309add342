"""The result of one cell, written once: JSON and the gradebook are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

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
    return plain


def read_verdict(plain: Mapping[str, Any]) -> CellVerdict:
    """Read what `verdict_as_json` has made.

    Raises
    ------
    TypeError
        if it is nothing like that.
    """
    return CellVerdict(**{**plain, "follow_through": tuple(plain.get("follow_through", ()))})
