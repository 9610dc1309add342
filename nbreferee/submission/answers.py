"""Find answers that are not in their own cells: by the names that they define, by lines of the
stub, by their place.

An answer place that has no answer is open. What a student wrote elsewhere and plainly belongs there
is moved there. Where that is not plain, nothing is moved, and the place is noted as unsure, for a
person to look at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nbreferee.submission.board import CELL_CHARACTERS, NAMES, PLACE, TEXT, Board, Piece
from nbreferee.submission.originals import Original
from nbreferee.submission.splitting import split_source
from nbreferee.submission.texts import defined_names, lines_of

ENOUGH = 0.5  # share of the names that an answer has to define


def find_answers(board: Board) -> None:
    """Fill open places from other cells."""
    _by_names(board)
    _from_merged(board)
    _by_stub_lines(board)
    _by_place(board)
    _beside(board)


def _by_names(board: Board) -> None:
    """Give open places the cells that define their names; a cell that defines those of several is
    taken apart.
    """
    texts = {number: text for number in range(len(board.cells)) if (text := board.own_text(number))}
    names = {
        n: board.names(n) if text == board.texts[n] else defined_names(text[:CELL_CHARACTERS])
        for n, text in texts.items()
    }
    takers: dict[int, list[Original]] = {}
    for answer in board.open_answers():
        wanted = board.originals.wanted[answer.name]
        cover = {number: found for number, defined in names.items() if (found := defined & wanted)}
        if cover and len(frozenset().union(*cover.values())) >= ENOUGH * len(wanted):
            for number in cover:
                takers.setdefault(number, []).append(answer)
    for number, answers in sorted(takers.items()):
        _give(board, number, texts[number], answers, NAMES)


def _from_merged(board: Board) -> None:
    """Take a cell apart that is one answer and holds another, whose place is open."""
    wanted = board.originals.wanted
    takers: dict[int, list[Original]] = {}
    for answer in board.open_answers():
        if not wanted[answer.name]:
            continue
        for other in board.originals.answers.values():
            numbers = [n for n in board.touched(other) if wanted[answer.name] <= board.names(n)]
            if other is not answer and numbers and other.name not in board.pieces:
                takers.setdefault(numbers[-1], [other]).append(answer)
                break
    for number, answers in sorted(takers.items()):
        _give(board, number, board.texts[number], answers, NAMES)


def _give(board: Board, number: int, text: str, answers: Sequence[Original], evidence: str) -> None:
    """Move a cell's text to the places of one or more answers."""
    answers = sorted(answers, key=lambda answer: answer.cell.index)
    home = board.origin.get(number)
    if len(answers) == 1:
        _take(board, number, text, answers[0], evidence)
    else:
        named = " and ".join(answer.name for answer in answers)
        board.left -= len(text)
        parts = board.left > 0 and split_source(
            text, {answer.name: board.originals.wanted[answer.name] for answer in answers}
        )
        if parts:
            board.repairs.append(f"the answers {named} were in one cell: taken apart")
        else:
            parts = {answer.name: f"# See the cell {answers[0].name}." for answer in answers} | {
                answers[0].name: text
            }
            board.repairs.append(
                f"the answers {named} were in one cell: all of it stands in {answers[0].name}"
            )
        for answer in answers:
            board.pieces.setdefault(answer.name, []).append(Piece(number, parts[answer.name]))
    if home is None or (home.is_answer and number in board.evidence):
        board.used.add(number)


def _take(board: Board, number: int, text: str, answer: Original, evidence: str) -> None:
    """Make a cell an answer: where the place has no cell, as that cell; else as its text."""
    home = board.origin.get(number)
    if home is None and not board.found(answer):
        board.match(number, answer, evidence)
        return
    if number in board.found(answer):  # a second cell, after the first one was matched
        return
    if (
        home is None
        and board.evidence.get(board.found(answer)[-1]) == evidence
        and not board.is_open(answer)
    ):
        board.match(number, answer, evidence)
        return
    where = (
        f"in cell {home.name}"
        if home is not None and home.name
        else f"in another cell (number {number + 1})"
    )
    board.repairs.append(f"the answer to {answer.name} was {where}: moved to its place")
    board.pieces.setdefault(answer.name, []).append(Piece(number, text))


def _by_stub_lines(board: Board) -> None:
    """Give places that have no cell those that kept lines which only their stub has."""
    for answer in board.open_answers():
        if board.found(answer):
            continue
        telling = {
            line
            for line in lines_of(answer.text)
            if board.originals.telling_lines.get(line) is answer
        }
        kept = Counter(
            {
                n: len(telling.intersection(board.lines[n]))
                for n in range(len(board.cells))
                if board.is_own(n)
            }
            if telling
            else {}
        )
        best = [number for number, count in kept.most_common(2) if count]
        if best and (len(best) == 1 or kept[best[0]] > kept[best[1]]):
            board.match(best[0], answer, TEXT)


def _by_place(board: Board) -> None:
    """Give places that have no cell the student's own cells between the same neighbours, where it
    is plain which is which.
    """
    for gap in list(board.gaps()):
        if not gap.originals or not gap.numbers:
            continue
        places: list[tuple[list[Original], list[int]]] = [
            (
                [one for one in gap.originals if one.kind == kind],
                [n for n in gap.numbers if board.cells[n].kind == kind],
            )
            for kind in ("code", "markdown")
        ]
        if sum(bool(answers) for answers, _ in places) == 1 and not any(
            answers and numbers for answers, numbers in places
        ):
            places = [
                (list(gap.originals), list(gap.numbers))
            ]  # of another type: changed by the student
        for answers, numbers in places:
            _pair(board, answers, numbers)


def _pair(board: Board, answers: list[Original], numbers: list[int]) -> None:
    if all(
        board.originals.wanted[answer.name] for answer in answers
    ):  # what defines nothing is none of these
        numbers = [number for number in numbers if board.names(number)]
    if not answers or not numbers:
        return
    if len(answers) == 1:
        for number in [n for n in numbers if board.is_own(n)] or numbers[-1:]:
            board.match(number, answers[0], PLACE)
    elif len(answers) == len(numbers):
        for answer, number in zip(answers, numbers, strict=True):
            board.match(number, answer, PLACE)
    else:
        board.unsure |= {answer.name for answer in answers}


def _beside(board: Board) -> None:
    """Give a place that is as released what the student wrote directly below or above it, where no
    test can tell.
    """
    for answer in board.open_answers():
        if answer.cell.is_answer or board.originals.wanted[answer.name]:
            continue
        before, after = board.around(answer)
        mine = [
            [n for n in numbers if board.cells[n].kind == answer.kind]
            for numbers in (after, before)
        ]
        numbers = next((some for some in mine if some), [])
        if not numbers:
            continue
        rivals = [
            one
            for one in board.open_answers()
            if one is not answer and one.kind == answer.kind and not one.cell.is_answer
        ]
        if any(
            set(numbers) & {near for side in board.around(one) for near in side} for one in rivals
        ):
            board.unsure.add(answer.name)
            continue
        for number in numbers:
            _take(board, number, board.texts[number], answer, PLACE)
            board.used.add(number)


def is_unanswered(board: Board, answer: Original) -> bool:
    """Tell whether it is certain that a student gave no answer: the place is as released, and
    nothing around it is the student's.
    """
    found = board.found(answer)
    if not board.is_open(answer) or answer.name in board.unsure or answer.is_its_solution:
        return False
    if any(
        board.texts[number] != answer.text or board.cells[number].attachments for number in found
    ):
        return False
    return not board.is_written_around(answer)
