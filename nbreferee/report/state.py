"""What became of every notebook of a class: graded, not there under its name, not readable, not
graded yet.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from nbreferee.course.folders import students_in
from nbreferee.grading.gradebook import GRADER_FAILED, UNREADABLE
from nbreferee.grading.storing import mark_of_failure
from nbreferee.pages.exercises import Mark
from nbreferee.report.marks import AssignmentMarks, Submission
from nbreferee.submission.folder import shown

GRADED, MISSING, UNREADABLE_FILE, FAILED, OLDER, NOT_YET = (
    "graded",
    "no file of this name",
    "cannot be read",
    "grader failed",
    "an older version is graded",
    "not graded yet",
)
NAMED = 5  # files of a submission, at most
_UNREADABLE = UNREADABLE.partition("{")[0]


@dataclass(frozen=True)
class NotebookState:
    """What became of one notebook of a student; `reason` is a sentence where it was not graded."""

    status: str = GRADED
    reason: str = ""
    executed: Path | None = None  # the executed notebook, where it is there

    @property
    def is_graded(self) -> bool:
        """Whether the scores are those of an answer."""
        return self.status in (GRADED, OLDER)


States = Mapping[str, Mapping[str, NotebookState]]  # by student and notebook


def notebook_states(
    course: CourseDirectory, marks: AssignmentMarks
) -> dict[str, dict[str, NotebookState]]:
    """Return what became of the notebooks of everybody who has handed in, by student and
    notebook.
    """
    found = {
        student: _states(course, marks, submission)
        for student, submission in marks.submissions.items()
    }
    for student in students_in(course, course.submitted_directory, marks.name):
        if student not in found:
            reason = "It has been handed in and not graded. Run nbreferee autograde."
            found[student] = {name: NotebookState(NOT_YET, reason) for name in marks.notebooks}
    return found


def _states(
    course: CourseDirectory, marks: AssignmentMarks, submission: Submission
) -> dict[str, NotebookState]:
    folder = Path(course.format_path(course.autograded_directory, submission.student, marks.name))
    executed = _names(folder)
    submitted: list[str] | None = None
    states = {}
    for name in marks.notebooks:
        path = folder / f"{name}.ipynb"
        if path.name in executed:
            failed = mark_of_failure(path)
            states[name] = (
                NotebookState(OLDER, _text_of(failed), path)
                if failed.name in executed
                else NotebookState(GRADED, "", path)
            )
            continue
        if submitted is None:
            handed_in = course.format_path(
                course.submitted_directory, submission.student, marks.name
            )
            submitted = _names(Path(handed_in))
        own = [mark for key, mark in submission.marks.items() if key.notebook == name]
        states[name] = _without_executed(name, own, submission.failures.get(name, ""), submitted)
    return states


def _without_executed(
    name: str, marks: list[Mark], said: str, submitted: list[str]
) -> NotebookState:
    """Return the state of a notebook that was not executed, or whose executed version is gone."""
    waits = any(mark.waits for mark in marks)
    if any(mark.score or mark.is_by_hand for mark in marks) and not waits:
        return NotebookState()  # graded, or a person has decided
    if said == GRADER_FAILED:
        return NotebookState(FAILED, "The automatic grader failed on it. The next run tries again.")
    if said.startswith(_UNREADABLE):
        why = said.removeprefix(_UNREADABLE).partition(". A person looks at it")[0].strip(": ")
        is_file = "." in why.partition(" ")[0]
        return NotebookState(UNREADABLE_FILE, f"{why if is_file else why[:1].upper() + why[1:]}.")
    if not marks:
        return NotebookState(
            NOT_YET, "The gradebook holds no marks for it. Run nbreferee autograde."
        )
    if waits or f"{name}.ipynb" in submitted:
        return NotebookState(GRADED)
    files = ", ".join(shown(one) for one in submitted[:NAMED]) or "nothing"
    more = f" and {len(submitted) - NAMED} more" if len(submitted) > NAMED else ""
    return NotebookState(MISSING, f"There is no {name}.ipynb. Handed in: {files}{more}.")


def _names(folder: Path) -> list[str]:
    """Return the names of files in a folder, marks of failure included; none where it cannot be
    read.
    """
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError:
        return []
    return [
        name
        for name in names
        if name != "timestamp.txt" and (name[0] != "." or name.endswith(".grader_failed"))
    ]


def _text_of(path: Path) -> str:
    try:
        text = path.read_text(errors="replace").strip()
    except OSError:
        text = ""
    return f"A later version was not graded: {text or 'the automatic grader failed'}."
