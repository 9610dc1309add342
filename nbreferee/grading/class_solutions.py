"""Run the solutions of an assignment once for a class, and keep what they have shown while nothing
changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from nbreferee.budget import Budget
from nbreferee.course.locate import CourseError
from nbreferee.grading.calibration import Calibration
from nbreferee.grading.notebook import NotebookMaterial, solution_name
from nbreferee.grading.pool import Workers
from nbreferee.grading.solution_file import SolutionFile, find_solution, write_solution
from nbreferee.grading.task import NeedsFiles, SolvedResult, Task, TaskAnswer

TRIES = 2  # a worker may have died for another reason


@dataclass(frozen=True)
class ClassSolution:
    """How a notebook's cells are judged, and the file with the run of its solution."""

    calibration: Calibration
    file: SolutionFile | None  # none: each worker runs the solution


@dataclass(frozen=True)
class SolutionFolders:
    """Where runs of solutions are kept; files of `kept` are not changed where `made` is another."""

    kept: Path
    made: Path


def solve(
    materials: Mapping[str, NotebookMaterial],
    assignment: str,
    budget: Budget,
    stamp: str,
    workers: Workers,
    folders: SolutionFolders,
    *,
    students: int,
) -> dict[str, ClassSolution]:
    """Return what is known of the solutions of an assignment's notebooks, by notebook.

    One worker runs each solution that `folders.kept` does not hold as it is now; of one that has
    changed since, it runs what depends on the change. Meanwhile the workers that so many `students`
    need get warm.

    Raises
    ------
    CourseError
        if no worker could run a solution.
    """
    found: dict[str, ClassSolution] = {}
    earlier: dict[str, SolutionFile] = {}
    for name, material in materials.items():
        # without a sandbox the files would be within reach of students' code
        there = None if stamp else find_solution(_path(folders.kept, assignment, name))
        if there and there[1].name == solution_name(material, budget):
            found[name] = ClassSolution(there[1].calibration, there[0])
        elif there:
            earlier[name] = there[0]
    to_run = sorted(materials.keys() - found.keys())
    tasks = {
        name: Task(
            "", assignment, name, materials[name], b"", {}, budget, stamp,
            solution=earlier.get(name), has_spare_core=workers.count > len(to_run),
        )
        for name in to_run
    }  # fmt: skip
    needed = min(workers.count, students)
    if tasks:
        workers.start(needed)
    solved = _run(tasks, workers, needed) if tasks else {}
    for name, answer in solved.items():
        path = _path(folders.made, assignment, name)
        file = None if stamp else write_solution(path, answer.solved)
        found[name] = ClassSolution(answer.calibration, file)
    return found


def _run(tasks: Mapping[str, Task], workers: Workers, needed: int) -> dict[str, SolvedResult]:
    """Run solutions; `needed` workers get ready for the class meanwhile."""
    found: dict[str, SolvedResult] = {}
    failures: dict[str, str] = {}
    for _ in range(TRIES):
        running: dict[Future[TaskAnswer], str] = {
            workers.submit(workers.grade, task): name
            for name, task in tasks.items()
            if name not in found
        }
        for _ in range(needed - len(running)):  # the others have nothing to do yet
            workers.get_ready(next(iter(tasks.values())))
        while running:
            for future in workers.finished(list(running)):
                name, error = running.pop(future), future.exception()
                if error is not None:
                    failures[name] = f"{type(error).__name__}: {error}"
                elif isinstance(answer := future.result(), NeedsFiles):
                    workers.deliver(answer.worker, tasks[name].material.files)
                    running[workers.submit(workers.grade, tasks[name])] = name
                else:
                    assert isinstance(answer, SolvedResult), "the task has no submission"
                    found[name] = answer
    if failed := sorted(tasks.keys() - found.keys()):
        where, why = tasks[failed[0]].material.path, failures[failed[0]]
        raise CourseError(
            f"{where}: the instructor's own solution could not be run ({why}). Run the command "
            "again; if this stays, report it."
        )
    return found


def _path(folder: Path, assignment: str, notebook: str) -> Path:
    names = f"{assignment}/{notebook}".encode("utf-8", "surrogateescape")
    return folder / "solutions" / f"{hashlib.sha256(names).hexdigest()[:24]}.run"
