"""A course folder as nbgrader sees it: where its files are, and its gradebook."""

from __future__ import annotations

import contextlib
import difflib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from nbreferee.course.folders import assignments_in

if TYPE_CHECKING:
    from nbgrader.api import Gradebook
    from nbgrader.coursedir import CourseDirectory

_PATTERN = "Write one of {nbgrader_step}, {student_id} and {assignment_id}, in any order."
CONFIG_NAME = "nbgrader_config.py"
NEEDS_LINUX = "this needs Linux, for {}. Use a container, or WSL 2 on Windows."


class CourseError(Exception):
    """The course cannot be used at all; the text says why and what to do."""


def open_course(folder: Path) -> CourseDirectory:
    """Read the configuration of the course in `folder`, as nbgrader would.

    Raises
    ------
    CourseError
        where there is no configuration, or it cannot be read.
    """
    from nbreferee.course.configuration import ConfigurationError, read_configuration

    if not folder.is_dir():
        raise CourseError(f"{folder}: no such folder. Name the course's with --course-dir.")
    try:
        return read_configuration(folder, named=folder != Path())
    except ConfigurationError as error:
        raise CourseError(str(error)) from error


def source_assignments(course: CourseDirectory, wanted: Iterable[str] = ()) -> list[str]:
    """Return the assignments that the course's source folder holds: those wanted, or all.

    Raises
    ------
    CourseError
        where one that is wanted is not there, or there is none.
    """
    try:
        folder = Path(course.format_path(course.source_directory, ".", "."))
        there = assignments_in(course)
    except (KeyError, ValueError, IndexError):
        raise CourseError(
            f"c.CourseDirectory.directory_structure: {course.directory_structure!r} is no pattern "
            f"of nbgrader's. {_PATTERN}"
        ) from None
    wanted = list(wanted) or [course.assignment_id] * bool(course.assignment_id)
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
        where nothing has been graded yet, or the gradebook cannot be opened.
    """
    path = course.db_url.removeprefix("sqlite:///")
    if course.db_url.startswith("sqlite:///") and not Path(path).is_file():
        raise CourseError(
            f"{path}: there is no gradebook yet. Grade the class first: nbreferee grade."
        )
    return gradebook_writer(course)


def gradebook_writer(course: CourseDirectory) -> AbstractContextManager[Gradebook]:
    """Open the gradebook of a course to write in it; make it where there is none.

    Raises
    ------
    CourseError
        where it cannot be opened.
    """
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with _alembic_on_path():
            gradebook: AbstractContextManager[Gradebook] = Gradebook(
                _bounded(course.db_url), course.course_id
            )
            return gradebook
    except ImportError as error:
        raise CourseError(
            f"the gradebook's database needs {error.name}. Install it: pip install "
            "nbreferee[postgresql]."
        ) from None
    except SQLAlchemyError as error:
        raise CourseError(gradebook_trouble(course, error)) from None


@contextlib.contextmanager
def _alembic_on_path() -> Iterator[None]:
    """Have nbgrader find alembic, which it starts by name to make a gradebook."""
    before = os.environ.get("PATH")
    os.environ["PATH"] = os.pathsep.join(
        [str(Path(sys.executable).parent), *([before] if before else [])]
    )
    try:
        yield
    finally:
        if before is None:
            del os.environ["PATH"]
        else:
            os.environ["PATH"] = before


def _bounded(db_url: str) -> str:
    """Return the address with time limits for PostgreSQL. SQLite gives up after 5 s by itself."""
    from sqlalchemy import make_url

    url = make_url(db_url)
    if url.get_backend_name() != "postgresql":
        return db_url
    given = {"connect_timeout": "10", "options": "-c lock_timeout=10s", **url.query}
    return url.set(query=given).render_as_string(hide_password=False)


# words of a database: what to do about it
_CURES = {
    "lock": "Close what else uses it",
    "readonly": "Make it and its folder writable",
    "unable to open": "Make it and its folder writable",
    "full": "Make room on its disk",
    "connect": "Start its server, or mend c.CourseDirectory.db_url",
    "not a database": "Restore it from a backup",
}


def gradebook_trouble(course: CourseDirectory, error: Exception) -> str:
    """Return why the gradebook cannot be used, and what to do."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    if isinstance(error, ArgumentError):  # the URL itself, which perhaps holds a password
        return (
            "c.CourseDirectory.db_url: no database has an address like that. Mend it in "
            "nbgrader_config.py."
        )
    url = make_url(course.db_url)
    where = (
        url.database
        if url.get_backend_name() == "sqlite"
        else url.render_as_string(hide_password=True)
    )
    if (
        url.get_backend_name() == "sqlite"
        and url.database
        and not Path(course.root, url.database).exists()
    ):
        return (
            f"the gradebook {where} is not there any more. Put it back, from a backup if need be, "
            "then run the command again."
        )
    why = next(
        iter(str(getattr(error, "orig", None) or error).strip().splitlines()), type(error).__name__
    )
    cure = next((cure for words, cure in _CURES.items() if words in why), "Mend it")
    return (
        f"the gradebook {where} cannot be used ({why}). {cure}, then run the command again: what "
        "is done is kept."
    )
