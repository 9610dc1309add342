"""One notebook of one submission: the box and the tester side by side, cell by cell.

It also asks for the pictures of figures: one that looks like a figure of the solution's
(`box.visible`) takes that one's picture. No mark depends on it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nbreferee.budget import ENDED, GUESS, LOST
from nbreferee.course.ownership import Plan, Step
from nbreferee.engine.assignment_files import AssignmentFiles
from nbreferee.engine.box_runner import (
    BoxRunner,
    CellResult,
    CellToRun,
    box_counts,
)
from nbreferee.engine.follow_through import Follow, FollowThrough
from nbreferee.engine.needs import Needs
from nbreferee.engine.outputs import error_of
from nbreferee.engine.processes import GRACE_S, Boxes, BoxHandle, BoxLost, TesterHandle
from nbreferee.engine.replay import Replay
from nbreferee.engine.wire.channel import ChannelError, Closed, Late
from nbreferee.engine.wire.protocol import MARK
from nbreferee.engine.wire.to_box import DrawFigure, Drawing, OutlineOfFigure, SeenOfFigure
from nbreferee.engine.wire.to_box_replay import RecordedRun
from nbreferee.engine.wire.to_tester import (
    Answer,
    Oddity,
    RunStep,
    RunWithReferences,
    StepResult,
)
from nbreferee.verdicts import CellStatus, CellVerdict

OUTLINED = " "  # between the outline of a figure and its visible name
DRAWN_CHARACTERS = 48 << 20  # of the figures of one notebook
START_S = 30.0  # more than a cell may take: a new process gets ready first, on a busy machine


@dataclass(frozen=True)
class SolutionRun:
    """What is known of a master from the run of its solution."""

    oddities: Mapping[int, tuple[Oddity, ...]] | None = (
        None  # by test; none yet while that run is on
    )
    figures: Mapping[str, str] = field(default_factory=dict)  # pictures by name (see `figures`)
    recorded: Mapping[int, RecordedRun] = field(default_factory=dict)  # for replay, by step


LendTester = Callable[[], contextlib.AbstractContextManager[TesterHandle]]


class Referee(BoxRunner):
    """Grades one notebook."""

    def __init__(
        self,
        warm: Boxes,
        lend_tester: LendTester,
        plan: Plan,
        files: Mapping[str, bytes],
        known: SolutionRun,
        placed: AssignmentFiles,
        follow: Follow | None = None,
        replay: Replay | None = None,
    ) -> None:
        super().__init__(warm, files, placed)
        self._replay = replay
        self._follow = FollowThrough(plan, follow) if follow else None
        self._steps = plan.steps
        self._lend_tester = lend_tester
        self._lent = contextlib.ExitStack()
        self._tester: TesterHandle | None = None
        self._instructed: list[int] = []  # what a new tester has to run again
        self._allowed = known.oddities
        self.drawn = dict(known.figures)
        # the solution's figures are all named; others are where they have the outline of one
        self._is_solution = known.oddities is None
        self._outlines = {name.partition(OUTLINED)[0] for name in known.figures if OUTLINED in name}
        self._needs = Needs((), plan.steps, {})
        self.unkept: list[int] = []

    def grade(
        self,
        parts: Sequence[CellToRun],
        kept: Mapping[int, CellResult] | None = None,
        undrawn: Collection[int] = (),
        slices: Mapping[int, frozenset[int]] | None = None,
        is_enough: Callable[[CellToRun, CellResult], bool] | None = None,
    ) -> list[CellResult]:
        """Run all cells; return their results. `unkept` are then the kept verdicts that may come
        out otherwise, as other answers have lost points.

        Parameters
        ----------
        kept
            Results of an earlier run, by the place of the cell: these cells are not run.
        undrawn
            The places of cells whose figures nobody sees.
        slices
            The places of all cells that each cell depends on, if that is known.
        is_enough
            Tells of a cell and its result whether the cells after it need not be run.
        """
        self._kept, self._is_enough = kept or {}, is_enough
        self._needs = Needs(parts, self._steps, slices or {})
        if self._replay is not None:
            self._counts = box_counts(parts)
        try:
            came = self._run_all(parts)
            for number, one in enumerate(came):
                if number in undrawn:
                    one.outputs = [output for output in one.outputs if not is_to_draw(output)]
            self._draw(
                [output["data"] for one in came for output in one.outputs if is_to_draw(output)]
            )
        finally:
            self._drop_box()
            self._lent.close()
        return came

    def _run(self, number: int, part: CellToRun, limit_s: float) -> CellResult:
        if part.role == "test":
            assert part.step is not None, "every test is a step of the plan"
            return self._test(part.step, limit_s)
        came = self._replayed(number, limit_s)
        if came is None:
            came = self._run_in_box(number, part.source, limit_s)
        if part.step is not None:
            self._instruct(part.step, limit_s)
        return came

    def _replayed(self, number: int, limit_s: float) -> CellResult | None:
        """Return the solution's result of a cell, where it need not be run."""
        replay = self._replay
        if replay is None:
            return None
        if replay.may_skip(number):
            try:
                if replay.is_same(number, self._ready_box(), limit_s):
                    self.cells_run -= 1
                    return replay.skip(number, self._counts.get(number))
            except BoxLost:
                self._lose_box()
        again = replay.run(number)
        if again.may_be_late:
            for before, source in again.sources:
                self._run_in_box(before, source, limit_s)
            self._ran.sort()
        else:
            self._ran = sorted([*self._ran, *again.sources])
            self._drop_box()
        return None

    def _not_run(self, part: CellToRun, text: str) -> CellVerdict:
        assert part.step is not None, "every test is a step of the plan"
        return _zero(self._steps[part.step], "timeout", text)

    def _keep(self, number: int, part: CellToRun) -> CellResult:
        kept = super()._keep(number, part)
        if self._follow is not None and part.role == "test":
            assert part.step is not None, "every test is a step of the plan"
            step = self._steps[part.step]
            replaceable = tuple(self._follow.replaceable(step))
            alone = (
                kept.score >= step.points
                and kept.verdict is not None
                and not kept.verdict.follow_through
            )
            now, before = (
                [one for one in answers if self._needs.may_use(number, one[0])]
                for answers in (replaceable, kept.replaceable)
            )
            if not alone and now != before:
                self.unkept.append(number)
            kept = replace(kept, replaceable=replaceable)
            self._follow.note(step, kept)
        return kept

    def _before(self, part: CellToRun) -> None:
        for step in part.passed:
            self._instruct(step, self._budget.cell_s)

    def _while_box_starts(self) -> None:
        with contextlib.suppress(Closed):  # the next one gets ready with the box
            self._ready_tester()  # which gets ready at the same time

    def _on_new_box(self, box: BoxHandle) -> None:
        """Let the tester talk to the box."""
        if self._follow is not None:
            self._follow.answered.clear()
        try:
            self._connect(box)
        except Closed:  # it has run no test yet: the system has killed it
            self._connect(box)

    def _connect(self, box: BoxHandle) -> None:
        tester = self._ready_tester()
        try:
            tester.connect(box, self._budget.call_s, self._budget.cell_s + START_S)
        except ChannelError:
            self._tester = (
                None  # or its answer, when it comes, would be taken for that to the next request
            )
            raise

    # ------------------------------------------------ the tester

    def _instruct(self, step: int, limit_s: float) -> None:
        """Have the tester run a step that is no test, if it has anything to do there."""
        if not self._steps[step].source and not self._steps[step].given_up:
            return
        for is_last in (False, True):  # the system may have killed one of the two processes
            try:
                self._ready_box()
                lost = self._step(RunStep(step, limit_s, self._allowed_in(step))).lost
            except (BoxLost, ChannelError) as error:
                self.is_whole = False  # it says so itself, in the cells that come to nothing
                if isinstance(error, Late):
                    return
                continue
            if lost != ENDED or is_last:
                self._instructed.append(step)
                return

    def _test(self, step: int, limit_s: float) -> CellResult:
        """Judge a test cell; with follow-through a second time, if earlier answers have lost
        points.
        """
        if self._follow is None:
            return self._judge(RunStep(step, limit_s, self._allowed_in(step)))[0]
        known = self._steps[step]
        if self._follow.needs_new_box(known):
            self._drop_box()
        replaceable = self._follow.replaceable(known)
        request = RunStep(step, limit_s, self._allowed_in(step), tuple(replaceable))
        came, needed = self._judge(request)
        left_s = min(self._budget.cell_s, self._end - time.monotonic())
        if needed and came.score < known.points and came.status != "grader_failed" and left_s > 0:
            came = self._judge_again(known, came, needed, left_s)
        self._follow.note(known, came)
        came.replaceable = tuple(replaceable)
        return came

    def _judge_again(
        self, step: Step, came: CellResult, needed: Sequence[Answer], limit_s: float
    ) -> CellResult:
        """Return the better result of a test cell: as it is, or with references in the place of
        what it needs.
        """
        follow, allowed = self._follow, self._allowed_in(step.index)
        assert follow is not None, "only follow-through judges again"
        request = RunWithReferences(step.index, limit_s, allowed, tuple(needed))
        second, used = self._judge(request)
        if self._box is not None:
            follow.answered |= {name for name, _ in used}
        left_s = min(self._budget.cell_s, self._end - time.monotonic())
        if not used and came.status == "failed" and left_s > 0:
            # its cause has not been looked for
            return self._judge(RunStep(step.index, left_s, allowed))[0]
        return follow.better(step, came, second, [name for name, _ in used])

    def _judge(
        self, request: RunStep | RunWithReferences, *, once_more: bool = True
    ) -> tuple[CellResult, tuple[Answer, ...]]:
        """Return the result of a test cell, and which answers it needs, or in whose place
        references stood for it.

        A process that ends without a reason is given a second try: the system may have killed it.
        """
        step = self._steps[request.step]
        try:
            self._ready_box()
            found = self._step(request)
        except BoxLost as lost:
            self._lose_box()
            return _lost_test(step, "error", str(lost)), ()
        except Late:
            return _lost_test(step, "timeout", "the test takes too long"), ()
        except ChannelError:
            if once_more:
                return self._judge(request, once_more=False)
            text = "the test ended its own process. Tell your instructor."
            return _lost_test(step, "grader_failed", text), ()
        if found.lost == ENDED and once_more:
            return self._judge(request, once_more=False)
        verdict, evidence = found.verdict, found.evidence
        if verdict is None or (isinstance(request, RunWithReferences) and not found.answers):
            return CellResult(), ()
        if verdict.status == "timeout" or evidence.limits or evidence.odd_pass:
            self.is_whole = False  # it may come out otherwise the next time
        return CellResult(list(found.outputs), None, verdict, evidence), found.answers

    def _allowed_in(self, step: int) -> tuple[Oddity, ...] | None:
        """Return the oddities of the solution's values in a test; None where it has failed."""
        return None if self._allowed is None else self._allowed.get(step)

    def _step(self, request: RunStep | RunWithReferences) -> StepResult:
        try:
            result = self._ready_tester().ask(request, 2 * request.limit_s + 3 * GRACE_S)
        except ChannelError:
            self._tester = None
            self._lose_box()  # in the middle of a conversation, perhaps
            raise
        if result.lost:
            if reason := self._box.over_limit() if self._box else "":
                result = _with_reason(result, reason)
            self._lose_box()
        return result

    def _ready_tester(self) -> TesterHandle:
        """Return the tester, a new one where there is none, in which the instructor's cells so far
        have run.
        """
        if self._tester is None:
            self._lent.close()
            self._tester = self._lent.enter_context(self._lend_tester())
            try:
                limit_s = self._budget.cell_s
                for step in list(self._instructed):
                    self._tester.ask(RunStep(step, limit_s, None), 2 * limit_s + START_S)
            except ChannelError:
                self._tester = None
                raise
        return self._tester

    def _draw(self, shown: list[dict[str, Any]]) -> None:
        """Put figures where their marks are: those of the solution, or what the box draws now."""
        end = time.monotonic() + self._budget.cell_s
        left = DRAWN_CHARACTERS
        for data in shown:
            name, why = data.pop("image/png").removeprefix(MARK), ""
            if name not in self.drawn:
                drawing = self._picture(name, end)
                self.drawn[name], why = drawing.picture, drawing.why
            left -= len(self.drawn[name])
            if self.drawn[name] and left > 0:
                data["image/png"] = self.drawn[name]
            else:
                self.is_whole = False  # the figures of other cells may be why
                data["text/plain"] = (
                    f"{data.get('text/plain', 'a figure')}, not drawn: "
                    f"{why or 'the notebook shows too much'}"
                )

    def _picture(self, name: str, end: float) -> Drawing:
        """Return the picture of a figure that looks the same, or one that the box draws."""
        seen = self._seen_of_figure(name, end - time.monotonic())
        if seen and self.drawn.get(seen):
            return Drawing(self.drawn[seen], "")
        drawing = self._drawn_by_box(name, end - time.monotonic())
        if seen and drawing.picture:
            self.drawn[seen] = drawing.picture
        return drawing

    def _seen_of_figure(self, name: str, limit_s: float) -> str:
        if self._box is None or limit_s <= 0 or not (self._outlines or self._is_solution):
            return ""
        try:
            outline = self._box.ask(OutlineOfFigure(name, limit_s), limit_s)
            if not outline or not (outline in self._outlines or self._is_solution):
                return ""
            seen = self._box.ask(SeenOfFigure(name, limit_s), limit_s)
            return seen and f"{outline}{OUTLINED}{seen}"
        except BoxLost:
            self._lose_box()
            return ""

    def _drawn_by_box(self, name: str, limit_s: float) -> Drawing:
        if self._box is None or limit_s <= 0:
            return Drawing("", "the notebook's process has ended, or takes too long")
        try:
            return self._box.ask(DrawFigure(name, limit_s), limit_s)
        except BoxLost as lost:
            self._lose_box()
            return Drawing("", str(lost))


