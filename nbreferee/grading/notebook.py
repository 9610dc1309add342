"""One notebook of one submission, from its bytes to its verdicts: what a worker does.

It knows files, and nothing of courses, gradebooks or other submissions.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from nbreferee.budget import Budget
from nbreferee.course.follow_through import with_follow_through
from nbreferee.course.ownership import Plan, make_plan, role_of
from nbreferee.course.patching import may_patch
from nbreferee.course.replaying import NotebookReading
from nbreferee.course.rules import Rules
from nbreferee.course.source import Master, parse_master
from nbreferee.course.uses_one_process import uses_one_process
from nbreferee.engine.assignment_files import AssignmentFiles, modules_of
from nbreferee.engine.box_runner import CellResult, CellToRun
from nbreferee.engine.figure_runner import FiguresAhead
from nbreferee.engine.follow_through import Follow
from nbreferee.engine.one_process import OneProcess, TestCell
from nbreferee.engine.processes import WarmProcesses
from nbreferee.engine.recorder import RecordingReferee
from nbreferee.engine.referee import Referee, SolutionRun
from nbreferee.engine.replay import Replay
from nbreferee.grading.calibration import (
    Calibration,
    calibrate,
    decide_each,
    follow_through,
    needs_one_process,
)
from nbreferee.grading.earlier import read_results, what_to_keep
from nbreferee.grading.outputs import apply_rules
from nbreferee.grading.regrading import (
    CellKeys,
    KeptCells,
    PartRun,
    cell_keys,
    is_certain,
    is_like_a_full_run,
    run_less,
    run_part,
    solve_less,
)
from nbreferee.grading.replaying import prepare_replay, read_solution, recordings_of, runs_of
from nbreferee.grading.results import comments_of, verdict_of, write_results
from nbreferee.grading.shared_results import SharedResults
from nbreferee.grading.solution_file import Solved
from nbreferee.grading.writing import write_notebook
from nbreferee.pages.sanitize import sanitize
from nbreferee.submission.originals import Originals, Released, originals_of
from nbreferee.submission.reading import well_formed
from nbreferee.submission.rebuild import Rebuilt, rebuild
from nbreferee.verdicts import CellVerdict, Cost, NotebookResult
from nbreferee.versions import identity

SOLUTION_TRIES = 2  # where it runs out of time: the machine may be busy


@dataclass(frozen=True)
class NotebookMaterial:
    """What it takes to grade one notebook of an assignment; it travels as bytes."""

    path: str  # of the master, for messages
    data: bytes  # of the master
    released: Mapping[str, Released]
    files: AssignmentFiles  # of the instructor's, beside the notebook
    rules: Rules = field(default_factory=Rules)
    solution_files: Mapping[str, bytes] = field(
        default_factory=dict
    )  # that students write, as the solution has them

    def __reduce__(self) -> tuple[Any, ...]:
        return NotebookMaterial, (
            self.path,
            self.data,
            self.released,
            self.files,
            self.rules,
            self.solution_files,
        )

    @cached_property
    def master(self) -> Master:
        """The instructor's notebook.

        Raises
        ------
        MasterError
            where it cannot be used.
        """
        return parse_master(Path(self.path), self.data, self.rules.delimiters)

    @cached_property
    def plan(self) -> Plan:
        """What the tester has to know."""
        plan = make_plan(self.master)
        return with_follow_through(plan, self.master) if self.rules.follow_through else plan

    @cached_property
    def originals(self) -> Originals:
        """The instructor's cells as students got them."""
        return originals_of(self.master, self.released)

    @cached_property
    def texts(self) -> frozenset[str]:
        """The texts of the instructor's cells, as written and as released."""
        return frozenset(cell.source for cell in self.master.cells) | {
            one.source for one in self.released.values()
        }

    @cached_property
    def key(self) -> str:
        """A name for all that verdicts depend on but the submission: master, files, grader."""
        digest = hashlib.sha256(repr(identity()).encode() + self.data)
        digest.update(repr((sorted(self.released.items()), self.rules)).encode())
        digest.update(self.files.key.encode())
        for name, data in sorted(self.solution_files.items()):
            digest.update(f"{name} {len(data)} ".encode() + data)
        return digest.hexdigest()


