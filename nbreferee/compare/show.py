"""What `nbreferee compare` prints: which cells go which way and why, and where scores differ from
stock nbgrader's.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nbreferee.compare import SOLUTION, Compared, Comparison, compare
from nbreferee.course.settings import NbReferee
from nbreferee.engine.processes import WarmProcesses
from nbreferee.grading.calibration import CURE
from nbreferee.grading.notebook import Grader

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory


def show(
    course: CourseDirectory, assignments: Sequence[str], most_mutants: int, console: Console
) -> int:
    """Compare, print what was found, and return the exit status: 1 where something differs."""
    differences = 0
    with (
        tempfile.TemporaryDirectory(prefix="nbreferee-compare-") as folder,
        WarmProcesses(NbReferee(config=course.config).budget()) as warm,
    ):
        grader = Grader(warm)
        for assignment in assignments:
            with console.status("") as status:

                def progress(what: str, count: int, name: str = assignment) -> None:
                    text = f"{name}: {what} grades {count} submissions"
                    status.update(escape(text))
                    if not console.is_terminal:
                        console.print(text, highlight=False, markup=False)

                found = compare(
                    course, Path(folder).resolve(), assignment, grader, most_mutants, progress
                )
            for one in found:
                differences += print_comparison(one, console)
    if differences:
        console.print(
            f"{differences} scores differ from stock nbgrader's, and no person is asked about them."
        )
    else:
        console.print("No score differs from stock nbgrader's without a person being asked.")
    return 1 if differences else 0


def print_comparison(found: Comparison, console: Console) -> int:
    """Print one notebook; return how many scores differ."""
    table = Table(
        "test cell",
        "judged in",
        "points",
        "solution: two, one, stock",
        "submissions",
        "the same",
        "a person",
        "differ",
        box=None,
    )
    for grade_id in dict.fromkeys(one.grade_id for one in found.cells):
        mine = [one for one in found.cells if one.grade_id == grade_id]
        [solution] = [one for one in mine if one.student == SOLUTION]
        kinds = Counter(map(_kind, mine))
        scores = ", ".join(
            f"{score:g}" for score in (solution.two, solution.one, solution.stock or 0.0)
        )
        counts = [
            str(len(mine)),
            *(str(kinds[kind]) if kinds[kind] else "" for kind in ("same", "person", "differs")),
        ]
        table.add_row(
            escape(grade_id), _way(found, grade_id), f"{solution.points:g}", scores, *counts
        )
    console.print(f"\n[bold]{escape(found.assignment)}/{escape(found.notebook)}[/bold]")
    console.print(table)
    plain: dict[str, Any] = {"highlight": False, "markup": False, "soft_wrap": True}
    for grade_id, why in found.calibration.one_process.items():
        console.print(f"{grade_id}: judged in one process, for {why}. {CURE}", **plain)
    for grade_id, why in found.calibration.faults.items():
        console.print(f"{grade_id}: left to a person, for {why}.", **plain)
    for one in found.cells:
        if _kind(one) == "person" and one.grade_id not in found.calibration.faults:
            console.print(
                f"{one.student}, {one.grade_id}: left to a person. {one.ours.message}", **plain
            )
        elif one.differs:
            stock = "no score" if one.stock is None else f"{one.stock:g}"
            text = (
                f"{one.student}, {one.grade_id}: {one.ours.score:g} here "
                f"({one.ours.message or one.ours.status}), {stock} with stock nbgrader"
            )
            console.print(f"{text}; two processes {one.two:g}, one process {one.one:g}.", **plain)
    return sum(one.differs for one in found.cells)


def _kind(one: Compared) -> str:
    return "differs" if one.differs else "person" if one.ours.is_left_to_a_person else "same"


def _way(found: Comparison, grade_id: str) -> str:
    if grade_id in found.calibration.faults:
        return "a person"
    return "one process" if grade_id in found.calibration.one_process else "two processes"
