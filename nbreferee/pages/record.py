"""What a graded notebook's own record says of its tests: messages, and how they were judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nbreferee.verdicts import CellVerdict, read_verdicts

ONE_PROCESS = (
    "This test ran together with your code, so it can say less than others about what went wrong."
)


@dataclass(frozen=True)
class Judged:
    """One graded cell: the message of the test, and notes that are no part of it."""

    message: str = ""
    notes: tuple[str, ...] = ()


def read_record(record: Mapping[str, Any]) -> dict[str, Judged]:
    """Return what the record of a graded notebook (its metadata `nbreferee`) says, by grade id."""
    return {name: _judged(verdict) for name, verdict in read_verdicts(record).items()}


def _judged(verdict: CellVerdict) -> Judged:
    notes = (ONE_PROCESS,) if verdict.in_one_process and verdict.message else ()
    return Judged(verdict.message, notes)
