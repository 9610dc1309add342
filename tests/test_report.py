"""nbreferee report: what the terminal and the CSV file say of a graded class, and what they must
not say.
"""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from report_course import (
    BINARIES,
    BROKEN,
    EMPTY,
    FORMULA,
    LATE,
    MARKUP,
    NEW,
    WRONG_NAME,
)


def command(course: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BINARIES / "nbreferee", "report", *options],
        cwd=course,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def files(report_course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the command has written: said.txt, points.csv."""
    folder = tmp_path_factory.mktemp("files")
    ran = command(report_course, "--csv", str(folder / "points.csv"))
    assert (ran.returncode, ran.stderr) == (0, "")
    (folder / "said.txt").write_text(ran.stdout)
    return folder


def said_of(files: Path, student: str) -> list[str]:
    """The words of a student's row in the terminal."""
    lines = (files / "said.txt").read_text().splitlines()
    return next(line.split()[1:] for line in lines if line.split()[:1] == [student])


def rows(files: Path) -> dict[str, dict[str, str]]:
    with (files / "points.csv").open(newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_table_marks_what_waits_and_what_was_not_graded(files):
    assert said_of(files, LATE) == ["4", "/", "10*", "4", "/", "10*"]
    assert said_of(files, BROKEN) == ["0", "/", "10*!", "0", "/", "10*!"]
    assert said_of(files, WRONG_NAME) == ["0", "/", "10*!", "0", "/", "10*!"]
    assert said_of(files, NEW) == ["–", "/", "10", "!", "–", "/", "10", "!"]
    assert said_of(files, EMPTY) == ["1", "/", "10", "1", "/", "10"]
    assert said_of(files, "stays_away") == ["–", "–", "/", "10"]


def test_table_says_what_to_do_about_files_that_were_not_graded(files):
    said = (files / "said.txt").read_text()
    assert (
        "one.ipynb was not handed in, and no other file has its cells. Found: week <2>.ipynb."
        in said
    )
    assert f"{BROKEN}, ps1/one: The file breaks off before its end" in said
    assert f"{NEW}, ps1/two: It has been handed in and not graded. Run nbreferee autograde." in said


def test_table_says_where_answers_wait_and_how_many(files):
    said = (files / "said.txt").read_text()
    assert "    ps1/two, Why: 11 answers\n" in said
    assert "    ps1/one, Double of $x$ <b>&</b>: 2 answers\n" in said


def test_names_with_markup_and_formulas_are_only_names(files):
    assert said_of(files, MARKUP)[:3] == ["6", "/", "10*"]
    assert f"'{FORMULA}" in rows(files)
    assert FORMULA not in rows(files)


def test_csv_holds_points_by_exercise_and_what_waits(files):
    row = rows(files)[LATE]
    assert (row["ps1/one/double"], row["ps1/two/count"]) == ("1", "3")
    assert row["ps1/two/why"] == "needs manual grading"
    assert (row["ps1/needs_manual"], row["ps1/score"], row["total"]) == ("1", "4", "4")


def test_csv_has_no_points_for_what_was_not_graded(files):
    found = rows(files)
    assert (found[BROKEN]["ps1/one/double"], found[BROKEN]["ps1/two/count"]) == ("", "0")
    assert found["stays_away"]["ps1/score"] == found["stays_away"]["total"] == ""
    assert found["stays_away"]["name"] == "Ada <i> Away"
    assert "week <2>.ipynb" in found[WRONG_NAME]["ps1/note"]


def test_totals_are_those_of_the_formgrader(report_course, files):
    with Gradebook(f"sqlite:///{report_course / 'gradebook.db'}", "tiny") as book:
        theirs = {one["id"]: (one["score"], one["max_score"]) for one in book.student_dicts()}
    ours = {
        name.removeprefix("'"): (float(row["total"] or 0), float(row["max_total"]))
        for name, row in rows(files).items()
    }
    assert {name: ours[name] for name in theirs} == theirs


def test_unknown_assignment_and_unwritable_file_are_refused_in_a_sentence(report_course, tmp_path):
    ran = command(report_course, "ps2")
    assert ran.returncode == 2
    assert ran.stderr == "nbreferee: ps2 is not in the gradebook, which holds: ps1.\n"
    ran = command(report_course, "--csv", str(tmp_path / "nowhere/points.csv"))
    assert ran.returncode == 2
    assert "no such folder for --csv. Make it first." in ran.stderr
