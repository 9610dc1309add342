"""Processes that a run has started, found in /proc."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

Process = tuple[int, int]  # its id, and when it was started


def processes() -> Iterator[tuple[Process, int, int]]:
    """All processes that are not over, each with its parent and its session."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent, _, session, *rest = (
                (folder / "stat").read_text().rpartition(")")[2].split()
            )
            if state not in "ZX":
                yield (int(folder.name), int(rest[15])), int(parent), int(session)


def family(pid: int) -> set[Process]:
    """A process's children, their children, and so on."""
    children: dict[int, set[Process]] = {}
    for process, parent, _ in processes():
        children.setdefault(parent, set()).add(process)
    found, new = set(), {pid}
    while new:
        born = set().union(*(children.get(one, set()) for one in new))
        found |= born
        new = {one for one, _ in born}
    return found


def living(known: set[Process], session: int, marker: str) -> set[Process]:
    """Which processes live that are known, of a session, or have a marker in their environment."""
    found = set()
    for process, _, theirs in processes():
        environment = b""
        with contextlib.suppress(OSError):
            environment = Path(f"/proc/{process[0]}/environ").read_bytes()
        if process in known or theirs == session or marker.encode() in environment:
            found.add(process)
    return found
