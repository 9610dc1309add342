"""Errors that nobody foresaw: a line for the person, and the traceback in a file."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
import traceback
from pathlib import Path

PREFIX = "nbreferee-error-"


def told(error: BaseException, what: str) -> str:
    """Write the traceback of an error into a file, and return a line on it; `what` has failed."""
    kind = type(error).__name__
    first = next(iter(_text(error).strip().splitlines()), "")
    why = f"{kind}: {first[:200]}" if first else kind
    if isinstance(error, MemoryError):
        return (
            f"{what}: there is not enough memory. Make some free, or use fewer --jobs, then run "
            f"the command again: what is done is kept. {details(error)}"
        )
    return f"{what}: an error in nbreferee itself ({why}). What is done is kept. {details(error)}"


def details(error: BaseException) -> str:
    """Write the traceback of an error where there is room for it, and say where."""
    for folder in (tempfile.gettempdir, Path.home, Path.cwd):
        with contextlib.suppress(Exception):
            handle, path = tempfile.mkstemp(prefix=PREFIX, suffix=".txt", dir=folder())
            with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}, process {os.getpid()}\n")
                file.writelines(traceback.format_exception(error))
            return f"The details are in {path}: send that file with a report."
    return "There is no room for a file with the details."


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""
