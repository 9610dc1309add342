"""How long the cells of a submission ran, kept beside the course: students do not get it.

Executed notebooks hold no times, so that grading the same again writes the same bytes.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from nbreferee.grading.atomic import write_whole

Times = Mapping[str, Mapping[str, float]]  # seconds by notebook and grade id


def write_times(course: CourseDirectory, assignment: str, student: str, times: Times) -> None:
    """Keep the times of a submission; where that is not possible, reports say nothing of them."""
    path = _path(course, assignment, student)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(times).encode())


def read_times(course: CourseDirectory, assignment: str, student: str) -> Times:
    """Return the times of a submission; nothing where none were kept."""
    try:
        found = json.loads(_path(course, assignment, student).read_bytes())
        return {
            str(notebook): {str(name): float(seconds) for name, seconds in cells.items()}
            for notebook, cells in found.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _path(course: CourseDirectory, assignment: str, student: str) -> Path:
    return Path(course.root) / ".nbreferee" / "times" / assignment / f"{student}.json"
