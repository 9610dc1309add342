"""One trial of an answer, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbreferee.engine.box_runner import CellResult, CellToRun


@dataclass(frozen=True, eq=False)
class Start:
    """Files and cells that come before the notebook's, once for all trials that start so."""

    files: Mapping[str, bytes] = field(repr=False)
    cells: tuple[CellToRun, ...]


@dataclass(frozen=True)
class Trial:
    """Cells of a notebook, with an answer to be tried among them."""

    key: Any
    parts: list[CellToRun] = field(repr=False)
    # the cell before which it starts, where all cells before are the solution's; None: at the
    # beginning of the notebook
    at: int | None = None
    start: Start | None = None  # what comes first, of one at the beginning of the notebook
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)  # that are handed in
    limit_s: float | None = None  # for one cell; None: what students have
    until_loss: bool = False  # whether the first test that costs points ends it
    is_control: bool = False  # where it loses points, others that start there say nothing


@dataclass(frozen=True)
class TrialResult:
    """The results of the cells of a trial, each with the cell's index, up to where it has ended;
    none where answers that start there cannot be judged.
    """

    key: Any
    ran: list[tuple[int, CellResult]]


def is_wrong(result: CellResult) -> bool:
    """Tell whether a test has cost points; one that a person has to look at has not."""
    verdict = result.verdict
    return (
        verdict is not None
        and verdict.score < verdict.max_score
        and not verdict.is_left_to_a_person
    )
