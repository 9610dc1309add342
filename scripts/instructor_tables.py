"""Bring the tables of docs/instructor.md, and of the class in README.md, up to date:

    python scripts/instructor_tables.py [VERDICTS.json]

They come from the notebooks, and from what `nbreferee autograde --json` says of the sample class in
tests/class/. Without a file of verdicts the sample class is graded first, in a temporary folder,
which takes a minute or two.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from course_notebooks import CourseNotebook, in_order, points_of, read_course, settings

COURSE = Path(__file__).parent.parent
PAGE = COURSE / "docs/instructor.md"
README = COURSE / "README.md"
CAUSE = re.compile(r"Likely cause: (.+?)(?:\n|$)")
NOTE = re.compile(r"\*For the marker\.\*\s*(.+)", re.DOTALL)
_STAR = "\\*"
MOST = 3  # sentences for one exercise


def with_tables(page: str, tables: dict[str, str]) -> str:
    """Return the page with what stands between the markers of each table made anew.

    Raises
    ------
    ValueError
        if the page has no markers for a table.
    """
    for name, table in tables.items():
        block = re.compile(rf"(<!-- {name}: .*?-->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        found = block.search(page)
        if not found:
            raise ValueError(f"there is no <!-- {name}: ... --> in the page")
        page = f"{page[: found.start()]}{found[1]}\n{table}\n{found[2]}{page[found.end() :]}"
    return page


def tables_of_notebooks(course: Path = COURSE) -> dict[str, str]:
    """Return the tables that the notebooks alone give, by name."""
    ordered = in_order(read_course(course / "release"))
    sources = {one.name: one for one in read_course(course / "source")}
    return {
        "notebooks": _notebooks(ordered),
        "written answers": "\n".join(_written(sources[one.name] for one in ordered)),
    }


def table_of_mistakes(verdicts: Iterable[dict[str, Any]], course: Path = COURSE) -> dict[str, str]:
    """Return the table of mistakes by exercise, from what `autograde --json` wrote."""
    notebooks = in_order(read_course(course / "release"))
    losing: dict[tuple[str, str], set[str]] = {}
    told: dict[tuple[str, str], dict[str, set[str]]] = {}
    students: dict[str, set[str]] = {}
    for one in verdicts:
        students.setdefault(one["notebook"], set()).add(one["student"])
        for cell in one["cells"]:
            key = one["notebook"], _exercise_of(cell["grade_id"], notebooks)
            if cell["status"] != "manual" and cell["score"] < cell["max_score"]:
                losing.setdefault(key, set()).add(one["student"])
            for cause in CAUSE.findall(cell["message"] or ""):
                told.setdefault(key, {}).setdefault(cause, set()).add(one["student"])
    rows = [
        "| exercise | students who lose points | what they are told, and how many |",
        "|:--|--:|:--|",
    ]
    for notebook in notebooks:
        rows.append(f"| **{notebook.name}**, {len(students.get(notebook.name, ()))} students | | |")
        for name in functions(notebook):
            key = notebook.name, name
            causes = sorted(told.get(key, {}).items(), key=lambda item: (-len(item[1]), item[0]))[
                :MOST
            ]
            sentences = "<br>".join(f"{_escaped(cause)} ({len(who)})" for cause, who in causes)
            rows.append(f"| `{name}` | {len(losing.get(key, ()))} | {sentences} |")
    return {"mistakes": "\n".join(rows) + "\n"}


def table_of_class(course: Path = COURSE) -> dict[str, str]:
    """Return the table of the sample class's points, which are those that every cell deserves."""
    notebooks = in_order(read_course(course / "release"))
    totals: dict[str, dict[str, float]] = {}  # by student and notebook
    waits: set[tuple[str, str]] = set()
    for one in notebooks:
        with (course / f"tests/class/expected/{one.name}.csv").open() as file:
            for row in csv.DictReader(file):
                for student, deserved in list(row.items())[2:]:
                    score = deserved.partition(" ")[0]
                    mine = totals.setdefault(student, {})
                    mine[one.name] = mine.get(one.name, 0) + (
                        0 if score == "person" else float(score)
                    )
                    waits |= {(student, one.name)} if score == "person" else set()
    heads = [f"{one.name} ({one.points:g})" for one in notebooks]
    rows = [f"| student | {' | '.join(heads)} |", "|:--|" + "--:|" * len(heads)]
    for student, mine in sorted(totals.items()):
        cells = [
            f"{mine[one.name]:g}{'*' * ((student, one.name) in waits)}" if one.name in mine else "–"
            for one in notebooks
        ]
        rows.append(f"| {student} | {' | '.join(cells).replace('*', _STAR)} |")
    return {"class": "\n".join([*rows, "", f"{_STAR} answers wait for a person to read them\n"])}


