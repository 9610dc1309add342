"""nbreferee bench: this machine's speed, against stock nbgrader on the same submissions, in one
run.

Both grade the same class, in turn, as a person would: with their commands, start-up and all. The
processor time and memory are those of every process that a command has started.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbreferee.bench.classroom import (
    as_stock,
    change_a_test,
    drawing_cells,
    generate,
    hand_in,
    make_course,
    without_sharing,
)
from nbreferee.bench.commands import CommandCost, run

START_UPS = 9  # of which the median counts
ALONE = 20  # submissions that are graded one by one, each by a command of its own


@dataclass(frozen=True)
class Measurement:
    """One grader on one class."""

    what: str  # 'autograde', 'feedback', or of one changed test 'regrade' and 'anew' (all again)
    # 'nbgrader', 'nbreferee', 'unshared' (nbreferee where students share no results) or
    # 'bare cells' (see `floor`)
    grader: str
    figures: bool
    students: int
    notebooks: int
    jobs: int
    cost: CommandCost
    right: float  # share of the answers; 0 where the class is another's

    @property
    def a_minute(self) -> float:
        """Notebooks a minute."""
        return 60 * self.notebooks / self.cost.wall_s

    @property
    def writing(self) -> float | None:
        """The share of the time in which files and the gradebook were written, where the command
        says so.
        """
        found = re.search(r"writing results +([0-9.]+) s", self.cost.said)
        return float(found[1]) / self.cost.wall_s if found else None

    def as_json(self) -> dict[str, Any]:
        """Return it as the JSON file has it."""
        cost = {name: value for name, value in vars(self.cost).items() if name != "said"}
        return {
            **vars(self),
            "cost": cost,
            "notebooks_a_minute": round(self.a_minute, 1),
            "writing": self.writing,
        }


@dataclass(frozen=True)
class Latency:
    """Seconds from hand-in to verdict of one submission."""

    how: str  # 'by a command of its own' or 'in a class'
    submissions: int
    median_s: float
    percentile_95_s: float

    @classmethod
    def of(cls, how: str, walls: Sequence[float]) -> Latency:
        """Return the latency that some submissions had."""
        late = statistics.quantiles(walls, n=20)[-1] if len(walls) > 1 else walls[0]
        return cls(how, len(walls), round(statistics.median(walls), 3), round(late, 3))


def bench(
    course: Path, assignments: Sequence[str], students: int, jobs: int, sizes: Sequence[int]
) -> Iterator[Measurement | Latency]:
    """Measure, and yield every measurement as it comes.

    Both graders and the bare cells in turn, one changed test, latency, nbreferee over workers and
    class sizes (of one: start-up), and both graders without figures.
    """
    with tempfile.TemporaryDirectory(prefix="nbreferee-bench-") as folder:
        template = Path(folder) / "with"
        make_course(course, template, assignments)
        yield from _in_turn(template, assignments, True, students, jobs)
        yield _bare_cells(_ours(template), True, students, jobs)
        yield from _one_changed_test(_ours(template), assignments[0], students, jobs)
        yield from _latencies(template, assignments[0], jobs)
        yield _scaled(template, assignments[0], 1, jobs)
        for count in sorted({1, jobs}):
            for size in sizes:
                yield _scaled(template, assignments[0], size, count)
        plain = Path(folder) / "without"
        make_course(course, plain, assignments[:1], drawing_cells(_ours(template), assignments[0]))
        yield from _in_turn(plain, assignments[:1], False, students, jobs)
        yield _bare_cells(_ours(plain), False, students, jobs)


def start_up() -> dict[str, float]:
    """Return the seconds that `nbreferee --help` takes, and Python with what it is made with;
    medians, in turn.
    """
    commands = {
        "nbreferee --help": ["nbreferee", "--help"],
        "python -c 'import click'": [Path(sys.executable).name, "-c", "import click"],
    }
    rounds = [
        {name: run(command, Path.cwd()).wall_s for name, command in commands.items()}
        for _ in range(START_UPS)
    ]
    return {name: round(statistics.median(one[name] for one in rounds), 3) for name in commands}


def _in_turn(
    template: Path, assignments: Sequence[str], figures: bool, students: int, jobs: int
) -> Iterator[Measurement]:
    kinds = sum((hand_in(template, assignment, students) for assignment in assignments), Counter())
    ours, stock = (
        _copied(template, _ours(template)),
        _copied(template, template.with_name(f"{template.name}-stock")),
    )
    as_stock(stock)
    apart = _copied(template, template.with_name(f"{template.name}-unshared"))
    without_sharing(apart)
    common: dict[str, Any] = {
        "figures": figures,
        "students": students,
        "notebooks": _notebooks(template, assignments),
        "right": kinds["right"] / (kinds.total() or 1),
    }
    for what, command in (("autograde", "autograde"), ("feedback", "generate_feedback")):
        yield Measurement(
            what,
            "nbreferee",
            jobs=jobs,
            cost=run(["nbreferee", what, *assignments, "--jobs", str(jobs)], ours),
            **common,
        )
        costs = [
            run(["nbgrader", command, assignment, "--log-level=ERROR"], stock, may_fail=True)
            for assignment in assignments
        ]
        if what == "autograde":
            cost = run(["nbreferee", what, *assignments, "--jobs", str(jobs)], apart)
            yield Measurement(what, "unshared", jobs=jobs, cost=cost, **common)
        total = CommandCost(
            sum(one.wall_s for one in costs),
            sum(one.cpu_s for one in costs),
            max(one.peak_mb for one in costs),
        )
        yield Measurement(what, "nbgrader", jobs=1, cost=total, **common)


def _bare_cells(graded: Path, figures: bool, students: int, jobs: int) -> Measurement:
    """Measure what the cells of a graded class take by themselves."""
    notebooks = sorted(map(str, (graded / "autograded").glob("*/*/*.ipynb")))
    python = Path(sys.executable).name
    cost = run([python, "-m", "nbreferee.bench.floor", str(jobs), *notebooks], graded)
    return Measurement(
        "autograde", "bare cells", figures, students, len(notebooks), jobs, cost, right=0.0
    )


def _one_changed_test(
    graded: Path, assignment: str, students: int, jobs: int
) -> Iterator[Measurement]:
    """Measure what is graded again after one test of an assignment has changed, and all of it."""
    change_a_test(graded, assignment)
    generate(graded, assignment)
    command = ["nbreferee", "autograde", assignment, "--jobs", str(jobs)]
    for what, options in (("regrade", []), ("anew", ["--force"])):
        again = _copied(graded, graded.with_name("again"))
        cost, number = run([*command, *options], again), _notebooks(again, [assignment])
        yield Measurement(what, "nbreferee", True, students, number, jobs, cost, right=0.0)


def _latencies(template: Path, assignment: str, jobs: int) -> Iterator[Latency]:
    """Measure submissions that are graded one by one, then the same in one class; what is kept
    between runs is there.
    """
    course = _handed_in(template, assignment, ALONE + 1)
    command = ["nbreferee", "autograde", assignment, "--jobs", str(jobs)]
    first, *others = sorted(path.name for path in (course / "submitted").iterdir())
    run([*command, "--student", first], course)
    walls = [run([*command, "--student", student], course).wall_s for student in others]
    yield Latency.of("by a command of its own", walls)
    run([*command, "--force", "--json", "verdicts.json"], course)
    verdicts = json.loads((course / "verdicts.json").read_bytes())
    per_student: Counter[str] = Counter()
    for one in verdicts:
        per_student[one["student"]] += one["wall_s"]
    yield Latency.of("in a class", list(per_student.values()))


def _handed_in(template: Path, assignment: str, students: int) -> Path:
    course = _copied(template, template.with_name("scaled"))
    shutil.rmtree(course / "submitted")
    hand_in(course, assignment, students)
    return course


def _scaled(template: Path, assignment: str, students: int, jobs: int) -> Measurement:
    course = _handed_in(template, assignment, students)
    cost = run(["nbreferee", "autograde", assignment, "--jobs", str(jobs)], course)
    return Measurement(
        "autograde",
        "nbreferee",
        True,
        students,
        _notebooks(course, [assignment]),
        jobs,
        cost,
        right=0.0,
    )


def _notebooks(course: Path, assignments: Sequence[str]) -> int:
    return sum(
        1
        for assignment in assignments
        for _ in (course / "submitted").glob(f"*/{assignment}/*.ipynb")
    )


def _ours(template: Path) -> Path:
    return template.with_name(f"{template.name}-ours")


def _copied(template: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(template, target))


def ratio(
    measured: Sequence[Measurement],
    what: str,
    figures: bool,
    against: str = "nbgrader",
    grader: str = "nbreferee",
) -> float | None:
    """Return how many times as many notebooks a minute nbreferee does as another."""
    speeds = {
        one.grader: one.a_minute
        for one in measured[::-1]
        if (one.what, one.figures) == (what, figures)
    }
    return speeds[grader] / speeds[against] if {grader, against} <= speeds.keys() else None


def write(
    measured: Sequence[Measurement],
    latencies: Sequence[Latency],
    start_up_s: Mapping[str, float],
    folder: Path,
) -> None:
    """Write bench.json and bench.png."""
    machine = {
        "processor": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
    }
    ratios = {
        f"{what}, {'with' if figures else 'without'} figures": ratio(measured, what, figures)
        for what in ("autograde", "feedback")
        for figures in (True, False)
    }
    text = json.dumps(
        {
            "machine": machine,
            "ratios": ratios,
            "start_up_s": dict(start_up_s),
            "latencies": [vars(one) for one in latencies],
            "measured": [one.as_json() for one in measured],
        },
        indent=1,
    )
    (folder / "bench.json").write_text(text + "\n")
    from nbreferee.bench.plot import plot

    plot(measured).savefig(folder / "bench.png", dpi=150)
