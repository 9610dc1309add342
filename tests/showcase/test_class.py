"""The sample class, graded by `make grade` with stock nbgrader: every score, and what each student
reads.
"""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from auditing import VIEWS, findings, print_findings
from browser import skip_without_chromium
from instructor_tables import PAGE, table_of_mistakes, with_tables
from nbgrader.api import Gradebook
from notebooks import COURSE, SOURCES, read, run, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CLASS = COURSE / "tests/class"
notebooks = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


@pytest.fixture(scope="session")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the course in which someone typed `make grade`."""
    folder = tmp_path_factory.mktemp("clone") / "course"
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=COURSE, check=True, capture_output=True, text=True
    )
    for name in filter(None, tracked.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(COURSE / name, folder / name, follow_symlinks=False)
    environment = Path(sys.executable).parent.parent
    # -o: this environment is ready, and not to be made anew for the copy.
    make = subprocess.run(
        [
            "make",
            "-o",
            f"{environment}/ready",
            "grade",
            f"VENV={environment}",
            "grade_options=--json verdicts.json",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert make.returncode == 0 or "test cells left to a person" in make.stdout + make.stderr, (
        make.stderr[-3000:]
    )
    assert {one["status"] for one in json.loads((folder / "verdicts.json").read_text())} == {
        "graded"
    }
    (folder / "printed.txt").write_text(make.stdout)
    return folder


def expected(source: Path) -> dict[tuple[str, str], tuple[float | None, str]]:
    """The table beside the class: (student, grade id) to (score or None for a person's, reason)."""
    with (CLASS / "expected" / f"{source.stem}.csv").open() as table:
        rows = list(csv.DictReader(table))
    entries: dict[tuple[str, str], tuple[float | None, str]] = {}
    for row in rows:
        for student in list(row)[2:]:
            score, _, reason = row[student].partition(" ")
            entries[student, row["grade_id"]] = (
                None if score == "person" else float(score),
                reason,
            )
    return entries


def scores(course: Path, source: Path) -> dict[tuple[str, str], float | None]:
    """What the gradebook holds: the automatic score, None where a person has to read."""
    found = {}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "gradients") as gradebook:
        for submission in gradebook.notebook_submissions(source.stem, source.parent.name):
            for grade in submission.grades:
                found[submission.student.id, grade.name] = (
                    None if grade.needs_manual_grade else grade.auto_score
                )
    return found


@notebooks
def test_every_student_gets_exactly_the_expected_scores(source: Path, graded: Path) -> None:
    want = {key: score for key, (score, _) in expected(source).items()}
    got = scores(graded, source)
    assert got.keys() == want.keys()
    assert {key: (got[key], want[key]) for key in want if got[key] != want[key]} == {}


@notebooks
def test_solution_earns_all_automatic_points_and_the_release_none(
    source: Path, graded: Path
) -> None:
    got = scores(graded, source)
    cells = [
        cell.metadata.nbgrader
        for cell in read(source).cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    ]
    assert [
        c.grade_id for c in cells if not c.solution and got["full_marks", c.grade_id] != c.points
    ] == []
    assert [c.grade_id for c in cells if got["untouched", c.grade_id] != 0] == []


@notebooks
def test_feedback_names_each_error_of_a_seed_in_the_tutors_words(
    source: Path, graded: Path
) -> None:
    sentences: dict[str, set[str]] = {}
    for check in run(source).checks:
        sentences.setdefault(check.grade_id, set()).update(check.mistakes)
    unnamed = []
    for (student, grade_id), (score, reason) in expected(source).items():
        if (
            not student.startswith("seed_")
            or not grade_id.endswith("_tests")
            or score != 0
            or reason == "stub"
        ):
            continue
        # Stock feedback shows the hidden test, too: look at what the cell answered.
        executed = read(graded / "autograded" / student / source.parent.name / source.name)
        error = next(
            o
            for c in executed.cells
            if settings(c).get("grade_id") == grade_id
            for o in c.outputs
            if o.output_type == "error"
        )
        cause = error.evalue.partition("\nLikely cause: ")[2]
        page = " ".join(
            html.unescape(
                (
                    graded / "feedback" / student / source.parent.name / f"{source.stem}.html"
                ).read_text()
            ).split()
        )
        if cause not in sentences[grade_id] or f"Likely cause: {cause}" not in page:
            unnamed.append((student, grade_id, cause))
    assert unnamed == []


