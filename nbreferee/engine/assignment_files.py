"""The instructor's files of an assignment: a manifest that travels, and one copy of the contents on
each machine.

The contents are never part of a task. A worker makes a copy of them once, by the key of the
manifest: from the course's folder where that is on the same machine, in a folder that its workers
share, and else from what the orchestrator delivers (`take`). Boxes and testers see the copy
read-only and get their own folder filled from it (see `placing`). A copy has three parts:
`released`, for boxes and testers, `unreleased`, for testers alone, and `compiled`, the bytecode of
released modules, for boxes, each of which would compile them again.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import os
import py_compile
import shutil
import stat
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path, PurePath

from nbreferee.engine.scratch import Scratch

RELEASED, UNRELEASED, COMPILED, COMPLETE = "released", "unreleased", "compiled", "complete"
COMPILED_MODULES = 200  # at most
CHUNK_BYTES = 8 << 20  # of one delivery
# contents of modules, of the last assignment, by the key of its files
_MODULES: dict[str, dict[str, bytes]] = {}


class FilesMissing(Exception):
    """The contents are not on this machine."""


class FilesChanged(Exception):
    """A file is not what it was when the course was read; the text names it."""


@dataclass(frozen=True)
class AssignmentFile:
    """One file, by its path inside the assignment's folder."""

    name: str
    size: int
    digest: str  # SHA-256
    is_released: bool = True  # students have it


@dataclass(frozen=True)
class AssignmentFiles:
    """All files and folders of an assignment that nbgrader copies for grading."""

    source: str = ""  # the folder on the orchestrator's machine
    files: tuple[AssignmentFile, ...] = ()
    folders: tuple[str, ...] = ()
    shared: str = field(
        default="", compare=False
    )  # a folder for copies that workers of that machine share

    @cached_property
    def key(self) -> str:
        """A name for the contents."""
        lines = [f"{one.name}\0{one.digest}\0{one.is_released}" for one in self.files]
        return hashlib.sha256(
            "\n".join([*lines, *self.folders]).encode("utf-8", "surrogateescape")
        ).hexdigest()

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the files."""
        return frozenset(one.name for one in self.files)

    def outranks(self, name: str) -> bool:
        """Return whether a student's file of this name gives way: to a file, or where it would
        stand for a folder of ours.
        """
        return (
            name in self.names
            or name in self._all_folders
            or any(str(one) in self.names for one in PurePath(name).parents)
        )

    @cached_property
    def _all_folders(self) -> frozenset[str]:
        return frozenset(
            {str(one) for name in self.names for one in PurePath(name).parents} | set(self.folders)
        )

    def copy_into(self, folder: Path, earlier: Path) -> None:
        """Write all of it into a folder, on the orchestrator's machine; what is the same in an
        `earlier` one is linked to.
        """
        for name in self.folders:
            (folder / name).mkdir(parents=True, exist_ok=True)
        for one in self.files:
            (folder / one.name).parent.mkdir(parents=True, exist_ok=True)
            if not _is_linked(earlier / one.name, folder / one.name, one):
                shutil.copyfile(Path(self.source, one.name), folder / one.name)


def _is_linked(earlier: Path, place: Path, one: AssignmentFile) -> bool:
    """Link to an earlier copy of a file, if it is this user's own and as it should be."""
    try:
        found = earlier.lstat()
        is_own = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        if not is_own or found.st_size != one.size or digest_of(earlier) != one.digest:
            return False
        os.link(earlier, place)
    except OSError:  # there is none, or the file system has no links
        return False
    return True


def part_of(one: AssignmentFile) -> str:
    """Return the part of a copy that a file is in."""
    return RELEASED if one.is_released else UNRELEASED


@cache
def own_folder() -> Path:
    """Return the folder for copies of this process; it goes with the process."""
    scratch = Scratch()
    atexit.register(scratch.remove)
    return scratch.path


def local_copy(files: AssignmentFiles) -> Path:
    """Return the folder with the contents on this machine; copy them there if they are not yet.

    Raises
    ------
    FilesMissing
        if they have to be delivered first.
    FilesChanged
        if the course's folder is no longer as it was read.
    """
    shared = Path(files.shared) if files.shared and Path(files.shared).is_dir() else own_folder()
    for base in {shared, own_folder()}:
        if (base / files.key / COMPLETE).exists():
            return base / files.key
    if files.files and not os.path.isdir(files.source):
        raise FilesMissing(files.key)
    with _alone(shared):
        if not (shared / files.key / COMPLETE).exists():
            _copy(files, shared / files.key, (Path(files.source, one.name) for one in files.files))
    return shared / files.key


