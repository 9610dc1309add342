"""A graded submission into `autograded/` and the gradebook: all of it, or nothing.

A process that is killed between the two leaves a folder that `atomic.is_unfinished` tells; such a
submission is graded again (`assignment`)."""

from __future__ import annotations

import errno
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from nbreferee.course.nbgrader_settings import file_permissions
from nbreferee.grading.atomic import replacement
from nbreferee.grading.earlier import EarlierResult
from nbreferee.grading.gradebook import Recorder
from nbreferee.grading.notebook import NotebookMaterial
from nbreferee.grading.outcome import Failures
from nbreferee.grading.same_answers import same_answers
from nbreferee.grading.task import Task, TaskResult
from nbreferee.submission.folder import shown
from nbreferee.verdicts import NotebookResult

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory

MISSING = NotebookResult("missing", "not handed in")
# A file system says so of one name that it cannot hold, or of something that stands in the way.
PLACE_ERRORS = {
    errno.ENAMETOOLONG,
    errno.EILSEQ,
    errno.EINVAL,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ELOOP,
}


@dataclass
class Submission:
    """One student's notebooks on their way from `submitted/` to the gradebook."""

    student: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    timestamp: datetime | None = None
    is_timestamp_unknown: bool = False  # there is one that cannot be read
    tasks: dict[str, Task] = field(default_factory=dict)
    results: dict[str, TaskResult] = field(default_factory=dict)
    earlier: dict[str, EarlierResult] = field(default_factory=dict)  # of the run before
    notes: list[str] = field(default_factory=list)  # for a person
    is_recordable: bool = True  # there is a place for it in the gradebook and in `autograded/`


class SubmissionWriter:
    """Writes submissions to one assignment."""

    def __init__(
        self,
        course: CourseDirectory,
        recorder: Recorder,
        assignment: str,
        materials: Mapping[str, NotebookMaterial],
        failures: Failures,
    ) -> None:
        self._course = course
        self._recorder = recorder
        self._assignment = assignment
        self._materials = materials
        self._permissions = (
            file_permissions(course.config, course)[course.autograded_directory] or 0o444
        )
        self._failures = failures

    def write(self, submission: Submission) -> dict[str, bytes]:
        """Write a submission; return the earlier executed notebooks that stay, by name.

        Where the submission is the reason that it cannot be written, it is written that the grader
        failed on it.

        Raises
        ------
        SQLAlchemyError, OSError
            if no submission can be written.
        """
        if not submission.is_recordable:
            return {}
        try:
            return self._write(submission)
        except (
            DataError,
            IntegrityError,
        ) as error:  # of this student alone: an id that is too long, for example
            self._fail(submission, error)
            submission.is_recordable = False
            return {}
        except SQLAlchemyError:
            raise
        except OSError as error:
            if error.errno not in PLACE_ERRORS:
                raise
            self._fail(submission, error)  # what stands in the way does so for this student alone
            submission.is_recordable = False
            return {}
        except Exception as error:
            self._fail(submission, error)
            return self._write(submission)

    def _fail(self, submission: Submission, error: Exception) -> None:
        submission.results = {name: self._failures.result(error) for name in submission.results}

    def _write(self, submission: Submission) -> dict[str, bytes]:
        student, results = submission.student, submission.results
        folder = Path(
            self._course.format_path(self._course.autograded_directory, student, self._assignment)
        )
        earlier: dict[str, bytes] = {}
        with replacement(folder, self._permissions, self._course.groupshared) as target:
            next(iter(self._materials.values())).files.copy_into(target, folder)
            reserved = {mark_of_failure(Path(f"{name}.ipynb")).name for name in self._materials}
            submission.notes += _write_files(
                target,
                {name: data for name, data in submission.files.items() if name not in reserved},
            )
            for name, one in results.items():
                status, message = one.result.status, one.result.message
                if status == "graded":
                    (target / f"{name}.ipynb").write_bytes(one.notebook)
                elif status == "grader_failed" and (folder / f"{name}.ipynb").is_file():
                    earlier[name] = (folder / f"{name}.ipynb").read_bytes()
                    (target / f"{name}.ipynb").write_bytes(earlier[name])
                    mark_of_failure(target / f"{name}.ipynb").write_text(f"{message}\n")
            self._recorder.record(
                student,
                submission.timestamp,
                {
                    name: results[name].result if name in results else MISSING
                    for name in self._materials
                },
                keep_earlier=earlier,
                forget_timestamp=submission.is_timestamp_unknown,
                same_answers=self._same_answers(submission, folder),
            )
        return earlier

    def _same_answers(self, submission: Submission, folder: Path) -> dict[str, Collection[str]]:
        """Return the answers that are as they were when somebody marked them, by notebook."""
        if not self._recorder.has_marks_by_hand(submission.student):
            return {}
        return {
            name: same_answers(folder / f"{name}.ipynb", one.notebook)
            for name, one in submission.results.items()
            if one.result.status == "graded"
        }


def mark_of_failure(notebook: Path) -> Path:
    """Return the file that says of an executed notebook that the grader failed on a later version
    of it.
    """
    return notebook.with_name(f".{notebook.stem}.grader_failed")


def _write_files(target: Path, files: Mapping[str, bytes]) -> list[str]:
    """Write files into a folder; return notes on those whose names the file system cannot hold."""
    notes = []
    for name, data in files.items():
        try:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(data)
        except OSError as error:
            if error.errno not in PLACE_ERRORS:
                raise
            notes.append(f"{shown(name)} is not copied: {error.strerror}")
    return notes
