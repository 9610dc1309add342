"""Forks that a process makes of itself, each to go on from the same state (see `checkpoints`)."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import shutil
import signal
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from nbreferee.sandbox import Layer, Limits, kernel, seccomp

FORKS = 8  # that one box has at most, at a time
SHARED = ("memory_bytes", "processes", "scratch_bytes", "scratch_files")  # limits


def first_folder(scratch: Path) -> Path:
    """Return the working folder of a process that forks: each fork gets a copy, beside it."""
    folder = scratch / "0"
    folder.mkdir()
    return folder


class OwnForks:
    """The forks of this process, which works in a folder of `first_folder`."""

    def __init__(self) -> None:
        self._folder = Path.cwd()
        self._count = 0
        self._running: dict[int, Path] = {}  # folders by process id

    def start(self) -> int:
        """Fork; return the process id of the fork, or 0 in the fork itself."""
        parent = os.getpid()
        self._count += 1
        folder = self._folder.with_name(f"{self._folder.name}-{self._count}")
        with contextlib.suppress(OSError):  # of some files, which cannot be copied
            shutil.copytree(self._folder, folder, symlinks=True)
        if pid := os.fork():
            with contextlib.suppress(OSError):  # the fork may have been quicker
                os.setpgid(pid, pid)
            self._running[pid] = folder
            return pid
        kernel.end_with(parent)
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        self._go_to(folder)
        self._running.clear()
        gc.freeze()  # or the first collection copies all of the memory
        return 0

    def end(self, pid: int) -> None:
        """End a fork, and what it has started."""
        if pid not in self._running:
            return
        for end in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                end(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        shutil.rmtree(self._running.pop(pid), ignore_errors=True)

    def _go_to(self, folder: Path) -> None:
        """Work in a copy of the folder that the process works in."""
        with contextlib.suppress(OSError, ValueError):  # it is elsewhere, and stays there
            os.chdir(folder / Path.cwd().relative_to(self._folder))
        for name, value in os.environ.items():
            if value == str(self._folder):
                os.environ[name] = str(folder)
        self._folder, self._count = folder, 0


def room_for_forks(limits: Limits) -> Limits:
    """Return the limits of a box whose forks have these: all together count as one."""
    return replace(
        limits,
        **{name: FORKS * getattr(limits, name) for name in SHARED},
    )


def close_sandbox(layers: Collection[Layer], limits: Limits, *, new_processes: bool) -> None:
    """Put on what a process that forks does without: its own limits, and the last layer.

    `new_processes`: whether it may start some.
    """
    if Layer.LIMITS in layers:
        for what, most in (
            (resource.RLIMIT_AS, limits.memory_bytes),
            (resource.RLIMIT_CPU, limits.cpu_s),
        ):
            resource.setrlimit(what, (most, most))
    if Layer.SECCOMP in layers:
        seccomp.forbid(new_processes=not new_processes, others_inside=new_processes)
