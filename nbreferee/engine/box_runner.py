"""Run the cells of one notebook in a box, within the time of the notebook and of each cell.

The times are `c.NbReferee.submission_s` and `cell_s`. A cell that ends the box, or never ends,
costs itself: another box runs the cells before it again, and the rest goes on there.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from nbreferee.budget import ENDED, TIME_UP
from nbreferee.engine.assignment_files import AssignmentFiles
from nbreferee.engine.outputs import clean_outputs, error_of
from nbreferee.engine.processes import Boxes, BoxHandle, BoxLost
from nbreferee.engine.wire.channel import ChannelError
from nbreferee.engine.wire.to_box import HandIn, RunCell
from nbreferee.engine.wire.to_tester import NOTHING_NOTICED, Answer, Evidence
from nbreferee.verdicts import CellStatus, CellVerdict


@dataclass(frozen=True)
class CellToRun:
    """One cell of a submission, with the master's step that it stands for, if any."""

    source: str
    is_code: bool
    step: int | None = None
    role: str = "free"
    passed: tuple[int, ...] = ()  # steps for the tester alone, before this one


@dataclass
class CellResult:
    """The result of one cell."""

    outputs: list[dict[str, Any]] = field(default_factory=list)
    count: int | None = None  # its number in the box
    verdict: CellVerdict | None = None  # of a test
    evidence: Evidence = NOTHING_NOTICED  # whether the verdict can stand
    replaceable: tuple[Answer, ...] = ()  # earlier answers that had lost points
    wall_s: float = 0.0

    @property
    def status(self) -> CellStatus | Literal[""]:
        """The status of the verdict; '' of a cell that is no test."""
        return self.verdict.status if self.verdict else ""

    @property
    def score(self) -> float:
        """The points that the test gives."""
        return self.verdict.score if self.verdict else 0.0

    @property
    def message(self) -> str:
        """The message of the verdict."""
        return self.verdict.message if self.verdict else ""

    def judged(
        self,
        status: CellStatus,
        score: float,
        message: str,
        outputs: list[dict[str, Any]],
        *,
        in_one_process: bool = False,
    ) -> CellResult:
        """Return the result of this test with another verdict."""
        assert self.verdict is not None, "only a test has a verdict"
        verdict = replace(
            self.verdict,
            status=status,
            score=score,
            message=message,
            in_one_process=in_one_process,
            behaviour="" if in_one_process else self.verdict.behaviour,
        )
        return replace(self, outputs=outputs, verdict=verdict)


