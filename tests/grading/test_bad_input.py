"""What stands in the way of grading is told in one line with its cure; nothing is half written, and
the next run grades all.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from building import write
from holding import LOCK, helper
from postgres import programs, rows, server
from sqlalchemy import create_engine, text
from tiny_class import BINARIES, CONFIG, ONE, RIGHT, TWO, hand_in

LONGEST_S = 60.0  # until a trouble is told, on a busy machine
NO_NAMESPACE = (
    subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True
    ).returncode
    != 0
)
needs_mounts = pytest.mark.skipif(NO_NAMESPACE, reason="mounting wants root, or CAP_SYS_ADMIN")
needs_postgres = pytest.mark.skipif(
    programs() is None, reason="there is no PostgreSQL here: install it, or pip install pgserver"
)


@dataclass
class Place:
    """A course in trouble: what runs a command there, how its files are seen from here, and what
    ends the trouble.
    """

    mend: Callable[[], object]
    prefix: tuple[str, ...] = ()
    seen: Path | None = None


def nbreferee(
    course: Path, *arguments: str, prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "400",
    }
    command: list[str | Path] = [
        *prefix,
        BINARIES / "nbreferee",
        *arguments,
        "--jobs",
        "1",
        "--course-dir",
        str(course),
    ]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=4 * LONGEST_S
    )


@contextmanager
def locked(course: Path) -> Iterator[Place]:
    """Another program holds the gradebook."""
    with helper(sys.executable, "-c", LOCK, str(course / "gradebook.db")) as other:
        yield Place(other.communicate)


@contextmanager
def mounted(mounts: str, unmount: str, course: Path) -> Iterator[Place]:
    """Some of the course is mounted in a namespace of its own, which is seen through /proc."""
    with helper(
        "unshare", "-m", "sh", "-ec", f"cd '{course}'\n{mounts}\necho ready\nread _ || true"
    ) as holder:
        enter = ("nsenter", "-t", str(holder.pid), "-m")

        def mend() -> None:
            subprocess.run([*enter, "sh", "-ec", f"cd '{course}'\n{unmount}"], check=True)

        yield Place(mend, enter, Path(f"/proc/{holder.pid}/root{course}"))


def read_only(what: str) -> Callable[..., Any]:
    return lambda course: mounted(
        f"mount --bind {what} {what}\nmount -o remount,ro,bind {what}", f"umount -l {what}", course
    )


def full(what: str) -> Callable[..., Any]:
    """A folder lies on a disk with no room left, until a file on it goes."""

    def arrange(course: Path) -> AbstractContextManager[Place]:
        folder, kept = course / what, shutil.copytree(course / what, course.parent / "kept")
        filled = f"cat /dev/zero > '{folder}/filler' 2>/dev/null || true"
        return mounted(
            f"mount -t tmpfs -o size=8m none '{folder}'\ncp -a '{kept}/.' '{folder}'\n{filled}",
            f"rm '{folder}/filler'",
            course,
        )

    return arrange


@contextmanager
def no_server(course: Path) -> Iterator[Place]:
    """The gradebook is to be in a PostgreSQL that nobody has started."""
    config = course / "nbgrader_config.py"
    before = config.read_text()
    config.write_text(
        f'{before}c.CourseDirectory.db_url = "postgresql+psycopg://me:secret@127.0.0.1:1/grades"\n'
    )
    yield Place(lambda: config.write_text(before))


# name: (the trouble, the command, words about what it is, words about the cure)
TROUBLES = {
    "gradebook_locked": (
        locked,
        "autograde",
        "gradebook.db cannot be used (database is locked)",
        "Close what else uses it, then run",
    ),
    "gradebook_read_only": (
        read_only("gradebook.db"),
        "autograde",
        "gradebook.db cannot be used (attempt to write a readonly database)",
        "Make it and its folder writable",
    ),
    "course_read_only": (
        read_only("."),
        "grade",
        ".nbreferee.lock: Read-only file system",
        "Check the disk and its permissions",
    ),
    "autograded_read_only": (
        read_only("autograded"),
        "autograde",
        "autograded/bo: Read-only file system",
        "Check the disk and its permissions",
    ),
    "autograded_full": (
        full("autograded"),
        "autograde",
        "No space left on device",
        "Check the disk",
    ),
    "course_full": (full("."), "grade", "No space left on device", "Check the disk"),
    "gradebook_full": (
        full("book"),
        "autograde",
        "gradebook.db cannot be used (database or disk is full)",
        "Make room on its disk",
    ),
    "feedback_full": (full("feedback"), "grade", "No space left on device", "Check the disk"),
    "no_server": (
        no_server,
        "autograde",
        "postgresql+psycopg://me:***@127.0.0.1:1/grades cannot be used (connection failed",
        "Start its server, or mend",
    ),
}
FREE_OF_MOUNTS = {"gradebook_locked", "no_server"}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with two submissions, one of them graded."""
    course = tmp_path_factory.mktemp("bad_input") / "course"
    (course / "source/ps1").mkdir(parents=True)
    write(course / "source/ps1", *ONE, name="one")
    write(course / "source/ps1", *TWO, name="two")
    (course / "nbgrader_config.py").write_text(CONFIG)
    environment = {**os.environ, "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(
        [BINARIES / "nbgrader", "generate_assignment", "ps1"],
        cwd=course,
        env=environment,
        check=True,
        capture_output=True,
    )
    hand_in(course, "anna", RIGHT)
    assert nbreferee(course, "grade").returncode == 0
    hand_in(course, "bo", RIGHT)
    return course