def _escaped(text: str) -> str:
    return re.sub(r"([|*<])", r"\\\1", text)


def functions(notebook: CourseNotebook) -> list[str]:
    """Return the grade ids of the cells in which students write code."""
    return [
        settings(cell)["grade_id"]
        for cell in notebook.notebook.cells
        if cell.cell_type == "code" and settings(cell).get("solution")
    ]


def _exercise_of(grade_id: str, notebooks: Iterable[CourseNotebook]) -> str:
    """Return the function that a graded cell tests: the longest whose name the cell's begins
    with.
    """
    named = [
        name for one in notebooks for name in functions(one) if grade_id.startswith(f"{name}_")
    ]
    return max(named, key=len, default=grade_id)


def _notebooks(ordered: list[CourseNotebook]) -> str:
    rows = [
        (
            "| notebook | exercises | points | of these, a person reads | minutes to read | for "
            "the exercises |"
        ),
        "|:--|--:|--:|--:|--:|--:|",
    ]
    for one in ordered:
        header = one.header
        figures = (
            one.exercises[-1].last,
            one.points,
            one.points_by_person,
            header.reading_minutes,
            header.exercise_minutes,
        )
        rows.append(f"| {one.name} | " + " | ".join(f"{figure:g}" for figure in figures) + " |")
    return "\n".join(rows) + "\n"


def _written(sources: Iterable[CourseNotebook]) -> Iterator[str]:
    """Yield a list of the answers that a person reads, with the notes for the marker."""
    for one in sources:
        for exercise in one.exercises:
            for cell in exercise.cells:
                if settings(cell).get("solution") and points_of(cell):
                    note = NOTE.search(cell.source)
                    said = f" {' '.join(note[1].split())}" if note else ""
                    title = re.sub(r" — [\d.]+ points?.*", "", exercise.heading)
                    yield (
                        f"- **{one.name}, exercise {exercise.number}**, {title} "
                        f"({_points(points_of(cell))}, cell `{settings(cell)['grade_id']}`).{said}"
                    )
    yield ""


def _points(points: float) -> str:
    return f"{points:g} point{'' if points == 1 else 's'}"


def grade_sample_class(course: Path, folder: Path) -> list[dict[str, Any]]:
    """Return the verdicts of the sample class, graded in a folder of its own."""
    shutil.copytree(course / "source", folder / "source")
    shutil.copy(course / "nbgrader_config.py", folder)
    programs = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"
    }  # nbgrader starts alembic by name
    for assignment in sorted(path.name for path in (folder / "source").iterdir() if path.is_dir()):
        subprocess.run(
            [programs / "nbgrader", "generate_assignment", assignment, "--log-level=WARN"],
            cwd=folder,
            env=environment,
            check=True,
        )
    subprocess.run([sys.executable, course / "tests/hand_in.py", folder / "submitted"], check=True)
    graded = subprocess.run(
        [programs / "nbreferee", "autograde", "--json", folder / "verdicts.json"], cwd=folder
    )
    if graded.returncode > 1:  # 1: some cells are left to a person
        sys.exit("the sample class has not been graded: see above")
    verdicts: list[dict[str, Any]] = json.loads((folder / "verdicts.json").read_text())
    return verdicts


if __name__ == "__main__":
    if len(sys.argv) > 1:
        verdicts = json.loads(Path(sys.argv[1]).read_text())
    else:
        with tempfile.TemporaryDirectory() as scratch:
            verdicts = grade_sample_class(COURSE, Path(scratch))
    README.write_text(with_tables(README.read_text(), table_of_class()))
    PAGE.write_text(
        with_tables(PAGE.read_text(), tables_of_notebooks() | table_of_mistakes(verdicts))
    )
