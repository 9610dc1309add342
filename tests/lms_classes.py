"""A course with one assignment of two notebooks, a class for it, and what it takes to import, grade
and export that class here.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from building import write
from hand_in import answered, read_notebook
from nbgrader.api import Gradebook
from platform_files import Student
from small_class import BINARIES, CONFIG, ONE, RIGHT, TWO, grade_here

from nbreferee.course.locate import gradebook_writer, open_course
from nbreferee.lms import exporting, importing
from nbreferee.lms.exported import ExportSummary

POINTS = 9.0
CANVAS_ID = 4711
HALF = {**RIGHT, "double": "def double(x):\n    return x * x", "why": "A guess."}
ANSWERS = {
    "right": RIGHT,
    "half": HALF,
    "wrong": {**HALF, "half": "def half(x):\n    return x"},
    "untouched": {},
}


def make_course(folder: Path) -> Path:
    """A course that has been released, and nobody is in it."""
    (folder / "source/ps1").mkdir(parents=True)
    write(folder / "source/ps1", *ONE, name="one")
    write(folder / "source/ps1", *TWO, name="two")
    (folder / "nbgrader_config.py").write_text(CONFIG)
    subprocess.run(
        [BINARIES / "nbgrader", "generate_assignment", "ps1"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


def notebooks(course: Path, answers: str) -> dict[str, bytes]:
    """Both notebooks with somebody's answers."""
    found = {}
    for path in sorted((course / "release/ps1").glob("*.ipynb")):
        release = read_notebook(path)
        theirs = {
            cell.metadata.nbgrader.grade_id
            for cell in release.cells
            if cell.metadata.nbgrader.solution
        }
        notebook = answered(
            release, {name: text for name, text in ANSWERS[answers].items() if name in theirs}
        )
        found[path.name] = nbformat.writes(notebook).encode()
    return found


def make_class(course: Path) -> list[Student]:
    """Ten students: names of all kinds, one of them late, one who hands in nothing, one whose
    answer waits for a person.
    """
    right, half, wrong, untouched = (
        notebooks(course, name) for name in ("right", "half", "wrong", "untouched")
    )
    return [
        Student("Jane", "Doe", 501, "jdoe", right, "Team A"),
        Student("Jörg", "Müller-Lüdenscheidt", 502, "jmueller", half, "Team A", late=True),
        Student(
            "Ann Marie", "O'Neil", 503, "aoneil", {**wrong, "notes.txt": b"Notes.\n"}, "Team B"
        ),
        Student("Łukasz", "Żółć", 504, "lzolc", right, "Team B"),
        Student("小龍", "李", 505, "xli", half, "Team C"),
        Student(
            "Tom_3",
            "van der Berg_2",
            506,
            "tberg",
            {
                "one.ipynb": wrong["one.ipynb"],
                "2_my notes.txt": b"2",
                "two.ipynb": right["two.ipynb"],
            },
            "Team C",
        ),
        Student("Zoë", "Ångström", 507, "zang", untouched, "Team D"),
        Student("Nobody", "Here", 508, "nhere", {}, "Team E"),
        Student("Waits", "Long", 509, "wlong", right, "Team F"),
        Student("R2", "D2", 510, "r2d2", right, "Team G"),
    ]


WAITS = "Waits Long"


def copy_of(course: Path, folder: Path) -> Path:
    """A copy of a course."""
    return Path(shutil.copytree(course, folder))


def import_here(
    course: Path, zip_path: Path, roster: Path | None = None, **options: Any
) -> importing.ImportSummary:
    """Import a zip."""
    opened = open_course(course)
    with gradebook_writer(opened) as book:
        return importing.import_zip(
            opened, book, importing.ImportOptions(zip_path, "ps1", roster, **options)
        )


def export_here(
    course: Path, platform: str, template: Path | None, to: Path, **options: Any
) -> ExportSummary:
    """Export scores."""
    opened = open_course(course)
    with gradebook_writer(opened) as book:
        return exporting.export(
            opened, book, exporting.ExportOptions(platform, ("ps1",), template, to, **options)
        )


def grade(course: Path, waiting: str = "") -> None:
    """Grade, and mark by hand all that waits for a person, but for one student."""
    grade_here(course)
    mark(course, waiting)


def mark(course: Path, waiting: str = "") -> None:
    """Mark by hand all that waits for a person, but for one student."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        for number, submission in enumerate(book.assignment_submissions("ps1")):
            for notebook in submission.notebooks:
                for one in notebook.grades:
                    if one.needs_manual_grade and submission.student.id != waiting:
                        one.manual_score, one.needs_manual_grade = number / 3, False
                        one.extra_credit = 0.1 if number % 2 else None
        book.db.commit()


def formgrader(course: Path) -> dict[str, float | None]:
    """The scores that nbgrader itself shows, by student; None: some answer waits for a person."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        return {
            row["student"]: None if row["needs_manual_grade"] else row["score"]
            for row in book.submission_dicts("ps1")
        }


def handed_in(course: Path) -> dict[str, dict[str, bytes]]:
    """What lies in `submitted/`, by student."""
    found: dict[str, dict[str, bytes]] = {}
    for path in sorted((course / "submitted").glob("*/ps1/*")):
        found.setdefault(path.parts[-3], {})[path.name] = path.read_bytes()
    return found


def changed_cells(before: bytes, after: bytes, separator: str) -> Mapping[int, set[int]]:
    """Which columns of which lines differ; lines and line ends are the same.

    For files without line breaks or separators in cells.
    """
    old, new = before.split(b"\n"), after.split(b"\n")
    assert len(old) == len(new)
    found = {}
    for number, (was, now) in enumerate(zip(old, new, strict=True)):
        if was != now:
            cells = [_cells(line, separator.encode()) for line in (was, now)]
            assert len(cells[0]) == len(cells[1])
            found[number] = {n for n, (a, b) in enumerate(zip(*cells, strict=True)) if a != b}
    return found


def _cells(line: bytes, separator: bytes) -> list[bytes]:
    """Split a line at separators outside of quotes."""
    cells, start, inside = [], 0, False
    for position in range(len(line)):
        sign = line[position : position + 1]
        inside ^= sign == b'"'
        if sign == separator and not inside:
            cells.append(line[start:position])
            start = position + 1
    return [*cells, line[start:]]
