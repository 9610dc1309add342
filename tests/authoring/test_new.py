"""nbreferee new: a notebook to start from, in this course and in one that is not ours, with nothing to mend in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hand_in import read_notebook
from notebooks import COURSE

import nbreferee
from nbreferee.authoring.starter import StarterError, write_starter

OTHER = """
c = get_config()
c.CourseDirectory.course_id = "other"
c.CourseDirectory.source_directory = "masters"
c.ClearSolutions.begin_solution_delimeter = "ANSWER >>>"
c.ClearSolutions.end_solution_delimeter = "<<< ANSWER"
c.ClearHiddenTests.begin_test_delimeter = "HIDDEN >>>"
c.ClearHiddenTests.end_test_delimeter = "<<< HIDDEN"
"""


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """This course without its assignments."""
    for name in ("nbgrader_config.py", "gradcheck.py"):
        shutil.copy(COURSE / name, tmp_path)
    shutil.copytree(COURSE / "gradtests", tmp_path / "gradtests")
    return tmp_path


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A course with other settings, and without gradcheck."""
    (tmp_path / "nbgrader_config.py").write_text(OTHER)
    return tmp_path


def test_starter_of_our_course_passes_verify(ours: Path) -> None:
    nbreferee_command = Path(sys.executable).with_name("nbreferee")
    done = subprocess.run(
        [nbreferee_command, "new", "mean_squares", "--function", "first", "--function", "second"],
        cwd=ours,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "then try its tests: nbreferee verify mean_squares" in done.stdout
    for name in ("gradcheck.py", "gradtests/checks.py"):
        assert (ours / "source/mean_squares" / name).samefile(ours / name)
    assert nbreferee.verify_course(ours) == ()


def test_starter_of_another_course_passes_verify(other: Path) -> None:
    written = write_starter(other, "slopes")
    assert [str(path.relative_to(other)) for path in written] == [
        "masters/slopes/slopes.ipynb",
        "masters/slopes/gradcheck.py",
        "masters/slopes/gradtests",
        "masters/slopes.alternatives.py",
    ]
    text = written[0].read_text()
    assert "ANSWER >>>" in text
    assert "BEGIN SOLUTION" not in text
    assert "NotWritten" not in text
    assert nbreferee.verify_course(other) == ()


def test_starter_has_the_cells_of_an_exercise(ours: Path) -> None:
    notebook = read_notebook(write_starter(ours, "slopes", ["f", "g"])[0])
    assert [cell.id for cell in notebook.cells] == [
        "title", "imports", *(f"{name}{end}" for name in "fg" for end in ("_task", "", "_try", "_check", "_tests")),
    ]  # fmt: skip
    assert "NotWritten" in notebook.cells[1].source


@pytest.mark.parametrize(
    ("assignment", "functions", "words"),
    [
        ("a/b", (), "cannot be an assignment's name"),
        ("a+b", (), "nbgrader takes no + in it"),
        (".a", (), "cannot be an assignment's name"),
        ("week 1", (), "'week 1' cannot be a function's name in Python. Name the functions"),
        ("week 1", ("for",), "'for' cannot be a function's name in Python. Choose another"),
        ("week 1", ("sum",), "sum is a name that the notebook uses for something else"),
        ("week 1", ("f", "f_check"), "two cells would have the grade id f_check"),
        ("there", (), "this is there already. Choose another name for the new one."),
    ],
)
def test_name_that_cannot_be_used_is_refused(
    ours: Path, assignment: str, functions: tuple[str, ...], words: str
) -> None:
    (ours / "source").mkdir()
    (ours / "source/there.alternatives.py").touch()
    with pytest.raises(StarterError) as error:
        write_starter(ours, assignment, functions)
    assert words in str(error.value)
    assert [path.name for path in (ours / "source").iterdir()] == ["there.alternatives.py"]
