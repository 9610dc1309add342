"""A grader that is killed at any moment: nothing is lost, nothing lives on, and the next run brings the same to its end."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from building import answer, cell, graded, write
from hand_in import answered, read_notebook
from nbgrader.api import Gradebook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from nbreferee import worker
from nbreferee.autograde import Autograding, Manner, Outcome, submitted_by
from nbreferee.course import gradebook_writer, open_course
from nbreferee.engine import scratch
from nbreferee.engine.limits import Budget
from nbreferee.sandbox import kernel
from nbreferee.settings import NbReferee
from nbreferee.workers import Workers

CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "tiny"\nc.NbReferee.call_s = 1\nc.NbReferee.cell_s = 2\n'
BINARIES = Path(sys.executable).parent
PATIENCE_S = 60  # for what must come; nothing waits that long unless it fails

ONE = (
    answer("def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION", "double"),
    graded("### BEGIN HIDDEN TESTS\nassert double(5) == 10\n### END HIDDEN TESTS", "double_tests"),
)
TWO = (
    answer("def half(x):\n    ### BEGIN SOLUTION\n    return x / 2\n    ### END SOLUTION", "half"),
    graded("### BEGIN HIDDEN TESTS\nassert half(5) == 2.5\n### END HIDDEN TESTS", "half_tests", points=3),
    cell("*Why?*", "markdown", grade_id="why", grade=True, solution=True, points=4),
)
RIGHT = {"double": "def double(x):\n    return x + x", "half": "def half(x):\n    return x / 2", "why": "So."}
EARLIER = {"double": "def double(x):\n    return x * x", "half": "def half(x):\n    return x / 2", "why": "I do not know."}
STARTS = "import subprocess\ntry:\n    subprocess.Popen(['sleep', '300'])\nexcept OSError:\n    pass\n"
ANSWERS = {
    "a_sleeps": {**RIGHT, "half": "import time\ndef half(x):\n    while True:\n        time.sleep(0.01)"},
    "b_starts": {**RIGHT, "double": STARTS + RIGHT["double"]},
    **{f"c_{n}": {**RIGHT, "why": f"Because of {n}."} for n in range(10)},
}
GRADED_BEFORE = ("c_0", "c_3", "c_6", "c_9")
UNCHANGED = "c_6"
LATE = "c_3"


# ------------------------------------------------ a course


def hand_in(course: Path, student: str, answers: dict[str, str]) -> None:
    """Hand in both notebooks, in place of what is there."""
    folder = course / "submitted" / student / "ps1"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (course / "release/ps1").glob("*.ipynb"):
        release = read_notebook(path)
        theirs = {one.metadata.nbgrader.grade_id for one in release.cells if one.metadata.nbgrader.solution}
        notebook = answered(release, {name: text for name, text in answers.items() if name in theirs})
        (folder / path.name).write_text(nbformat.writes(notebook))
    if student == LATE:
        (folder / "timestamp.txt").write_text("2026-01-02 03:04:05 UTC\n")


def contents(folder: Path) -> dict[str, bytes]:
    """All files in a folder by path inside it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def gradebook(course: Path) -> dict[tuple, Any]:
    """All that a gradebook says of submissions, and how many rows each of its tables has."""
    rows: dict[tuple, Any] = {}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        for table in sorted(type(book.students[0]).metadata.sorted_tables, key=str):
            rows["rows", table.name] = book.db.execute(select(func.count()).select_from(table)).scalar_one()
        for submission in book.assignment_submissions("ps1"):
            student = submission.student.id
            rows[student,] = submission.timestamp
            for notebook in submission.notebooks:
                rows[student, notebook.name] = (notebook.late_submission_penalty, notebook.flagged)
                for grade in notebook.grades:
                    rows[student, "score", grade.name] = (grade.auto_score, grade.manual_score, grade.extra_credit, grade.needs_manual_grade)
                for comment in notebook.comments:
                    rows[student, "comment", comment.name] = (comment.auto_comment, comment.manual_comment)
    return rows


