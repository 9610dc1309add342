"""A small graded class with something of each kind that a report tells of: mistakes, copies, late
and unreadable files.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import nbformat
from building import answer, cell, graded, write
from nbgrader.api import Gradebook
from small_class import BINARIES, CONFIG, grade_here, hand_in

SOLUTION_DOUBLE = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
SOLUTION_COUNT = """def count(text):
    ### BEGIN SOLUTION
    counts = {}
    for word in text.split():
        counts[word] = counts.get(word, 0) + 1
    return counts
    ### END SOLUTION"""
ONE = (
    cell("# Numbers\n\n```\n# no heading\n```", "markdown", grade_id="top", locked=True),
    cell("## Double of $x$ <b>&</b> — 2 points", "markdown", grade_id="double_task", locked=True),
    answer(SOLUTION_DOUBLE, "double"),
    graded(
        "### BEGIN HIDDEN TESTS\nassert double(5) == 10, f'double(5) is {double(5)}, expected "
        "10.\\n"
        "Likely cause: You <square> x.' if double(3) == 9 else 'Not double.'\n### END HIDDEN TESTS",
        "double_tests",
    ),
    graded("assert callable(double)", "double_check", points=1),
)
TWO = (
    cell("# Words", "markdown", grade_id="top", locked=True),
    cell("## Count words — 3 points", "markdown", grade_id="count_task", locked=True),
    answer(SOLUTION_COUNT, "count"),
    graded(
        "### BEGIN HIDDEN TESTS\nassert count('a b a') == {'a': 2, 'b': 1}\n### END HIDDEN TESTS",
        "count_tests",
        points=3,
    ),
    cell("## Why — 4 points", "markdown", grade_id="why_task", locked=True),
    cell("*Why?*", "markdown", grade_id="why", grade=True, solution=True, points=4),
)
DOUBLE = "def double(x):\n    return x + x"
SQUARE = "def double(x):\n    return x * x"
COPIED = """def count(text):
    # first a table that is empty, then word by word
    table = dict.fromkeys(sorted(set(text.replace("\\t", " ").split(" "))), 0)
    position = len(text.split(" ")) - 1
    while position >= 0 and table is not None:
        table[text.split(" ")[position]] = table[text.split(" ")[position]] + 1
        position = position - 1
    return {key: value for key, value in table.items() if value != 0 and key is not None}"""
RENAMED = re.sub(
    r"\b(table|position|key)\b",
    lambda found: f"my_{found[0]}",
    COPIED.replace("# first", "# At first"),
)
OTHERS = (
    "def count(text):\n    from collections import Counter\n    return dict(Counter(text.split()))",
    "def count(text):\n    ws = text.split()\n    return {w: ws.count(w) for w in ws}",
    (
        "def count(text):\n    out = {}\n    for w in text.split():\n        if w in out:\n"
        "            out[w] += 1\n        else:\n            out[w] = 1\n    return out"
    ),
    "def count(text):\n    return len(text.split())",
    "def count(text):\n    import time\n    while True:\n        time.sleep(0.01)",
)
WORDS = (
    "Since <script>window.ran = 1</script> words repeat, each needs a counter of its own: number "
    "{}."
)
MARKUP, FORMULA = "anna[old]", "=cmd|x!A1"  # ids that the terminal and a spreadsheet must not read
LATE, WRONG_NAME, BROKEN, EMPTY, NEW = "late", "wrong_name", "broken", "empty", "new"
COPIES = ("copy_a", "copy_b")
ANSWERS = {
    MARKUP: (DOUBLE, OTHERS[0]),
    FORMULA: (SQUARE, OTHERS[1]),
    LATE: (SQUARE, OTHERS[2]),
    WRONG_NAME: (SQUARE, OTHERS[3]),
    BROKEN: (DOUBLE, OTHERS[4]),
    COPIES[0]: (DOUBLE, COPIED),
    COPIES[1]: (SQUARE, RENAMED),
    **{f"other_{n}": (DOUBLE, other) for n, other in enumerate(OTHERS[:4])},
}


def prepare(course: Path) -> None:
    """Make the class, and grade it."""
    (course / "source/ps1").mkdir(parents=True)
    write(course / "source/ps1", *ONE, name="one")
    write(course / "source/ps1", *TWO, name="two")
    (course / "nbgrader_config.py").write_text(CONFIG)
    subprocess.run(
        [BINARIES / "nbgrader", "generate_assignment", "ps1"],
        cwd=course,
        check=True,
        capture_output=True,
    )
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        book.find_assignment("ps1").duedate = datetime(2026, 1, 1)
        book.add_student("stays_away", first_name="Ada <i>", last_name="Away")
        book.db.commit()
    for number, (student, (double, count)) in enumerate(ANSWERS.items()):
        hand_in(course, student, {"double": double, "count": count, "why": WORDS.format(number)})
    submitted = course / "submitted"
    (submitted / LATE / "ps1/timestamp.txt").write_text("2026-01-02 03:04:05 UTC\n")
    other = nbformat.v4.new_notebook(cells=[cell("print('another course')")])
    (submitted / WRONG_NAME / "ps1/one.ipynb").unlink()
    nbformat.write(other, str(submitted / WRONG_NAME / "ps1/week <2>.ipynb"))
    (submitted / BROKEN / "ps1/one.ipynb").write_text("{ no notebook")
    shutil.copytree(course / "release/ps1", submitted / EMPTY / "ps1")
    outcomes = grade_here(course)
    assert {outcomes[student, "two"].status for student in ANSWERS} == {"graded"}
    hand_in(course, NEW, {})  # after the class was graded
