"""Files and folders that are there whole or not at all: written aside, then put in their place at
once.

Whatever ends this process, the old one is there or the new one. As long as anything of a folder
lies aside, its last writing has not come to its end.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from nbreferee.grading.permissions import share
from nbreferee.sandbox import kernel


def write_whole(path: Path, data: bytes) -> None:
    """Write a file."""
    with whole_file(path) as file:
        file.write(data)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write, which takes its place at the end; where the caller fails, the old one
    stays.
    """
    aside = _new(path)
    with _naming(path):
        try:
            with aside.open("wb") as file:
                yield file
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


def is_unfinished(target: Path) -> bool:
    """Return whether the last writing of a folder was cut short."""
    return _new(target).exists() or _old(target).exists()


@contextlib.contextmanager
def replacement(target: Path, files: int = 0o444, groupshared: bool = False) -> Iterator[Path]:
    """Make an empty folder that takes the place of `target` when all is written.

    `files` and `groupshared` are the permissions of what is in it. What is cut short stays aside,
    as a sign of it; where the caller fails, all is as it was.
    """
    unfinished = is_unfinished(target)
    with _naming(target):
        if _old(target).exists() and not target.exists():
            _old(target).rename(target)
        try:
            _new(target).mkdir(parents=True, exist_ok=True)
            for path in _new(
                target
            ).iterdir():  # what is in it, and not the folder: there is always a sign
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            yield _new(target)
        except BaseException:
            if not unfinished:
                _forget(target)
            raise
        share(_new(target), files, groupshared)
        if target.exists():
            _trade_places(target)
        else:
            _new(target).rename(target)
        for path in (_old(target), _new(target)):
            if path.exists():
                shutil.rmtree(path)


def _forget(target: Path) -> None:
    shutil.rmtree(_new(target), ignore_errors=True)
    with contextlib.suppress(OSError):
        target.parent.rmdir()  # where nothing has come of it


def _trade_places(target: Path) -> None:
    try:
        kernel.exchange(str(_new(target)), str(target))
    except OSError:
        # some file systems cannot, NFS for one: for a moment there is neither, and the next run
        # puts the old one back
        if _old(target).exists():
            shutil.rmtree(_old(target))
        target.rename(_old(target))
        _new(target).rename(target)


def _new(target: Path) -> Path:
    return target.with_name(f".{target.name}.new")


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Have errors name a file: a disk that is full does not."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
