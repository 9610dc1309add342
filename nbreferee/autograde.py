"""nbreferee autograde: the submissions of a course, one after another, into `autograded/` and the gradebook."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties

from nbreferee.course import CourseError, gradebook_writer
from nbreferee.gradebook import begin_submission, is_recorded, record, record_missing, released_cells
from nbreferee.grading import CellVerdict, Grader, Material, as_bytes, beside, plain_verdict, read_files
from nbreferee.intake import SubmissionError
from nbreferee.master import MasterError, read_master


@dataclass(frozen=True)
class Outcome:
    """What came of one notebook of one submission."""

    student: str
    assignment: str
    notebook: str
    status: str  # 'graded', 'skipped' (nothing has changed), 'missing' or 'failed'
    message: str = ""
    wall_s: float = 0.0
    repairs: tuple[str, ...] = ()
    cells: tuple[CellVerdict, ...] = ()
    warnings: tuple[str, ...] = field(default=(), repr=False)

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` writes it."""
        return {
            "student": self.student, "assignment": self.assignment, "notebook": self.notebook, "status": self.status,
            "score": sum(cell.score for cell in self.cells), "max_score": sum(cell.max_score for cell in self.cells),
            "wall_s": round(self.wall_s, 4), "repairs": list(self.repairs), "cells": [plain_verdict(cell) for cell in self.cells],
            "message": self.message,
        }  # fmt: skip


def read_materials(course: CourseDirectory, gradebook: Gradebook, assignment: str) -> dict[str, Material]:
    """Return what it takes to grade the notebooks of an assignment, by name.

    Raises
    ------
    CourseError
        where a master cannot be used, or is not the one that students got.
    """
    folder = Path(course.format_path(course.source_directory, ".", assignment))
    files = read_files(folder, follow_links=True)
    materials = {}
    for path in sorted(folder.glob("*.ipynb")):
        try:
            master = read_master(path)
        except MasterError as error:
            raise CourseError(str(error)) from None
        released = released_cells(gradebook, assignment, master.name)
        changed = [c.grade_id for c in master.cells if c.grade_id and not c.solution and c.locked and released.get(c.grade_id, None) is None]
        changed += [c.grade_id for c in master.cells if c.grade_id in released and c.locked and not c.solution and released[c.grade_id].source != c.source]
        if changed:
            raise CourseError(f"{path}: cell {changed[0]} is not what students got. Run nbgrader generate_assignment {assignment} --force, then grade.")
        materials[master.name] = Material(master, released, files)
    if not materials:
        raise CourseError(f"{folder}: no notebooks here. Put the instructor's version there.")
    return materials


def submitted_by(course: CourseDirectory, assignment: str, students: Iterable[str] = ()) -> list[str]:
    """Return who has handed in an assignment: those wanted, or all.

    Raises
    ------
    CourseError
        where one who is wanted has not.
    """
    pattern = Path(course.format_path(course.submitted_directory, "*", assignment))
    base = Path(course.format_path(course.submitted_directory, ".", ".")).resolve()
    there = sorted(path.relative_to(base).parts[0] for path in base.glob(str(Path("*") / assignment)) if path.is_dir())
    for student in students:
        if student not in there:
            raise CourseError(f"{pattern}: nothing from {student}. Handed in by: {', '.join(there[:20]) or 'nobody'}.")
    return list(students) or there


