"""An executed notebook as exercises, with what lies between them.

An exercise is what a student answers, and the graded cells that belong to it. Its name is the
nearest heading of the instructor's above it; where one heading stands above several answers with
tests of their own, each is named by its grade id. No rule of one course is used: cells, headings
and grade ids are all that counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

RIGHT, PARTLY, WRONG, NOT_WRITTEN, WAITS = "right", "partly right", "wrong", "not written", "waits"
_STUB_WORDS = ("NotImplementedError", "is not written yet", "is not written.")


@dataclass(frozen=True)
class Mark:
    """What the gradebook holds for one graded cell."""

    score: float
    points: float
    waits: bool = False  # nobody has decided yet
    is_by_hand: bool = False
    extra: float = 0.0


@dataclass(frozen=True)
class PageCell:
    """One cell of the executed notebook."""

    number: int  # from 1
    kind: str  # code, markdown or raw
    source: str
    outputs: Sequence[Mapping[str, Any]]
    attachments: Mapping[str, Any]
    settings: Mapping[str, Any]  # nbgrader's
    is_instructors: bool

    @property
    def grade_id(self) -> str:
        """The cell's name; empty where nbgrader does not know the cell."""
        return str(self.settings.get("grade_id", ""))

    @property
    def is_answer(self) -> bool:
        """Whether the student writes here."""
        return bool(self.settings.get("solution") or self.settings.get("task"))

    @property
    def is_graded(self) -> bool:
        """Whether it has points."""
        return bool(self.settings.get("grade") or self.settings.get("task"))

    @property
    def is_test(self) -> bool:
        """Whether it tests an answer."""
        return bool(self.settings.get("grade")) and not self.is_answer


@dataclass(frozen=True)
class Part:
    """One graded cell of an exercise."""

    cell: PageCell
    mark: Mark
    message: str = ""
    notes: tuple[str, ...] = ()  # on how it was judged


@dataclass
class Exercise:
    """An answer, or several, with all that belongs to it."""

    heading: PageCell | None  # the cell whose last heading names it
    is_split: bool = False  # its heading names other exercises as well
    task: list[PageCell] = field(default_factory=list)
    work: list[PageCell] = field(default_factory=list)  # answers, tests and the cells between them
    parts: list[Part] = field(default_factory=list)
    unwritten: frozenset[str] = frozenset()  # grade ids of answers that were left as released

    @property
    def answers(self) -> list[PageCell]:
        """The cells that the student fills."""
        return [cell for cell in self.work if cell.is_answer]

    @property
    def grade_ids(self) -> list[str]:
        """The names of its answers, or else of its tests."""
        return [cell.grade_id for cell in (self.answers or [part.cell for part in self.parts])]

    @property
    def decided(self) -> tuple[float, float]:
        """Score and points of what has been decided."""
        marks = [part.mark for part in self.parts if not part.mark.waits]
        return sum(one.score for one in marks), sum(one.points for one in marks)

    @property
    def waiting(self) -> float:
        """The points that nobody has decided on."""
        return sum(part.mark.points for part in self.parts if part.mark.waits)

    @property
    def state(self) -> str:
        """How it went."""
        score, points = self.decided
        lost = [
            part
            for part in self.parts
            if not part.mark.waits and part.mark.score < part.mark.points
        ]
        if lost and score == 0 and self._is_blank(lost):
            return NOT_WRITTEN
        if self.waiting and not lost:
            return WAITS
        if not lost or score >= points:
            return RIGHT
        return PARTLY if score > 0 else WRONG

    def _is_blank(self, lost: Sequence[Part]) -> bool:
        if self.answers and all(cell.grade_id in self.unwritten for cell in self.answers):
            return True
        return all(part.cell.grade_id in self.unwritten or says_stub(part.message) for part in lost)


def says_stub(message: str) -> bool:
    """Return whether a test says that nothing is written yet."""
    return any(words in message for words in _STUB_WORDS)


@dataclass
class Given:
    """Cells between exercises: text and code of the instructor's, and what the student added
    there.
    """

    cells: list[PageCell]


@dataclass
class _Section:
    """What stands below one heading."""

    heading: PageCell | None = None
    pending: list[PageCell] = field(default_factory=list)  # cells that belong to no exercise yet
    exercises: list[Exercise] = field(default_factory=list)


