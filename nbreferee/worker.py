"""What one worker does, a process here or on another machine: tasks in, results out, nothing shared.

A worker keeps its warm processes from task to task; they end with it.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbreferee import __version__
from nbreferee.engine.limits import Budget
from nbreferee.engine.referee import Warm
from nbreferee.grading import CellVerdict, Grader, Marks, Material, as_bytes, plain_verdict
from nbreferee.intake import SubmissionError


@dataclass(frozen=True)
class Task:
    """One notebook to grade."""

    student: str
    assignment: str
    notebook: str
    material: Material
    data: bytes
    files: Mapping[str, bytes] = field(repr=False)
    budget: Budget = field(default_factory=Budget)
    stamp: str = ""
    due: str = ""  # which no verdict depends on, but the penalty

    @property
    def fingerprint(self) -> str:
        """A name for all that scores depend on."""
        digest = hashlib.sha256(repr((__version__, self.material.key, self.budget.as_plain(), self.stamp, self.due)).encode())
        digest.update(self.data)
        for name, data in sorted(self.files.items()):
            digest.update(f"{name} {len(data)} ".encode() + data)
        return digest.hexdigest()


@dataclass(frozen=True)
class Result:
    """What came of one notebook; without a notebook, the message says why."""

    status: str  # 'graded' or 'failed'
    message: str = ""
    notebook: bytes = b""
    marks: Marks | None = None
    cells: tuple[CellVerdict, ...] = ()
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    wall_s: float = 0.0


_GRADERS: dict[tuple, Grader] = {}  # of this process, by (budget, stamp): as a rule there is one


def start_worker() -> None:
    """Make this process end with the one that has started it, whatever ends that."""
    import multiprocessing

    from nbreferee.sandbox import kernel

    kernel.end_with(multiprocessing.parent_process().pid)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever has started it hears Ctrl-C


def run(task: Task) -> Result:
    """Grade a notebook."""
    started = time.monotonic()
    try:
        graded = _grader(task.budget, task.stamp).grade(task.material, task.data, task.files)
    except SubmissionError as error:
        return Result("failed", str(error), wall_s=time.monotonic() - started)
    graded.notebook.metadata["nbreferee"] = kept(task, graded.cells, graded.repairs)
    notebook = as_bytes(graded.notebook)
    return Result("graded", "", notebook, graded.marks, graded.cells, graded.repairs, graded.warnings, time.monotonic() - started)


def kept(task: Task, cells: tuple[CellVerdict, ...], repairs: tuple[str, ...]) -> dict[str, Any]:
    """Return what an executed notebook says of its grading, for the next run to read."""
    return {"fingerprint": task.fingerprint, "repairs": list(repairs), "cells": [plain_verdict(cell) for cell in cells]}


def read_kept(notebook: bytes, fingerprint: str) -> tuple[tuple[CellVerdict, ...], tuple[str, ...]] | None:
    """Return verdicts and repairs that an executed notebook holds, if they are those of this very task."""
    try:
        found = json.loads(notebook)["metadata"]["nbreferee"]
        if found["fingerprint"] != fingerprint:
            return None
        return tuple(CellVerdict(**cell) for cell in found["cells"]), tuple(found["repairs"])
    except (ValueError, KeyError, TypeError):
        return None


def _grader(budget: Budget, stamp: str) -> Grader:
    key = (budget, stamp)
    if key not in _GRADERS:
        warm = Warm(budget)
        _GRADERS[key] = Grader(warm, stamp)
        atexit.register(warm.close)
    return _GRADERS[key]
