"""How long the report on a class of 2,000 takes: python benchmarks/report.py [STUDENTS]

Nothing is graded. Marks go into the gradebook by the grader's own writer; executed notebooks are
made from answers of the sample class, each changed at random so that no two are one text, with
verdicts drawn at random, messages of the course's kind, and a figure that brings each file to the
size of a real one (270 kB). Three students copy from three others.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COURSE = Path(__file__).parent.parent
BINARIES = Path(sys.executable).parent
ASSIGNMENT = "softmax"
FILE_BYTES = 270_000
CLASS = ("loops", "einsum", "in_place", "float32", "diagonal", "transposed", "unstable")
COPIES = 3
CAUSES = (
    "You subtract the plain sum of g.",
    "You count classes from 1. Here c counts from 0, as Python does.",
    "You take powers of the scores as they are: e^1000 overflows.",
    "every entry is too large by {:.4f}.",
    "",
)
LINES = (
    "    {0} = np.asarray({1}, dtype=float) * {2}",
    "    for {0} in range({2}, len({1}) + {2}):\n        {1} = {1} + {0} * {2}",
    "    if np.max({0}) > {2} and {1} is not None:\n        {0} = {1} - {2}",
    "    {0} = np.exp({1} - np.max({1})) / ({2} + np.sum(np.exp({1})))",
    "    assert {0}.shape[0] >= {2}, 'not {1}'",
)
NAMES = ("a", "total", "scores", "p", "q", "row", "shifted", "value", "k", "rest")


def main() -> None:
    """Make the class, report on it, and print what that cost."""
    sys.path.insert(0, str(COURSE / "tests"))
    os.environ["PATH"] = f"{BINARIES}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder)
        shutil.copytree(COURSE / "source", course / "source")
        shutil.copy(COURSE / "nbgrader_config.py", course)
        _run(course, "nbgrader", "generate_assignment", ASSIGNMENT, "--log-level=ERROR")
        size = _make_class(course, count)
        each = f"{size / count / 1000:.0f} kB each"
        print(f"{count} submissions to {ASSIGNMENT}, {each}; nothing was graded")
        wall_s, cpu_s = _run(
            course, "nbreferee", "report", ASSIGNMENT, "--csv", "points.csv", "--html", "pages"
        )
        page = course / "pages" / f"{ASSIGNMENT}.html"
        print(f"report with --csv and --html: {wall_s:.1f} s, {cpu_s:.1f} s of processor time")
        print(f"the assignment's page has {page.stat().st_size / 1e6:.1f} MB")
        found = re.sub("</?bdi>", "", page.read_text())
        copied = [f"copy_{n:04} and model_{n:04}" in found for n in range(COPIES)]
        pairs = found.count('<details class="pair">')
        print(f"copies found: {sum(copied)} of {COPIES}; pairs shown: {pairs}")


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


def _make_class(course: Path, count: int) -> int:
    """Write marks and executed notebooks of a class; return the size of all notebooks."""
    from nbgrader.api import Gradebook

    from nbreferee.course.locate import open_course
    from nbreferee.grading.gradebook import Recorder
    from nbreferee.verdicts import NotebookResult, read_verdict

    size = 0
    configured = open_course(course)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", configured.course_id) as gradebook:
        recorder = Recorder(gradebook, configured, ASSIGNMENT)
        for student, notebook in _notebooks(course, count):
            cells = notebook["metadata"]["nbreferee"]["cells"]
            result = NotebookResult("graded", cells=tuple(map(read_verdict, cells)))
            recorder.record(student, None, {ASSIGNMENT: result})
            folder = course / "autograded" / student / ASSIGNMENT
            folder.mkdir(parents=True)
            text = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False)
            size += (folder / f"{ASSIGNMENT}.ipynb").write_text(text)
    return size


def _notebooks(course: Path, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    from hand_in import CLASS as ANSWERS
    from hand_in import answered, read_notebook, written

    rng = random.Random(1)
    release = read_notebook(course / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    answers = [dict(written(ANSWERS / name / f"{ASSIGNMENT}.py")) for name in CLASS]
    copied: dict[int, dict[str, str]] = {}
    for n in range(count):
        model = {name: _changed(text, rng) for name, text in rng.choice(answers).items()}
        student = f"student_{n:04}"
        if n < COPIES:
            copied[n], student = model, f"model_{n:04}"
        elif n < 2 * COPIES:
            model, student = copied[n - COPIES], f"copy_{n - COPIES:04}"
        notebook = json.loads(json.dumps(answered(release, model)))
        _execute(notebook, rng)
        yield student, notebook


def _changed(text: str, rng: random.Random) -> str:
    """Return an answer with lines of nobody else's, and with other names."""
    lines = []
    for line in text.splitlines():
        lines.append(line)
        if line.startswith("    ") and rng.random() < 0.6:
            first, second = rng.sample(NAMES, 2)
            lines.append(rng.choice(LINES).format(first, second, rng.randrange(1000)))
    return re.sub(r"\bz\b", rng.choice(NAMES), "\n".join(lines))


def _execute(notebook: dict[str, Any], rng: random.Random) -> None:
    """Put into a notebook what grading would: outputs, a figure, verdicts."""
    verdicts = []
    ability = rng.random()
    for cell in notebook["cells"]:
        settings = cell["metadata"].get("nbgrader") or {}
        if cell["cell_type"] == "code":
            cell["execution_count"] = 1
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "done\n"}]
        if settings.get("grade"):
            verdicts.append(_verdict(settings, ability, rng))
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    picture = rng.randbytes(FILE_BYTES // 2 - 22_000).hex()
    code["outputs"].append(
        {"output_type": "display_data", "data": {"image/png": picture}, "metadata": {}}
    )
    notebook["metadata"]["nbreferee"] = {"cells": verdicts, "fingerprint": "0" * 64, "repairs": []}


def _verdict(settings: dict[str, Any], ability: float, rng: random.Random) -> dict[str, Any]:
    points = settings["points"]
    if settings["solution"]:
        return _plain(settings, "manual", 0.0, "")
    if rng.random() < ability:
        return _plain(settings, "passed", points, "")
    values = [f"{rng.gauss(0, 1):.6f}" for _ in range(6)]
    cause = rng.choice(CAUSES).format(rng.gauss(0, 1))
    name = settings["grade_id"].rpartition("_")[0]
    called = f"{name}, called with z = [{', '.join(values[:4])}]"
    message = f"{called}: entry [0] is {values[4]}, expected {values[5]}."
    return _plain(
        settings, "failed", 0.0, f"{message}\nLikely cause: {cause}" if cause else message
    )


def _plain(settings: dict[str, Any], status: str, score: float, message: str) -> dict[str, Any]:
    return {
        "grade_id": settings["grade_id"],
        "max_score": settings["points"],
        "message": message,
        "score": score,
        "status": status,
    }


if __name__ == "__main__":
    main()
