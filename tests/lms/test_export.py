"""What goes out: nbgrader's own numbers, for whom they are certain; what is refused, and with which
words.
"""

from __future__ import annotations

import csv
import io
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lms_classes import CANVAS_ID, copy_of, export_here
from nbgrader.api import Gradebook
from platform_files import (
    FINNISH,
    Sheet,
    Student,
    canvas_gradebook,
    gradescope_scores,
    moodle_worksheet,
)
from platform_importers import canvas_reads
from small_class import BINARIES

from nbreferee.course.locate import CourseError
from nbreferee.lms.csvtext import TableError

CLASS = [
    Student("Anna", "A", 1, "anna"),
    Student("Ben", "B", 2, "ben"),
    Student("Cleo", "C", 3, "cleo"),
    Student("Dan", "=D", 4, "dan"),
    Student("Eve", "E", 5, "eve"),
]


@pytest.fixture(scope="module")
def graded(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Anna has 5 and a mark by hand with extra credit; Ben's answer waits; Cleo is late; Dan is not
    graded; Eve handed in nothing.
    """
    course = copy_of(released, tmp_path_factory.mktemp("export") / "course")
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        for one in CLASS:
            book.add_student(
                one.login,
                first_name=one.first,
                last_name=one.last,
                email=one.email,
                lms_user_id=str(one.number),
            )
        book.db.commit()
    for one in CLASS[:4]:
        (course / "submitted" / one.login / "ps1").mkdir(parents=True)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book, book.db.no_autoflush:
        for login, waits, penalty in (
            ("anna", False, None),
            ("ben", True, None),
            ("cleo", False, 1.5),
        ):
            submission = book.add_submission("ps1", login)
            for notebook in submission.notebooks:
                notebook.late_submission_penalty = penalty if notebook.name == "two" else None
                for grade in notebook.grades:
                    grade.auto_score, grade.needs_manual_grade = 1.0, False
                    if grade.name == "why":
                        grade.auto_score, grade.needs_manual_grade = None, waits
                        grade.manual_score, grade.extra_credit = (
                            (None, None) if waits else (2.25, 0.1)
                        )
                for comment in notebook.comments:
                    comment.manual_comment = (
                        "=HYPERLINK(1)\n<b>Nice</b>"
                        if login == "anna" and comment.name == "why"
                        else None
                    )
        book.db.commit()
    for login in ("anna", "ben"):
        (course / "feedback" / login / "ps1").mkdir(parents=True)
        (course / "feedback" / login / "ps1" / "one.html").write_text(f"<p>{login}</p>")
    return course


@pytest.fixture
def course(graded: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return copy_of(graded, tmp_path / "course")


def canvas(
    course: Path, tmp_path: Path, points: float = 9.0, **options: Any
) -> tuple[dict[int, str], dict[str, str]]:
    """Export to Canvas; return what Canvas reads, and the remarks."""
    template = tmp_path / "gradebook.csv"
    template.write_bytes(canvas_gradebook(CLASS, Sheet(), points))
    done = export_here(course, "canvas", template, tmp_path / "out.csv", **options)
    read = canvas_reads(
        (tmp_path / "out.csv").read_bytes(), CANVAS_ID, {one.number: one.name for one in CLASS}, {}
    )
    return read, {row.student: row.remark for row in done.rows}


def test_certain_scores_alone_go_out(course: Path, tmp_path: Path) -> None:
    read, remarks = canvas(course, tmp_path)
    assert read == {
        1: repr(1 + 1 + 2.25 + 0.1),
        2: "",
        3: repr(1 + 1 + 2.25 + 0.1 - 1.5),
        4: "",
        5: "",
    }
    assert remarks == {
        "anna": "",
        "ben": "waits for a person",
        "cleo": "late: 1.5 taken off",
        "dan": "is not graded yet: run nbreferee autograde",
        "eve": "handed in nothing",
    }


def test_scores_so_far_and_zeros_go_out_when_asked(course: Path, tmp_path: Path) -> None:
    read, remarks = canvas(course, tmp_path, partial=True, missing_zero=True)
    assert (read[2], read[4], read[5]) == ("2", "", "0")
    assert remarks["ben"] == "waits for a person; so far"


def test_scores_are_scaled_when_asked(course: Path, tmp_path: Path) -> None:
    read, _ = canvas(course, tmp_path, points=100.0, scale=True)
    assert read[1] == "48.33"


def test_handing_in_again_makes_an_old_score_stale(course: Path, tmp_path: Path) -> None:
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        from datetime import datetime

        book.find_submission("ps1", "anna").timestamp = datetime(2026, 1, 1)
        book.db.commit()
    (course / "submitted/anna/ps1/timestamp.txt").write_text("2026-01-02 00:00:00 UTC")
    read, remarks = canvas(course, tmp_path)
    assert read[1] == ""
    assert remarks["anna"] == "handed in again after being graded: run nbreferee autograde"


def test_zeros_of_a_notebook_under_another_name_do_not_go_out(course: Path, tmp_path: Path) -> None:
    folder = course / "submitted/anna/ps1"
    for path in (folder, course / "autograded/anna/ps1"):
        path.mkdir(parents=True, exist_ok=True)
    (course / "autograded/anna/ps1/one.ipynb").write_text("{}")
    (folder / "one (1).ipynb").write_text("{}")  # which was taken for one.ipynb
    (folder / "two.ipynb").write_text("{}")
    assert canvas(course, tmp_path)[0][1] == repr(1 + 1 + 2.25 + 0.1)
    (folder / "two.ipynb").rename(folder / "second.ipynb")
    read, remarks = canvas(course, tmp_path)
    assert read[1] == ""
    assert remarks["anna"] == (
        "two.ipynb was not handed in, but one (1).ipynb and second.ipynb: look at nbreferee report"
    )


def change(old: str, new: str, points: float = 9.0) -> Callable[[], bytes]:
    return lambda: canvas_gradebook(CLASS, Sheet(), points).replace(old.encode(), new.encode())


REFUSED: dict[str, tuple[str, Callable[[], bytes] | None, dict[str, Any], str]] = {
    "another maximum": (
        "canvas",
        change("", "", 100.0),
        {},
        "ps1 is worth 9 points here and 100 in .*--scale",
    ),
    "no such assignment": (
        "canvas",
        change("ps1 (4711)", "ps2 (4711)"),
        {},
        "no column for ps1.*--column ps1=ID",
    ),
    "another id": ("canvas", change("", ""), {"columns": ("9999",)}, "no column for 9999"),
    "no id": ("canvas", change("ps1 (4711)", "ps1"), {}, "has no Canvas id in parentheses"),
    "two of that title": (
        "canvas",
        change("Warm-up (4710)", "ps1 (4710)"),
        {},
        "several columns for ps1",
    ),
    "a read-only column": ("canvas", change("9.00", "(read only)"), {}, "is read only in Canvas"),
    "another platform's file": (
        "canvas",
        lambda: moodle_worksheet(CLASS, Sheet(), 9),
        {},
        "no Canvas gradebook",
    ),
    "a gradebook for Moodle": ("moodle", change("", ""), {}, "no grading worksheet"),
    "a worksheet for Gradescope": (
        "gradescope",
        lambda: moodle_worksheet(CLASS, Sheet(), 9),
        {},
        "no table of scores",
    ),
    "a scale of words": (
        "moodle",
        lambda: (
            moodle_worksheet(CLASS, Sheet(), 9)
            .replace(b"9.00", b"bad")
            .replace(b"Maximum grade", b"Scale")
        ),
        {},
        "a scale of words",
    ),
    "a choice of columns": (
        "moodle",
        lambda: (
            moodle_worksheet(CLASS, Sheet(), 9, FINNISH)
            .replace(b",Palautekommentit", b",A,B")
            .replace(b",-,\n", b",-,,3\n")
        ),
        {},
        "several columns",
    ),
    "no such heading": (
        "moodle",
        lambda: moodle_worksheet(CLASS, Sheet(), 9),
        {"columns": ("Points",)},
        "not exactly one column Points",
    ),
    "no such column of comments": (
        "moodle",
        lambda: moodle_worksheet(CLASS, Sheet(), 9),
        {"comments": "Remarks"},
        "no column Remarks",
    ),
    "different maxima": (
        "gradescope",
        lambda: gradescope_scores(CLASS, Sheet(), 9).replace(b"9,Graded,1", b"8,Graded,1"),
        {},
        "different maxima",
    ),
    "no template": ("canvas", None, {}, "--template FILE"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_certain_is_refused_and_nothing_is_written(
    case: str, course: Path, tmp_path: Path
) -> None:
    platform, make, options, why = REFUSED[case]
    template = tmp_path / "template.csv"
    if make:
        template.write_bytes(make())
    with pytest.raises((TableError, CourseError), match=why):
        export_here(course, platform, template if make else None, tmp_path / "out.csv", **options)
    assert not (tmp_path / "out.csv").exists()


def test_columns_are_found_by_id_and_by_heading(course: Path, tmp_path: Path) -> None:
    template = tmp_path / "gradebook.csv"
    template.write_bytes(
        canvas_gradebook(CLASS, Sheet(), 9).replace(b"ps1 (4711)", b"Problem set no. 1 (4711)")
    )
    for column in ("4711", "ps1=4711", "Problem set no. 1 (4711)", "ps1=Problem set no. 1"):
        done = export_here(course, "canvas", template, tmp_path / "out.csv", columns=(column,))
        assert sum(row.written for row in done.rows) == 2, column


def test_scores_above_moodles_maximum_are_named(course: Path, tmp_path: Path) -> None:
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        book.find_grade("why", "two", "ps1", "anna").extra_credit = 50
        book.db.commit()
    template = tmp_path / "worksheet.csv"
    template.write_bytes(moodle_worksheet(CLASS, Sheet(), 9))
    done = export_here(course, "moodle", template, tmp_path / "out.csv")
    assert {row.student: row.remark for row in done.rows}["anna"].startswith(
        "54.25 is more than the maximum of 9, which Moodle does not take"
    )


def test_moodle_takes_comments_and_pages(course: Path, tmp_path: Path) -> None:
    """importziplib.php: each part of a path is split at underscores, the second is the participant,
    the next two a plugin.
    """
    template = tmp_path / "worksheet.csv"
    template.write_bytes(moodle_worksheet(CLASS, Sheet(), 9))
    done = export_here(
        course,
        "moodle",
        template,
        tmp_path / "out.csv",
        comments="",
        feedback_zip=tmp_path / "feedback.zip",
    )
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))
    assert rows[0]["Feedback comments"] == "why: =HYPERLINK(1)<br>&lt;b&gt;Nice&lt;/b&gt;"
    assert [row["Feedback comments"] for row in rows[1:]] == [""] * 4
    assert done.pages == 1  # Ben's may still change
    with zipfile.ZipFile(tmp_path / "feedback.zip") as archive:
        (name,) = archive.namelist()
        assert archive.read(name) == b"<p>anna</p>"
    folder, _, file = name.partition("/")
    parts = folder.split("_", 4)
    assert (parts[1], parts[2:4], file) == (
        str(CLASS[0].participant),
        ["assignfeedback", "file"],
        "one.html",
    )


def test_our_own_table_is_safe_from_formulas(course: Path, tmp_path: Path) -> None:
    export_here(course, "csv", None, tmp_path / "out.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))
    assert [row["student_id"] for row in rows] == [one.login for one in CLASS]
    assert rows[3]["last_name"] == "'=D"
    assert [row["score"] for row in rows] == [repr(4.35), "", repr(2.8499999999999996), "", ""]
    assert rows[1]["remark"] == "waits for a person"


def test_nbgraders_own_command_exports(course: Path, tmp_path: Path) -> None:
    template = tmp_path / "gradebook.csv"
    template.write_bytes(canvas_gradebook(CLASS, Sheet(), 9))
    plugin = "nbreferee.lms.plugins.CanvasExport"
    command: list[str | Path] = [
        BINARIES / "nbgrader",
        "export",
        "--exporter",
        plugin,
        f"--CanvasExport.template={template}",
        f"--to={tmp_path / 'plugin.csv'}",
        "--assignment=['ps1']",
    ]
    ended = subprocess.run(command, cwd=course, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "ps1, ben: waits for a person" in ended.stderr
    export_here(course, "canvas", template, tmp_path / "out.csv")
    assert (tmp_path / "plugin.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()


def test_the_command_says_what_is_written_and_what_is_not(course: Path, tmp_path: Path) -> None:
    template = tmp_path / "gradebook.csv"
    template.write_bytes(canvas_gradebook(CLASS, Sheet(), 9))
    command: list[str | Path] = [
        BINARIES / "nbreferee",
        "export",
        "canvas",
        "ps1",
        "--course-dir",
        course,
        "--template",
        template,
        "--to",
    ]
    ended = subprocess.run([*command, tmp_path / "out.csv"], capture_output=True, text=True)
    assert ended.returncode == 1
    assert "2 scores written, 3 left as they were." in ended.stdout
    ended = subprocess.run([*command, template], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (
        2,
        (
            f"nbreferee: {template}: --to is the template. Name another file, so that the one you "
            "downloaded stays as it is.\n"
        ),
    )
