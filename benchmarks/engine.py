"""What the engine adds to a submission: python benchmarks/engine.py [NOTEBOOK ...] [--rounds N]

The same solved notebooks, in turn: through the engine (a box, a tester, all layers of the sandbox),
and in a warm process's fork, where all cells simply run one after another. Both on one core, which
is what a worker has where all grade. Medians of all rounds. Figures of a right answer are the
solution's and need no drawing; "all figures drawn" is without that.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbreferee.budget import Budget
    from nbreferee.engine.processes import WarmProcesses
    from nbreferee.engine.shell import Shell
    from nbreferee.grading.notebook import NotebookMaterial

COURSE = Path(__file__).parent.parent
sys.path[:0] = [str(COURSE), str(COURSE / "tests")]
ROUND_TRIPS = 500


def main() -> None:
    """Print a table, one row a notebook."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "notebooks", nargs="*", type=Path, default=sorted((COURSE / "source").glob("*/*.ipynb"))
    )
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from nbreferee.course.settings import NbReferee

    heads = [
        ("fork and", "sandbox"),
        ("", "cells"),
        ("", "tests"),
        ("notebook", "writing"),
        ("engine", "in all"),
        ("warm", "loop"),
        ("", "added"),
    ]
    heads += [("all figures", "drawn, added"), ("allowed", "to add"), ("round", "trip, ms")]
    for line, first in enumerate(("", "seconds")):
        print(f"{first:20}" + "".join(f"{head[line]:>13}" for head in heads))
    budget = NbReferee().budget()
    for path in options.notebooks:
        row = measure(path, options.rounds, budget)
        row["added"], row["drawn"], row["allowed"] = (
            row["all"] - row["loop"],
            row["all drawn"] - row["loop"],
            max(0.25 * row["loop"], 0.06),
        )
        shown = [
            f"{row[name]:13.3f}"
            for name in (
                "fork",
                "cells",
                "tests",
                "writing",
                "all",
                "loop",
                "added",
                "drawn",
                "allowed",
                "trip",
            )
        ]
        words = {"added": "too much", "drawn": "too much with all figures drawn"}
        over = next((text for name, text in words.items() if row[name] > row["allowed"]), "")
        print(f"{path.stem:20}{''.join(shown)}   {over}".rstrip())


def measure(path: Path, rounds: int, budget: Budget) -> dict[str, float]:
    """Return medians, in seconds."""
    from hand_in import solved

    from nbreferee.bench.floor import warm_shell
    from nbreferee.course.source import read_master
    from nbreferee.engine.processes import WarmProcesses
    from nbreferee.grading.course_files import read_assignment_files
    from nbreferee.grading.notebook import Grader, NotebookMaterial, as_bytes
    from nbreferee.submission.originals import Released

    master = read_master(path)
    answers = solved(master.notebook)
    for cell in master.notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = answers.get(grade_id, cell.source)
    released = {cell.grade_id: Released(cell.source, "") for cell in master.cells if cell.grade_id}
    material = NotebookMaterial(
        str(path), path.read_bytes(), released, read_assignment_files(path.parent, ["__pycache__"])
    )
    data = as_bytes(master.notebook)
    times: dict[str, list[float]] = {
        name: []
        for name in ("fork", "cells", "tests", "writing", "all", "all drawn", "loop", "trip")
    }
    with (
        warm_shell() as shell,
        WarmProcesses(budget) as warm,
        tempfile.TemporaryDirectory() as folder,
    ):
        grader, forgetful = Grader(warm), Grader(warm)
        run_in_loop = warm_loop(
            shell,
            path,
            [cell.source for cell in master.notebook.cells if cell.cell_type == "code"],
        )
        grader.grade(material, data, {})
        forgetful.grade(material, data, {})
        for _ in range(rounds):
            times["fork"].append(time_of_fork(warm, material))
            forgetful.forget_figures()
            drawn_in = timed(lambda: forgetful.grade(material, data, {}))
            started = time.perf_counter()
            graded = grader.grade(material, data, {})
            graded_in = time.perf_counter() - started
            started = time.perf_counter()
            (Path(folder) / "written.ipynb").write_bytes(as_bytes(graded.notebook))
            times["writing"].append(time.perf_counter() - started)
            times["all"].append(graded_in + times["writing"][-1])
            times["all drawn"].append(drawn_in + times["writing"][-1])
            tests = {cell.grade_id for cell in master.tests}
            of_test = {
                place: wall for place, wall in graded.result.cost.cell_walls if place in tests
            }
            times["tests"].append(sum(of_test.values()))
            times["cells"].append(
                sum(wall for place, wall in graded.result.cost.cell_walls) - times["tests"][-1]
            )
            times["loop"].append(run_in_loop())
        times["trip"].append(1000 * time_of_round_trip(warm, material))
    return {name: statistics.median(values) for name, values in times.items()}


def timed(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def time_of_fork(warm: WarmProcesses, material: NotebookMaterial) -> float:
    """Fork a box and a tester, put the sandbox around both, hear from both: without those that wait
    already.
    """
    from nbreferee.engine.wire.to_box import AllNames

    with warm.tester(material.plan, material.files):
        waiting = warm.box(material.files)
        started = time.perf_counter()
        box = warm.box(material.files)
        with warm.tester(material.plan, material.files) as tester:
            tester.connect(box, call_s=10, wait_s=60)
            box.ask(AllNames(), limit_s=10)
            spent = time.perf_counter() - started
    waiting.end()
    box.end()
    return spent


def time_of_round_trip(warm: WarmProcesses, material: NotebookMaterial) -> float:
    """Return how long it takes to ask a box for the value of a name."""
    from nbreferee.engine.wire.to_box import LookUp, RunCell

    box = warm.box(material.files)
    box.ask(RunCell("x = 1.5", 10.0, 0), limit_s=10)
    spent = timed(lambda: [box.ask(LookUp("x"), limit_s=10) for _ in range(ROUND_TRIPS)])
    box.end()
    return spent / ROUND_TRIPS


def warm_loop(shell: Shell, path: Path, sources: list[str]) -> Callable[[], float]:
    """Return what runs all cells in a fork of a warm process, and how long they took there."""
    from nbreferee.bench.floor import fork_cells

    def run() -> float:
        started = time.perf_counter()
        _, reading = fork_cells(shell, sources, path.parent)
        with os.fdopen(reading) as pipe:
            errors = json.loads(pipe.read())
        os.wait()
        if errors:
            raise SystemExit(f"{path}: {errors[0]}")
        return time.perf_counter() - started

    return run


if __name__ == "__main__":
    main()
