"""Workers that get ready while the rest of the program is loaded."""

from __future__ import annotations

import contextlib
import glob
import itertools
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbreferee.grading.pool import Workers


def workers_getting_ready(
    course_dir: Path,
    assignments: tuple[str, ...],
    jobs: int | None,
    scheduler: str | None,
    students: tuple[str, ...],
    **others: Any,
) -> Workers | None:
    """Return workers of this machine that get ready while the rest of the program is loaded, if
    there seems to be something to work on.
    """
    from nbreferee.course.locate import CONFIG_NAME
    from nbreferee.engine.common_zygote import CommonZygote
    from nbreferee.sandbox import probing
    from nbreferee.startup import loading

    there = [course_dir / CONFIG_NAME, *(course_dir / "source" / name for name in assignments)]
    if scheduler is not None or not all(path.exists() for path in there):
        return None
    common = CommonZygote.start()  # gets warm while the next lines are loaded
    probing.begin()
    with loading():
        from nbreferee.grading.pool import local_workers
        from nbreferee.grading.replaying import read_ahead

        _prepare_for_forks()
    workers = local_workers(jobs, grade=True, common=common)
    handed_in = (
        path.parent
        for student in [glob.escape(one) for one in students] or ["*"]
        for name in assignments or ["*"]
        for path in (course_dir / "submitted").glob(f"{student}/{name}/*.ipynb")
    )
    seen: list[Path] = []
    with contextlib.suppress(OSError, ValueError, NotImplementedError):  # odd ids are told later
        seen = list(itertools.islice(handed_in, workers.count))
    number = len(seen) or workers.count  # none: they may lie elsewhere
    if threading.active_count() == 1:
        workers.fork(number)
    else:
        workers.start(number)
    first = min((one.name for one in seen), default="")
    for _ in seen:
        workers.submit(read_ahead, str(course_dir / "source" / first))
    return workers


def _prepare_for_forks() -> None:
    """Do what this process needs, and each of its workers, and what is not of any course."""
    import nbformat

    from nbreferee.versions import identity

    identity()
    nbformat.validate(nbformat.v4.new_notebook())  # which compiles the schema
