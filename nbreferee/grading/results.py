"""Results of cells, written into the notebook of a submission, and as verdicts and comments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import nbformat

from nbreferee.engine.box_runner import CellResult
from nbreferee.submission.reading import well_formed
from nbreferee.submission.rebuild import Rebuilt
from nbreferee.verdicts import CellVerdict

SANDBOX_STAMP = "Graded without a sandbox: {}"
UNSURE = "the answer that this tests was not found for certain among the cells of the notebook"


def write_results(rebuilt: Rebuilt, came: Sequence[CellResult]) -> tuple[CellVerdict, ...]:
    """Write the results of the cells into the notebook; return the verdicts."""
    verdicts = []
    count = 0
    for cell, place, one in zip(rebuilt.notebook.cells, rebuilt.places, came, strict=True):
        if cell.cell_type == "code":
            count += 1
            cell.outputs = [nbformat.from_dict(output) for output in one.outputs]
            cell.execution_count = count
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
        known = place.cell
        if known is not None and known.is_test:
            if known.grade_id in rebuilt.unsure_tests and one.score < known.points:
                verdicts.append(CellVerdict(known.grade_id, "manual", 0.0, known.points, UNSURE))
                continue
            verdicts.append(verdict_of(one))
        elif known is not None and (known.graded or known.is_task):
            unanswered = known.graded and known.grade_id in rebuilt.unanswered
            verdicts.append(
                CellVerdict(
                    known.grade_id, "manual", 0.0, known.points, "", is_unanswered=unanswered
                )
            )
    return tuple(verdicts)


def verdict_of(came: CellResult) -> CellVerdict:
    """Return the verdict of a test that has run."""
    assert came.verdict is not None, "a test that has run has a verdict"
    return replace(came.verdict, message=well_formed(came.message))


def comments_of(rebuilt: Rebuilt, stamp: str) -> dict[str, str | None]:
    """Return the comments that nbgrader would give, by grade id."""
    known = [place.cell for place in rebuilt.places if place.cell is not None]
    return {
        cell.grade_id: " ".join(
            (["No response."] if cell.grade_id in rebuilt.unanswered else [])
            + ([SANDBOX_STAMP.format(stamp)] if stamp else [])
        )
        or None
        for cell in known
        if cell.solution or cell.is_task
    }
