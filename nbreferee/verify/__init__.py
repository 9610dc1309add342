"""nbreferee verify: are the tests of a course any good?

For every notebook of an assignment, in a process of its own (`Examination`), the solution must earn
everything and the release nothing; lazy answers earn nothing; every mutant of a solution loses a
point; right answers written otherwise keep all; every mistake that a test names is told by its own
sentence. What can be seen by reading alone is in `soundness`.

An instructor may keep two files beside the assignment's folder, where nbgrader never releases them:
`source/NOTEBOOK.alternatives.py`, right answers in Jupytext's percent format, each cell titled with
the grade id it answers; and `source/NOTEBOOK.equivalent.toml`, mutants that cannot be told from the
solution, each a table `[[mutant]]` of cell, was, now and reason. A third,
`source/NAME.forbidden.toml`, lists forms of answers that the release must not show (see
`forbidden`).
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import shutil
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory

from nbreferee.course.alternatives import read_alternatives
from nbreferee.course.source import Master, MasterError
from nbreferee.verify import soundness
from nbreferee.verify.examine import Beside, Examination, Examined, Exercise, Finding
from nbreferee.verify.forbidden import CourseRelease, FormResult, files_of_nothing, read_forms
from nbreferee.verify.reading import read_course_master
from nbreferee.verify.session import QUIET

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


def verify_assignment(
    course: CourseDirectory,
    assignment: str,
    jobs: int,
    progress: Progress,
    release: CourseRelease,
    forms_only: bool = False,
) -> list[Verified]:
    """Verify every notebook of an assignment, or only look for forbidden forms."""
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
    trials = None if forms_only else (jobs, progress)
    verified = [_verify_notebook(course, assignment, path, release, trials) for path in paths]
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
    trials: tuple[int, Progress] | None,
) -> Verified:
    started = time.monotonic()
    try:
        master, beside = read_course_master(course, path), read_beside(path)
        forms = release.results(read_forms(master))
        found = [Finding(form.exercise, reason) for form in forms for reason in form.reasons]
        examined = _examined(course, master, beside, *trials) if trials else Examined([], [])
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
    course: CourseDirectory, master: Master, beside: Beside, jobs: int, progress: Progress
) -> Examined:
    """Return what reading a notebook and trying answers on it finds."""
    release = soundness.make_release(master, course.config)
    by_reading = list(soundness.findings(master, release, course.config))
    examined = _in_own_process(
        master, {n: c.source for n, c in enumerate(release.cells)}, beside, jobs, progress
    )
    return Examined(examined.exercises, by_reading + examined.findings)


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


def _in_own_process(
    master: Master, release: dict[int, str], beside: Beside, jobs: int, progress: Progress
) -> Examined:
    """Examine a notebook in a fork that starts with the heavy packages loaded."""
    _load_heavy_packages()
    here, there = multiprocessing.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / master.path.parent.name
        shutil.copytree(master.path.parent, folder)
        process = multiprocessing.get_context("fork").Process(
            target=_examine, args=(master, release, beside, folder, jobs, there)
        )
        process.start()
        there.close()
        examined = None
        try:
            while not isinstance(examined, Examined):
                examined = here.recv()
                if isinstance(examined, tuple):
                    progress(str(master.path), *examined)
        except EOFError:
            raise MasterError(
                f"{master.path}: the notebook's process died. Run the notebook in JupyterLab and "
                "see where."
            ) from None
        finally:
            process.join()
    return examined


def _examine(
    master: Master,
    release: dict[int, str],
    beside: Beside,
    folder: Path,
    jobs: int,
    there: Connection,
) -> None:
    examination = Examination(
        master, release, beside, folder, jobs, lambda done, expected: there.send((done, expected))
    )
    there.send(examination.run())


def _load_heavy_packages() -> None:
    """Import what most notebooks import, once, for all forks."""
    before = {name: os.environ.get(name) for name in QUIET}
    os.environ.update(QUIET)  # which NumPy's libraries look at when they are loaded
    try:
        for package in ("IPython.core.interactiveshell", "numpy"):
            importlib.import_module(package)
        with contextlib.suppress(ImportError):
            importlib.import_module("matplotlib.pyplot")
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
