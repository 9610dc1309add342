"""What the run of an instructor's solution has shown, as a file: written once, read by all workers
and by later runs.

A file is believed only if it belongs to this user, nobody else may write it, and its checksum
holds. Any other file is as good as none: the solution is run again. A box cannot reach it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from nbreferee.course.ownership import Plan, Reference, Step
from nbreferee.engine.box_runner import CellResult
from nbreferee.engine.referee import SolutionRun
from nbreferee.engine.wire.codec_format import CodecError
from nbreferee.engine.wire.records import Records
from nbreferee.engine.wire.to_box import CellOutputs
from nbreferee.engine.wire.to_box_replay import RecordedRun
from nbreferee.engine.wire.to_tester import Evidence
from nbreferee.grading.calibration import Calibration
from nbreferee.verdicts import CellVerdict

MOST_BYTES = 256 << 20
P = TypeVar("P")
_CHECKSUM = 64  # hexadecimal digits of SHA-256, at the beginning of a file


@dataclass(frozen=True)
class Solved:
    """What the run of a solution has shown, and how students' cells are judged therefore."""

    name: str  # of all that it depends on
    plan: Plan
    results: tuple[CellResult, ...]  # of the cells of the master
    run: SolutionRun
    calibration: Calibration
    keys: tuple[str, ...] = ()  # of the cells (see `regrading`); none where they are not known


@dataclass(frozen=True)
class SolutionFile:
    """A file with a `Solved`, as it was when it was read or written."""

    path: str
    digest: str  # of its content


@dataclass(frozen=True)
class _Content:
    """What is in a file: each picture once, and its number where it is shown."""

    solved: Solved
    pictures: tuple[str, ...]
    figures: Mapping[str, int] = field(default_factory=dict)


_RECORDS = Records(
    _Content, Solved, Plan, Step, Reference, CellResult, CellVerdict, Evidence, SolutionRun,
    Calibration, RecordedRun, CellOutputs,
)  # fmt: skip


def as_bytes(solved: Solved) -> bytes:
    """Return what `from_bytes` reads."""
    numbers: dict[str, int] = {}

    def number_of(picture: str) -> int:
        return numbers.setdefault(picture, len(numbers))

    results = _with_pictures(solved.results, str, number_of)
    figures = {name: number_of(picture) for name, picture in solved.run.figures.items()}
    bare = replace(solved, results=results, run=replace(solved.run, figures={}))
    return _RECORDS.encode(_Content(bare, tuple(numbers), figures))


def from_bytes(data: bytes) -> Solved:
    """Return what `as_bytes` was given.

    Raises
    ------
    CodecError
        where it is nothing like that.
    """
    content = _RECORDS.decode(data, _Content)
    pictures, solved = content.pictures, content.solved
    results = _with_pictures(solved.results, int, pictures.__getitem__)
    figures = {name: pictures[number] for name, number in content.figures.items()}
    return replace(solved, results=results, run=replace(solved.run, figures=figures))


def write_solution(path: Path, data: bytes) -> SolutionFile | None:
    """Write what `as_bytes` has made; None where that cannot be: it is then done without."""
    digest = hashlib.sha256(data).hexdigest()
    aside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with open(os.open(aside, flags, 0o600), "wb") as file:
            file.write(digest.encode() + data)
        aside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        return None
    return SolutionFile(str(path), digest)


def find_solution(path: Path) -> tuple[SolutionFile, Solved] | None:
    """Return a file that is whole and this user's own, with what is in it; None if it is not."""
    try:
        data = _read(path)
        digest = hashlib.sha256(data[_CHECKSUM:]).hexdigest()
        if data[:_CHECKSUM] != digest.encode():
            return None
        return SolutionFile(str(path), digest), from_bytes(data[_CHECKSUM:])
    except (OSError, CodecError, ValueError, TypeError, AttributeError, IndexError):
        return None


def read_solution(file: SolutionFile) -> Solved | None:
    """Return what is in a file; None where it is not here, or is another one by now."""
    found = find_solution(Path(file.path))
    return found[1] if found and found[0].digest == file.digest else None


def _read(path: Path) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(path, flags), "rb") as file:
        found = os.fstat(file.fileno())
        is_own = found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not stat.S_ISREG(found.st_mode) or not is_own or found.st_size > MOST_BYTES:
            raise OSError("not a file of this user's alone")
        return file.read()


def _with_pictures(
    results: Iterable[CellResult], kind: type[P], change: Callable[[P], object]
) -> tuple[CellResult, ...]:
    """Return results with something else in the place of pictures of a type in their outputs."""

    def changed(output: dict[str, Any]) -> dict[str, Any]:
        data = output.get("data")
        picture = data.get("image/png") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(picture, kind):
            return output
        return {**output, "data": {**data, "image/png": change(picture)}}

    return tuple(replace(one, outputs=list(map(changed, one.outputs))) for one in results)
