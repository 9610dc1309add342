"""Says in a sentence that a cell has failed because files outside of its folder, or the network,
are not there while it is graded.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from typing import Any

OUTSIDE = (
    "{} lies outside the notebook's folder: while it is graded, a notebook has the files of its "
    "own folder alone"
)
NO_NETWORK = (
    "there is no network while a notebook is graded: data from the web must be a file in the "
    "notebook's folder"
)


def explained(outputs: list[dict[str, Any]], error: BaseException | None) -> list[dict[str, Any]]:
    """Return the outputs of a cell, with that sentence in the error that it has ended with."""
    sentence = reason_of(error)
    if not sentence:
        return outputs
    return [
        {
            **one,
            "evalue": f"{one['evalue']} ({sentence})",
            "traceback": [*one["traceback"], f"({sentence})"],
        }
        if one["output_type"] == "error"
        else one
        for one in outputs
    ]


def reason_of(error: BaseException | None) -> str:
    """Return the sentence, or nothing where an error has other reasons."""
    for one in _chain(error):
        if isinstance(one, socket.gaierror) or (
            isinstance(one, PermissionError) and one.filename is None and one.errno == errno.EPERM
        ):
            return NO_NETWORK
        path = getattr(one, "filename", None)
        if isinstance(one, (FileNotFoundError, PermissionError, NotADirectoryError)) and isinstance(
            path, (str, bytes)
        ):
            name = os.fsdecode(path)
            inside = os.path.realpath(name).startswith(
                (os.path.realpath(os.getcwd()), "/tmp/", "/dev/shm/")
            )
            if os.path.isabs(name) and not inside:
                return OUTSIDE.format(name)
    return ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, and what it was raised from or holds."""
    waiting = [error]
    seen: set[int] = set()
    while waiting and len(seen) < 50:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
