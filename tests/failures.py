"""Submissions that fail in every way that graders meet, for the table of docs/grader.md: python tests/failures.py

Each is handed in to one small notebook and graded for real; the table shows what became of it.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import zipfile
from concurrent.futures import BrokenExecutor
from io import BytesIO
from pathlib import Path

import nbformat
from building import answer, graded, write
from hand_in import answered, read_notebook
from nbformat import NotebookNode
from small_class import BINARIES, CONFIG, grade_here

from nbreferee.grading.outcome import Failures, NotebookOutcome

PAGE = Path(__file__).parent.parent / "docs/grader.md"
BLOCK = re.compile(r"(<!-- failures: .*?-->\n).*?(<!-- end of failures -->)", re.DOTALL)
RIGHT = {"double": "def double(x):\n    return x + x", "half": "def half(x):\n    return x / 2"}
Files = dict[str, bytes]


def _solution(name: str, body: str) -> NotebookNode:
    text = f"def {name}(x):\n    ### BEGIN SOLUTION\n    return {body}\n    ### END SOLUTION"
    return answer(text, name)


def _hidden(text: str, name: str) -> NotebookNode:
    return graded(f"### BEGIN HIDDEN TESTS\n{text}\n### END HIDDEN TESTS", f"{name}_tests")


CELLS = (
    _solution("double", "2 * x"),
    _hidden("assert double(5) == 10, f'double(5) is {double(5)}, expected 10'", "double"),
    _solution("half", "x / 2"),
    _hidden("assert abs(half(5) - 2.5) < 1e-9 or not half(5) == half(5)", "half"),
)


def _bytes(notebook: NotebookNode) -> bytes:
    return str(nbformat.writes(notebook)).encode()


def _zipped(data: bytes) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("one.ipynb", data)
    return buffer.getvalue()


def _with_conflict(data: bytes) -> bytes:
    lines = data.decode().split("\n")
    lines[2:2] = ["<<<<<<< HEAD", '   "id": "a",', "=======", '   "id": "b",', ">>>>>>> mine"]
    return "\n".join(lines).encode()


def _without_tests(release: NotebookNode) -> bytes:
    notebook = answered(release, RIGHT)
    notebook.cells = [
        one for one in notebook.cells if "_tests" not in one.metadata.nbgrader.grade_id
    ]
    return _bytes(notebook)


def _in_a_new_cell(release: NotebookNode) -> bytes:
    notebook = answered(release, {"half": RIGHT["half"]})
    notebook.cells.insert(2, nbformat.v4.new_code_cell(RIGHT["double"]))
    return _bytes(notebook)


def files_handed_in(release: NotebookNode) -> dict[str, Files]:
    """Return what is handed in where the file or its cells are at fault, by a description of it."""
    whole = _bytes(answered(release, RIGHT))
    page = b"<!DOCTYPE html><html><body>one.ipynb</body></html>"
    return {
        "no notebook, but another file": {"notes.txt": b"Where do I hand in?"},
        "an empty file": {"one.ipynb": b""},
        "half of a file (an upload that broke off)": {"one.ipynb": whole[: len(whole) // 2]},
        "a PDF under the notebook's name": {"one.ipynb": b"%PDF-1.7 ..."},
        "a zip under the notebook's name": {"one.ipynb": _zipped(whole)},
        "the web page that shows the notebook": {"one.ipynb": page},
        "a Python script under the notebook's name": {"one.ipynb": RIGHT["double"].encode()},
        "a file with git's conflict markers": {"one.ipynb": _with_conflict(whole)},
        "the notebook under another name": {"one (2).ipynb": whole},
        "two copies, both under other names": {"one-final.ipynb": whole, "one-new.ipynb": whole},
        "a notebook of another course": {
            "week.ipynb": _bytes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]))
        },
        "a timestamp that is no date": {"one.ipynb": whole, "timestamp.txt": b"yesterday"},
        "the notebook without its test cells": {"one.ipynb": _without_tests(release)},
        "an answer in a cell of the student's own": {"one.ipynb": _in_a_new_cell(release)},
    }


CODE = {
    "a wrong answer": "def double(x):\n    return x * x",
    "no answer": "",
    "a syntax error": "def double(x)\n    return 2 * x",
    "a function that raises an exception": "def double(x):\n    return 2 * y",
    "an endless loop in a function": "def double(x):\n    while True:\n        pass",
    "an endless loop in a cell": "while True:\n    pass",
    "code that ends its process": "import os\nos._exit(0)",
    "code that asks for too much memory": "def double(x):\n    return bytearray(10 << 30)",
    "code that opens a file which is not there": "data = open('/home/me/data.csv').read()",
    "code that asks for input": "n = int(input('How many? '))",
}
ODD = "def half(x):\n    return float('nan')"


def grade_failures(course: Path) -> dict[str, tuple[NotebookOutcome, list[str]]]:
    """Return what became of each submission, and the errors in its answers, by its description."""
    (course / "source/ps1").mkdir(parents=True)
    write(course / "source/ps1", *CELLS, name="one")
    (course / "nbgrader_config.py").write_text(CONFIG)
    generate: list[str | Path] = [BINARIES / "nbgrader", "generate_assignment", "ps1"]
    subprocess.run(generate, cwd=course, check=True, capture_output=True)
    release = read_notebook(course / "release/ps1/one.ipynb")
    handed_in = files_handed_in(release)
    for what, text in CODE.items():
        answers = RIGHT | {"double": text} if text else {"half": RIGHT["half"]}
        handed_in[what] = {"one.ipynb": _bytes(answered(release, answers))}
    odd = _bytes(answered(release, RIGHT | {"half": ODD}))
    handed_in["a value that passes a test by accident (here nan)"] = {"one.ipynb": odd}
    students = {}
    for number, (what, files) in enumerate(handed_in.items()):
        students[what] = "anna" if what == "a wrong answer" else f"student_{number:02}"
        folder = course / "submitted" / students[what] / "ps1"
        folder.mkdir(parents=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
    linked = course / "submitted" / "linked" / "ps1"
    linked.mkdir(parents=True)
    (linked / "one.ipynb").symlink_to(course / "source/ps1/one.ipynb")
    students["a link in place of the notebook"] = "linked"
    outcomes = grade_here(course)
    errors = {
        what: _errors_of_answers(course / "autograded" / student / "ps1/one.ipynb")
        for what, student in students.items()
    }
    return {what: (outcomes[name, "one"], errors[what]) for what, name in students.items()}


def _errors_of_answers(executed: Path) -> list[str]:
    """Return what the student's own cells show as errors in an executed notebook."""
    cells = read_notebook(executed).cells if executed.exists() else []
    return [
        f"in the answer itself: {output.ename}: {output.evalue}"
        for cell in cells
        for output in cell.get("outputs", ())
        if output.output_type == "error" and not cell.metadata.get("nbgrader", {}).get("grade")
    ]


