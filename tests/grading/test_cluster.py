"""nbreferee autograde --scheduler: a real Dask cluster that shares no files with the course, and
loses a machine on the way.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from machines import PORT, Worker, machines, wait_until, why_no_machines
from nbgrader.api import Gradebook
from notebooks import COURSE
from refereed import Court
from tiny_class import BAD, BINARIES, CONFIG, HONEST, RIGHT, hand_in

import nbreferee
from nbreferee import __version__
from nbreferee.grading import task as worker
from nbreferee.verdicts import NotebookResult
from nbreferee.versions import CODE, identity

SLOW = {
    f"slow_{n}": {**RIGHT, "half": f"import time\ntime.sleep(0.4)\n{RIGHT['half']}"}
    for n in range(8)
}
READS = {
    **RIGHT,
    "half": "def half(x):\n    return x * len(open('data/large.bin', 'rb').read()) / 40_000_000",
}
STUDENTS = {**HONEST, **SLOW, "exits": BAD["exits"][0], "reads": READS}
COMMAND: list[str | Path] = [
    BINARIES / "nbreferee",
    "autograde",
    "ps1",
    "--json",
    "../verdicts.json",
]
PYTHON = [sys.executable, "-m"]


def autograding(
    course: Path, *options: str, prefix: tuple[str, ...] | list[str] = ()
) -> subprocess.Popen[str]:
    """Start grading."""
    return subprocess.Popen(
        [*prefix, *COMMAND, *options],
        cwd=course,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def rows(course: Path) -> dict[str | tuple[str, ...], tuple[Any, ...]]:
    """All that a gradebook says, but for its own numbers and the time."""
    found: dict[str | tuple[str, ...], tuple[Any, ...]] = {}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        for submission in book.assignment_submissions("ps1"):
            student = submission.student.id
            found[student] = (submission.score, submission.max_score, submission.needs_manual_grade)
            for notebook in submission.notebooks:
                found[student, notebook.name] = (
                    notebook.score,
                    notebook.max_score,
                    notebook.needs_manual_grade,
                    notebook.failed_tests,
                )
                for grade in notebook.grades:
                    found[student, notebook.name, grade.name] = (
                        grade.auto_score,
                        grade.manual_score,
                        grade.extra_credit,
                        grade.needs_manual_grade,
                    )
                for comment in notebook.comments:
                    found[student, notebook.name, "comment", comment.name] = (
                        comment.auto_comment,
                        comment.manual_comment,
                    )
    return found


def verdicts(course: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """What --json says, but for the time, and for the cells run: students share results."""
    return {
        (one["student"], one["notebook"]): {**one, "wall_s": 0, "cells_run": 0}
        for one in json.loads((course.parent / "verdicts.json").read_text())
    }


@pytest.fixture(scope="module")
def course(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course that some have handed in, the only thing in its parent folder."""
    course = Path(shutil.copytree(released, tmp_path_factory.mktemp("cluster") / "course"))
    (course / "nbgrader_config.py").write_text(CONFIG.replace("_s = 1\n", "_s = 20\n"))
    (course / "source/ps1/data").mkdir(exist_ok=True)
    (course / "source/ps1/data/large.bin").write_bytes(
        bytes(20_000_000)
    )  # more than one delivery, and no part of a task
    for student, answers in STUDENTS.items():
        hand_in(course, student, answers)
    return course


@dataclass(frozen=True)
class Ran:
    """What came of a run on a cluster of which one worker was killed."""

    course: Path
    status: int
    stderr: str
    done_before: int  # submissions
    workers_saw: set[str]
    busy: int  # processes of the worker that was killed
    left: tuple[str, str]  # temporary files: of the one that was killed, and of the other