def modules_of(files: AssignmentFiles) -> dict[str, bytes]:
    """Return the instructor's modules, those in packages too, by their files' names."""
    if files.key not in _MODULES:
        names = [one for one in files.files if one.name.endswith(".py")]
        folder = local_copy(files) if names else Path()
        contents = {one.name: (folder / part_of(one) / one.name).read_bytes() for one in names}
        _MODULES.clear()
        _MODULES[files.key] = contents
    return _MODULES[files.key]


def _copy(files: AssignmentFiles, target: Path, sources: Iterable[Path]) -> None:
    shutil.rmtree(target, ignore_errors=True)
    _make_folders(files, target)
    for one, path in zip(files.files, sources, strict=True):
        place = target / part_of(one) / one.name
        try:
            shutil.copyfile(path, place)
        except OSError as error:
            raise FilesChanged(f"{path} cannot be read any more ({error.strerror})") from None
        if digest_of(place) != one.digest:
            raise FilesChanged(f"{path} has been changed since the grading began")
        place.chmod(0o755 if path.stat().st_mode & 0o111 else 0o644)
    _compile(files, target)
    (target / COMPLETE).touch()


def _make_folders(files: AssignmentFiles, target: Path) -> None:
    for part in (RELEASED, UNRELEASED):
        (target / part).mkdir(parents=True, exist_ok=True)
    for name in files.folders:
        (target / RELEASED / name).mkdir(parents=True, exist_ok=True)
    for one in files.files:
        (target / part_of(one) / one.name).parent.mkdir(parents=True, exist_ok=True)


def _compile(files: AssignmentFiles, target: Path) -> None:
    """Write the bytecode of released modules, where an import looks for it.

    It holds a hash of the source: for a module that a student's code has changed it is not used.
    """
    (target / COMPILED).mkdir(exist_ok=True)
    modules = [PurePath(one.name) for one in files.files if one.is_released]
    modules = [one for one in modules if one.suffix == ".py"][:COMPILED_MODULES]
    for module in modules:
        folder = target / COMPILED / module.parent / "__pycache__"
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a box that imports it says nothing either
            py_compile.compile(
                str(target / RELEASED / module),
                str(folder / f"{module.stem}.{sys.implementation.cache_tag}.pyc"),
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
            )


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# ---------------------------------------------------------------- to another machine

Piece = tuple[str, int, bytes]  # the name of a file, an offset, and the bytes from there on


@dataclass(frozen=True)
class FilePart:
    """A part of the contents on its way; the last one completes the copy."""

    files: AssignmentFiles
    pieces: tuple[Piece, ...]
    is_last: bool


def deliveries(files: AssignmentFiles) -> Iterator[FilePart]:
    """Yield the contents in parts of bounded size, on the orchestrator's machine."""
    pieces: list[Piece] = []
    waiting = 0
    slim = AssignmentFiles("", files.files, files.folders)
    for one in files.files:
        with Path(files.source, one.name).open("rb") as file:
            offset = 0
            while True:
                data = file.read(CHUNK_BYTES - waiting)
                pieces.append((one.name, offset, data))
                offset, waiting = offset + len(data), waiting + len(data)
                if waiting >= CHUNK_BYTES:
                    yield FilePart(slim, tuple(pieces), False)
                    pieces, waiting = [], 0
                if not data:
                    break
    yield FilePart(slim, tuple(pieces), True)


def take(delivery: FilePart) -> None:
    """Keep a part of the contents on this machine.

    Raises
    ------
    FilesChanged
        if what has come is not what the manifest says.
    """
    target = own_folder() / delivery.files.key
    if (target / COMPLETE).exists():
        return
    _make_folders(delivery.files, target)
    by_name = {one.name: one for one in delivery.files.files}
    for name, offset, data in delivery.pieces:
        place = target / part_of(by_name[name]) / name
        with place.open("r+b" if place.exists() else "w+b") as file:
            file.seek(offset)
            file.write(data)
    if delivery.is_last:
        for one in delivery.files.files:
            if digest_of(target / part_of(one) / one.name) != one.digest:
                raise FilesChanged(f"{one.name} has been changed since the grading began")
        _compile(delivery.files, target)
        (target / COMPLETE).touch()
