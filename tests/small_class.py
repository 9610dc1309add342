"""A course of two small notebooks, of which a part has been graded before, to grade here or by the
command.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from building import answer, cell, graded, write
from hand_in import answered, read_notebook
from nbgrader.api import Gradebook
from sqlalchemy import func, select

from nbreferee.course.locate import gradebook_writer, open_course
from nbreferee.course.settings import NbReferee
from nbreferee.grading import task
from nbreferee.grading.assignment import AssignmentGrader, GradingOptions, expected
from nbreferee.grading.outcome import NotebookOutcome
from nbreferee.grading.pool import Workers

CONFIG = (
    'c = get_config()\nc.CourseDirectory.course_id = "tiny"\nc.NbReferee.call_s = 1\n'
    "c.NbReferee.cell_s = 2\n"
)
BINARIES = Path(sys.executable).parent
PATIENCE_S = 60  # for what must come; nothing waits that long unless it fails

ONE = (
    answer(
        "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION", "double"
    ),
    graded("### BEGIN HIDDEN TESTS\nassert double(5) == 10\n### END HIDDEN TESTS", "double_tests"),
)
TWO = (
    answer("def half(x):\n    ### BEGIN SOLUTION\n    return x / 2\n    ### END SOLUTION", "half"),
    graded(
        "### BEGIN HIDDEN TESTS\nassert half(5) == 2.5\n### END HIDDEN TESTS",
        "half_tests",
        points=3,
    ),
    cell("*Why?*", "markdown", grade_id="why", grade=True, solution=True, points=4),
)
RIGHT = {
    "double": "def double(x):\n    return x + x",
    "half": "def half(x):\n    return x / 2",
    "why": "So.",
}
EARLIER = {
    "double": "def double(x):\n    return x * x",
    "half": "def half(x):\n    return x / 2",
    "why": "I do not know.",
}
STARTS = (
    "import subprocess\ntry:\n    subprocess.Popen(['sleep', '300'])\nexcept OSError:\n    pass\n"
)
ANSWERS = {
    "a_sleeps": {
        **RIGHT,
        "half": "import time\ndef half(x):\n    while True:\n        time.sleep(0.01)",
    },
    "b_starts": {**RIGHT, "double": STARTS + RIGHT["double"]},
    **{f"c_{n}": {**RIGHT, "why": f"Because of {n}."} for n in range(10)},
}
GRADED_BEFORE = ("c_0", "c_3", "c_6", "c_9")
UNCHANGED = "c_6"
LATE = "c_3"


def hand_in(course: Path, student: str, answers: dict[str, str]) -> None:
    """Hand in both notebooks, in place of what is there."""
    folder = course / "submitted" / student / "ps1"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (course / "release/ps1").glob("*.ipynb"):
        release = read_notebook(path)
        theirs = {
            one.metadata.nbgrader.grade_id
            for one in release.cells
            if one.metadata.nbgrader.solution
        }
        notebook = answered(
            release, {name: text for name, text in answers.items() if name in theirs}
        )
        (folder / path.name).write_text(nbformat.writes(notebook))
    if student == LATE:
        (folder / "timestamp.txt").write_text("2026-01-02 03:04:05 UTC\n")


def contents(folder: Path) -> dict[str, bytes]:
    """All files in a folder by path inside it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def gradebook(course: Path) -> dict[tuple[Any, ...], Any]:
    """All that a gradebook says of submissions, and how many rows each of its tables has."""
    rows: dict[tuple[Any, ...], Any] = {}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        for table in sorted(type(book.students[0]).metadata.sorted_tables, key=str):
            rows["rows", table.name] = book.db.execute(
                select(func.count()).select_from(table)
            ).scalar_one()
        for submission in book.assignment_submissions("ps1"):
            student = submission.student.id
            rows[student,] = submission.timestamp
            for notebook in submission.notebooks:
                rows[student, notebook.name] = (notebook.late_submission_penalty, notebook.flagged)
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


