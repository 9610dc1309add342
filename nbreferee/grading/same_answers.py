"""Which marks by hand still stand: those on answers that are as they were when they were graded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbreferee.grading.executed import read_executed, without_pictures


def same_answers(before: Path, after: bytes) -> frozenset[str]:
    """Return the grade ids that two executed notebooks have the same answers for.

    A test or a task has, where all that the student may write is the same.
    """
    try:
        old, new = read_executed(before)["cells"], json.loads(without_pictures(after))["cells"]
        answers = _answers(old)
        same = {name for name, source in _answers(new).items() if answers.get(name) == source}
        if _written(old) == _written(new):
            same |= {name for cell in new if (name := _settings(cell).get("grade_id"))}
        return frozenset(same)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # none, or no notebook
        return frozenset()


def _answers(cells: Sequence[Any]) -> dict[str, str]:
    """Return the text of each answer, by grade id."""
    return {
        str(_settings(cell)["grade_id"]): "".join(cell["source"])
        for cell in cells
        if _settings(cell).get("solution")
    }


def _written(cells: Sequence[Any]) -> list[str]:
    """Return the texts of the cells, but for those that the instructor's text stands in."""
    return ["".join(cell["source"]) for cell in cells if not _settings(cell).get("locked")]


def _settings(cell: Any) -> dict[str, Any]:
    found: dict[str, Any] = cell["metadata"].get("nbgrader") or {}
    return found
