"""Whose code has caused an audit event: see `provenance`."""

from __future__ import annotations

import sys
import threading
import types
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbreferee.engine.tester.received import as_text

IMPORTERS = frozenset({"importlib._bootstrap", "importlib._bootstrap_external", "zipimport"})
OURS = (
    "nbreferee.engine.tester.audit",
    "nbreferee.engine.tester.callers",
    "nbreferee.engine.tester.provenance",
)
OUTSIDE = "nbreferee.engine.zygote"  # it runs the process: frames from there on are nobody's
PACKAGE = str(Path(__file__).parents[2])


def callers() -> Iterator[types.FrameType]:
    """Yield the frames from the one that has caused the event outwards."""
    frame: types.FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__") in OURS:
        frame = frame.f_back
    while frame is not None:
        yield frame
        frame = frame.f_back


def module_of(frame: types.FrameType) -> str | None:
    """Return the name of the installed module to which a frame belongs; None for the instructor's
    code.
    """
    name = dict.get(frame.f_globals, "__name__")
    module = sys.modules.get(name) if isinstance(name, str) else None
    if module is None or name == "__main__" or vars(module) is not frame.f_globals:
        return None
    path = getattr(module, "__file__", None)
    if path is None:
        return (
            name
            if getattr(getattr(module, "__spec__", None), "origin", None) in ("built-in", "frozen")
            else None
        )
    return name if path.startswith((sys.base_prefix, sys.prefix, PACKAGE)) else None


def is_in(module: str, packages: Iterable[str]) -> bool:
    """Tell whether a module is one of these packages or inside one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def split(
    frames: Iterable[types.FrameType],
) -> tuple[list[types.FrameType], types.FrameType | None]:
    """Return the frames of packages up to the first frame of the instructor's, and that one.

    It is None where there is none, or where a package is being imported: what that compiles is its
    own.
    """
    library: list[types.FrameType] = []
    for frame in frames:
        module = module_of(frame)
        if module is None:
            return library, frame
        if module == OUTSIDE or (module in IMPORTERS and library):
            return library, None
        library.append(frame)
    return library, None if threading.current_thread() is threading.main_thread() else library[-1]


def texts_handed_to(frame: types.FrameType) -> Iterator[str]:
    """Yield the texts among a function's arguments, and in lists of them."""
    code = frame.f_code
    names = code.co_varnames[
        : code.co_argcount
        + code.co_kwonlyargcount
        + bool(code.co_flags & 4)
        + bool(code.co_flags & 8)
    ]
    for value in map(frame.f_locals.get, names):
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(one, (str, bytes)):
                yield as_text(one)
            elif isinstance(one, tuple):
                yield from (as_text(part) for part in one if isinstance(part, (str, bytes)))
