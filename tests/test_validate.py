"""nbreferee validate: which visible tests fail and why, in a sentence each, and an exit status for scripts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
from building import answer, cell, graded, write
from nbgrader.preprocessors import ComputeChecksums, LockCells
from notebooks import COURSE

DOUBLE = "def double(x):\n    return {}"
CHECK = "assert double(2) == 4, 'double(2) is not 4.'"


def notebook(folder: Path, name: str, source: str, check: str = CHECK) -> str:
    """Write a notebook as students get it, with an answer; return its name."""
    imports = cell("import sys", grade_id="imports", locked=True)
    cells = [
        imports,
        answer(source, "double"),
        graded(CHECK, "double_check"),
        graded("# Hidden tests: other numbers.", "double_tests"),
        graded("assert half(2) == 1", "half_check") if "half" in source else cell("", "markdown"),
    ]
    path = write(folder, *cells, name=name)
    released = nbformat.read(path, as_version=4)
    for step in (LockCells(), ComputeChecksums()):
        released, _ = step.preprocess(released, {})
    released.cells[2].source = check
    nbformat.write(released, path)
    return path.name


def validate(folder: Path, *names: str) -> tuple[int, str, str]:
    ran = subprocess.run(
        [Path(sys.executable).with_name("nbreferee"), "validate", *names],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    return ran.returncode, ran.stdout, ran.stderr


def test_every_failure_is_said_and_the_worst_decides_on_the_status(tmp_path: Path) -> None:
    warns = notebook(
        tmp_path, "warns", "import sys\nprint('!', file=sys.stderr)\n" + DOUBLE.format("2 * x")
    )
    wrong = notebook(tmp_path, "wrong", DOUBLE.format("x * x * x\n\nhalf = None"))
    status, out, error = validate(tmp_path, warns, wrong)
    assert (status, error) == (1, "")
    assert out.splitlines() == [
        "warns.ipynb: all 1 visible tests pass; hidden ones are for grading.",
        "double_check: double(2) is not 4.",
        "half_check: TypeError: 'NoneType' object is not callable",
        "wrong.ipynb: 2 of 2 visible tests fail.",
    ]


def test_test_that_was_changed_does_not_pass(tmp_path: Path) -> None:
    name = notebook(tmp_path, "changed", DOUBLE.format("0"), check="assert True")
    status, out, _ = validate(tmp_path, name)
    assert status == 1
    assert out.startswith("double_check: this test is not as it was handed out.")


def test_notebook_that_cannot_be_run_has_a_status_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "text.ipynb").write_text("no notebook")
    ends = notebook(tmp_path, "ends", "import os\nos._exit(1)")
    write(tmp_path, cell("1 + 1"), name="none")
    status, out, error = validate(tmp_path, "text.ipynb", "none.ipynb", "missing.ipynb", ends)
    assert (status, out) == (2, "")
    assert [line.split(": ", 2)[2][:30] for line in error.splitlines()] == [
        "this is no notebook (Notebook ",
        "no visible test here. Is it a ",
        "No such file or directory. Nam",
        "Python ended while the noteboo",
    ]


def test_release_names_what_is_not_written(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(COURSE / "release/softmax", tmp_path / "softmax")
    status, out, _ = validate(tmp_path, "softmax/softmax.ipynb")
    assert status == 1
    assert "softmax_check: softmax is not written yet." in out
    assert out.endswith("10 of 10 visible tests fail.\n")