def mark_by_hand(course: Path) -> None:
    """Give scores, extra credit and comments to all who were graded before."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        for number, student in enumerate(GRADED_BEFORE):
            grade = book.find_grade("why", "two", "ps1", student)
            grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 1.5 + number / 4, 0.25, False
            book.find_grade("double_tests", "one", "ps1", student).manual_score = 0.75
            book.find_comment("why", "two", "ps1", student).manual_comment = f"Nice, {student}."
        book.db.commit()


class Remembering(Executor):
    """Has tasks done by a real worker, this process, and remembers what came of each: the same comes again."""

    def __init__(self) -> None:
        self.results: dict[str, worker.Result] = {}
        self.alone_known = False  # what is new is an error

    def submit(self, function: Callable, task: worker.Task) -> Future:
        """Do a task, if it is new."""
        if task.fingerprint not in self.results:
            assert not self.alone_known
            self.results[task.fingerprint] = function(task)
        future: Future = Future()
        future.set_result(self.results[task.fingerprint])
        return future


REMEMBERING = Remembering()


def grade_here(folder: Path, *students: str, **manner: Any) -> dict[tuple[str, str], Outcome]:
    """Grade with this process as the one worker; return what came of each notebook."""
    outcomes: dict[tuple[str, str], Outcome] = {}

    def done(outcome: Outcome) -> None:
        outcomes[outcome.student, outcome.notebook] = outcome

    course = open_course(folder)
    manner.setdefault("budget", NbReferee(config=course.config).budget())
    with gradebook_writer(course) as book:
        Autograding(course, book, "ps1", Workers(lambda: REMEMBERING, 4), Manner(**manner), done).run(submitted_by(course, "ps1", students))
    return outcomes


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A class of which four have been graded before and marked by hand; all but one of them have handed in something else since."""
    course = tmp_path_factory.mktemp("killed") / "course"
    (course / "source/ps1/data").mkdir(parents=True)
    write(course / "source/ps1", *ONE, name="one")
    write(course / "source/ps1", *TWO, name="two")
    (course / "source/ps1/data/numbers.csv").write_text("1,2\n")
    (course / "nbgrader_config.py").write_text(CONFIG)
    subprocess.run([BINARIES / "nbgrader", "generate_assignment", "ps1"], cwd=course, check=True, capture_output=True)
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
    return course


@pytest.fixture
def course(prepared, tmp_path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(prepared, tmp_path / "course"))


# ------------------------------------------------ the command


def start(course: Path, *options: str) -> subprocess.Popen:
    """Start the command in a session and with temporary files of its own."""
    temporary = course.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    environment = {**os.environ, "COLUMNS": "200", "TMPDIR": str(temporary)}
    command = [BINARIES / "nbreferee", "autograde", "ps1", "--jobs", "2", *options]
    with (course.parent / "said.txt").open("a") as said:
        return subprocess.Popen(command, cwd=course, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)


def finish(course: Path) -> dict[str, set[str]]:
    """Run the command to its end; return each student's statuses."""
    assert start(course, "--json", "verdicts.json").wait(PATIENCE_S) == 0, (course.parent / "said.txt").read_text()
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


Process = tuple[int, int]  # its id, and when it was started


def processes() -> Iterator[tuple[Process, int, int]]:
    """All processes that are not over, each with its parent and its session."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent, _, session, *rest = (folder / "stat").read_text().rpartition(")")[2].split()
            if state not in "ZX":
                yield (int(folder.name), int(rest[15])), int(parent), int(session)


def family(pid: int) -> set[Process]:
    """A process's children, their children, and so on."""
    children: dict[int, set[Process]] = {}
    for process, parent, _ in processes():
        children.setdefault(parent, set()).add(process)
    found, new = set(), {pid}
    while new:
        born = set().union(*(children.get(one, set()) for one in new))
        found |= born
        new = {one for one, _ in born}
    return found


def living(known: set[Process], session: int, marker: str) -> set[Process]:
    """Which processes live that are known, of a session, or have a marker in their environment."""
    found = set()
    for process, _, theirs in processes():
        environment = b""
        with contextlib.suppress(OSError):
            environment = Path(f"/proc/{process[0]}/environ").read_bytes()
        if process in known or theirs == session or marker.encode() in environment:
            found.add(process)
    return found


def kill(run: subprocess.Popen, marker: str) -> int:
    """Kill a run's first process alone; return how many others there were, none of which may live on."""
    known = family(run.pid)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    until(lambda: not living(known, run.pid, marker), "no process of a killed run lives on")
    return len(known)


# ------------------------------------------------ killed from outside, at any moment


