"""A course that sets much of what nbgrader lets it set is graded as stock nbgrader would, or a
sentence says what is not done.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from building import answer, cell, graded, write

from nbreferee.course.locate import open_course
from nbreferee.verify.reading import read_course_master

BINARIES = Path(sys.executable).parent
STRUCTURE = "{nbgrader_step}/{assignment_id}/{student_id}"
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "set"
c.CourseDirectory.directory_structure = "{nbgrader_step}/{assignment_id}/{student_id}"
c.CourseDirectory.submitted_directory = "handed in"
c.CourseDirectory.student_id_exclude = "excluded,nobody"
c.CourseDirectory.groupshared = True
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.secret", "private"]
c.CourseDirectory.include = ["*.py", "*.csv", "*.ipynb"]
c.IncludeHeaderFooter.header = "around/header.ipynb"
c.IncludeHeaderFooter.footer = "around/footer.ipynb"
c.ClearSolutions.begin_solution_delimeter = "BSOL"
c.ClearSolutions.end_solution_delimeter = "ESOL"
c.ClearHiddenTests.begin_test_delimeter = "BTEST"
c.ClearHiddenTests.end_test_delimeter = "ETEST"
c.Autograde.exclude_overwriting = {"ps1": ["tools.py"]}
c.Autograde.autograde_preprocessors = [
    "nbgrader.preprocessors.Execute", "own.Preprocessor", "nbgrader.preprocessors.SaveAutoGrades", "nbgrader.preprocessors.AssignLatePenalties",
]
c.AssignLatePenalties.plugin_class = "own.OnePoint"
c.Execute.timeout = 8
c.Execute.error_on_timeout = {"ename": "Slow", "evalue": "eight seconds", "traceback": ["Slow: eight seconds"]}
c.Execute.startup_timeout = 5
c.LimitOutput.max_lines = 900
"""
OWN = """
from nbgrader.plugins import BasePlugin

class OnePoint(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 1
"""
AUTOTESTS = """
python3:
    dispatch: "type({{snippet}})"
    normalize: "str({{snippet}})"
    check: 'assert {{snippet}} == "{{value}}", "{{message}}"'
    templates:
        default:
            - test: "round({{snippet}}, 3)"
              fail: "{{snippet}} has another value"
"""
HEADER = (
    cell("def close(a, b):\n    return abs(a - b) < 1e-9", grade_id="helper", locked=True),
    graded("assert 'close' in globals()", "header_tests", points=1),
)
FOOTER = (graded("assert close(half(10), 5)", "footer_tests", points=1),)
PEEK = (
    "import os\nprint([name for name in ('key.secret', 'private/key', 'only.tests', 'empty/sub') "
    "if os.path.exists(name)])"
)
ONE = (
    cell("import tools", grade_id="imports", locked=True),
    answer("def half(x):\n    # BSOL\n    return x / 2\n    # ESOL", "half"),
    graded(
        "assert close(half(3), 1.5)\n# BTEST\nSECRET_31 = 31\nassert close(half(62), SECRET_31)\n"
        "# ETEST",
        "half_tests",
        points=3,
    ),
    graded("assert tools.area(4) == 48", "tools_tests"),
    answer("a = 1\n# ESOL", "only_end"),
    graded("### AUTOTEST half(1); half(2)", "auto_tests", points=3),
    graded(
        "import numpy as np\nnp.float64(3) if half(8) == 4 else np.float32(1)",
        "partial_tests",
        points=3,
    ),
    graded("assert open('only.tests').read() == 'for tests'", "reads_tests", points=1),
    cell("import os\nos.makedirs('made', exist_ok=True)", grade_id="made", locked=True),
    graded(
        "import os\nopen('made/by_test.csv', 'w').write('1')\nos.remove('data/rows.csv')",
        "writes_tests",
        points=1,
    ),
    answer(
        "import os\nseen = os.path.exists('made/by_test.csv'), os.path.exists('data/rows.csv')",
        "seen",
    ),
    graded("assert seen == (True, False)", "seen_tests", points=1),
)
POINTS = {
    "header_tests": 1,
    "half_tests": 3,
    "tools_tests": 2,
    "auto_tests": 3,
    "partial_tests": 3,
    "reads_tests": 1,
    "writes_tests": 1,
    "seen_tests": 1,
    "footer_tests": 1,
}
AREA, NO_AREA = "def area(r):\n    return 3 * r * r\n", "def area(r):\n    return 6 * r\n"
HALF = "def half(x):\n    return x / 2"
STUDENTS = {
    "right": ({"half": f"{HALF}\n{PEEK}\nprint('line\\n' * 2000)"}, AREA),
    "wrong": (
        {"half": "def half(x):\n    return x", "helper": "def close(a, b):\n    return True"},
        NO_AREA,
    ),
    "slow": ({"half": f"import time\ntime.sleep(30)\n{HALF}"}, AREA),
    "excluded": ({}, AREA),
}


