"""A warm process that walks through a notebook and forks, on its way, whatever is to be tried.

Starting a kernel takes seconds, a fork milliseconds. The process runs the solution cell by cell;
before a cell it forks a child for every task that starts there. The child inherits the state, does
its task, writes the result into a pipe, and is gone: nothing it did is seen by another.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

MEMORY_BYTES = 8 << 30  # a task that wants more sees a MemoryError


@dataclass(frozen=True)
class Trial:
    """Something to try in a fork: its result must be fit for JSON."""

    key: Any
    action: Callable[[], Any]
    limit_s: float


@dataclass(frozen=True)
class TrialResult:
    """The result of a task, or why there is none."""

    key: Any
    result: Any = None
    lost: str = ""  # 'timeout' or 'crash'


@dataclass(frozen=True)
class _Child:
    task: Trial
    pid: int
    pipe: int
    deadline: float
    received: list[bytes]


class Forks:
    """Runs tasks in forks of this process, `jobs` at a time."""

    def __init__(self, jobs: int, done: Callable[[TrialResult], None]) -> None:
        self._jobs = jobs
        self._done = done
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, _Child] = {}

    def start(self, tasks: Iterable[Trial]) -> None:
        """Fork a child for every task, waiting where as many as allowed are running."""
        for task in tasks:
            while len(self._children) >= self._jobs:
                self._collect()
            self._fork(task)

    def finish(self) -> None:
        """Wait until all are done."""
        while self._children:
            self._collect()

    def abandon(self) -> None:
        """End whatever is still running."""
        for child in list(self._children.values()):
            self._end(child, None)

    def _fork(self, task: Trial) -> None:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            for pipe in (reading, *self._children):  # or a brother's end would go unnoticed
                os.close(pipe)
            _be_child(task, writing)
        os.close(writing)
        with contextlib.suppress(OSError):  # the child may have been quicker
            os.setpgid(pid, pid)
        self._children[reading] = _Child(task, pid, reading, time.monotonic() + task.limit_s, [])
        self._selector.register(reading, selectors.EVENT_READ)

    def _collect(self) -> None:
        first = min(child.deadline for child in self._children.values())
        for key, _ in self._selector.select(max(0.0, first - time.monotonic())):
            child = self._children[key.fd]
            data = os.read(child.pipe, 1 << 16)
            if data:
                child.received.append(data)
            else:
                self._end(child, b"".join(child.received))
        for child in [
            child for child in self._children.values() if child.deadline < time.monotonic()
        ]:
            self._end(child, None)

    def _end(self, child: _Child, received: bytes | None) -> None:
        self._selector.unregister(child.pipe)
        os.close(child.pipe)
        del self._children[child.pipe]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # and whatever it started
        os.waitpid(child.pid, 0)
        if received is None:
            self._done(TrialResult(child.task.key, lost="timeout"))
            return
        try:
            self._done(TrialResult(child.task.key, json.loads(received)))
        except ValueError:
            self._done(TrialResult(child.task.key, lost="crash"))


def _be_child(task: Trial, pipe: int) -> NoReturn:
    try:
        os.setpgid(0, 0)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        answer = json.dumps(task.action()).encode()
        while answer:
            answer = answer[os.write(pipe, answer) :]
    finally:
        os._exit(0)
