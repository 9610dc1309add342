"""Replay for one assignment: record the solution, and prepare each submission (see
`engine.replay`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from nbreferee.course.known_code import Unsure
from nbreferee.course.replaying import CodeCell, NotebookReading, read_for_replay
from nbreferee.course.source import Master, read_master
from nbreferee.engine.assignment_files import AssignmentFiles, modules_of
from nbreferee.engine.box_runner import CellResult, CellToRun
from nbreferee.engine.recorder import RecordingReferee
from nbreferee.engine.referee import Referee
from nbreferee.engine.replay import REPLAYED, Recording, Replay, are_own
from nbreferee.engine.wire.to_box import CellOutputs
from nbreferee.engine.wire.to_box_replay import RecordedRun
from nbreferee.grading.course_files import NOTEBOOKS, copied_by_nbgrader
from nbreferee.grading.regrading import CellKeys
from nbreferee.grading.solution_file import Solved

IGNORED = (".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback")  # nbgrader's default


def read_solution(parts: Sequence[CellToRun], files: AssignmentFiles) -> NotebookReading | None:
    """Return what is known of the cells of a solution; None where nothing can be replayed."""
    own = {number for number, part in enumerate(parts) if part.is_code and part.role in REPLAYED}
    return _read(parts, own, files)


def read_ahead(folder: str) -> None:
    """Read the notebooks in an assignment's folder before anything of the course is known: what is
    found out of the text of a cell is kept, and soon asked for.
    """
    place = Path(folder)
    with contextlib.suppress(Exception):  # those who need the notebooks meet the same error
        paths = [
            os.path.normpath(os.path.join(inside, name))
            for inside, names in copied_by_nbgrader(place, [*IGNORED, NOTEBOOKS])
            for name in names
        ]
        modules = {one: (place / one).read_bytes() for one in paths if one.endswith(".py")}
        for path in sorted(place.glob(NOTEBOOKS)):
            cells = [
                CodeCell(one.index, one.source, one.is_answer, one.is_test)
                for one in read_master(path).cells
                if one.is_code
            ]
            read_for_replay(cells, modules, paths)


def runs_of(
    referee: Referee, keys: CellKeys | None, earlier: Solved | None
) -> dict[int, RecordedRun]:
    """Return the recorded cells of a solution that has run, by step; of those that were not run
    again, as an earlier run has recorded them.
    """
    if not isinstance(referee, RecordingReferee):
        return {}
    nothing = CellOutputs([], 0)
    found = {number: replace(run, shown=nothing) for number, run in referee.runs.items()}
    if keys is not None and earlier is not None:
        places = {key: number for number, key in enumerate(earlier.keys) if key}
        for number, key in enumerate(keys.keys):
            before = earlier.run.recorded.get(places.get(key, -1))
            if number not in found and before is not None:
                found[number] = before
    return found


def recordings_of(
    master: Master, runs: Mapping[int, RecordedRun], came: Sequence[CellResult]
) -> dict[int, Recording]:
    """Return the recorded cells of a solution with what they show, by step."""
    return {
        step: Recording(master.cells[step].source, run, came[step].outputs)
        for step, run in runs.items()
    }


def prepare_replay(
    parts: Sequence[CellToRun], recordings: Mapping[int, Recording], files: AssignmentFiles
) -> Replay | None:
    """Return which cells of a submission need not be run, if that can be told."""
    own = are_own(parts, recordings)
    reading = _read(parts, own, files) if own else None
    return Replay(parts, recordings, reading) if reading is not None else None


def _read(
    parts: Sequence[CellToRun], own: Collection[int], files: AssignmentFiles
) -> NotebookReading | None:
    cells = [
        CodeCell(
            number, part.source, part.role != "test" and number not in own, part.role == "test"
        )
        for number, part in enumerate(parts)
        if part.is_code
    ]
    try:
        return read_for_replay(cells, modules_of(files), files.names)
    except Unsure:
        return None
