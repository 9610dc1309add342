"""A folder of this process alone for what comes and goes, and an end to those whose owners are
gone.

An owner holds a lock on its folder. The kernel takes it away with the process, however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "nbreferee-scratch-"


class Scratch:
    """A folder that nobody removes while this process lives."""

    def __init__(self) -> None:
        remove_abandoned()
        unlocked = Path(tempfile.mkdtemp(prefix=".nbreferee-"))
        self._held: int | None = _open(unlocked)
        _lock(self._held)
        self.path = unlocked.with_name(f"{PREFIX}{unlocked.name.rpartition('-')[2]}")
        unlocked.rename(
            self.path
        )  # not before it is locked: who finds it by this name may trust its lock

    def remove(self) -> None:
        """Remove it, and all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._held is not None:
            os.close(self._held)
            self._held = None


def remove_abandoned() -> None:
    """Remove the folders of this user whose owners are gone."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            folder = _open(path)
            try:
                if os.fstat(folder).st_uid == os.geteuid() and _lock(folder):
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(folder)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _lock(folder: int) -> bool:
    """Lock a folder, if nobody has; where folders cannot be locked, all count as used."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
