"""Files and folders that are there whole or not at all: written aside, then put in their place."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file."""
    aside = _beside(path)
    with _naming(path):
        try:
            aside.write_bytes(data)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Lend a new folder that takes the place of `target` when all is written."""
    aside = _beside(target)
    shutil.rmtree(aside, ignore_errors=True)  # of a run that was killed
    try:
        with _naming(target):
            aside.mkdir(parents=True)
            yield aside
            for path in aside.rglob("*"):
                if path.is_file():
                    os.chmod(path, 0o444)
            if target.exists():
                shutil.rmtree(target)
            aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        with contextlib.suppress(OSError):
            target.parent.rmdir()  # where nothing has come of it


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Have errors name a file: a disk that is full does not."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
