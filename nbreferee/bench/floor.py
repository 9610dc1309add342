"""The bare cells: python -m nbreferee.bench.floor JOBS NOTEBOOK ...

Each notebook runs in a fork of one warm process, all cells in order, tests included: no sandbox, no
second process, no verdict, nothing written. A grader that runs every cell of every submission can
hardly cost less.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbreferee.engine.shell import Shell

CELL_S = 60  # a cell that takes longer is left, as a grader leaves it


@contextlib.contextmanager
def warm_shell() -> Iterator[Shell]:
    """Yield this process's shell, with the modules loaded that a notebook's first cells import."""
    from nbreferee.engine.launching import ENVIRONMENT

    with tempfile.TemporaryDirectory() as profile:
        os.environ.update(
            {name: ENVIRONMENT[name] for name in ("MPLBACKEND", "OPENBLAS_NUM_THREADS")},
            IPYTHONDIR=profile,
        )
        from nbreferee.engine.shell import Shell, warm_up

        shell = Shell.instance()
        warm_up(shell)
        gc.collect()
        gc.freeze()
        yield shell


def fork_cells(shell: Shell, sources: Sequence[str], folder: Path) -> tuple[int, int]:
    """Run cells in a fork of this process; return its id, and a pipe from which the cells' errors
    can be read as JSON.
    """
    reading, writing = os.pipe()
    if pid := os.fork():
        os.close(writing)
        return pid, reading
    try:
        os.chdir(folder)
        sys.path.insert(0, "")
        sys.dont_write_bytecode = True
        shell.take_over()
        errors = [error for source in sources for error in _run(shell, source)]
        os.write(writing, json.dumps(errors).encode())
    finally:
        os._exit(0)


def _run(shell: Shell, source: str) -> list[str]:
    signal.signal(signal.SIGALRM, _stop)
    signal.alarm(CELL_S)
    try:
        shown = shell.run(source)[0]
    finally:
        signal.alarm(0)
    return [output["evalue"] for output in shown if output["output_type"] == "error"]


def _stop(*_: object) -> None:
    raise TimeoutError(f"stopped after {CELL_S} s")


def main(jobs: int, notebooks: Sequence[str]) -> None:
    """Run notebooks, so many at a time."""
    running = 0
    with warm_shell() as shell:
        for path in map(Path, notebooks):
            if running == jobs:
                os.wait()
                running -= 1
            cells = json.loads(path.read_bytes())["cells"]
            sources = ["".join(one["source"]) for one in cells if one["cell_type"] == "code"]
            os.close(fork_cells(shell, sources, path.parent)[1])
            running += 1
        for _ in range(running):
            os.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
