"""A class in which some hand in bombs: the batch goes on, honest scores are whole, and every
refusal is a sentence.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from building import cell, write
from nbgrader.api import Gradebook
from tiny_class import BAD, BINARIES, HONEST, NOT_JSON, POINTS, RIGHT, TWO, UNREADABLE, hand_in, run

# the course, what the command said, and its verdicts
Graded = tuple[Path, subprocess.CompletedProcess[str], dict[tuple[str, str], dict[str, Any]]]


@pytest.fixture(scope="module")
def batch(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """The course after one run of the command, what that said, and its verdicts by student and
    notebook.
    """
    course = Path(shutil.copytree(released, tmp_path_factory.mktemp("graded") / "course"))
    for student, answers in HONEST.items():
        hand_in(course, student, answers)
    for student, (answers, _, _) in BAD.items():
        hand_in(course, student, answers, "double_tests" if student == "copies" else "")
    for student in UNREADABLE:
        (hand_in(course, student, RIGHT) / "one.ipynb").write_text(NOT_JSON)
    ran = run(
        course.parent,
        "nbreferee",
        "autograde",
        "ps1",
        "--course-dir",
        str(course),
        "--json",
        "verdicts.json",
    )
    found = json.loads((course.parent / "verdicts.json").read_text())
    return course, ran, {(one["student"], one["notebook"]): one for one in found}


def scores(verdicts: dict[tuple[str, str], dict[str, Any]], student: str) -> dict[str, float]:
    """The scores of a student by grade id."""
    return {
        one["grade_id"]: one["score"]
        for name in ("one", "two")
        for one in verdicts[student, name]["cells"]
    }


@pytest.mark.parametrize("student", HONEST)
def test_honest_submission_beside_bombs_has_every_point(
    student: str,
    batch: Graded,
) -> None:
    _, _, verdicts = batch
    assert scores(verdicts, student) == POINTS
    assert [verdicts[student, name]["repairs"] for name in ("one", "two")] == [[], []]


@pytest.mark.parametrize("student", BAD)
def test_bomb_costs_its_own_exercise_and_says_why(
    student: str,
    batch: Graded,
) -> None:
    _, _, verdicts = batch
    _, lost, words = BAD[student]
    assert scores(verdicts, student) == {
        name: 0.0 if name in lost else points for name, points in POINTS.items()
    }
    messages = [
        one["message"] for one in verdicts[student, "one"]["cells"] if one["grade_id"] in lost
    ]
    assert all(words in message for message in messages)


def test_copied_test_cell_is_a_repair(
    batch: Graded,
) -> None:
    _, _, verdicts = batch
    assert verdicts["copies", "one"]["repairs"] == [
        "cell double_tests was there twice: the last one counts"
    ]


def test_unreadable_notebook_is_named_in_one_sentence_and_the_status_is_1(
    batch: Graded,
) -> None:
    _, ran, verdicts = batch
    assert ran.returncode == 1
    said = {
        line for line in ran.stderr.splitlines() if line.strip() and not line.startswith("ps1: ")
    }  # but for progress
    why = "the file is not a notebook, for it is not JSON. Ask for the notebook itself"
    assert said == {
        f"{student}: ps1/one: {why}. It gets 0 points and is flagged for a person."
        for student in UNREADABLE
    }
    summary = " ".join(ran.stdout.split())
    assert [
        words for words in ("graded 32", "look at them 2", "repaired 1") if words not in summary
    ] == []
    assert {
        (verdicts[student, "one"]["status"], verdicts[student, "two"]["score"])
        for student in UNREADABLE
    } == {("unreadable", 4)}


def test_gradebook_holds_the_same_as_the_verdicts(
    batch: Graded,
) -> None:
    course, _, verdicts = batch
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as gradebook:
        rows = {
            (submission.student.id, grade.name): (grade.auto_score, grade.needs_manual_grade)
            for name in ("one", "two")
            for submission in gradebook.notebook_submissions(name, "ps1")
            for grade in submission.grades
        }
    students = {*HONEST, *BAD, *UNREADABLE}
    assert {student for student, _ in rows} == students
    for student in students - set(UNREADABLE):
        wanted = {
            name: (None, True) if name == "why" else (score, False)
            for name, score in scores(verdicts, student).items()
        }
        assert {name: rows[student, name] for name in POINTS} == wanted
    for student in UNREADABLE:
        flagged = {
            "double_tests": (0, True),
            "half_tests": (0, True),
            "total_tests": (4, False),
            "why": (None, True),
        }
        assert {name: rows[student, name] for name in POINTS} == flagged


def test_autograded_notebooks_can_be_read_and_nothing_else_is_left(batch: Graded) -> None:
    course, _, verdicts = batch
    for student, name in verdicts:
        path = course / f"autograded/{student}/ps1/{name}.ipynb"
        if verdicts[student, name]["status"] == "graded":
            nbformat.validate(nbformat.read(str(path), as_version=4))
        else:
            assert not path.exists()
    assert list((course / "autograded").rglob("*.new")) == []
    assert (course / "autograded/honest_0/ps1/data/numbers.csv").read_text() == "1,2\n"


def folder_for_a_file(folder: Path) -> None:
    (folder / "data/numbers.csv").mkdir(parents=True)
    (folder / "data/numbers.csv/x").write_text("1")


def large_file(folder: Path) -> None:
    (folder / "large").touch()
    os.truncate(folder / "large", 10 << 30)


# name: what lies beside an honest submission
BESIDE: dict[str, Callable[[Path], object]] = {
    "name_in_latin_1": lambda folder: Path(
        os.fsdecode(bytes(folder) + b"/\xdcbung.csv")
    ).write_text("1"),
    "file_for_a_folder": lambda folder: (folder / "data").write_text("1"),
    "folder_for_a_file": lambda folder: (folder / "data/numbers.csv").mkdir(parents=True),
    "folder_for_a_file_with_a_file": folder_for_a_file,
    "module_of_the_library": lambda folder: (folder / "numpy.py").write_text("raise SystemExit"),
    "link_to_a_file": lambda folder: (folder / "passwd").symlink_to("/etc/passwd"),
    "link_to_nothing": lambda folder: (folder / "nothing").symlink_to("/nowhere"),
    "link_to_itself": lambda folder: (folder / "loop").symlink_to(folder),
    "pipe": lambda folder: os.mkfifo(folder / "pipe"),
    "large_file": large_file,
}


@pytest.fixture(scope="module")
def beside(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Honest submissions with odd files beside them, graded in one run."""
    course = Path(shutil.copytree(released, tmp_path_factory.mktemp("beside") / "course"))
    for student, put in BESIDE.items():
        put(hand_in(course, student, RIGHT))
    environment = {**os.environ, "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}"}
    command: list[str | Path] = [
        BINARIES / "nbreferee",
        "autograde",
        "ps1",
        "--json",
        "verdicts.json",
    ]
    ran = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
    found = (
        json.loads((course / "verdicts.json").read_text())
        if (course / "verdicts.json").exists()
        else []
    )
    return course, ran, {(one["student"], one["notebook"]): one for one in found}


