"""Run a solution, and note how the instructor's cells use it (see `replay`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nbreferee.course.replaying import NotebookReading
from nbreferee.engine.box_runner import CellResult
from nbreferee.engine.outputs import clean_outputs
from nbreferee.engine.processes import BoxHandle
from nbreferee.engine.referee import Referee
from nbreferee.engine.replay import LIMIT_S, looks_same
from nbreferee.engine.wire.to_box_replay import CallAnswers, RecordCell, RecordedRun


class RecordingReferee(Referee):
    """Grades a solution; `runs` are then the recorded cells, by number."""

    def __init__(self, *arguments: Any, reading: NotebookReading, answers: Sequence[str]) -> None:
        super().__init__(*arguments)
        self._reading, self._answers = reading, answers
        self.runs: dict[int, RecordedRun] = {}

    def _cell(self, box: BoxHandle, source: str, limit_s: float, number: int) -> CellResult:
        reading = self._reading.cells.get(number)
        self.runs.pop(number, None)
        if reading is None:
            return super()._cell(box, source, limit_s, number)
        count = self._counts.get(number, 0)
        reads = sorted(reading.reads)
        run = box.ask(RecordCell(source, limit_s, count, self._answers, reads), limit_s)
        is_complete = run.is_complete and self._is_repeatable(box, run)
        self.runs[number] = replace(run, is_complete=is_complete)
        return CellResult(clean_outputs(run.shown.outputs, run.shown.count), run.shown.count)

    @staticmethod
    def _is_repeatable(box: BoxHandle, run: RecordedRun) -> bool:
        """Tell whether the same calls come to the same now, and do nothing else."""
        asked = CallAnswers(run.calls, sorted(run.functions), [], LIMIT_S)
        found = box.ask(asked, LIMIT_S)
        return found.is_clean and looks_same(found.results, list(run.results), is_exact=True)
