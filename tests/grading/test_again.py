"""What is graded again, and what is not; and two graders at once on one course."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from small_class import (
    CONFIG,
    EARLIER,
    PATIENCE_S,
    RIGHT,
    UNCHANGED,
    grade_here,
    gradebook,
    hand_in,
    start,
    statuses,
    until,
)

from nbreferee import versions as identities
from nbreferee.grading import notebook
from nbreferee.versions import CODE, identity


def is_locked(course: Path) -> bool:
    """Whether a grader works on a course."""
    if not (course / ".nbreferee.lock").exists():
        return False
    with (course / ".nbreferee.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def test_second_grader_says_that_it_waits_and_finds_everything_done(course: Path) -> None:
    said = course.parent / "said.txt"
    few = [option for student in ("c_1", "c_2") for option in ("--student", student)]
    first = start(course, *few, "--json", "first.json")
    until(lambda: is_locked(course), "the first works on the course")
    os.kill(first.pid, signal.SIGSTOP)
    second = start(course, *few, "--json", "second.json")
    try:
        until(
            lambda: (
                "Another nbreferee works on this course: waiting for its end." in said.read_text()
            ),
            "the second says that it waits",
        )
        assert second.poll() is None
    finally:
        os.kill(first.pid, signal.SIGCONT)
    assert [first.wait(PATIENCE_S), second.wait(PATIENCE_S)] == [0, 0], said.read_text()
    assert statuses(course / "first.json") == {"c_1": {"graded"}, "c_2": {"graded"}}
    assert statuses(course / "second.json") == {"c_1": {"skipped"}, "c_2": {"skipped"}}


# ------------------------------------------------ what is graded again, and what is not


def change_file(path: str, text: str) -> Callable[[Path], object]:
    """Return what writes a file of a course."""
    return lambda course: (course / path).write_text(text)


def change_master(course: Path) -> None:
    """Solve an exercise in another way."""
    path = course / "source/ps1/one.ipynb"
    path.write_text(path.read_text().replace("return 2 * x", "return x + x"))


def change_gradebook(change: Callable[[Gradebook], None]) -> Callable[[Path], None]:
    """Return what changes something in a course's gradebook."""

    def apply(course: Path) -> None:
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
            change(book)
            book.db.commit()

    return apply


def later_due(book: Gradebook) -> None:
    book.find_assignment("ps1").duedate = datetime(2026, 2, 1)


def score_of_a_backup(book: Gradebook) -> None:
    grade = book.find_grade("half_tests", "two", "ps1", UNCHANGED)
    assert grade.auto_score == 3
    grade.auto_score = 0


def read_by_a_person(book: Gradebook) -> None:
    grade = book.find_grade("why", "two", "ps1", UNCHANGED)
    grade.manual_score, grade.needs_manual_grade = 3, False
    book.find_comment("why", "two", "ps1", UNCHANGED).manual_comment = "Better."


# name: (what changes, whether the submission is then graded again)
CHANGES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "nothing": (lambda course: None, False),
    "time_of_the_file": (
        lambda course: os.utime(course / f"submitted/{UNCHANGED}/ps1/one.ipynb", (0, 0)),
        False,
    ),
    "marks_by_hand": (change_gradebook(read_by_a_person), False),
    "answer": (lambda course: hand_in(course, UNCHANGED, RIGHT), True),
    "file_beside": (change_file(f"submitted/{UNCHANGED}/ps1/more.csv", "3"), True),
    "timestamp": (
        change_file(f"submitted/{UNCHANGED}/ps1/timestamp.txt", "2026-01-03 00:00:00 UTC"),
        True,
    ),
    "master": (change_master, True),
    "instructors_file": (change_file("source/ps1/data/numbers.csv", "1,3\n"), True),
    "budget": (change_file("nbgrader_config.py", CONFIG.replace("cell_s = 2", "cell_s = 3")), True),
    "due_date": (change_gradebook(later_due), True),
    "older_gradebook": (change_gradebook(score_of_a_backup), True),
    "executed_notebook": (
        lambda course: (course / f"autograded/{UNCHANGED}/ps1/two.ipynb").unlink(),
        True,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_submission_is_graded_again_where_its_scores_may_change(change: str, course: Path) -> None:
    apply, again = CHANGES[change]
    apply(course)
    before = gradebook(course)
    found = grade_here(course, UNCHANGED)
    assert {one.status for one in found.values()} == {"graded" if again else "skipped"}, found
    if not again:
        assert gradebook(course) == before
    later = grade_here(course, UNCHANGED)
    assert {one.status for one in later.values()} == {"skipped"}, (found, later)


def test_mark_by_hand_stays_decided_until_the_answer_changes(course: Path) -> None:
    def waiting() -> dict[str, bool]:
        rows = gradebook(course)
        return {name: rows[UNCHANGED, "score", name][3] for name in ("why", "double_tests")}

    assert waiting() == {"why": False, "double_tests": False}
    before = gradebook(course)
    grade_here(course, UNCHANGED, force=True)
    assert gradebook(course) == before
    earlier = {**EARLIER, "why": RIGHT["why"]}
    hand_in(course, UNCHANGED, earlier)
    grade_here(course, UNCHANGED)
    assert waiting() == {"why": True, "double_tests": False}  # of another notebook
    hand_in(course, UNCHANGED, {**earlier, "double": RIGHT["double"]})
    grade_here(course, UNCHANGED)
    assert waiting() == {"why": True, "double_tests": True}


def test_submission_is_graded_again_by_another_version_and_by_force(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {one.status for one in grade_here(course, UNCHANGED).values()} == {"skipped"}
    assert {one.status for one in grade_here(course, UNCHANGED, force=True).values()} == {"graded"}
    for name in ("numpy", CODE):  # each is one entry of the identity, as the last test here shows
        other = {**dict(identity()), name: "0.0.0"}
        monkeypatch.setattr(notebook, "identity", lambda other=other: tuple(other.items()))
        assert {one.status for one in grade_here(course, UNCHANGED).values()} == {"graded"}, name
        assert {one.status for one in grade_here(course, UNCHANGED).values()} == {"skipped"}, name


def test_notebook_that_is_missing_makes_no_submission_graded_again(course: Path) -> None:
    (course / f"submitted/{UNCHANGED}/ps1/two.ipynb").unlink()
    for status in ("graded", "skipped"):
        found = grade_here(course, UNCHANGED)
        assert {one.notebook: one.status for one in found.values()} == {
            "one": status,
            "two": "missing",
        }


def test_identity_knows_versions_and_every_byte_of_the_package(tmp_path: Path) -> None:
    known = dict(identity())
    packages = {"nbreferee", "Python", "numpy", "ipython", "matplotlib", "nbgrader", "pandas"}
    assert packages | {CODE} <= set(known)
    package = Path(shutil.copytree(Path(identities.__file__).parent, tmp_path / "nbreferee"))
    assert identities._code_digest(package) == known[CODE]
    (package / "engine/tester/process.py").write_text(
        (package / "engine/tester/process.py").read_text() + "#"
    )
    assert identities._code_digest(package) != known[CODE]
