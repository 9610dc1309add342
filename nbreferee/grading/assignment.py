"""nbreferee autograde: what a class has handed in, through an executor of workers, into
`autograded/` and the gradebook.

This process alone reads submissions and writes results, a submission at a time: its notebooks go to
a folder aside, its scores to the gradebook in one transaction, and then the folder takes its place
at once. What is killed in between leaves the folder aside, and is graded again by the next run,
which skips all else that has not changed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from nbreferee.budget import Budget
from nbreferee.course.folders import students_in, submissions_folder
from nbreferee.course.locate import CourseError, source_assignments
from nbreferee.engine.assignment_files import own_folder
from nbreferee.grading.atomic import is_unfinished
from nbreferee.grading.changes import Comparison, compare
from nbreferee.grading.class_solutions import ClassSolution, SolutionFolders, solve
from nbreferee.grading.earlier import read_metadata
from nbreferee.grading.gradebook import Recorder
from nbreferee.grading.interrupts import uninterrupted
from nbreferee.grading.materials import read_materials
from nbreferee.grading.outcome import Failures, NotebookOutcome
from nbreferee.grading.pool import Workers
from nbreferee.grading.storing import MISSING, Submission, SubmissionWriter, mark_of_failure
from nbreferee.grading.task import NeedsFiles, Task, TaskAnswer, TaskResult
from nbreferee.grading.times import read_times, write_times
from nbreferee.submission.candidates import choose_files
from nbreferee.submission.folder import FolderError, SubmissionFolder, notes_on, read_folder
from nbreferee.submission.reading import well_formed
from nbreferee.verdicts import NotebookResult


def expected(
    course: CourseDirectory, assignments: Collection[str] = (), students: Collection[str] = ()
) -> dict[str, list[str]]:
    """Return whose submissions to which assignments there are to grade: those wanted, or all.

    Raises
    ------
    CourseError
        where an assignment is unknown, or a student who is wanted has handed in none, or not each
        that is wanted, too.
    """
    _refuse_unreadable(submissions_folder(course))
    found = {
        name: students_in(course, course.submitted_directory, name)
        for name in source_assignments(course, assignments)
    }
    wanted = found if assignments else {" or ".join(found): sorted(set().union(*found.values()))}
    for student in students:
        for name, there in wanted.items():
            if student not in there:
                raise CourseError(
                    f"{submissions_folder(course)}: nothing from {student} for {name}. "
                    f"{_names_like(student, there)}"
                )
    chosen = {
        name: [one for one in students if one in there] if students else there
        for name, there in found.items()
    }
    return {name: some for name, some in chosen.items() if some or assignments}


def _refuse_unreadable(folder: Path) -> None:
    try:
        os.scandir(folder).close()
    except FileNotFoundError:  # nobody has handed in
        return
    except OSError as error:
        raise CourseError(
            f"{folder}: submissions cannot be read ({error.strerror}). Make it a folder that you "
            "may read."
        ) from None


def _names_like(name: str, there: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, there, n=1)
    return (
        f"Did you mean {close[0]}?"
        if close
        else f"Handed in by: {', '.join(there[:20]) or 'nobody'}."
    )


@contextlib.contextmanager
def alone(
    course: CourseDirectory, waiting: Callable[[], None], *, reads_only: bool = False
) -> Iterator[None]:
    """Keep other graders out of a course; if there is one, call `waiting` and wait for its end.

    With `reads_only`, others may read at the same time, and no lock file is made: without one,
    nobody has graded here.
    """
    path = Path(course.root) / ".nbreferee.lock"
    if reads_only and not path.exists():
        yield
        return
    with path.open("r" if reads_only else "w") as lock:
        how = fcntl.LOCK_SH if reads_only else fcntl.LOCK_EX
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except OSError:
            waiting()
            fcntl.flock(lock, how)
        yield


@dataclass(frozen=True)
class GradingOptions:
    """How to grade."""

    budget: Budget
    stamp: str = ""  # why there is no sandbox
    force: bool = False  # grade again what has not changed
    preview: bool = False  # write nothing, and compare with what is there


class AssignmentGrader:
    """Grades the submissions to one assignment; reports the result of each notebook."""

    def __init__(
        self,
        course: CourseDirectory,
        gradebook: Gradebook,
        assignment: str,
        workers: Workers,
        manner: GradingOptions,
        done: Callable[[NotebookOutcome], None],
    ) -> None:
        self._course = course
        self._assignment = assignment
        self._materials = read_materials(course, gradebook, assignment, preview=manner.preview)
        self._recorder = Recorder(gradebook, course, assignment)
        self._failures = Failures()
        self._store = SubmissionWriter(
            course, self._recorder, assignment, self._materials, self._failures
        )
        self._workers = workers
        self._manner = manner
        self._done = done
        self._solutions: dict[str, ClassSolution] = {}  # by notebook
        self._running: dict[Future[Any], tuple[Submission, str]] = {}
        self.writing_s = 0.0  # spent on the gradebook and on files

    def run(self, students: Iterable[str]) -> None:
        """Grade the submissions of students."""
        students = list(students)
        if students:
            self._solutions = self._solve(len(students))
        for student in students:
            submission = self._read(student)
            self._read_earlier(submission)
            if unchanged := [] if self._manner.force else self._unchanged(submission):
                for outcome in unchanged:
                    self._done(outcome)
                continue
            while (
                self._running
                and len(self._running) + len(submission.tasks) > self._workers.in_flight
            ):
                self._collect()
            for name, task in submission.tasks.items():
                self._running[self._workers.submit(self._workers.grade, task)] = submission, name
            if not submission.tasks:
                self._write(submission)
        while self._running:
            self._collect()

    def _solve(self, students: int) -> dict[str, ClassSolution]:
        manner, kept = self._manner, Path(self._course.root) / ".nbreferee"
        folders = SolutionFolders(kept, own_folder() if manner.preview else kept)
        return solve(
            self._materials,
            self._assignment,
            manner.budget,
            manner.stamp,
            self._workers,
            folders,
            students=students,
        )

    def _read(self, student: str) -> Submission:
        """Read a submission; where that fails, all of its notebooks have their result."""
        submission = Submission(student)
        try:
            if student != well_formed(student):
                submission.is_recordable = False
                raise FolderError(
                    "the name of the student's folder is not UTF-8, so the gradebook cannot hold "
                    "it. Rename the folder to the student's id"
                )
            ours = next(iter(self._materials.values())).files
            bounds = (
                1000 * self._course.max_file_size,
                1000 * self._course.max_dir_size,
            )  # which nbgrader has in thousands of bytes
            found = read_folder(
                self._folder(self._course.submitted_directory, student),
                self._course.ignore,
                ours.outranks,
                *bounds,
            )
            self._prepare(submission, found)
        except FolderError as error:
            unreadable = TaskResult(NotebookResult("unreadable", str(error)))
            submission.results = dict.fromkeys(self._materials, unreadable)
        except Exception as error:
            submission.tasks = {}
            submission.results = {name: self._failures.result(error) for name in self._materials}
        return submission

    def _prepare(self, submission: Submission, found: SubmissionFolder) -> None:
        """Make the tasks of a submission that has been read."""
        submission.files = found.files
        submission.timestamp, submission.is_timestamp_unknown = (
            found.timestamp,
            bool(found.timestamp_fault),
        )
        submission.notes += notes_on(found, self._materials)
        choice = choose_files(
            found.notebooks,
            {name: material.originals for name, material in self._materials.items()},
        )
        submission.notes += [repair for repairs in choice.repairs.values() for repair in repairs]
        for name, material in self._materials.items():
            if name in choice.files:
                manner, due = self._manner, self._recorder.due
                reads_notebooks = any(
                    b".ipynb" in data for data in (material.data, *found.notebooks.values())
                )
                files = {**found.files, **found.notebooks} if reads_notebooks else found.files
                task = (
                    submission.student,
                    self._assignment,
                    name,
                    material,
                    found.notebooks[choice.files[name]],
                    files,
                )
                known = self._solutions[name]
                submission.tasks[name] = Task(
                    *task,
                    manner.budget,
                    manner.stamp,
                    due,
                    known.calibration,
                    solution=known.file,
                )
            elif (path := f"{name}.ipynb") in found.unread:
                why = f"{path} cannot be read: {found.unread[path]}"
                submission.results[name] = TaskResult(NotebookResult("unreadable", why))
            elif name in choice.problems:
                why = choice.problems[name]
                submission.results[name] = TaskResult(NotebookResult("unreadable", why))

    def _read_earlier(self, submission: Submission) -> None:
        """Read what earlier runs made of the notebooks of a submission."""
        folder = self._folder(self._course.autograded_directory, submission.student)
        for name in self._materials:
            with contextlib.suppress(OSError):
                data = (folder / f"{name}.ipynb").read_bytes()
                found = read_metadata(data)
                if found is not None:
                    submission.earlier[name] = found
                if found is not None and name in submission.tasks and not self._manner.force:
                    task = submission.tasks[name]
                    submission.tasks[name] = dataclasses.replace(task, earlier=data)

    def _unchanged(self, submission: Submission) -> list[NotebookOutcome]:
        """Return what earlier runs made of a submission, where that is complete and nothing has
        changed since; else nothing.
        """
        folder = self._folder(self._course.autograded_directory, submission.student)
        if not submission.tasks or is_unfinished(folder):
            return []
        found = []
        for name in self._materials:
            path, task = folder / f"{name}.ipynb", submission.tasks.get(name)
            if task is None and name not in submission.results and not _is_there(path):
                found.append(self._missing(submission, name))
                continue
            earlier = submission.earlier.get(name)
            if earlier is None or task is None or earlier.fingerprint != task.fingerprint:
                return []
            if _is_there(mark_of_failure(path)):
                return []
            skipped = dataclasses.replace(earlier.result, status="skipped")
            notes = tuple(submission.notes)
            found.append(
                NotebookOutcome(submission.student, self._assignment, name, skipped, notes)
            )
        cells = {one.notebook: one.cells for one in found if one.status == "skipped"}
        return found if self._recorder.holds(submission.student, cells) else []

    def _collect(self) -> None:
        """Wait for a result, and write the submissions that are complete."""
        broken: list[tuple[Submission, str]] = []
        touched: dict[str, Submission] = {}
        for future in self._workers.finished(self._running):
            submission, name = self._running.pop(future)
            touched[submission.student] = submission
            error = future.exception()
            if isinstance(error, BrokenExecutor):
                broken.append((submission, name))
            elif error is not None:
                submission.results[name] = self._failures.result(error)
            elif isinstance(answer := future.result(), NeedsFiles):
                task = submission.tasks[name]
                self._workers.deliver(answer.worker, task.material.files)
                self._running[self._workers.submit(self._workers.grade, task)] = submission, name
            else:
                assert isinstance(answer, TaskResult), "the task says how cells are judged"
                submission.results[name] = answer
        if broken:  # a worker has died, and one of those that were running is why
            broken.extend(self._running.values())
            self._running.clear()
            for submission, name in broken:
                touched[submission.student] = submission
                submission.results[name] = self._alone(submission.tasks[name])
        for submission in touched.values():
            if submission.tasks.keys() <= submission.results.keys():
                self._write(submission)

    def _alone(self, task: Task) -> TaskResult:
        """Have a task done that may be why a worker has died."""
        try:
            answer: TaskAnswer = self._workers.submit(self._workers.grade, task).result()
            assert isinstance(answer, TaskResult), "a worker on this machine has all files"
            return answer
        except Exception as error:
            return self._failures.result(error)

    def _write(self, submission: Submission) -> None:
        started = time.monotonic()
        with uninterrupted():
            earlier = {} if self._manner.preview else self._store.write(submission)
            if submission.is_recordable and not self._manner.preview:
                place = self._course, self._assignment, submission.student
                before = read_times(*place)  # of cells that were not run this time
                times = {
                    name: {**before.get(name, {}), **dict(one.result.cost.cell_walls)}
                    for name, one in submission.results.items()
                }
                write_times(*place, times)
            self.writing_s += time.monotonic() - started
            for name in self._materials:
                self._done(self._outcome(submission, name, earlier.get(name)))

    def _outcome(self, submission: Submission, name: str, earlier: bytes | None) -> NotebookOutcome:
        """Return what a person is told of a notebook; `earlier` is the executed one that stays."""
        if name not in submission.results:
            return self._missing(submission, name)
        result = submission.results[name].result
        message, cells = result.message, result.cells
        if result.status == "unreadable":
            message += (
                ". It gets 0 points and is flagged for a person."
                if submission.is_recordable
                else ". Nothing is written for it."
            )
        elif result.status == "grader_failed" and not submission.is_recordable:
            message += ". Nothing is written for it; the next run grades it again."
        elif result.status == "grader_failed":
            kept = read_metadata(earlier) if earlier is not None else None
            cells = kept.result.cells if kept else ()
            stays = (
                "Its earlier scores stay"
                if earlier is not None
                else "It has no score and is flagged for a person"
            )
            message += f". {stays}; the next run grades it again."
        result = dataclasses.replace(result, message=message, cells=cells)
        return self._as_outcome(submission, name, result)

    def _missing(self, submission: Submission, name: str) -> NotebookOutcome:
        return self._as_outcome(submission, name, MISSING)

    def _as_outcome(
        self, submission: Submission, name: str, result: NotebookResult
    ) -> NotebookOutcome:
        return NotebookOutcome(
            submission.student,
            self._assignment,
            name,
            result,
            tuple(submission.notes),
            self._points(name),
            self._comparison(submission, name),
        )

    def _comparison(self, submission: Submission, name: str) -> Comparison | None:
        """Compare what a notebook had before this run with what it gets, if both are known."""
        found, task = submission.results.get(name), submission.tasks.get(name)
        result = found.result if found else MISSING
        points = self._recorder.old_scores(submission.student, name)
        if not points or result.status == "grader_failed":
            return None
        earlier = submission.earlier.get(name)
        before = earlier.result.cells if earlier else ()
        same = earlier.is_of(task.submission if task else None) if earlier else task is None
        return compare(before, result, points, is_same_submission=same)

    def _points(self, name: str) -> float:
        return sum(cell.points for cell in self._materials[name].master.cells)

    def _folder(self, step: str, student: str) -> Path:
        return Path(self._course.format_path(step, student, self._assignment))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
