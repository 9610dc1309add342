"""`nbreferee compare` says what it does while it does it, and names students."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from building import answer, graded, write

SOLUTION = "def f(x):\n    ### BEGIN SOLUTION\n    return x + 1\n    ### END SOLUTION"
# which costs all points with stock nbgrader
WARNS = "def f(x):\n    import sys\n    print('careful', file=sys.stderr)\n    return x + 1"


def test_output_in_a_file_names_each_notebook_and_each_student(tmp_path: Path) -> None:
    test = graded("assert f(1) == 2")
    for folder, cells in (
        ("source", (answer(SOLUTION), test)),
        ("submitted/ada", (answer(WARNS), test)),
    ):
        (tmp_path / "course" / folder / "ps1").mkdir(parents=True)
        write(tmp_path / "course" / folder / "ps1", *cells)
    (tmp_path / "course/nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'compared'\n"
    )
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [sys.executable, "-m", "nbreferee.cli", "compare", "ps1", "--mutants", "0"]
    ran = subprocess.run(
        command, cwd=tmp_path / "course", env=environment, capture_output=True, text=True
    )
    lines = ran.stdout.splitlines()
    assert lines[:2] == [
        "ps1: stock nbgrader grades 3 submissions",
        "ps1: nbreferee, one, grades 3 submissions",
    ], ran
    assert (
        "submitted-ada, f_tests: 2 here (passed), 0 with stock nbgrader; two processes 2, one "
        "process 2."
    ) in lines, ran
    assert ran.returncode == 1, ran
