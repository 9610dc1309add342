"""A course of two assignments with small notebooks, and a class in which some hand in bombs."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path

import nbformat
from building import answer, cell, graded, write
from nbformat import NotebookNode

CONFIG = (
    'c = get_config()\nc.CourseDirectory.course_id = "tiny"\nc.NbReferee.call_s = 1\n'
    "c.NbReferee.cell_s = 1\n"
)
BINARIES = Path(sys.executable).parent

DOUBLE = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
HALF = "def half(x):\n    ### BEGIN SOLUTION\n    return x / 2\n    ### END SOLUTION"
TOTAL = "def total(xs):\n    ### BEGIN SOLUTION\n    return sum(xs)\n    ### END SOLUTION"
ONE = (
    cell("# One", "markdown"),
    answer(DOUBLE, "double"),
    graded(
        "assert double(2) == 4\n### BEGIN HIDDEN TESTS\nassert double(5) == 10\n"
        "### END HIDDEN TESTS",
        "double_tests",
    ),
    answer(HALF, "half"),
    graded(
        "### BEGIN HIDDEN TESTS\nassert half(5) == 2.5\n### END HIDDEN TESTS",
        "half_tests",
        points=3,
    ),
)
TWO = (
    cell("import numpy as np", grade_id="imports", locked=True),
    answer(TOTAL, "total"),
    graded(
        "### BEGIN HIDDEN TESTS\nassert total(np.arange(4.0)) == 6\n### END HIDDEN TESTS",
        "total_tests",
        points=4,
    ),
    cell("*Why?*", "markdown", grade_id="why", grade=True, solution=True, points=1),
)
RIGHT = {
    "double": "def double(x):\n    return x + x",
    "half": "def half(x):\n    return x / 2",
    "total": "def total(xs):\n    return np.sum(xs)",
    "why": "So.",
}
POINTS = {"double_tests": 2.0, "half_tests": 3.0, "total_tests": 4.0, "why": 0.0}
HONEST = {f"honest_{n}": {**RIGHT, "why": f"Because of {n}."} for n in range(8)} | {
    "prints": {
        **RIGHT,
        "double": (
            "import sys, warnings\nprint('working')\nprint('!', file=sys.stderr)\n"
            f"warnings.warn('old')\n{RIGHT['double']}"
        ),
    },
    "plots": {
        **RIGHT,
        "half": f"import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\n{RIGHT['half']}",
    },
}
# student: (answers, the points that are lost, words of that verdict)
BAD = {
    "loops": (
        {**RIGHT, "half": "def half(x):\n    while True: pass"},
        {"half_tests"},
        "is there a loop that does not end",
    ),
    "ends": ({**RIGHT, "half": "import os\nos._exit(1)"}, {"half_tests"}, "half"),
    "exits": (
        {**RIGHT, "double": "def double(x):\n    import sys\n    sys.exit()"},
        {"double_tests"},
        "double",
    ),
    "copies": (RIGHT, set(), ""),
    "half_a_character": (
        {**RIGHT, "half": "print('\\ud800')\ndef half(x):\n    raise ValueError('\\ud800')"},
        {"half_tests"},
        "?",
    ),
}
UNREADABLE = ("not_json", "not[red]json")  # one of them a name that is markup to some
NOT_JSON = "Dear grader, my notebook is attached."


def run(course: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment; whatever happens, nobody sees a traceback."""
    environment = {
        **os.environ,
        "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "300",
    }
    ran = subprocess.run(
        [BINARIES / command[0], *command[1:]],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in ran.stderr, ran.stderr[-3000:]
    return ran


def filled(release: NotebookNode, answers: dict[str, str]) -> NotebookNode:
    """A release with answers in it."""
    notebook = copy.deepcopy(release)
    for one in notebook.cells:
        one.source = answers.get(one.metadata.get("nbgrader", {}).get("grade_id"), one.source)
    return notebook


def release(course: Path) -> None:
    """Make a course of one assignment with two notebooks and a file, released; and one that is
    not.
    """
    for assignment in ("ps1", "ps2"):
        (course / "source" / assignment / "data").mkdir(parents=True)
        write(course / "source" / assignment, *ONE, name="one")
    write(course / "source/ps1", *TWO, name="two")
    (course / "source/ps1/data/numbers.csv").write_text("1,2\n")
    (course / "nbgrader_config.py").write_text(CONFIG)
    ran = run(course, "nbgrader", "generate_assignment", "ps1")
    assert ran.returncode == 0, ran.stderr


def hand_in(course: Path, student: str, answers: dict[str, str], copies: str = "") -> Path:
    """Hand in both notebooks; with one of the tests copied, if asked to."""
    folder = course / "submitted" / student / "ps1"
    folder.mkdir(parents=True)
    for name in ("one", "two"):
        notebook = filled(
            nbformat.read(str(course / f"release/ps1/{name}.ipynb"), as_version=4), answers
        )
        for place, one in enumerate(list(notebook.cells)):
            if one.metadata.get("nbgrader", {}).get("grade_id") == copies:
                notebook.cells.insert(
                    place, nbformat.from_dict({**copy.deepcopy(one), "id": f"{one.id}-again"})
                )
        (folder / f"{name}.ipynb").write_text(nbformat.writes(notebook))
    return folder