def is_to_draw(output: dict[str, Any]) -> bool:
    """Tell whether an output is a figure that is still to be drawn."""
    picture = output.get("data", {}).get("image/png")
    return type(picture) is str and picture.startswith(MARK)


def _with_reason(result: StepResult, reason: str) -> StepResult:
    """Return a tester's answer that says why the box has ended, where the tester could only guess.

    A box that was over a limit would be so in one process as well: the end of it is no limit of
    travelling.
    """

    def said(text: str) -> str:
        return text.replace(f"{ENDED}: {GUESS}", reason)

    outputs = tuple(
        {
            **one,
            "evalue": said(one["evalue"]),
            "traceback": [said(line) for line in one["traceback"]],
        }
        if one["output_type"] == "error"
        else one
        for one in result.outputs
    )
    limits = tuple(limit for limit in result.evidence.limits if not limit.startswith(LOST))
    verdict = result.verdict
    if verdict is not None:
        verdict = replace(verdict, message=said(verdict.message))
    evidence = replace(result.evidence, limits=limits)
    return replace(result, outputs=outputs, verdict=verdict, evidence=evidence, lost=reason)


def _lost_test(step: Step, status: CellStatus, text: str) -> CellResult:
    kind = {"timeout": "TimeoutError", "grader_failed": "TestError"}.get(status, "ProcessError")
    return CellResult([error_of(kind, text)], verdict=_zero(step, status, text))


def _zero(step: Step, status: CellStatus, text: str) -> CellVerdict:
    return CellVerdict(step.grade_id, status, 0.0, step.points, text)
