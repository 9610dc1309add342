"""The grader fails on a submission: earlier marks stay, nobody gets a zero for it, and the next run grades it again."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from pathlib import Path

import pytest
from small_class import (  # noqa: F401 (fixtures)
    REMEMBERING,
    RIGHT,
    UNCHANGED,
    contents,
    course,
    grade_here,
    gradebook,
    hand_in,
    prepared,
)

from nbreferee.storing import GRADER_FAILED
from nbreferee.worker import Task

DIED = "the grader failed on it (its worker has ended, perhaps for want of memory). "


class Deadly(Executor):
    """Grades here, except for some notebooks: the worker process of those ends."""

    def __init__(self, *doomed: tuple[str, str]) -> None:
        self.doomed = doomed
        self.deaths = 0

    def submit(self, function, task: Task) -> Future:
        """Grade a task, or have a real worker end with it."""
        if (task.student, task.notebook) not in self.doomed:
            return REMEMBERING.submit(function, task)
        self.deaths += 1
        return ProcessPoolExecutor(1, multiprocessing.get_context("spawn")).submit(os._exit, 1)


def rows_of(course: Path, student: str) -> dict[tuple, object]:
    return {key: row for key, row in gradebook(course).items() if key[0] == student}


@pytest.mark.parametrize("force", [True, False])
def test_worker_that_dies_twice_leaves_earlier_marks_and_notebook(force, course):
    student = UNCHANGED if force else "c_0"  # c_0 has handed in something else since
    before, notebook = rows_of(course, student), (course / f"autograded/{student}/ps1/one.ipynb").read_bytes()
    deadly = Deadly((student, "one"))
    found = grade_here(course, student, executor=deadly, force=force)[student, "one"]
    assert deadly.deaths == 2
    assert (found.status, found.message) == ("grader_failed", DIED + "Its earlier scores stay; the next run grades it again.")
    assert (found.as_json()["score"], found.as_json()["max_score"]) == (0, 2)  # what the gradebook has
    after = rows_of(course, student)
    one = [(student, "one"), (student, "score", "double_tests"), (student, "comment", "double")]
    assert {key: after[key] for key in one} == {key: before[key] for key in one}
    assert after[student, "score", "double_tests"][1] == 0.75  # by hand
    assert (course / f"autograded/{student}/ps1/one.ipynb").read_bytes() == notebook
    assert {one.status for one in grade_here(course, student).values()} == {"graded"}
    assert {one.status for one in grade_here(course, student).values()} == {"skipped"}
    assert not [name for name in contents(course / f"autograded/{student}") if "grader_failed" in name]


@pytest.mark.parametrize("before", ["nothing", "not_handed_in"])
def test_worker_that_dies_twice_leaves_no_score_where_there_was_none(before, course):
    if before == "not_handed_in":
        hand_in(course, "c_1", RIGHT)
        (course / "submitted/c_1/ps1/one.ipynb").rename(course / "later")
        assert grade_here(course, "c_1")["c_1", "one"].status == "missing"
        (course / "later").rename(course / "submitted/c_1/ps1/one.ipynb")
    found = grade_here(course, "c_1", executor=Deadly(("c_1", "one")))
    assert {name: one.status for (_, name), one in found.items()} == {"one": "grader_failed", "two": "graded"}
    one = found["c_1", "one"]
    assert one.message == DIED + "It has no score and is flagged for a person; the next run grades it again."
    assert (one.as_json()["score"], one.as_json()["max_score"]) == (None, 2)
    after = rows_of(course, "c_1")
    assert after["c_1", "score", "double_tests"] == (None, None, None, True)
    assert after["c_1", "comment", "double"] == (GRADER_FAILED, None)
    assert after["c_1", "score", "half_tests"] == (3, None, None, False)
    grade_here(course, "c_1")
    assert rows_of(course, "c_1")["c_1", "score", "double_tests"] == (2, None, None, False)
    assert rows_of(course, "c_1")["c_1", "comment", "double"] == (None, None)


def test_unreadable_notebook_is_flagged_until_a_person_has_decided(course):
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


@pytest.mark.parametrize("error", ["ZeroDivisionError('division by zero')", "FileNotFoundError('extensions.csv')"])
def test_broken_plugin_for_penalties_costs_no_points_and_ends_no_batch(error, course):
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + PENALTY.format(error=error))
    before = rows_of(course, "c_3")
    (course / "submitted/c_4/ps1/timestamp.txt").write_text("2026-01-03 00:00:00 UTC\n")
    found = grade_here(course, "c_3", "c_4", "c_5")  # two of them are late
    assert {student: one.status for (student, name), one in found.items() if name == "one"} == {
        "c_3": "grader_failed", "c_4": "grader_failed", "c_5": "graded",
    }  # fmt: skip
    assert "the course's plugin for late penalties failed" in found["c_4", "one"].message
    assert rows_of(course, "c_3")["c_3", "score", "half_tests"] == before["c_3", "score", "half_tests"]
    assert rows_of(course, "c_4")["c_4", "score", "half_tests"] == (None, None, None, True)
