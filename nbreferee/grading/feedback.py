"""nbreferee feedback: a page for every notebook of a class, through an executor of workers; what
has not changed stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from nbreferee.course.folders import students_in
from nbreferee.course.nbgrader_settings import file_permissions, read_rules
from nbreferee.grading.absent import absent_notebook
from nbreferee.grading.atomic import write_whole
from nbreferee.grading.marks import MarkReader
from nbreferee.grading.permissions import share
from nbreferee.grading.pictures import embed_pictures
from nbreferee.grading.pool import Workers
from nbreferee.pages.page import STAMP_AT, AbsentNotebook, GradedNotebook, render

FOR_RELEASE = ("timestamp.txt", "submission_secret.txt")  # nbgrader release_feedback reads them


@dataclass(frozen=True)
class PageToWrite:
    """A page that a student should have."""

    student: str
    notebook: str
    path: Path
    executed: Path  # the executed notebook, which need not be there


def pages_of(
    course: CourseDirectory, gradebook: Gradebook, assignment: str, students: Collection[str] = ()
) -> list[PageToWrite]:
    """Return the pages of an assignment: one for each notebook of everybody who has handed in, or
    of `students`.
    """
    reader = MarkReader(course, gradebook, assignment)
    handed_in = set(students_in(course, course.submitted_directory, assignment))
    found = []
    for student, name in reader.notebooks():
        if students and student not in students:
            continue
        executed = (
            Path(course.format_path(course.autograded_directory, student, assignment))
            / f"{name}.ipynb"
        )
        if executed.is_file() or student in handed_in:
            path = (
                Path(course.format_path(course.feedback_directory, student, assignment))
                / f"{name}.html"
            )
            found.append(PageToWrite(student, name, path, executed))
    return found


def write_feedback(
    course: CourseDirectory,
    gradebook: Gradebook,
    assignment: str,
    pages: list[PageToWrite],
    workers: Workers,
    done: Callable[[Path, str], None],
) -> None:
    """Write the pages that would change.

    After each, `done(path, why)` is called: why there is no page, or ''.
    """
    running: dict[Future[Any], PageToWrite] = {}
    permissions = file_permissions(course.config, course)[course.feedback_directory]
    reader = MarkReader(course, gradebook, assignment, read_rules(course.config).delimiters)

    def collect() -> None:
        for future in workers.finished(running):
            one = running.pop(future)
            if (error := future.exception()) is not None:
                done(one.path, f"{type(error).__name__}: {error}")
                continue
            one.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(
                one.path, embed_pictures(future.result(), one.executed.parent, course.include)
            )
            _copy_for_release(one)
            share(one.path.parent, permissions, course.groupshared)
            done(one.path, "")

    for one in pages:
        while len(running) >= workers.in_flight:
            collect()
        contents = read_page(course, reader, one)
        if is_written(one.path, contents.stamp):
            _copy_for_release(one)
            done(one.path, "")
        else:
            running[workers.submit(render, contents)] = one
    while running:
        collect()


def _copy_for_release(one: PageToWrite) -> None:
    """Put beside a page what `nbgrader release_feedback` reads there, as nbgrader does."""
    for name in FOR_RELEASE:
        source, target = one.executed.parent / name, one.path.parent / name
        if source.is_file() and not source.is_symlink():
            data = source.read_bytes()
            if not target.is_file() or target.read_bytes() != data:
                write_whole(target, data)


def read_page(
    course: CourseDirectory, reader: MarkReader, one: PageToWrite
) -> GradedNotebook | AbsentNotebook:
    """Return what a page is made from."""
    if one.executed.is_file():
        return reader.graded(one.student, one.notebook, one.executed)
    return absent_notebook(course, reader, one.student, one.notebook)


def is_written(path: Path, stamp: str) -> bool:
    """Return whether a page is there that was made from the same."""
    try:
        with path.open("rb") as file:
            return stamp.encode() in file.read(STAMP_AT)
    except OSError:
        return False
