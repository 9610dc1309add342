"""How long a class of 2,000 takes from a Canvas zip to `submitted/`, and from the gradebook to
Canvas's file: python benchmarks/lms.py [STUDENTS]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from pathlib import Path

COURSE = Path(__file__).parent.parent
BINARIES = Path(sys.executable).parent
ASSIGNMENT = "softmax"


def main() -> None:
    """Make the class, import it, give everybody scores, export them; print both times."""
    os.environ["PATH"] = f"{BINARIES}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder) / "course"
        shutil.copytree(COURSE / "source", course / "source")
        shutil.copy(COURSE / "nbgrader_config.py", course)
        _run(
            BINARIES / "nbgrader",
            "generate_assignment",
            ASSIGNMENT,
            "--log-level=ERROR",
            cwd=course,
        )
        notebook = (course / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_bytes()
        rows = [f'"Last{n}, First{n}",{n},login{n},Section,' for n in range(1, count + 1)]
        points = _points(course)
        gradebook = Path(folder) / "gradebook.csv"
        gradebook.write_text(
            "\n".join(
                [
                    f"Student,ID,SIS Login ID,Section,{ASSIGNMENT} (1)",
                    f"    Points Possible,,,,{points}",
                    *rows,
                ]
            )
            + "\n"
        )
        with zipfile.ZipFile(Path(folder) / "canvas.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for n in range(1, count + 1):
                archive.writestr(f"last{n}first{n}_{n}_{n + 9000}_{ASSIGNMENT}-1.ipynb", notebook)
        print(f"{count} submissions of {len(notebook) >> 10} kB")
        importing = _run(
            BINARIES / "nbreferee",
            "import",
            "../canvas.zip",
            ASSIGNMENT,
            "--roster",
            "../gradebook.csv",
            cwd=course,
        )
        print(f"imported in {importing:.1f} s")
        _score_everybody(course)
        exporting = _run(
            BINARIES / "nbreferee",
            "export",
            "canvas",
            ASSIGNMENT,
            "--template",
            "../gradebook.csv",
            "--to",
            "../upload.csv",
            cwd=course,
        )
        filled = sum(
            not line.endswith(",")
            for line in (Path(folder) / "upload.csv").read_text().splitlines()[2:]
        )
        print(f"exported in {exporting:.1f} s: {filled} scores")


def _run(*command: object, cwd: Path) -> float:
    started = time.monotonic()
    subprocess.run([str(one) for one in command], cwd=cwd, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started


def _points(course: Path) -> float:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        points: float = book.find_assignment(ASSIGNMENT).max_score
        return points


def _score_everybody(course: Path) -> None:
    """Write scores as a run of autograde would have left them."""
    from nbreferee.course.locate import gradebook_writer, open_course
    from nbreferee.grading.gradebook import Recorder
    from nbreferee.verdicts import CellVerdict, NotebookResult

    warnings.filterwarnings("ignore", module="nbgrader")
    opened = open_course(course)
    with gradebook_writer(opened) as book:
        cells = [cell.name for cell in book.find_notebook(ASSIGNMENT, ASSIGNMENT).grade_cells]
        recorder = Recorder(book, opened, ASSIGNMENT)
        verdicts = tuple(CellVerdict(name, "passed", 1.0, 1.0, "") for name in cells)
        results = {ASSIGNMENT: NotebookResult("graded", cells=verdicts)}
        for path in sorted((course / "submitted").iterdir()):
            recorder.record(path.name, None, results)


if __name__ == "__main__":
    main()