def arrange(
    cells: Iterable[PageCell],
    part_of: Callable[[PageCell], Part | None],
    has_heading: Callable[[PageCell], bool],
    unwritten: Collection[str] = (),
) -> list[Exercise | Given]:
    """Return exercises and what lies between them, in order.

    Parameters
    ----------
    part_of : a graded cell with its mark; None for one that the gradebook does not know
    has_heading : whether a text cell of the instructor's holds a heading
    unwritten : grade ids of answers that were left as released
    """
    return _Arranging(part_of, has_heading, frozenset(unwritten)).run(cells)


class _Arranging:
    def __init__(
        self,
        part_of: Callable[[PageCell], Part | None],
        has_heading: Callable[[PageCell], bool],
        unwritten: frozenset[str],
    ) -> None:
        self._unwritten = unwritten
        self._part_of = part_of
        self._has_heading = has_heading
        self._found: list[Exercise | Given] = []
        self._section = _Section()
        self._current: Exercise | None = None

    def run(self, cells: Iterable[PageCell]) -> list[Exercise | Given]:
        for cell in cells:
            if cell.is_answer:
                self._answer(cell)
            elif cell.is_test:
                self._test(cell)
            elif cell.is_instructors and cell.kind == "markdown" and self._has_heading(cell):
                self._close()
                self._section = _Section(cell, [cell])
            elif self._current is not None:
                self._current.work.append(cell)
            else:
                self._section.pending.append(cell)
        self._close()
        return [one for one in self._found if not isinstance(one, Given) or one.cells]

    def _answer(self, cell: PageCell) -> None:
        if self._current is None or self._current.parts:
            self._new_exercise()
        self._add(cell)

    def _test(self, cell: PageCell) -> None:
        if self._current is None:
            last = self._found[-1] if self._found else None
            if (
                isinstance(last, Exercise) and not last.parts
            ):  # its tests stand below a heading of their own
                last.work += self._section.pending
                self._section.pending = []
                self._current = last
            else:
                self._new_exercise()
        self._add(cell)

    def _new_exercise(self) -> None:
        pending: list[PageCell] = self._section.pending
        if self._current is not None:
            self._close()
            last = self._found[-1]
            pending = last.cells if isinstance(last, Given) else []
            if isinstance(last, Given):
                self._found.pop()
        start = next((n for n, cell in enumerate(pending) if cell is self._section.heading), 0)
        if pending[:start]:
            self._found.append(Given(pending[:start]))
        self._current = Exercise(
            self._section.heading, task=pending[start:], unwritten=self._unwritten
        )
        self._section.pending = []
        self._section.exercises.append(self._current)
        self._found.append(self._current)
        if len(self._section.exercises) > 1:
            for one in self._section.exercises:
                one.is_split = True

    def _add(self, cell: PageCell) -> None:
        if self._current is None:
            return
        self._current.work.append(cell)
        if cell.is_graded and (part := self._part_of(cell)) is not None:
            self._current.parts.append(part)

    def _close(self) -> None:
        """End the current exercise: given cells behind its last graded one lie between
        exercises.
        """
        if self._current is None:
            self._found.append(Given(self._section.pending))
            self._section.pending = []
            return
        work = self._current.work
        last = max(
            (n for n, cell in enumerate(work) if cell.is_graded or cell.is_answer), default=-1
        )
        while last + 1 < len(work) and not work[last + 1].is_instructors:  # what the student added
            last += 1
        after = work[last + 1 :]
        del work[last + 1 :]
        self._current = None
        if after:
            self._found.append(Given(after))


def merged(blocks: Iterable[Exercise | Given]) -> list[Exercise | Given]:
    """Return blocks with neighbouring given cells in one; exercises that nobody grades are given
    cells as well.
    """
    found: list[Exercise | Given] = []
    for block in blocks:
        if isinstance(block, Exercise) and block.parts:
            found.append(block)
            continue
        cells = block.cells if isinstance(block, Given) else [*block.task, *block.work]
        last = found[-1] if found else None
        if isinstance(last, Given):
            last.cells += cells
        elif cells:
            found.append(Given(list(cells)))
    return found
