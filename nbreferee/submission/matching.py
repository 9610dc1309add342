"""Which submitted cell is which of the instructor's, and what was repaired to tell.

In this order: what the ids say, what the text says (`recognising`), answers in other places
(`answers`), then the pieces of every answer. A cell goes to one place only. What a student added
never replaces a test or a locked cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nbreferee.submission.answers import find_answers, is_unanswered
from nbreferee.submission.board import (
    CELL_ID,
    GRADE_ID,
    NAMES,
    NOTEBOOK_CHARACTERS,
    PLACE,
    TEXT,
    Board,
    Piece,
)
from nbreferee.submission.originals import Original, Originals
from nbreferee.submission.reading import Submitted
from nbreferee.submission.recognising import recognise
from nbreferee.submission.splitting import are_halves
from nbreferee.submission.texts import normal

NAMED_CELLS = 4  # in one repair
REPAIRS = 200  # that are told one by one


@dataclass(frozen=True)
class Matching:
    """Where every submitted cell goes."""

    submitted: tuple[
        Submitted, ...
    ]  # the cells, halves put together; numbers below are places in it
    cells: Mapping[str, int]  # by grade id: which submitted cell stands in the place of a known one
    answers: Mapping[
        str, tuple[Piece, ...]
    ]  # by grade id: the text of an answer; the last piece is its cell, the others run before it
    added: Mapping[
        str, tuple[int, ...]
    ]  # by grade id: the student's own cells after it; '' for those at the top
    repairs: tuple[str, ...]
    unanswered: frozenset[str]  # answers that are certainly not there
    unsure: frozenset[str]  # answers that may be in one of several other cells


def match_cells(cells: Sequence[Submitted], originals: Originals) -> Matching:
    """Decide which submitted cell is which of the instructor's."""
    whole, repairs = _put_together(cells, originals)
    board = Board(whole, originals)
    recognise(board)
    find_answers(board)
    _match_stubs(board)
    unanswered = frozenset(
        name for name, answer in originals.answers.items() if is_unanswered(board, answer)
    )
    board.repairs[:0] = [*repairs, *_recognised(board)]
    answers = {
        name: pieces
        for name, answer in originals.answers.items()
        if (pieces := _pieces(board, answer))
    }
    places = {
        name: board.found(original)[-1]
        for name, original in originals.known.items()
        if board.found(original)
    }
    order = [
        originals.known[name].cell.index for name in sorted(places, key=lambda name: places[name])
    ]
    if order != sorted(order):
        board.repairs.append("cells were in another order: put back")
    for name in sorted(board.unsure):
        board.repairs.append(f"cell {name} was not found for certain: look at the cells around it")
    more = len(board.repairs) - REPAIRS
    repairs = [
        *board.repairs[:REPAIRS],
        *([f"{more} more cells were repaired"] if more > 0 else []),
    ]
    return Matching(
        whole,
        places,
        answers,
        _added(board, places),
        tuple(repairs),
        unanswered,
        frozenset(board.unsure),
    )


def _put_together(
    cells: Sequence[Submitted], originals: Originals
) -> tuple[tuple[Submitted, ...], list[str]]:
    """Return the cells with halves of a code cell that was split within a statement put together,
    and the repairs.
    """
    whole: list[Submitted] = []
    repairs = []
    left = NOTEBOOK_CHARACTERS
    for number, cell in enumerate(cells):
        first = whole[-1] if whole and left > 0 else None
        left -= len(cell.source)
        if (
            first
            and _may_be_halves(first, cell, originals)
            and are_halves(first.source, cell.source)
        ):
            both = f"{first.source}\n{cell.source}"
            whole[-1] = replace(
                first,
                source=both,
                grade_id=first.grade_id or cell.grade_id,
                cell_id=first.cell_id or cell.cell_id,
            )
            repairs.append(
                f"cells {number} and {number + 1} were one that had been split within a "
                "statement: put together"
            )
        else:
            whole.append(cell)
    return tuple(whole), repairs


