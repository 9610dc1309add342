"""What a graded notebook's own record says of its tests: messages, and how they were judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    return {
        str(cell.get("grade_id", "")): _judged(cell)
        for cell in record.get("cells", ())
        if isinstance(cell, Mapping)
    }


def _judged(cell: Mapping[str, Any]) -> Judged:
    message = str(cell.get("message") or "")
    return Judged(message, (ONE_PROCESS,) if cell.get("in_one_process") and message else ())
