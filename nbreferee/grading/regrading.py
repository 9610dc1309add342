"""Grade only the cells of a notebook that something they depend on has changed for.

What a cell shows, and a test's verdict, depend on its own text, on the cells in its slice (see
`course.slices`), and on what is the same for the whole notebook: files, settings, versions, the
instructor's solution. A hash of all that is the cell's *key*. It is kept with the executed
notebook. A cell whose key is there has its result already.

Keys are kept only of a run in which nothing was cut short: no limit was met, no process was lost,
and nothing was left to a person for what happened on the way.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nbreferee.course.known_code import Unsure
from nbreferee.course.ownership import Plan, Step
from nbreferee.course.slices import RunCell, slices_of
from nbreferee.course.source import Cell
from nbreferee.engine.assignment_files import AssignmentFiles, modules_of
from nbreferee.engine.box_runner import CellResult, CellToRun
from nbreferee.engine.referee import Referee
from nbreferee.grading.calibration import Calibration, needs_one_process

KEY_DIGITS = 24
TRIES = 4  # each judges more of the verdicts that follow through
# In an output or a message of what may come out otherwise the next time.
CUT_SHORT = ("TimeoutError", "ProcessError", "MemoryError")
CUT_SHORT_WORDS = ("too long", "MemoryError", "could not be found out", "RecursionError")
CERTAIN = ("passed", "partial", "failed", "error")  # statuses of tests


@dataclass(frozen=True)
class CellKeys:
    """The key of each cell of a notebook, and the cells that it depends on; '' for text."""

    keys: tuple[str, ...]
    slices: Mapping[int, frozenset[int]]


@dataclass(frozen=True)
class KeptCells:
    """The results of an earlier run that still hold, by the place of their cells."""

    results: Mapping[int, CellResult] = field(default_factory=dict)
    providers: Mapping[int, CellResult] = field(default_factory=dict)  # to be run all the same


@dataclass(frozen=True)
class PartRun:
    """A run of some cells of a notebook."""

    results: list[CellResult]  # of all cells
    kept: KeptCells
    is_sure: bool  # nothing was cut short

    @property
    def known(self) -> frozenset[int]:
        """The places of the cells that there were results for."""
        return frozenset(self.kept.results.keys() | self.kept.providers.keys())


def cell_keys(
    parts: Sequence[CellToRun],
    plan: Plan,
    files: AssignmentFiles,
    common: object,
    by_test: Mapping[int, object],
    *,
    follow_through: bool,
) -> CellKeys | None:
    """Return the keys of a notebook's cells; None where what they depend on cannot be told.

    Parameters
    ----------
    common
        all that is the same for every cell, besides the plan; its `repr` counts.
    by_test
        what else a test's verdict depends on, by its step.
    """
    entries = _entries(parts, plan)
    try:
        found = slices_of([one.cell for one in entries], modules_of(files), files.names)
    except Unsure:
        return None
    tests = {place for place, one in enumerate(entries) if one.cell.is_test}
    if follow_through:
        found = _with_tests_in_order(found, tests)
    environment = hashlib.sha256(repr((_without_tests(plan), common)).encode()).digest()
    keys = [""] * len(parts)
    slices: dict[int, frozenset[int]] = {}
    seen: Counter[str] = Counter()
    for place, entry in enumerate(entries):
        if entry.number is None:
            continue
        digest = hashlib.sha256(environment)
        for one in (*sorted(found[place]), place):
            digest.update(entries[one].digest)
        digest.update(repr(by_test.get(_index(parts[entry.number]))).encode())
        key = digest.hexdigest()[:KEY_DIGITS]
        seen[key] += 1
        keys[entry.number] = f"{key}-{seen[key]}"
        numbers = (entries[one].number for one in found[place])
        slices[entry.number] = frozenset(number for number in numbers if number is not None)
    return CellKeys(tuple(keys), slices)


def _with_tests_in_order(
    found: Sequence[frozenset[int]], tests: Collection[int]
) -> list[frozenset[int]]:
    """Return slices in which a test that depends on another has all earlier cells.

    With follow-through a new process may take over between the two, and knows nothing of earlier
    tests. Whether it does depends on all of them.
    """
    wide: list[frozenset[int]] = []
    for place, one in enumerate(found):
        if place in tests and not one.isdisjoint(tests):
            one = frozenset(range(place))
        wide.append(one.union(*(wide[earlier] for earlier in one)))
    return wide


def run_part(
    referee: Referee,
    parts: Sequence[CellToRun],
    keys: CellKeys,
    results: Mapping[int, CellResult],
) -> PartRun:
    """Run the cells that there are no results for, and what these depend on."""
    kept = kept_cells(results, keys, parts)
    undrawn = [number for number in kept.providers if parts[number].role != "test"]
    came = referee.grade(parts, kept.results, undrawn, keys.slices)
    is_sure = referee.is_whole and is_certain(came, kept)
    return PartRun(_with_kept_outputs(came, kept), kept, is_sure)


def kept_cells(
    results: Mapping[int, CellResult], known: CellKeys, parts: Sequence[CellToRun]
) -> KeptCells:
    """Return which results stand as they are, and which are of cells that others need."""
    changed = [n for n, part in enumerate(parts) if part.is_code and n not in results]
    needed = frozenset[int]().union(*(known.slices[number] for number in changed))
    providers = {number: results[number] for number in needed & results.keys()}
    return KeptCells({n: one for n, one in results.items() if n not in needed}, providers)


def run_less(
    new_referee: Callable[[], Referee],
    parts: Sequence[CellToRun],
    keys: CellKeys,
    results: Mapping[int, CellResult],
    may_stand: Callable[[PartRun], bool],
) -> tuple[int, PartRun | None]:
    """Run what there are no results for, and what may come out otherwise as other answers have lost
    points; return how many cells were run, and the run. None: all has to be run.
    """
    results, cells_run = dict(results), 0
    for _ in range(TRIES):
        referee = new_referee()
        run = run_part(referee, parts, keys, results)
        cells_run += referee.cells_run
        if not may_stand(run):
            break
        if not referee.unkept:
            return cells_run, run
        for number in referee.unkept:
            del results[number]
    return cells_run, None


def is_like_a_full_run(
    run: PartRun, parts: Sequence[CellToRun], tests: Sequence[Cell], calibration: Calibration
) -> bool:
    """Tell whether nothing was cut short, and nothing that was run has to be judged in one
    process.
    """
    fresh = {
        part.step: one
        for number, (part, one) in enumerate(zip(parts, run.results, strict=True))
        if part.role == "test" and part.step is not None and number not in run.kept.results
    }
    there = [cell for cell in tests if cell.index in fresh]
    return run.is_sure and not needs_one_process(there, fresh, calibration)


def solve_less(
    new_referee: Callable[[], Referee],
    parts: Sequence[CellToRun],
    keys: CellKeys,
    earlier_keys: Sequence[str],
    earlier: Sequence[CellResult],
) -> tuple[Referee, list[CellResult]] | None:
    """Run of a solution what an earlier run has no results for; None: all has to be run."""
    places = {key: number for number, key in enumerate(earlier_keys) if key}
    same = {n: earlier[places[key]] for n, key in enumerate(keys.keys) if key in places}
    if not same:
        return None
    referee = new_referee()
    run = run_part(referee, parts, keys, same)
    return (referee, run.results) if run.is_sure else None


def is_certain(came: Sequence[CellResult], kept: KeptCells) -> bool:
    """Tell whether nothing in a run was cut short, so that another run comes to the same."""
    for number, one in enumerate(came):
        if number in kept.results:
            continue
        if one.status and (
            one.status not in CERTAIN or one.evidence.limits or one.evidence.odd_pass
        ):
            return False
        if any(word in one.message for word in CUT_SHORT_WORDS):
            return False
        if _is_cut_short(one):
            return False
    return True


def _is_cut_short(one: CellResult) -> bool:
    return any(
        output.get("ename") in CUT_SHORT or "RecursionError" in output.get("evalue", "")
        for output in one.outputs
    )


def _with_kept_outputs(came: Sequence[CellResult], kept: KeptCells) -> list[CellResult]:
    """Return the results with the earlier outputs of cells that were run for others alone."""
    return [
        replace(one, outputs=kept.providers[number].outputs)
        if number in kept.providers and not one.status and not _is_cut_short(one)
        else one
        for number, one in enumerate(came)
    ]


# ---------------------------------------------------------------- parts of a key


@dataclass(frozen=True)
class _Entry:
    """One cell as it is run, by the box, the tester or both."""

    number: int | None  # among the parts; None: the tester alone runs it
    cell: RunCell
    digest: bytes


def _entries(parts: Sequence[CellToRun], plan: Plan) -> list[_Entry]:
    found = []
    for number, part in enumerate(parts):
        for index in part.passed:  # the instructor's own text of a cell that students may change
            step = plan.steps[index]
            found.append(_entry(None, "", "passed", step))
        if part.is_code:
            found.append(_entry(number, part.source, part.role, _step(plan, part)))
    return found


def _entry(number: int | None, source: str, role: str, step: Step | None) -> _Entry:
    more = step.source if step is not None and step.source != source else ""
    fact = repr((role, step, source)).encode()
    cell = RunCell(
        source,
        role == "test",
        more,
        frozenset(step.given_up) if step is not None else frozenset(),
        step is not None and bool(step.source),
        frozenset(step.set_for_students) if step is not None else frozenset(),
    )
    return _Entry(number, cell, hashlib.sha256(fact).digest())


def _step(plan: Plan, part: CellToRun) -> Step | None:
    return None if part.step is None else plan.steps[part.step]


def _index(part: CellToRun) -> int:
    return -1 if part.step is None else part.step


def _without_tests(plan: Plan) -> Plan:
    """Return a plan without what belongs to a single test."""
    bare = [
        Step(one.index, one.role, one.grade_id) if one.role == "test" else one for one in plan.steps
    ]
    return replace(plan, steps=tuple(bare))
