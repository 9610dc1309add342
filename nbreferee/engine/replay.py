"""Replay: show the solution's outputs where running a cell would come to the same.

A cell of the instructor's that only shows something ("try it", a figure) depends on a student's
work through the functions that it calls and the names that it reads. While the solution is run
once for a class, the box notes these calls and values for each such cell (`RecordCell`). For a
submission, the student's functions are called with the recorded arguments at the place of the
cell. Where all results are the solution's, as far as can be seen (exact types and shapes, numbers
to nine digits), the cell is not run and shows the solution's outputs.

No result of the solution enters a box: results come out and are compared here. A recorded argument
may have been computed from earlier results of the solution; so calls are sent in order, one by one,
each after all before it have returned the solution's results. Equal calls of one cell are sent
once, where the student's functions keep nothing from call to call.

A cell is run in any case where a test or a cell of the student's reads what it binds. Where another
cell is run after all and reads something of a cell that was not, that one is run as well: late,
where this cannot make a difference, or else in a new box.
Where `course.replaying` cannot tell what a cell depends on, nothing is replayed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbreferee.course.replaying import CellReading, NotebookReading
from nbreferee.engine.box_runner import CellResult, CellToRun
from nbreferee.engine.processes import BoxHandle
from nbreferee.engine.wire.to_box_replay import CallAnswers, RecordedCall, RecordedRun

SEEN = 1e-9  # what two numbers may differ by, relative to the solution's, where nobody sees it
LIMIT_S = 5.0  # for the recorded calls of one cell; longer ones are left to the cell itself
# What a function says of itself, and how the numbers of an array lie in memory.
NOT_COMPARED = re.compile(r"__doc__|\.(base|flags|strides)\b|\border *=")
REPLAYED = ("free", "locked")  # roles of the instructor's cells that show something


@dataclass(frozen=True)
class Recording:
    """A cell of the instructor's as it ran with the solution."""

    source: str
    run: RecordedRun
    outputs: list[dict[str, Any]]  # with pictures

    @property
    def is_usable(self) -> bool:
        """Whether it can stand for a run with other answers."""
        odd = any(
            one["output_type"] == "error" or one.get("name") == "stderr" for one in self.outputs
        )
        return self.run.is_complete and not odd


def are_own(
    parts: Sequence[CellToRun], recordings: Mapping[int, Recording]
) -> dict[int, tuple[int, Recording]]:
    """Return which cells of a submission are recorded ones of the instructor's, in their order: by
    number, the step and the recording.

    Locked cells are known by their step, others by their text.
    """
    found: dict[int, tuple[int, Recording]] = {}
    last = -1
    for number, part in enumerate(parts):
        if not part.is_code or part.role not in REPLAYED:
            last = max(last, part.step if part.step is not None else -1)
            continue
        later = (step for step, one in recordings.items() if one.source == part.source)
        step = min((step for step in later if step > last), default=None)
        if step is not None and part.step in (None, step):
            found[number] = step, recordings[step]
            last = step
    return found


@dataclass(frozen=True)
class CellsToRun:
    """Cells that were not run, and have to be run after all."""

    sources: tuple[tuple[int, str], ...]  # by number
    may_be_late: bool  # after the cells that have run since then


