"""nbreferee report: what the terminal, the CSV file and the pages say of a graded class.

The pages are looked at in a real browser: they ask for nothing, run nothing and fit a phone.
"""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from auditing import VIEWS, View, findings, print_findings
from nbgrader.api import Gradebook
from report_course import (
    BROKEN,
    COPIES,
    EMPTY,
    FORMULA,
    LATE,
    MARKUP,
    NEW,
    WRONG_NAME,
)
from small_class import BINARIES

from nbreferee.report.command import run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def files(report_course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the command has written: said.txt, points.csv, pages."""
    folder = tmp_path_factory.mktemp("files")
    ran = subprocess.run(
        [BINARIES / "nbreferee", "report", "--csv", folder / "points.csv", "--html", folder / "new/pages"],
        cwd=report_course,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
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


def test_table_marks_what_waits_and_what_was_not_graded(files: Path) -> None:
    assert said_of(files, LATE) == ["4", "/", "10*", "4", "/", "10*"]
    assert said_of(files, BROKEN) == ["0", "/", "10*!", "0", "/", "10*!"]
    assert said_of(files, WRONG_NAME) == ["0", "/", "10*!", "0", "/", "10*!"]
    assert said_of(files, NEW) == ["–", "/", "10", "!", "–", "/", "10", "!"]
    assert said_of(files, EMPTY) == ["1", "/", "10", "1", "/", "10"]
    assert said_of(files, "stays_away") == ["–", "–", "/", "10"]


def test_table_says_what_to_do_about_files_that_were_not_graded(files: Path) -> None:
    said = (files / "said.txt").read_text()
    assert (
        "one.ipynb was not handed in, and no other file has its cells. Found: week <2>.ipynb."
        in said
    )
    assert f"{BROKEN}, ps1/one: The file breaks off before its end" in said
    assert f"{NEW}, ps1/two: It has been handed in and not graded. Run nbreferee autograde." in said


def test_table_says_where_answers_wait_and_how_many(files: Path) -> None:
    said = (files / "said.txt").read_text()
    assert "    ps1/two, Why: 11 answers\n" in said
    assert "    ps1/one, Double of $x$ <b>&</b>: 2 answers\n" in said


def test_names_with_markup_and_formulas_are_only_names(files: Path) -> None:
    assert said_of(files, MARKUP)[:3] == ["6", "/", "10*"]
    assert f"'{FORMULA}" in rows(files)
    assert FORMULA not in rows(files)


def test_csv_holds_points_by_exercise_and_what_waits(files: Path) -> None:
    row = rows(files)[LATE]
    assert (row["ps1/one/double"], row["ps1/two/count"]) == ("1", "3")
    assert row["ps1/two/why"] == "needs manual grading"
    assert (row["ps1/needs_manual"], row["ps1/score"], row["total"]) == ("1", "4", "4")


def test_csv_has_no_points_for_what_was_not_graded(files: Path) -> None:
    found = rows(files)
    assert (found[BROKEN]["ps1/one/double"], found[BROKEN]["ps1/two/count"]) == ("", "0")
    assert found["stays_away"]["ps1/score"] == found["stays_away"]["total"] == ""
    assert found["stays_away"]["name"] == "Ada <i> Away"
    assert "week <2>.ipynb" in found[WRONG_NAME]["ps1/note"]


def test_totals_are_those_of_the_formgrader(report_course: Path, files: Path) -> None:
    with Gradebook(f"sqlite:///{report_course / 'gradebook.db'}", "tiny") as book:
        theirs = {one["id"]: (one["score"], one["max_score"]) for one in book.student_dicts()}
    ours = {
        name.removeprefix("'"): (float(row["total"] or 0), float(row["max_total"]))
        for name, row in rows(files).items()
    }
    assert {name: ours[name] for name in theirs} == theirs


def test_unknown_assignment_and_unwritable_file_are_refused_in_a_sentence(
    report_course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(report_course, ["ps2"]) == 2
    assert capsys.readouterr().err == (
        "nbreferee: ps2 is not in the gradebook, which holds: ps1.\n"
    )
    assert run(report_course, [], tmp_path / "nowhere/points.csv") == 2
    assert "no such folder for --csv. Make it first." in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert run(report_course, [], None, tmp_path / "file/pages") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"nbreferee: {tmp_path}/file/pages: Not a directory.")


@pytest.fixture
def page(browser: Any, files: Path) -> Iterator[Page]:
    """The assignment's page, every fold of it open."""
    found = browser.new_page()
    found.goto(f"file://{files}/new/pages/ps1.html")
    found.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    yield found
    found.close()


def section(page: Any, name: str) -> str:
    text: str = page.locator(f"section[aria-labelledby='{name}']").inner_text()
    return text


@pytest.mark.parametrize(
    ("name", "view"),
    [("index", VIEWS[0]), ("index", VIEWS[3]), ("ps1", VIEWS[1]), ("ps1", VIEWS[2])],
    ids=lambda one: one if isinstance(one, str) else f"{one.scheme}-{one.width}",
)
def test_page_fits_asks_for_nothing_and_passes_the_audit(
    browser: Browser, files: Path, name: str, view: View
) -> None:
    assert findings(browser, files / f"new/pages/{name}.html", view) == []


def test_page_is_printed_whole(browser: Browser, files: Path) -> None:
    assert print_findings(browser, files / "new/pages/ps1.html") == []


def test_nothing_of_a_student_runs_and_markup_in_names_is_text(page: Page) -> None:
    assert page.evaluate("window.ran") is None
    assert page.locator("script, iframe, form, input").count() == 0
    assert "You <square> x." in page.locator("#exercise-1").inner_text()
    assert page.locator("#exercise-1 h3 math").count() == 1


def test_page_of_the_course_leads_to_that_of_the_assignment(browser: Browser, files: Path) -> None:
    found = browser.new_page()
    found.goto(f"file://{files}/new/pages/index.html")
    found.get_by_role("link", name="ps1").click()
    assert found.locator("h1").inner_text() == "ps1"
    found.close()


def test_named_mistakes_have_numbers_and_names(page: Page) -> None:
    text = page.locator("#exercise-1").inner_text()
    assert "3 of 10 You <square> x." in text
    assert f"=cmd|x!A1, {COPIES[1]}, {LATE}" in text
    assert "1 of 12 It does not come to an end in time." in page.locator("#exercise-2").inner_text()


def test_what_needs_a_person_comes_first(page: Page) -> None:
    text = section(page, "todo")
    assert "11 answers: Why" in text
    assert f"{WRONG_NAME}, one: one.ipynb was not handed in" in text
    assert "double_check: all 10 who wrote an answer pass." in text


def test_copied_answers_are_shown_side_by_side(page: Page) -> None:
    text = section(page, "alike")
    assert f"very likely {COPIES[0]} and {COPIES[1]}" in " ".join(text.split())
    assert "the same code but for names and comments" in text
    boxes = [page.locator(".sides > div").nth(n).bounding_box() for n in range(2)]
    assert boxes[0]
    assert boxes[1]
    assert boxes[0]["y"] == boxes[1]["y"]


def test_lateness_repairs_and_timeouts_are_named(page: Page) -> None:
    text = section(page, "events")
    assert f"{LATE}: 1 day late" in text
    assert "11 Files that were repaired before they were graded" in text
    assert "two, cell count_tests: out of time" in text


def test_each_plot_has_a_description_and_its_numbers_as_a_table(page: Page) -> None:
    assert page.locator("svg.plot").count() == page.locator("figure table").count() == 2
    described = page.locator("svg.plot").first.get_attribute("aria-label") or ""
    assert re.fullmatch(r"Histogram of points: 12 students, mean 3\.\d+ of 10, from 0 to 6\.", described)  # fmt: skip
    assert page.locator("figure table").first.inner_text().count("\n") == 10


def test_exercises_have_times(page: Page) -> None:
    cells = page.locator("#exercises ~ .wide td.time").all_inner_texts()
    assert re.fullmatch(r"[\d.]+ s, at most [\d.]+ s", cells[1])
