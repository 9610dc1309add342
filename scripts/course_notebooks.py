"""What a released notebook of the course says about itself: its first cell, its exercises and its
points.

The first cell has a title, a paragraph, two lines that begin with "Comes after" and "Allowed", and
the table of exercises:

    *Comes after* `matrix_derivatives`. *Needs* the chain rule. *Takes* about 25 minutes to read and
    2½ hours for the exercises.

    *Allowed* are NumPy and Matplotlib, nothing else. *Hand in* this file under its own name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

HEADER = re.compile(
    r"^Comes after (?P<after>.+?)\. Needs (?P<needs>.+?)\. "
    r"Takes about (?P<reading>\d+) minutes to read and (?P<exercises>\d+½?|½) "
    r"(?P<unit>minutes|hours?) for the exercises\.\n+"
    r"Allowed are (?P<allowed>.+?)\. Hand in (?P<hand_in>.+)\.$",
    re.MULTILINE,
)
HEADING = re.compile(r"^### Exercises? (\d+)(?:(?: and |–)(\d+))? · (.+)$", re.MULTILINE)
POINTS = re.compile(r"(\d+(?:\.\d+)?) points?\b")
ROW = re.compile(r"^\| *(\d+)(?:(?: and |–)(\d+))? *\|(.+)\| *([\d. +]+?) *\|$", re.MULTILINE)
WORDS_A_MINUTE, CODE_LINES_A_MINUTE, FORMULAS_A_MINUTE = 200, 15, 6


class LayoutError(Exception):
    """The notebook is not laid out as all of the course are; the text says where."""


@dataclass(frozen=True)
class Exercise:
    """A heading, of one exercise or of several, and the cells up to the next one."""

    number: int
    last: int  # the number of the last exercise under this heading
    heading: str
    claimed: float  # the points that the heading names
    points: float  # those of the cells
    cells: tuple[NotebookNode, ...]


@dataclass(frozen=True)
class Header:
    """What the first cell says in its two lines."""

    after: str
    needs: str
    reading_minutes: int
    exercise_minutes: int
    allowed: str
    hand_in: str


@dataclass(frozen=True)
class CourseNotebook:
    """A released notebook."""

    path: Path
    notebook: NotebookNode

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def first(self) -> str:
        """The text of the first cell."""
        text: str = self.notebook.cells[0].source
        return text

    @property
    def title(self) -> str:
        return self.first.split("\n")[0].removeprefix("# ")

    @cached_property
    def header(self) -> Header:
        """The two lines at the top.

        Raises
        ------
        LayoutError
            if a part of them is missing.
        """
        found = HEADER.search(self.first.replace("*", ""))
        if not found:
            raise LayoutError(
                f"{self.path}, first cell: the lines 'Comes after ...' and 'Allowed are ...' are "
                "not as scripts/course_notebooks.py says."
            )
        estimate = float(found["exercises"].replace("½", ".5")) * (
            1 if found["unit"] == "minutes" else 60
        )
        return Header(
            found["after"],
            found["needs"],
            int(found["reading"]),
            round(estimate),
            found["allowed"],
            found["hand_in"],
        )

    @property
    def table(self) -> list[tuple[int, int, float]]:
        """The rows of the table of exercises: first and last number, points."""
        rows = ROW.findall(self.first)
        return [
            (int(first), int(last or first), sum(map(float, re.findall(r"[\d.]+", points))))
            for first, last, _, points in rows
        ]

    @cached_property
    def exercises(self) -> list[Exercise]:
        """The exercises in their order."""
        groups: list[tuple[str, list[NotebookNode]]] = []
        for cell in self.notebook.cells:
            found = (
                HEADING.search(cell.source)
                if cell.cell_type == "markdown" and not settings(cell).get("solution")
                else None
            )
            if found:
                groups.append((found[0], []))
            if groups:
                groups[-1][1].append(cell)
        return [_exercise(heading, cells) for heading, cells in groups]

    @property
    def points(self) -> float:
        return sum(points_of(cell) for cell in self.notebook.cells)

    @property
    def points_by_person(self) -> float:
        """The points of answers that a person reads."""
        return sum(
            points_of(cell)
            for cell in self.notebook.cells
            if settings(cell).get("solution") or settings(cell).get("task")
        )

    @property
    def reading_minutes(self) -> float:
        """The time to read text, formulas and code, solutions not included."""
        words = lines = formulas = 0
        for cell in self.notebook.cells:
            if cell.cell_type == "markdown":
                formulas += cell.source.count("$$") // 2
                words += len(re.sub(r"\$\$.*?\$\$", "", cell.source, flags=re.DOTALL).split())
            else:
                lines += sum(bool(line.strip()) for line in cell.source.split("\n"))
        return words / WORDS_A_MINUTE + lines / CODE_LINES_A_MINUTE + formulas / FORMULAS_A_MINUTE


def settings(cell: NotebookNode) -> dict[str, Any]:
    """Return nbgrader's metadata of a cell; empty where there are none."""
    found: dict[str, Any] = cell.metadata.get("nbgrader", {})
    return found


def points_of(cell: NotebookNode) -> float:
    """Return the points of a cell."""
    known = settings(cell)
    return float(known.get("points") or 0) if known.get("grade") or known.get("task") else 0.0


def read_course(folder: Path) -> list[CourseNotebook]:
    """Return the notebooks in the folders of a folder, such as release/."""
    return [
        CourseNotebook(path, nbformat.read(str(path), as_version=4))
        for path in sorted(folder.glob("*/*.ipynb"))
    ]


def in_order(notebooks: list[CourseNotebook]) -> list[CourseNotebook]:
    """Return notebooks in the order of their lines "Comes after"; those that stand alone are
    last.
    """
    earlier = {
        one.name: [two.name for two in notebooks if re.search(rf"\b{two.name}\b", one.header.after)]
        for one in notebooks
    }
    needed = {name for names in earlier.values() for name in names}

    def depth(name: str) -> int:
        return 1 + max(map(depth, earlier[name]), default=0)

    alone = {name for name, names in earlier.items() if not names and name not in needed}
    return sorted(notebooks, key=lambda one: (one.name in alone, depth(one.name)))


def _exercise(heading: str, cells: list[NotebookNode]) -> Exercise:
    found = HEADING.match(heading)
    if found is None:
        raise ValueError(f"{heading!r} is no heading of an exercise")
    number, last, text = found.groups()
    claimed = sum(map(float, POINTS.findall(text)))
    return Exercise(
        int(number), int(last or number), text, claimed, sum(map(points_of, cells)), tuple(cells)
    )
