"""The folder of a submission, read as untrusted: regular files only, no link followed, nothing that
blocks, all in bounds.

What cannot be read is named with its reason, and the rest is returned. The folder is read again
where it has changed in between, so that all files are of one version. An error of this machine (a
disk that fails, no memory) is raised.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nbreferee.submission.candidates import is_candidate
from nbreferee.submission.open_folder import (
    ENTRIES,
    KINDS,
    Entry,
    FolderError,
    open_folder,
    read_regular,
    shown,
    walk,
)
from nbreferee.submission.reading import NOTEBOOK_BYTES, well_formed
from nbreferee.submission.timestamp import TIMESTAMP, read_timestamp

__all__ = ["FolderError", "SubmissionFolder", "notes_on", "read_folder", "shown"]

FILE_BYTES, FILES = 64 << 20, 500  # of all files beside notebooks together
CANDIDATES_BYTES = 128 << 20  # of all notebooks together
PATH_BYTES = 1_000  # of a path inside the folder
NAMED = 10  # unreadable files that are named; of more, their number is told
READ_AGAIN = 3  # times, while the folder changes


@dataclass(frozen=True)
class SubmissionFolder:
    """What a submission's folder holds, by path inside it."""

    notebooks: Mapping[str, bytes] = field(default_factory=dict)  # all that may be one
    files: Mapping[str, bytes] = field(default_factory=dict)  # beside notebooks
    unread: Mapping[str, str] = field(default_factory=dict)  # path: why it cannot be read
    timestamp: datetime | None = None
    timestamp_fault: str = ""  # why it is not known, though there is one
    notes: tuple[str, ...] = ()  # on the folder as a whole, for a person


def read_folder(
    folder: Path,
    ignore: Collection[str] = (),
    is_ours: Callable[[str], bool] = lambda _: False,
    file_bytes: int = FILE_BYTES,
    total_bytes: int = FILE_BYTES,
) -> SubmissionFolder:
    """Read the folder of a submission.

    Parameters
    ----------
    ignore
        c.CourseDirectory.ignore: patterns of names of files and folders.
    is_ours
        Whether the instructor has a file in the place of a path: then the student's is left out.

    file_bytes, total_bytes
        How large a file beside notebooks may be, and all of them together; never more than
        `FILE_BYTES`.

    Raises
    ------
    FolderError
        if it is no folder, or cannot be opened.
    OSError
        if this machine fails.
    """
    for _ in range(READ_AGAIN):
        reader = _Reader(ignore, is_ours, min(file_bytes, FILE_BYTES), min(total_bytes, FILE_BYTES))
        found = reader.read(folder)
        if reader.signature == _signature(folder, ignore):
            return found
    note = (
        "the submission changed while it was read: grade it again when it does not change any more"
    )
    return SubmissionFolder(
        found.notebooks,
        found.files,
        found.unread,
        found.timestamp,
        found.timestamp_fault,
        (*found.notes, note),
    )


class _Reader:
    """Reads a folder once."""

    def __init__(
        self,
        ignore: Collection[str],
        is_ours: Callable[[str], bool],
        file_bytes: int,
        total_bytes: int,
    ) -> None:
        self._ignore = ignore
        self._most_bytes, self._most_together = file_bytes, total_bytes
        self._is_ours = is_ours
        self.signature: list[tuple[Any, ...]] = []
        self._notebooks: dict[str, bytes] = {}
        self._files: dict[str, bytes] = {}
        self._unread: dict[str, str] = {}
        self._notebook_bytes = self._file_bytes = 0

    def read(self, folder: Path) -> SubmissionFolder:
        """Read all of it."""
        timestamp, fault = None, ""
        descriptor = open_folder(folder)
        try:
            for entry in walk(descriptor, self._ignore):
                self.signature.append(_sign(entry))
                if entry.path == TIMESTAMP:
                    timestamp, fault = read_timestamp(entry)
                if why := self._take(entry):
                    self._unread[entry.path] = why
        finally:
            os.close(descriptor)
        notes: tuple[str, ...] = ()
        if len(self.signature) >= ENTRIES:
            notes = (f"it has more than {ENTRIES:,} files: graded with the first {ENTRIES:,}",)
        return SubmissionFolder(self._notebooks, self._files, self._unread, timestamp, fault, notes)

    def _take(self, entry: Entry) -> str:
        """Read a file, if it is one; return why it cannot be read, or nothing."""
        is_notebook = is_candidate(entry.name)
        if not is_notebook and self._is_ours(entry.path):
            return ""
        if entry.fault or entry.about is None:
            return entry.fault
        if entry.path != well_formed(entry.path):
            return "its name is not UTF-8"
        if len(os.fsencode(entry.path)) > PATH_BYTES:
            return "its path is too long"
        if stat.S_ISDIR(entry.about.st_mode):
            return KINDS[stat.S_IFDIR] if entry.name.lower().endswith(".ipynb") else ""
        bound = NOTEBOOK_BYTES if is_notebook else self._most_bytes
        if entry.about.st_size > bound:
            return f"{entry.about.st_size >> 20:,} MB large, and {bound >> 20} MB are allowed"
        if not is_notebook and len(self._files) >= FILES:
            return f"more than {FILES} files"
        if is_notebook and self._notebook_bytes + entry.about.st_size > CANDIDATES_BYTES:
            return f"all notebooks together are larger than {CANDIDATES_BYTES >> 20} MB"
        if not is_notebook and self._file_bytes + entry.about.st_size > self._most_together:
            return f"all files together are larger than {self._most_together >> 20} MB"
        try:
            data = read_regular(entry, bound)
        except FolderError as error:
            return str(error)
        if is_notebook:
            self._notebooks[entry.path] = data
            self._notebook_bytes += len(data)
        if (
            not entry.name.endswith(".ipynb")
            and not self._is_ours(entry.path)
            and self._file_bytes + len(data) <= self._most_together
        ):
            self._files[entry.path] = data
            self._file_bytes += len(data)
        return ""


def _sign(entry: Entry) -> tuple[Any, ...]:
    about = entry.about
    if about is None:
        return entry.path, entry.fault
    is_folder = stat.S_ISDIR(about.st_mode)
    return (
        (entry.path, about.st_mode, about.st_ino)
        if is_folder
        else (entry.path, about.st_mode, about.st_ino, about.st_size, about.st_mtime_ns)
    )


def _signature(folder: Path, ignore: Collection[str]) -> list[tuple[Any, ...]]:
    """Return what changes with any file of a folder."""
    try:
        descriptor = open_folder(folder)
    except FolderError:
        return []
    try:
        return [_sign(entry) for entry in walk(descriptor, ignore)]
    finally:
        os.close(descriptor)


def notes_on(found: SubmissionFolder, expected: Collection[str]) -> list[str]:
    """Return what a person is told of a folder beside its expected notebooks, given by name."""
    notes = list(found.notes)
    if found.timestamp_fault:
        unknown = "whether it was late is not known, and no late penalty is taken"
        notes.append(
            f"{TIMESTAMP}: {found.timestamp_fault}: {unknown}. Correct the file, then run the "
            "command again"
        )
    named = {f"{name}.ipynb" for name in expected} | {TIMESTAMP}
    others = [(path, why) for path, why in found.unread.items() if path not in named]
    notes += [
        f"{shown(path)} cannot be read: {why}. Graded without it" for path, why in others[:NAMED]
    ]
    if len(others) > NAMED:
        notes.append(f"{len(others) - NAMED} more files cannot be read. Graded without them")
    return notes