def _may_be_halves(first: Submitted, second: Submitted, originals: Originals) -> bool:
    """Tell whether two cells are code of the student's, one of them perhaps turned into text."""
    if first.kind != second.kind or any(
        normal(one.source) in originals.by_text for one in (first, second)
    ):
        return False
    ids = {first.grade_id, second.grade_id}
    return first.kind == "code" or any(
        name in ids and one.cell.is_code for name, one in originals.answers.items()
    )


def _match_stubs(board: Board) -> None:
    """Match cells with a text that several answer cells were released with; leave out copies that
    are too many.
    """
    for number in range(len(board.cells)):
        if number in board.origin or number in board.used or not board.is_stub(number):
            continue
        same = [one for one in board.originals.by_text[board.texts[number]] if one.is_answer]
        free = [one for one in same if not board.found(one) and one.name not in board.pieces]
        if free:
            board.match(number, free[0], TEXT)
        else:
            board.origin[number] = same[0]
    for number, original in board.origin.items():
        if number not in board.evidence and original.is_answer:
            board.used.add(number)
            board.repairs.append(f"an untouched copy of cell {original.name} was left out")


def _recognised(board: Board) -> list[str]:
    """Return repairs for cells that were not recognised by their grade ids."""
    repairs = []
    for evidence in (CELL_ID, TEXT, NAMES, PLACE):
        names = [
            one.name
            for one in board.originals.known.values()
            if any(board.evidence[n] == evidence for n in board.found(one))
        ]
        if names:
            more = len(names) - NAMED_CELLS
            others = f" and {more} more" if more > 0 else ""
            cells = (
                f"cell {names[0]} was"
                if len(names) == 1
                else f"cells {', '.join(names[:NAMED_CELLS])}{others} were"
            )
            repairs.append(
                f"{cells} without {'its' if len(names) == 1 else 'their'} grade id: recognised by "
                f"{evidence}"
            )
    return repairs


def _pieces(board: Board, answer: Original) -> tuple[Piece, ...]:
    """Return the text of an answer, in pieces that run one after another; empty where there is
    none.
    """
    if answer.name in board.pieces:
        pieces = board.pieces[answer.name]
        return tuple(pieces) if answer.cell.is_code else (_as_text(pieces),)
    numbers = _without_copies(board, answer)
    if not numbers:
        return ()
    if not answer.cell.is_code:
        return (_as_text([_piece(board, number) for number in numbers]),)
    return tuple(_piece(board, number) for number in numbers)


def _without_copies(board: Board, answer: Original) -> list[int]:
    """Return the cells of an answer but for untouched and equal ones; the last one of each is
    kept.
    """
    numbers = board.found(answer)
    claims = [number for number in numbers if board.evidence[number] == GRADE_ID]
    touched = board.touched(answer)
    kept = list({board.texts[number]: number for number in touched or numbers}.values())
    kept = sorted(kept) if touched else kept[-1:]
    if len(claims) > 1:
        if touched and len(touched) < len(numbers):
            board.repairs.append(
                f"cell {answer.name} was there {_times(len(claims))}: the untouched copy was left "
                "out"
            )
        elif len(kept) > 1 and not answer.cell.is_code:
            board.repairs.append(
                f"cell {answer.name} was there {_times(len(claims))}: all texts are kept"
            )
        else:
            board.repairs.append(
                f"cell {answer.name} was there {_times(len(claims))}: the last one counts"
            )
    return kept


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def _piece(board: Board, number: int) -> Piece:
    return Piece(number, board.cells[number].source)


def _as_text(pieces: Sequence[Piece]) -> Piece:
    return (
        pieces[0]
        if len(pieces) == 1
        else Piece(pieces[-1].number, "\n\n".join(piece.source for piece in pieces))
    )


def _added(board: Board, places: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Return the student's own cells by the known cell that they follow."""
    names = {number: name for name, number in places.items()}
    answers = {number for name in board.originals.answers for number in board.numbers.get(name, ())}
    added: dict[str, list[int]] = {"": []}
    anchor = ""
    for number in range(len(board.cells)):
        if number in names:
            anchor = names[number]
            added[anchor] = []
        elif number not in answers and number not in board.used:
            added[anchor].append(number)
    return {name: tuple(numbers) for name, numbers in added.items()}
