"""The tester's side of files: what a student's code has made comes in before a test, and what a
test makes goes out.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from nbreferee.engine.placing import EVENTS, WorkingFolder
from nbreferee.engine.tester.audit import Handler
from nbreferee.engine.tester.box_client import BoxClient
from nbreferee.engine.tester.provenance import Provenance
from nbreferee.engine.wire.protocol import is_writing
from nbreferee.engine.wire.to_box import NewFiles, TakeFiles

CHANGING = (
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "os.rename",
    "os.link",
    "os.symlink",
    "os.truncate",
    "shutil.",
    "sqlite3.connect",
    "subprocess.Popen",
    "os.system",
)
DEEPEST = 10  # folders in folders


class FileExchange:
    """Keeps the working folders of tester and box alike, but that the instructor's files stay the
    instructor's here.
    """

    def __init__(self, student: BoxClient, placed: WorkingFolder, provenance: Provenance) -> None:
        self._student, self._placed, self._provenance = student, placed, provenance
        self._known: dict[str, bytes | None] = {}  # as both sides have them; None is a folder
        self._placed_stamps = {
            name: _stamp(name) if name in placed.copied else None for name in placed.names
        }  # None: a link, or in a linked folder
        self._placed_folders = {str(path) for path in Path().rglob("*") if path.is_dir()}
        self._changed = (
            False  # whether the test may have changed something that the box does not have
        )

    def forget(self) -> None:
        """Start again with a new box."""
        self._known.clear()

    def handlers(self, event: str) -> list[Handler]:
        """Return what looks at an audit event of a test."""
        changes = event == "open" or event.startswith(CHANGING)
        return [self._placed.on_event] * (event in EVENTS) + [self._note_change] * changes

    def _note_change(self, event: str, arguments: tuple[Any, ...]) -> None:
        self._changed |= event != "open" or (
            is_writing(arguments[2]) and not str(arguments[0]).startswith(("/dev", "/proc"))
        )

    def fetch(self) -> None:
        """Bring in what the student's code has made, changed and removed: never in the place of the
        instructor's.
        """
        self._provenance.received.are_files = True
        try:
            said = self._student.ask(NewFiles())
        finally:
            self._provenance.received.are_files = False
        for name in said.removed:
            if self._is_allowed(name) and name in self._known:
                self._remove(name)
        for name in said.folders:
            if self._is_allowed(name):
                with contextlib.suppress(OSError, ValueError):
                    Path(name).mkdir(parents=True, exist_ok=True)
                    self._known[name] = None
        for name, data in said.files.items():
            if self._is_allowed(name) and type(data) is bytes:
                self._provenance.record_file(Path(name))
                with contextlib.suppress(OSError, ValueError):
                    Path(name).parent.mkdir(parents=True, exist_ok=True)
                    Path(name).write_bytes(data)
                    self._known[name] = data
        self._changed = False

    def send(self) -> None:
        """Bring into the box what the test has made, changed and removed."""
        if not self._changed:
            return
        self._changed = False
        there = {str(path) for path in Path().rglob("*")}
        files, folders = {}, []
        for name in sorted(there):
            if os.path.isdir(name):
                folders += (
                    [name] if name not in self._known and name not in self._placed_folders else []
                )
            elif name in self._placed.names:
                if (now := _stamp(name)) is not None and self._placed_stamps.get(name) != now:
                    self._placed_stamps[name] = now
                    files[name] = Path(name).read_bytes()
            elif os.path.isfile(name) and not os.path.islink(name):
                data = Path(name).read_bytes()
                if self._known.get(name) != data:
                    files[name] = data
        gone = [
            name
            for name in [*self._known, *self._placed_stamps, *self._placed_folders]
            if name not in there and not os.path.lexists(name)
        ]
        if files or folders or gone:
            self._student.ask(TakeFiles(files, folders, gone))
        self._known.update({**files, **dict.fromkeys(folders)})
        for name in gone:
            self._known.pop(name, None)
            self._placed_stamps.pop(name, None)
            self._placed_folders.discard(name)

    def _is_allowed(self, name: Any) -> bool:
        if type(name) is not str or "\0" in name:
            return False
        path = PurePosixPath(name)
        ours = self._placed.names & {str(path), *map(str, path.parents)}
        return not (ours or path.is_absolute() or ".." in path.parts or len(path.parts) > DEEPEST)

    def _remove(self, name: str) -> None:
        self._known.pop(name, None)
        with contextlib.suppress(OSError):
            if os.path.isdir(name):
                shutil.rmtree(name)
            else:
                os.unlink(name)


def _stamp(name: str) -> tuple[int, int] | None:
    """Return time and size of a file of this folder's own; None for one that is linked."""
    path = Path(name)
    if any(one.is_symlink() for one in (path, *path.parents[:-1])):
        return None
    with contextlib.suppress(OSError):
        found = path.lstat()
        return found.st_mtime_ns, found.st_size
    return 0, -1
