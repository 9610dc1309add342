"""An open folder of a submission: what is in it, and single files, read as untrusted.

No link is followed, and nothing blocks. An error of this machine is raised.
"""

from __future__ import annotations

import errno
import fnmatch
import itertools
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

ENTRIES, DEPTH = 10_000, 32  # files and folders that are looked at, and folders inside each other
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


def shown(name: str) -> str:
    """Return a name for a message: in one line, with what cannot be printed escaped, and not too
    long.
    """
    plain = "".join(char if char.isprintable() else repr(char)[1:-1] for char in name)
    return plain if len(plain) <= 80 else f"{plain[:50]}…{plain[-20:]}"


@dataclass(frozen=True)
class Entry:
    """A file, or what stands in place of one, in an open folder."""

    path: str  # inside the submission
    parent: int  # descriptor of its folder
    name: str
    about: os.stat_result | None  # None: a folder that cannot be opened
    fault: str = ""


def open_folder(folder: Path) -> int:
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


def walk(folder: int, ignore: Collection[str]) -> Iterator[Entry]:
    """Yield what there is in an open folder and below, but for names that match a pattern; folders
    come before what is in them.
    """
    left = ENTRIES

    def below(parent: int, prefix: str, depth: int) -> Iterator[Entry]:
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
                yield Entry(prefix + name, parent, name, None, str(_fault(error)))
                continue
            yield Entry(prefix + name, parent, name, about)
            if stat.S_ISDIR(about.st_mode):
                folders.append(name)
        for name in folders:
            if depth == DEPTH:
                yield Entry(
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
                yield Entry(prefix + name, parent, name, None, str(_fault(error)))
                continue
            try:
                yield from below(inner, f"{prefix}{name}/", depth + 1)
            finally:
                os.close(inner)

    return below(folder, "", 1)


def _names(folder: int, most: int) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in itertools.islice(entries, max(most, 0)))


def read_regular(entry: Entry, bound: int) -> bytes:
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


def _fault(error: OSError, what: str = "") -> FolderError:
    """Return an error of a file as a sentence; an error of this machine is raised again."""
    if error.errno in MACHINE_ERRORS:
        raise error
    why = error.strerror or type(error).__name__
    return FolderError(f"{what} ({why})" if what else f"it cannot be opened ({why})")
