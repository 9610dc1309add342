"""What grading left in executed notebooks: verdicts, repairs and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nbreferee.grading.executed import read_executed
from nbreferee.verdicts import CellVerdict, read_verdicts


@dataclass(frozen=True)
class Record:
    """One executed notebook."""

    verdicts: Mapping[str, CellVerdict]  # by grade id
    repairs: tuple[str, ...]
    answers: Mapping[str, str]  # by grade id: the text of cells that a student fills
    in_words: frozenset[str] = frozenset()  # grade ids of answers that are no code

    @cached_property
    def messages(self) -> dict[str, str]:
        """The messages of tests, by grade id."""
        return {name: one.message for name, one in self.verdicts.items()}

    @cached_property
    def statuses(self) -> dict[str, str]:
        """The statuses of tests, by grade id."""
        return {name: one.status for name, one in self.verdicts.items()}


NOTHING = Record({}, (), {})


def read_record(path: Path) -> Record:
    """Return what an executed notebook says; nothing where it is no notebook of a grader."""
    try:
        notebook: Mapping[str, Any] = read_executed(path)
        kept = notebook["metadata"].get("nbreferee", {})
        answers = [found for cell in notebook["cells"] if (found := _answer(cell))]
        return Record(
            read_verdicts(kept),
            tuple(map(str, kept.get("repairs", ()))),
            {name: text for name, text, _ in answers},
            frozenset(name for name, _, kind in answers if kind != "code"),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return NOTHING


def _answer(cell: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return grade id, text and type of a cell that a student fills; None for another."""
    settings = cell["metadata"].get("nbgrader") or {}
    if not settings.get("solution"):
        return None
    source = cell["source"]
    text = "".join(source) if isinstance(source, list) else str(source)
    return str(settings["grade_id"]), text, str(cell["cell_type"])
