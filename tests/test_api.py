"""`import nbreferee`: few names, loaded when they are used, that grade and verify as the commands do."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from building import answer, cell, graded, write
from hand_in import answered, read_notebook
from notebooks import COURSE

import nbreferee

NAMES = ["CellGrade", "Error", "Finding", "NotebookGrade", "grade_course", "grade_notebook", "verify_course"]  # fmt: skip
SOLUTION = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TESTS = "assert double(0) == 0\n### BEGIN HIDDEN TESTS\nassert double(2) == 4, 'You cube.'\n### END HIDDEN TESTS"


def test_names_are_these() -> None:
    assert sorted(nbreferee.__all__) == NAMES
    assert set(NAMES) <= set(dir(nbreferee))
    for name in NAMES:
        one = getattr(nbreferee, name)
        assert inspect.getdoc(one)
        if inspect.isfunction(one):
            signature = inspect.signature(one)
            assert all(each.annotation is not each.empty for each in signature.parameters.values())
            assert signature.return_annotation is not signature.empty
    with pytest.raises(AttributeError, match="no attribute 'grade'"):
        getattr(nbreferee, "grade" + "")


def test_import_alone_loads_nothing() -> None:
    code = "import sys, nbreferee; print([one for one in sys.modules if one.startswith('nbreferee.') or one in ('numpy', 'nbgrader', 'click')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of one notebook, released."""
    shutil.copy(COURSE / "nbgrader_config.py", tmp_path)
    (tmp_path / "source/one").mkdir(parents=True)
    why = cell("Because.", "markdown", grade_id="why", grade=True, solution=True, points=3)
    write(tmp_path / "source/one", answer(SOLUTION, "double"), graded(TESTS, "double_tests"), why)
    return tmp_path


def submission(course: Path, source: str, why: str = "Yes.") -> bytes:
    notebook = read_notebook(course / "source/one/one.ipynb")
    text: str = nbformat.writes(answered(notebook, {"double": source, "why": why}))
    return text.encode()


def test_notebook_is_graded_by_its_source_alone(course: Path) -> None:
    source = course / "source/one/one.ipynb"
    right = nbreferee.grade_notebook(submission(course, "def double(x):\n    return x + x"), source)
    assert (right.status, right.score, right.max_score, right.needs_person) == (
        "graded",
        2,
        5,
        True,
    )
    wrong = nbreferee.grade_notebook(submission(course, "def double(x):\n    return x**3"), source)
    tested = next(one for one in wrong.cells if one.grade_id == "double_tests")
    assert (tested.status, tested.score, tested.max_score) == ("failed", 0, 2)
    assert "You cube." in tested.message
    assert next(one for one in wrong.cells if one.grade_id == "why").score is None
    broken = nbreferee.grade_notebook(b"{", source)
    assert broken.status == "unreadable"
    assert broken.needs_person
    assert broken.message


def test_course_is_graded_into_the_gradebook(course: Path) -> None:
    nbgrader = Path(sys.executable).with_name("nbgrader")
    subprocess.run(
        [nbgrader, "generate_assignment", "one"], cwd=course, check=True, capture_output=True
    )
    for student, text in (("anna", "def double(x):\n    return x + x"), ("ben", "double = None")):
        folder = course / f"submitted/{student}/one"
        folder.mkdir(parents=True)
        (folder / "one.ipynb").write_bytes(submission(course, text))
    grades = nbreferee.grade_course(course, ["one"], jobs=1)
    assert [(one.student, one.assignment, one.status, one.score) for one in grades] == [
        ("anna", "one", "graded", 2),
        ("ben", "one", "graded", 0),
    ]
    assert (course / "autograded/anna/one/one.ipynb").is_file()
    again = nbreferee.grade_course(course, students=["anna"], jobs=1)
    assert [(one.student, one.status, one.score) for one in again] == [("anna", "skipped", 2)]


def test_tests_are_verified(course: Path) -> None:
    path = course / "source/one/one.ipynb"
    path.write_text(re.sub("### (BEGIN|END) HIDDEN TESTS", "# visible", path.read_text()))
    found = nbreferee.verify_course(course, ["one"], jobs=1)
    assert {(one.assignment, one.notebook) for one in found} == {("one", "one")}
    assert found[0].cell == ""
    assert "hidden tests hold 0 of 2 automatic points" in found[0].reason


def test_what_is_wrong_with_a_course_is_an_error_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(nbreferee.Error, match="no such folder"):
        nbreferee.verify_course(tmp_path / "nowhere")
    with pytest.raises(nbreferee.Error, match="no nbgrader_config"):
        nbreferee.grade_course(tmp_path)
    with pytest.raises(nbreferee.Error, match="No such file or directory"):
        nbreferee.grade_notebook(b"", tmp_path / "none.ipynb")
