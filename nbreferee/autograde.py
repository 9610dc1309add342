"""nbreferee autograde: what a class has handed in, through an executor of workers, into `autograded/` and the gradebook.

This process alone reads submissions and writes results, a submission at a time: its notebooks go to a
folder aside, its scores to the gradebook in one transaction, and then the folder takes its place at once.
What is killed in between leaves the folder aside, and is graded again by the next run, which skips all
else that has not changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import stat
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SQLAlchemyError

from nbreferee import worker
from nbreferee.aside import is_unfinished, replacement
from nbreferee.course import CourseError, source_assignments
from nbreferee.engine.limits import Budget
from nbreferee.folders import students_in, submissions_folder
from nbreferee.gradebook import NotebookMarks, PenaltyError, Recorder
from nbreferee.grading import CellVerdict, Marks, plain_verdict, read_files
from nbreferee.materials import read_materials
from nbreferee.submission.reading import SubmissionError
from nbreferee.worker import Result, Task
from nbreferee.workers import Workers

GRADER_FAILED = "This notebook has not been graded: the automatic grader failed, not your answers. A person looks at it."


@dataclass(frozen=True)
class Outcome:
    """What came of one notebook of one submission."""

    student: str
    assignment: str
    notebook: str
    status: str  # graded, skipped (unchanged), missing, unreadable or grader_failed
    message: str = ""
    wall_s: float = 0.0
    repairs: tuple[str, ...] = ()
    cells: tuple[CellVerdict, ...] = ()
    warnings: tuple[str, ...] = field(default=(), repr=False)
    points: float = 0.0  # of the notebook, where it has no verdicts

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` writes it."""
        return {
            "student": self.student, "assignment": self.assignment, "notebook": self.notebook, "status": self.status,
            "score": None if self.status == "grader_failed" and not self.cells else sum(cell.score for cell in self.cells),
            "max_score": sum(cell.max_score for cell in self.cells) or self.points,
            "wall_s": round(self.wall_s, 4), "repairs": list(self.repairs), "cells": [plain_verdict(cell) for cell in self.cells],
            "message": self.message,
        }  # fmt: skip


def expected(course: CourseDirectory, assignments: Collection[str] = (), students: Collection[str] = ()) -> dict[str, list[str]]:
    """Return whose submissions to which assignments there are to grade: those wanted, or all.

    Raises
    ------
    CourseError
        where an assignment is unknown, or a student who is wanted has handed in none, or not each that is wanted, too.
    """
    found = {name: students_in(course, course.submitted_directory, name) for name in source_assignments(course, assignments)}
    wanted = found if assignments else {" or ".join(found): sorted(set().union(*found.values()))}
    for student in students:
        for name, there in wanted.items():
            if student not in there:
                raise CourseError(f"{submissions_folder(course)}: nothing from {student} for {name}. {_names_like(student, there)}")
    chosen = {name: [one for one in students if one in there] if students else there for name, there in found.items()}
    return {name: some for name, some in chosen.items() if some or assignments}


def _names_like(name: str, there: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, there, n=1)
    return f"Did you mean {close[0]}?" if close else f"Handed in by: {', '.join(there[:20]) or 'nobody'}."


