"""A gradebook in PostgreSQL: what grading leaves there is, row for row, what it leaves in
SQLite.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from building import write
from nbgrader.api import Gradebook
from postgres import programs, rows, server
from tiny_class import BAD, CONFIG, ONE, RIGHT, TWO, hand_in, run

pytestmark = pytest.mark.skipif(
    programs() is None, reason="there is no PostgreSQL here: install it, or pip install pgserver"
)

STUDENTS = {
    "anna": RIGHT,
    "bo": BAD["ends"][0],
    "cy": {**RIGHT, "why": "Dösé: 'so'; 100 % \U0001f600 \\"},
    "dee": {},
}
LATE = 'c.LateSubmissionPlugin.penalty_method = "zero"\nc.CourseDirectory.db_url = "{}"\n'


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Where the same gradebook is to be, twice."""
    with server() as postgres:
        yield {
            "sqlite": f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'gradebook.db'}",
            "postgresql": postgres.format("postgres"),
        }


@pytest.fixture(scope="module")
def courses(urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same course twice, graded, marked by hand, and then graded again; rows are kept after
    each.
    """
    made = {}
    for kind, url in urls.items():
        course = made[kind] = tmp_path_factory.mktemp(kind) / "course"
        (course / "source/ps1").mkdir(parents=True)
        write(course / "source/ps1", *ONE, name="one")
        write(course / "source/ps1", *TWO, name="two")
        (course / "nbgrader_config.py").write_text(CONFIG + LATE.format(url))
        ran = run(course, "nbgrader", "generate_assignment", "ps1")
        assert ran.returncode == 0, ran.stderr
        for student, answers in STUDENTS.items():
            time = "2026-03-01 10:00:00" if student == "anna" else "2026-02-01 10:00:00"
            (hand_in(course, student, answers) / "timestamp.txt").write_text(f"{time} UTC\n")
        (course / "submitted/dee/ps1/two.ipynb").unlink()
    return made


@pytest.fixture(scope="module")
def graded(
    courses: dict[str, Path], urls: dict[str, str]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """What the gradebooks hold once the class is graded."""
    for course in courses.values():
        ran = run(course, "nbreferee", "autograde", "--jobs", "1")
        assert ran.returncode == 0, ran.stderr
    return {kind: rows(url) for kind, url in urls.items()}


@pytest.fixture(scope="module")
def graded_again(
    graded: dict[str, dict[str, list[dict[str, Any]]]],
    courses: dict[str, Path],
    urls: dict[str, str],
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The same once a person has marked some, and the class is graded again; one has handed in
    anew.
    """
    for kind, url in urls.items():
        with Gradebook(url, "tiny") as book:
            book.find_assignment("ps1").duedate = datetime(2026, 2, 15)
            why = book.find_grade("why", "two", "ps1", "anna")
            why.manual_score, why.extra_credit, why.needs_manual_grade = 0.5, 0.25, False
            book.find_grade("half_tests", "one", "ps1", "bo").manual_score = 2.0
            book.find_comment("why", "two", "ps1", "anna").manual_comment = "Größer: ok?"
            book.db.commit()
        shutil.rmtree(courses[kind] / "submitted/dee/ps1")
        hand_in(courses[kind], "dee", RIGHT)
        ran = run(courses[kind], "nbreferee", "grade", "--force", "--jobs", "1")
        assert ran.returncode == 0, ran.stderr
    return {kind: rows(url) for kind, url in urls.items()}


def test_postgresql_holds_what_sqlite_holds(
    graded: dict[str, dict[str, list[dict[str, Any]]]],
) -> None:
    assert len(graded["sqlite"]["grade"]) == 4 * len(STUDENTS)
    assert {row["auto_score"] for row in graded["sqlite"]["grade"]} == {None, 0.0, 2.0, 3.0, 4.0}
    assert graded["postgresql"] == graded["sqlite"]


def test_postgresql_holds_the_same_after_marks_by_hand_and_grading_again(
    graded: dict[str, dict[str, list[dict[str, Any]]]],
    graded_again: dict[str, dict[str, list[dict[str, Any]]]],
) -> None:
    marks = {(row["manual_score"], row["extra_credit"]) for row in graded_again["sqlite"]["grade"]}
    assert marks == {(None, None), (0.5, 0.25), (2.0, None)}
    assert {
        row["late_submission_penalty"] for row in graded_again["sqlite"]["submitted_notebook"]
    } == {None, 4.75, 5.0}
    assert "Größer: ok?" in {row["manual_comment"] for row in graded_again["sqlite"]["comment"]}
    assert graded_again["sqlite"] != graded["sqlite"]
    assert graded_again["postgresql"] == graded_again["sqlite"]


def test_a_run_with_nothing_changed_changes_no_row(
    graded_again: dict[str, dict[str, list[dict[str, Any]]]],
    courses: dict[str, Path],
    urls: dict[str, str],
) -> None:
    ran = run(courses["postgresql"], "nbreferee", "autograde", "--jobs", "1")
    assert "skipped 8" in " ".join(ran.stdout.split())
    assert rows(urls["postgresql"]) == graded_again["postgresql"]


def test_the_class_reads_the_same_from_both(
    graded_again: dict[str, dict[str, list[dict[str, Any]]]], courses: dict[str, Path]
) -> None:
    said = {
        kind: run(course, "nbreferee", "report").stdout.partition("What students")[0]
        for kind, course in courses.items()
    }
    assert "anna" in said["postgresql"]
    assert said["postgresql"] == said["sqlite"]
