"""How long pages for 1,000 students take: python benchmarks/pages.py [STUDENTS] [--jobs N]

The sample class is graded for real; then its executed notebooks are handed out anew, with figures,
outputs and verdicts, each with a line in every answer that nobody else has: no two pages are the
same. Marks go into the gradebook by the grader's own writer.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

COURSE = Path(__file__).parent.parent
BINARIES = Path(sys.executable).parent
ASSIGNMENT = "softmax"


def main() -> None:
    """Make the class, write its pages, and print what that cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("students", nargs="?", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    sys.path.insert(0, str(COURSE / "tests"))
    os.environ["PATH"] = f"{BINARIES}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder)
        shutil.copytree(COURSE / "source" / ASSIGNMENT, course / "source" / ASSIGNMENT)
        shutil.copy(COURSE / "nbgrader_config.py", course)
        _run(course, "nbgrader", "generate_assignment", ASSIGNMENT, "--log-level=ERROR")
        _grade_sample_class(course)
        _make_class(course, options.students)
        print(f"{options.students} graded notebooks of {ASSIGNMENT}, {options.jobs} jobs")
        command = ("nbreferee", "feedback", ASSIGNMENT, "--jobs", str(options.jobs))
        for words in ("all pages", "again, nothing has changed"):
            wall_s, cpu_s = _run(course, *command)
            each = 1000 * cpu_s / options.students
            print(f"{words}: {wall_s:.0f} s, {cpu_s:.0f} s of processor time, {each:.0f} ms a page")
        sizes = [path.stat().st_size for path in (course / "feedback").rglob("*.html")]
        print(f"{len(sizes)} pages, {sum(sizes) / len(sizes) / 1000:.0f} kB each, figures included")


def _run(course: Path, *command: str) -> tuple[float, float]:
    """Run a command of this environment; return its seconds, by the clock and of processors."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    subprocess.run(
        [BINARIES / command[0], *command[1:]], cwd=course, check=True, stdout=subprocess.DEVNULL
    )
    wall_s = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _grade_sample_class(course: Path) -> None:
    from hand_in import submissions

    for (student, assignment, name), notebook in submissions(COURSE).items():
        if assignment == ASSIGNMENT:
            path = course / "submitted" / student / assignment / f"{name}.ipynb"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(notebook))
    _run(course, "nbreferee", "autograde", ASSIGNMENT)


def _make_class(course: Path, count: int) -> None:
    """Hand out executed notebooks anew; the sample class itself leaves."""
    from nbgrader.api import Gradebook

    from nbreferee.course.locate import open_course
    from nbreferee.grading.gradebook import Recorder
    from nbreferee.verdicts import NotebookResult, read_verdict

    folders = [*(course / "autograded").glob(f"*/{ASSIGNMENT}")]
    sample = [json.loads((one / f"{ASSIGNMENT}.ipynb").read_text()) for one in sorted(folders)]
    for name in ("submitted", "autograded", ".nbreferee"):
        shutil.rmtree(course / name, ignore_errors=True)
    configured = open_course(course)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", configured.course_id) as gradebook:
        for student in gradebook.students:
            gradebook.remove_student(student.id)
        recorder = Recorder(gradebook, configured, ASSIGNMENT)
        for n in range(count):
            student = f"student_{n:04}"
            notebook = _changed(sample[n % len(sample)], n)
            folder = course / "autograded" / student / ASSIGNMENT
            folder.mkdir(parents=True)
            (folder / f"{ASSIGNMENT}.ipynb").write_text(json.dumps(notebook, ensure_ascii=False))
            cells = map(read_verdict, notebook["metadata"]["nbreferee"]["cells"])
            recorder.record(
                student, None, {ASSIGNMENT: NotebookResult("graded", cells=tuple(cells))}
            )


def _changed(notebook: dict[str, Any], n: int) -> dict[str, Any]:
    """Return a copy of a notebook with a line of its own in each answer."""
    changed: dict[str, Any] = json.loads(json.dumps(notebook))
    for cell in changed["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            mark = "#" if cell["cell_type"] == "code" else "Student"
            cell["source"] = f"{''.join(cell['source'])}\n{mark} {n}"
    return changed


if __name__ == "__main__":
    main()