def table(outcomes: dict[str, tuple[NotebookOutcome, list[str]]]) -> str:
    """Return the table: what was handed in, the status of the notebook, its score, and what is said."""
    rows = [
        "| handed in | notebook | score | what nbreferee says |",
        "|:--|:--|--:|:--|",
    ]
    for what, (outcome, errors) in outcomes.items():
        said = [*errors, outcome.message, *outcome.repairs, *outcome.notes]
        said += [f"cell {cell.grade_id}: {cell.message}" for cell in outcome.cells if cell.message]
        plain = outcome.as_json()
        waits = any(cell.is_unsure for cell in outcome.cells)
        score = f"{plain['score']:g} / {plain['max_score']:g}{'*' * waits}"
        rows.append(f"| {what} | {outcome.status} | {score} | {_joined(said)} |")
    for what, error in (
        ("anything, while the machine has no memory left", BrokenExecutor()),
        ("anything, where nbreferee itself has a fault", RuntimeError("...")),
    ):
        message = re.sub(r"/\S+\.txt", "FILE", Failures().result(error).result.message)
        rows.append(f"| {what} | grader_failed | – | {_joined([message])} |")
    return "\n".join(rows) + "\n"


def _joined(sentences: list[str]) -> str:
    lines = (" ".join(one.split()) for one in sentences if one)
    return "<br>".join(re.sub(r"([|*<_])", r"\\\1", line) for line in lines) or "–"


def with_table(page: str, failures: str) -> str:
    """Return the page with its table made anew."""
    return BLOCK.sub(lambda found: f"{found[1]}\n{failures}\n{found[2]}", page)


if __name__ == "__main__":
    os.environ["PATH"] = f"{BINARIES}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic
    with tempfile.TemporaryDirectory() as scratch:
        made = table(grade_failures(Path(scratch) / "course"))
    PAGE.write_text(with_table(PAGE.read_text(), made))
    print(made)