class BoxRunner:
    """Runs cells in a box, in order."""

    def __init__(self, warm: Boxes, files: Mapping[str, bytes], placed: AssignmentFiles) -> None:
        self._warm = warm
        self._files = dict(files)  # that the student has handed in
        self._placed = placed  # the instructor's
        self._budget = warm.budget
        self._box: BoxHandle | None = None
        self._ran: list[tuple[int, str]] = []  # what a new box has to run again
        self._run_once_more: set[int] = set()  # as a new box has ended while it ran them
        self._end = time.monotonic() + self._budget.submission_s
        self._kept: Mapping[int, CellResult] = {}  # results of cells that are not run
        self._counts: Mapping[int, int] = {}  # numbers of cells in the box, where some are not run
        self._is_enough: Callable[[CellToRun, CellResult], bool] | None = None
        self.is_whole = True  # no process was lost
        self.cells_run = 0

    def _run_all(self, parts: Sequence[CellToRun]) -> list[CellResult]:
        """Run all cells, or up to the one that is enough; return their results."""
        if self._kept:
            self._counts = box_counts(parts)
        if all(number in self._kept for number, part in enumerate(parts) if part.is_code):
            return [self._keep(number, part) for number, part in enumerate(parts)]
        with contextlib.suppress(
            BoxLost, ChannelError
        ):  # the first box may wait for a template to get warm
            self._ready_box()
        self._end = time.monotonic() + self._budget.submission_s
        came = []
        for number, part in enumerate(parts):
            if number in self._kept:
                self._before(part)
                came.append(self._keep(number, part))
                continue
            self.cells_run += part.is_code
            started = time.monotonic()
            self._before(part)
            left = self._end - time.monotonic()
            if not part.is_code:
                one = CellResult()
            elif left > 0:
                one = self._run(number, part, min(self._budget.cell_s, left))
            else:
                text = f"not run: the notebook has used its {self._budget.submission_s:g} s"
                verdict = self._not_run(part, text) if part.role == "test" else None
                one = CellResult([error_of("TimeoutError", text)], verdict=verdict)
            one.wall_s = time.monotonic() - started
            came.append(one)
            if self._is_enough is not None and self._is_enough(part, one):
                break
        return came

    def _keep(self, number: int, part: CellToRun) -> CellResult:
        """Return the result of a cell that is not run."""
        return self._kept.get(number) or CellResult()

    def _before(self, part: CellToRun) -> None:
        """Do what comes before a cell."""

    def _not_run(self, part: CellToRun, text: str) -> CellVerdict:
        """Return the verdict on a test that the time is up for."""
        raise NotImplementedError

    def _run(self, number: int, part: CellToRun, limit_s: float) -> CellResult:
        """Run a code cell."""
        return self._run_in_box(number, part.source, limit_s)

    def _run_in_box(
        self, number: int, source: str, limit_s: float, *, once_more: bool = True
    ) -> CellResult:
        """Run a cell; once more where its process ends without a reason, as the system may have
        killed it.
        """
        try:
            box = self._ready_box()
            came = self._cell(box, source, limit_s, number)
        except BoxLost as lost:
            self._lose_box()
            if str(lost) == ENDED and once_more:
                return self._run_in_box(number, source, limit_s, once_more=False)
            late = str(lost) == TIME_UP
            text = f"this cell took longer than {limit_s:g} s" if late else f"{lost} in this cell"
            return CellResult(
                [
                    error_of(
                        "TimeoutError" if late else "ProcessError",
                        f"{text}; the notebook goes on without it",
                    )
                ]
            )
        self._ran.append((number, source))
        return came

    def _ready_box(self) -> BoxHandle:
        """Return the box, a new one where there is none, in which the cells so far have run."""
        if self._box is None:
            self._box = self._new_box()
            for number, source in list(self._ran):
                try:
                    self._cell(
                        self._box,
                        source,
                        min(self._budget.cell_s, max(0.1, self._end - time.monotonic())),
                        number,
                    )
                except BoxLost as lost:
                    if str(lost) != ENDED or number in self._run_once_more:
                        self._ran.remove((number, source))
                    self._run_once_more.add(number)
                    self._lose_box()
                    return self._ready_box()
            try:
                self._on_new_box(self._box)
            except ChannelError:
                self._lose_box()
                raise
        return self._box

    def _new_box(self) -> BoxHandle:
        """Return a box that has what the student has handed in; another one where the system kills
        it before anything of the student's has run.
        """
        try:
            return self._box_with_files()
        except BoxLost:
            self.is_whole = False
            return self._box_with_files()

    def _box_with_files(self) -> BoxHandle:
        box = self._warm.box(self._placed)
        self._while_box_starts()
        try:
            box.ask(HandIn(self._files), self._budget.cell_s)
        except BoxLost:
            box.end()
            raise
        return box

    def _while_box_starts(self) -> None:
        """Do what can be done while a new box gets ready."""

    def _on_new_box(self, box: BoxHandle) -> None:
        """Do what a new box needs before more cells run in it."""

    def _lose_box(self) -> None:
        """Drop a box that has ended, or that cannot be relied on."""
        self.is_whole = False
        self._drop_box()

    def _drop_box(self) -> None:
        if self._box is not None:
            self._box.end()
            self._box = None

    def _cell(self, box: BoxHandle, source: str, limit_s: float, number: int) -> CellResult:
        ran = box.ask(RunCell(source, limit_s, self._counts.get(number, 0)), limit_s)
        return CellResult(clean_outputs(ran.outputs, ran.count), ran.count)


def box_counts(parts: Sequence[CellToRun]) -> dict[int, int]:
    """Return the number that each cell has in a box in which all cells before it have run."""
    counts: dict[int, int] = {}
    count = 1
    for number, part in enumerate(parts):
        if part.is_code and part.role != "test":
            counts[number] = count
            count += bool(part.source.strip())
    return counts