@contextlib.contextmanager
def alone(course: CourseDirectory, waiting: Callable[[], None]) -> Iterator[None]:
    """Keep other graders out of a course; where there is one, call `waiting` and wait for its end."""
    with (Path(course.root) / ".nbreferee.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass
class _Submission:
    """One student's notebooks on their way."""

    student: str
    files: dict[str, bytes]
    timestamp: str | None
    tasks: dict[str, Task]
    results: dict[str, Result] = field(default_factory=dict)


@dataclass(frozen=True)
class Manner:
    """How to grade."""

    budget: Budget
    stamp: str = ""  # why there is no sandbox
    force: bool = False  # grade again what has not changed


class Autograding:
    """Grades the submissions to one assignment; says of each notebook what came of it."""

    def __init__(self, course: CourseDirectory, gradebook: Gradebook, assignment: str, workers: Workers, manner: Manner, done: Callable[[Outcome], None]) -> None:
        self._course = course
        self._assignment = assignment
        self._materials = read_materials(course, gradebook, assignment)
        self._recorder = Recorder(gradebook, course, assignment)
        self._workers = workers
        self._manner = manner
        self._done = done
        self._running: dict[Future, tuple[_Submission, str]] = {}
        self.writing_s = 0.0  # spent on the gradebook and on files

    def run(self, students: Iterable[str]) -> None:
        """Grade the submissions of students."""
        for student in students:
            submission = self._read(student)
            if earlier := [] if self._manner.force else self._earlier(submission):
                for outcome in earlier:
                    self._done(outcome)
                continue
            while self._running and len(self._running) + len(submission.tasks) > self._workers.in_flight:
                self._collect()
            for name, task in submission.tasks.items():
                self._running[self._workers.submit(self._workers.grade, task)] = submission, name
            if not submission.tasks:
                self._write(submission)
        while self._running:
            self._collect()

    def _read(self, student: str) -> _Submission:
        folder = self._folder(self._course.submitted_directory, student)
        files = read_files(folder, self._course.ignore, next(iter(self._materials.values())).files)
        timestamp = self._course.get_existing_timestamp(str(folder)) or None
        submission = _Submission(student, files, timestamp, {})
        for name, material in self._materials.items():
            try:
                data = _read_bytes(folder / f"{name}.ipynb")
            except FileNotFoundError:
                continue
            except (SubmissionError, OSError) as error:
                submission.results[name] = Result("unreadable", str(error))
            else:
                submission.tasks[name] = Task(student, self._assignment, name, material, data, files, self._manner.budget, self._manner.stamp, self._recorder.due)
        return submission

    def _earlier(self, submission: _Submission) -> list[Outcome]:
        """Return what earlier runs made of a submission, where that is complete and nothing has changed since; else nothing."""
        folder = self._folder(self._course.autograded_directory, submission.student)
        if not submission.tasks or is_unfinished(folder):
            return []
        found = []
        for name in self._materials:
            path, task = folder / f"{name}.ipynb", submission.tasks.get(name)
            if task is None and name not in submission.results and not path.exists():
                found.append(self._missing(submission.student, name))
                continue
            try:
                kept = worker.read_kept(path.read_bytes(), task.fingerprint) if task and not _mark_of_failure(path).exists() else None
            except OSError:
                return []
            if kept is None:
                return []
            found.append(Outcome(submission.student, self._assignment, name, "skipped", cells=kept[0], repairs=kept[1]))
        return found if self._recorder.holds(submission.student, {one.notebook: one.cells for one in found if one.status == "skipped"}) else []

    def _collect(self) -> None:
        """Wait for a result, and write the submissions that are complete."""
        broken: list[tuple[_Submission, str]] = []
        touched: dict[str, _Submission] = {}
        for future in self._workers.finished(self._running):
            submission, name = self._running.pop(future)
            touched[submission.student] = submission
            error = future.exception()
            if isinstance(error, BrokenExecutor):
                broken.append((submission, name))
            elif error is None and future.result().status == worker.NEEDS_FILES:
                self._workers.deliver(future.result().worker, submission.tasks[name].material.files)
                self._running[self._workers.submit(self._workers.grade, submission.tasks[name])] = submission, name
            else:
                submission.results[name] = future.result() if error is None else _failed_by_us(error)
        if broken:  # a worker has died, and one of those that were running is why
            broken.extend(self._running.values())
            self._running.clear()
            for submission, name in broken:
                touched[submission.student] = submission
                submission.results[name] = self._alone(submission.tasks[name])
        for submission in touched.values():
            if submission.tasks.keys() <= submission.results.keys():
                self._write(submission)

    def _alone(self, task: Task) -> Result:
        """Have a task done that may be why a worker has died."""
        try:
            return self._workers.submit(self._workers.grade, task).result()
        except Exception as error:
            return _failed_by_us(error)

    def _write(self, submission: _Submission) -> None:
        """Write a submission; where that fails because of the submission, write that the grader failed on it."""
        started = time.monotonic()
        try:
            earlier = self._store(submission)
        except (SQLAlchemyError, OSError):  # no submission can be written
            raise
        except Exception as error:
            submission.results = {name: _failed_by_us(error) for name in submission.results}
            earlier = self._store(submission)
        self.writing_s += time.monotonic() - started
        for name in self._materials:
            result = submission.results.get(name)
            self._done(self._outcome(submission.student, name, result, earlier.get(name)) if result else self._missing(submission.student, name))

    def _store(self, submission: _Submission) -> dict[str, bytes]:
        """Write the files and the scores of a submission; return the earlier notebooks that are kept, by name."""
        student, results = submission.student, submission.results
        folder = self._folder(self._course.autograded_directory, student)
        earlier: dict[str, bytes] = {}
        with replacement(folder) as target:
            next(iter(self._materials.values())).files.copy_into(target)
            for name, data in submission.files.items():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (target / name).write_bytes(data)
            for name, result in results.items():
                if result.status == "graded":
                    (target / f"{name}.ipynb").write_bytes(result.notebook)
                elif result.status == "grader_failed" and (folder / f"{name}.ipynb").is_file():
                    earlier[name] = (folder / f"{name}.ipynb").read_bytes()
                    (target / f"{name}.ipynb").write_bytes(earlier[name])
                    _mark_of_failure(target / f"{name}.ipynb").write_text(f"{result.message}\n")
            marks = {name: _marks(results.get(name), name in earlier) for name in self._materials}
            self._recorder.record(student, submission.timestamp, marks)
        return earlier

    def _outcome(self, student: str, name: str, result: Result, earlier: bytes | None) -> Outcome:
        message, cells = result.message, result.cells
        if result.status == "unreadable":
            message += ". It gets 0 points and is flagged for a person."
        elif result.status == "grader_failed":
            kept = worker.read_kept(earlier) if earlier is not None else None
            cells = kept[0] if kept else ()
            stays = "Its earlier scores stay" if earlier is not None else "It has no score and is flagged for a person"
            message += f". {stays}; the next run grades it again."
        common = {"wall_s": result.wall_s, "repairs": result.repairs, "warnings": result.warnings, "points": self._points(name)}
        return Outcome(student, self._assignment, name, result.status, message, cells=cells, **common)

    def _missing(self, student: str, name: str) -> Outcome:
        return Outcome(student, self._assignment, name, "missing", "not handed in", points=self._points(name))

    def _points(self, name: str) -> float:
        return sum(cell.points for cell in self._materials[name].master.cells)

    def _folder(self, step: str, student: str) -> Path:
        return Path(self._course.format_path(step, student, self._assignment))


def _mark_of_failure(notebook: Path) -> Path:
    """Return the file that says of an executed notebook that the grader failed on a later version of it."""
    return notebook.with_name(f".{notebook.stem}.grader_failed")


def _marks(result: Result | None, keeps_earlier: bool) -> NotebookMarks:
    if result is None:
        return NotebookMarks("missing")
    if result.status == "graded":
        return NotebookMarks("graded", result.marks or Marks())
    comment = GRADER_FAILED if result.status == "grader_failed" else f"This notebook cannot be graded: {result.message}. A person looks at it."
    return NotebookMarks(result.status, comment=comment, keeps_earlier=keeps_earlier)


def _failed_by_us(error: BaseException) -> Result:
    ended = isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"  # Dask's, which need not be there
    known = isinstance(error, PenaltyError)
    why = "its worker has ended, perhaps for want of memory" if ended else str(error) if known else f"{type(error).__name__}: {error}"
    return Result("grader_failed", f"the grader failed on it ({why})")


def _read_bytes(path: Path) -> bytes:
    """Return a file's bytes, if it is a regular file: no link is followed."""
    if not path.exists() and not path.is_symlink():
        raise FileNotFoundError
    if not stat.S_ISREG(path.lstat().st_mode):
        raise SubmissionError("the notebook is a link or no regular file")
    return path.read_bytes()
