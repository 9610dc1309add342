"""What a process of nbreferee's own does first.

Nothing here is for a process that only imports the package.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterator

NEW_OBJECTS = 50_000  # from one look for garbage to the next


def look_for_garbage_rarely() -> None:
    """Have Python look for garbage when there is much that is new: a worker that reads a course,
    of which most is kept, would take a half longer.
    """
    gc.set_threshold(NEW_OBJECTS)


def skip_address_grammar() -> None:
    """Keep jsonschema from loading a grammar of internationalised addresses, which takes a second.

    It is for a format that no notebook has. Other programs may have: so this is for our own
    processes alone.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # as absent


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Load modules: nobody looks for garbage among them, neither now nor at the end of the process,
    which would take a quarter of a second.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def start_worker(grade: bool, common: str) -> None:
    """Start a worker's process; `grade`: let it get warm for that, with the common zygote at an
    address.
    """
    skip_address_grammar()
    look_for_garbage_rarely()
    from nbreferee.grading import task

    task.start_worker(grade, common)
