"""nbreferee compare: two processes, one process and stock nbgrader, side by side on one course.

All three grade the same class, in a copy of the course: the solution, the release as students get
it, mutants of the solution, and the submissions at hand. Nothing of the course itself is changed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from nbreferee.bench.commands import run
from nbreferee.course.folders import students_in
from nbreferee.course.locate import CourseError, gradebook_writer, open_course
from nbreferee.grading.calibration import Calibration
from nbreferee.grading.materials import read_materials
from nbreferee.grading.notebook import Grader, NotebookMaterial
from nbreferee.mutation import mutants
from nbreferee.submission.folder import read_folder
from nbreferee.verdicts import CellVerdict

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory

SOLUTION, RELEASE, MUTANT, SUBMITTED = "solution", "release", "mutant", "submitted"
STEPS = (
    "submitted",
    "autograded",
    "feedback",
    "release",
    "gradebook.db*",
    ".git",
    ".venv",
    ".nbreferee*",
    "__pycache__",
)
STOCK = """

# Added for the comparison: stock nbgrader grades this copy of the course.
for name in ("sanitize_preprocessors", "autograde_preprocessors"):
    c.Autograde.pop(name, None)
"""


@dataclass(frozen=True)
class Compared:
    """One test cell of one submission, as three graders see it.

    Scores are None where a person decides.
    """

    student: str
    assignment: str
    notebook: str
    grade_id: str
    two: float
    one: float
    ours: CellVerdict
    stock: float | None
    points: float

    @property
    def differs(self) -> bool:
        """Whether the score is another than stock nbgrader's, and no person is asked."""
        return (
            not self.ours.is_left_to_a_person
            and self.stock is not None
            and abs(self.ours.score - self.stock) > 1e-9
        )


@dataclass(frozen=True)
class Comparison:
    """What became of one notebook of the course."""

    assignment: str
    notebook: str
    calibration: Calibration
    cells: tuple[Compared, ...]


def copy_course(course: Path, target: Path) -> CourseDirectory:
    """Copy a course without its submissions and results, for stock nbgrader to grade.

    Raises
    ------
    CourseError
        if the course names its folders or its gradebook by absolute paths, which a copy cannot
        follow.
    """
    shutil.copytree(course, target, ignore=shutil.ignore_patterns(*STEPS), symlinks=True)
    config = target / "nbgrader_config.py"
    config.write_text((config.read_text() if config.is_file() else "c = get_config()\n") + STOCK)
    copied = open_course(target)
    inside = [copied.root, copied.db_url.removeprefix("sqlite:///")]
    if not all(Path(path).is_relative_to(target.resolve()) for path in inside):
        raise CourseError(
            f"{course}: c.CourseDirectory.root or db_url points outside the course's copy "
            f"({', '.join(inside)}). Leave them out of the configuration while you compare."
        )
    return copied


def hand_in(
    course: CourseDirectory, original: CourseDirectory, assignment: str, most_mutants: int
) -> list[str]:
    """Fill the copy's submitted/ with a class; return the students."""
    students = [SOLUTION, RELEASE]
    release = Path(course.format_path(course.release_directory, ".", assignment))
    for student, notebook, answers in _classmates(course, assignment, most_mutants):
        students.append(student)
        _write(course, release, assignment, student, notebook, answers)
    for student in (SOLUTION, RELEASE):
        for path in sorted(release.glob("*.ipynb")):
            _write(
                course,
                release,
                assignment,
                student,
                path.stem,
                {} if student == RELEASE else _solutions(course, assignment, path.stem),
            )
    for name in students_in(original, original.submitted_directory, assignment):
        folder = _submitted(original, name, assignment)
        if folder.is_dir():
            student = f"{SUBMITTED}-{name}"
            students.append(student)
            shutil.copytree(folder, _submitted(course, student, assignment), symlinks=True)
    return students


