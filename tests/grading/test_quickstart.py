"""nbgrader's own quickstart course, graded by stock nbgrader and by nbreferee: the gradebooks must
be equal.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook

BIN = Path(sys.executable).parent
WARNS = "prints_and_warns"
SQUARES = (
    "def squares(n):\n    if n < 1:\n        raise ValueError('n must be at least 1')\n"
    "    return [i**2 for i in range(1, n + 1)]"
)
USES_SQUARES = "def sum_of_squares(n):\n    return sum(squares(n))"

# Answers by grade id; what is not there stays as it was released.
ANSWERS: dict[str, dict[str, str]] = {
    "right": {
        "squares": SQUARES,
        "sum_of_squares": USES_SQUARES,
        "sum_of_squares_equation": r"$\sum_{i=1}^n i^2$",
        "sum_of_squares_application": (
            "def pyramidal_number(n):\n    return sum_of_squares(n)\npyramidal_number(3)"
        ),
        "part-a": "Fibonacci numbers.",
        "part-b": "Numbers below zero: it never ends.",
    },
    "partly_wrong": {
        "squares": "def squares(n):\n    return [i**2 for i in range(1, n + 1)]",
        "sum_of_squares": "def sum_of_squares(n):\n    return sum(i**2 for i in range(1, n + 1))",
        "sum_of_squares_equation": "n squared",
        "part-a": "No idea.",
    },
    "untouched": {},
    WARNS: {
        "squares": "import sys, warnings\ndef squares(n):\n    print('computing', n)\n    if n < 1:\n"
        "        raise ValueError(n)\n    if n == 11:\n"
        "        warnings.warn('large')\n        print('large', file=sys.stderr)\n"
        "    return [i * i for i in range(1, n + 1)]",
        "sum_of_squares": (
            "def sum_of_squares(n):\n    print('sum')\n    return n * (n + 1) * (2 * n + 1) // 6"
        ),
        "sum_of_squares_application": "print('nothing')",
    },
    "own_helpers": {
        "squares": "class Squares(list):\n    '''Checks its length.'''\n\n    def __init__(self, n):\n"
        "        check(n)\n        super().__init__(map(square, range(1, n + 1)))\n\n\n"
        "def check(n):\n    if n < 1:\n        raise TooSmall(n)\n\n\n"
        "class TooSmall(ValueError):\n    pass\n\n\nsquare = lambda i: i**2\n\n\ndef squares(n):\n"
        "    return list(Squares(n))",
        "sum_of_squares": (
            "from functools import reduce\ndef sum_of_squares(n):\n"
            "    return reduce(lambda a, b: a + b, squares(n), 0)"
        ),
        "sum_of_squares_application": (
            "assert sum_of_squares(2) == 5\nraise RuntimeError('unfinished')"
        ),
    },
}
# The cells in which stock nbgrader hears the warning.
HEARD = {("correct_squares", WARNS)}


def run(*command: str, folder: Path) -> str:
    ran = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=folder, capture_output=True, text=True
    )
    assert ran.returncode == 0, f"{command}: {ran.stdout[-2000:]} {ran.stderr[-2000:]}"
    return ran.stdout + ran.stderr


def hand_in(course: Path, student: str, answers: dict[str, str]) -> None:
    """Write a submission: the released notebooks with answers in them."""
    folder = course / "submitted" / student / "ps1"
    shutil.copytree(course / "release" / "ps1", folder)
    if student not in ("right", "untouched"):
        (folder / "problem2.ipynb").unlink()  # who forgets one gets nothing for it
    for path in folder.glob("*.ipynb"):
        notebook = nbformat.read(path, 4)
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            cell.source = answers.get(grade_id, cell.source)
        nbformat.write(notebook, path)


def read_marks(course: Path) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Return every mark and comment of the gradebook."""
    marks: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "course101") as gradebook:
        for student in ANSWERS:
            submission = gradebook.find_submission("ps1", student)
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    marks[student, notebook.name, grade.name] = (
                        grade.auto_score,
                        grade.max_score,
                        grade.manual_score,
                        bool(grade.needs_manual_grade),
                    )
                for comment in notebook.comments:
                    marks[student, notebook.name, f"comment on {comment.name}"] = (
                        comment.auto_comment,
                        comment.manual_comment,
                    )
    return marks


@pytest.fixture(scope="module")
def gradebooks(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[tuple[Any, ...], tuple[Any, ...]], dict[tuple[Any, ...], tuple[Any, ...]]]:
    """The marks that stock nbgrader and nbreferee give."""
    base = tmp_path_factory.mktemp("quickstart")
    stock, ours = base / "stock", base / "ours"
    run("nbgrader", "quickstart", "stock", folder=base)
    run("nbgrader", "generate_assignment", "ps1", folder=stock)
    for student, answers in ANSWERS.items():
        hand_in(stock, student, answers)
    shutil.copytree(stock, ours)
    running = subprocess.Popen(
        [BIN / "nbgrader", "autograde", "ps1"],
        cwd=stock,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    run("nbreferee", "autograde", "--course-dir", str(ours), folder=Path(__file__).parents[2])
    assert running.wait() == 0
    return read_marks(stock), read_marks(ours)


def test_marks_and_comments_are_those_of_stock_nbgrader(gradebooks: tuple[Any, ...]) -> None:
    stock, ours = gradebooks
    assert len(stock) > 5 * 8
    assert set(ours) == set(stock)
    unlike = {
        key: (ours[key], mark)
        for key, mark in stock.items()
        if ours[key] != mark and (key[2], key[0]) not in HEARD
    }
    assert unlike == {}


def test_warning_costs_nothing_here(gradebooks: tuple[Any, ...]) -> None:
    stock, ours = gradebooks
    for grade_id, student in HEARD:
        assert stock[student, "problem1", grade_id][0] == 0
        assert ours[student, "problem1", grade_id][0] == ours[student, "problem1", grade_id][1]


def test_marks_tell_the_answers_apart(gradebooks: tuple[Any, ...]) -> None:
    _, ours = gradebooks
    sums = {
        student: sum(
            mark[0] or 0
            for key, mark in ours.items()
            if key[0] == student and "comment" not in key[2]
        )
        for student in ANSWERS
    }
    assert sums == {"right": 3, "partly_wrong": 1.5, "untouched": 0, WARNS: 2.5, "own_helpers": 3}
