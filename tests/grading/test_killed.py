"""A grader that is killed at any moment: nothing is lost, nothing lives on, and the next run brings
the same to its end.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from descendants import family, living
from small_class import (
    ANSWERS,
    BINARIES,
    EARLIER,
    GRADED_BEFORE,
    LATE,
    REMEMBERING,
    RIGHT,
    UNCHANGED,
    contents,
    finish,
    grade_here,
    gradebook,
    hand_in,
    start,
    until,
)
from sqlalchemy.orm import Session

from nbreferee.budget import Budget
from nbreferee.course.locate import open_course
from nbreferee.course.settings import NbReferee
from nbreferee.engine import scratch
from nbreferee.grading.assignment import AssignmentGrader
from nbreferee.sandbox import kernel


def kill(run: subprocess.Popen[bytes], marker: str) -> int:
    """Kill a run's first process alone; return how many others there were, none of which may live
    on.
    """
    known = family(run.pid)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    until(lambda: not living(known, run.pid, marker), "no process of a killed run lives on")
    return len(known)


# ------------------------------------------------ killed from outside, at any moment


@pytest.fixture(scope="module")
def uninterrupted(
    prepared: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[tuple[Any, ...], Any], dict[str, bytes]]:
    """The gradebook and the files that a run makes which nobody kills."""
    course = Path(shutil.copytree(prepared, tmp_path_factory.mktemp("uninterrupted") / "course"))
    found = finish(course)
    assert found == {
        student: {"skipped" if student == UNCHANGED else "graded"} for student in ANSWERS
    }
    return gradebook(course), contents(course / "autograded")


def written(course: Path, expected: dict[str, bytes]) -> dict[str, int]:
    """The students whose folder is as it will be in the end, with nothing aside; and which folder
    that is.
    """
    found = {}
    for student in ANSWERS:
        folder = course / "autograded" / student / "ps1"
        mine = {
            path.removeprefix(f"{student}/ps1/"): data
            for path, data in expected.items()
            if path.startswith(f"{student}/")
        }
        if folder.is_dir() and contents(folder) == mine and not list(folder.parent.glob(".*")):
            found[student] = folder.stat().st_ino
    return found


def assert_old_or_new(course: Path, old: dict[str, bytes], new: dict[str, bytes]) -> None:
    """Every student has what was there before, or what comes, and each as a whole."""
    there = contents(course / "autograded")
    for student in ANSWERS:
        mine, before, after = (
            {path: data for path, data in files.items() if path.startswith(f"{student}/ps1/")}
            for files in (there, old, new)
        )
        assert mine in (before, after), student


def test_killed_at_random_moments_and_resumed_it_ends_as_if_it_had_not_been(
    prepared: Path,
    course: Path,
    uninterrupted: tuple[dict[tuple[Any, ...], Any], dict[str, bytes]],
) -> None:
    rows, files = uninterrupted
    old = contents(prepared / "autograded")
    chance = random.Random(0)
    most_others = 0
    finished = written(course, files)
    assert set(finished) == {UNCHANGED}
    for _ in range(6):
        run = start(course)
        more = len(finished) + chance.choice((0, 1, 1, 2))
        until(
            partial(
                lambda run, more: len(written(course, files)) >= more or run.poll() is not None,
                run,
                more,
            ),
            "the run goes on",
        )
        time.sleep(
            chance.uniform(0, 2.5) if more == len(finished) else chance.uniform(0, 0.1)
        )  # the moment itself
        if run.poll() is not None:  # nothing was left to do
            finished = written(course, files)
            break
        most_others = max(most_others, kill(run, str(course.parent)))
        assert_old_or_new(course, old, files)
        now = written(course, files)
        assert finished.items() <= now.items()  # what was written stays as it is
        finished = now
    assert most_others > 4  # workers, templates, boxes and testers
    found = finish(course)
    assert {student for student, what in found.items() if what == {"skipped"}} == set(finished)
    assert {student for student, what in found.items() if what == {"graded"}} == set(ANSWERS) - set(
        finished
    )
    assert finished.items() <= written(course, files).items()
    assert gradebook(course) == rows
    assert contents(course / "autograded") == files
    assert [path.name for path in (course / "autograded").rglob(".*")] == []
    assert list((course.parent / "temporary").iterdir()) == []
    assert "Traceback" not in (course.parent / "said.txt").read_text()
    for number, student in enumerate(GRADED_BEFORE):
        assert rows[student, "score", "why"][1:3] == (1.5 + number / 4, 0.25)
        assert rows[student, "score", "double_tests"][1] == 0.75
        assert rows[student, "comment", "why"][1] == f"Nice, {student}."


# ------------------------------------------------ killed between any two steps of writing

STEPS = (
    (os, "mkdir"),
    (os, "rename"),
    (os, "chmod"),
    (os, "unlink"),
    (os, "rmdir"),
    (Path, "write_bytes"),
    (Session, "commit"),
    (kernel, "exchange"),
)


def armed(write_submission: Callable[..., Any], killed_before: int) -> Callable[..., Any]:
    """Return what writes a submission and is killed at that."""

    def write_armed(*args: Any) -> None:
        kill_before(killed_before)
        write_submission(*args)

    return write_armed


def kill_before(number: int) -> None:
    """Have this process killed before its n-th step of those that change something."""
    steps = itertools.count(1)

    def dying(step: Callable[..., Any]) -> Callable[..., Any]:
        def take(*args: Any, **options: Any) -> Any:
            if next(steps) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(*args, **options)

        return take

    for owner, name in STEPS:
        setattr(owner, name, dying(getattr(owner, name)))


def grade_in_a_fork(course: Path, student: str, budget: Budget, killed_before: int) -> bool:
    """Grade a student in a fork of this process; return whether it was killed."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            REMEMBERING.alone_known = True
            deadly = armed(AssignmentGrader._write, killed_before)
            setattr(AssignmentGrader, "_write", deadly)  # noqa: B010, a method
            grade_here(course, student, budget=budget)
            os._exit(0)
        os._exit(1)
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status) or status == 0
    return os.WIFSIGNALED(status)


