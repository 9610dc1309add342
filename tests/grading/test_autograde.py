"""nbreferee autograde: the same gradebook as nbgrader's own command, on every tier; refusal below;
a stamp on what is graded unsafely.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from building import answer, cell, graded, write
from denied import TIER_B, nbreferee_where
from hand_in import answered, read_notebook, solved, written
from nbgrader.api import Gradebook
from notebooks import COURSE

from nbreferee.cli import main

SOLUTION = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TESTS = (
    "### BEGIN HIDDEN TESTS\nassert double(3) == 6, 'Likely cause: you add.'\n"
    "assert double('a') == 'aa'\n### END HIDDEN TESTS"
)
ANSWERS = {
    "full_marks": {"double": "def double(x):\n    return x + x", "words": "Because it is so."},
    "unstable": {"double": "def double(x):\n    return float(x) * 2", "words": "For reasons."},
    "seed_000": {"double": "def double(x):\n    return x + 2"},
    "untouched": {},
}


def hand_in(course: Path, assignment: str, answers: dict[str, dict[str, str]]) -> None:
    (release,) = (course / "release" / assignment).glob("*.ipynb")
    for student, given in answers.items():
        folder = course / "submitted" / student / assignment
        folder.mkdir(parents=True)
        (folder / release.name).write_text(nbformat.writes(answered(read_notebook(release), given)))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small course: one assignment, released and handed in."""
    course = tmp_path_factory.mktemp("autograde") / "course"
    (course / "source/softmax").mkdir(parents=True)
    shutil.copy(COURSE / "nbgrader_config.py", course)
    words = cell(
        "Because it doubles.", "markdown", grade_id="words", grade=True, solution=True, points=2
    )
    write(
        course / "source/softmax",
        answer(SOLUTION, "double"),
        graded(TESTS, "double_tests", points=1.5),
        words,
        name="softmax",
    )
    run(course, "nbgrader", "generate_assignment", "softmax")
    hand_in(course, "softmax", ANSWERS)
    (course / "submitted/untouched/softmax/timestamp.txt").write_text("2026-01-02 03:04:05 UTC\n")
    return course


@pytest.fixture
def course(released: Path, tmp_path: Path) -> Path:
    """A copy of it, for one test."""
    return Path(shutil.copytree(released, tmp_path / "course"))


