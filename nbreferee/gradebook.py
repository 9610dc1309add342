"""Scores into nbgrader's gradebook, as `nbgrader autograde` would put them; marks by hand stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution, is_task

from nbreferee.course import CourseError
from nbreferee.intake import Released

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from nbgrader.coursedir import CourseDirectory

SANDBOX_STAMP = "Graded without a sandbox: {}"


def released_cells(gradebook: Gradebook, assignment: str, notebook: str) -> dict[str, Released]:
    """Return the cells of a notebook as nbgrader has released them, by grade id.

    Raises
    ------
    CourseError
        where it has not.
    """
    try:
        found = gradebook.find_notebook(notebook, assignment)
    except MissingEntry:
        raise CourseError(f"{assignment}/{notebook} has never been released. Run nbgrader generate_assignment {assignment} first.") from None
    return {cell.name: Released(cell.source or "", cell.checksum or "") for cell in found.source_cells}


def record(gradebook: Gradebook, assignment: str, student: str, notebook: str, executed: NotebookNode, stamp: str = "") -> None:
    """Write the scores and comments of a graded notebook, in one transaction."""
    cells = {cell.metadata.nbgrader["grade_id"]: cell for cell in executed.cells if "nbgrader" in cell.metadata}
    submission = gradebook.find_submission_notebook(notebook, assignment, student)
    for grade in submission.grades:
        cell = cells.get(grade.name)
        if cell is not None and is_grade(cell):
            grade.auto_score, _ = determine_grade(cell)
            grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
    for comment in submission.comments:
        cell = cells.get(comment.name)
        if cell is not None and (is_solution(cell) or is_task(cell)):
            untouched = cell.metadata.nbgrader.get("checksum") == compute_checksum(cell) and not is_task(cell)
            said = (["No response."] if untouched else []) + ([SANDBOX_STAMP.format(stamp)] if stamp else [])
            comment.auto_comment = " ".join(said) or None
    gradebook.db.commit()


def record_missing(gradebook: Gradebook, assignment: str, student: str, notebook: str) -> None:
    """Give a notebook that was not handed in, or cannot be read, no points."""
    for grade in gradebook.find_submission_notebook(notebook, assignment, student).grades:
        grade.auto_score = 0
        grade.needs_manual_grade = False
    gradebook.db.commit()


def is_recorded(gradebook: Gradebook, assignment: str, student: str, notebook: str) -> bool:
    """Tell whether every score that needs no person is in the gradebook."""
    try:
        grades = gradebook.find_submission_notebook(notebook, assignment, student).grades
    except MissingEntry:
        return False
    return all(grade.auto_score is not None or grade.needs_manual_grade for grade in grades)


def begin_submission(gradebook: Gradebook, course: CourseDirectory, assignment: str, student: str) -> None:
    """Enter a student and a submission with its time, if they are new."""
    gradebook.update_or_create_student(student)
    timestamp = course.get_existing_timestamp(str(Path(course.format_path(course.submitted_directory, student, assignment))))
    if timestamp:
        gradebook.update_or_create_submission(assignment, student, timestamp=timestamp)
    else:
        gradebook.update_or_create_submission(assignment, student)
