"""What one worker does, a process here or on another machine: tasks in, results out, nothing
shared.

A worker keeps its warm processes from task to task; they end with it. It may do several tasks at a
time, in threads that come and go.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from nbreferee.budget import Budget
from nbreferee.engine.assignment_files import FilesMissing, local_copy
from nbreferee.engine.processes import WarmProcesses
from nbreferee.engine.wire.channel import ChannelError
from nbreferee.grading import solution_file
from nbreferee.grading.calibration import Calibration
from nbreferee.grading.interrupts import ignore_interrupts
from nbreferee.grading.notebook import (
    GradedNotebook,
    Grader,
    NotebookMaterial,
    as_bytes,
)
from nbreferee.grading.shared_results import SharedResults
from nbreferee.grading.solution_file import SolutionFile, read_solution
from nbreferee.sandbox import Layer, probing
from nbreferee.submission.reading import SubmissionError
from nbreferee.verdicts import Cost, NotebookResult, verdict_as_json
from nbreferee.versions import difference, identity


@dataclass(frozen=True)
class Task:
    """One notebook to grade."""

    student: str
    assignment: str
    notebook: str
    material: NotebookMaterial
    data: bytes
    files: Mapping[str, bytes] = field(repr=False)
    budget: Budget = field(default_factory=Budget)
    stamp: str = ""
    due: str = ""  # which no verdict depends on, but the penalty
    calibration: Calibration | None = None  # None: find out with the solution, and grade nothing
    earlier: bytes | None = field(default=None, repr=False)  # the executed notebook of a run before
    solution: SolutionFile | None = None  # of this or an earlier run; no verdict depends on it
    has_spare_core: bool = False  # for the run of the solution

    @property
    def submission(self) -> str:
        """A name for what the student has handed in."""
        digest = hashlib.sha256(self.data)
        for name, data in sorted(self.files.items()):
            digest.update(f"{name} {len(data)} ".encode() + data)
        return digest.hexdigest()

    @property
    def fingerprint(self) -> str:
        """A name for all that scores depend on."""
        ways = self.calibration.as_plain() if self.calibration else None
        digest = hashlib.sha256(
            repr((self.material.key, self.budget.as_plain(), self.stamp, self.due, ways)).encode()
        )
        digest.update(self.submission.encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class TaskResult:
    """The result of one notebook, and the executed notebook if it is graded."""

    result: NotebookResult
    notebook: bytes = b""


@dataclass(frozen=True)
class NeedsFiles:
    """The worker's machine lacks the assignment's files."""

    worker: str  # its address


@dataclass(frozen=True)
class SolvedResult:
    """How the cells of a notebook are judged, and what the run of its solution has shown."""

    calibration: Calibration
    solved: bytes = field(repr=False)  # of `solution_file.as_bytes`


TaskAnswer = TaskResult | SolvedResult | NeedsFiles


class Unfit(Exception):
    """This worker must not grade; the text says where it is, why, and the cure."""


_COMMON: list[str] = []  # the address of the common zygote, if there is one
_READY: list[WarmProcesses] = []  # got warm before there was anything to grade
_SHARED = SharedResults()
# graders of this process that nobody uses now, by (budget, stamp): as a rule one for each thread
_IDLE: dict[tuple[Any, ...], list[Grader]] = {}


def start_worker(grade: bool, common: str) -> None:
    """Make this process end with the one that has started it, whatever ends that; where it is to
    grade, let it get warm, with the common zygote at an address.
    """
    import multiprocessing.util

    from nbreferee.sandbox import kernel

    _COMMON[:] = [common]
    # A worker that is a fork would end without this, and with what its parent has registered.
    atexit._clear()
    multiprocessing.util.Finalize(None, atexit._run_exitfuncs, exitpriority=0)
    if parent := multiprocessing.parent_process():
        kernel.end_with(parent.pid or 0)
    kernel.set_name("worker")
    ignore_interrupts()
    os.nice(5)  # who writes the results goes first, and who works on this machine
    if grade:
        with contextlib.suppress(
            OSError
        ):  # the first notebook will meet it again, and it will be told
            _READY.append(_new_warm(Budget()))


def _new_warm(budget: Budget) -> WarmProcesses:
    warm = WarmProcesses(budget, *_COMMON)
    atexit.register(warm.close)
    return warm


class ProcessesLost(Exception):
    """A process has ended that boxes or testers are forked from."""


def _grade(task: Task) -> GradedNotebook | SolvedResult:
    with _lent_grader(task.budget, task.stamp) as grader:
        try:
            calibration = task.calibration
            _learn_solution(grader, task)
            done = (
                grader.grade(task.material, task.data, task.files, calibration, task.earlier)
                if calibration
                else _solve(grader, task)
            )
        except SubmissionError:
            raise
        except Exception:
            if grader.warm.is_whole():
                raise
        else:
            if grader.warm.is_whole():
                return done
        raise ProcessesLost("a process of the grader's own has ended")


def get_ready(task: Task) -> None:
    """Let the processes get ready that a task needs."""
    with _lent_grader(task.budget, task.stamp) as grader:
        grader.get_ready(task.material)


def _learn_solution(grader: Grader, task: Task) -> None:
    if task.solution is None or grader.has_solved(task.material):
        return
    if (solved := read_solution(task.solution)) is not None:
        grader.learn(solved, task.material)


def _solve(grader: Grader, task: Task) -> SolvedResult:
    grader.has_spare_core = task.has_spare_core
    solved = grader.solved(task.material)
    return SolvedResult(solved.calibration, solution_file.as_bytes(solved))


def run(task: Task) -> TaskResult | SolvedResult:
    """Grade a notebook, or find out how its cells are judged."""
    started = time.monotonic()
    try:
        try:
            graded = _grade(task)
        except (ProcessesLost, ChannelError):  # once more, with new processes
            graded = _grade(task)
    except SubmissionError as error:
        cost = Cost(time.monotonic() - started)
        return TaskResult(NotebookResult("unreadable", str(error), cost=cost))
    if isinstance(graded, SolvedResult):
        return graded
    graded.notebook.metadata["nbreferee"] = as_metadata(graded, task)
    notebook = as_bytes(graded.notebook)
    cost = graded.result.cost
    walls = tuple((name, round(wall_s, 4)) for name, wall_s in cost.cell_walls if name and wall_s)
    cost = replace(cost, wall_s=time.monotonic() - started, cell_walls=walls)
    return TaskResult(replace(graded.result, cost=cost), notebook)


def run_far(ours: Mapping[str, str], task: Task) -> TaskAnswer:
    """Grade a notebook on a machine that the orchestrator has not looked at, and that may have
    joined later.

    Parameters
    ----------
    ours
        The orchestrator's identity.

    Raises
    ------
    Unfit
        where this is another grader, or the sandbox is less than what the task wants.
    """
    if other := difference(dict(identity()), ours):
        raise Unfit(
            f"{platform.node()}: this worker has {other}. Install the same there as here, and "
            "restart it."
        )
    missing = sorted(layer.value for layer in task.budget.layers - _layers_here())
    if missing:
        raise Unfit(
            f"{platform.node()}: student code must not run on this worker, for its sandbox lacks "
            f"{', '.join(missing)}. Run nbreferee doctor there."
        )
    try:
        local_copy(task.material.files)
    except FilesMissing:
        return NeedsFiles(_address())
    return run(task)


def _address() -> str:
    from distributed import get_worker

    address: str = get_worker().address
    return address


def as_metadata(graded: GradedNotebook, task: Task | None = None) -> dict[str, Any]:
    """Return what an executed notebook says of its grading, for pages and the next run to read.

    Without a task, as stock nbgrader grades, the next run grades the notebook again.
    """
    found = {
        "fingerprint": task.fingerprint if task else "",
        "submission": task.submission if task else "",
        "repairs": list(graded.result.repairs),
        "cells": [verdict_as_json(cell) for cell in graded.result.cells],
    }
    return found if graded.regrading is None else {**found, "regrading": graded.regrading}


@contextlib.contextmanager
def _lent_grader(budget: Budget, stamp: str) -> Iterator[Grader]:
    """Yield a grader that no other thread uses; one that has failed is not yielded again."""
    idle = _IDLE.setdefault((budget, stamp), [])
    try:
        grader = idle.pop()
    except IndexError:
        warm = _READY.pop() if _READY else _new_warm(budget)
        warm.budget = budget
        grader = Grader(warm, stamp, shared=_SHARED)
    try:
        yield grader
    except SubmissionError:
        idle.append(grader)
        raise
    except BaseException:
        grader.warm.close()
        atexit.unregister(grader.warm.close)
        raise
    idle.append(grader)


@cache
def _layers_here() -> frozenset[Layer]:
    return frozenset(one.layer for one in probing.found() if one.holds)