def files(course: Path) -> dict[str, bytes]:
    """What grading has written as files; folders are there, too."""
    found = [
        path
        for step in ("autograded", "feedback")
        for path in (course / step).rglob("*")
        if path.name != "filler"
    ]
    return {
        str(path.relative_to(course)): path.read_bytes() if path.is_file() else b""
        for path in found
    }


def told(ran: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr that is not progress."""
    (line,) = [
        line for line in ran.stderr.splitlines() if line.strip() and not line.startswith("ps1: ")
    ]
    return line


@pytest.mark.parametrize(
    "trouble",
    [
        name if name in FREE_OF_MOUNTS else pytest.param(name, marks=needs_mounts)
        for name in TROUBLES
    ],
)
def test_trouble_is_told_and_spoils_nothing(trouble: str, graded: Path, tmp_path: Path) -> None:
    arrange, command, what, cure = TROUBLES[trouble]
    course = Path(shutil.copytree(graded, tmp_path / "course"))
    if trouble == "gradebook_full":
        (course / "book").mkdir()
        (course / "gradebook.db").rename(course / "book/gradebook.db")
        (course / "nbgrader_config.py").write_text(
            f'{CONFIG}c.CourseDirectory.db_url = "sqlite:///{course}/book/gradebook.db"\n'
        )
    book = "book/gradebook.db" if trouble == "gradebook_full" else "gradebook.db"
    before, rows_before = files(course), rows(f"sqlite:///{course / book}")
    with arrange(course) as place:
        seen = place.seen or course
        started = time.monotonic()
        ran = nbreferee(course, command, prefix=place.prefix)
        assert time.monotonic() - started < LONGEST_S
        line = told(ran)
        assert line.startswith("nbreferee: ")
        assert what in line
        assert cure in line
        assert ran.returncode == (
            1 if trouble == "feedback_full" else 2
        )  # 1: some have been graded
        place.mend()
        if trouble == "feedback_full":
            after = {
                name: data
                for name, data in files(seen).items()
                if not name.startswith("autograded/bo")
            }
            assert after == before or set(after) - set(before) == {"feedback/bo", "feedback/bo/ps1"}
        else:
            assert files(seen) == before
            assert rows(f"sqlite:///{copied(seen / book, tmp_path)}") == rows_before
        again = nbreferee(course, "grade", prefix=place.prefix)
        assert again.returncode == 0, again.stderr
        assert {
            f"{step}/{student}/ps1/{name}"
            for step, ending in (("autograded", "ipynb"), ("feedback", "html"))
            for student in ("anna", "bo")
            for name in (f"one.{ending}", f"two.{ending}")
        } <= set(files(seen))
        scores = {
            row["auto_score"]
            for row in rows(f"sqlite:///{copied(seen / book, tmp_path)}")["grade"]
            if "bo" in row["notebook_id"]
        }
        assert scores == {2.0, 3.0, 4.0, None}
        assert list(seen.rglob("*.new")) == []


def copied(book: Path, tmp_path: Path) -> Path:
    """A copy of a gradebook that may lie in another namespace."""
    return Path(shutil.copy(book, tmp_path / "copy.db"))


# name: (what is wrong, arguments, words)
WRONG: dict[str, tuple[Callable[[Path], object] | None, tuple[str, ...], str]] = {
    "no_source": (
        lambda course: shutil.rmtree(course / "source"),
        (),
        "source: no assignments here. Put each into a folder of its own.",
    ),
    "no_config": (
        lambda course: (course / "nbgrader_config.py").unlink(),
        (),
        "no nbgrader_config.py here. Go to the course's folder, or name it",
    ),
    "no_course": (
        shutil.rmtree,
        (),
        "course: no such folder. Name the course's with --course-dir.",
    ),
    "no_such_assignment": (None, ("ps11",), "no assignment ps11. Did you mean ps1?"),
    "no_such_student": (None, ("--student", "ana"), "nothing from ana for ps1. Did you mean anna?"),
    "no_database": (
        lambda course: (course / "gradebook.db").write_text("Dear grader," * 100),
        (),
        "gradebook.db cannot be used (file is not a database). Restore it",
    ),
    "no_url": (
        lambda course: set_url(course, "gradebook.db"),
        (),
        "db_url: no database has an address like that. Mend it",
    ),
    "no_driver": (
        lambda course: set_url(course, "postgresql+pg8000://me:secret@127.0.0.1/grades"),
        (),
        "the gradebook's database needs pg8000. Install it",
    ),
}


def set_url(course: Path, url: str) -> None:
    (course / "nbgrader_config.py").write_text(f'{CONFIG}c.CourseDirectory.db_url = "{url}"\n')


@pytest.mark.parametrize("command", ["autograde", "grade"])
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_use_is_one_line_and_changes_nothing(
    wrong: str, command: str, graded: Path, tmp_path: Path
) -> None:
    change, arguments, words = WRONG[wrong]
    course = Path(shutil.copytree(graded, tmp_path / "course"))
    if change:
        change(course)
    before = files(course)
    ran = nbreferee(course, command, *arguments)
    assert words in told(ran)
    assert "secret" not in ran.stderr
    assert ran.returncode == 2
    assert files(course) == before


@needs_postgres
def test_rows_that_another_program_locks_in_postgresql_are_told_in_bounded_time(
    graded: Path, tmp_path: Path
) -> None:
    course = Path(shutil.copytree(graded, tmp_path / "course"))
    with ExitStack() as stack:
        url = stack.enter_context(server()).format("postgres")
        set_url(course, url)
        environment = {**os.environ, "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run(
            [BINARIES / "nbgrader", "generate_assignment", "ps1", "--force"],
            cwd=course,
            env=environment,
            check=True,
            capture_output=True,
        )
        engine = create_engine(url)
        stack.callback(engine.dispose)
        before = rows(url)
        with engine.begin() as other:
            other.execute(text("LOCK TABLE grade"))
            ran = nbreferee(course, "autograde")
        assert (
            "cannot be used (canceling statement due to lock timeout). Close what else uses it"
            in told(ran)
        )
        assert ran.returncode == 2
        assert rows(url) == before
        assert nbreferee(course, "autograde").returncode == 0
        assert len(rows(url)["grade"]) == 8


def test_gradebook_that_another_program_reads_can_be_written(graded: Path, tmp_path: Path) -> None:
    course = Path(shutil.copytree(graded, tmp_path / "course"))
    reader = sqlite3.connect(course / "gradebook.db")
    reader.execute("SELECT * FROM grade").fetchall()
    ran = nbreferee(course, "autograde")
    reader.close()
    assert ran.returncode == 0, ran.stderr