def run(course: Path, *command: str, ours: bool = True) -> subprocess.CompletedProcess[str]:
    binaries = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "200",
    }
    ran = subprocess.run(
        [binaries / command[0], *command[1:]],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert not ours or "Traceback" not in ran.stderr, ran.stderr[-3000:]
    return ran


def autograde(course: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run(course, "nbreferee", "autograde", "softmax", *options)


def gradebook(course: Path) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """All that a gradebook says of submissions."""
    rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "gradients") as book:
        for submission in book.assignment_submissions("softmax"):
            student = submission.student.id
            rows[student, "time"] = (submission.timestamp,)
            for notebook in submission.notebooks:
                rows[student, notebook.name] = (
                    notebook.score,
                    notebook.late_submission_penalty,
                    notebook.needs_manual_grade,
                )
                for grade in notebook.grades:
                    rows[student, "score", grade.name] = (
                        grade.auto_score,
                        grade.manual_score,
                        grade.extra_credit,
                        grade.needs_manual_grade,
                    )
                for comment in notebook.comments:
                    rows[student, "comment", comment.name] = (
                        comment.auto_comment,
                        comment.manual_comment,
                    )
    return rows


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own softmax assignment, handed in by four of the class, graded by `nbreferee
    autograde`.
    """
    course = tmp_path_factory.mktemp("ours") / "course"
    shutil.copytree(COURSE / "source/softmax", course / "source/softmax")
    shutil.copy(COURSE / "nbgrader_config.py", course)
    run(course, "nbgrader", "generate_assignment", "softmax")
    solution = solved(read_notebook(course / "source/softmax/softmax.ipynb"))
    theirs = {
        name: dict(written(COURSE / f"tests/class/{name}/softmax.py"))
        for name in ("unstable", "seed_000")
    }
    hand_in(course, "softmax", {"full_marks": solution, "untouched": {}, **theirs})
    shutil.copytree(course, course.parent / "other")
    assert autograde(course, "--json", "verdicts.json").returncode == 0
    return course


@pytest.mark.parametrize("preprocessors", ["ours", "stock"])
def test_nbgraders_own_command_leaves_the_same_gradebook(
    preprocessors: str, ours: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(ours.parent / "other", tmp_path / "other"))
    if preprocessors == "stock":  # everything in one kernel of the student's
        config = [
            line
            for line in (other / "nbgrader_config.py").read_text().splitlines()
            if "ClearSolutions" in line or "course_id" in line
        ]
        (other / "nbgrader_config.py").write_text("\n".join(["c = get_config()", *config]))
    ran = run(
        other, "nbgrader", "autograde", "softmax", ours=preprocessors == "ours"
    )  # stock kernels log what they stumble over as they end
    assert ran.returncode == 0, ran.stderr[-3000:]
    here, there = gradebook(ours), gradebook(other)
    assert len(there) > 100
    if preprocessors == "stock":  # which does not follow through: that is all that differs
        verdicts = json.loads((ours / "verdicts.json").read_text())
        followed = [
            (one["student"], "score", cell["grade_id"])
            for one in verdicts
            for cell in one["cells"]
            if cell.get("follow_through")
        ]
        gained = [key for key in followed if there.pop(key) != here.pop(key)]
        assert gained
        for student in {student for student, *_ in gained}:  # the sums
            assert there.pop((student, "softmax"))[0] < here.pop((student, "softmax"))[0]
    assert there == here


def test_marks_by_hand_survive_grading_again(course: Path) -> None:
    autograde(course)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "gradients") as book:
        for name, score in (("words", 1.5), ("double_tests", 0.25)):
            book.find_grade(name, "softmax", "softmax", "full_marks").manual_score = score
        book.find_comment("words", "softmax", "softmax", "full_marks").manual_comment = "Nice."
        book.db.commit()
    before = gradebook(course)
    autograde(course, "--force")
    after = gradebook(course)
    assert after["full_marks", "score", "words"][1] == 1.5
    assert after["full_marks", "comment", "words"][1] == "Nice."
    assert after["full_marks", "score", "double_tests"] == (
        1.5,
        0.25,
        None,
        False,
    )  # the answer is the same: what a person has decided stays decided
    assert after["full_marks", "score", "words"] == before["full_marks", "score", "words"]


def test_unchanged_submission_is_skipped_and_a_changed_one_is_not(
    course: Path, tmp_path: Path
) -> None:
    first, second, third = (tmp_path / name for name in ("1.json", "2.json", "3.json"))
    autograde(course, "--json", str(first))
    written = (course / "autograded/full_marks/softmax/softmax.ipynb").stat().st_mtime_ns
    (course / "submitted/seed_000/softmax/softmax.ipynb").write_bytes(
        (course / "submitted/unstable/softmax/softmax.ipynb").read_bytes()
    )
    autograde(course, "--json", str(second))
    verdicts = {one["student"]: one for one in json.loads(second.read_text())}
    assert {student: one["status"] for student, one in verdicts.items()} == {
        "full_marks": "skipped",
        "seed_000": "graded",
        "unstable": "skipped",
        "untouched": "skipped",
    }
    before = {one["student"]: one for one in json.loads(first.read_text())}
    assert verdicts["unstable"]["cells"] == before["unstable"]["cells"]
    assert verdicts["seed_000"]["cells"] == before["unstable"]["cells"]
    assert (course / "autograded/full_marks/softmax/softmax.ipynb").stat().st_mtime_ns == written
    assert autograde(course).stdout.split() == "graded 0 unchanged, skipped 4".split()
    autograde(course, "--force", "--json", str(third))
    assert {one["status"] for one in json.loads(third.read_text())} == {"graded"}


def test_submission_that_the_gradebook_has_lost_is_graded_again(
    course: Path, tmp_path: Path
) -> None:
    autograde(course)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "gradients") as book:
        book.remove_student("unstable")
    autograde(course, "--json", str(tmp_path / "verdicts.json"))
    statuses = {
        one["student"]: one["status"]
        for one in json.loads((tmp_path / "verdicts.json").read_text())
    }
    assert statuses["unstable"] == "graded"
    assert statuses["full_marks"] == "skipped"


def test_json_has_every_verdict(course: Path, tmp_path: Path) -> None:
    assert (
        autograde(
            course, "--json", str(tmp_path / "verdicts.json"), "--student", "seed_000"
        ).returncode
        == 0
    )
    (one,) = json.loads((tmp_path / "verdicts.json").read_text())
    assert {
        name: one[name] for name in ("student", "assignment", "notebook", "status", "repairs")
    } == {
        "student": "seed_000",
        "assignment": "softmax",
        "notebook": "softmax",
        "status": "graded",
        "repairs": [],
    }
    assert one["max_score"] == 3.5
    assert one["score"] == sum(cell["score"] for cell in one["cells"])
    assert one["wall_s"] > 0
    cells = {cell["grade_id"]: cell for cell in one["cells"]}
    assert cells["double_tests"]["status"] == "failed"
    assert "Likely cause: " in cells["double_tests"]["message"]
    assert cells["words"]["status"] == "manual"


def test_tier_b_gives_the_same_gradebook(course: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(course, tmp_path / "other"))
    autograde(course)
    ran = nbreferee_where(TIER_B, "autograde", "softmax", "--course-dir", str(other))
    assert ran.returncode == 0, ran.stderr
    assert gradebook(other) == gradebook(course)


@pytest.mark.parametrize("layer", ["landlock", "seccomp"])
def test_grading_refuses_without_a_layer_and_says_the_cure(course: Path, layer: str) -> None:
    ran = nbreferee_where((*TIER_B, layer), "autograde", "softmax", "--course-dir", str(course))
    assert ran.returncode == 2
    assert "student code must not run here" in ran.stderr
    assert f"{layer}: " in ran.stderr
    assert "To mend it, use " in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (course / "autograded").exists()


def test_grading_without_a_sandbox_wants_a_reason_and_stamps_it(course: Path) -> None:
    ran = nbreferee_where(
        (*TIER_B, "seccomp"),
        "autograde",
        "softmax",
        "--course-dir",
        str(course),
        "--unsafe-no-sandbox",
        "an exam on a laptop",
    )
    assert ran.returncode == 0, ran.stderr
    stamp = "Graded without a sandbox: an exam on a laptop"
    comments = [row[0] for key, row in gradebook(course).items() if key[1] == "comment"]
    assert comments
    assert all(stamp in comment for comment in comments)
    run(course, "nbgrader", "generate_feedback", "softmax")
    page = (course / "feedback/full_marks/softmax/softmax.html").read_text()
    assert "Graded without a sandbox:" in page
    assert "an exam on a laptop" in page


def test_what_is_graded_in_a_sandbox_bears_no_stamp(course: Path) -> None:
    autograde(course)
    assert (
        "without a sandbox"
        not in (course / "autograded/full_marks/softmax/softmax.ipynb").read_text()
    )
    assert {row[0] for key, row in gradebook(course).items() if key[1] == "comment"} == {
        None,
        "No response.",
    }


OTHER_SYSTEMS = """
import subprocess, sys
import click, numpy
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("fcntl", "resource", "termios"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
sys.platform = {platform!r}
"""


@pytest.mark.parametrize("platform", ["darwin", "win32"])
@pytest.mark.parametrize("command", ["autograde", "verify", "doctor"])
def test_other_systems_get_a_sentence(platform: str, command: str) -> None:
    code = (
        OTHER_SYSTEMS.format(platform=platform)
        + f"from nbreferee.cli import main\nsys.argv = ['nbreferee', {command!r}]\nmain()"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=COURSE)
    assert ran.returncode == 2
    assert ran.stderr.startswith("nbreferee: this needs Linux")
    assert "Use a container, or WSL 2 on Windows." in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_students_side_works_on_other_systems(platform: str) -> None:
    code = (
        "import numpy as np\n"
        + OTHER_SYSTEMS.format(platform=platform)
        + (
            "from gradcheck import check_gradient\n"
            "check_gradient(lambda x: x**2, lambda x: np.diag(2 * x), np.ones(2))\n"
        )
    )
    code += "assert not any(name.startswith('nbreferee') for name in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=COURSE)
    assert ran.returncode == 0, ran.stderr
    assert "relative error" in ran.stdout


def test_command_is_the_entry_point() -> None:
    assert main.commands["autograde"].help
