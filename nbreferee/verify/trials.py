"""Trials of answers: each is judged as `autograde` judges a submission, in a box and a tester."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from nbreferee.budget import Budget
from nbreferee.engine.assignment_files import AssignmentFiles
from nbreferee.engine.box_runner import CellResult, CellToRun
from nbreferee.engine.checkpoints import Checkpoint, Line
from nbreferee.engine.one_process import OneProcess, TestCell
from nbreferee.engine.processes import BoxHandle, WarmProcesses
from nbreferee.engine.referee import Referee, SolutionRun
from nbreferee.grading.calibration import Calibration, decide_each, needs_one_process
from nbreferee.grading.interrupts import born_deaf
from nbreferee.grading.notebook import Grader, NotebookMaterial, not_outranked
from nbreferee.verify.batch import Batch
from nbreferee.verify.plugins import PluggedIn
from nbreferee.verify.trial import Start, Trial, TrialResult, is_wrong


@dataclass(frozen=True)
class _Boxes:
    """Where a trial gets boxes from that has a budget of its own."""

    warm: WarmProcesses
    budget: Budget

    def box(self, files: AssignmentFiles) -> BoxHandle:
        return self.warm.box(files)


class TrialProcesses:
    """What trials run in, and how many of them at a time."""

    def __init__(self, budget: Budget, jobs: int) -> None:
        self._budget, self.jobs = budget, jobs
        self._grader = self._start()

    def grader(self) -> Grader:
        """Return a grader whose processes are all there."""
        if not self._grader.warm.is_whole():
            self.close()
            self._grader = self._start()
        return self._grader

    def close(self) -> None:
        """End all processes."""
        self._grader.warm.close()

    def _start(self) -> Grader:
        with born_deaf():
            return Grader(WarmProcesses(self._budget), draws=False)


class Trials:
    """Runs the trials of one notebook."""

    def __init__(
        self,
        processes: TrialProcesses,
        material: NotebookMaterial,
        plugged: PluggedIn,
        progress: Callable[[int, int], None],
    ) -> None:
        self._grader, self._jobs = processes.grader(), processes.jobs
        self._material, self._plan = material, plugged.plan
        self._first = list(plugged.start)  # cells that are run before the notebook's
        self._progress = progress
        self._done = self._expected = 0
        self._unfit: set[int | None] = set()  # where trials that start there say nothing
        self._known = SolutionRun()
        self.calibration = Calibration()

    def run_solution(self) -> Sequence[CellResult]:
        """Run the solution, and find out how its tests are judged."""
        self.calibration = self._grader.calibrate(self._material)
        self._known, results = self._grader.solution(self._material)
        return results

    def run_together(self, parts: list[CellToRun]) -> list[CellResult]:
        """Run answers and tests in one process, as students do."""
        material = self._material
        sources = {part.step: part.source for part in parts}
        tests = {
            test.index: TestCell(test.grade_id, sources[test.index], test.points)
            for test in material.master.tests
        }
        files = not_outranked(material.solution_files, material.files)
        return OneProcess(self._grader.warm, files, material.files, tests).grade(parts)

    def run(
        self, trials: Iterable[Trial], solution: list[CellToRun] | None = None
    ) -> dict[Any, TrialResult]:
        """Run trials; return their results by key.

        `solution` holds the cells of the notebook: trials that start before one of them need it.
        """
        trials = list(trials)
        self._expected += len(trials)
        with ThreadPoolExecutor(self._jobs) as pool:
            batch = Batch(pool, self._note)
            try:
                if solution and any(one.at is not None for one in trials):
                    self._walk(batch, trials, solution)
                for start in dict.fromkeys(one.start for one in trials if one.at is None):
                    here = [one for one in trials if one.at is None and one.start is start]
                    if start:
                        self._run_from(batch, start, here)
                    else:
                        batch.start_all([partial(self._judge_whole, one) for one in here])
                return batch.finish()
            finally:
                batch.abandon()

    def _note(self) -> None:
        self._done += 1
        self._progress(self._done, self._expected)

    def _walk(self, batch: Batch, trials: list[Trial], solution: list[CellToRun]) -> None:
        """Run the solution, and start trials before the cells that they wait for."""
        waiting = Counter(one.at for one in trials)
        left = sum(waiting.values()) - waiting[None]
        with self._line(batch, self._material.solution_files) as line:
            for place, part in enumerate(solution):
                if waiting[part.step]:
                    before = [*self._first, *solution[:place]]
                    here = [one for one in trials if one.at == part.step and one.at is not None]
                    self._start(batch, line, before, here)
                    left -= len(here)
                if not left:
                    break
                line.run(part)

    def _run_from(self, batch: Batch, start: Start, trials: list[Trial]) -> None:
        """Run trials that start with the same files and cells."""
        with self._line(batch, start.files) as line:
            for part in start.cells:
                line.run(part)
            self._start(batch, line, [*self._first, *start.cells], trials)

    @contextlib.contextmanager
    def _line(self, batch: Batch, files: Mapping[str, bytes]) -> Iterator[Line]:
        """Yield a notebook that trials are started from; they end before it."""
        material = self._material
        handed_in = not_outranked(files, material.files)
        line = Line(self._grader.warm, self._plan, handed_in, self._known, material.files)
        try:
            for part in self._first:
                line.run(part)
            yield line
            batch.wait()
        finally:
            batch.abandon()
            line.close()

    def _start(
        self, batch: Batch, line: Line, before: list[CellToRun], trials: list[Trial]
    ) -> None:
        """Start trials from where a notebook stands, with the cells that have run in it."""
        checkpoint = line.checkpoint()
        batch.start_all(
            [partial(self._judge_from, checkpoint, before, one) for one in trials],
            checkpoint.close,
        )

    def _judge_from(
        self, checkpoint: Checkpoint, before: list[CellToRun], trial: Trial
    ) -> TrialResult:
        """Run a trial from a checkpoint, before which other cells have run."""
        if trial.at in self._unfit or (checkpoint.lacks_threads and trial.at is not None):
            return TrialResult(trial.key, [])
        material, budget = self._material, self._limited(trial)
        at = replace(checkpoint, budget=budget)
        referee = Referee(at, at.tester, self._plan, {}, self._known, material.files)
        files = trial.start.files if trial.start else material.solution_files
        result = self._decided(trial, referee, before, not_outranked(files, material.files))
        if trial.is_control and any(is_wrong(one) for _, one in result.ran):
            self._unfit.add(trial.at)
        return result

    def _judge_whole(self, trial: Trial) -> TrialResult:
        """Run a trial from the beginning of the notebook."""
        material, warm = self._material, self._grader.warm
        tester = partial(warm.tester, self._plan, material.files)
        files = not_outranked(trial.files, material.files)
        boxes = _Boxes(warm, self._limited(trial))
        trial = replace(trial, parts=[*self._first, *trial.parts])
        referee = Referee(boxes, tester, self._plan, files, self._known, material.files)
        return self._decided(trial, referee, [], files)

    def _decided(
        self,
        trial: Trial,
        referee: Referee,
        before: list[CellToRun],
        files: Mapping[str, bytes],
    ) -> TrialResult:
        """Return the verdicts of a trial, run in one process as well where that is needed."""
        is_enough = self._is_loss if trial.until_loss else None
        two = referee.grade(trial.parts, undrawn=range(len(trial.parts)), is_enough=is_enough)
        parts = trial.parts[: len(two)]
        tests = {cell.index: cell for cell in self._material.master.tests}
        judged = {
            part.step: one for part, one in zip(parts, two, strict=True) if part.step in tests
        }
        one: list[CellResult | None] = [None] * len(parts)
        there = [tests[index] for index in judged if index is not None]
        if needs_one_process(there, {t.index: judged[t.index] for t in there}, self.calibration):
            cells = {
                index: TestCell(test.grade_id, test.source, test.points, test.hidden_lines)
                for index, test in tests.items()
            }
            boxes = _Boxes(self._grader.warm, self._limited(trial))
            ran = OneProcess(boxes, files, self._material.files, cells).grade([*before, *parts])
            one = [*ran[len(before) :]]
        steps = [part.step for part in parts]
        decided = decide_each(tests, steps, two, one, self.calibration)
        indices = range(len(self._material.master.cells))
        return TrialResult(
            trial.key,
            [
                (step, one)
                for step, one in zip(steps, decided, strict=True)
                if step is not None and step in indices  # and not of a plug-in
            ],
        )

    def _is_loss(self, _: CellToRun, result: CellResult) -> bool:
        """Tell whether a test that is judged in two processes has cost points."""
        return (
            result.verdict is not None
            and result.verdict.grade_id not in self.calibration.one_process
            and is_wrong(result)
        )

    def _limited(self, trial: Trial) -> Budget:
        """Return what a trial may cost."""
        budget, limit_s = self._grader.warm.budget, trial.limit_s
        if limit_s is None:
            return budget
        return replace(budget, call_s=limit_s, cell_s=limit_s)