def refuse_exchange(one: str, other: str) -> None:
    raise OSError(errno.EINVAL, f"exchange {one}: Invalid argument")


def asked_again(rows: dict[tuple[Any, ...], Any], student: str) -> dict[tuple[Any, ...], Any]:
    """Return a gradebook in which a student's marks by hand wait for a person."""
    return {
        key: (*row[:3], True) if key[:2] == (student, "score") and row[1] is not None else row
        for key, row in rows.items()
    }


@pytest.mark.parametrize("file_system", ["exchanges", "does_not_exchange"])
def test_killed_between_any_two_steps_of_writing_there_is_the_old_or_the_new(
    file_system: str, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = LATE
    versions = {"earlier": EARLIER, "later": ANSWERS[student]}
    budget = NbReferee(config=open_course(prepared).config).budget()
    ends = {}
    for name, answers in versions.items():
        end = Path(shutil.copytree(prepared, tmp_path / name))
        hand_in(end, student, answers)
        grade_here(end, student, budget=budget, force=True)
        ends[name] = gradebook(end), contents(end / "autograded")
    assert ends["earlier"] != ends["later"]
    if file_system == "does_not_exchange":
        monkeypatch.setattr(kernel, "exchange", refuse_exchange)
    # What differs without an exchange is the last steps alone: every third moment will do.
    for number in itertools.count(1, 1 if file_system == "exchanges" else 3):
        course = Path(shutil.copytree(tmp_path / "earlier", tmp_path / str(number)))
        hand_in(course, student, versions["later"])
        if not grade_in_a_fork(course, student, budget, number):
            break
        rows = gradebook(course)
        assert rows in (ends["earlier"][0], ends["later"][0])
        folder = course / "autograded" / student
        there = (
            [contents(folder / "ps1")]
            if (folder / "ps1").exists()
            else [contents(folder / ".ps1.old")]
            if file_system != "exchanges"
            else []
        )
        assert there in [
            [contents(tmp_path / name / "autograded" / student / "ps1")] for name in ends
        ], number
        for name, answers in versions.items():
            if name == "earlier" and number % 4:
                continue  # only now and then has the student thought again
            hand_in(course, student, answers)
            grade_here(course, student, budget=budget)
            expected = ends[name][0]
            if name == "earlier" and rows == ends["later"][0]:
                expected = asked_again(expected, student)  # the gradebook has seen another answer
            found = gradebook(course), contents(course / "autograded")
            assert found == (expected, ends[name][1]), (number, name)
    assert (gradebook(course), contents(course / "autograded")) == ends["later"]
    assert number > 12  # as many steps were tried, and this time there was none left


# ------------------------------------------------ killed while a changed test is applied

SLOW = {**RIGHT, "double": f"import time\ntime.sleep(1.2)\n{RIGHT['double']}"}
CLASS = {
    "c_1": RIGHT,
    "c_2": EARLIER,
    "c_4": {**RIGHT, "double": "def double(x):\n    return 3 * x"},
    "c_5": {**RIGHT, "half": "def half(x):\n    return 0"},
    "c_7": SLOW,
}


def test_killed_while_a_changed_test_is_applied_it_ends_as_a_full_run(
    course: Path, tmp_path: Path
) -> None:
    for folder in (course / "submitted").iterdir():
        if folder.name not in CLASS:
            shutil.rmtree(folder)
    for student, answers in CLASS.items():
        hand_in(course, student, answers)
    grade_here(course)
    path = course / "source/ps1/one.ipynb"
    path.write_text(path.read_text().replace("double(5) == 10", "double(2) == 4"))
    release: list[str | Path] = [BINARIES / "nbgrader", "generate_assignment", "ps1", "--force"]
    subprocess.run(release, cwd=course, check=True, capture_output=True)
    full = Path(shutil.copytree(course, tmp_path / "full"))
    grade_here(full, force=True)
    old, new = contents(course / "autograded"), contents(full / "autograded")

    def regraded() -> set[str]:
        found = set()
        for student in CLASS:
            folder = course / "autograded" / student
            # A folder aside is there until the gradebook has the new one.
            with contextlib.suppress(FileNotFoundError):
                is_new = (folder / "ps1/one.ipynb").read_bytes() == new[f"{student}/ps1/one.ipynb"]
                if is_new and not list(folder.glob(".*")):
                    found.add(student)
        return found

    assert regraded() == set()
    for least in (1, 2):
        run = start(course)
        until(partial(lambda least: len(regraded()) >= least, least), "a student is regraded")
        assert run.poll() is None
        kill(run, str(course.parent))
        assert_old_or_new(course, old, new)
        assert "c_7" not in regraded()
    before = regraded()
    found = finish(course)
    assert {student for student, what in found.items() if what == {"skipped"}} == before
    assert gradebook(course) == gradebook(full)
    assert contents(course / "autograded") == new
    scores = {student: gradebook(course)[student, "score", "double_tests"][0] for student in CLASS}
    assert scores == {"c_1": 2, "c_2": 2, "c_4": 0, "c_5": 2, "c_7": 2}


# ------------------------------------------------ temporary folders


def test_folder_without_its_owner_is_removed_and_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    owner = (
        "import time, tempfile; from nbreferee.engine.scratch import Scratch; "
        "print(Scratch().path, flush=True); time.sleep(300)"
    )
    environment = {
        **os.environ,
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": str(Path(scratch.__file__).parents[2]),
    }
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/file").touch()
    (tmp_path / f"{scratch.PREFIX}link").symlink_to(tmp_path / "elsewhere")
    with subprocess.Popen(
        [sys.executable, "-c", owner], env=environment, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        theirs = Path(other.stdout.readline().strip())
        (theirs / "boxes").mkdir()
        (theirs / "boxes/file").touch()
        mine = scratch.Scratch()
        scratch.remove_abandoned()
        assert (theirs / "boxes/file").exists()  # its owner lives
        assert mine.path.exists()
        other.kill()
    scratch.remove_abandoned()
    assert not theirs.exists()
    assert mine.path.exists()
    mine.remove()
    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", f"{scratch.PREFIX}link"}
    assert (tmp_path / "elsewhere/file").exists()
