"""A changed test: who moves is shown before anything is written, and again when it is."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from small_class import (
    BINARIES,
    EARLIER,
    PATIENCE_S,
    RIGHT,
    UNCHANGED,
    contents,
    grade_here,
    gradebook,
    hand_in,
    start,
)

from nbreferee.grading.changes import OldScore, compare
from nbreferee.verdicts import CellVerdict, NotebookResult

THIRD = {**RIGHT, "double": "def double(x):\n    return 3 * x"}


def change_test(course: Path, before: str = "assert double(5) == 10", after: str = "") -> None:
    """Mend a hidden test: squares pass from now on, and threefold numbers are told so."""
    after = after or "assert double(2) == 4, f'twice 2 is not {double(2)}'"
    path = course / "source/ps1/one.ipynb"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def release(course: Path) -> None:
    subprocess.run(
        [BINARIES / "nbgrader", "generate_assignment", "ps1", "--force"],
        cwd=course,
        check=True,
        capture_output=True,
    )


@pytest.fixture
def graded(course: Path) -> Path:
    """The class, all graded: c_1 has squares, c_2 threefold numbers."""
    hand_in(course, "c_1", EARLIER)
    hand_in(course, "c_2", THIRD)
    for folder in (course / "submitted").iterdir():
        if folder.name not in ("c_0", "c_1", "c_2", "c_3", UNCHANGED):
            shutil.rmtree(folder)
    grade_here(course)
    return course


def moved(path: Path) -> dict[str, list[Any]]:
    """The changes of each student in a file of verdicts."""
    found: dict[str, list[Any]] = {}
    for one in json.loads(path.read_text()):
        found.setdefault(one["student"], []).extend(one.get("changes", []))
    return {student: changes for student, changes in found.items() if changes}


def run(course: Path, *options: str) -> str:
    said = course.parent / "said.txt"
    said.write_text("")
    process = start(course, *options)
    assert process.wait(PATIENCE_S) == 0, said.read_text()
    return said.read_text()


def test_preview_shows_who_moves_and_writes_nothing_and_grading_then_does_the_same(
    graded: Path,
) -> None:
    change_test(graded)
    before = contents(graded), {path: path.stat().st_mtime_ns for path in graded.rglob("*")}
    said = run(graded, "--preview", "--json", str(graded.parent / "preview.json"))
    assert before == (
        contents(graded),
        {path: path.stat().st_mtime_ns for path in graded.rglob("*")},
    )
    previewed = moved(graded.parent / "preview.json")
    assert [(c["old_score"], c["new_score"]) for c in previewed["c_1"]] == [(0, 2)]
    assert [c["new_message"] for c in previewed["c_2"]] == ["twice 2 is not 6"]
    assert previewed[UNCHANGED][0]["manual_score"] == 0.75
    assert set(previewed) == {"c_1", "c_2", UNCHANGED}
    assert "nothing has been written" in said
    assert "students' totals: 1 up, 0 down, 4 the same; 1 answer is told another mistake." in said
    assert "the mark of 0.75 given by hand stays; passes now" in said

    release(graded)
    old = gradebook(graded)
    said = run(graded, "--json", "verdicts.json")
    assert moved(graded / "verdicts.json") == previewed
    assert "Graded again with changed tests or settings." in said
    assert "students' totals: 1 up, 0 down, 4 the same; 1 answer is told another mistake." in said
    new = gradebook(graded)
    # A mark by hand stays as it is, for the answer has not changed.
    assert {key for key in old if old[key] != new[key]} == {
        ("c_1", "score", "double_tests"),
        (UNCHANGED, "score", "double_tests"),
    }
    assert "Graded again" not in run(graded)


def test_preview_knows_submissions_that_are_new_and_those_handed_in_again(graded: Path) -> None:
    hand_in(graded, "c_3", THIRD)
    hand_in(graded, "d_new", RIGHT)
    found = grade_here(graded, preview=True)
    again = found["c_3", "one"].comparison
    assert again is not None
    assert not again.is_same_submission
    assert again.changes[0].new_score == 0
    assert found["d_new", "one"].comparison is None
    assert not (graded / "autograded/d_new").exists()


def test_preview_of_a_course_that_was_never_graded_makes_no_gradebook(graded: Path) -> None:
    (graded / "gradebook.db").unlink()
    process = start(graded, "--preview")
    assert process.wait(PATIENCE_S) == 2
    assert not (graded / "gradebook.db").exists()


def test_long_message_keeps_its_function_and_its_likely_cause() -> None:
    numbers = ", ".join(["0.345584"] * 60)
    messages = [
        f"backward, called with X = [{numbers}]: entry [0] is 2, expected 1. Likely cause: {cause}"
        for cause in ("You add up.", "You hold the mean fixed.")
    ]
    was, now = (CellVerdict("tests", "failed", 0, 1, message) for message in messages)
    result = NotebookResult("graded", cells=(now,))
    points = {"tests": OldScore(0, None)}
    (change,) = compare([was], result, points, is_same_submission=True).changes
    assert change.why.startswith("now told: backward, called with X = ")
    assert (
        "entry [0] is 2, expected 1. Likely cause: You hold the mean fixed. (before:" in change.why
    )
    assert change.why.endswith("Likely cause: You add up.)")
