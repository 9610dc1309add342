"""The exercises of an assignment as the student's page names them, and how each student did in
them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory

from nbreferee.pages.blocks import without_points
from nbreferee.pages.exercises import Exercise, Mark, PageCell, Part, arrange
from nbreferee.report.marks import AssignmentMarks, CellKey

_HEADING = re.compile(r"#{1,6}[ \t]+(\S.*?)[ \t]*#*|<h[1-6][^>]*>(.*?)</h[1-6]>", re.IGNORECASE)
_FENCE = re.compile(r"(```|~~~)")


@dataclass(frozen=True, eq=False)
class CourseExercise:
    """An exercise of an assignment."""

    notebook: str
    key: str  # the grade id of its first answer, or else of its first test
    name: str  # its heading as Markdown, or its grade ids
    within: str  # the heading that it shares with others, as Markdown
    graded: tuple[CellKey, ...]
    answers: tuple[CellKey, ...]
    points: float
    pattern: Exercise  # with no marks yet

    @property
    def title(self) -> str:
        """Its name for a line of text."""
        return self.name if not self.within else f"{self.within}: {self.name}"

    def state(
        self, marks: Mapping[CellKey, Mark], messages: Mapping[str, str], unwritten: frozenset[str]
    ) -> Exercise:
        """Return it with a student's marks; `unwritten` are grade ids of answers left as
        released.
        """
        parts = [
            Part(part.cell, marks[key], messages.get(key.grade_id, ""))
            for part, key in zip(self.pattern.parts, self.graded, strict=True)
            if key in marks
        ]
        return replace(self.pattern, parts=parts, unwritten=unwritten)


def read_exercises(course: CourseDirectory, marks: AssignmentMarks) -> list[CourseExercise]:
    """Return the exercises of an assignment, in the order of its notebooks."""
    found: list[CourseExercise] = []
    for notebook in marks.notebooks:
        source = Path(course.format_path(course.source_directory, ".", marks.name))
        own = [key for key in marks.points if key.notebook == notebook]
        here = _exercises_of(_cells(source / f"{notebook}.ipynb"), notebook, marks.points)
        left = [key for key in own if not any(key in one.graded for one in here)]
        found += [*here, *(_alone(key, marks.points[key]) for key in left)]
    return found


def heading_of(text: str) -> str:
    """Return the last heading of a Markdown text, as Markdown; '' where there is none."""
    last, fence = "", ""
    for line in text.splitlines():
        mark = _FENCE.match(line.strip())
        if mark and not fence:
            fence = mark[1]
        elif mark and line.strip().startswith(fence):
            fence = ""
        elif not fence and (found := _HEADING.fullmatch(line.strip())):
            last = found[1] or found[2] or last
    return last.strip()


def _exercises_of(
    cells: Iterable[PageCell], notebook: str, points: Mapping[CellKey, float]
) -> list[CourseExercise]:
    def part_of(cell: PageCell) -> Part | None:
        most = points.get(CellKey(notebook, cell.grade_id))
        return None if most is None else Part(cell, Mark(0.0, most))

    blocks = arrange(cells, part_of, lambda cell: bool(heading_of(cell.source)))
    return [
        _exercise(block, notebook)
        for block in blocks
        if isinstance(block, Exercise) and block.parts
    ]


def _exercise(block: Exercise, notebook: str) -> CourseExercise:
    heading = without_points(heading_of(block.heading.source)) if block.heading else ""
    ids = ", ".join(f"`{name}`" for name in block.grade_ids)
    is_named = bool(heading) and not block.is_split
    pattern = replace(block, task=[], work=[cell for cell in block.work if cell.is_answer])
    return CourseExercise(
        notebook,
        block.grade_ids[0],
        heading if is_named else ids,
        "" if is_named else heading,
        tuple(CellKey(notebook, part.cell.grade_id) for part in block.parts),
        tuple(CellKey(notebook, cell.grade_id) for cell in block.answers),
        sum(part.mark.points for part in block.parts),
        pattern,
    )


def _alone(key: CellKey, points: float) -> CourseExercise:
    """Return the exercise of a graded cell that the source does not hold any more."""
    cell = PageCell(0, "code", "", (), {}, {"grade": True, "grade_id": key.grade_id}, True)
    pattern = Exercise(None, work=[], parts=[Part(cell, Mark(0.0, points))])
    return CourseExercise(
        key.notebook, key.grade_id, f"`{key.grade_id}`", "", (key,), (), points, pattern
    )


def _cells(path: Path) -> list[PageCell]:
    """Return the cells of the instructor's notebook; none where it cannot be read."""
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ):  # no such file, or no notebook: every graded cell is named by its grade id
        return []
    return [_page_cell(number, cell) for number, cell in enumerate(notebook.cells, 1)]


def _page_cell(number: int, cell: Mapping[str, Any]) -> PageCell:
    settings = cell.get("metadata", {}).get("nbgrader") or {}
    is_answer = bool(settings.get("solution") or settings.get("task"))
    return PageCell(
        number, cell["cell_type"], cell["source"], (), {}, settings, is_instructors=not is_answer
    )