def test_odd_files_beside_notebooks_end_no_batch(
    beside: Graded,
) -> None:
    _, ran, _ = beside
    assert "Traceback" not in ran.stderr, ran.stderr[-3000:]
    assert ran.returncode == 0


@pytest.mark.parametrize("student", BESIDE)
def test_odd_file_beside_a_notebook_costs_nothing(
    student: str,
    beside: Graded,
) -> None:
    course, _, verdicts = beside
    assert scores(verdicts, student) == POINTS
    assert "root:" not in "".join(
        path.read_text(errors="replace")
        for path in (course / f"autograded/{student}").rglob("passwd")
    )


def put_in(path: str, text: str) -> Callable[[Path], None]:
    def change(course: Path) -> None:
        (course / path).write_text(text)

    return change


def lock_other_numbers(course: Path) -> None:
    write(
        course / "source/ps1",
        cell("import numpy as np\nnp.e", grade_id="imports", locked=True),
        *TWO[1:],
        name="two",
    )


# name: (what is wrong, arguments, words)
WRONG = {
    "no_config": (
        lambda course: (course / "nbgrader_config.py").unlink(),
        ["ps1"],
        "no nbgrader_config.py here. Go to the course's folder, or name it with --course-dir.",
    ),
    "broken_config": (put_in("nbgrader_config.py", "c = ("), ["ps1"], "Mend the file."),
    "no_such_assignment": (None, ["ps11"], "no assignment ps11. Did you mean ps1?"),
    "nothing_like_it": (None, ["homework"], "no assignment homework. There are: ps1, ps2."),
    "no_such_student": (None, ["ps1", "--student", "bob"], "Handed in by: alice."),
    "student_of_nothing": (
        None,
        ["--student", "bob"],
        "nothing from bob for ps1 or ps2. Handed in by: alice.",
    ),
    "not_released": (
        lambda course: (course / "submitted/alice/ps2").mkdir(),
        ["ps2"],
        "ps2/one has never been released. Run nbgrader generate_assignment ps2 first.",
    ),
    "source_changed": (
        lock_other_numbers,
        ["ps1"],
        (
            "two.ipynb: cell imports is not what students got. Run nbgrader generate_assignment "
            "ps1 --force, then grade."
        ),
    ),
    "source_not_json": (
        put_in("source/ps1/one.ipynb", "{"),
        ["ps1"],
        "one.ipynb: not a notebook, for it is not JSON. Restore it from your version control.",
    ),
    "source_no_notebook": (put_in("source/ps1/one.ipynb", "[1]"), ["ps1"], "one.ipynb: not a"),
    "source_without_notebooks": (
        lambda course: [path.unlink() for path in (course / "source/ps1").glob("*.ipynb")],
        ["ps1"],
        "no notebooks here. Put the instructor's version there.",
    ),
    "no_source": (
        lambda course: shutil.rmtree(course / "source"),
        ["ps1"],
        "no assignments here. Put each into a folder of its own.",
    ),
    "no_such_folder": (
        None,
        ["ps1", "--course-dir", "nowhere"],
        "nowhere: no such folder. Name the course's with --course-dir.",
    ),
    "no_such_option": (None, ["ps1", "--fast"], "No such option"),
    "no_place_for_json": (
        None,
        ["ps1", "--json", "nowhere/verdicts.json"],
        "nowhere: no such folder",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_use_is_a_sentence_with_its_cure_and_status_2(
    wrong: str, released: Path, tmp_path: Path
) -> None:
    change, arguments, words = WRONG[wrong]
    course = Path(shutil.copytree(released, tmp_path / "course"))
    hand_in(course, "alice", RIGHT)
    if change:
        change(course)
    ran = run(course, "nbreferee", "autograde", *arguments)
    assert words in ran.stderr
    assert ran.returncode == 2


def test_student_who_has_handed_in_some_is_graded_for_those(released: Path, tmp_path: Path) -> None:
    course = Path(shutil.copytree(released, tmp_path / "course"))
    for student in ("alice", "bob"):
        hand_in(course, student, RIGHT)
    ran = run(course, "nbreferee", "autograde", "--student", "bob")
    assert ran.returncode == 0, ran.stderr
    assert [path.parent.name for path in (course / "autograded").glob("*/*")] == ["bob"]
