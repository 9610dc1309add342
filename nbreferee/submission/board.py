"""What is known so far of which submitted cell is which of the instructor's: the state that
matching works on.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from nbreferee.submission.originals import Original, Originals
from nbreferee.submission.reading import Submitted
from nbreferee.submission.texts import defined_names, lines_of, normal, says_nothing, without

GRADE_ID, CELL_ID, TEXT, NAMES, PLACE = (
    "grade id",
    "cell id",
    "text",
    "the names defined there",
    "position",
)

CELL_CHARACTERS, NOTEBOOK_CHARACTERS = (
    20_000,
    1_000_000,
)  # that are looked into, for lines and names


@dataclass(frozen=True)
class Piece:
    """Text for one place, and the number of the submitted cell that it is from."""

    number: int
    source: str


@dataclass(frozen=True)
class Gap:
    """What is still unmatched between two cells that are matched."""

    originals: tuple[Original, ...]  # answers that have no cell
    numbers: tuple[int, ...]  # cells of the student's own


@dataclass
class Board:
    """The submitted cells, the instructor's, and what is which."""

    cells: Sequence[Submitted]
    originals: Originals
    evidence: dict[int, str] = field(
        default_factory=dict
    )  # by number of a cell: how it was recognised
    numbers: dict[str | int, list[int]] = field(
        default_factory=dict
    )  # by grade id, else index: the cells that are this one
    origin: dict[int, Original] = field(
        default_factory=dict
    )  # by number: what the cell is, or is a copy of
    pieces: dict[str, list[Piece]] = field(
        default_factory=dict
    )  # by grade id: answers from other cells
    used: set[int] = field(default_factory=set)  # cells whose text has gone to another place
    unsure: set[str] = field(default_factory=set)  # answers that may be in one of several cells
    repairs: list[str] = field(default_factory=list)
    left: int = 10 * CELL_CHARACTERS  # that may still be taken apart

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The text of every cell, see `normal`."""
        return tuple(normal(cell.source) for cell in self.cells)

    @cached_property
    def _read(self) -> tuple[str, ...]:
        """As much of the text of every cell as is looked into."""
        left = NOTEBOOK_CHARACTERS
        found = []
        for text in self.texts:
            found.append(text[: min(CELL_CHARACTERS, left)])
            left -= len(found[-1])
        return tuple(found)

    @cached_property
    def lines(self) -> tuple[tuple[str, ...], ...]:
        """The lines of every cell that hold more than punctuation."""
        return tuple(tuple(lines_of(text)) for text in self._read)

    @cached_property
    def _names(self) -> tuple[frozenset[str], ...]:
        return tuple(map(defined_names, self._read))

    @cached_property
    def _says_nothing(self) -> tuple[bool, ...]:
        return tuple(len(text) < CELL_CHARACTERS and says_nothing(text) for text in self._read)

    def match(self, number: int, original: Original, evidence: str) -> None:
        """Note that a cell is one of the instructor's."""
        self.numbers.setdefault(_key(original), []).append(number)
        self.evidence[number] = evidence
        self.origin[number] = original

    def unmatch(self, number: int) -> None:
        """Forget what a cell is."""
        original = self.origin.pop(number)
        del self.evidence[number]
        self.numbers[_key(original)].remove(number)

    def found(self, original: Original) -> list[int]:
        """Return the cells that are one of the instructor's, in order."""
        return self.numbers.get(_key(original), [])

    def is_own(self, number: int) -> bool:
        """Tell whether a cell is the student's own: neither one of the instructor's nor a copy of
        one, nor blank.
        """
        return (
            number not in self.origin
            and number not in self.used
            and bool(self.texts[number])
            and not self.is_stub(number)
        )

    def is_stub(self, number: int) -> bool:
        """Tell whether a cell has the text of a released answer cell."""
        return self.texts[number] in self.originals.stubs

    def is_changed(self, number: int) -> bool:
        """Tell whether a student wrote into a cell."""
        original = self.origin.get(number)
        if original is None:
            return self.is_own(number)
        # a notebook that has been rebuilt already, as nbgrader hands on, holds the hidden tests
        own = () if original.is_answer else (normal(original.cell.source),)
        return self.texts[number] not in ("", original.text, *own)

    def is_open(self, answer: Original) -> bool:
        """Tell whether a place for an answer has none: no cell, or only cells without one."""
        return answer.name not in self.pieces and not self.touched(answer)

    def touched(self, answer: Original) -> list[int]:
        """Return the cells of an answer that hold more than the stub, comments, or what stands for
        code to come.
        """
        untouched = ("", answer.text)
        numbers = [number for number in self.found(answer) if self.texts[number] not in untouched]
        return [
            number for number in numbers if not (answer.cell.is_code and self._says_nothing[number])
        ]

    def open_answers(self) -> list[Original]:
        """Return the places that have no answer yet."""
        return [answer for answer in self.originals.answers.values() if self.is_open(answer)]

    def own_text(self, number: int) -> str:
        """Return what a student wrote into a cell: of a cell of the instructor's what was added to
        it.
        """
        original = self.origin.get(number)
        if number in self.used or (
            original is not None and original.is_answer and number in self.evidence
        ):
            return ""
        text = self.texts[number]
        if original is None:
            return text
        return "" if text == original.text else without(text, [original.text])

    def names(self, number: int) -> frozenset[str]:
        """Return the names that a cell defines, of whichever type it is."""
        return self._names[number]

    def gaps(self) -> Iterator[Gap]:
        """Yield what is unmatched between matched cells that are in the instructor's order."""
        pairs = [
            (one.cell.index, self.found(one)[-1]) for one in self.originals.all if self.found(one)
        ]
        anchors = [(-1, -1), *_increasing(pairs), (len(self.originals.all), len(self.cells))]
        for (index, number), (next_index, next_number) in itertools.pairwise(anchors):
            between = self.originals.all[index + 1 : next_index]
            missing = tuple(
                one
                for one in between
                if one.is_answer and not self.found(one) and one.name not in self.pieces
            )
            own = tuple(
                n
                for n in range(number + 1, next_number)
                if self.is_own(n) or (n not in self.origin and self.is_stub(n))
            )
            if missing or own:
                yield Gap(missing, own)

    def around(self, answer: Original) -> tuple[list[int], list[int]]:
        """Return the student's own cells directly before and directly after the cell of an answer,
        up to a matched one.
        """
        if not self.found(answer):
            return [], []
        number = self.found(answer)[-1]
        return self._own_from(number, -1)[::-1], self._own_from(number, 1)

    def is_written_around(self, answer: Original) -> bool:
        """Tell whether a student wrote something that may be an answer.

        That is a cell of the student's own, of the same type unless tests tell by its names that it
        is no answer; a change between the nearest known cells, those included; and where the place
        has no cell, the answers before and after, for its text may have been put into one of them.
        """
        wanted = self.originals.wanted[answer.name]
        for number in filter(self.is_own, range(len(self.cells))):
            is_candidate = self.cells[number].kind == answer.kind and not (
                answer.cell.is_answer and wanted
            )
            if is_candidate or wanted & self.names(number):
                return True
        numbers = sorted(
            self.found(one)[-1]
            for one in self.originals.known.values()
            if one is not answer and self.found(one)
        )
        found = self.found(answer)
        if found:
            here = bisect_left(numbers, found[-1])
            around = range(
                numbers[here - 1] if here else 0,
                (numbers[here] if here < len(numbers) else len(self.cells) - 1) + 1,
            )
            return any(self.is_changed(number) for number in around if not self._is_answer(number))
        others = [
            one
            for one in self.originals.answers.values()
            if one.kind == answer.kind and self.found(one)
        ]
        before = [one for one in others if one.cell.index < answer.cell.index][-1:]
        after = [one for one in others if one.cell.index > answer.cell.index][:1]
        return any(self.is_changed(self.found(one)[-1]) for one in before + after)

    def _is_answer(self, number: int) -> bool:
        return number in self.evidence and self.origin[number].is_answer

    def _own_from(self, number: int, step: int) -> list[int]:
        found = []
        number += step
        while 0 <= number < len(self.cells) and number not in self.evidence:
            if self.is_own(number):
                found.append(number)
            number += step
        return found


def _key(original: Original) -> str | int:
    return original.name or original.cell.index


def _increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return a longest run of pairs, in order, whose second numbers increase as the first ones
    do.
    """
    ends: list[int] = []  # the least last number of a run of each length,
    at: list[int] = []  # and where in `pairs` it stands
    before: list[int] = []
    for place, (_, number) in enumerate(pairs):
        length = bisect_left(ends, number)
        before.append(at[length - 1] if length else -1)
        ends[length : length + 1] = [number]
        at[length : length + 1] = [place]
    run = []
    place = at[-1] if at else -1
    while place >= 0:
        run.append(pairs[place])
        place = before[place]
    return run[::-1]
