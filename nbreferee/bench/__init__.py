"""nbreferee bench: this machine's speed, against stock nbgrader on the same submissions, in one run.

Both grade the same class, in turn, as a person would: with their commands, start-up and all. The
processor time and memory are those of every process that a command has started.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nbreferee.bench.classroom import as_stock, hand_in, make_course
from nbreferee.bench.commands import Cost, run


@dataclass(frozen=True)
class Measured:
    """One grader on one class."""

    what: str  # 'autograde' or 'feedback'
    grader: str  # 'nbgrader' or 'nbreferee'
    figures: bool
    students: int
    notebooks: int
    jobs: int
    cost: Cost

    @property
    def a_minute(self) -> float:
        """Notebooks a minute."""
        return 60 * self.notebooks / self.cost.wall_s

    def as_json(self) -> dict[str, Any]:
        """Return it as the JSON file has it."""
        return {**asdict(self), "notebooks_a_minute": round(self.a_minute, 1)}


def bench(course: Path, assignments: Sequence[str], students: int, jobs: int, sizes: Sequence[int]) -> Iterator[Measured]:
    """Measure, and yield every measurement as it comes: first both graders in turn, then nbreferee over workers and class sizes."""
    with tempfile.TemporaryDirectory(prefix="nbreferee-bench-") as folder:
        for figures in (True, False):
            chosen = assignments if figures else assignments[:1]
            template = Path(folder) / f"course{figures}"
            make_course(course, template, chosen, figures)
            for assignment in chosen:
                hand_in(template, assignment, students)
            yield from _in_turn(template, chosen, figures, students, jobs)
            if figures:
                for count in sorted({1, jobs}):
                    for size in sizes:
                        yield _scaled(template, chosen[0], size, count)


def _in_turn(template: Path, assignments: Sequence[str], figures: bool, students: int, jobs: int) -> Iterator[Measured]:
    stock, ours = (_copied(template, name) for name in ("stock", "ours"))
    as_stock(stock)
    notebooks = sum(1 for assignment in assignments for _ in (template / "submitted").glob(f"*/{assignment}/*.ipynb"))

    def measured(what: str, grader: str, cost: Cost) -> Measured:
        return Measured(what, grader, figures, students, notebooks, 1 if grader == "nbgrader" else jobs, cost)

    for what, command in (("autograde", "autograde"), ("feedback", "generate_feedback")):
        yield measured(what, "nbreferee", run(["nbreferee", what, *assignments, "--jobs", str(jobs)], ours))
        costs = [run(["nbgrader", command, assignment, "--log-level=ERROR"], stock, may_fail=True) for assignment in assignments]
        total = Cost(sum(one.wall_s for one in costs), sum(one.cpu_s for one in costs), max(one.peak_mb for one in costs))
        yield measured(what, "nbgrader", total)


def _scaled(template: Path, assignment: str, students: int, jobs: int) -> Measured:
    course = _copied(template, "scaled")
    shutil.rmtree(course / "submitted")
    hand_in(course, assignment, students)
    notebooks = sum(1 for _ in (course / "submitted").glob(f"*/{assignment}/*.ipynb"))
    return Measured("autograde", "nbreferee", True, students, notebooks, jobs, run(["nbreferee", "autograde", assignment, "--jobs", str(jobs)], course))


def _copied(template: Path, name: str) -> Path:
    target = template.with_name(f"{template.name}-{name}")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(template, target)
    return target


def ratio(measured: Sequence[Measured], what: str, figures: bool) -> float | None:
    """Return how many times as many notebooks a minute nbreferee does."""
    speeds = {one.grader: one.a_minute for one in measured[::-1] if (one.what, one.figures) == (what, figures)}
    return speeds["nbreferee"] / speeds["nbgrader"] if len(speeds) == 2 else None


def write(measured: Sequence[Measured], folder: Path) -> None:
    """Write bench.json and bench.png."""
    machine = {"processor": platform.processor() or platform.machine(), "cores": len(os.sched_getaffinity(0)), "python": platform.python_version()}
    ratios = {f"{what}, {'with' if figures else 'without'} figures": ratio(measured, what, figures) for what in ("autograde", "feedback") for figures in (True, False)}
    text = json.dumps({"machine": machine, "ratios": ratios, "measured": [one.as_json() for one in measured]}, indent=1)
    (folder / "bench.json").write_text(text + "\n")
    from nbreferee.bench.plot import plot

    plot(measured).savefig(folder / "bench.png", dpi=150)
