"""A submission, rebuilt from the master.

Of a notebook only the text of cells is used, and the ids that say which is which; every locked or
graded cell is the instructor's own, whatever the submission makes of it. Each change is a repair,
in words for a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from nbreferee.course.ownership import role_of
from nbreferee.course.rules import released_view
from nbreferee.course.source import Cell, Master
from nbreferee.submission.board import Piece
from nbreferee.submission.matching import match_cells
from nbreferee.submission.originals import Originals, Released
from nbreferee.submission.reading import Submitted, read_notebook, well_formed

ATTACHMENT_CHARACTERS = 20_000_000  # of one notebook


@dataclass(frozen=True)
class RebuiltCell:
    """One cell of a rebuilt notebook: which of the master's it is, and those the tester passes on
    the way.
    """

    cell: Cell | None  # None: one that the student added
    passed: tuple[int, ...] = ()  # indices of the master's free cells before it


@dataclass(frozen=True)
class Rebuilt:
    """A submission in order: its notebook, and for every cell its place in the master."""

    notebook: NotebookNode
    places: tuple[RebuiltCell, ...]
    repairs: tuple[str, ...]
    unanswered: frozenset[str] = frozenset()  # answers that are certainly not there, by grade id
    unsure_tests: frozenset[str] = (
        frozenset()
    )  # tests of answers that may be in one of several other cells


def rebuild(originals: Originals, data: bytes) -> Rebuilt:
    """Put a submission's cells into their places in the master.

    Cells that nbgrader knows come in the master's order; what the student added stays behind the
    cell that it followed.

    Raises
    ------
    SubmissionError
        where the bytes are no notebook.
    """
    reading = read_notebook(data)
    master, released = originals.master, originals.released
    matching = match_cells(reading.cells, originals)
    submitted = matching.submitted
    repairs = [*reading.repairs, *matching.repairs]
    cells: list[NotebookNode] = []
    places: list[RebuiltCell] = []

    def append(kind: str, source: str, attachments: Mapping[str, Any]) -> None:
        cells.append(_new_cell(kind, source, attachments))
        places.append(RebuiltCell(None))

    def append_added(after: str) -> None:
        for number in matching.added.get(after, ()):
            append(submitted[number].kind, submitted[number].source, submitted[number].attachments)

    append_added("")
    passed: list[int] = []
    for cell in master.cells:
        if not cell.is_known:
            passed += [cell.index] if role_of(cell) == "free" else []
            continue
        *before, mine = matching.answers.get(cell.grade_id, (None,))
        for piece in before:
            append("code", piece.source, {})
        original = released.get(cell.grade_id, Released(cell.source, ""))
        if cell.grade_id in matching.unanswered:
            mine = None
        elif cell.solution and (mine is None or mine.source == original.source):
            original = Released(
                original.source, ""
            )  # nbgrader gives no points where text and checksum are as released
        repairs += _repairs(
            cell,
            original,
            submitted[matching.cells[cell.grade_id]] if cell.grade_id in matching.cells else None,
            mine,
        )
        cells.append(
            _known_cell(
                cell,
                original,
                mine.source if mine else None,
                submitted[mine.number].attachments if mine else {},
            )
        )
        places.append(RebuiltCell(cell, tuple(passed)))
        passed = []
        append_added(cell.grade_id)
    notebook = NotebookNode(
        nbformat=4, nbformat_minor=5, metadata=_notebook_metadata(master), cells=cells
    )
    for number, made in enumerate(cells):
        made["id"] = f"cell-{number + 1}"
    unsure = [cell.index for cell in master.cells if cell.grade_id in matching.unsure]
    tests = frozenset(test.grade_id for index in unsure for test in master.affected_tests(index))
    return Rebuilt(notebook, tuple(places), tuple(repairs), matching.unanswered, tests)


def _repairs(
    cell: Cell, original: Released, submitted: Submitted | None, answer: Piece | None
) -> list[str]:
    """Return what had to be put right in one cell that nbgrader knows."""
    if submitted is None:
        return [] if answer else [f"cell {cell.grade_id} was missing: put back"]
    repairs = []
    if submitted.kind != ("code" if cell.is_code else "markdown"):
        repairs.append(f"cell {cell.grade_id} had become {submitted.kind}: turned back")
    if not cell.solution and submitted.source != released_view(original.source, cell.delimiters):
        repairs.append(f"cell {cell.grade_id} had been changed: the instructor's own is used")
    return repairs


def _known_cell(
    cell: Cell, original: Released, answer: str | None, attachments: Mapping[str, Any]
) -> NotebookNode:
    new = _new_cell(
        "code" if cell.is_code else "markdown",
        original.source if answer is None else answer,
        attachments,
    )
    if answer is None and cell.attachments and not cell.is_code:
        new["attachments"] = cell.attachments
    new.metadata["nbgrader"] = NotebookNode(
        {**cell.settings, "checksum": original.checksum, "cell_type": new.cell_type}
    )
    if not cell.solution:
        new.metadata.update(deletable=False, editable=False)
    return new


def _new_cell(kind: str, source: str, attachments: Mapping[str, Any]) -> NotebookNode:
    # nbformat.v4.new_code_cell would check every cell by itself; all are when they are written.
    new = NotebookNode(cell_type=kind, id="", metadata=NotebookNode(), source=source)
    if kind == "code":
        new.update(execution_count=None, outputs=[])
        return new
    kept = {
        well_formed(name): {
            mime: data
            for mime, data in bundle.items()
            if isinstance(mime, str) and mime.startswith("image/") and isinstance(data, str)
        }
        for name, bundle in attachments.items()
        if isinstance(name, str)
        and isinstance(bundle, dict)
        and len(str(bundle)) < ATTACHMENT_CHARACTERS
    }
    if kept:
        new["attachments"] = NotebookNode(kept)
    return new


def _notebook_metadata(master: Master) -> NotebookNode:
    return NotebookNode(
        {
            name: master.notebook.metadata[name]
            for name in ("kernelspec", "language_info")
            if name in master.notebook.metadata
        }
    )
