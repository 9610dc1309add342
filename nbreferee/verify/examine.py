"""Verify one notebook: try solutions, lazy answers, mutants, alternatives and mistakes on its
tests.

Everything runs in forks of one warm process (see `warm`), each seeing the state in which the
instructor's own solution had left the namespace.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbreferee.course.dataflow import changed_names
from nbreferee.course.source import Cell, Master
from nbreferee.mutation import mutants
from nbreferee.verify.lazy import KINDS, TABLE, Table, lazy, recording
from nbreferee.verify.session import Session
from nbreferee.verify.warm import Forks, Trial, TrialResult

PATIENCE_S = 180  # for a right answer, which may be slow
SLACK = 6  # times the limit of a wrong answer, for the solution
LAZY_CURE = "Test a case in which it is wrong."
TABLE_CURE = "Hide a case that the release does not show."


@dataclass(frozen=True)
class Beside:
    """What an instructor keeps beside the source, never released."""

    alternatives: tuple[tuple[str, str], ...] = ()  # (grade id, another right answer)
    equivalents: tuple[Mapping[str, str], ...] = ()  # mutants that cannot be told from the solution


@dataclass(frozen=True)
class Finding:
    """Something to mend."""

    cell: str
    reason: str
    diff: str = ""


@dataclass
class TrialCounts:
    """How many answers of one sort were tried, and how many fared as they should."""

    tried: int = 0
    good: int = 0

    def count(self, good: bool) -> None:
        """Add one."""
        self.tried += 1
        self.good += good


@dataclass
class Exercise:
    """What was tried on one solution cell."""

    name: str
    lazy: TrialCounts = field(default_factory=TrialCounts)
    mutants: TrialCounts = field(default_factory=TrialCounts)
    equivalent: int = 0
    mistakes: TrialCounts = field(default_factory=TrialCounts)
    alternatives: TrialCounts = field(default_factory=TrialCounts)
    forms: TrialCounts = field(
        default_factory=TrialCounts
    )  # forbidden ones; good are those that the release does not show


@dataclass(frozen=True)
class Examined:
    """The result of verifying one notebook."""

    exercises: list[Exercise]
    findings: list[Finding]


@dataclass
class _Recorded:
    """A call of gradtests.check, for trying its mistakes."""

    cell: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]


class Examination:
    """One notebook's trials; it must have a process of its own, which it fills with the notebook's
    state.
    """

    def __init__(
        self,
        master: Master,
        release: Mapping[int, str],
        beside: Beside,
        folder: Path,
        jobs: int,
        progress: Callable[[int, int], None],
    ) -> None:
        self._master, self._release, self._beside = master, release, beside
        self._session = Session(folder)
        self._forks = Forks(jobs, self._take)
        self._progress = progress
        self._outcomes: dict[Any, TrialResult] = {}
        self._expected = 0
        self._wall_s: dict[int, float] = {}
        self._recorded: list[_Recorded] = []
        self._label = ""
        self._exercises = {cell.index: Exercise(cell.label) for cell in master.answers}
        self._findings: list[Finding] = []
        self._owners = _owners(master)

    def run(self) -> Examined:
        """Try everything; return the counts and what to mend."""
        try:
            self._try_everything()
        finally:
            self._forks.abandon()
        return Examined(list(self._exercises.values()), self._findings)

    def _try_everything(self) -> None:
        self._spy_on_gradtests(Path.cwd())
        if self._master.tests and self._solution_is_sound():
            controls = self._control_tasks()
            mutated = self._mutant_tasks()
            alternatives = self._alternative_tasks()
            self._expected = (
                sum(map(len, [*mutated.values(), *alternatives.values(), controls, KINDS])) + 2
            )
            for cell in filter(lambda cell: cell.is_code, self._master.cells):
                self._forks.start([controls[cell.index]] if cell.index in controls else [])
                self._forks.start([task for _, task in mutated.get(cell.index, [])])
                self._forks.start([task for _, task in alternatives.get(cell.index, [])])
                self._label = cell.label
                self._session.run(cell.source)
                mistakes = self._mistake_tasks(
                    cell
                )  # while the names that they use are those of this cell
                self._expected += len(mistakes)
                self._forks.start(mistakes)
            self._forks.start([self._release_task(), self._visible_task()])
            self._forks.start(map(self._lazy_task, KINDS))
            self._forks.finish()
            self._judge_release()
            self._judge_visible()
            self._judge_lazy()
            self._judge_controls(controls)
            self._judge_mutants(mutated)
            self._judge_alternatives(alternatives)
            self._judge_mistakes()

    def _take(self, outcome: TrialResult) -> None:
        self._outcomes[outcome.key] = outcome
        self._progress(len(self._outcomes), self._expected)

    def _find(self, cell: str, reason: str, diff: str = "") -> None:
        self._findings.append(Finding(cell, reason, diff))

    def _limit_s(self, cells: list[Cell]) -> float:
        return 3 + 5 * sum(self._wall_s[cell.index] for cell in cells)

    # ------------------------------------------------------------ the solution

    def _solution_is_sound(self) -> bool:
        code = [cell for cell in self._master.cells if cell.is_code]

        def action() -> list[Any]:
            runs = ((cell, self._session.run(cell.source)) for cell in code)
            return [
                (ran.error, ran.stderr, ran.wall_s, ran.score(cell), ran.shows)
                for cell, ran in runs
            ]

        self._expected = 1
        self._forks.start([Trial("solution", action, limit_s=600)])
        self._forks.finish()
        outcome = self._outcomes["solution"]
        if outcome.lost:
            self._find("", f"the solution ends in a {outcome.lost}. Run the notebook and mend it.")
            return False
        for cell, (error, stderr, wall_s, score, shows) in zip(code, outcome.result, strict=True):
            self._wall_s[cell.index] = wall_s
            if cell.is_test and shows:
                self._find(
                    cell.label,
                    "ends in a bare expression, which nbgrader takes for partial credit. Assign "
                    "it, or end in a check.",
                )
            if cell.is_test and score < cell.points:
                why = error.split("\n")[0] or (
                    f"it writes to stderr: {stderr.strip()}"
                    if stderr
                    else "it returns less than all points"
                )
                self._find(
                    cell.label,
                    f"the solution earns {score:g} of {cell.points:g} points: {why}. Mend the "
                    "solution or the test.",
                )
            elif error and not cell.is_test:
                self._find(
                    cell.label,
                    f"the solution's notebook stops here: {error.splitlines()[0]}. Mend this cell.",
                )
        return not any("the solution" in finding.reason for finding in self._findings)

    # ------------------------------------------------------------ mutants and alternatives

    def _sequence(self, index: int) -> list[Cell]:
        """Return cell `index`, then every test that may depend on it, each after what it needs."""
        cells, order = self._master.cells, [index]
        for test in self._master.affected_tests(index):
            needed = [i for i in sorted(self._master.providers[test.index]) if i >= index]
            order += [i for i in [*needed, test.index] if i not in order]
        return [cells[i] for i in order]

    def _changed_answer(
        self, key: Any, cell: Cell, source: str, until_loss: bool, limit_s: float | None = None
    ) -> Trial:
        sequence = self._sequence(cell.index)
        return Trial(
            key,
            lambda: self._session.run_cells(sequence, {cell.index: source}, until_loss),
            self._limit_s(sequence) if limit_s is None else limit_s,
        )

    def _control_tasks(self) -> dict[int, Trial]:
        """Try the solution itself in the mutants' place: what fails here says nothing of the
        tests.
        """
        return {
            cell.index: self._changed_answer(
                ("control", cell.index),
                cell,
                cell.source,
                until_loss=False,
                limit_s=SLACK * self._limit_s(self._sequence(cell.index)),
            )
            for cell in self._master.answers
        }

    def _judge_controls(self, tasks: Mapping[int, Trial]) -> None:
        for index, task in tasks.items():
            outcome, cell = self._outcomes[task.key], self._master.cells[index]
            if outcome.lost or self._loses(outcome, self._master.affected_tests(index)):
                why = f"ends in a {outcome.lost}" if outcome.lost else "loses points"
                self._find(
                    cell.label,
                    f"mutants cannot be judged: in a fork the solution itself {why}. Does the "
                    "notebook start threads?",
                )

    def _mutant_tasks(self) -> dict[int, list[tuple[Any, Trial]]]:
        tasks: dict[int, list[tuple[Any, Trial]]] = {}
        for cell in self._master.answers:
            if cell.has_magic:
                self._find(
                    cell.label,
                    "a solution cell with a magic has no mutants. Move the magic to a cell of its "
                    "own.",
                )
                continue
            for mutant in mutants(cell.source, cell.solution_lines):
                task = self._changed_answer(
                    ("mutant", cell.index, mutant.source), cell, mutant.source, until_loss=True
                )
                tasks.setdefault(cell.index, []).append((mutant, task))
        return tasks

    def _judge_mutants(self, tasks: Mapping[int, list[tuple[Any, Trial]]]) -> None:
        unused = list(self._beside.equivalents)
        for index, mutated in tasks.items():
            cell, exercise = self._master.cells[index], self._exercises[index]
            tests = self._master.affected_tests(index)
            for mutant, task in mutated:
                if self._loses(self._outcomes[task.key], tests):
                    exercise.mutants.count(True)
                    continue
                entry = next(
                    (e for e in self._beside.equivalents if _matches(e, cell, mutant.source)), None
                )
                if entry:
                    exercise.equivalent += 1
                    unused = [e for e in unused if e is not entry]
                    continue
                exercise.mutants.count(False)
                own = [t.label for t in tests if self._owners[t.index] == index] or [
                    t.label for t in tests[:1]
                ]
                blame = (
                    f"{' or '.join(own)} should have caught it"
                    if own
                    else "no test depends on this cell"
                )
                self._find(
                    cell.label,
                    f"a wrong answer keeps every point ({mutant.kind}); {blame}",
                    changed_lines(cell.source, mutant.source),
                )
        for entry in unused:
            self._find(
                entry["cell"],
                f"no surviving mutant is {entry['now']!r}: take its entry out of the file of "
                "equivalents.",
            )

    def _loses(self, outcome: TrialResult, tests: list[Cell]) -> bool:
        return bool(outcome.lost) or any(
            outcome.result.get(t.grade_id, (t.points,))[0] < t.points for t in tests
        )

    def _alternative_tasks(self) -> dict[int, list[tuple[Any, Trial]]]:
        tasks: dict[int, list[tuple[Any, Trial]]] = {}
        answers = {cell.label: cell for cell in self._master.answers}
        for number, (name, source) in enumerate(self._beside.alternatives):
            if name not in answers:
                self._find(
                    name,
                    "an alternative for a solution cell that is not there. Rename it or take it "
                    "out.",
                )
                continue
            task = self._changed_answer(
                ("alternative", number), answers[name], source, until_loss=False, limit_s=PATIENCE_S
            )
            tasks.setdefault(answers[name].index, []).append((source, task))
        return tasks

    def _judge_alternatives(self, tasks: Mapping[int, list[tuple[Any, Trial]]]) -> None:
        for index, tried in tasks.items():
            for source, task in tried:
                outcome = self._outcomes[task.key]
                lost = (
                    [outcome.lost]
                    if outcome.lost
                    else [
                        f"{test.label}: {outcome.result[test.grade_id][1]}"
                        for test in self._master.affected_tests(index)
                        if outcome.result[test.grade_id][0] < test.points
                    ]
                )
                self._exercises[index].alternatives.count(not lost)
                if lost:
                    self._find(
                        self._master.cells[index].label,
                        f"a right answer loses points ({lost[0]})",
                        source,
                    )

    # ------------------------------------------------------------ the release and lazy students

    def _release_task(self) -> Trial:
        def action() -> dict[Any, Any]:
            self._session.renew()
            runs = {}
            for cell in (cell for cell in self._master.cells if cell.is_code):
                ran = self._session.run(cell.source if cell.is_test else self._release[cell.index])
                runs[cell.label] = (ran.score(cell), ran.error)
            return runs

        return Trial(
            "release", action, self._limit_s([cell for cell in self._master.cells if cell.is_code])
        )

    def _judge_release(self) -> None:
        outcome = self._outcomes["release"]
        if outcome.lost:
            self._find(
                "", f"the release ends in a {outcome.lost} before a student has written anything."
            )
            return
        answers = {cell.index for cell in self._master.answers}
        for cell in (cell for cell in self._master.cells if cell.is_code):
            score, error = outcome.result[cell.label]
            if cell.is_test and score > 0:
                self._find(
                    cell.label,
                    f"the untouched release earns {_points(score)}. Test what the student must "
                    "write.",
                )
            elif (
                error
                and not cell.is_answer
                and not cell.is_test
                and not answers & self._master.providers[cell.index]
            ):
                self._find(
                    cell.label, f"the release stops here, before any stub: {error.splitlines()[0]}."
                )

    def _visible_task(self) -> Trial:
        """Run the solution with the tests as they are released."""
        cells = [cell for cell in self._master.cells if cell.is_code]

        def action() -> dict[str, str]:
            self._session.renew()
            shown = (self._release[cell.index] if cell.is_test else cell.source for cell in cells)
            ran = dict(
                zip((cell.label for cell in cells), map(self._session.run, shown), strict=True)
            )
            return {label: one.error for label, one in ran.items()}

        return Trial("visible", action, SLACK * self._limit_s(cells))

    def _judge_visible(self) -> None:
        outcome = self._outcomes["visible"]
        for test in self._master.tests if not outcome.lost else ():
            if error := outcome.result[test.label]:
                self._find(
                    test.label,
                    f"as released it fails with the solution's answers: {error.splitlines()[0]}. "
                    "Move what its visible lines need above BEGIN HIDDEN TESTS.",
                )

    def _lazy_task(self, kind: str) -> Trial:
        tests = [
            test
            for test in self._master.tests
            if any(test in self._master.affected_tests(a.index) for a in self._master.answers)
        ]
        needed = sorted(
            {i for test in tests for i in self._master.providers[test.index]}
            | {test.index for test in tests}
        )
        cells = [self._master.cells[i] for i in needed]

        def action() -> dict[Any, Any]:
            right = self._session.names
            table = self._visible_answers(cells) if kind == TABLE else []
            self._session.renew()
            scores: dict[Any, Any] = {}
            for cell in cells:
                if cell.is_answer:
                    self._session.run(cell.source)
                    for name in self._answered_names(cell):
                        self._session.names[name] = lazy(kind, name, right[name], table)
                else:
                    scores |= self._session.run_cells([cell], {})
            return scores

        return Trial(("lazy", kind), action, 2 * self._limit_s(cells))

    def _answered_names(self, cell: Cell) -> list[str]:
        return sorted(name for name in changed_names(cell) or () if name in self._session.names)

    def _visible_answers(self, cells: list[Cell]) -> Table:
        """Ask the solution what a student sees asked in the released tests."""
        table: Table = []
        self._session.renew()
        for cell in cells:
            self._session.run(self._release[cell.index] if cell.is_test else cell.source)
            for name in self._answered_names(cell) if cell.is_answer else ():
                if callable(self._session.names[name]) and not isinstance(
                    self._session.names[name], type
                ):
                    self._session.names[name] = recording(name, self._session.names[name], table)
        return table

    def _judge_lazy(self) -> None:
        for kind in KINDS:
            outcome = self._outcomes["lazy", kind]
            scores = {} if outcome.lost else outcome.result
            earning = [
                test for test in self._master.tests if scores.get(test.grade_id, (0,))[0] > 0
            ]
            for index, exercise in self._exercises.items():
                exercise.lazy.count(index not in {self._owners[test.index] for test in earning})
            for test in earning:
                self._find(
                    test.label,
                    f"an answer that returns {kind} everywhere earns "
                    f"{_points(scores[test.grade_id][0])} here. "
                    f"{TABLE_CURE if kind == TABLE else LAZY_CURE}",
                )

    # ------------------------------------------------------------ mistakes that the tests name

    def _spy_on_gradtests(self, folder: Path) -> None:
        if not (folder / "gradtests").is_dir():
            return
        for name in [one for one in sys.modules if one.partition(".")[0] == "gradtests"]:
            del sys.modules[name]
        self._gradtests = importlib.import_module("gradtests")
        original = self._original_check = self._gradtests.check

        def check(
            student: Any, reference: Any, cases: Any, mistakes: Any = None, **options: Any
        ) -> None:
            cases = list(cases)
            self._recorded.append(
                _Recorded(self._label, (reference, cases, mistakes or {}), options)
            )
            original(student, reference, cases, mistakes, **options)

        self._gradtests.check = check  # type: ignore[attr-defined]  # the course's own module

    def _mistake_tasks(self, cell: Cell) -> list[Trial]:
        def action(recorded: _Recorded, mistake: Callable[..., Any]) -> str:
            try:
                self._original_check(mistake, *recorded.arguments, **recorded.options)
            except AssertionError as error:
                return str(error).partition("\nLikely cause: ")[2] or "no cause at all"
            return ""

        return [
            Trial(
                ("mistake", number, sentence),
                functools.partial(action, recorded, mistake),
                limit_s=60,
            )
            for number, recorded in enumerate(self._recorded)
            if recorded.cell == cell.label
            for sentence, mistake in recorded.arguments[2].items()
        ]

    def _judge_mistakes(self) -> None:
        owners = {
            test.label: self._owners[test.index]
            for test in self._master.tests
            if test.index in self._owners
        }
        for number, recorded in enumerate(self._recorded):
            for sentence in recorded.arguments[2]:
                outcome = self._outcomes["mistake", number, sentence]
                heard = outcome.lost or outcome.result
                good = heard == sentence or heard == f"{sentence}."
                if recorded.cell in owners:
                    self._exercises[owners[recorded.cell]].mistakes.count(good)
                if not good:
                    instead = (
                        f"the student hears {heard!r}"
                        if heard
                        else "the check lets it pass: add a case that shows it"
                    )
                    self._find(recorded.cell, f"the mistake {sentence!r} is not told: {instead}.")


def _owners(master: Master) -> dict[int, int]:
    """Return for every test the solution cell that it is about: by its name, else the nearest
    before it.
    """
    owners: dict[int, int] = {}
    for answer in master.answers:
        for test in master.affected_tests(answer.index):
            named = test.label.startswith(f"{answer.label}_")
            if (
                named
                or test.index not in owners
                or not test.label.startswith(f"{master.cells[owners[test.index]].label}_")
            ):
                owners[test.index] = answer.index
    return owners


def _points(score: float) -> str:
    return f"{score:g} point{'' if score == 1 else 's'}"


def changed_lines(before: str, after: str) -> str:
    """Return the lines that differ, as a diff."""
    rows = list(difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=0))[2:]
    return "\n".join(row for row in rows if not row.startswith("@@"))


def _matches(entry: Mapping[str, str], cell: Cell, mutated: str) -> bool:
    rows = changed_lines(cell.source, mutated).split("\n")
    was, now = ([row[1:].strip() for row in rows if row.startswith(sign)] for sign in "-+")
    wanted = ([row.strip() for row in entry[side].strip().split("\n")] for side in ("was", "now"))
    return entry["cell"] == cell.label and [was, now] == list(wanted)