class Autograding:
    """Grades submissions of a course; use it in a `with` for as long as the gradebook is open."""

    def __init__(self, course: CourseDirectory, grader: Grader, force: bool = False) -> None:
        self._course = course
        self._grader = grader
        self._force = force

    def run(self, assignment: str, students: Iterable[str], done: Callable[[Outcome], None]) -> None:
        """Grade the submissions of students in an assignment, and say of each notebook what came of it."""
        with gradebook_writer(self._course) as gradebook:
            materials = read_materials(self._course, gradebook, assignment)
            for student in submitted_by(self._course, assignment, students):
                for outcome in self._submission(gradebook, materials, assignment, student):
                    done(outcome)

    def _submission(self, gradebook: Gradebook, materials: dict[str, Material], assignment: str, student: str) -> Iterator[Outcome]:
        course = self._course
        handed_in = Path(course.format_path(course.submitted_directory, student, assignment))
        files = read_files(handed_in, follow_links=False)
        marks = {name: self._fingerprint(material, handed_in / f"{name}.ipynb", files) for name, material in materials.items()}
        earlier = [] if self._force else list(self._earlier(gradebook, assignment, student, marks))
        if len(earlier) == len(materials):
            yield from earlier
            return
        begin_submission(gradebook, course, assignment, student)
        with _written_aside(Path(course.format_path(course.autograded_directory, student, assignment))) as target:
            for name, data in beside(files, next(iter(materials.values())).files).items():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (target / name).write_bytes(data)
            for name, material in materials.items():
                common = {"student": student, "assignment": assignment, "notebook": name}
                started = time.monotonic()
                try:
                    data = _read_bytes(handed_in / f"{name}.ipynb")
                    graded = self._grader.grade(material, data, files)
                except FileNotFoundError:
                    record_missing(gradebook, assignment, student, name)
                    yield Outcome(**common, status="missing", message="not handed in")
                except SubmissionError as error:
                    record_missing(gradebook, assignment, student, name)
                    yield Outcome(**common, status="failed", message=str(error), wall_s=time.monotonic() - started)
                else:
                    kept = {"fingerprint": marks[name], "repairs": list(graded.repairs), "cells": [plain_verdict(cell) for cell in graded.cells]}
                    graded.notebook.metadata["nbreferee"] = kept
                    (target / f"{name}.ipynb").write_bytes(as_bytes(graded.notebook))
                    record(gradebook, assignment, student, name, graded.notebook, self._grader.stamp)
                    self._penalise(assignment, student, name, graded.notebook)
                    wall_s = time.monotonic() - started
                    yield Outcome(**common, status="graded", wall_s=wall_s, repairs=graded.repairs, cells=graded.cells, warnings=graded.warnings)

    def _fingerprint(self, material: Material, notebook: Path, files: dict[str, bytes]) -> str:
        """Return a name for all that the verdicts on a submission depend on."""
        digest = hashlib.sha256(repr((material.key, self._grader.warm.budget.as_plain(), self._grader.stamp)).encode())
        with contextlib.suppress(OSError, SubmissionError):
            digest.update(_read_bytes(notebook))
        for name, data in sorted(files.items()):
            digest.update(f"{name} {len(data)} ".encode() + data)
        return digest.hexdigest()

    def _earlier(self, gradebook: Gradebook, assignment: str, student: str, marks: dict[str, str]) -> Iterator[Outcome]:
        """Yield what earlier runs made of a submission, where nothing has changed since."""
        folder = Path(self._course.format_path(self._course.autograded_directory, student, assignment))
        for name, mark in marks.items():
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                kept = json.loads((folder / f"{name}.ipynb").read_bytes())["metadata"]["nbreferee"]
                if kept["fingerprint"] == mark and is_recorded(gradebook, assignment, student, name):
                    cells = tuple(CellVerdict(**cell) for cell in kept["cells"])
                    yield Outcome(student, assignment, name, "skipped", repairs=tuple(kept["repairs"]), cells=cells)

    def _penalise(self, assignment: str, student: str, notebook: str, executed: Any) -> None:
        """Let nbgrader, or the course's plugin, take something off for lateness."""
        resources = {"nbgrader": {"notebook": notebook, "assignment": assignment, "student": student, "db_url": self._course.db_url}}
        AssignLatePenalties(config=self._course.config).preprocess(executed, resources)


def _read_bytes(path: Path) -> bytes:
    """Return a file's bytes, if it is a regular file: no link is followed."""
    if not path.exists() and not path.is_symlink():
        raise FileNotFoundError
    if not stat.S_ISREG(path.lstat().st_mode):
        raise SubmissionError("the notebook is a link or no regular file")
    return path.read_bytes()


@contextlib.contextmanager
def _written_aside(target: Path) -> Iterator[Path]:
    """Lend a new folder that takes the place of `target` when all is written."""
    aside = target.with_name(f".{target.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        yield aside
        for path in aside.rglob("*"):
            if path.is_file():
                os.chmod(path, 0o444)
        if target.exists():
            shutil.rmtree(target)
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