@dataclass(frozen=True)
class GradedNotebook:
    """An executed notebook and its result."""

    notebook: NotebookNode
    result: NotebookResult
    regrading: dict[str, Any] | None = None  # what a later run needs to run less

    @property
    def cells(self) -> tuple[CellVerdict, ...]:
        """The verdicts on its cells."""
        return self.result.cells

    @property
    def repairs(self) -> tuple[str, ...]:
        """What had to be put right in the submission."""
        return self.result.repairs


@dataclass
class Grader:
    """Grades notebooks with the warm processes of one worker; use `warm` in a `with`."""

    warm: WarmProcesses
    stamp: str = ""  # put on top of every notebook: why it was graded without a sandbox
    draws: bool = True  # whether anybody sees the figures of solutions
    has_spare_core: bool = False  # while it runs a solution
    shared: SharedResults = field(default_factory=SharedResults)
    _known: dict[str, SolutionRun] = field(default_factory=dict)
    # results of the solution's cells, with their keys
    _solutions: dict[str, tuple[Sequence[CellResult], tuple[str, ...]]] = field(
        default_factory=dict
    )
    _calibrations: dict[str, Calibration] = field(default_factory=dict)
    _earlier: dict[str, Solved] = field(default_factory=dict)  # by the path of the master
    _plans: dict[str, Plan] = field(default_factory=dict)
    _materials: dict[tuple[str, str], NotebookMaterial] = field(default_factory=dict)

    def grade(
        self,
        material: NotebookMaterial,
        data: bytes,
        files: Mapping[str, bytes],
        calibration: Calibration | None = None,
        earlier: bytes | None = None,
    ) -> GradedNotebook:
        """Grade a notebook; `calibration` says how its cells are judged, and is found out where it
        is not given. `earlier` is the executed notebook of an earlier run: what still holds of it
        is not run again.

        Raises
        ------
        SubmissionError
            where the bytes are no notebook.
        """
        started = time.monotonic()
        material = self._read_once(material)
        rebuilt = rebuild(material.originals, data)
        calibration = calibration or self.calibrate(material)
        self._try_solution(material)
        parts = parts_of(rebuilt)
        files = not_outranked(files, material.files)
        one = (
            self.in_one_process(material, parts, files)
            if material.rules.follow_through and calibration.one_process
            else None
        )
        follow = (
            follow_through(material.master, material.released, parts, one, calibration)
            if material.rules.follow_through
            else None
        )
        keys = None if calibration.one_process else self._keys(material, parts, files, calibration)
        known = self._known[material.key]

        def new_referee(replays: bool = True) -> Referee:
            replay = self._replay(material, parts) if replays else None
            return self._referee(material, files, known, follow, replay)

        if keys is None:
            referee = new_referee()
            came, cells_run, regrading = referee.grade(parts), referee.cells_run, None
        else:
            cells_run, run = self._run_less(
                new_referee, material, parts, keys, calibration, earlier
            )
            came, regrading = run.results, None
            if run.is_sure and not rebuilt.unsure_tests:
                regrading = what_to_keep(keys.keys, came)
        came = self._decide(material, parts, came, files, calibration, one)
        if keys and regrading and material.rules.share_results and self.warm.is_whole():
            # or the notebook is graded again, and would count as two students'
            self.shared.learn(parts, keys, run.results, material.files.shared, run.known)
        verdicts = write_results(rebuilt, came)
        apply_rules(rebuilt.notebook, material.rules)
        comments = comments_of(rebuilt, self.stamp)
        repairs = rebuilt.repairs + sanitize(rebuilt.notebook, material.texts)
        if self.stamp:
            rebuilt.notebook.cells.insert(
                0,
                nbformat.v4.new_markdown_cell(
                    f"**Graded without a sandbox:** {self.stamp}", id="sandbox"
                ),
            )
        walls = tuple(
            (place.cell.grade_id if place.cell else "", one.wall_s)
            for place, one in zip(rebuilt.places, came, strict=True)
        )
        result = NotebookResult(
            "graded",
            cells=verdicts,
            comments=comments,
            repairs=repairs,
            warnings=calibration.warnings(material.path),
            cost=Cost(time.monotonic() - started, cells_run, walls),
        )
        return GradedNotebook(rebuilt.notebook, result, regrading)

    def _run_less(
        self,
        new_referee: Callable[[bool], Referee],
        material: NotebookMaterial,
        parts: list[CellToRun],
        keys: CellKeys,
        calibration: Calibration,
        earlier: bytes | None,
    ) -> tuple[int, PartRun]:
        """Run what neither an earlier run nor another student has results for; return how many
        cells were run, and the run.
        """

        def find_shared(known: Collection[int] = ()) -> dict[int, CellResult]:
            if not material.rules.share_results:
                return {}
            return self.shared.find(parts, keys, material.files.shared, known)

        def is_enough(run: PartRun) -> bool:
            return is_like_a_full_run(run, parts, material.master.tests, calibration)

        roles, tries = [part.role for part in parts], 0
        if earlier is not None and (results := read_results(earlier, keys.keys, roles)):
            results |= find_shared(results)
            tries, run = run_less(lambda: new_referee(False), parts, keys, results, is_enough)
            if run is not None:
                return tries, run
        cells_run, run = run_less(
            lambda: new_referee(True), parts, keys, find_shared(), lambda run: True
        )
        if run is None:
            referee = new_referee(True)
            run = run_part(referee, parts, keys, {})
            cells_run += referee.cells_run
        return tries + cells_run, run

    def _replay(self, material: NotebookMaterial, parts: Sequence[CellToRun]) -> Replay | None:
        """Return which cells of a submission need not be run, if that can be told."""
        runs = self._known[material.key].recorded
        recordings = recordings_of(material.master, runs, self._solutions[material.key][0])
        return prepare_replay(parts, recordings, material.files)

    def _keys(
        self,
        material: NotebookMaterial,
        parts: list[CellToRun],
        files: Mapping[str, bytes],
        calibration: Calibration,
    ) -> CellKeys | None:
        """Return the keys of a notebook's cells, if what they depend on can be told."""
        if self.stamp:
            return None
        allowed = self._known[material.key].oddities or {}
        by_test = {
            cell.index: (
                sorted(map(repr, allowed[cell.index])) if cell.index in allowed else None,
                calibration.faults.get(cell.grade_id),
            )
            for cell in material.master.tests
        }
        answers = [material.released.get(cell.grade_id) for cell in material.master.answers]
        return cell_keys(
            parts,
            self._plan(material),
            material.files,
            (self._common(material, files), answers, sorted(calibration.faults)),
            by_test,
            follow_through=material.rules.follow_through,
        )

    def _common(self, material: NotebookMaterial, files: Mapping[str, bytes]) -> tuple[object, ...]:
        """Return what the results of all cells depend on; `files` are those handed in."""
        return (
            identity(),
            self.warm.budget.as_plain(),
            material.rules,
            material.files.key,
            sorted((name, hashlib.sha256(data).hexdigest()) for name, data in files.items()),
            sorted(material.solution_files.items()),
        )

    def calibrate(self, material: NotebookMaterial) -> Calibration:
        """Find out with the solution how each test cell is judged."""
        material = self._read_once(material)
        if material.key not in self._calibrations:
            self._try_solution(material)
            setting, tests = material.rules.one_process, material.master.tests
            if material.key in self._calibrations:  # an earlier run has found it out
                return self._calibrations[material.key]
            two = dict(enumerate(self._solutions[material.key][0]))
            sensed = uses_one_process(material.master)
            needed = any(
                two[cell.index].score < cell.points or two[cell.index].evidence.patched
                for cell in tests
            )
            one = None
            if sensed or needed or not isinstance(setting, str):
                one = dict(
                    enumerate(
                        self.in_one_process(
                            material, solution_parts(material), material.solution_files
                        )
                    )
                )
            self._calibrations[material.key] = calibrate(tests, two, one, sensed, setting)
        return self._calibrations[material.key]

    def _read_once(self, material: NotebookMaterial) -> NotebookMaterial:
        """Return the material that came first of those that are equal: its master is parsed.

        Each task brings its own copy.
        """
        return self._materials.setdefault((material.path, material.key), material)

    def in_one_process(
        self, material: NotebookMaterial, parts: list[CellToRun], files: Mapping[str, bytes]
    ) -> list[CellResult]:
        """Run a notebook as stock nbgrader does, tests and answers in one process of the
        sandbox.
        """
        tests = {
            cell.index: TestCell(cell.grade_id, cell.source, cell.points, cell.hidden_lines)
            for cell in material.master.tests
        }
        return OneProcess(self.warm, files, material.files, tests).grade(parts)

    def both_ways(
        self, material: NotebookMaterial, data: bytes, files: Mapping[str, bytes]
    ) -> list[tuple[CellVerdict, float, float]]:
        """Return (verdict, score in two processes, score in one) of each test cell of a submission.

        Raises
        ------
        SubmissionError
            if the bytes are no notebook.
        """
        rebuilt, calibration = rebuild(material.originals, data), self.calibrate(material)
        parts, files = parts_of(rebuilt), not_outranked(files, material.files)
        two = self._referee(material, files, self._known[material.key]).grade(parts)
        one = self.in_one_process(material, parts, files)
        tests = {cell.index: cell for cell in material.master.tests}
        decided = self._decide(material, parts, two, files, calibration, one)
        return [
            (verdict_of(final), mine.score, here.score)
            for part, final, mine, here in zip(parts, decided, two, one, strict=True)
            if part.step in tests
        ]

    def _decide(
        self,
        material: NotebookMaterial,
        parts: list[CellToRun],
        came: list[CellResult],
        files: Mapping[str, bytes],
        calibration: Calibration,
        one: Sequence[CellResult | None] | None,
    ) -> list[CellResult]:
        """Return the verdicts, with the notebook run in one process as well where that is needed
        and has not been done (`one`).
        """
        tests = {cell.index: cell for cell in material.master.tests}
        two = {part.step: one for part, one in zip(parts, came, strict=True) if part.step in tests}
        there = [cell for index, cell in tests.items() if index in two]
        if one is None:
            one = (
                self.in_one_process(material, parts, files)
                if needs_one_process(there, two, calibration)
                else [None] * len(parts)
            )
        return decide_each(tests, [part.step for part in parts], came, one, calibration)

    def forget_figures(self) -> None:
        """Have the figures of solutions drawn again, too."""
        self._known = {
            key: replace(known, figures={}, recorded={}) for key, known in self._known.items()
        }

    def get_ready(self, material: NotebookMaterial) -> None:
        """Let the processes get ready that the notebooks of an assignment need."""
        material = self._read_once(material)
        self.warm.get_ready(self._plan(material), material.files)

    def has_solved(self, material: NotebookMaterial) -> bool:
        """Tell whether the run of the solution is known."""
        return material.key in self._known

    def learn(self, solved: Solved, material: NotebookMaterial) -> None:
        """Use what an earlier run of the solution has shown: all of it, or where a test has changed
        since, what still holds.
        """
        self._earlier[material.path] = solved

    def solved(self, material: NotebookMaterial) -> Solved:
        """Return what the run of the solution has shown, for `learn`."""
        material = self._read_once(material)
        calibration, key = self.calibrate(material), material.key
        results, keys = self._solutions[key]
        name, plan = self._name(material), self._plan(material)
        timeless = tuple(replace(one, wall_s=0.0) for one in results)
        return Solved(name, plan, timeless, self._known[key], calibration, keys)

    def _name(self, material: NotebookMaterial) -> str:
        return solution_name(material, self.warm.budget)

    def solution(self, material: NotebookMaterial) -> tuple[SolutionRun, Sequence[CellResult]]:
        """Return what the run of the solution has shown, and the results of its cells."""
        self._try_solution(material)
        return self._known[material.key], self._solutions[material.key][0]

    def _try_solution(self, material: NotebookMaterial) -> None:
        """Run the solution once: what is odd about its own values is allowed to students; its
        figures need no second drawing.
        """
        key = material.key
        if key in self._known:
            return
        earlier = self._earlier.get(material.path)
        if earlier is None or earlier.name != self._name(material):
            self._solve(material, earlier)
            return
        self._known[key], self._plans[key] = earlier.run, earlier.plan
        self._calibrations[key] = earlier.calibration
        self._solutions[key] = earlier.results, earlier.keys

    def _solve(self, material: NotebookMaterial, earlier: Solved | None) -> None:
        """Run a solution, of it what is not as in an earlier run."""
        self.get_ready(material)
        parts, files = solution_parts(material), material.solution_files
        reading = read_solution(parts, material.files) if material.rules.replay else None
        sources = [step.source for step in self._plan(material).steps if step.source]
        known = SolutionRun(
            figures=earlier.run.figures if earlier else {},
            may_patch=may_patch(sources, modules_of(material.files)),
        )

        def new_referee() -> Referee:
            return self._referee(material, files, known, None, None, reading)

        keys = cell_keys(
            parts, self._plan(material), material.files, self._common(material, files), {},
            follow_through=False,
        )  # fmt: skip
        found = None
        if earlier is not None and keys is not None:
            found = solve_less(new_referee, parts, keys, earlier.keys, earlier.results)

        def new_referee_of_all() -> Referee:
            referee = new_referee()
            if self.draws and self.has_spare_core:
                referee.ahead = FiguresAhead(self.warm, files, material.files, parts)
            return referee

        referee, came = found or self._solve_whole(new_referee_of_all, parts)
        is_sure = referee.is_whole and is_certain(came, KeptCells())
        passed = {n for n, part in enumerate(parts) if part.role == "test" and came[n].score}
        oddities = {number: came[number].evidence.oddities for number in passed}
        recorded = runs_of(referee, keys, earlier)
        self._known[material.key] = SolutionRun(
            oddities, shown_figures(referee.drawn, came), recorded
        )
        self._solutions[material.key] = came, keys.keys if keys and is_sure else ()

    def _solve_whole(
        self, new_referee: Callable[[], Referee], parts: list[CellToRun]
    ) -> tuple[Referee, list[CellResult]]:
        for _ in range(SOLUTION_TRIES):
            referee = new_referee()
            came = referee.grade(parts, undrawn=() if self.draws else range(len(parts)))
            if not any(one.status == "timeout" for one in came):
                break
        return referee, came

    def _plan(self, material: NotebookMaterial) -> Plan:
        if material.key not in self._plans:
            self._plans[material.key] = material.plan
        return self._plans[material.key]

    def _referee(
        self,
        material: NotebookMaterial,
        files: Mapping[str, bytes],
        known: SolutionRun,
        follow: Follow | None = None,
        replay: Replay | None = None,
        recording: NotebookReading | None = None,
    ) -> Referee:
        plan = self._plan(material)
        lend_tester = partial(self.warm.tester, plan, material.files)
        common = self.warm, lend_tester, plan, files, known, material.files
        if recording is not None:
            return RecordingReferee(*common, reading=recording, answers=plan.student_names)
        return Referee(*common, follow, replay)