@dataclass(frozen=True)
class Run:
    """A course that has been graded."""

    root: Path
    said: str
    status: int
    verdicts: dict[str, dict[str, Any]]  # by student

    def scores(self, student: str) -> dict[str, float]:
        return {one["grade_id"]: one["score"] for one in self.verdicts[student]["cells"]}

    def folder(self, step: str, student: str, assignment: str = "ps1") -> Path:
        return self.root / STRUCTURE.format(
            assignment_id=assignment, student_id=student, nbgrader_step=step
        )

    def texts(self, student: str) -> str:
        notebook = nbformat.read(self.folder("autograded", student) / "one.ipynb", as_version=4)
        return "\n".join(str(output) for one in notebook.cells for output in one.get("outputs", []))


def in_course(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "300",
        "JUPYTER_CONFIG_DIR": str(root / "jupyter"),
    }
    return subprocess.run(
        [BINARIES / command[0], *command[1:]],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
    )


def hand_in(root: Path) -> None:
    release = nbformat.read(root / "release/ps1/one.ipynb", as_version=4)
    solutions = {
        one.metadata.nbgrader.grade_id: one.source
        for one in (*HEADER, *ONE)
        if one.metadata.nbgrader.solution
    }
    for student, (answers, tools) in STUDENTS.items():
        folder = root / f"handed in/ps1/{student}"
        folder.mkdir(parents=True)
        for one in release.cells:
            grade_id = one.metadata.get("nbgrader", {}).get("grade_id")
            one.source = {**solutions, **answers}.get(grade_id, one.source)
        nbformat.write(release, folder / "one.ipynb")
        (folder / "tools.py").write_text(tools)
        (folder / "mine.secret").write_text("a student's")
        (folder / "timestamp.txt").write_text(
            "2026-01-02 03:04:05 UTC" if student == "right" else "2025-01-02 03:04:05 UTC"
        )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("settings") / "course"
    source = root / "source/ps1"
    for folder in (
        "around",
        "jupyter",
        "source/ps1/data",
        "source/ps1/private",
        "source/ps1/empty/sub",
        "source/ps2",
    ):
        (root / folder).mkdir(parents=True)
    write(root / "around", *HEADER, name="header")
    write(root / "around", *FOOTER, name="footer")
    notebook = nbformat.v4.new_notebook(
        cells=list(ONE),
        metadata={
            "kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}
        },
    )
    nbformat.write(notebook, source / "one.ipynb")
    other = nbformat.v4.new_notebook(
        cells=[answer("x <- 1", "r"), graded("stopifnot(x == 1)", "r_tests")]
    )
    other.metadata["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    nbformat.write(other, root / "source/ps2/two.ipynb")
    (root / "nbgrader_config.py").write_text(CONFIG)
    (root / "jupyter/nbgrader_config.json").write_text(
        '{"LimitOutput": {"max_lines": 5, "max_traceback": 7}, "CourseDirectory": {"course_id": '
        '"other"}}'
    )
    (root / "own.py").write_text(OWN)
    (root / "autotests.yml").write_text(AUTOTESTS)
    for name, text in {
        "tools.py": AREA,
        "key.secret": "KEY",
        "private/key": "KEY",
        "only.tests": "for tests",
        "data/rows.csv": "1,2",
    }.items():
        (source / name).write_text(text)
    for assignment in ("ps1", "ps2"):
        made = in_course(root, "nbgrader", "generate_assignment", assignment)
        assert made.returncode == 0, made.stderr
    shutil.rmtree(source / "made")  # nbgrader runs a notebook with autotests in its source folder
    (source / "data/rows.csv").write_text("1,2")
    due = in_course(
        root, "nbgrader", "db", "assignment", "add", "ps1", "--duedate=2026-01-01 12:00 UTC"
    )
    assert due.returncode == 0, due.stderr
    hand_in(root)
    (root / "handed in/ps2/right").mkdir(parents=True)
    nbformat.write(other, root / "handed in/ps2/right/two.ipynb")
    ran = in_course(root, "nbreferee", "autograde", "--json", "v.json", "--jobs", "2")
    assert (root / "v.json").exists(), ran.stderr
    pages = in_course(root, "nbreferee", "feedback", "ps1")
    assert pages.returncode == 0, pages.stderr
    verdicts = {one["student"]: one for one in json.loads((root / "v.json").read_text())}
    return Run(root, ran.stdout + ran.stderr, ran.returncode, verdicts)


def test_solution_earns_all_points(run: Run) -> None:
    assert run.scores("right") == POINTS


def test_verify_reads_the_notebook_as_it_was_released(run: Run) -> None:
    master = read_course_master(open_course(run.root), run.root / "source/ps1/one.ipynb")
    assert {cell.grade_id for cell in master.tests} == POINTS.keys()
    assert "AUTOTEST" not in "".join(cell.source for cell in master.cells)


def test_wrong_answer_with_an_edited_helper_of_the_header_earns_what_it_deserves(run: Run) -> None:
    right = {
        "header_tests": 1,
        "partial_tests": 1,
        "reads_tests": 1,
        "writes_tests": 1,
        "seen_tests": 1,
    }
    assert run.scores("wrong") == {**dict.fromkeys(POINTS, 0), **right}


def test_students_file_that_is_not_overwritten_stays_in_the_autograded_folder(run: Run) -> None:
    assert (run.folder("autograded", "wrong") / "tools.py").read_text() == NO_AREA


def test_files_that_are_ignored_or_not_included_are_not_in_the_box(run: Run) -> None:
    assert "['empty/sub']" in run.texts("right")
    names = {path.name for path in run.folder("autograded", "right").rglob("*")}
    assert not names & {"key.secret", "mine.secret", "key"}
    assert {"only.tests", "rows.csv"} <= names


def test_hidden_tests_with_own_delimiters_are_on_no_page_and_nothing_is_repaired_for_them(
    run: Run,
) -> None:
    for student in ("right", "wrong"):
        page = (run.folder("feedback", student) / "one.html").read_text()
        assert "half" in page
        assert "SECRET_31" not in page
        assert "SECRET_31" not in json.dumps(run.verdicts[student])
    assert run.verdicts["right"]["repairs"] == []


def test_own_timeout_and_its_error_hold(run: Run) -> None:
    assert run.scores("slow")["half_tests"] == 0
    assert "'ename': 'Slow'" in run.texts("slow")
    assert run.verdicts["slow"]["wall_s"] < 29


def test_output_has_no_more_lines_than_the_course_allows(run: Run) -> None:
    texts = [
        output.text
        for one in nbformat.read(
            run.folder("autograded", "right") / "one.ipynb", as_version=4
        ).cells
        for output in one.get("outputs", [])
        if output.output_type == "stream"
    ]
    assert max(text.count("\n") + 1 for text in texts) == 900


def test_excluded_student_is_not_graded(run: Run) -> None:
    assert set(run.verdicts) == {"right", "wrong", "slow"}


def test_files_are_shared_with_the_group(run: Run) -> None:
    folder = run.folder("autograded", "right")
    assert stat.S_IMODE((folder / "one.ipynb").stat().st_mode) == 0o664
    assert stat.S_IMODE(folder.stat().st_mode) & 0o2770 == 0o2770
    assert stat.S_IMODE((run.folder("feedback", "right") / "one.html").stat().st_mode) == 0o664


def test_plugin_of_the_course_takes_points_off_who_is_late(run: Run) -> None:
    with closing(sqlite3.connect(run.root / "gradebook.db")) as database:
        query = (
            "select sa.student_id, sn.late_submission_penalty from submitted_notebook sn join "
            "submitted_assignment sa on sa.id = sn.assignment_id"
        )
        assert dict(database.execute(query)) == {"right": 1, "wrong": None, "slow": None}


def test_what_is_not_honoured_is_named_once(run: Run) -> None:
    assert run.said.count("c.Execute.startup_timeout is set, and nbreferee does not use it") == 1
    assert (
        run.said.count(
            "c.Autograde.autograde_preprocessors names Preprocessor, which nbreferee does not run"
        )
        == 1
    )
    assert run.said.count("does not") == 2


def test_notebook_in_another_language_is_refused_by_name_and_the_others_are_graded(
    run: Run,
) -> None:
    assert "two.ipynb: a notebook in R, and nbreferee grades Python." in run.said
    assert run.status == 1


def test_nobody_graded_is_said_and_is_no_success(run: Run) -> None:
    (run.root / "nbgrader_config.py").write_text(
        CONFIG.replace(STRUCTURE, "{nbgrader_step}/{student_id}/{assignment_id}")
    )
    ran = in_course(run.root, "nbreferee", "autograde", "ps1")
    assert ran.returncode != 0
    assert "nobody has been graded: there are submissions for" in ran.stderr
