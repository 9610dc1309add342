"""A folder that takes another's place at once: whatever ends this process, the old one is there or the new one.

It is written aside. As long as anything lies aside, the last writing has not come to its end.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from nbreferee.sandbox import kernel


def is_unfinished(target: Path) -> bool:
    """Return whether the last writing of a folder was cut short."""
    return _new(target).exists() or _old(target).exists()


@contextlib.contextmanager
def replacement(target: Path) -> Iterator[Path]:
    """Lend an empty folder that takes the place of `target` when all is written; what is cut short stays aside, as a sign of it."""
    if _old(target).exists() and not target.exists():
        _old(target).rename(target)
    _new(target).mkdir(parents=True, exist_ok=True)
    for path in _new(target).iterdir():  # what is in it, and not the folder: there is always a sign
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    yield _new(target)
    for path in _new(target).rglob("*"):
        if path.is_file():
            os.chmod(path, 0o444)
    if target.exists():
        _trade_places(target)
    else:
        _new(target).rename(target)
    for path in (_old(target), _new(target)):
        if path.exists():
            shutil.rmtree(path)


def _trade_places(target: Path) -> None:
    try:
        kernel.exchange(str(_new(target)), str(target))
    except OSError:  # some file systems cannot, NFS for one: for a moment there is neither, and the next run puts the old one back
        if _old(target).exists():
            shutil.rmtree(_old(target))
        target.rename(_old(target))
        _new(target).rename(target)


def _new(target: Path) -> Path:
    return target.with_name(f".{target.name}.new")


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")
