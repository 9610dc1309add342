"""Recognise the cells of the instructor's in a submission: by grade id, by cell id, then by their
text.

Ids are a student's word: an id that the text contradicts is not believed. No cell is two of the
instructor's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from nbreferee.submission.board import CELL_ID, GRADE_ID, TEXT, Board
from nbreferee.submission.originals import Original
from nbreferee.submission.texts import lines_of, shared

ALIKE = 0.5  # share of lines, of either, that are the other's


def recognise(board: Board) -> None:
    """Find the instructor's cells among the submitted ones."""
    _by_grade_id(board)
    _by_cell_id(board)
    _by_text(board)
    _by_lines(board)


def _by_grade_id(board: Board) -> None:
    known = board.originals.known
    for number, cell in enumerate(board.cells):
        if cell.grade_id in known:
            board.match(number, known[cell.grade_id], GRADE_ID)
    defined = _defined_by_answers(board)
    for original in known.values():
        if original.is_answer:
            for number in [
                number
                for number in board.found(original)
                if _is_contradicted(board, number, original, defined)
            ]:
                board.unmatch(number)
            continue
        for number in board.found(original)[:-1]:
            board.repairs.append(f"cell {original.name} was there twice: the last one counts")
            board.unmatch(number)
            board.origin[number] = original


def _defined_by_answers(board: Board) -> dict[str, frozenset[str]]:
    """Return the names that the cells with the id of an answer define, by grade id; stubs do not
    count.
    """
    return {
        name: frozenset().union(*(board.names(number) for number in board.touched(answer)))
        for name, answer in board.originals.answers.items()
    }


def _is_contradicted(
    board: Board, number: int, answer: Original, defined: Mapping[str, frozenset[str]]
) -> bool:
    """Tell whether a cell that has the id of an answer is plainly another: a test, a text, or
    another answer.
    """
    text = board.texts[number]
    if not text or text == answer.text:
        return False
    same = [
        one for one in board.originals.by_text.get(text, ()) if one.is_known and not one.is_answer
    ]
    if same and (len(board.found(answer)) > 1 or not all(map(board.found, same))):
        return True
    wanted = board.originals.wanted
    names = board.names(number)
    if not wanted[answer.name] or names & wanted[answer.name]:
        return False
    return any(
        wanted[other] and wanted[other] <= names and not wanted[other] & defined[other]
        for other in wanted
        if other != answer.name
    )


def _by_cell_id(board: Board) -> None:
    defined = _defined_by_answers(board)
    counts = Counter(cell.cell_id for cell in board.cells)
    theirs = Counter(one.cell_id for one in board.originals.all)
    by_id = {
        one.cell_id: one for one in board.originals.all if one.cell_id and theirs[one.cell_id] == 1
    }
    for number, cell in enumerate(board.cells):
        original = by_id.get(cell.cell_id)
        if (
            original is None
            or counts[cell.cell_id] > 1
            or number in board.origin
            or board.found(original)
        ):
            continue
        if not (original.is_answer and _is_contradicted(board, number, original, defined)):
            board.match(number, original, CELL_ID)


def _by_text(board: Board) -> None:
    """Match cells whose text is as released; of several with one text, in their order."""
    for number, text in enumerate(board.texts):
        same = board.originals.by_text.get(text, ())
        if not same or number in board.origin or (len(same) > 1 and same[0].is_answer):
            continue
        free = [one for one in same if not board.found(one)]
        if free:
            board.match(number, free[0], TEXT)
        else:
            board.origin[number] = same[0]


def _by_lines(board: Board) -> None:
    """Match cells whose text is nearly that of a cell that is no answer, and note copies of such
    cells.
    """
    for number, text in enumerate(board.texts):
        if number in board.origin or not text:
            continue
        lines = board.lines[number]
        votes = Counter(
            one.cell.index
            for line in set(lines)
            if (one := board.originals.telling_lines.get(line))
        )
        for index, _ in votes.most_common(3):
            original = board.originals.all[index]
            theirs = lines_of(original.text)
            if original.is_answer or shared(theirs, lines) < ALIKE or shared(lines, theirs) < ALIKE:
                continue
            if board.found(original):
                board.origin[number] = original
            else:
                board.match(number, original, TEXT)
            break
