"""The folder of a submission, read as untrusted: regular files only, no link followed, nothing that
blocks, all in bounds.

What cannot be read is named with its reason, and the rest is returned. The folder is read again
where it has changed in between, so that all files are of one version. An error of this machine (a
disk that fails, no memory) is raised.
"""

from __future__ import annotations

import errno
import fnmatch
import itertools
import os
import stat
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nbreferee.submission.candidates import is_candidate
from nbreferee.submission.reading import NOTEBOOK_BYTES, well_formed

FILE_BYTES, FILES = 64 << 20, 500  # of all files beside notebooks together
CANDIDATES_BYTES = 128 << 20  # of all notebooks together
ENTRIES, DEPTH = 10_000, 32  # files and folders that are looked at, and folders inside each other
PATH_BYTES = 1_000  # of a path inside the folder
NAMED = 10  # unreadable files that are named; of more, their number is told
TIMESTAMP, TIMESTAMP_BYTES = "timestamp.txt", 1_000
READ_AGAIN = 3  # times, while the folder changes

# of the machine, and no property of a file
MACHINE_ERRORS = {
    errno.EIO,
    errno.ENOMEM,
    errno.EMFILE,
    errno.ENFILE,
    errno.ESTALE,
    errno.ETIMEDOUT,
    errno.ENOTCONN,
    errno.EHOSTDOWN,
}
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link, and links are not followed",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class FolderError(Exception):
    """A folder that cannot be read at all; the text says why."""


@dataclass(frozen=True)
class SubmissionFolder:
    """What a submission's folder holds, by path inside it."""

    notebooks: Mapping[str, bytes] = field(default_factory=dict)  # all that may be one
    files: Mapping[str, bytes] = field(default_factory=dict)  # beside notebooks
    unread: Mapping[str, str] = field(default_factory=dict)  # path: why it cannot be read
    timestamp: datetime | None = None
    timestamp_fault: str = ""  # why it is not known, though there is one
    notes: tuple[str, ...] = ()  # on the folder as a whole, for a person


def shown(name: str) -> str:
    """Return a name for a message: in one line, with what cannot be printed escaped, and not too
    long.
    """
    plain = "".join(char if char.isprintable() else repr(char)[1:-1] for char in name)
    return plain if len(plain) <= 80 else f"{plain[:50]}…{plain[-20:]}"


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


@dataclass(frozen=True)
class _Entry:
    """A file, or what stands in place of one, in an open folder."""

    path: str  # inside the submission
    parent: int  # descriptor of its folder
    name: str
    about: os.stat_result | None  # None: a folder that cannot be opened
    fault: str = ""


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
        descriptor = _open_folder(folder)
        try:
            for entry in _walk(descriptor, self._ignore):
                self.signature.append(_sign(entry))
                if entry.path == TIMESTAMP:
                    timestamp, fault = _read_timestamp(entry)
                if why := self._take(entry):
                    self._unread[entry.path] = why
        finally:
            os.close(descriptor)
        notes: tuple[str, ...] = ()
        if len(self.signature) >= ENTRIES:
            notes = (f"it has more than {ENTRIES:,} files: graded with the first {ENTRIES:,}",)
        return SubmissionFolder(self._notebooks, self._files, self._unread, timestamp, fault, notes)

    def _take(self, entry: _Entry) -> str:
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
            data = _read_regular(entry, bound)
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


def _open_folder(folder: Path) -> int:
    """Open the folder of a submission; neither it nor the student's folder may be a link."""
    for path in (folder.parent, folder):
        try:
            about = os.lstat(path)
        except OSError as error:
            raise _fault(error, f"the folder {shown(path.name)} cannot be read") from None
        if not stat.S_ISDIR(about.st_mode):
            kind = KINDS.get(stat.S_IFMT(about.st_mode), "a file")
            raise FolderError(
                f"in place of the folder {shown(path.name)} there is {kind}. Put the files "
                "themselves into a folder of that name"
            )
    try:
        return os.open(
            folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        )
    except OSError as error:
        raise _fault(error, f"the folder {shown(folder.name)} cannot be read") from None


