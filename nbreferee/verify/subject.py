"""One notebook that is examined: which cells a trial of it runs, and what has been found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from nbreferee.course.ownership import Plan, make_plan
from nbreferee.course.source import Cell, Master
from nbreferee.engine.box_runner import CellToRun
from nbreferee.grading.notebook import NotebookMaterial, solution_parts
from nbreferee.verify.plugins import plug_in
from nbreferee.verify.records import Beside, Exercise, Finding


class Subject:
    """An instructor's notebook, what is known of it, and what has been found."""

    def __init__(
        self, material: NotebookMaterial, release: Mapping[int, str], beside: Beside
    ) -> None:
        self.material, self.release, self.beside = material, release, beside
        self.master: Master = material.master
        self.exercises = {cell.index: Exercise(cell.label) for cell in self.master.answers}
        self.findings: list[Finding] = []
        self.owners = _owners(self.master)
        self.walls_s: Mapping[int, float] = {}  # of the solution's cells
        self.whole: set[int] = set()  # answers that can only be tried in the whole notebook
        self.plugged = plug_in(make_plan(self.master), self.master.path.parent.parent)
        self.solution = [part for part in solution_parts(material) if part.is_code]

    @property
    def plan(self) -> Plan:
        """What the tester has to know of the notebook, plug-ins included."""
        return self.plugged.plan

    def find(self, cell: str, reason: str, diff: str = "") -> None:
        """Add something to mend."""
        self.findings.append(Finding(cell, reason, diff))

    def limit_s(self, parts: Iterable[CellToRun]) -> float:
        """Return how long an answer may take that need not be right."""
        return 3 + 5 * sum(self.walls_s.get(part.step or 0, 0.0) for part in parts)

    def with_sources(self, changed: Mapping[int, str]) -> list[CellToRun]:
        """Return all cells, some with another source, by index."""
        return [
            replace(part, source=changed.get(part.step or 0, part.source)) for part in self.solution
        ]

    def after(self, index: int, source: str) -> list[CellToRun]:
        """Return cell `index` with another source, then every test that may depend on it, each
        after what it needs.
        """
        order = [index]
        for test in self.master.affected_tests(index):
            needed = [one for one in sorted(self.master.providers[test.index]) if one >= index]
            order += [one for one in [*needed, test.index] if one not in order]
        parts = {part.step: part for part in self.with_sources({index: source})}
        return [parts[one] for one in order]

    def after_all(self, changed: Mapping[int, str]) -> list[CellToRun]:
        """Return cells with other sources, and every test that may depend on one of them, each
        after what it needs.
        """
        indices = {part.step for one in changed for part in self.after(one, changed[one])}
        return [part for part in self.with_sources(changed) if part.step in indices]

    def needed_by(self, tests: Iterable[Cell]) -> list[Cell]:
        """Return tests and what they need, in the order of the notebook."""
        indices = {test.index for test in tests}
        indices |= {one for index in indices for one in self.master.providers[index]}
        return [self.master.cells[index] for index in sorted(indices)]


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