def test_page_says_that_an_answer_is_right_with_a_right_earlier_one(graded: Path) -> None:
    page = (graded / "feedback/unstable/softmax/softmax.html").read_text()
    assert '<p class="note">Your softmax is wrong; with a right one this is right.</p>' in page


def pages(graded: Path) -> list[Path]:
    """The pages of the class."""
    found = sorted((graded / "feedback").glob("*/*/*.html"))
    assert len(found) > 50
    return found


def test_no_page_holds_a_line_of_a_hidden_test(graded: Path) -> None:
    leaked = []
    for source in SOURCES:
        hidden = {line.strip() for cell in read(source).cells for line in hidden_lines(cell.source)}
        visible = read(graded / "release" / source.parent.name / source.name)
        hidden -= {line.strip() for cell in visible.cells for line in cell.source.split("\n")}
        for path in (graded / "feedback").glob(f"*/{source.parent.name}/{source.stem}.html"):
            own = (
                (graded / "submitted" / path.relative_to(graded / "feedback"))
                .with_suffix(".ipynb")
                .read_text()
            )
            text = html.unescape(re.sub(r"<[^>]*>", "", path.read_text()))
            leaked += [
                (path.parts[-3], line)
                for line in hidden
                if len(line) > 20 and line in text and json.dumps(line)[1:-1] not in own
            ]
    assert leaked == []


def hidden_lines(source: str) -> list[str]:
    """The lines of a cell that students must not read."""
    regions = re.findall(r"BEGIN HIDDEN TESTS\n(.*?)\n[^\n]*END HIDDEN TESTS", source, re.DOTALL)
    return [line for region in regions for line in region.split("\n")]


def test_pages_are_small_but_for_their_figures(graded: Path) -> None:
    sizes = {
        path: len(re.sub(rb'"data:image/[^"]*"', b"", path.read_bytes())) for path in pages(graded)
    }
    assert {path: size for path, size in sizes.items() if size > 300_000} == {}


@skip_without_chromium
def test_pages_of_real_answers_fit_and_ask_for_nothing_and_one_passes_the_whole_audit(
    graded: Path, browser: Browser
) -> None:
    # `python tests/auditing.py feedback` audits all pages; axe-core takes seconds a page.
    chosen = [path for path in pages(graded) if path.parts[-3].startswith("seed_")]
    chosen.append(graded / "feedback/loops/softmax/softmax.html")
    wrong = {}
    for number, path in enumerate(chosen):
        view, is_audited = VIEWS[number % len(VIEWS)], path is chosen[-1]
        if found := findings(browser, path, view, with_axe=is_audited):
            wrong[path.parts[-3:], view] = found
    assert wrong == {}
    assert print_findings(browser, chosen[-1]) == []


def test_make_grade_prints_the_class_and_where_to_look(graded: Path) -> None:
    printed = (graded / "printed.txt").read_text()
    students = {student for source in SOURCES for student, _ in expected(source)}
    assert [student for student in students if student not in printed] == []
    assert [source.parent.name for source in SOURCES if source.parent.name not in printed] == []
    assert "feedback" in printed


def test_instructors_page_counts_the_mistakes_of_this_class(graded: Path) -> None:
    verdicts = json.loads((graded / "verdicts.json").read_text())
    assert PAGE.read_text() == with_tables(PAGE.read_text(), table_of_mistakes(verdicts)), (
        "run: make counts"
    )


def test_message_in_the_readme_is_one_that_a_student_gets(graded: Path) -> None:
    quoted = [line.strip() for line in (COURSE / "README.md").read_text().splitlines()]
    message = [line for line in quoted if line.startswith(("AssertionError: ", "Likely cause: "))]
    wanted = "\n".join(message).removeprefix("AssertionError: ")
    outputs = (
        output.get("evalue")
        for path in (graded / "autograded").glob("*/softmax/softmax.ipynb")
        for cell in read(path).cells
        for output in cell.get("outputs", [])
    )
    assert len(message) == 2
    assert wanted in outputs


def test_class_is_the_five_seeds_and_ten_more() -> None:
    students = {student for source in SOURCES for student, _ in expected(source)}
    assert {f"seed_00{n}" for n in range(5)} | {"full_marks", "untouched"} < students
    assert len(students) == 15
