"""What run_autograder does in Gradescope's container: one submission to results/results.json.

    ROOT/source      what the zip held: this assignment's course folder, and settings.json
    ROOT/submission  what the student handed in
    ROOT/results     where results.json goes

Where the grader itself fails, there is no results.json and the exit status is 1: Gradescope then
says that the autograder failed, nobody gets a zero, and the instructor can run it again.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from traitlets.config import Config

from nbreferee.course.locate import CourseError, gradebook_writer, open_course
from nbreferee.course.settings import NbReferee, SandboxError
from nbreferee.grading.assignment import AssignmentGrader, GradingOptions
from nbreferee.grading.atomic import write_whole
from nbreferee.grading.materials import read_materials
from nbreferee.grading.outcome import NotebookOutcome
from nbreferee.grading.pool import local_workers
from nbreferee.lms.results import Exercise, Visibility, results
from nbreferee.quiet import without_warnings_of

STUDENT = "student"  # there is one
SHARE_OF_TIME = 0.85  # of the platform's limit; the rest starts and ends things
RESERVED_BYTES = 350 << 20  # of the container's memory, for the grader itself
LEAST_BYTES = 256 << 20
DEPTH = 40  # folders within folders


@dataclass(frozen=True)
class Settings:
    """What `nbreferee gradescope` has written beside the course."""

    assignment: str
    minutes: float
    shown: Visibility
    stamp: str

    @classmethod
    def read(cls, path: Path) -> Settings:
        """Read settings.json."""
        found = json.loads(path.read_text())
        return cls(
            found["assignment"],
            found["minutes"],
            Visibility(found["visibility"], found["visibilities"]),
            found["unsafe_no_sandbox"],
        )


def main() -> None:
    """Grade the submission below the root that is the first argument, or /autograder."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else "/autograder")
    sys.exit(run(root))


def run(root: Path) -> int:
    """Grade the submission; return the exit status."""
    with without_warnings_of("nbgrader"):
        return _run(root)


def _run(root: Path) -> int:
    started = time.monotonic()
    settings = Settings.read(root / "source" / "settings.json")
    with tempfile.TemporaryDirectory(prefix="autograder-") as scratch:
        course_dir = Path(scratch) / "course"
        shutil.copytree(root / "source" / "course", course_dir)
        place = course_dir / "submitted" / STUDENT / settings.assignment
        _copy(root / "submission", place)
        try:
            outcomes, exercises = _grade(course_dir, settings)
        except (CourseError, SandboxError) as error:
            return _failed(f"not graded: {error}")
    for warning in dict.fromkeys(warning for one in outcomes for warning in one.result.warnings):
        print(f"Look at this test: {warning}")
    if failed := [one for one in outcomes if one.status == "grader_failed"]:
        return _failed(f"not graded: {failed[0].notebook}: {failed[0].message}")
    found = results(
        outcomes,
        exercises,
        _handed_in(root / "submission"),
        settings.shown,
        time.monotonic() - started,
        settings.stamp,
    )
    (root / "results").mkdir(exist_ok=True)
    write_whole(
        root / "results" / "results.json",
        (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace"),
    )
    print(
        f"{found['score']:g} of {sum(one.points for one in exercises if not one.by_hand):g} "
        "points that are graded automatically."
    )
    return 0


def _copy(source: Path, target: Path, depth: int = DEPTH) -> None:
    """Copy what was handed in: files, folders, and links as links; no pipes and devices, which
    cannot be graded.
    """
    target.mkdir(parents=True)
    for path in sorted(source.iterdir()):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            (target / path.name).symlink_to(os.readlink(path))
        elif stat.S_ISDIR(mode) and depth:
            _copy(path, target / path.name, depth - 1)
        elif stat.S_ISREG(mode):
            shutil.copyfile(path, target / path.name)


def _failed(why: str) -> int:
    print(f"nbreferee: {why}")
    return 1


def _grade(course_dir: Path, settings: Settings) -> tuple[list[NotebookOutcome], list[Exercise]]:
    course = open_course(course_dir)
    found: dict[str, NotebookOutcome] = {}

    def done(outcome: NotebookOutcome) -> None:
        found[outcome.notebook] = outcome

    with gradebook_writer(course) as gradebook:
        materials = read_materials(course, gradebook, settings.assignment)
        exercises = [
            Exercise(name, cell.grade_id, cell.points, not cell.is_test)
            for name, material in materials.items()
            for cell in material.master.cells
            if cell.graded or cell.is_task
        ]
        _fit(course.config, settings.minutes, len(materials))
        budget = NbReferee(config=course.config).budget(unsafe=bool(settings.stamp))
        workers = local_workers(1, grade=True)
        try:
            AssignmentGrader(
                course,
                gradebook,
                settings.assignment,
                workers,
                GradingOptions(budget, settings.stamp),
                done,
            ).run([STUDENT])
        finally:
            workers.close()
    return [found[name] for name in materials], exercises


def _fit(config: Config, minutes: float, notebooks: int) -> None:
    """Keep the course's limits within the container's memory and the platform's time."""
    given = NbReferee(config=config)
    config.NbReferee.submission_s = min(
        given.submission_s, SHARE_OF_TIME * 60 * minutes / max(notebooks, 1)
    )
    config.NbReferee.memory_mb = min(
        given.memory_mb, max(container_bytes() - RESERVED_BYTES, LEAST_BYTES) >> 20
    )


def container_bytes() -> int:
    """Return how much memory the container has, or a large number."""
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(path).read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            return int(text)
    return 1 << 62


def _handed_in(folder: Path) -> list[str]:
    """Return the paths of what was handed in, notebooks first."""
    found: list[str] = []
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(folders)[:20]
        found += [str((Path(where) / name).relative_to(folder)) for name in sorted(names)[:100]]
        if len(found) > 500:
            break
    return sorted(found, key=lambda path: not path.endswith(".ipynb"))


if __name__ == "__main__":
    main()
