"""Cells in one namespace, as stock nbgrader runs them, without a kernel: what the engine is compared
with.

A `Session` is an IPython shell in this process; `in_forks` runs each try in a fork of it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import IO, Any, NoReturn

from nbreferee.course.source import Cell

# Before anything imports them: no figure is rendered, and a fork wants a single thread.
QUIET = {
    "MPLBACKEND": "template",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Ran:
    """What running one cell came to."""

    error: str  # the exception in a line; '' where there was none
    number: float | None  # the last expression, where it is a number: nbgrader's partial credit

    def score(self, cell: Cell) -> float:
        """Return the points that nbgrader gives for this run of a graded cell, but that a warning
        costs nothing.
        """
        if self.error:
            return 0.0
        if self.number is not None and 0 <= self.number <= cell.points:
            return self.number
        return cell.points


class Session:
    """An IPython shell in this process, standing in a folder."""

    def __init__(self, folder: Path) -> None:
        os.environ.update(QUIET)
        from IPython.core.history import HistoryManager
        from IPython.core.interactiveshell import InteractiveShell

        HistoryManager.enabled = False  # type: ignore[assignment]  # IPython's own idiom
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        self._shell = InteractiveShell.instance(colors="nocolor")
        # its types are those of a method
        self._shell.register_magic_function(lambda line: None, "line", "matplotlib")  # type: ignore[arg-type]

    @property
    def module(self) -> ModuleType:
        """The module of the cells."""
        module: ModuleType = self._shell.user_module
        return module

    def renew(self) -> None:
        """Go on in a new, empty namespace; what lives in the old one stays usable."""
        self._shell.user_module, self._shell.user_ns = self._shell.prepare_user_module()
        self._shell.init_user_ns()

    def run(self, source: str) -> Ran:
        """Run the source of a cell."""
        nowhere = io.StringIO()
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            result = self._shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        said = f"{type(error).__name__}: {error}" if error else ""
        return Ran(said, result.result if type(result.result) in (int, float) else None)


def in_forks(
    actions: Iterable[tuple[Any, Callable[[], Any]]], limit_s: int, jobs: int = 2
) -> dict[Any, Any]:
    """Return what each action gives, by its key, each run in a fork of this process; None where it
    has died or taken too long. What they give is fit for JSON.
    """
    found: dict[Any, Any] = {}
    running: deque[tuple[Any, int, IO[bytes]]] = deque()
    for key, action in actions:
        if len(running) == jobs:
            _collect(running.popleft(), found)
        reading, writing = os.pipe()
        if (pid := os.fork()) == 0:
            _be_child(action, writing, limit_s)
        os.close(writing)
        running.append((key, pid, os.fdopen(reading, "rb")))
    while running:
        _collect(running.popleft(), found)
    return found


def _collect(child: tuple[Any, int, IO[bytes]], found: dict[Any, Any]) -> None:
    key, pid, pipe = child
    with pipe:
        said = pipe.read()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # and whatever it started
    os.waitpid(pid, 0)
    found[key] = json.loads(said) if said else None


def _be_child(action: Callable[[], Any], pipe: int, limit_s: int) -> NoReturn:
    try:
        os.setpgid(0, 0)
        signal.alarm(limit_s)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        with os.fdopen(pipe, "wb") as out:
            out.write(json.dumps(action()).encode())
    finally:
        os._exit(0)
