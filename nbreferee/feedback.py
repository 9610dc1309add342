"""nbreferee feedback: a page for every executed notebook of a class, through an executor of workers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import select

from nbreferee.aside import write_whole
from nbreferee.nbgrader_settings import file_permissions, read_rules
from nbreferee.page import Sheet, render
from nbreferee.pages.sanitize import markdown_texts
from nbreferee.permissions import share
from nbreferee.rules import Delimiters
from nbreferee.shown_files import copy_shown_files
from nbreferee.workers import Workers


@dataclass(frozen=True)
class Executed:
    """An executed notebook that the gradebook knows."""

    student: str
    notebook: str
    path: Path
    number: str  # of the gradebook
    late_penalty: float


def executed(course: CourseDirectory, gradebook: Gradebook, assignment: str) -> list[Executed]:
    """Return the executed notebooks of an assignment."""
    wanted = (
        select(SubmittedAssignment.student_id, Notebook.name, SubmittedNotebook.id, SubmittedNotebook.late_submission_penalty)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .where(Assignment.name == assignment)
        .order_by(SubmittedAssignment.student_id, Notebook.name)
    )
    found = []
    for student, name, number, penalty in gradebook.db.execute(wanted):
        path = Path(course.format_path(course.autograded_directory, student, assignment)) / f"{name}.ipynb"
        if path.is_file():
            found.append(Executed(student, name, path, number, penalty or 0.0))
    return found


def write_feedback(
    course: CourseDirectory, gradebook: Gradebook, assignment: str, notebooks: list[Executed], workers: Workers, done: Callable[[Path, str], None]
) -> None:
    """Write the pages of executed notebooks; call `done(path, why)` after each: why there is no page, or ''."""
    running: dict[Future, tuple[Path, Path]] = {}  # the page and the folder of the executed notebook
    permissions = file_permissions(course.config, course)[course.feedback_directory]
    delimiters = read_rules(course.config).delimiters
    texts = {name: instructors_texts(course, gradebook, assignment, name) for name in {one.notebook for one in notebooks}}

    def collect() -> None:
        for future in workers.finished(running):
            path, executed_in = running.pop(future)
            if (error := future.exception()) is not None:
                done(path, f"{type(error).__name__}: {error}")
                continue
            page = future.result()
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, page)
            copy_shown_files(page, executed_in, path.parent, course.include)
            share(path.parent, permissions, course.groupshared)
            done(path, "")

    for notebook in notebooks:
        while len(running) >= workers.in_flight:
            collect()
        path = Path(course.format_path(course.feedback_directory, notebook.student, assignment)) / f"{notebook.notebook}.html"
        running[workers.submit(render, _sheet(gradebook, assignment, notebook, delimiters, texts[notebook.notebook]))] = path, notebook.path.parent
    while running:
        collect()


def instructors_texts(course: CourseDirectory, gradebook: Gradebook, assignment: str, notebook: str) -> frozenset[str]:
    """Return the Markdown of a notebook as the instructor wrote and released it."""
    texts: frozenset[str] = frozenset()
    for folder in (course.source_directory, course.release_directory):
        with contextlib.suppress(OSError):
            texts |= markdown_texts((Path(course.format_path(folder, ".", assignment)) / f"{notebook}.ipynb").read_bytes())
    with contextlib.suppress(MissingEntry):
        cells = gradebook.find_notebook(notebook, assignment).source_cells
        texts |= {cell.source for cell in cells if cell.cell_type == "markdown" and cell.source}
    return texts


def _sheet(gradebook: Gradebook, assignment: str, notebook: Executed, delimiters: Delimiters, texts: frozenset[str]) -> Sheet:
    """Return a notebook with its marks: two queries, however many cells it has."""
    columns = (BaseCell.name, Grade.auto_score, Grade.manual_score, Grade.extra_credit, GradeCell.max_score, TaskCell.max_score)
    joined = select(*columns).join(BaseCell, BaseCell.id == Grade.cell_id)
    joined = joined.outerjoin(GradeCell.__table__, GradeCell.__table__.c.id == BaseCell.id).outerjoin(TaskCell.__table__, TaskCell.__table__.c.id == BaseCell.id)
    scores = {}
    for name, automatic, by_hand, extra, points, task_points in gradebook.db.execute(joined.where(Grade.notebook_id == notebook.number)):
        given = by_hand if by_hand is not None else automatic or 0.0
        scores[name] = (given + (extra or 0.0), points if points is not None else task_points)
    theirs = select(BaseCell.name, Comment.auto_comment, Comment.manual_comment).join(BaseCell, BaseCell.id == Comment.cell_id)
    comments = {name: by_hand or automatic for name, automatic, by_hand in gradebook.db.execute(theirs.where(Comment.notebook_id == notebook.number))}
    resources = {"student": notebook.student, "assignment": assignment, "notebook": notebook.notebook}
    totals = (sum(score for score, _ in scores.values()), sum(points for _, points in scores.values()))
    return Sheet(notebook.notebook, notebook.path.read_bytes(), scores, comments, *totals, notebook.late_penalty, resources, delimiters, texts)