class Replay:
    """Which cells of one submission need not be run."""

    def __init__(
        self,
        parts: Sequence[CellToRun],
        recordings: Mapping[int, Recording],
        reading: NotebookReading,
    ) -> None:
        self._parts = parts
        own = are_own(parts, recordings)
        self._own = {number: one for number, (_, one) in own.items()}
        self._reading = reading
        self._given = frozenset[str]().union(*reading.given.values())
        self._skipped: set[int] = set()
        self._affected: dict[int, frozenset[str]] = {}  # names that cells may have changed, by cell
        self._writer: dict[str, int] = {}  # the last cell that has given each name its value
        # names that may hold something else than with the solution
        self._touched: set[str] = set()
        missing = recordings.keys() - {step for step, _ in own.values()}
        self._touched.update(*(recordings[step].run.changed for step in missing))
        self._must_run = self._run_in_any_case()

    def _run_in_any_case(self) -> set[int]:
        """Return the cells that cannot be replayed, and those that bind what others need."""
        needed = set(self._reading.needed)
        forced: set[int] = set()
        while more := {
            number
            for number in self._own
            if number not in forced
            and (not self._may_be_replayed(number) or not needed.isdisjoint(self._changes(number)))
        }:
            forced |= more
            needed.update(*(self._reads(number) for number in more))
        return forced

    def _may_be_replayed(self, number: int) -> bool:
        one = self._own[number]
        comparable = one.run.functions.keys() | one.run.values.keys()
        theirs = self._reads(number) & self._given
        if theirs and NOT_COMPARED.search(one.source):
            return False
        return one.is_usable and theirs <= comparable

    def _reads(self, number: int) -> frozenset[str]:
        found = self._reading.cells.get(number)
        return found.reads if found else frozenset()

    def _changes(self, number: int) -> frozenset[str]:
        """Return the names that a cell binds, or whose objects it may change."""
        found = self._reading.cells.get(number)
        return self._own[number].run.changed | (found.binds if found else frozenset())

    def may_skip(self, number: int) -> bool:
        """Tell whether a cell need not be run, if the answers return what the solution's do."""
        return number in self._own and number not in self._must_run

    def is_same(self, number: int, box: BoxHandle, limit_s: float) -> bool:
        """Tell whether a cell would show what it shows with the solution.

        Raises
        ------
        BoxLost
            if the box ends, or says something else than it was asked.
        """
        one, reading = self._own[number], self._reading.cells[number]
        run = one.run
        doubtful = (reading.reads & self._touched) - run.functions.keys()
        if not doubtful <= run.values.keys():
            return False
        functions = sorted(reading.reads & run.functions.keys())
        if not functions and not doubtful:
            return True
        if not self._reading.data.isdisjoint(functions):
            return False  # it may keep something, and count the calls that are made here
        wanted = {name: run.values[name] for name in sorted(doubtful)}
        limit_s = min(limit_s, LIMIT_S)
        asked = set[RecordedCall]()
        for done in range(max(len(run.calls), 1)):
            calls, expected = run.calls[done : done + 1], list(run.results[done : done + 1])
            if calls and self._reading.is_repeatable and asked.issuperset(calls):
                continue  # it would return the same again
            asked.update(calls)
            found = box.ask(CallAnswers(calls, functions, list(wanted), limit_s), limit_s)
            if not (
                found.is_clean
                and found.signatures == {name: run.functions[name] for name in functions}
                and looks_same(found.results, expected, reading.is_exact)
                and looks_same(found.values, wanted, reading.is_exact)
            ):
                return False
            functions, wanted = [], {}
        return True

    def skip(self, number: int, count: int | None) -> CellResult:
        """Return the result of a cell that is not run."""
        one, reading = self._own[number], self._reading.cells[number]
        self._skipped.add(number)
        written = _written(one, reading)
        self._writer |= dict.fromkeys(written, number)
        self._touched -= written
        return CellResult([dict(output) for output in one.outputs], count)

    def run(self, number: int) -> CellsToRun:
        """Note that a cell is run; return the cells before it that have to be run for it."""
        again = self._needed_for(number) if number in self._own else set()
        may_be_late = all(map(self._may_be_late, again))
        self._skipped -= again
        self._must_run |= again
        data = {  # that is there by now
            name for name in self._reading.data & self._writer.keys()
            if self._writer[name] not in self._skipped
        }  # fmt: skip
        if number in self._own and number in self._reading.cells:
            one, reading = self._own[number], self._reading.cells[number]
            written = _written(one, reading)
            self._writer |= dict.fromkeys(written, number)
            affected = self._changes(number)
            if reading.reads.isdisjoint(self._touched | self._given | one.run.functions.keys()):
                self._touched -= written  # no answer has to do with it
            else:
                affected |= data
                self._touched |= affected
        else:
            given = self._reading.given.get(number, frozenset())
            self._writer |= dict.fromkeys(given, number)
            affected = given | (data if number in self._reading.changing else set())
            self._touched |= affected
        self._affected[number] = affected
        found = tuple((one, self._parts[one].source) for one in sorted(again))
        return CellsToRun(found, may_be_late)

    def _may_be_late(self, number: int) -> bool:
        """Tell whether no cell that has run since then has to do with what a cell reads and
        changes.
        """
        names = self._reads(number) | self._changes(number)
        return all(
            names.isdisjoint(affected) for one, affected in self._affected.items() if one > number
        )

    def _needed_for(self, number: int) -> set[int]:
        """Return the cells that were not run, and that a cell reads something of."""
        needed, found = set(self._reads(number)), set[int]()
        while more := {
            one for one in self._skipped - found if not needed.isdisjoint(self._changes(one))
        }:
            found |= more
            needed.update(*(self._reads(one) for one in more))
        return found


def _written(one: Recording, reading: CellReading) -> frozenset[str]:
    """Return the names to which a cell has certainly given a value."""
    return reading.binds | (one.run.changed - one.run.opaque)


# ---------------------------------------------------------------- comparing


def looks_same(value: Any, wanted: Any, is_exact: bool = False) -> bool:
    """Tell whether a decoded value cannot be told from another: exact types and shapes, and
    numbers to nine digits, or to the last bit.

    Examples
    --------
    >>> looks_same([0.1 + 0.2], [0.3]), looks_same([0.1 + 0.2], [0.3], is_exact=True)
    (True, False)
    >>> looks_same(1, 1.0), looks_same(np.zeros(2), np.zeros((1, 2))), looks_same(-0.0, 0.0)
    (False, False, False)
    """
    if type(value) is not type(wanted):
        return False
    if isinstance(wanted, np.ndarray):
        if value.dtype != wanted.dtype or value.shape != wanted.shape:
            return False
        return _numbers_look_same(value, wanted, is_exact)
    if isinstance(wanted, (list, tuple)):
        return len(value) == len(wanted) and all(
            looks_same(one, other, is_exact) for one, other in zip(value, wanted, strict=True)
        )
    if isinstance(wanted, dict):
        return list(value) == list(wanted) and all(
            looks_same(value[key], wanted[key], is_exact) for key in wanted
        )
    if isinstance(wanted, (float, complex, np.inexact)):
        return _numbers_look_same(np.asarray(value), np.asarray(wanted), is_exact)
    return bool(value == wanted)


def _numbers_look_same(value: np.ndarray, wanted: np.ndarray, is_exact: bool) -> bool:
    if wanted.dtype.kind not in "fc":
        return bool(np.array_equal(value, wanted))
    if is_exact:
        return value.tobytes() == wanted.tobytes()
    with np.errstate(all="ignore"):
        near = np.abs(value - wanted) <= SEEN * np.abs(wanted)
    near |= value == wanted
    for part, other in ((value.real, wanted.real), (value.imag, wanted.imag)):
        near &= np.signbit(part) == np.signbit(other)  # -0.0 is shown with its sign
    return bool(np.all(near | (np.isnan(value) & np.isnan(wanted))))
