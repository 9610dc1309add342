"""The files of a notebook inside its box: those it is given, and those that its code leaves for the tests."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

MOST, MOST_BYTES = 200, 20 << 20  # that a student's code may leave for the tests
LOOKED_AT = 2_000  # files and folders


class Files:
    """Files in the working folder."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int]] = {}  # as both sides have them: time and size

    def take(self, files: dict[str, bytes]) -> None:
        """Write what the other side has."""
        for name, data in files.items():
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            found = path.stat()
            self._known[name] = found.st_mtime_ns, found.st_size

    def new(self) -> dict[str, bytes]:
        """Return what the other side does not have yet."""
        found: dict[str, bytes] = {}
        left = MOST_BYTES
        for name, time_ns, size in sorted(_regular_files()):
            if self._known.get(name) == (time_ns, size):
                continue
            left -= size
            if len(found) < MOST and left >= 0:
                with contextlib.suppress(OSError):  # one that may not be read
                    found[name] = Path(name).read_bytes()
                    self._known[name] = time_ns, size
        return found


def _regular_files() -> Iterator[tuple[str, int, int]]:
    """Yield name, time and size of the files here and below: not without end, whatever has been made there."""
    left, folders = LOOKED_AT, ["."]
    while folders and left > 0:
        entries: list[os.DirEntry] = []
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as found:
            entries = sorted(itertools.islice(found, left), key=lambda entry: entry.name)
        left -= len(entries)
        folders += reversed([entry.path for entry in entries if entry.is_dir(follow_symlinks=False)])
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_file(follow_symlinks=False):
                    about = entry.stat(follow_symlinks=False)
                    yield entry.path.removeprefix("./"), about.st_mtime_ns, about.st_size
