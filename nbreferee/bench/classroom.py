"""A course and a class to measure with: made from the instructor's own notebooks, the same for both graders.

Of every answer a student writes the solution (three in five), a mutant of it (three in ten), or leaves
it as released. It knows nothing of grading.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import nbformat

from nbreferee.bench.commands import run
from nbreferee.master import read_master
from nbreferee.verify.mutation import mutants

SOLVED, WRONG = 0.6, 0.9  # below the first: the solution; below the second: a mutant; else as released
STOCK = """
for name in ("sanitize_preprocessors", "autograde_preprocessors"):  # as nbgrader has them
    c.Autograde.pop(name, None)
"""


def make_course(course: Path, target: Path, assignments: Sequence[str], figures: bool) -> None:
    """Copy assignments of a course and generate what students get; leave out cells that draw, where there are to be no figures."""
    (target / "source").mkdir(parents=True)
    shutil.copy(course / "nbgrader_config.py", target)
    for path in (course / "source").glob("*.*"):  # a header that all assignments get, for one
        shutil.copy(path, target / "source")
    for assignment in assignments:
        shutil.copytree(course / "source" / assignment, target / "source" / assignment)
        for path in () if figures else (target / "source" / assignment).glob("*.ipynb"):
            notebook = nbformat.read(path, as_version=4)
            notebook.cells = [cell for cell in notebook.cells if cell.cell_type != "code" or "nbgrader" in cell.metadata or "plt." not in cell.source]
            nbformat.write(notebook, path)
        run(["nbgrader", "generate_assignment", assignment, "--force", "--create", "--log-level=ERROR"], target)


def hand_in(course: Path, assignment: str, students: int) -> None:
    """Fill `submitted/` with a class: the same one, for the same course and number."""
    for path in sorted((course / "source" / assignment).glob("*.ipynb")):
        master = read_master(path)
        release = nbformat.read(course / "release" / assignment / path.name, as_version=4)
        choices = {cell.grade_id: (cell.source, [mutant.source for mutant in mutants(cell.source, cell.solution_lines)]) for cell in master.answers}
        for number in range(students):
            drawn = random.Random(f"{path.name} {number}")
            notebook = nbformat.from_dict(release)
            for cell in notebook.cells:
                grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
                if grade_id in choices:
                    solution, wrong = choices[grade_id]
                    kind = drawn.random()
                    if kind < WRONG:
                        text = drawn.choice(wrong) if wrong and kind >= SOLVED else solution
                        cell.source = "\n".join(line for line in text.split("\n") if " SOLUTION" not in line)
            target = course / "submitted" / f"student_{number:05}" / assignment / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, target)


def as_stock(course: Path) -> None:
    """Have nbgrader grade a course by itself."""
    with (course / "nbgrader_config.py").open("a") as file:
        file.write(STOCK)
