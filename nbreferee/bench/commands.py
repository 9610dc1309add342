"""What a command takes: the time and memory of all its processes, also of those that it leaves behind."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


class BenchError(Exception):
    """A command that is measured has failed; the text says which, and what it said."""


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    wall_s: float
    cpu_s: float  # of all its processes
    peak_mb: float  # of the largest of them


def run(command: Sequence[str], folder: Path, may_fail: bool = False) -> Cost:
    """Run a command of this environment in a course; return what it took with all its processes.

    Raises
    ------
    BenchError
        where it fails, and is not one that ends so where a submission is broken.
    """
    binaries = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
    with tempfile.TemporaryFile("w+") as said:
        started = time.monotonic()
        process = subprocess.Popen([str(binaries / command[0]), *command[1:]], cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT)
        cpu_s, peak_kb, wall_s = 0.0, 0, 0.0
        while True:  # orphans of the command come to us
            try:
                pid, status, usage = os.wait4(-1, 0)
            except ChildProcessError:
                break
            if pid == process.pid:
                process.returncode, wall_s = os.waitstatus_to_exitcode(status), time.monotonic() - started
            cpu_s += usage.ru_utime + usage.ru_stime
            peak_kb = max(peak_kb, usage.ru_maxrss)
        if process.returncode and not may_fail:
            said.seek(0)
            raise BenchError(f"{' '.join(command)} ended with status {process.returncode}: {said.read()[-2000:].strip()}")
    return Cost(wall_s, cpu_s, peak_kb / 1024)


@contextmanager
def all_children_ours() -> Iterator[None]:
    """Be the parent of all that the measured commands leave behind, so that its time counts."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
