"""The children of this process."""

from __future__ import annotations

import os
import select
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def children() -> set[int]:
    """The processes that have this one as their parent."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        found |= {int(path.parent.name)} if parent == os.getpid() else set()
    return found


def ended(pid: int) -> bool:
    """Wait for a child that has been killed already, a few seconds at most."""
    handle = os.pidfd_open(pid)
    try:
        gone = bool(select.select([handle], [], [], 5)[0])
    finally:
        os.close(handle)
    return gone and os.waitpid(pid, 0)[0] == pid