@pytest.fixture(scope="module")
def ran(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """A run on two workers, one of which is killed when some submissions are done."""
    if why := why_no_machines():
        pytest.skip(why)
    logs = tmp_path_factory.mktemp("logs")
    mine = Path(shutil.copytree(course, tmp_path_factory.mktemp("far") / "course"))
    with (
        machines("desk", "scheduler", "one", "two") as (desk, head, one, two),
        (logs / "scheduler").open("w") as log,
    ):
        address = f"tcp://{head.address}:{PORT}"
        command = [
            *PYTHON,
            "distributed.cli.dask_scheduler",
            "--host",
            head.address,
            "--port",
            str(PORT),
            "--no-dashboard",
        ]
        scheduler = subprocess.Popen(head.command(*command), cwd=COURSE, stdout=log, stderr=log)
        first = Worker(one, address, mine.parent, logs / "one", threads=2, nanny=False)
        second = Worker(two, address, mine.parent, logs / "two", threads=1, nanny=True)
        wait_until(
            lambda: (logs / "scheduler").read_text().count("Register worker") == 2,
            "workers have not joined",
        )
        with autograding(mine, "--scheduler", address, prefix=desk.command()) as grading:
            wait_until(
                lambda: len(list(mine.glob("autograded/*/ps1"))) > 2 or grading.poll() is not None,
                "no submission is done",
            )
            done, busy = len(list(mine.glob("autograded/*/ps1"))), len(first.processes())
            left = first.end(signal.SIGKILL)
            _, said = grading.communicate(timeout=120)
        yield Ran(
            mine,
            grading.returncode,
            said,
            done,
            first.sees | second.sees,
            busy,
            (left, second.end(signal.SIGTERM)),
        )
        scheduler.kill()
        scheduler.wait()


@pytest.fixture(scope="module")
def local(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same course, graded on this machine."""
    mine = Path(shutil.copytree(course, tmp_path_factory.mktemp("local") / "course"))
    with autograding(mine) as grading:
        _, said = grading.communicate(timeout=120)
    assert grading.returncode == 0, said
    return mine


def test_run_that_loses_a_worker_ends_well(ran: Ran) -> None:
    assert 2 < ran.done_before < len(STUDENTS)
    assert ran.busy > 1
    assert [
        line for line in ran.stderr.splitlines() if line.strip() and not line.startswith("ps1: ")
    ] == []  # but for progress
    assert ran.status == 0


def test_workers_do_not_see_the_course(ran: Ran) -> None:
    assert not {path.name for path in ran.course.parent.iterdir()} & ran.workers_saw
    assert "dask" in ran.workers_saw


def test_gradebook_of_a_cluster_is_that_of_a_local_run_row_for_row(ran: Ran, local: Path) -> None:
    assert rows(ran.course) == rows(local)
    assert {key for key in rows(local) if type(key) is str} == set(STUDENTS)


def test_verdicts_and_notebooks_of_a_cluster_are_those_of_a_local_run(
    ran: Ran, local: Path
) -> None:
    assert verdicts(ran.course) == verdicts(local)
    assert {one["status"] for one in verdicts(local).values()} == {"graded"}
    files = [
        sorted(path.relative_to(course) for path in (course / "autograded").rglob("*"))
        for course in (ran.course, local)
    ]
    assert files[0] == files[1]


def test_files_of_the_course_are_there_on_the_workers(ran: Ran) -> None:
    cells = [
        cell
        for (student, _), one in verdicts(ran.course).items()
        if student == "reads"
        for cell in one["cells"]
    ]
    assert [cell["score"] for cell in cells if cell["grade_id"] == "half_tests"] == [3], cells


def test_workers_leave_nothing_however_they_end(ran: Ran) -> None:
    assert ran.left == ("", "")


# ------------------------------------------------ a cluster that is no use


@contextlib.contextmanager
def local_cluster(
    folder: Path, scheduler_sees: Path = COURSE, worker_sees: Path = COURSE
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A scheduler, and a worker, on this machine, each of which finds packages in a folder first:
    its address, and its process.
    """
    written, log = folder / "scheduler.json", folder / "log"

    def start(sees: Path, program: str, *options: str | Path) -> subprocess.Popen[bytes]:
        command = [*PYTHON, f"distributed.cli.{program}", "--scheduler-file", written, *options]
        with log.open("a") as errors:
            return subprocess.Popen(
                command,
                cwd=sees,
                env={**os.environ, "PYTHONPATH": str(sees)},
                stdout=errors,
                stderr=errors,
            )

    started = [
        start(
            scheduler_sees, "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"
        )
    ]
    try:
        wait_until(lambda: written.exists() and written.read_text().endswith("}"), "no scheduler")
        started.append(
            start(
                worker_sees,
                "dask_worker",
                "--no-dashboard",
                "--nthreads",
                "2",
                "--local-directory",
                folder / "dask",
            )
        )
        wait_until(lambda: "Register worker" in log.read_text(), "the worker has not joined")
        yield json.loads(written.read_text())["address"], started[0]
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def refused(course: Path, address: str) -> str:
    """Grade on a cluster that will not do; return what was said: one line, the cause and what to
    do. Nothing may be written.
    """
    before = sorted(course.rglob("*"))
    with autograding(course, "--scheduler", address, "--json", "verdicts.json") as grading:
        _, said = grading.communicate(timeout=30)
    assert grading.returncode == 2, said
    assert sorted(course.rglob("*")) == before
    (line,) = str(said).splitlines()
    return line


@pytest.fixture
def fresh(released: Path, tmp_path: Path) -> Path:
    """A course that one has handed in, and that nobody has graded."""
    course = Path(shutil.copytree(released, tmp_path / "course"))
    hand_in(course, "alice", RIGHT)
    return course


# address: words
NO_SCHEDULER = {
    "tcp://127.0.0.1:9": (
        "no Dask scheduler answers there (Timed out trying to connect to tcp://127.0.0.1:9 after "
        "5 s). Start one, dask scheduler, and name"
    ),
    "nonsense": (
        "no Dask scheduler answers there (missing port number in address 'nonsense'). Start one"
    ),
    "http://127.0.0.1:9": "no Dask scheduler answers there (unknown address scheme 'http'",
}


@pytest.mark.parametrize("address", NO_SCHEDULER)
def test_address_without_a_scheduler_is_a_sentence(address: str, fresh: Path) -> None:
    said = refused(fresh, address)
    assert said.startswith(f"nbreferee: {address}: {NO_SCHEDULER[address]}")


OTHER_PACKAGES = (
    f"__version__ = {__version__!r}\n__path__ = {nbreferee.__path__!r}\nimport nbreferee.versions\n"
)
OTHER_PACKAGES += (
    "same = dict(nbreferee.versions.identity())\n"
    "nbreferee.versions.identity = lambda: tuple({**same, 'numpy': '0.0.1'}.items())"
)
# name: (what stands for the package there, who sees that, words)
OTHERS = {
    "scheduler_without": (
        "raise ImportError('no such package')",
        "scheduler",
        "its scheduler has no nbreferee, and this is",
    ),
    "worker_without": (
        "raise ImportError('no such package')",
        "worker",
        " has no nbreferee, and this is",
    ),
    "other_packages": (OTHER_PACKAGES, "worker", " has numpy 0.0.1, and not"),
    "other_worker": ("__version__ = '0.0.1'", "worker", " has nbreferee 0.0.1, and this is"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_cluster_with_another_grader_is_a_sentence(other: str, fresh: Path, tmp_path: Path) -> None:
    package, who, words = OTHERS[other]
    (tmp_path / "packages/nbreferee").mkdir(parents=True)
    (tmp_path / "packages/nbreferee/__init__.py").write_text(package)
    with local_cluster(tmp_path, **{f"{who}_sees": tmp_path / "packages"}) as (address, _):
        said = refused(fresh, address)
    if other == "other_packages":
        assert (
            f"{words} {version('numpy')}. Install the same there as here, and restart it." in said
        )
    else:
        assert (
            f"{words} {__version__}. Install nbreferee {__version__} there, and restart it." in said
        )


def test_cluster_that_goes_away_is_a_sentence_and_the_next_run_goes_on(
    course: Path, tmp_path: Path
) -> None:
    mine = Path(shutil.copytree(course, tmp_path / "course"))
    with (
        local_cluster(tmp_path) as (address, scheduler),
        autograding(mine, "--scheduler", address) as grading,
    ):
        wait_until(
            lambda: list(mine.glob("autograded/*/ps1")) or grading.poll() is not None,
            "no submission is done",
        )
        scheduler.kill()
        _, said = grading.communicate(timeout=60)
    assert grading.returncode == 1  # some have been graded
    assert said.splitlines()[-1] == (
        f"nbreferee: {address}: the Dask cluster has gone. What is done is kept; run the "
        "command again to go on."
    )
    assert "Traceback" not in said
    with autograding(mine) as grading:
        grading.communicate(timeout=120)
    statuses = [one["status"] for one in verdicts(mine).values()]
    assert set(statuses) == {"graded", "skipped"}
    assert len(statuses) == 2 * len(STUDENTS)


# ------------------------------------------------ one worker, many threads


@pytest.fixture
def task() -> Iterator[worker.Task]:
    """A right answer, to be graded in this process, and no warm process left after it."""
    from building import answer, graded

    from nbreferee.grading.calibration import Calibration

    with Court() as court:
        material = court.material(answer(), graded())
        yield worker.Task(
            "alice",
            "ps1",
            "one",
            material,
            material.data,
            {},
            court.warm.budget,
            calibration=Calibration(),
        )
    for grader in worker._IDLE.pop((court.warm.budget, ""), []):
        grader.warm.close()


def graded(answer: worker.TaskAnswer | worker.TaskResult) -> NotebookResult:
    assert isinstance(answer, worker.TaskResult), answer
    return answer.result


def in_threads(task: worker.Task, count: int) -> list[float]:
    """Grade in threads that end with it; return the scores."""
    scores: list[float] = []
    threads = [
        threading.Thread(
            target=lambda: scores.extend(cell.score for cell in graded(worker.run(task)).cells)
        )
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return scores


def test_warm_processes_outlive_the_thread_that_started_them(task: worker.Task) -> None:
    assert in_threads(task, 1) == [2]
    (grader,) = worker._IDLE[task.budget, ""]
    assert [in_threads(task, 1) for _ in range(3)] == [[2]] * 3
    assert worker._IDLE[task.budget, ""] == [grader]


def test_threads_do_not_share_warm_processes(task: worker.Task) -> None:
    assert in_threads(task, 3) == [2, 2, 2]
    assert 1 <= len(worker._IDLE[task.budget, ""]) <= 3
    assert len({grader.warm.folder for grader in worker._IDLE[task.budget, ""]}) == len(
        worker._IDLE[task.budget, ""]
    )


def test_worker_that_is_another_grader_refuses(task: worker.Task) -> None:
    ours = dict(identity())
    for name, words in (
        ("nbreferee", f"nbreferee {__version__}, and not 9"),
        ("numpy", "numpy .*, and not 9"),
        (CODE, f"another state of {CODE}"),
    ):
        with pytest.raises(
            worker.Unfit, match=rf"this worker has {words}\. Install the same there"
        ):
            worker.run_far({**ours, name: "9"}, task)
    with pytest.raises(worker.Unfit, match="this worker has numpy, which is not here"):
        worker.run_far({name: one for name, one in ours.items() if name != "numpy"}, task)
    with pytest.raises(worker.Unfit, match="this worker has no extra"):
        worker.run_far({**ours, "extra": "1"}, task)
    assert graded(worker.run_far(ours, task)).status == "graded"
