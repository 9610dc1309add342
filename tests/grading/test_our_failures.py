"""The grader fails on a submission: earlier marks stay, nobody gets a zero for it, and the next run
grades it again.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from descendants import family
from small_class import (
    PATIENCE_S,
    REMEMBERING,
    RIGHT,
    UNCHANGED,
    contents,
    grade_here,
    gradebook,
    hand_in,
    start,
    statuses,
    until,
)

from nbreferee.grading.gradebook import GRADER_FAILED
from nbreferee.grading.task import Task, TaskResult

DIED = "the grader failed on it (its worker has ended, perhaps for want of memory). "


class Deadly(Executor):
    """Grades here, except for some notebooks: the worker process of those ends."""

    def __init__(self, *doomed: tuple[str, str]) -> None:
        self.doomed = doomed
        self.deaths = 0

    def submit(  # type: ignore[override]  # the batch submits tasks alone
        self, function: Callable[[Task], TaskResult], task: Task
    ) -> Future[Any]:
        """Grade a task, or have a real worker end with it."""
        if (task.student, task.notebook) not in self.doomed:
            return REMEMBERING.submit(function, task)
        self.deaths += 1
        return ProcessPoolExecutor(1, multiprocessing.get_context("spawn")).submit(os._exit, 1)


def rows_of(course: Path, student: str) -> dict[tuple[Any, ...], Any]:
    return {key: row for key, row in gradebook(course).items() if key[0] == student}


@pytest.mark.parametrize("force", [True, False])
def test_worker_that_dies_twice_leaves_earlier_marks_and_notebook(
    force: bool, course: Path
) -> None:
    student = UNCHANGED if force else "c_0"  # c_0 has handed in something else since
    before, notebook = (
        rows_of(course, student),
        (course / f"autograded/{student}/ps1/one.ipynb").read_bytes(),
    )
    deadly = Deadly((student, "one"))
    found = grade_here(course, student, executor=deadly, force=force)[student, "one"]
    assert deadly.deaths == 2
    assert (found.status, found.message) == (
        "grader_failed",
        DIED + "Its earlier scores stay; the next run grades it again.",
    )
    assert (found.as_json()["score"], found.as_json()["max_score"]) == (
        0,
        2,
    )  # what the gradebook has
    after = rows_of(course, student)
    one = [(student, "one"), (student, "score", "double_tests"), (student, "comment", "double")]
    assert {key: after[key] for key in one} == {key: before[key] for key in one}
    assert after[student, "score", "double_tests"][1] == 0.75  # by hand
    assert (course / f"autograded/{student}/ps1/one.ipynb").read_bytes() == notebook
    assert {one.status for one in grade_here(course, student).values()} == {"graded"}
    assert {one.status for one in grade_here(course, student).values()} == {"skipped"}
    assert not [
        name for name in contents(course / f"autograded/{student}") if "grader_failed" in name
    ]


@pytest.mark.parametrize("before", ["nothing", "not_handed_in"])
def test_worker_that_dies_twice_leaves_no_score_where_there_was_none(
    before: str, course: Path
) -> None:
    if before == "not_handed_in":
        hand_in(course, "c_1", RIGHT)
        (course / "submitted/c_1/ps1/one.ipynb").rename(course / "later")
        assert grade_here(course, "c_1")["c_1", "one"].status == "missing"
        (course / "later").rename(course / "submitted/c_1/ps1/one.ipynb")
    found = grade_here(course, "c_1", executor=Deadly(("c_1", "one")))
    assert {name: one.status for (_, name), one in found.items()} == {
        "one": "grader_failed",
        "two": "graded",
    }
    one = found["c_1", "one"]
    assert (
        one.message
        == DIED + "It has no score and is flagged for a person; the next run grades it again."
    )
    assert (one.as_json()["score"], one.as_json()["max_score"]) == (None, 2)
    after = rows_of(course, "c_1")
    assert after["c_1", "score", "double_tests"] == (None, None, None, True)
    assert after["c_1", "comment", "double"] == (GRADER_FAILED, None)
    assert after["c_1", "score", "half_tests"] == (3, None, None, False)
    grade_here(course, "c_1")
    assert rows_of(course, "c_1")["c_1", "score", "double_tests"] == (2, None, None, False)
    assert rows_of(course, "c_1")["c_1", "comment", "double"] == (None, None)


def test_unreadable_notebook_is_flagged_until_a_person_has_decided(course: Path) -> None:
    (course / "submitted/c_1/ps1/one.ipynb").write_text("Dear grader,")
    assert grade_here(course, "c_1")["c_1", "one"].status == "unreadable"
    assert rows_of(course, "c_1")["c_1", "score", "double_tests"] == (0, None, None, True)
    assert "not a notebook" in rows_of(course, "c_1")["c_1", "comment", "double"][0]
    decide(course, "c_1")
    grade_here(course, "c_1")
    assert rows_of(course, "c_1")["c_1", "score", "double_tests"] == (0, 1.5, None, False)


def decide(course: Path, student: str) -> None:
    """Give a score by hand."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        grade = book.find_grade("double_tests", "one", "ps1", student)
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.db.commit()


