"""A course and a class to measure with: made from the instructor's own notebooks, the same for both
graders.

A third of the students have everything right. Of the others' answers up to half are wrong: of each
student another share. Right answers are drawn from the instructor's alternatives. Of the wrong ones
a quarter is left as released, the others are named mistakes and mutants of the solution, half of
each. It knows nothing of grading.
"""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import nbformat

from nbreferee.bench.answers import Choices, choices_of
from nbreferee.bench.commands import run
from nbreferee.course.source import read_master

FLAWLESS, MOST_WRONG, UNWRITTEN = 1 / 3, 0.5, 0.25
STOCK = """
for name in ("sanitize_preprocessors", "autograde_preprocessors"):  # as nbgrader has them
    c.Autograde.pop(name, None)
c.GenerateFeedback.pop("preprocessors", None)
"""


def make_course(
    course: Path, target: Path, assignments: Sequence[str], left_out: Collection[str] = ()
) -> None:
    """Copy assignments of a course, but for cells with these sources, and generate what students
    get.
    """
    (target / "source").mkdir(parents=True)
    shutil.copy(course / "nbgrader_config.py", target)
    for path in (course / "source").glob("*.*"):  # a header that all assignments get, for one
        shutil.copy(path, target / "source")
    for assignment in assignments:
        shutil.copytree(course / "source" / assignment, target / "source" / assignment)
        for path in (target / "source" / assignment).glob("*.ipynb") if left_out else ():
            notebook = nbformat.read(path, as_version=4)
            notebook.cells = [cell for cell in notebook.cells if cell.source not in left_out]
            nbformat.write(notebook, path)
        generate(target, assignment)


def generate(course: Path, assignment: str) -> None:
    """Make what students get."""
    options = ["--force", "--create", "--log-level=ERROR"]
    run(["nbgrader", "generate_assignment", assignment, *options], course)


def change_a_test(course: Path, assignment: str) -> None:
    """Add a line to the middle one of an assignment's test cells, where students do not see it if
    the cell hides anything.
    """
    path = min((course / "source" / assignment).glob("*.ipynb"))
    master, notebook = read_master(path), nbformat.read(path, as_version=4)
    chosen = master.tests[len(master.tests) // 2].index
    lines = notebook.cells[chosen].source.split("\n")
    hidden = [number for number, line in enumerate(lines) if "END HIDDEN TESTS" in line]
    lines.insert(hidden[-1] if hidden else len(lines), "assert True")
    notebook.cells[chosen].source = "\n".join(lines)
    nbformat.write(notebook, path)


def drawing_cells(course: Path, assignment: str) -> set[str]:
    """Return the sources of cells, but graded ones, that show a picture in some graded
    submission.
    """
    found = set()
    for path in (course / "autograded").glob(f"*/{assignment}/*.ipynb"):
        for cell in json.loads(path.read_bytes())["cells"]:
            if "nbgrader" not in cell["metadata"] and any(
                "image/png" in output.get("data", {}) for output in cell.get("outputs", ())
            ):
                found.add("".join(cell["source"]))
    return found


def hand_in(course: Path, assignment: str, students: int) -> Counter[str]:
    """Fill `submitted/` with a class: the same one, for the same course and number; return how many
    answers are of which kind.
    """
    kinds: Counter[str] = Counter()
    for path in sorted((course / "source" / assignment).glob("*.ipynb")):
        choices = choices_of(read_master(path), path)
        release = nbformat.read(course / "release" / assignment / path.name, as_version=4)
        for number in range(students):
            drawn = random.Random(f"{path.name} {number}")
            wrong = 0.0 if drawn.random() < FLAWLESS else drawn.uniform(0, MOST_WRONG)
            notebook = nbformat.from_dict(release)
            for cell in notebook.cells:
                grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
                if grade_id in choices:
                    kind, cell.source = _answer(drawn, wrong, choices[grade_id], cell.source)
                    kinds[kind] += 1
            target = course / "submitted" / f"student_{number:05}" / assignment / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, target)
    return kinds


def _answer(drawn: random.Random, wrong: float, choices: Choices, stub: str) -> tuple[str, str]:
    """Draw an answer, wrong with this probability; return its kind and its source."""
    if drawn.random() >= wrong:
        return "right", drawn.choice(choices.right)
    of_kind = [(kind, some) for kind, some in choices.wrong.items() if some]
    if drawn.random() < UNWRITTEN or not of_kind:
        return "unwritten", stub
    kind, some = drawn.choice(of_kind)
    return kind, drawn.choice(some)


def without_sharing(course: Path) -> None:
    """Have each student's notebook run by itself."""
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("\nc.NbReferee.share_results = False\n")


def as_stock(course: Path) -> None:
    """Have nbgrader grade a course by itself."""
    with (course / "nbgrader_config.py").open("a") as file:
        file.write(STOCK)
