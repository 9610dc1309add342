"""nbreferee feedback and grade: pages with scores and comments, as nbgrader has them, and without
hidden tests.
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from building import answer, cell, graded, write
from hand_in import answered, read_notebook
from nbgrader.api import Gradebook
from notebooks import COURSE

SOLUTION = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TESTS = (
    "assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(4711) == 9422, 'You add.'\n"
    "### END HIDDEN TESTS"
)
ANSWERS = {
    "ada": {"double": "def double(x):\n    return x + x", "words": "Because it is so."},
    "bob": {"double": "def double(x):\n    return x + 1"},
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small course for which someone typed `nbreferee grade`."""
    folder = tmp_path_factory.mktemp("feedback") / "course"
    source = folder / "source/one"
    source.mkdir(parents=True)
    shutil.copy(COURSE / "nbgrader_config.py", folder)
    figure = cell(
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        grade_id="figure",
        locked=True,
    )
    words = cell("Because.", "markdown", grade_id="words", grade=True, solution=True, points=3)
    write(source, figure, answer(SOLUTION, "double"), graded(TESTS, "double_tests"), words)
    run(folder, "nbgrader", "generate_assignment", "one")
    release = read_notebook(folder / "release/one/one.ipynb")
    for student, given in ANSWERS.items():
        (folder / "submitted" / student / "one").mkdir(parents=True)
        (folder / "submitted" / student / "one/one.ipynb").write_text(
            nbformat.writes(answered(release, given))
        )
    (folder / "printed.txt").write_text(run(folder, "nbreferee", "grade").stdout)
    return folder


def run(course: Path, *command: str) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:]],
        cwd=course,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran


def page(course: Path, student: str) -> str:
    return (course / f"feedback/{student}/one/one.html").read_text()


def text(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def test_page_has_scores_and_messages(course: Path) -> None:
    assert "2 of 2 so far; 3 points wait to be read" in text(page(course, "ada"))
    assert "0 of 5" in text(
        page(course, "bob")
    )  # the words were not written: nobody has to read them
    assert "words: nothing was written here." in text(page(course, "bob"))
    assert "nothing was written here." not in text(page(course, "ada"))


@pytest.mark.parametrize("student", ANSWERS)
def test_page_has_no_hidden_test(course: Path, student: str) -> None:
    assert "4711" not in page(course, student)
    assert "HIDDEN" not in page(course, student)
    assert "double" in text(page(course, student))
    assert (
        "4711" in (course / f"autograded/{student}/one/one.ipynb").read_text()
    )  # where the instructor reads


def test_every_figure_has_a_description(course: Path) -> None:
    images = re.findall(r"<img [^>]*>", page(course, "ada"))
    assert len(images) == 1
    assert all('alt="' in image for image in images)


def test_nbgrader_writes_the_same_page(course: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(course, tmp_path / "other"))
    shutil.rmtree(other / "feedback")
    run(other, "nbgrader", "generate_feedback", "one")
    for student in ANSWERS:
        assert page(other, student) == str(
            BeautifulSoup(page(course, student), "html.parser")
        )  # nbconvert's last step


def test_feedback_writes_again_what_has_changed_alone(course: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(course, tmp_path / "other"))
    before = {
        student: (other / f"feedback/{student}/one/one.html").stat().st_ino for student in ANSWERS
    }
    with Gradebook(f"sqlite:///{other / 'gradebook.db'}", "gradients") as book:
        book.find_comment("double", "one", "one", "bob").manual_comment = "Look at $x + 1$ again."
        book.db.commit()
    run(other, "nbreferee", "feedback", "one")
    after = {
        student: (other / f"feedback/{student}/one/one.html").stat().st_ino for student in ANSWERS
    }
    assert [student for student in ANSWERS if before[student] != after[student]] == ["bob"]
    assert 'alttext="x + 1"' in page(other, "bob")


def test_feedback_and_grade_write_the_pages_of_the_student_who_is_named(
    course: Path, tmp_path: Path
) -> None:
    for command in (("feedback",), ("grade", "--force")):
        other = Path(shutil.copytree(course, tmp_path / command[0]))
        shutil.rmtree(other / "feedback")
        run(other, "nbreferee", *command, "one", "--student", "ada")
        assert sorted(path.name for path in (other / "feedback").iterdir()) == ["ada"]


def test_student_whose_file_cannot_be_read_or_has_another_name_is_told_what_to_do(
    course: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(course, tmp_path / "other"))
    for student, name, data in (
        ("cy", "one.ipynb", "{"),
        ("di", "essay.txt", "My answers."),
        ("eve", "", ""),
    ):
        (other / "submitted" / student / "one").mkdir(parents=True)
        if name:
            (other / "submitted" / student / "one" / name).write_text(data)
    command: list[str | Path] = [Path(sys.executable).with_name("nbreferee"), "grade", "one"]
    ran = subprocess.run(command, cwd=other, capture_output=True, text=True)
    assert ran.returncode == 1, ran.stderr[-3000:]
    assert "This notebook cannot be graded: " in text(page(other, "cy"))
    assert "Hand in the saved file, under the name one.ipynb." in text(page(other, "cy"))
    assert "There is no file one.ipynb in what you handed in." in text(page(other, "di"))
    assert "You handed in: essay.txt." in text(page(other, "di"))
    assert "What you handed in is empty." in text(page(other, "eve"))
    for student in ("cy", "di", "eve"):
        assert "0 of 5 so far: this notebook has not been graded" in text(page(other, student))


def test_marks_by_hand_are_on_the_page(course: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(course, tmp_path / "other"))
    with Gradebook(f"sqlite:///{other / 'gradebook.db'}", "gradients") as book:
        book.find_grade("words", "one", "one", "ada").manual_score = 2.5
        book.find_comment("words", "one", "one", "ada").manual_comment = "Well said."
        book.db.commit()
    run(other, "nbreferee", "feedback", "one")
    assert "4.5 of 5" in text(page(other, "ada"))
    assert "Marked by a person: 2.5 of 3." in text(page(other, "ada"))
    assert "Well said." in text(page(other, "ada"))


def test_grade_prints_the_class(course: Path) -> None:
    printed = (course / "printed.txt").read_text()
    assert "graded" in printed
    assert re.search(r"ada\s+2 / 5\*", printed)
    assert re.search(r"bob\s+0 / 5", printed)
