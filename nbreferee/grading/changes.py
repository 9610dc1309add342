"""What grading again changes for a student: points of cells, and what a wrong answer is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypedDict

from nbreferee.verdicts import CellVerdict, NotebookResult

# Of a long message in the comparison: which function, then result and likely cause.
START_CHARACTERS, END_CHARACTERS = 80, 220


class PlainChange(TypedDict):
    """A change as `--json` writes it."""

    grade_id: str
    max_score: float
    old_score: float | None
    new_score: float | None
    old_message: str
    new_message: str
    manual_score: float | None


@dataclass(frozen=True)
class OldScore:
    """What the gradebook has for one cell; None where nobody has given a score."""

    auto: float | None
    manual: float | None

    @property
    def counted(self) -> float:
        """The points that count: those given by hand, if there are any."""
        return (self.auto or 0.0) if self.manual is None else self.manual


@dataclass(frozen=True)
class CellChange:
    """One graded cell whose automatic score or message changes."""

    grade_id: str
    max_score: float
    old_score: float | None  # None: left to a person
    new_score: float | None
    old_message: str
    new_message: str
    manual_score: float | None = None  # given by hand: it stays, whatever the test gives

    @property
    def moves(self) -> bool:
        """Whether the automatic score changes."""
        return self.old_score != self.new_score

    @property
    def why(self) -> str:
        """The reason, in words."""
        if not self.moves:
            before = self.old_message or "nothing"
            text = f"now told: {self.new_message or 'nothing'} (before: {before})"
        elif self.new_score is None:
            text = self.new_message or "left to a person"
        elif self.new_score >= self.max_score:
            text = f"passes now (before: {self.old_message or 'no message'})"
        else:
            text = self.new_message or "no message"
        if self.manual_score is None:
            return text
        return f"the mark of {self.manual_score:g} given by hand stays; {text}"

    def as_json(self) -> PlainChange:
        """Return it as `--json` writes it."""
        return {
            "grade_id": self.grade_id,
            "max_score": self.max_score,
            "old_score": self.old_score,
            "new_score": self.new_score,
            "old_message": self.old_message,
            "new_message": self.new_message,
            "manual_score": self.manual_score,
        }


@dataclass(frozen=True)
class Comparison:
    """A notebook that was graded before, and what it gets now."""

    changes: tuple[CellChange, ...]
    old_points: float  # that count, before late penalties
    new_points: float
    is_same_submission: bool  # what the student handed in is what was graded before


def compare(
    before: Iterable[CellVerdict],
    now: NotebookResult,
    points: Mapping[str, OldScore],
    *,
    is_same_submission: bool,
) -> Comparison:
    """Compare what one notebook had with what it gets.

    Parameters
    ----------
    before
        The verdicts of the earlier run; empty if its executed notebook is not there.
    now
        What the notebook gets: zeros if it is not graded.
    points
        What the gradebook has, by grade id.
    """
    told = {one.grade_id: one for one in before}
    verdicts = {one.grade_id: one for one in now.cells}
    is_graded = now.status == "graded"
    changes = []
    new_points = 0.0
    for grade_id, old in points.items():
        verdict, earlier = verdicts.get(grade_id), told.get(grade_id)
        score = (verdict.automatic_score if verdict else old.auto) if is_graded else 0.0
        new_points += (score or 0.0) if old.manual is None else old.manual
        message = verdict.message if verdict else "" if is_graded else "not handed in"
        known = verdict or earlier
        change = CellChange(
            grade_id,
            known.max_score if known else old.counted,
            old.auto,
            score,
            _short(earlier.message if earlier else ""),
            _short(message),
            old.manual,
        )
        retold = verdict is not None and earlier is not None and message != earlier.message
        if change.moves or retold:
            changes.append(change)
    old_points = sum(one.counted for one in points.values())
    return Comparison(tuple(changes), old_points, new_points, is_same_submission)


def _short(message: str) -> str:
    text = " ".join(message.split())
    if len(text) <= START_CHARACTERS + END_CHARACTERS:
        return text
    return f"{text[:START_CHARACTERS]} … {text[-END_CHARACTERS:]}"
