"""What `import nbreferee` offers: grade one notebook, grade a course, verify a course's tests.

    import nbreferee

    grade = nbreferee.grade_notebook("submitted/anna/ps1/one.ipynb", "source/ps1/one.ipynb")
    print(grade.score, [cell.message for cell in grade.cells if cell.status == "failed"])

Everything that goes wrong with a course raises `Error`, whose text says where, what, and what to
do. What is wrong with a submission is in its grade.
"""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    from nbreferee.grading.notebook import NotebookMaterial
    from nbreferee.submission.originals import Released
    from nbreferee.verdicts import CellVerdict

__all__ = [
    "CellGrade",
    "Error",
    "Finding",
    "NotebookGrade",
    "grade_course",
    "grade_notebook",
    "verify_course",
]

PathLike = str | os.PathLike[str]


class Error(Exception):
    """A course or machine that cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class CellGrade:
    """The verdict on one cell."""

    grade_id: str
    status: str  # passed, partial, failed, error, timeout, manual or grader_failed
    score: float | None  # None: a person has to read it
    max_score: float
    message: str  # why it lost points, as the student reads it


@dataclass(frozen=True)
class NotebookGrade:
    """The result of one notebook of one submission."""

    notebook: str
    status: str  # graded, skipped (unchanged since), missing, unreadable or grader_failed
    cells: tuple[CellGrade, ...] = ()
    message: str = ""  # why it is not graded
    repairs: tuple[str, ...] = ()  # what had to be put right in the notebook first
    student: str = ""
    assignment: str = ""

    @property
    def score(self) -> float:
        """The points of all cells that have a score."""
        return sum(cell.score or 0.0 for cell in self.cells)

    @property
    def max_score(self) -> float:
        """The points that there are."""
        return sum(cell.max_score for cell in self.cells)

    @property
    def needs_person(self) -> bool:
        """Whether a person has to read something in it."""
        return self.status in ("unreadable", "grader_failed") or any(
            cell.score is None for cell in self.cells
        )


@dataclass(frozen=True)
class Finding:
    """Something to mend in a course's tests."""

    assignment: str
    notebook: str
    cell: str  # its grade id; empty: the whole notebook
    reason: str
    diff: str = ""  # the answer that the tests judge wrongly


def grade_notebook(
    submission: PathLike | bytes, source: PathLike, files: Mapping[str, bytes] | None = None
) -> NotebookGrade:
    """Grade one submission; nothing is written anywhere.

    Parameters
    ----------
    submission
        The student's notebook: a path, or its bytes.
    source
        The instructor's version, with solutions and hidden tests. Other files in its folder are
        there when cells run. If it lies in a course, the course's nbgrader_config.py holds.
    files
        Other files that the student has handed in, by name.

    Raises
    ------
    Error
        where the instructor's notebook cannot be used, or this machine has no sandbox.
    """
    path = Path(source)
    with _errors():
        from nbreferee.course.settings import NbReferee
        from nbreferee.engine.processes import WarmProcesses
        from nbreferee.grading.notebook import Grader
        from nbreferee.submission.reading import SubmissionError

        data = submission if isinstance(submission, bytes) else Path(submission).read_bytes()
        material, config = _material(path)
        with WarmProcesses(NbReferee(config=config).budget()) as warm:
            try:
                graded = Grader(warm).grade(material, data, files or {})
            except SubmissionError as error:
                return NotebookGrade(path.stem, "unreadable", message=str(error))
        cells = tuple(_cell_grade(cell) for cell in graded.cells)
        return NotebookGrade(path.stem, "graded", cells, repairs=tuple(graded.repairs))


def grade_course(
    course_dir: PathLike = ".",
    assignments: Collection[str] = (),
    students: Collection[str] = (),
    jobs: int | None = None,
    force: bool = False,
) -> tuple[NotebookGrade, ...]:
    """Grade a class as `nbreferee autograde` does: into autograded/ and the gradebook.

    In a script, call it below `if __name__ == "__main__":`, for its workers import the script.

    Parameters
    ----------
    course_dir
        The course's folder.
    assignments, students
        The only ones to grade; by default, all.
    jobs
        How many notebooks to grade at once; by default, one for each core.
    force
        Whether to grade again what has not changed.

    Raises
    ------
    Error
        where the course cannot be graded. What was graded before is kept.
    """
    with _errors():
        from nbreferee.course.locate import gradebook_writer
        from nbreferee.course.settings import NbReferee
        from nbreferee.grading.assignment import AssignmentGrader, GradingOptions, alone, expected
        from nbreferee.grading.outcome import NotebookOutcome
        from nbreferee.grading.pool import local_workers

        course = _course(Path(course_dir))
        options = GradingOptions(NbReferee(config=course.config).budget(), force=force)
        outcomes: list[NotebookOutcome] = []
        workers = local_workers(jobs, grade=True)
        try:
            with alone(course, lambda: None), gradebook_writer(course) as gradebook:
                for name, some in expected(course, assignments, students).items():
                    AssignmentGrader(
                        course, gradebook, name, workers, options, outcomes.append
                    ).run(some)
        except BaseException:
            workers.stop()
            raise
        finally:
            workers.close()
    return tuple(
        NotebookGrade(
            one.notebook,
            one.status,
            tuple(_cell_grade(cell) for cell in one.cells),
            one.message,
            (*one.repairs, *one.notes),
            one.student,
            one.assignment,
        )
        for one in outcomes
    )