def _classmates(
    course: CourseDirectory, assignment: str, most: int
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield (student, notebook, answers) of mutants, spread evenly over the answers of each
    notebook.
    """
    from nbreferee.course.source import read_master

    for path in sorted(
        Path(course.format_path(course.source_directory, ".", assignment)).glob("*.ipynb")
    ):
        own = _solutions(course, assignment, path.stem)
        cells = [cell for cell in read_master(path).answers if cell.grade_id]
        found = [
            (cell.grade_id, mutant.source)
            for cell in cells
            for mutant in mutants(cell.source, cell.solution_lines)
        ]
        step = max(1, -(-len(found) // most)) if most else len(found) + 1
        for number, (grade_id, source) in enumerate(found[::step] if most else ()):
            yield f"{MUTANT}-{path.stem}-{number + 1}", path.stem, {**own, grade_id: source}


def _solutions(course: CourseDirectory, assignment: str, notebook: str) -> dict[str, str]:
    path = Path(course.format_path(course.source_directory, ".", assignment)) / f"{notebook}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    known = [(cell.metadata.get("nbgrader", {}), cell.source) for cell in cells]
    return {settings["grade_id"]: source for settings, source in known if settings.get("solution")}


def _submitted(course: CourseDirectory, student: str, assignment: str) -> Path:
    return Path(course.format_path(course.submitted_directory, student, assignment))


def _write(
    course: CourseDirectory,
    release: Path,
    assignment: str,
    student: str,
    notebook: str,
    answers: Mapping[str, str],
) -> None:
    """Write the released files with answers as a submission."""
    target = _submitted(course, student, assignment)
    if not target.exists():
        shutil.copytree(release, target, ignore=shutil.ignore_patterns("*.ipynb"))
    node = nbformat.read(release / f"{notebook}.ipynb", as_version=4)
    for cell in node.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = answers.get(grade_id, cell.source)
    nbformat.write(node, target / f"{notebook}.ipynb")


def compare(
    original: CourseDirectory,
    folder: Path,
    assignment: str,
    grader: Grader,
    most_mutants: int,
    progress: Callable[[str, int], None],
) -> list[Comparison]:
    """Grade a class by all three; call `progress(what, submissions)` before each step: stock
    nbgrader's, and each notebook of ours.

    Raises
    ------
    CourseError
        if the course cannot be graded.
    BenchError
        if nbgrader cannot be run.
    """
    course = copy_course(Path(original.root), folder / assignment)
    root = Path(course.root)
    run(
        ["nbgrader", "generate_assignment", assignment, "--force", "--create", "--log-level=ERROR"],
        root,
    )
    students = hand_in(course, original, assignment, most_mutants)
    progress("stock nbgrader", len(students))
    run(
        ["nbgrader", "autograde", assignment, "--force", "--log-level=CRITICAL"],
        root,
        may_fail=True,
    )
    with gradebook_writer(course) as gradebook:
        stock = _stock_scores(gradebook, assignment)
        materials = read_materials(course, gradebook, assignment)
    found = []
    for name, material in materials.items():
        progress(f"nbreferee, {name},", len(students))
        cells = [
            one
            for student in students
            for one in _graded(grader, course, material, assignment, name, student, stock)
        ]
        found.append(Comparison(assignment, name, grader.calibrate(material), tuple(cells)))
    return found


def _graded(
    grader: Grader,
    course: CourseDirectory,
    material: NotebookMaterial,
    assignment: str,
    name: str,
    student: str,
    stock: Mapping[tuple[Any, ...], float | None],
) -> Iterator[Compared]:
    folder = _submitted(course, student, assignment)
    handed_in = read_folder(folder, course.ignore, material.files.outranks)
    if f"{name}.ipynb" not in handed_in.notebooks:
        return
    ways = grader.both_ways(material, handed_in.notebooks[f"{name}.ipynb"], handed_in.files)
    for verdict, two, one in ways:
        score = stock.get((student, name, verdict.grade_id), 0.0)
        yield Compared(
            student, assignment, name, verdict.grade_id, two, one, verdict, score, verdict.max_score
        )


def _stock_scores(gradebook: Any, assignment: str) -> dict[tuple[str, str, str], float | None]:
    from nbgrader.api import (
        Assignment,
        BaseCell,
        Grade,
        Notebook,
        SubmittedAssignment,
        SubmittedNotebook,
    )
    from sqlalchemy import select

    wanted = (
        select(SubmittedAssignment.student_id, Notebook.name, BaseCell.name, Grade.auto_score)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .where(Assignment.name == assignment)
    )
    return {
        (student, notebook, cell): score
        for student, notebook, cell, score in gradebook.db.execute(wanted)
    }
