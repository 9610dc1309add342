"""What a command takes: the time and memory of all its processes, also of those that it leaves
behind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

MEASURE = Path(__file__).with_name("measure.py")


class BenchError(Exception):
    """A command that is measured has failed; the text says which, and what it said."""


@dataclass(frozen=True)
class CommandCost:
    """What a command took."""

    wall_s: float
    cpu_s: float  # of all its processes
    peak_mb: float  # of the largest of them
    said: str = field(default="", repr=False)  # by the command itself


def run(command: Sequence[str], folder: Path, may_fail: bool = False) -> CommandCost:
    """Run a command of this environment in a course; return what it took with all its processes.

    Raises
    ------
    BenchError
        where it fails, and is not one that ends so where a submission is broken.
    """
    binaries = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
    with tempfile.TemporaryFile("w+") as said:
        measuring = [sys.executable, "-I", str(MEASURE), str(binaries / command[0]), *command[1:]]
        measured = subprocess.run(
            measuring, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=said, check=False
        )
        said.seek(0)
        text = said.read()
    if measured.returncode:
        raise BenchError(f"{' '.join(command)} cannot be started: {text[-2000:].strip()}")
    status, wall_s, cpu_s, peak_mb = json.loads(measured.stdout)
    if status and not may_fail:
        raise BenchError(f"{' '.join(command)} ended with status {status}: {text[-2000:].strip()}")
    return CommandCost(wall_s, cpu_s, peak_mb, text)
