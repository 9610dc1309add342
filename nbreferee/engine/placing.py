"""Fill the working folder of a box or a tester with an assignment's files, and keep writing to them
private.

Small files are copied. The others are links to the machine's one read-only copy, so memory and time
do not grow with them; a file that code opens for writing becomes a copy first.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nbreferee.engine.wire.protocol import is_writing

ATTRIBUTES = frozenset(
    {"sqlite3.connect", "os.truncate", "os.chmod", "os.utime"}
)  # events before a file, or what is known of it, changes
NAMES = frozenset(
    {"os.mkdir", "os.remove", "os.rmdir", "os.rename"}
)  # events before names in a folder change
EVENTS = ATTRIBUTES | NAMES | {"open"}
COPIED_BYTES = 8 << 20  # of all files together
COPIED_FILES = 500
WHOLE_FROM = 200  # files in a folder that a tester has as one link: a disk takes its time for each


class WorkingFolder:
    """The working folder of this process, with the files of an assignment in it."""

    def __init__(
        self,
        parts: Iterable[Path],
        folder: Path,
        copied_bytes: int = COPIED_BYTES,
        whole_from: float = float("inf"),
    ) -> None:
        """Fill `folder` from the parts of a copy; a folder of `whole_from` files or more is a link
        as a whole.
        """
        self._parts = [str(part) for part in parts]
        self.names: set[str] = set()  # of files
        self.copied: set[str] = set()  # those of them that are no links
        copied = 0
        for part in map(Path, self._parts):
            for root, folders, files in os.walk(part):
                inside = os.path.relpath(root, part)
                if inside != "." and len(files) >= whole_from:
                    self.names.update(
                        os.path.normpath(os.path.join(inside, name)) for name in _files_below(root)
                    )
                    (folder / inside).rmdir()
                    (folder / inside).symlink_to(root)
                    folders.clear()
                    continue
                for name in sorted(folders):
                    (folder / inside / name).mkdir(parents=True, exist_ok=True)
                for name in sorted(files):
                    path, place = Path(root, name), folder / inside / name
                    self.names.add(os.path.normpath(os.path.join(inside, name)))
                    size = path.stat().st_size
                    if copied + size <= copied_bytes and len(self.names) <= COPIED_FILES:
                        copied += size
                        shutil.copy(path, place)
                        self.copied.add(os.path.normpath(os.path.join(inside, name)))
                    else:
                        place.symlink_to(path)

    def on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at one of EVENTS: a link to a file of the assignment that is to be written becomes a
        copy.
        """
        if (event == "open" and is_writing(arguments[2])) or event in ATTRIBUTES:
            self.make_own(arguments[0])
        elif event in NAMES:
            for path in arguments[: 2 if event == "os.rename" else 1]:
                self._unfold(path)

    def make_own(self, path: object) -> None:
        """Turn a link to a file of the assignment into a copy of it."""
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        self._unfold(path)
        with contextlib.suppress(OSError, ValueError, TypeError):
            name = os.fsdecode(path)
            target = os.readlink(name)
            if any(target.startswith(f"{part}{os.sep}") for part in self._parts):
                aside = f"{name}.nbreferee-copy"
                shutil.copyfile(target, aside)
                os.replace(aside, name)

    def _unfold(self, path: object) -> None:
        """Turn links to whole folders on the way to a path into folders of links."""
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        with contextlib.suppress(OSError, ValueError, TypeError):
            for parent in reversed(Path(os.fsdecode(path)).parents):
                target = os.readlink(parent) if parent.is_symlink() else ""
                if any(target.startswith(f"{part}{os.sep}") for part in self._parts):
                    parent.unlink()
                    parent.mkdir()
                    for entry in os.scandir(target):
                        (parent / entry.name).symlink_to(entry.path)


def _files_below(folder: str) -> Iterator[str]:
    """Yield the files in a folder and below, by path inside it."""
    for root, _, names in os.walk(folder):
        yield from (os.path.relpath(os.path.join(root, name), folder) for name in names)
