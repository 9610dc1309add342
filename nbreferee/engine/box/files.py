"""The files of a notebook inside its box: what it is given, and what its code makes, changes and
removes.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

MOST, MOST_BYTES = 500, 20 << 20  # that a student's code may leave for the tests
LOOKED_AT = 2_000  # files and folders, besides those of the assignment

Stamp = tuple[int, int]  # time and size


class Files:
    """Files in the working folder, where the assignment's are already."""

    def __init__(self) -> None:
        self._known: dict[str, Stamp] = {}  # as both sides have them
        self._folders: set[str] = set()
        for name, stamp in _found(1 << 30):
            self._know(name, stamp)
        self._most = LOOKED_AT + len(self._known) + len(self._folders)

    def hand_in(self, files: Mapping[str, bytes]) -> None:
        """Write what the student has handed in; the tests get to see it."""
        for name, data in files.items():
            _write(name, data)

    def take(
        self,
        files: Mapping[str, bytes],
        folders: Collection[str] = (),
        removed: Collection[str] = (),
    ) -> None:
        """Make the working folder as the tests have left theirs."""
        for name in removed:
            _remove(name)
            self._known.pop(name, None)
            self._folders.discard(name)
        for name in folders:
            Path(name).mkdir(parents=True, exist_ok=True)
            self._folders.add(name)
        for name, data in files.items():
            _write(name, data)
            found = os.lstat(name)
            self._known[name] = found.st_mtime_ns, found.st_size

    def changes(self) -> tuple[dict[str, bytes], list[str], list[str]]:
        """Return what the other side does not have yet: contents of files, folders, and what has
        been removed.
        """
        files: dict[str, bytes] = {}
        folders: list[str] = []
        left, looked_at, there = MOST_BYTES, 0, set()
        for name, stamp in _found(self._most):
            looked_at += 1
            there.add(name)
            if stamp is None:
                folders += [name] if name not in self._folders else []
                self._folders.add(name)
            elif (
                self._known.get(name) != stamp
                and len(files) < MOST
                and (left := left - stamp[1]) >= 0
            ):
                with contextlib.suppress(OSError):  # one that may not be read
                    if not os.path.islink(name):
                        files[name] = Path(name).read_bytes()
                    self._known[name] = stamp
        removed = (
            [name for name in [*self._known, *self._folders] if name not in there]
            if looked_at < self._most
            else []
        )
        for name in removed:
            self._known.pop(name, None)
            self._folders.discard(name)
        return files, folders, removed

    def _know(self, name: str, stamp: Stamp | None) -> None:
        if stamp is None:
            self._folders.add(name)
        else:
            self._known[name] = stamp


def _write(name: str, data: bytes) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():  # to a file of the assignment, which cannot be written
        path.unlink()
    path.write_bytes(data)


def _remove(name: str) -> None:
    with contextlib.suppress(OSError):
        if os.path.isdir(name) and not os.path.islink(name):
            shutil.rmtree(name)
        else:
            os.unlink(name)


def _found(most: int) -> Iterator[tuple[str, Stamp | None]]:
    """Yield name and stamp of files and links here and below, None for a folder: not without end,
    whatever has been made there.
    """
    left, folders = most, ["."]
    while folders and left > 0:
        entries: list[os.DirEntry[str]] = []
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as found:
            entries = sorted(itertools.islice(found, left), key=lambda entry: entry.name)
        left -= len(entries)
        folders += reversed(
            [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        )
        for entry in entries:
            with contextlib.suppress(OSError):
                about = entry.stat(follow_symlinks=False)
                is_folder = entry.is_dir(follow_symlinks=False)
                if is_folder or entry.is_file(follow_symlinks=False) or entry.is_symlink():
                    yield (
                        entry.path.removeprefix("./"),
                        None if is_folder else (about.st_mtime_ns, about.st_size),
                    )
