"""Notebooks in which one answer is another: a mutant, an alternative, or the solution itself."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nbreferee.course.source import Cell
from nbreferee.mutation import Mutant, mutants
from nbreferee.verify.subject import Subject
from nbreferee.verify.trial import Trial, TrialResult, is_wrong

PATIENCE_S = 180.0  # for a cell of a right answer, which may be slow
SLACK = 6  # times the limit of a wrong answer, for the solution itself


class Controls:
    """The solution itself in the mutants' place: what fails there says nothing of the tests.

    An answer that fails there is tried in the whole notebook instead.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def trials(self) -> list[Trial]:
        """Return what to run."""
        found: list[Trial] = []
        for index in self._subject.exercises:
            cell = self._subject.master.cells[index]
            trial = _trial(self._subject, ("control", index), cell, cell.source)
            if found and trial.at is not None:  # the first one runs all tests, the others their own
                trial = replace(trial, parts=trial.parts[: self._own(trial)])
            limit_s = SLACK * self._subject.limit_s(trial.parts)
            found.append(replace(trial, is_control=True, limit_s=limit_s))
        return found

    def _own(self, trial: Trial) -> int:
        """Return how many cells of a trial there are up to the last test of its answer."""
        owners = self._subject.owners
        own = [n for n, part in enumerate(trial.parts, 1) if owners.get(part.step or 0) == trial.at]
        return max(own, default=len(trial.parts))

    def failing(self, results: Mapping[Any, TrialResult]) -> dict[int, str]:
        """Return why controls lose points, by the answer's cell."""
        found = {index: self._lost(results["control", index]) for index in self._subject.exercises}
        return {index: lost for index, lost in found.items() if lost}

    @staticmethod
    def _lost(result: TrialResult) -> str:
        return _first_loss(result) if result.ran else "it cannot start in the middle"

    def judge(self, results: Mapping[Any, TrialResult]) -> None:
        """Find those that lose points."""
        for index, lost in self.failing(results).items():
            self._subject.find(
                self._subject.master.cells[index].label,
                "mutants cannot be judged: run again, the solution itself loses points "
                f"({lost}). Does a test depend on chance or on time?",
            )