def verify_course(
    course_dir: PathLike = ".", assignments: Collection[str] = (), jobs: int | None = None
) -> tuple[Finding, ...]:
    """Try answers on the tests of a course as `nbreferee verify` does; return what to mend.

    Parameters
    ----------
    course_dir
        The course's folder.
    assignments
        The only ones to verify; by default, all.
    jobs
        How many trials run at once; by default, one for each core.

    Raises
    ------
    Error
        where the course cannot be read.
    """
    with _errors():
        from nbreferee.course.locate import source_assignments
        from nbreferee.verify import course_release, trial_processes, verify_assignment

        course = _course(Path(course_dir))
        names = source_assignments(course, assignments)
        release = course_release(course)
        with trial_processes(course, jobs) as processes:
            return tuple(
                Finding(one.assignment, one.notebook, found.cell, found.reason, found.diff)
                for name in names
                for one in verify_assignment(course, name, release, processes)
                for found in one.findings
            )


def _cell_grade(cell: CellVerdict) -> CellGrade:
    score = None if cell.is_left_to_a_person else cell.score
    return CellGrade(cell.grade_id, cell.status, score, cell.max_score, cell.message)


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    """Raise what a caller can expect as `Error`."""
    from nbreferee.course.locate import CourseError
    from nbreferee.course.settings import SandboxError
    from nbreferee.course.source import MasterError

    try:
        yield
    except (CourseError, MasterError, SandboxError) as error:
        raise Error(str(error)) from error
    except OSError as error:
        raise Error(f"{error.filename or 'a file'}: {error.strerror or error}.") from error


def _course(folder: Path) -> CourseDirectory:
    from nbreferee.course.locate import open_course

    return open_course(folder)


def _material(path: Path) -> tuple[NotebookMaterial, Config]:
    """Return what it takes to grade submissions to a notebook, and its course's configuration."""
    from dataclasses import replace

    from traitlets.config import Config

    from nbreferee.course.configuration import NAME
    from nbreferee.course.nbgrader_settings import excluded_files, read_rules
    from nbreferee.course.notebook import read_course_notebook
    from nbreferee.course.settings import NbReferee
    from nbreferee.grading.course_files import read_assignment_files, read_excluded
    from nbreferee.grading.notebook import NotebookMaterial

    absolute = path.absolute()
    root = next((one for one in absolute.parents if (one / f"{NAME}.py").is_file()), None)
    course = _course(root) if root else None
    config = course.config if course else Config()
    ours = NbReferee(config=config)
    rules = replace(
        read_rules(config), one_process=ours.one_process_cells, follow_through=ours.follow_through
    )
    data = read_course_notebook(course, absolute, rules) if course else absolute.read_bytes()
    folder = absolute.parent
    excluded = excluded_files(config, folder.name)
    files = (
        read_assignment_files(folder, course.ignore, course.include, excluded)
        if course
        else read_assignment_files(folder, ())
    )
    released = _released(path, data, config)
    material = NotebookMaterial(
        str(path), data, released, files, rules, read_excluded(folder, excluded)
    )
    return material, config


def _released(path: Path, data: bytes, config: Config) -> dict[str, Released]:
    """Return the cells that nbgrader knows as it records them for a release."""
    from nbgrader.preprocessors import ClearSolutions
    from nbgrader.utils import compute_checksum

    from nbreferee.course.nbgrader_settings import read_rules
    from nbreferee.course.source import parse_master
    from nbreferee.submission.originals import Released

    notebook = copy.deepcopy(parse_master(path, data, read_rules(config).delimiters).notebook)
    cleared, _ = ClearSolutions(config=config).preprocess(notebook, {})
    return {
        cell.metadata.nbgrader.grade_id: Released(cell.source, compute_checksum(cell))
        for cell in cleared.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id")
    }
