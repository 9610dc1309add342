"""A submission's files in their places: which of them are the assignment's notebooks, and into
`submitted/` with them.
"""

from __future__ import annotations

import os
import re
import time
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from nbreferee.grading.atomic import replacement
from nbreferee.lms.archive import Member

TIMESTAMP = "timestamp.txt"
FILES, TOTAL_BYTES = 500, 256 << 20  # of one submission
_VERSION = re.compile(
    r"(?P<stem>.+?)(?:-(?P<number>\d{1,3})|\s?\((?P<copy>\d{1,3})\))?\.ipynb", re.DOTALL
)


@dataclass(frozen=True)
class Placement:
    """Where each file of a submission goes, and what a person should know of it."""

    files: Mapping[str, Member]  # by path in the submission's folder
    notes: tuple[str, ...]
    missing: tuple[str, ...]  # notebooks that are not there


def place(
    files: Mapping[str, Member], expected: Collection[str], keep_timestamp: bool
) -> Placement:
    """Find the notebooks of an assignment among files: by name, and by the number that a
    resubmission adds.
    """
    notes: list[str] = []
    rest = dict(_without_folder(files))
    for path in [path for path in rest if _is_ours(path, keep_timestamp)]:
        notes.append(f"{path} is left out: files of that name are nbgrader's own")
        del rest[path]
    placed: dict[str, Member] = {}
    for name in expected:
        versions = _versions(rest, name, expected)
        if not versions:
            continue
        *older, latest = versions
        placed[f"{name}.ipynb"] = rest.pop(latest)
        if latest != f"{name}.ipynb":
            notes.append(f"{latest} is taken as {name}.ipynb")
        for path in older:
            notes.append(f"{path} is left out: {latest} is later")
            del rest[path]
    missing = [name for name in expected if f"{name}.ipynb" not in placed]
    others = [path for path in rest if path.endswith(".ipynb")] if missing else []
    if others:
        notes.append(f"other notebooks: {', '.join(others)}")
    notes.extend(
        f"{path} is not unpacked"
        for path in rest
        if path.lower().endswith((".zip", ".tar", ".gz", ".7z", ".rar"))
    )
    found = {**{path: member for path, member in rest.items() if path not in placed}, **placed}
    for path in [
        path
        for path in found
        if any(str(parent) in found for parent in PurePosixPath(path).parents)
    ]:
        notes.append(f"{path} is left out: a file has the name of its folder")
        del found[path]
    return Placement(found, tuple(notes), tuple(missing))


def _without_folder(files: Mapping[str, Member]) -> Mapping[str, Member]:
    """Return files without a folder around them all."""
    tops = {PurePosixPath(path).parts[0] for path in files}
    if len(tops) != 1 or any("/" not in path for path in files):
        return files
    top = next(iter(tops))
    return _without_folder({path.removeprefix(f"{top}/"): member for path, member in files.items()})


def _is_ours(path: str, keep_timestamp: bool) -> bool:
    return (path.casefold() == TIMESTAMP and not keep_timestamp) or path.startswith(".")


def _versions(files: Mapping[str, Member], name: str, expected: Collection[str]) -> list[str]:
    """Return the files that are versions of a notebook, the latest last."""
    exact = f"{name}.ipynb"
    found = []
    for path in files:
        parts = _VERSION.fullmatch(path)
        if path == exact:
            found.append((0, 0, path))
        elif (
            parts
            and path.removesuffix(".ipynb") not in expected
            and _plain(parts["stem"]) == _plain(name)
        ):
            if not parts["copy"]:  # a resubmission, or a name in other letters
                found.append((1 if parts["number"] else -1, int(parts["number"] or 0), path))
            elif exact not in files:  # a browser's second download
                found.append((-2, int(parts["copy"]), path))
    best = max(found, default=None)
    if best and sum(one[:2] == best[:2] for one in found) > 1:
        return []  # two that differ in letters alone: nobody can tell
    return (
        [path for kind, _, path in sorted(found) if kind in (0, 1) or path == best[2]]
        if best
        else []
    )


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


@dataclass(frozen=True)
class Incoming:
    """A submission that is to be written."""

    folder: Path
    contents: Mapping[str, bytes]
    timestamp: datetime | None
    packed: float | None  # when the zip's entries were made, seconds since the epoch


def packed_at(members: Mapping[str, Member]) -> float | None:
    """Return when the zip says its newest entry was made, or None where it does not say."""
    dates = [member.modified for member in members.values()]
    if not dates or any(date[0] <= 1980 for date in dates):
        return None
    try:
        return time.mktime((*max(dates), 0, 0, -1)) + 2  # zips count in steps of two seconds
    except (ValueError, OverflowError):
        return None


def verdict(incoming: Incoming, force: bool) -> tuple[str, str]:
    """Return what to do with a submission, 'new', 'replaced', 'unchanged' or 'kept', and why."""
    folder = incoming.folder
    if not folder.exists() and not folder.is_symlink():
        return "new", ""
    if folder.is_symlink() or not folder.is_dir():
        return "kept", f"{folder} is a link or no folder. Remove it first"
    there = {
        str(path.relative_to(folder)): path
        for path in folder.rglob("*")
        if path.is_file() or path.is_symlink()
    }
    stamp = _read_timestamp(there.pop(TIMESTAMP, None))
    if there.keys() == incoming.contents.keys() - {TIMESTAMP} and all(
        not path.is_symlink() and path.read_bytes() == incoming.contents[name]
        for name, path in there.items()
    ):
        return (
            ("unchanged", "")
            if stamp == incoming.timestamp or incoming.timestamp is None
            else ("replaced", "")
        )
    if force:
        return "replaced", ""
    if stamp and incoming.timestamp:
        return (
            ("kept", f"the one that is there was handed in later, {_shown(stamp)}")
            if stamp > incoming.timestamp
            else ("replaced", "")
        )
    if incoming.packed is None:
        return (
            "kept",
            "another one is there, and the zip does not say which is newer. --force replaces it",
        )
    newest = max((path.lstat().st_mtime for path in there.values()), default=0.0)
    return (
        ("kept", "the one that is there is newer than the zip. --force replaces it")
        if newest > incoming.packed
        else ("replaced", "")
    )


def write(incoming: Incoming) -> None:
    """Write a submission's folder, whole or not at all."""
    with replacement(incoming.folder) as folder:
        for name, data in incoming.contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            if incoming.packed:
                os.utime(path, (incoming.packed, incoming.packed))
        if incoming.timestamp:
            (folder / TIMESTAMP).write_text(f"{_shown(incoming.timestamp)}\n")
    for path in incoming.folder.rglob("*"):
        if path.is_file():
            path.chmod(0o644)


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")


def _read_timestamp(path: Path | None) -> datetime | None:
    from nbgrader.utils import parse_utc

    if path is None or path.is_symlink():
        return None
    try:
        moment: datetime = parse_utc(path.read_text().strip())
        return moment.replace(tzinfo=UTC)
    except (OSError, ValueError, OverflowError):
        return None