class Mutants:
    """The solution with one change in one answer: each has to lose a point."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._mutants: dict[int, list[Mutant]] = {}
        for cell in subject.master.answers:
            if cell.has_magic:
                subject.find(
                    cell.label,
                    "a solution cell with a magic has no mutants. Move the magic to a cell of its "
                    "own.",
                )
                continue
            self._mutants[cell.index] = list(mutants(cell.source, cell.solution_lines))

    def trials(self) -> list[Trial]:
        """Return what to run."""
        return [
            _trial(
                self._subject,
                ("mutant", index, number),
                self._subject.master.cells[index],
                mutant.source,
                until_loss=True,
            )
            for index, found in self._mutants.items()
            for number, mutant in enumerate(found)
        ]

    def judge(self, results: Mapping[Any, TrialResult]) -> None:
        """Count the mutants that lose points, and find those that keep all."""
        unused = list(self._subject.beside.equivalents)
        for index, found in self._mutants.items():
            cell, exercise = self._subject.master.cells[index], self._subject.exercises[index]
            for number, mutant in enumerate(found):
                result = results["mutant", index, number]
                if any(is_wrong(one) for _, one in result.ran):
                    exercise.mutants.count(True)
                    continue
                equivalents = self._subject.beside.equivalents
                entry = next((one for one in equivalents if _matches(one, cell, mutant)), None)
                if entry:
                    exercise.equivalent += 1
                    unused = [one for one in unused if one is not entry]
                    continue
                exercise.mutants.count(False)
                lost = _first_loss(result)
                kept = f"is left to a person ({lost})" if lost else "keeps every point"
                self._subject.find(
                    cell.label,
                    f"a wrong answer {kept} ({mutant.kind}); {self._blame(cell)}",
                    changed_lines(cell.source, mutant.source),
                )
        for entry in unused:
            self._subject.find(
                entry["cell"],
                f"no surviving mutant is {entry['now']!r}: take its entry out of the file of "
                "equivalents.",
            )

    def _blame(self, cell: Cell) -> str:
        """Say which test should have noticed."""
        tests, owners = self._subject.master.affected_tests(cell.index), self._subject.owners
        own = [test.label for test in tests if owners[test.index] == cell.index]
        own = own or [test.label for test in tests[:1]]
        return (
            f"{' or '.join(own)} should have caught it" if own else "no test depends on this cell"
        )


class Alternatives:
    """Right answers written otherwise: each has to keep all points."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        answers = {cell.label: cell for cell in subject.master.answers}
        self._tried: list[tuple[Cell, str]] = []
        for name, source in subject.beside.alternatives:
            if name in answers:
                self._tried.append((answers[name], source))
            else:
                subject.find(
                    name,
                    "an alternative for a solution cell that is not there. Rename it or take it "
                    "out.",
                )

    def trials(self) -> list[Trial]:
        """Return what to run: the first alternatives of all answers together, the second ones, and
        so on.
        """
        return [
            Trial(
                ("alternatives", turn),
                self._subject.after_all(changed),
                min(changed),
                limit_s=PATIENCE_S,
            )
            for turn, changed in enumerate(self._turns())
        ]

    def alone(self, results: Mapping[Any, TrialResult]) -> list[Trial]:
        """Return what to run again by itself: alternatives that have lost points together."""
        lost = [
            changed
            for turn, changed in enumerate(self._turns())
            if _first_loss(results["alternatives", turn])
        ]
        return [
            _trial(self._subject, ("alternative", number), cell, source)
            for number, (cell, source) in enumerate(self._tried)
            if any(changed.get(cell.index) == source for changed in lost)
        ]

    def _turns(self) -> list[dict[int, str]]:
        """Return the alternatives that are tried together, by the answer's cell."""
        turns: list[dict[int, str]] = []
        for cell, source in self._tried:
            free = next((one for one in turns if cell.index not in one), None)
            if free is None:
                turns.append(free := {})
            free[cell.index] = source
        return turns

    def judge(self, results: Mapping[Any, TrialResult]) -> None:
        """Count those that keep all points, and find the others."""
        for number, (cell, source) in enumerate(self._tried):
            alone = results.get(("alternative", number))
            lost = _first_loss(alone) if alone else ""
            self._subject.exercises[cell.index].alternatives.count(not lost)
            if lost:
                self._subject.find(cell.label, f"a right answer loses points ({lost})", source)


def _trial(subject: Subject, key: Any, cell: Cell, source: str, until_loss: bool = False) -> Trial:
    """Return a trial of another answer in a cell, with every test that may depend on it."""
    whole, after = cell.index in subject.whole, subject.after(cell.index, source)
    return Trial(
        key,
        subject.with_sources({cell.index: source}) if whole else after,
        None if whole else cell.index,
        files=subject.material.solution_files if whole else {},
        limit_s=subject.limit_s(after) if until_loss else PATIENCE_S,
        until_loss=until_loss,
    )


def _first_loss(result: TrialResult) -> str:
    """Return the first test that does not give all points and what it says, or ''."""
    verdicts = [one.verdict for _, one in result.ran if one.verdict]
    return next(
        (f"{one.grade_id}: {one.message}" for one in verdicts if one.score < one.max_score), ""
    )


def changed_lines(before: str, after: str) -> str:
    """Return the lines that differ, as a diff."""
    rows = list(difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=0))[2:]
    return "\n".join(row for row in rows if not row.startswith("@@"))


def _matches(entry: Mapping[str, str], cell: Cell, mutant: Mutant) -> bool:
    rows = changed_lines(cell.source, mutant.source).split("\n")
    was, now = ([row[1:].strip() for row in rows if row.startswith(sign)] for sign in "-+")
    wanted = ([row.strip() for row in entry[side].strip().split("\n")] for side in ("was", "now"))
    return entry["cell"] == cell.label and [was, now] == list(wanted)
