"""A notebook that could not be graded, for its student: why, and what to do."""

from __future__ import annotations

from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from nbreferee.grading.gradebook import GRADER_FAILED, UNREADABLE
from nbreferee.grading.marks import MarkReader
from nbreferee.pages.page import AbsentNotebook
from nbreferee.submission.folder import shown

NAMED = 8  # files of a submission, at most
ASK = "Ask your teacher whether you may hand it in again."


def absent_notebook(
    course: CourseDirectory, reader: MarkReader, student: str, notebook: str
) -> AbsentNotebook:
    """Return what the page of a notebook is made from that was never executed."""
    _, automatic = reader.comments(student, notebook)
    header, points = reader.header(student, notebook), reader.points(student, notebook)
    said = next(iter(automatic.values()), "")
    if said == GRADER_FAILED:
        return AbsentNotebook(header, said, ("You need not do anything.",), points)
    if said.startswith(UNREADABLE.partition("{")[0]):
        return AbsentNotebook(header, said, _advice_on_file(notebook), points)
    return AbsentNotebook(header, *_missing(course, reader, student, notebook), points)


def _advice_on_file(notebook: str) -> tuple[str, ...]:
    return (
        (
            f"Open your {notebook}.ipynb in JupyterLab. If it opens, save it there (File, Save "
            "Notebook). If it does not, take your last copy that does, or download the notebook "
            "once more and put your answers into it."
        ),
        f"Hand in the saved file, under the name {notebook}.ipynb. {ASK}",
    )


def _missing(
    course: CourseDirectory, reader: MarkReader, student: str, notebook: str
) -> tuple[str, tuple[str, ...]]:
    folder = Path(course.format_path(course.submitted_directory, student, reader.assignment))
    try:
        files = sorted(
            shown(path.name) for path in folder.iterdir() if not path.name.startswith(".")
        )
    except OSError:
        files = []
    files = [name for name in files if name != "timestamp.txt"]
    there = ", ".join(files[:NAMED]) + (
        f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
    )
    reason = f"There is no file {notebook}.ipynb in what you handed in."
    if not files:
        return reason, (
            (
                "What you handed in is empty. Hand in the notebook under the name "
                f"{notebook}.ipynb. {ASK}"
            ),
        )
    return reason, (
        f"You handed in: {there}.",
        (
            f"If one of these is your work on this notebook, name it {notebook}.ipynb and hand it "
            f"in again. {ASK}"
        ),
    )
