"""A course folder as nbgrader sees it: where its files are, and its gradebook."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbgrader.api import Gradebook
    from nbgrader.coursedir import CourseDirectory

CONFIG_NAME = "nbgrader_config.py"
NEEDS_LINUX = "this needs Linux, for {}. Use a container, or WSL 2 on Windows."


class CourseError(Exception):
    """The course cannot be used at all; the text says why and what to do."""


def open_course(folder: Path) -> CourseDirectory:
    """Read the configuration of the course in `folder`.

    Raises
    ------
    CourseError
        where there is no configuration, or it cannot be read.
    """
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config.loader import PyFileConfigLoader

    if not (folder / CONFIG_NAME).is_file():
        raise CourseError(f"{folder}: no {CONFIG_NAME} here. Go to the course's folder, or name it with --course-dir.")
    try:
        config = PyFileConfigLoader(CONFIG_NAME, path=str(folder)).load_config()
    except Exception as error:
        raise CourseError(f"{folder / CONFIG_NAME}: {error}. Mend the file.") from error
    if "root" not in config.CourseDirectory:
        config.CourseDirectory.root = str(folder.resolve())
    return CourseDirectory(config=config)


def source_assignments(course: CourseDirectory, wanted: Iterable[str] = ()) -> list[str]:
    """Return the assignments that the course's source folder holds: those wanted, or all.

    Raises
    ------
    CourseError
        where one that is wanted is not there, or there is none.
    """
    folder = Path(course.format_path(course.source_directory, ".", "."))
    there = sorted(path.name for path in folder.glob("*") if path.is_dir() and not path.name.startswith("."))
    if not there:
        raise CourseError(f"{folder}: no assignments here. Put each into a folder of its own.")
    for name in wanted:
        if name not in there:
            close = difflib.get_close_matches(name, there, n=1)
            hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(there)}."
            raise CourseError(f"{folder}: no assignment {name}. {hint}")
    return list(wanted) or there


def open_gradebook(course: CourseDirectory) -> AbstractContextManager[Gradebook]:
    """Open the gradebook of a course.

    Raises
    ------
    CourseError
        where nothing has been graded yet.
    """
    from nbgrader.api import Gradebook

    path = course.db_url.removeprefix("sqlite:///")
    if course.db_url.startswith("sqlite:///") and not Path(path).is_file():
        raise CourseError(f"{path}: there is no gradebook yet. Grade the class first: make grade.")
    return Gradebook(course.db_url, course.course_id)


def gradebook_writer(course: CourseDirectory) -> AbstractContextManager[Gradebook]:
    """Open the gradebook of a course to write in it; make it where there is none."""
    from nbgrader.api import Gradebook

    # nbgrader looks for alembic on the path.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return Gradebook(course.db_url, course.course_id)
