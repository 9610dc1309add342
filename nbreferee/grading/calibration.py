"""How each test cell of a notebook is judged: in two processes, in one, or by a person.

The instructor's solution decides, before a class is graded. It is graded in two processes, and
where it loses points there, in one process as stock nbgrader would. A cell where it earns more in
one process is judged in one process for everybody; a cell where it loses points either way is a
fault of the course and is left to a person.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbreferee.course.source import Cell, Master
from nbreferee.engine.box_runner import CellResult, CellToRun
from nbreferee.engine.follow_through import Follow
from nbreferee.engine.outputs import error_of
from nbreferee.submission.originals import Released
from nbreferee.verdicts import CellVerdict

MANUAL = "ManualGrading"  # the name of the error that a cell shows which is left to a person
FAULT = "The test of this cell has a fault"  # the same for everybody
CURE = (
    "Its test is then within reach of the students' code. Rewrite the test to work on plain "
    "values, or accept this."
)


@dataclass(frozen=True)
class Calibration:
    """How the test cells of one notebook are judged; cells that are not named are judged in two
    processes.
    """

    one_process: Mapping[str, str] = field(default_factory=dict)  # why, by grade id
    faults: Mapping[str, str] = field(default_factory=dict)  # what the solution gets, by grade id

    def warnings(self, path: str) -> tuple[str, ...]:
        """Return a sentence for the instructor on each cell that is not judged in two processes."""
        one = [
            f"{path}, cell {name}: judged in one process, for {why}. {CURE}"
            for name, why in self.one_process.items()
        ]
        faults = [
            (
                f"{path}, cell {name}: {what}. Nobody is judged by it: mark this cell by hand, or "
                "mend the test."
            )
            for name, what in self.faults.items()
        ]
        return (*one, *faults)

    def as_plain(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"one_process": dict(self.one_process), "faults": dict(self.faults)}

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> Calibration:
        """Read what `as_plain` has made."""
        return Calibration(**{name: dict(plain[name]) for name in ("one_process", "faults")})


def calibrate(
    tests: Sequence[Cell],
    two: Mapping[int, CellResult],
    one: Mapping[int, CellResult] | None,
    sensed: Mapping[str, str],
    setting: str | Collection[str],
) -> Calibration:
    """Return how cells are judged, from what the solution gets in two processes and in one (None:
    not tried).

    `sensed` holds the cells that use what only one process has, with the reason; `setting` is
    c.NbReferee.one_process.
    """
    ways: dict[str, str] = {}
    faults: dict[str, str] = {}
    for cell in tests:
        name, mine = cell.grade_id, two[cell.index]
        here = one[cell.index] if one is not None else None
        best = max(mine.score, here.score if here else 0.0)
        why = sensed.get(name, "") or mine.evidence.patched
        if not why and here is not None and here.score > mine.score:
            why = _why(mine)
        may = setting == "auto" if isinstance(setting, str) else name in setting
        if may and not isinstance(setting, str):
            why = why or "c.NbReferee.one_process names it"
        short = here is not None and here.score < cell.points if why else mine.score < cell.points
        if why and not may:
            faults[name] = (
                f"it has to be judged in one process ({why}), and c.NbReferee.one_process does "
                "not allow it"
            )
        elif best < cell.points or short or mine.status == "grader_failed":
            shown = mine if mine.score < cell.points or here is None else here
            faults[name] = (
                f"the solution itself gets {shown.score:g} of {cell.points:g} points "
                f"({_refusal(shown.message) or 'no message'})"
            )
        elif why:
            ways[name] = why
    return Calibration(ways, faults)


def _refusal(message: str) -> str:
    """Return an error's message; of one that the sandbox causes, with a sentence that says so."""
    if message.startswith(("[Errno 1] ", "[Errno 13] ")):
        return f"the sandbox may not allow what the test does: {message}"
    return message


def _why(two: CellResult) -> str:
    reason = "; ".join(two.evidence.limits) or two.message
    if reason.startswith("[Errno "):  # of the operating system, and no sentence
        reason = f"the sandbox of a test refuses something that it does ({reason})"
    return f"the solution passes only there: {reason[:300]}"


def needs_one_process(
    tests: Sequence[Cell], two: Mapping[int, CellResult], calibration: Calibration
) -> bool:
    """Tell whether a submission has to be run in one process as well."""
    return any(
        cell.grade_id in calibration.one_process or _limits(cell, two[cell.index], calibration)
        for cell in tests
    ) or bool(doubts_from_earlier(tests, two, calibration))