def mark_by_hand(course: Path) -> None:
    """Give scores, extra credit and comments to all who were graded before."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        for number, student in enumerate(GRADED_BEFORE):
            grade = book.find_grade("why", "two", "ps1", student)
            grade.manual_score, grade.extra_credit, grade.needs_manual_grade = (
                1.5 + number / 4,
                0.25,
                False,
            )
            book.find_grade("double_tests", "one", "ps1", student).manual_score = 0.75
            book.find_comment("why", "two", "ps1", student).manual_comment = f"Nice, {student}."
        book.db.commit()


class Remembering(Executor):
    """Has tasks done by a real worker, this process, and remembers what came of each: the same
    comes again.
    """

    def __init__(self) -> None:
        self.results: dict[str, task.TaskResult] = {}
        self.alone_known = False  # what is new is an error

    def submit(  # type: ignore[override]  # the batch submits tasks alone
        self, function: Callable[[task.Task], task.TaskResult], task: task.Task
    ) -> Future[Any]:
        """Do a task, if it is new."""
        if task.fingerprint not in self.results:
            assert not self.alone_known
            self.results[task.fingerprint] = function(task)
        future: Future[Any] = Future()
        future.set_result(self.results[task.fingerprint])
        return future


REMEMBERING = Remembering()


def grade_here(
    folder: Path, *students: str, executor: Executor = REMEMBERING, **manner: Any
) -> dict[tuple[str, str], NotebookOutcome]:
    """Grade with this process as the one worker, or another executor; return what came of each
    notebook.
    """
    outcomes: dict[tuple[str, str], NotebookOutcome] = {}

    def done(outcome: NotebookOutcome) -> None:
        outcomes[outcome.student, outcome.notebook] = outcome

    course = open_course(folder)
    manner.setdefault("budget", NbReferee(config=course.config).budget())
    with gradebook_writer(course) as book:
        AssignmentGrader(
            course,
            book,
            "ps1",
            Workers(lambda: executor, lambda: 1),
            GradingOptions(**manner),
            done,
        ).run(expected(course, ["ps1"], students)["ps1"])
    return outcomes


def prepare(course: Path) -> None:
    """Make a class of which four have been graded before and marked by hand; all but one of them
    have handed in something else since.
    """
    (course / "source/ps1/data").mkdir(parents=True)
    write(course / "source/ps1", *ONE, name="one")
    write(course / "source/ps1", *TWO, name="two")
    (course / "source/ps1/data/numbers.csv").write_text("1,2\n")
    (course / "nbgrader_config.py").write_text(CONFIG)
    subprocess.run(
        [BINARIES / "nbgrader", "generate_assignment", "ps1"],
        cwd=course,
        check=True,
        capture_output=True,
    )
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        book.find_assignment("ps1").duedate = datetime(2026, 1, 1)
        book.db.commit()
    for student in GRADED_BEFORE:
        hand_in(course, student, EARLIER)
    assert {one.status for one in grade_here(course).values()} == {"graded"}
    mark_by_hand(course)
    for student, answers in ANSWERS.items():
        if student != UNCHANGED:
            hand_in(course, student, answers)


def start(course: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start the command in a session and with temporary files of its own."""
    temporary = course.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    environment = {**os.environ, "COLUMNS": "200", "TMPDIR": str(temporary)}
    command: list[str | Path] = [
        BINARIES / "nbreferee",
        "autograde",
        "ps1",
        "--jobs",
        "2",
        *options,
    ]
    with (course.parent / "said.txt").open("a") as said:
        return subprocess.Popen(
            command,
            cwd=course,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def finish(course: Path) -> dict[str, set[str]]:
    """Run the command to its end; return each student's statuses."""
    assert start(course, "--json", "verdicts.json").wait(PATIENCE_S) == 0, (
        course.parent / "said.txt"
    ).read_text()
    return statuses(course / "verdicts.json")


def statuses(path: Path) -> dict[str, set[str]]:
    """The statuses of each student's notebooks in a file of verdicts."""
    found: dict[str, set[str]] = {}
    for one in json.loads(path.read_text()):
        found.setdefault(one["student"], set()).add(one["status"])
    return found


def until(condition: Callable[[], Any], what: str) -> None:
    """Look again and again until a condition holds."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE_S} s"
        time.sleep(0.005)