@pytest.fixture(scope="module")
def uninterrupted(prepared, tmp_path_factory) -> tuple[dict[tuple, Any], dict[str, bytes]]:
    """The gradebook and the files that a run makes which nobody kills."""
    course = Path(shutil.copytree(prepared, tmp_path_factory.mktemp("uninterrupted") / "course"))
    found = finish(course)
    assert found == {student: {"skipped" if student == UNCHANGED else "graded"} for student in ANSWERS}
    return gradebook(course), contents(course / "autograded")


def written(course: Path, expected: dict[str, bytes]) -> dict[str, int]:
    """The students whose folder is as it will be in the end, with nothing aside; and which folder that is."""
    found = {}
    for student in ANSWERS:
        folder = course / "autograded" / student / "ps1"
        mine = {path.removeprefix(f"{student}/ps1/"): data for path, data in expected.items() if path.startswith(f"{student}/")}
        if folder.is_dir() and contents(folder) == mine and not list(folder.parent.glob(".*")):
            found[student] = folder.stat().st_ino
    return found


def assert_old_or_new(course: Path, old: dict[str, bytes], new: dict[str, bytes]) -> None:
    """Every student has what was there before, or what comes, and each as a whole."""
    there = contents(course / "autograded")
    for student in ANSWERS:
        mine, before, after = ({path: data for path, data in files.items() if path.startswith(f"{student}/ps1/")} for files in (there, old, new))
        assert mine in (before, after), student


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_moments_and_resumed_it_ends_as_if_it_had_not_been(seed, prepared, course, uninterrupted):
    rows, files = uninterrupted
    old = contents(prepared / "autograded")
    chance = random.Random(seed)
    most_others = 0
    finished = written(course, files)
    assert set(finished) == {UNCHANGED}
    for _ in range(5):
        run = start(course)
        more = len(finished) + chance.choice((0, 1, 1, 2))
        until(lambda: len(written(course, files)) >= more or run.poll() is not None, "the run goes on")
        time.sleep(chance.uniform(0, 2.5) if more == len(finished) else chance.uniform(0, 0.1))  # the moment itself
        most_others = max(most_others, kill(run, str(course.parent)))
        assert_old_or_new(course, old, files)
        now = written(course, files)
        assert finished.items() <= now.items()  # what was written stays as it is
        finished = now
    assert most_others > 4  # workers, templates, boxes and testers
    found = finish(course)
    assert {student for student, what in found.items() if what == {"skipped"}} == set(finished)
    assert {student for student, what in found.items() if what == {"graded"}} == set(ANSWERS) - set(finished)
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

STEPS = ((os, "mkdir"), (os, "rename"), (os, "chmod"), (os, "unlink"), (os, "rmdir"), (Path, "write_bytes"), (Session, "commit"), (kernel, "exchange"))


def kill_before(number: int) -> None:
    """Have this process killed before its n-th step of those that change something."""
    steps = itertools.count(1)

    def dying(step: Callable) -> Callable:
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
            kill_before(killed_before)
            grade_here(course, student, budget=budget)
            os._exit(0)
        os._exit(1)
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status) or status == 0
    return os.WIFSIGNALED(status)


def refuse_exchange(one: str, other: str) -> None:
    raise OSError(errno.EINVAL, f"exchange {one}: Invalid argument")


@pytest.mark.parametrize("file_system", ["exchanges", "does_not_exchange"])
def test_killed_between_any_two_steps_of_writing_there_is_the_old_or_the_new(file_system, prepared, tmp_path, monkeypatch):
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
    for number in itertools.count(1):
        course = Path(shutil.copytree(tmp_path / "earlier", tmp_path / str(number)))
        hand_in(course, student, versions["later"])
        if not grade_in_a_fork(course, student, budget, number):
            break
        assert gradebook(course) in (ends["earlier"][0], ends["later"][0])
        folder = course / "autograded" / student
        there = [contents(folder / "ps1")] if (folder / "ps1").exists() else [contents(folder / ".ps1.old")] if file_system != "exchanges" else []
        assert there in [[contents(tmp_path / name / "autograded" / student / "ps1")] for name in ends], number
        for name, answers in versions.items():  # the student may have thought again
            hand_in(course, student, answers)
            grade_here(course, student, budget=budget)
            assert (gradebook(course), contents(course / "autograded")) == ends[name], (number, name)
    assert (gradebook(course), contents(course / "autograded")) == ends["later"]
    assert number > 12  # as many steps were tried, and this time there was none left