def solution_name(material: NotebookMaterial, budget: Budget) -> str:
    """Return a name for all that the run of a solution depends on."""
    return f"{material.key} {budget.as_plain()}"


def shown_figures(drawn: Mapping[str, str], came: Sequence[CellResult]) -> dict[str, str]:
    """Return those of the pictures, by name, that a notebook shows."""
    shown = {output.get("data", {}).get("image/png") for one in came for output in one.outputs}
    return {name: picture for name, picture in drawn.items() if picture in shown}


def not_outranked(theirs: Mapping[str, bytes], ours: AssignmentFiles) -> dict[str, bytes]:
    """Return a student's files, but for those in whose place the instructor has one."""
    return {name: data for name, data in theirs.items() if not ours.outranks(name)}


def solution_parts(material: NotebookMaterial) -> list[CellToRun]:
    """Return what there is to run of the instructor's own notebook."""
    return [
        CellToRun(cell.source, cell.is_code, cell.index, role_of(cell))
        for cell in material.master.cells
    ]


def parts_of(rebuilt: Rebuilt) -> list[CellToRun]:
    """Return what the referee has to run of a rebuilt notebook."""
    parts = []
    for cell, place in zip(rebuilt.notebook.cells, rebuilt.places, strict=True):
        step, role = (place.cell.index, role_of(place.cell)) if place.cell else (None, "free")
        parts.append(CellToRun(cell.source, cell.cell_type == "code", step, role, place.passed))
    return parts


def as_bytes(notebook: NotebookNode) -> bytes:
    """Return a notebook as a file has it; it is made of checked parts, and not checked again."""
    return well_formed(write_notebook(notebook) + "\n").encode()
