"""A submission, rebuilt from the master.

Of a notebook only the text of cells is used, and the ids that say which is which; every locked or graded cell
is the instructor's own, whatever the submission makes of it. Each change is a repair, in words for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from nbreferee.master import Cell, Master
from nbreferee.plan import role_of
from nbreferee.rules import released_view
from nbreferee.submission.originals import Released
from nbreferee.submission.reading import Submitted, read_notebook, well_formed

ATTACHMENT_CHARACTERS = 20_000_000  # of one notebook


@dataclass(frozen=True)
class Place:
    """One cell of a rebuilt notebook: which of the master's it is, and those the tester passes on the way."""

    cell: Cell | None  # None: one that the student added
    passed: tuple[int, ...] = ()  # indices of the master's free cells before it


@dataclass(frozen=True)
class Rebuilt:
    """A submission in order: its notebook, and for every cell its place in the master."""

    notebook: NotebookNode
    places: tuple[Place, ...]
    repairs: tuple[str, ...]


def rebuild(master: Master, released: Mapping[str, Released], data: bytes) -> Rebuilt:
    """Put a submission's cells into their places in the master.

    Cells that nbgrader knows come in the master's order; what the student added stays behind the cell
    that it followed.

    Raises
    ------
    SubmissionError
        where the bytes are no notebook.
    """
    reading = read_notebook(data)
    submitted = reading.cells
    known = {cell.grade_id: cell for cell in master.cells if cell.grade_id and (cell.graded or cell.solution or cell.locked or cell.is_task)}
    matched, repairs = match(submitted, known)
    repairs[:0] = reading.repairs
    added: dict[str, list[Submitted]] = {"": []}
    anchor = ""
    for number, cell in enumerate(submitted):
        if matched.get(cell.grade_id) == number:
            anchor = cell.grade_id
            added[anchor] = []
        else:
            added[anchor].append(cell)
    cells: list[NotebookNode] = []
    places: list[Place] = []

    def append_added(after: str) -> None:
        for cell in added.get(after, ()):
            cells.append(_new_cell(cell.kind, cell.source, cell.attachments))
            places.append(Place(None))

    append_added("")
    passed: list[int] = []
    for cell in master.cells:
        if cell.grade_id not in known:
            passed += [cell.index] if role_of(cell) == "free" else []
            continue
        original = released.get(cell.grade_id, Released(cell.source, ""))
        number = matched.get(cell.grade_id)
        if number is None:
            repairs.append(f"cell {cell.grade_id} was missing: put back")
        mine = submitted[number] if number is not None and cell.solution else None
        if number is not None and submitted[number].kind != ("code" if cell.is_code else "markdown"):
            repairs.append(f"cell {cell.grade_id} had become {submitted[number].kind}: turned back")
        if number is not None and not cell.solution and submitted[number].source != released_view(original.source, master.delimiters):
            repairs.append(f"cell {cell.grade_id} had been changed: the instructor's own is used")
        cells.append(_known_cell(cell, original, mine))
        places.append(Place(cell, tuple(passed)))
        passed = []
        append_added(cell.grade_id)
    notebook = NotebookNode(nbformat=4, nbformat_minor=5, metadata=_notebook_metadata(master), cells=cells)
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number + 1}"
    return Rebuilt(notebook, tuple(places), tuple(repairs))


def match(submitted: Sequence[Submitted], known: Mapping[str, Cell]) -> tuple[dict[str, int], list[str]]:
    """Return which submitted cell each known one is, by grade id, the last of several; and the repairs."""
    matched: dict[str, int] = {}
    repairs = []
    for number, cell in enumerate(submitted):
        if cell.grade_id in known:
            if cell.grade_id in matched:
                repairs.append(f"cell {cell.grade_id} was there twice: the last one counts")
            matched[cell.grade_id] = number
    order = [known[grade_id].index for grade_id, _ in sorted(matched.items(), key=lambda pair: pair[1])]
    if order != sorted(order):
        repairs.append("cells were in another order: put back")
    return matched, repairs


def _known_cell(cell: Cell, original: Released, mine: Submitted | None) -> NotebookNode:
    source = mine.source if mine is not None else original.source
    new = _new_cell("code" if cell.is_code else "markdown", source, mine.attachments if mine else {})
    if mine is None and cell.attachments and not cell.is_code:
        new["attachments"] = cell.attachments
    new.metadata["nbgrader"] = NotebookNode({**cell.settings, "checksum": original.checksum, "cell_type": new.cell_type})
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
        well_formed(name): {mime: data for mime, data in bundle.items() if isinstance(mime, str) and mime.startswith("image/") and isinstance(data, str)}
        for name, bundle in attachments.items()
        if isinstance(name, str) and isinstance(bundle, dict) and len(str(bundle)) < ATTACHMENT_CHARACTERS
    }
    if kept:
        new["attachments"] = NotebookNode(kept)
    return new


def _notebook_metadata(master: Master) -> NotebookNode:
    return NotebookNode({name: master.notebook.metadata[name] for name in ("kernelspec", "language_info") if name in master.notebook.metadata})
