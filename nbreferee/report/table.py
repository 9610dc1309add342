"""The class at a glance, in the terminal: points of every student, means, what waits and what could
not be graded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from statistics import mean

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nbreferee.report.classroom import AssignmentResults, ClassResults
from nbreferee.report.state import OLDER
from nbreferee.submission.folder import shown

WAITS, NOT_GRADED, NOTHING = "*", "!", "–"
LISTED = 20  # notebooks that could not be graded, of an assignment


def print_report(results: ClassResults, feedback_directory: str) -> None:
    """Print what every student has so far, what waits for a person, and what could not be
    graded.
    """
    console = Console(
        width=None if sys.stdout.isatty() else 120, highlight=False, markup=False, emoji=False
    )
    console.print(class_table(results))
    for line in notes(results):
        console.print(Text(line), soft_wrap=True)
    console.print(
        Text(f"What students get to read: {feedback_directory}/STUDENT/ASSIGNMENT/*.html")
    )


def class_table(results: ClassResults) -> Table:
    """Return points as a table, a student a row, and the means of those who were graded."""
    table = Table(box=SIMPLE_HEAD, show_footer=bool(results.students))
    means = [_mean([*one.scores.values()], one.marks.max_score) for one in results.assignments]
    table.add_column("student", footer="mean", overflow="fold")
    for one, footer in zip(results.assignments, means, strict=True):
        table.add_column(Text(one.name), footer=f"{footer}  ", justify="right", overflow="fold")
    footer = _mean([*results.totals.values()], results.max_score)
    table.add_column("total", footer=f"{footer}  ", justify="right", overflow="fold")
    for student in results.students:
        cells = [Text(cell_text(one, student)) for one in results.assignments]
        total = results.totals.get(student)
        score = NOTHING if total is None else _number(total)
        marks = "".join(
            mark if any(mark in cell.plain for cell in cells) else " "
            for mark in (WAITS, NOT_GRADED)
        )
        table.add_row(
            Text(shown(student)), *cells, f"{score} / {_number(results.max_score)}{marks}"
        )
    return table


def cell_text(one: AssignmentResults, student: str) -> str:
    """Return what a student has in an assignment, with marks for what is not settled."""
    states = one.states.get(student)
    if states is None:
        return f"{NOTHING}  "
    submission = one.marks.submissions.get(student)
    points = f" / {_number(one.marks.max_score)}"
    score = _number(submission.score) if submission and student in one.scores else NOTHING
    waits = WAITS if submission and submission.waiting else " "
    failed = NOT_GRADED if any(state.status != "graded" for state in states.values()) else " "
    return f"{score}{points}{waits}{failed}"


def notes(results: ClassResults) -> Iterator[str]:
    """Yield the lines below the table."""
    waiting = [(one, one.waiting) for one in results.assignments if one.waiting]
    if waiting:
        yield f"{WAITS} some answers wait for a person (nbreferee mark, or the Formgrader):"
    for one, counts in waiting:
        for exercise, count in counts.items():
            where = f"{one.name}/{exercise.notebook}, {exercise.title}"
            yield f"    {where}: {count} answer{'' if count == 1 else 's'}"
    failed = [(one, one.not_graded) for one in results.assignments if one.not_graded]
    if failed:
        yield f"{NOT_GRADED} not graded, so these points say nothing about the answers:"
    for one, found in failed:
        for student, notebook, state in found[:LISTED]:
            earlier = " (its earlier scores count)" if state.status == OLDER else ""
            yield f"    {shown(student)}, {one.name}/{notebook}: {state.reason}{earlier}"
        if len(found) > LISTED:
            yield f"    and {len(found) - LISTED} more of {one.name}: see nbreferee report --html"
    late = [
        (sum(one.penalty > 0 for one in results_of.marks.submissions.values()), results_of.name)
        for results_of in results.assignments
    ]
    if named := ", ".join(f"{name}: {count}" for count, name in late if count):
        yield (
            f"Late penalties are not taken off here, nor in the Formgrader ({named}); nbreferee "
            "export takes them off."
        )


def _mean(scores: list[float], most: float) -> str:
    return f"{_number(mean(scores), 1)} / {_number(most)}" if scores else NOTHING


def _number(value: float, digits: int = 2) -> str:
    return f"{round(value, digits) + 0.0:g}"