PENALTY = """
from nbgrader.plugins import BasePlugin
class Broken(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        raise {error}
c.AssignLatePenalties.plugin_class = Broken
"""


@pytest.mark.parametrize(
    "error", ["ZeroDivisionError('division by zero')", "FileNotFoundError('extensions.csv')"]
)
def test_broken_plugin_for_penalties_costs_no_points_and_ends_no_batch(
    error: str, course: Path
) -> None:
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + PENALTY.format(error=error))
    before = rows_of(course, "c_3")
    (course / "submitted/c_4/ps1/timestamp.txt").write_text("2026-01-03 00:00:00 UTC\n")
    found = grade_here(course, "c_3", "c_4", "c_5")  # two of them are late
    assert {student: one.status for (student, name), one in found.items() if name == "one"} == {
        "c_3": "grader_failed",
        "c_4": "grader_failed",
        "c_5": "graded",
    }
    assert "the course's plugin for late penalties failed" in found["c_4", "one"].message
    assert (
        rows_of(course, "c_3")["c_3", "score", "half_tests"] == before["c_3", "score", "half_tests"]
    )
    assert rows_of(course, "c_4")["c_4", "score", "half_tests"] == (None, None, None, True)


# ------------------------------------------------ our own processes are killed while they work


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def victims(run: subprocess.Popen[bytes], role: str) -> list[int]:
    """All workers of a run; one, and what its processes are forked from; its boxes, or testers,
    with what they are forked from; or without.
    """
    found = [(pid, name_of(pid).removeprefix("nbref-")) for pid, _ in family(run.pid)]
    workers, common = ([pid for pid, name in found if name == one] for one in ("worker", "common"))
    if role == "workers":
        return workers
    if role.startswith("worker"):
        return [*workers[:1], *(common if role == "worker and common" else [])]
    own = [pid for pid, name in found if name == role.split()[0]]
    return [pid for pid in own if not family(pid)] if role.endswith("alone") else own


SLEEPS = {**RIGHT, "half": "import time\ntime.sleep(1)\ndef half(x):\n    return x / 2"}


@pytest.mark.parametrize(
    "role", ["worker", "worker and common", "box", "tester", "box alone", "tester alone"]
)
def test_process_of_ours_that_is_killed_costs_nobody_a_point(role: str, course: Path) -> None:
    students = [f"c_{number}" for number in range(4)]
    for student in students:
        hand_in(course, student, SLEEPS)
    chosen = [option for student in students for option in ("--student", student)]
    run = start(course, "--force", "--json", "verdicts.json", *chosen)
    done = len(list(course.glob("autograded/*/ps1")))
    until(
        lambda: len(list(course.glob("autograded/*/ps1"))) > done or run.poll() is not None,
        "a submission is graded",
    )
    assert run.poll() is None
    killed = 0
    workers = victims(run, "workers")
    for signaled, pids in (
        (signal.SIGSTOP, workers),  # or one tries again with a process that is killed next
        (signal.SIGKILL, victims(run, role)),
        (signal.SIGCONT, workers),
    ):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # a fork that has ended meanwhile
                os.kill(pid, signaled)
                killed += signaled == signal.SIGKILL
    assert killed == 2 if role == "worker and common" else killed
    assert run.wait(PATIENCE_S) == 0, (course.parent / "said.txt").read_text()
    found = json.loads((course / "verdicts.json").read_text())
    scores = {
        (one["student"], cell["grade_id"]): cell["score"]
        for one in found
        for cell in one["cells"]
        if cell["grade_id"] != "why"
    }
    assert scores == {
        (student, name): points
        for student in students
        for name, points in (("double_tests", 2), ("half_tests", 3))
    }
    assert statuses(course / "verdicts.json") == {student: {"graded"} for student in students}


def test_class_of_one_starts_one_worker_and_loads_libraries_once(course: Path) -> None:
    hand_in(course, "c_1", SLEEPS)
    (course / "submitted/c_1/ps1/one.ipynb").unlink()
    run = start(course, "--student", "c_1")
    seen: dict[int, str] = {}  # the last name of each: a fork has its parent's for a moment

    def look() -> bool:
        seen.update({pid: name for pid, _ in family(run.pid) if (name := name_of(pid))})
        return run.poll() is not None

    until(look, "the run ends")
    names = Counter(seen.values())
    assert run.returncode == 0
    assert (names["nbref-common"], names["nbref-worker"]) == (1, 1)


