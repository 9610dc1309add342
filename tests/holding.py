"""Another process that holds something until it is let go."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def helper(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process that says when it is ready, and ends when its input does."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.stdin.close()
            process.wait(timeout=60)


LOCK = (
    "import sqlite3, sys\nbook = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    "book.execute('BEGIN EXCLUSIVE')\nprint('ready', flush=True)\nsys.stdin.read()"
)
