"""nbreferee verify: are the tests of a course any good?

For every notebook of an assignment, graded as `autograde` grades (see `trials`), the solution must
earn everything and the release nothing; lazy answers earn nothing; every mutant of a solution loses
a point; right answers written otherwise keep all; every mistake that a test names is told by its
own sentence. What can be seen by reading alone is in `soundness`.

An instructor may keep two files beside the assignment's folder, where nbgrader never releases them:
`source/NOTEBOOK.alternatives.py`, right answers in Jupytext's percent format, each cell titled with
the grade id it answers; and `source/NOTEBOOK.equivalent.toml`, mutants that cannot be told from the
solution, each a table `[[mutant]]` of cell, was, now and reason. A third,
`source/NAME.forbidden.toml`, lists forms of answers that the release must not show (see
`forbidden`).
"""

from __future__ import annotations

import contextlib
import os
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory

from nbreferee.budget import Budget
from nbreferee.course.alternatives import read_alternatives
from nbreferee.course.settings import NbReferee, SandboxError
from nbreferee.course.source import Master, MasterError
from nbreferee.verify import soundness
from nbreferee.verify.examine import examine
from nbreferee.verify.forbidden import CourseRelease, FormResult, files_of_nothing, read_forms
from nbreferee.verify.reading import make_material, read_course_master
from nbreferee.verify.records import Beside, Examined, Exercise, Finding
from nbreferee.verify.subject import Subject
from nbreferee.verify.trials import TrialProcesses, Trials

__all__ = ["Verified", "course_release", "trial_processes", "verify_assignment"]

Progress = Callable[[str, int, int], None]  # (path of the notebook, done, expected)


@dataclass(frozen=True)
class Verified:
    """The result of verifying one notebook."""

    assignment: str
    notebook: str
    exercises: list[Exercise]
    findings: list[Finding]
    wall_s: float
    forms: list[FormResult] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return all of it, fit for JSON."""
        return asdict(self)


def course_release(course: CourseDirectory) -> CourseRelease:
    """Return what students of a course can read; it is read when the first form is looked for."""
    folder = Path(course.format_path(course.source_directory, ".", "."))
    return CourseRelease(folder, lambda path: _released_cells(course, path))


@contextlib.contextmanager
def trial_processes(course: CourseDirectory, jobs: int | None = None) -> Iterator[TrialProcesses]:
    """Yield what answers are tried in, `jobs` at a time or one per core; it ends with the block."""
    processes = TrialProcesses(_budget(course), jobs or len(os.sched_getaffinity(0)))
    try:
        yield processes
    finally:
        processes.close()


def verify_assignment(
    course: CourseDirectory,
    assignment: str,
    release: CourseRelease,
    processes: TrialProcesses | None,
    progress: Progress = lambda *_: None,
) -> list[Verified]:
    """Verify every notebook of an assignment; without processes, look for forbidden forms alone."""
    folder = Path(course.format_path(course.source_directory, ".", assignment))
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        return [
            Verified(
                assignment,
                assignment,
                [],
                [Finding("", f"{folder}: no notebook. Add one, or remove the folder.")],
                0.0,
            )
        ]
    verified = [
        _verify_notebook(course, assignment, path, release, processes, progress) for path in paths
    ]
    verified[0].findings.extend(Finding("", reason) for reason in files_of_nothing(folder.parent))
    return verified


def _released_cells(course: CourseDirectory, path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield label, type and source of the cells that a student gets."""
    master = read_course_master(course, path)
    for cell, shown in zip(
        master.cells, soundness.make_release(master, course.config).cells, strict=True
    ):
        yield cell.label, shown.cell_type, shown.source


def _verify_notebook(
    course: CourseDirectory,
    assignment: str,
    path: Path,
    release: CourseRelease,
    processes: TrialProcesses | None,
    progress: Progress,
) -> Verified:
    started = time.monotonic()
    try:
        master, beside = read_course_master(course, path), read_beside(path)
        forms = release.results(read_forms(master))
        found = [Finding(form.exercise, reason) for form in forms for reason in form.reasons]
        examined = (
            _examined(course, master, beside, processes, progress)
            if processes
            else Examined([], [])
        )
    except MasterError as error:
        return Verified(
            assignment, path.stem, [], [Finding("", str(error))], time.monotonic() - started
        )
    except Exception as error:  # a fault of ours must not cost the other notebooks
        reason = (
            f"{path}: nbreferee itself failed on it ({type(error).__name__}: {error}). Please "
            "report this."
        )
        return Verified(
            assignment, path.stem, [], [Finding("", reason)], time.monotonic() - started
        )
    for exercise in examined.exercises:
        for form in forms:
            if form.exercise == exercise.name:
                exercise.forms.count(not form.shown)
    return Verified(
        assignment,
        path.stem,
        examined.exercises,
        examined.findings + found,
        time.monotonic() - started,
        forms,
    )


def _examined(
    course: CourseDirectory,
    master: Master,
    beside: Beside,
    processes: TrialProcesses,
    progress: Progress,
) -> Examined:
    """Return what reading a notebook and trying answers on it finds."""
    release = soundness.make_release(master, course.config)
    by_reading = list(soundness.findings(master, release, course.config))
    material = make_material(course, master, release)
    subject = Subject(material, {n: cell.source for n, cell in enumerate(release.cells)}, beside)
    path = str(master.path)
    trials = Trials(processes, material, subject.plugged, lambda *counts: progress(path, *counts))
    examined = examine(subject, trials)
    return Examined(examined.exercises, by_reading + examined.findings)


def _budget(course: CourseDirectory) -> Budget:
    """Return what a submission may cost. No cause of a lost point is looked for, and answers run
    without a sandbox where there is none: they are the instructor's.
    """
    settings = NbReferee(config=course.config)
    try:
        budget = settings.budget()
    except SandboxError:
        budget = settings.budget(unsafe=True)
    return replace(budget, mutants_s=0.0)


def read_beside(path: Path) -> Beside:
    """Read the files beside the assignment's folder.

    Raises
    ------
    MasterError
        where one of them cannot be read.
    """
    equivalents = path.parent.parent / f"{path.stem}.equivalent.toml"
    answers = read_alternatives(path)
    entries: list[dict[str, str]] = []
    if equivalents.is_file():
        try:
            entries = tomllib.loads(equivalents.read_text()).get("mutant", [])
        except tomllib.TOMLDecodeError as error:
            raise MasterError(f"{equivalents}: not TOML ({error}). Mend it.") from None
        if not isinstance(entries, list):
            raise MasterError(
                f"{equivalents}: an entry begins with [[mutant]], in double brackets. Mend it."
            )
        for number, entry in enumerate(entries, 1):
            missing = [
                key
                for key in ("cell", "was", "now", "reason")
                if not str(entry.get(key, "")).strip()
            ]
            if missing:
                raise MasterError(f"{equivalents}: entry {number} has no {missing[0]}. Add it.")
    return Beside(tuple(answers), tuple(entries))
