"""Find out how the test cells of a course are judged, once for a class, and keep it while nothing
changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from nbreferee.budget import Budget
from nbreferee.course.locate import CourseError
from nbreferee.grading.atomic import write_whole
from nbreferee.grading.calibration import Calibration
from nbreferee.grading.notebook import NotebookMaterial
from nbreferee.grading.pool import Workers
from nbreferee.grading.task import NeedsFiles, Task, TaskAnswer

KEPT = 200  # notebooks in the file
TRIES = 2  # a worker may have died for another reason


def calibrations(
    materials: Mapping[str, NotebookMaterial],
    assignment: str,
    budget: Budget,
    stamp: str,
    workers: Workers,
    kept_in: Path,
    *,
    students: int,
    keep: bool = True,
) -> dict[str, Calibration]:
    """Return how the cells of an assignment's notebooks are judged, by notebook.

    The solutions run on the workers, where `kept_in` does not hold the answer already. Each worker
    that so many `students` need runs them, for it has to before it grades; the first answer counts.
    With `keep` it is written into `kept_in`.

    Raises
    ------
    CourseError
        if no worker could run a solution.
    """
    kept = _read(kept_in)
    names = {name: f"{material.key} {budget.as_plain()}" for name, material in materials.items()}
    found = {name: Calibration.from_plain(kept[key]) for name, key in names.items() if key in kept}
    failures: dict[str, str] = {}
    for _ in range(TRIES):
        running: dict[Future[TaskAnswer], str] = {}
        tasks = {
            name: Task("", assignment, name, materials[name], b"", {}, budget, stamp)
            for name in sorted(materials.keys() - found.keys())
        }
        for name, task in tasks.items():
            copies = min(workers.count, students)
            running |= {workers.submit(workers.grade, task): name for _ in range(copies)}
        while any(name not in found for name in running.values()):
            for future in workers.finished(list(running)):
                name, error = running.pop(future), future.exception()
                if error is not None:
                    failures[name] = f"{type(error).__name__}: {error}"
                elif isinstance(answer := future.result(), NeedsFiles):
                    workers.deliver(answer.worker, materials[name].files)
                    running[workers.submit(workers.grade, tasks[name])] = name
                elif name not in found:
                    found[name] = answer
                    kept[names[name]] = found[name].as_plain()
    if failed := sorted(materials.keys() - found.keys()):
        where, why = materials[failed[0]].path, failures[failed[0]]
        raise CourseError(
            f"{where}: the instructor's own solution could not be run ({why}). Run the command "
            "again; if this stays, report it."
        )
    if keep and kept.keys() - _read(kept_in).keys():
        kept_in.parent.mkdir(exist_ok=True)
        write_whole(kept_in, json.dumps(dict(list(kept.items())[-KEPT:]), indent=1).encode())
    return found


def _read(path: Path) -> dict[str, dict[Any, Any]]:
    try:
        found: dict[str, dict[Any, Any]] = json.loads(path.read_bytes())
        for plain in found.values():
            Calibration.from_plain(plain)
        return found
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