def _walk(folder: int, ignore: Collection[str]) -> Iterator[_Entry]:
    """Yield what there is in an open folder and below, but for names that match a pattern; folders
    come before what is in them.
    """
    left = ENTRIES

    def below(parent: int, prefix: str, depth: int) -> Iterator[_Entry]:
        nonlocal left
        folders = []
        for name in _names(parent, left):
            left -= 1
            if any(
                fnmatch.fnmatch(name, pattern)
                and (pattern.startswith(".") or not name.startswith("."))
                for pattern in ignore
            ):
                continue
            try:
                about = os.stat(name, dir_fd=parent, follow_symlinks=False)
            except FileNotFoundError:  # removed in between
                continue
            except OSError as error:
                yield _Entry(prefix + name, parent, name, None, str(_fault(error)))
                continue
            yield _Entry(prefix + name, parent, name, about)
            if stat.S_ISDIR(about.st_mode):
                folders.append(name)
        for name in folders:
            if depth == DEPTH:
                yield _Entry(
                    prefix + name,
                    parent,
                    name,
                    None,
                    f"more than {DEPTH} folders inside each other",
                )
                continue
            try:
                inner = os.open(
                    name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent
                )
            except OSError as error:
                yield _Entry(prefix + name, parent, name, None, str(_fault(error)))
                continue
            try:
                yield from below(inner, f"{prefix}{name}/", depth + 1)
            finally:
                os.close(inner)

    return below(folder, "", 1)


def _names(folder: int, most: int) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in itertools.islice(entries, max(most, 0)))


def _read_regular(entry: _Entry, bound: int) -> bytes:
    """Read a regular file, at most `bound` bytes of it."""
    assert entry.about is not None
    if not stat.S_ISREG(entry.about.st_mode):
        raise FolderError(KINDS.get(stat.S_IFMT(entry.about.st_mode), "no regular file"))
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
        with open(os.open(entry.name, flags, dir_fd=entry.parent), "rb") as file:
            now = os.fstat(file.fileno())
            if not stat.S_ISREG(now.st_mode):
                raise FolderError("no regular file")
            data = file.read(min(now.st_size, bound) + 1)  # which takes as much memory
    except OSError as error:
        raise _fault(error) from None
    if len(data) > bound:
        raise FolderError(f"more than {bound >> 20} MB large")
    return data


def _read_timestamp(entry: _Entry) -> tuple[datetime | None, str]:
    """Return when a submission was handed in, or why that is not known."""
    try:
        if entry.fault or entry.about is None:
            raise FolderError(entry.fault)
        text = _read_regular(entry, TIMESTAMP_BYTES).decode("utf-8-sig").strip()
    except FolderError as error:
        return None, f"it is {error}" if str(error) in KINDS.values() else str(error)
    except UnicodeDecodeError:
        return None, "it is not text in UTF-8"
    if not text:
        return None, "it is empty"
    try:
        return _parse_date(text), ""
    except Exception:  # whatever the parser of dates stumbles over
        return None, f'"{shown(text)}" is no date like 2026-01-31 23:59:00 UTC'


def _parse_date(text: str) -> datetime:
    """Return a date as nbgrader reads it, if all of it is there: for a missing year, nbgrader takes
    this one, and UTC for a zone it does not know.
    """
    from dateutil.parser import parse
    from dateutil.tz import gettz
    from nbgrader.utils import parse_utc

    parts = text.split(" ")
    plain = " ".join(parts[:2]) if len(parts) == 3 else text
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = (
            parse(plain, default=default, ignoretz=True)
            for default in (datetime(2000, 1, 1), datetime(2001, 2, 2))
        )
        zone_is_known = (
            len(parts) != 3 or parts[2].lstrip("+-").isdigit() or gettz(parts[2]) is not None
        )
        if first != second or not zone_is_known:
            raise ValueError(text)
        found = parse_utc(text)
    assert isinstance(found, datetime)
    return found


def _fault(error: OSError, what: str = "") -> FolderError:
    """Return an error of a file as a sentence; an error of this machine is raised again."""
    if error.errno in MACHINE_ERRORS:
        raise error
    why = error.strerror or type(error).__name__
    return FolderError(f"{what} ({why})" if what else f"it cannot be opened ({why})")


def _sign(entry: _Entry) -> tuple[Any, ...]:
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
        descriptor = _open_folder(folder)
    except FolderError:
        return []
    try:
        return [_sign(entry) for entry in _walk(descriptor, ignore)]
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
