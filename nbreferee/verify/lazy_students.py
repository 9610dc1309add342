"""Students who did not try, on all answers at once."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from nbreferee.course.dataflow import changed_names
from nbreferee.course.source import Cell
from nbreferee.engine.box_runner import CellToRun
from nbreferee.verify import lazy
from nbreferee.verify.records import in_points
from nbreferee.verify.subject import Subject
from nbreferee.verify.trial import Start, Trial, TrialResult

LAZY_CURE = "Test a case in which it is wrong."
TABLE_CURE = "Hide a case that the release does not show."
MODULE = "nbreferee_lazy"  # the file that a lazy student hands in


class LazyStudents:
    """One student for each kind of lazy answer."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def trials(self) -> list[Trial]:
        """Return what to run."""
        master = self._subject.master
        tests = [
            test
            for test in master.tests
            if any(test in master.affected_tests(answer.index) for answer in master.answers)
        ]
        needed = self._subject.needed_by(tests)
        text = f"{inspect.getsource(lazy)}\nSOLUTION.learn({self._visible(needed)!r})\n"
        files = {**self._subject.material.solution_files, f"{MODULE}.py": text.encode()}
        # the first import learns: once for all, unless something in the notebook cannot be forked
        start = (
            None if self._subject.whole else Start(files, (CellToRun(f"import {MODULE}", True),))
        )
        handed_in = {} if start else files
        indices = {cell.index for cell in needed}
        found = []
        for kind in lazy.KINDS:
            answers = {cell.index: _lazy_source(kind, cell) for cell in needed if cell.is_answer}
            parts = [one for one in self._subject.with_sources(answers) if one.step in indices]
            limit_s = 2 * self._subject.limit_s(parts)
            found.append(
                Trial(("lazy", kind), parts, start=start, files=handed_in, limit_s=limit_s)
            )
        return found

    def judge(self, results: Mapping[Any, TrialResult]) -> None:
        """Count the exercises at which each earns nothing."""
        subject = self._subject
        cells = subject.master.cells
        for kind in lazy.KINDS:
            passing = [
                (cells[index], one.verdict)
                for index, one in results["lazy", kind].ran
                if one.verdict and (one.score > 0 or one.verdict.is_left_to_a_person)
            ]
            owners = {subject.owners[test.index] for test, _ in passing}
            for index, exercise in subject.exercises.items():
                exercise.lazy.count(index not in owners)
            for test, verdict in passing:
                gets = (
                    f"earns {in_points(verdict.score)} here"
                    if verdict.score
                    else f"does not fail here: {verdict.message.rstrip('.')}"
                )
                cure = TABLE_CURE if kind == lazy.TABLE else LAZY_CURE
                subject.find(test.label, f"an answer that returns {kind} everywhere {gets}. {cure}")

    def _visible(self, cells: list[Cell]) -> list[tuple[str, list[str]]]:
        """Return what a lazy student knows of the solution: each cell, and what it answers; of
        tests what the release shows.
        """
        return [
            (
                self._subject.release[cell.index] if cell.is_test else cell.source,
                _answered_names(cell) if cell.is_answer else [],
            )
            for cell in cells
        ]


def _answered_names(cell: Cell) -> list[str]:
    return sorted(changed_names(cell) or ())


def _lazy_source(kind: str, cell: Cell) -> str:
    return (
        f"import {MODULE}\n"
        f"globals().update({MODULE}.SOLUTION.lazy_answers({kind!r}, {_answered_names(cell)!r}))"
    )