# ------------------------------------------------ this process has no memory, and no reliable clock


def test_submission_for_which_there_is_no_memory_is_told_and_the_others_are_graded(
    course: Path,
) -> None:
    for student in ("c_1", "c_2", "c_4"):
        grade_here(course, student)
    (course / "submitted/c_2/ps1/one.ipynb").write_bytes(bytes(60 << 20))
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + (40 << 20), resource.RLIM_INFINITY))
            filled = []  # what earlier tests have left free
            with contextlib.suppress(MemoryError):
                while True:
                    filled.append(bytearray(4 << 20))
            del filled[:10]
            REMEMBERING.alone_known = True
            found = grade_here(course, "c_1", "c_2", "c_4", force=True)
            lines = [
                [student, name, one.status, one.message] for (student, name), one in found.items()
            ]
            os.write(theirs, json.dumps(lines).encode())
        finally:
            os._exit(0)
    os.close(theirs)
    with open(ours) as said:
        told = {
            (student, name): (status, message) for student, name, status, message in json.load(said)
        }
    os.waitpid(pid, 0)
    assert {key: status for key, (status, _) in told.items()} == {
        (student, name): "grader_failed" if student == "c_2" else "graded"
        for student in ("c_1", "c_2", "c_4")
        for name in ("one", "two")
    }
    assert told["c_2", "one"][1] == (
        "the grader failed on it (there is not enough memory for it). Its earlier scores stay; "
        "the next run grades it again."
    )
    assert rows_of(course, "c_2")["c_2", "score", "half_tests"] == (3, None, None, False)


def test_clock_that_is_set_back_changes_nothing(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = contents(course / "autograded"), gradebook(course)
    now = [time.time()]

    def backwards() -> float:
        now[0] -= 3600
        return now[0]

    monkeypatch.setattr("time.time", backwards)
    for path in (course / "submitted").rglob("*"):
        os.utime(path, (4e9, 4e9))  # in the year 2096
    assert {one.status for one in grade_here(course, UNCHANGED).values()} == {"skipped"}
    assert (contents(course / "autograded"), gradebook(course)) == expected
    assert {one.status for one in grade_here(course, UNCHANGED, force=True).values()} == {"graded"}
    after = contents(course / "autograded")
    assert {name for name, data in expected[0].items() if after.pop(name) != data} == set()
    assert not after
    assert (
        gradebook(course)[UNCHANGED, "score", "half_tests"]
        == expected[1][UNCHANGED, "score", "half_tests"]
    )


# ------------------------------------------------ a submission that changes while it is graded


class Meanwhile(Executor):
    """Grades here, after something has happened."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self.happens = happens

    def submit(  # type: ignore[override]  # the batch submits tasks alone
        self, function: Callable[[Task], TaskResult], task: Task
    ) -> Future[Any]:
        """Grade a task."""
        if task.calibration is not None:  # not the solution
            self.happens()
        return REMEMBERING.submit(function, task)


def test_what_was_read_is_what_is_graded_copied_and_remembered(course: Path) -> None:
    data = course / "submitted/c_1/ps1/data.csv"
    data.write_text("first")
    wrong = {**RIGHT, "double": "def double(x):\n    return 0"}

    def change() -> None:
        hand_in(course, "c_1", wrong)
        data.write_text("second")

    found = grade_here(course, "c_1", executor=Meanwhile(change))
    assert found["c_1", "one"].cells[0].score == 2
    assert (course / "autograded/c_1/ps1/data.csv").read_text() == "first"
    assert "return x + x" in (course / "autograded/c_1/ps1/one.ipynb").read_text()
    again = grade_here(course, "c_1")
    assert {one.status for one in again.values()} == {"graded"}
    assert again["c_1", "one"].cells[0].score == 0
    assert (course / "autograded/c_1/ps1/data.csv").read_text() == "second"


def test_submission_that_goes_away_while_it_is_graded_is_graded(course: Path) -> None:
    import shutil

    found = grade_here(
        course,
        "c_1",
        executor=Meanwhile(lambda: shutil.rmtree(course / "submitted/c_1", ignore_errors=True)),
    )
    assert {one.status for one in found.values()} == {"graded"}


def test_gradebook_that_goes_away_is_told(course: Path) -> None:
    from sqlalchemy.exc import SQLAlchemyError

    from nbreferee.course.locate import gradebook_trouble, open_course

    with pytest.raises(SQLAlchemyError) as raised:
        grade_here(
            course,
            "c_1",
            executor=Meanwhile(lambda: (course / "gradebook.db").unlink(missing_ok=True)),
        )
    assert gradebook_trouble(open_course(course), raised.value) == (
        f"the gradebook {course}/gradebook.db is not there any more. Put it back, from a backup "
        "if need be, then run the command again."
    )
    assert not list((course / "autograded").glob("c_1/*"))
