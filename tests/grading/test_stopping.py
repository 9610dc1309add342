"""What stops a run, Ctrl-C or a fault, is answered at once in a sentence; what is done is reported,
and the next run goes on.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from building import cell, graded, write
from click.testing import CliRunner
from descendants import family, living
from holding import LOCK, helper
from small_class import (
    ANSWERS,
    BINARIES,
    CONFIG,
    PATIENCE_S,
    RIGHT,
    hand_in,
    start,
    statuses,
    until,
)

from nbreferee.cli import main

LONG_S = 50  # that a notebook takes
SOON_S = 15  # to answer, on a busy machine
LASTS = {**RIGHT, "half": f"import time\ndef half(x):\n    time.sleep({LONG_S})\n    return x / 2"}


@pytest.fixture
def lasting(course: Path) -> Path:
    """A class of which two notebooks take long, and all others are done before."""
    (course / "nbgrader_config.py").write_text(
        CONFIG.replace("_s = 1", "_s = 100").replace("_s = 2", "_s = 100")
    )
    for student in (*ANSWERS, "y_lasts", "z_lasts"):
        if student[0] in "abc" and student not in ("c_1", "c_2"):
            shutil.rmtree(course / "submitted" / student)
        else:
            hand_in(course, student, LASTS if student.endswith("lasts") else ANSWERS[student])
    return course


def running(course: Path) -> subprocess.Popen[bytes]:
    """Start a run; return it when two submissions are done and the others are being graded."""
    run = start(course, "--json", "verdicts.json")
    until(
        lambda: len(list(course.glob("autograded/c_[12]/ps1"))) == 2 or run.poll() is not None,
        "two submissions are graded",
    )
    return run


def assert_ended(run: subprocess.Popen[bytes], course: Path, known: set[tuple[int, int]]) -> str:
    """Nothing of a run is left; return what it said."""
    until(
        lambda: not living(known, run.pid, str(course.parent)),
        "no process of a stopped run lives on",
    )
    assert list((course.parent / "temporary").iterdir()) == []
    assert list(course.rglob(".*.new")) == []
    said = (course.parent / "said.txt").read_text()
    assert "Traceback" not in said, said
    return said


@pytest.mark.parametrize("to", ["the_process", "its_group"])  # kill -INT, or a terminal
def test_ctrl_c_is_answered_at_once_and_the_next_run_goes_on(to: str, lasting: Path) -> None:
    run = running(lasting)
    known = family(run.pid)
    started = time.monotonic()
    os.kill(run.pid if to == "the_process" else -run.pid, signal.SIGINT)
    assert run.wait(SOON_S) == 130
    print(f"answered after {time.monotonic() - started:.2f} s")
    said = assert_ended(run, lasting, known)
    assert (
        "nbreferee: stopped: 2 of 4 submissions are done and kept. Run the command again to go on."
        in said
    )
    assert "graded" in said.split("stopped:")[0]  # the table
    assert statuses(lasting / "verdicts.json") == {"c_1": {"graded"}, "c_2": {"graded"}}
    for student in ("y_lasts", "z_lasts"):
        hand_in(lasting, student, RIGHT)
    again = start(lasting, "--json", "verdicts.json")
    assert again.wait(PATIENCE_S) == 0
    found = statuses(lasting / "verdicts.json")
    assert found == {
        "c_1": {"skipped"},
        "c_2": {"skipped"},
        "y_lasts": {"graded"},
        "z_lasts": {"graded"},
    }


def test_ctrl_c_while_workers_start_is_one_line(lasting: Path) -> None:
    run = start(lasting)
    until(lambda: family(run.pid), "workers start")
    known = family(run.pid)
    os.killpg(run.pid, signal.SIGINT)
    assert run.wait(SOON_S) == 130
    until(
        lambda: not living(known, run.pid, str(lasting.parent)),
        "no process of a stopped run lives on",
    )
    said = (lasting.parent / "said.txt").read_text()
    if (
        "Fatal Python error: init" not in said
    ):  # a process in which Python itself was still starting
        assert "Traceback" not in said
    assert "nbreferee: stopped" in said


def test_ctrl_c_is_answered_while_the_gradebook_is_locked(lasting: Path) -> None:
    shutil.rmtree(lasting / "submitted/c_2")
    with helper(sys.executable, "-c", LOCK, str(lasting / "gradebook.db")):
        run = start(lasting)
        time.sleep(0)
        until(lambda: family(run.pid), "workers start")
        os.kill(run.pid, signal.SIGINT)
        assert run.wait(SOON_S) == 130
    assert "nbreferee: stopped" in (lasting.parent / "said.txt").read_text()


def test_line_that_says_why_grading_stops_ends_running_notebooks(lasting: Path) -> None:
    """The gradebook is locked when a third result comes: the command does not wait for the
    notebooks that still run.
    """
    shutil.copytree(lasting / "submitted/c_1", lasting / "submitted/x_waits")
    waits = {
        **RIGHT,
        "half": (
            "import os, time\nwhile not os.path.exists('/nowhere'):\n    time.sleep(0.5)\n"
            f"    if time.time() > {time.time()} + 9:\n        break\n{RIGHT['half']}"
        ),
    }
    hand_in(lasting, "x_waits", waits)
    run = running(lasting)
    known = family(run.pid)
    with helper(sys.executable, "-c", LOCK, str(lasting / "gradebook.db")):
        status = run.wait(LONG_S)
    said = assert_ended(run, lasting, known)
    assert (
        "gradebook.db cannot be used (database is locked). Close what else uses it, then run "
        "the command again: what is done is kept."
    ) in said
    assert status == 1  # some have been graded
    assert statuses(lasting / "verdicts.json").keys() >= {"c_1", "c_2"}
    assert "graded" in said


# ------------------------------------------------ each assignment by itself


REPEATED = (
    cell("x = 1", grade_id="note", locked=False),
    cell("y = 2", grade_id="note", locked=False),
)  # which nbgrader does not look at


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replaced_by_a_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "ps2": (
        lambda path: path.write_text(path.read_text().replace('"f_tests"', '"f"')),
        "a second cell has this grade id. Give one of them another.",
    ),
    "ps3": (lambda path: path.write_text("{"), "not JSON"),
    "ps4": (replaced_by_a_folder, "cannot be read (Is a directory)"),
    "ps5": (
        replaced_by_a_loop,
        "cannot be read (Too many levels of symbolic links)",
    ),
}


def test_fault_of_one_assignment_is_told_with_its_cure_and_the_others_are_graded(
    tmp_path: Path,
) -> None:
    course = tmp_path / "course"
    names = ("ps1", *FAULTS, "ps6")
    for name in names:
        (course / "source" / name).mkdir(parents=True)
        write(course / "source" / name, *REPEATED, *_small(), name="one")
    (course / "nbgrader_config.py").write_text(CONFIG)
    environment = {
        **os.environ,
        "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "300",
    }
    for name in names:
        subprocess.run(
            [BINARIES / "nbgrader", "generate_assignment", name],
            cwd=course,
            env=environment,
            check=True,
            capture_output=True,
        )
        shutil.copytree(course / "release" / name, course / "submitted/anna" / name)
    for name, (fault, _) in FAULTS.items():
        fault(course / "source" / name / "one.ipynb")
    command: list[str | Path] = [
        BINARIES / "nbreferee",
        "autograde",
        "--json",
        "verdicts.json",
        "--jobs",
        "1",
    ]
    ran = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
    assert "Traceback" not in ran.stderr
    for name, (_, words) in FAULTS.items():
        (line,) = [line for line in ran.stderr.splitlines() if f"/{name}/" in line]
        assert words in line
        assert line.endswith(f"Nothing of {name} has been graded.")
    assert {
        one["assignment"]: one["status"]
        for one in json.loads((course / "verdicts.json").read_text())
    } == {"ps1": "graded", "ps6": "graded"}
    assert ran.stdout.split()[:2] == ["graded", "2"]
    assert ran.returncode == 1
    ran = subprocess.run(
        [*command, *FAULTS], cwd=course, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert json.loads((course / "verdicts.json").read_text()) == []


def _small() -> tuple[Any, ...]:
    from building import answer

    return answer(), graded()


# ------------------------------------------------ whatever else is raised


ARGUMENTS = {
    "import": ["all.zip", "ps1"],
    "export": ["csv", "--to", "scores.csv"],
    "gradescope": ["ps1", "--to", "autograder.zip"],
    "comment": ["ps1", "half", "1", "Look again."],
    "groups": ["ps1"],
    "mark": ["ps1"],
    "new": ["ps2"],
    "validate": ["one.ipynb"],
}


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("division\nby zero"),
        MemoryError(),
        RecursionError("deep"),
        OSError(5, "Input/output error"),
    ],
)
@pytest.mark.parametrize("name", main.commands)
def test_unforeseen_error_of_a_command_is_one_line_and_a_file_with_the_traceback(
    name: str, error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(main.commands[name], "callback", fail)
    ran = CliRunner().invoke(main, [name, *ARGUMENTS.get(name, [])])
    (line,) = ran.stderr.splitlines()
    assert ran.stdout == ""
    assert ran.exit_code == 2
    assert line.startswith(f"nbreferee: {name}: ")
    (path,) = tmp_path.iterdir()
    assert f"The details are in {path}: send that file with a report." in line
    assert "Traceback (most recent call last)" in path.read_text()
    assert type(error).__name__ in path.read_text()


def test_unforeseen_error_while_grading_is_one_line_with_what_is_done(course: Path) -> None:
    code = (
        "import sys, nbreferee.grading.gradebook as g\ndef fail(*_): raise KeyError('rows')\n"
        "g.Recorder._scores = fail\nfrom nbreferee.cli import main\nmain()"
    )
    command = [
        sys.executable,
        "-c",
        code,
        "autograde",
        "ps1",
        "--jobs",
        "1",
        "--json",
        "verdicts.json",
    ]
    ran = subprocess.run(
        command,
        cwd=course,
        env={**os.environ, "TMPDIR": str(course.parent)},
        capture_output=True,
        text=True,
    )
    (line,) = ran.stderr.splitlines()
    (path,) = course.parent.glob("nbreferee-error-*.txt")
    assert line == (
        "nbreferee: ps1: its notebooks cannot be used: an error in nbreferee itself (KeyError: "
        f"'rows'). What is done is kept. The details are in {path}: send that file with a report. "
        "Nothing of ps1 has been graded."
    )
    assert ran.returncode == 2
    assert json.loads((course / "verdicts.json").read_text()) == []