def doubts_from_earlier(
    tests: Sequence[Cell], two: Mapping[int, CellResult], calibration: Calibration
) -> dict[int, str]:
    """Return the cells that lost points after a cell that could not be judged in two processes,
    by index, with the reason.

    What that cell does in one process (it may set names, or call functions that do) may not have
    been done in two.
    """
    reason = ""
    found: dict[int, str] = {}
    for cell in tests:
        mine = two[cell.index]
        limits = _limits(cell, mine, calibration)
        if reason and not limits and _may_be_tried(cell, mine, calibration):
            found[cell.index] = reason
        said = mine.evidence.odd_pass or "; ".join(limits)
        if cell.grade_id in calibration.one_process and mine.score < cell.points:
            said = said or "it is judged in one process"
        if said and not reason:
            reason = (
                f"the cell {cell.grade_id} before it, which may have done less when run apart "
                f"({said})"
            )
    return found


def _limits(cell: Cell, two: CellResult, calibration: Calibration) -> Sequence[str]:
    """Return the limits for which alone a submission may have lost points in a cell.

    The solution may have met the same ones and passed, where the test allows for them; another
    answer need not.
    """
    return two.evidence.limits if _may_be_tried(cell, two, calibration) else ()


def _may_be_tried(cell: Cell, two: CellResult, calibration: Calibration) -> bool:
    return two.score < cell.points and cell.grade_id not in calibration.faults


def decide_each(
    tests: Mapping[int, Cell],
    steps: Sequence[int | None],
    two: Sequence[CellResult],
    one: Sequence[CellResult | None],
    calibration: Calibration,
) -> list[CellResult]:
    """Return the results of a notebook's cells, with the verdicts on its tests; `steps` are the
    indices of the cells, `tests` are by index.
    """
    came = {
        step: mine
        for step, mine in zip(steps, two, strict=True)
        if step is not None and step in tests
    }
    there = [cell for index, cell in tests.items() if index in came]
    earlier = doubts_from_earlier(there, came, calibration)
    return [
        decide(tests[step], mine, here, calibration, earlier.get(step, ""))
        if step is not None and step in tests
        else mine
        for step, mine, here in zip(steps, two, one, strict=True)
    ]


def decide(
    cell: Cell,
    two: CellResult,
    one: CellResult | None,
    calibration: Calibration,
    earlier: str = "",
) -> CellResult:
    """Return the verdict on a test cell, from what a submission gets in two processes and in
    one.

    `earlier` is the reason that an earlier cell gives for a difference: see `doubts_from_earlier`.
    """
    if cell.grade_id in calibration.faults:
        return _left_to_person(two, f"{FAULT}: {calibration.faults[cell.grade_id]}.")
    if cell.grade_id in calibration.one_process and one is not None and one.verdict is not None:
        here = one.verdict
        shown = _shown(cell, here)
        return two.judged(here.status, here.score, here.message, shown, in_one_process=True)
    if odd := two.evidence.odd_pass:
        return _left_to_person(
            two,
            f"The test passes, but only by what the solution never gives or does: {odd}.",
        )
    limits = _limits(cell, two, calibration) or ((earlier,) if earlier else ())
    if one is not None and one.score > two.score and limits:
        return _left_to_person(
            two,
            f"Run apart from the test, the answer gets {two.score:g} of {cell.points:g} points "
            f"({two.message}); run together with it, {one.score:g}. The reason for the "
            f"difference: {'; '.join(limits)}.",
        )
    return two


def _left_to_person(two: CellResult, why: str) -> CellResult:
    message = f"Not scored automatically: a person marks this cell. {why}"
    return two.judged("manual", 0.0, message, [error_of(MANUAL, message)])


def _shown(cell: Cell, one: CellVerdict) -> list[dict[str, Any]]:
    """Return the outputs of a cell that was judged in one process: what nbgrader reads the score
    from.
    """
    if one.status not in ("passed", "partial"):
        kind = {"failed": "AssertionError", "timeout": "TimeoutError"}.get(one.status, "TestError")
        return [error_of(kind, one.message)]
    if one.score == cell.points:
        return []
    return [
        {
            "output_type": "execute_result",
            "data": {"text/plain": f"{one.score:g}"},
            "metadata": {},
            "execution_count": None,
        }
    ]


def follow_through(
    master: Master,
    released: Mapping[str, Released],
    parts: list[CellToRun],
    one: Sequence[CellResult] | None,
    calibration: Calibration,
) -> Follow:
    """Return how follow-through is done: cells that are not judged in two processes are not judged
    again.
    """
    apart = {
        cell.index: cell.grade_id
        for cell in master.tests
        if cell.grade_id in {*calibration.one_process, *calibration.faults}
    }
    scores = {
        part.step: here.score
        for part, here in zip(parts, one or (), strict=False)
        if part.step is not None and apart.get(part.step, "") in calibration.one_process
    }
    stubs = {
        cell.index: released[cell.grade_id].source
        for cell in master.answers
        if cell.grade_id in released
    }
    unwritten = frozenset(
        part.step for part in parts if part.step is not None and stubs.get(part.step) == part.source
    )
    return Follow(frozenset(apart), scores, unwritten)
