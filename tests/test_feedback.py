"""nbreferee feedback and grade: pages with scores and comments, as nbgrader has them, and without hidden tests."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from building import answer, cell, graded, write
from hand_in import answered, read_notebook
from nbgrader.api import Gradebook
from notebooks import COURSE

SOLUTION = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TESTS = "assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(4711) == 9422, 'You add.'\n### END HIDDEN TESTS"
ANSWERS = {
    "ada": {"double": "def double(x):\n    return x + x", "words": "Because it is so."},
    "bob": {"double": "def double(x):\n    return x + 1"},
}


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """A small course for which someone typed `nbreferee grade`."""
    folder = tmp_path_factory.mktemp("feedback") / "course"
    source = folder / "source/one"
    source.mkdir(parents=True)
    shutil.copy(COURSE / "nbgrader_config.py", folder)
    figure = cell("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()", grade_id="figure", locked=True)
    words = cell("Because.", "markdown", grade_id="words", grade=True, solution=True, points=3)
    write(source, figure, answer(SOLUTION, "double"), graded(TESTS, "double_tests"), words)
    run(folder, "nbgrader", "generate_assignment", "one")
    release = read_notebook(folder / "release/one/one.ipynb")
    for student, given in ANSWERS.items():
        (folder / "submitted" / student / "one").mkdir(parents=True)
        (folder / "submitted" / student / "one/one.ipynb").write_text(nbformat.writes(answered(release, given)))
    (folder / "printed.txt").write_text(run(folder, "nbreferee", "grade").stdout)
    return folder


def run(course: Path, *command: str) -> subprocess.CompletedProcess:
    ran = subprocess.run([Path(sys.executable).with_name(command[0]), *command[1:]], cwd=course, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran


def page(course: Path, student: str) -> str:
    return (course / f"feedback/{student}/one/one.html").read_text()


def text(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def test_page_has_scores_and_messages(course):
    assert re.search(r"Score:\s*2\.0\s*/\s*5\.0", text(page(course, "ada")))
    assert re.search(r"Score:\s*0\.0\s*/\s*5\.0", text(page(course, "bob")))
    assert "No response." in text(page(course, "bob"))
    assert "No response." not in text(page(course, "ada"))


@pytest.mark.parametrize("student", ANSWERS)
def test_page_has_no_hidden_test(course, student):
    assert "4711" not in page(course, student)
    assert "HIDDEN" not in page(course, student)
    assert "double" in text(page(course, student))
    assert "4711" in (course / f"autograded/{student}/one/one.ipynb").read_text()  # where the instructor reads


def test_every_figure_has_a_description(course):
    images = re.findall(r"<img [^>]*>", page(course, "ada"))
    assert len(images) == 1
    assert all('alt="' in image for image in images)


def test_scores_are_those_of_nbgraders_own_page(course, tmp_path):
    other = Path(shutil.copytree(course, tmp_path / "other"))
    shutil.rmtree(other / "feedback")
    run(other, "nbgrader", "generate_feedback", "one")
    for student in ANSWERS:
        ours, theirs = (re.findall(r"\(?Score: [^)]*\d\)?", text(page(one, student))) for one in (course, other))
        assert ours
        assert ours == theirs


def test_marks_by_hand_are_on_the_page(course, tmp_path):
    other = Path(shutil.copytree(course, tmp_path / "other"))
    with Gradebook(f"sqlite:///{other / 'gradebook.db'}", "gradients") as book:
        book.find_grade("words", "one", "one", "ada").manual_score = 2.5
        book.find_comment("words", "one", "one", "ada").manual_comment = "Well said."
        book.db.commit()
    run(other, "nbreferee", "feedback", "one")
    assert re.search(r"Score:\s*4\.5\s*/\s*5\.0", text(page(other, "ada")))
    assert "Well said." in text(page(other, "ada"))


def test_grade_prints_the_class(course):
    printed = (course / "printed.txt").read_text()
    assert "graded" in printed
    assert re.search(r"ada\s+2 / 5\*", printed)
    assert re.search(r"bob\s+0 / 5", printed)
