"""Say where the course's notebooks are not laid out alike: python scripts/check_layout.py [COURSE]

It reads release/. What each notebook has, in this order: a title, the two lines of
`course_notebooks`, a table of exercises; "## Conventions"; one palette; exercises numbered from 1.
An exercise has a heading with its points, a task, a stub, a cell to try it, and graded cells; one
that asks for a derivative has two folded hints.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from course_notebooks import CourseNotebook, Exercise, LayoutError, read_course, settings

DERIVATIVE = re.compile(
    r"^d[a-zA-Z]_d|_rule$|_jacobians?$|^vjp_|_vjp$|_backward$|_gradient$"
)  # the name of a function that returns one
HINTS = ("<details><summary>Hint 1: where to begin</summary>", "<details><summary>Hint 2: ")
PREDICTION, PLACE = re.compile(r"\*Predict\b"), "*Your prediction:* …"
CHECKERS = ("check_gradient", "numerical_jacobian")
WIDEST = 7  # inches: what can be read on a telephone
READING = (0.6, 1.6)  # the typed minutes by the computed ones


def violations(notebook: CourseNotebook) -> Iterator[str]:
    """Yield a sentence for each thing that is not as the docstring says."""
    yield from _top(notebook)
    yield from _numbers(notebook)
    known: set[str] = set()  # derivatives that have been compared with finite differences
    for exercise in notebook.exercises:
        yield from _exercise(exercise, known)
    cells = notebook.notebook.cells
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        if (
            cell.cell_type == "markdown"
            and PREDICTION.search(cell.source)
            and (after is None or after.source != PLACE)
        ):
            yield f"cell {cell.id}: it asks to predict, and the next cell is not {PLACE!r}"
        for width in re.findall(r"figsize=\((\d+(?:\.\d+)?),", cell.source):
            if float(width) > WIDEST:
                yield f"cell {cell.id}: a figure is {width} inches wide, more than {WIDEST}"


def palette(notebook: CourseNotebook) -> dict[str, str]:
    """Return the colours by name that the cell of imports defines."""
    found: dict[str, str] = {}
    source = next(
        (
            cell.source
            for cell in notebook.notebook.cells
            if settings(cell).get("grade_id") == "imports"
        ),
        "",
    )
    for line in source.split("\n"):
        names, equals, values = line.partition(" = ")
        colours = re.findall(r"#[0-9A-F]{6}", values)
        found |= (
            dict(zip(re.findall(r"[A-Z]+", names), colours, strict=False))
            if equals and colours
            else {}
        )
    return found


def _top(notebook: CourseNotebook) -> Iterator[str]:
    if not re.match(r"# [^\n]+\n\n(?!\*Comes|\|)\w", notebook.first):
        yield "the first cell does not begin with a title and a paragraph"
    try:
        typed, computed = notebook.header.reading_minutes, notebook.reading_minutes
        if not READING[0] * computed <= typed <= READING[1] * computed:
            yield f"it says {typed} minutes to read; its length gives {computed:.0f}"
    except LayoutError as error:
        yield str(error)
    if not notebook.notebook.cells[1].source.startswith("## Conventions\n"):
        yield "the second cell is not '## Conventions'"


def _numbers(notebook: CourseNotebook) -> Iterator[str]:
    numbers = [
        n for exercise in notebook.exercises for n in range(exercise.number, exercise.last + 1)
    ]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the headings 'Exercise N · ...' are numbered {numbers}"
    rows = [n for first, last, _ in notebook.table for n in range(first, last + 1)]
    if rows != numbers:
        yield f"the table of exercises has {rows}, the headings {numbers}"
    else:
        yield from _points_in_the_table(notebook)
    held = sum(exercise.points for exercise in notebook.exercises)
    if held != notebook.points:
        yield f"exercises hold {held:g} points, all cells {notebook.points:g}"


def _points_in_the_table(notebook: CourseNotebook) -> Iterator[str]:
    """Compare the points of rows and headings wherever both end with the same exercise."""
    in_table = {last: claimed for _, last, claimed in notebook.table}
    in_cells = {exercise.last: exercise.points for exercise in notebook.exercises}
    claimed = held = 0.0
    first = 1
    for number in range(1, max(in_cells, default=0) + 1):
        claimed, held = claimed + in_table.get(number, 0), held + in_cells.get(number, 0)
        if number in in_table and number in in_cells:
            if abs(claimed - held) > 1e-9:
                yield (
                    f"the table gives {claimed:g} points to exercises {first} to {number}, their "
                    f"cells hold {held:g}"
                )
            claimed, held, first = 0.0, 0.0, number + 1


def _exercise(exercise: Exercise, known: set[str]) -> Iterator[str]:
    where = f"exercise {exercise.number}"
    if exercise.claimed != exercise.points:
        yield (
            f"{where}: the heading says {exercise.claimed:g} points, the cells hold "
            f"{exercise.points:g}"
        )
    ids = [settings(cell).get("grade_id", "") for cell in exercise.cells]
    functions = [
        name
        for name, cell in zip(ids, exercise.cells, strict=True)
        if cell.cell_type == "code" and settings(cell).get("solution")
    ]
    derivatives = list(filter(DERIVATIVE.search, functions))
    text = exercise.cells[0].source
    for hint in HINTS if derivatives else ():
        if text.count(hint) != 1:
            yield f"{where}: it asks for a derivative, and has no {hint!r}"
    for name in functions:
        graded = [
            n
            for n, grade_id in enumerate(ids)
            if grade_id.startswith(f"{name}_") and settings(exercise.cells[n]).get("grade")
        ]
        tries = exercise.cells[ids.index(name) + 1 : graded[0]] if graded else ()
        tried = "\n".join(
            cell.source for cell in tries if cell.cell_type == "code" and not settings(cell)
        )
        if not tried:
            yield f"{where}: there is no cell to try {name} between the stub and the graded cells"
        elif name in derivatives and not any(
            f"{checker}(" in tried for checker in (*CHECKERS, *known)
        ):
            yield f"{where}: the cell to try {name} compares nothing with finite differences"
        known.update([name] if name in derivatives else [])


def course_violations(notebooks: list[CourseNotebook]) -> dict[str, list[str]]:
    """Return the sentences by notebook; a palette is compared with that of most notebooks."""
    palettes = [palette(one) for one in notebooks]
    usual = max(palettes, key=palettes.count)
    found = {}
    for one, colours in zip(notebooks, palettes, strict=True):
        said = [
            f"{name} is {colours.get(name)}, elsewhere {usual.get(name)}"
            for name in sorted(colours | usual)
            if colours.get(name) != usual.get(name)
        ]
        found[one.name] = [*violations(one), *said]
    return found


if __name__ == "__main__":
    course = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    found = course_violations(read_course(course / "release"))
    for name, sentences in found.items():
        print(f"{name}: {'; '.join(sentences) or 'as it should be'}".replace("; ", "\n    "))
    sys.exit(any(found.values()))
