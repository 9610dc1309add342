"""Handed in on a platform, imported, graded, exported: the platform's importer reads the
gradebook's numbers, and nothing else has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from lms_classes import (
    CANVAS_ID,
    POINTS,
    WAITS,
    changed_cells,
    export_here,
    formgrader,
    grade,
    handed_in,
    import_here,
    make_class,
)
from platform_files import (
    ENGLISH,
    FINNISH,
    FRENCH,
    GERMAN,
    Sheet,
    Student,
    canvas_gradebook,
    canvas_zip,
    gradescope_scores,
    gradescope_zip,
    moodle_worksheet,
    moodle_zip,
)
from platform_importers import canvas_reads, gradescope_reads, moodle_reads

EXCEL = Sheet(";", comma=True, bom=True, line_end="\r\n")


def same_name(students: Sequence[Student]) -> list[Student]:
    """Two students of one name."""
    return [
        *students,
        replace(students[0], number=601, login="jdoe2", files=students[1].files, group="Team H"),
    ]


def resubmitted(students: Sequence[Student]) -> list[Student]:
    """Files of second and third attempts, as Canvas names them; older ones beside."""
    first, second, *rest = students
    one = {
        "one-2.ipynb": first.files["one.ipynb"],
        "one-1.ipynb": b"an older one",
        "two-1.ipynb": first.files["two.ipynb"],
    }
    two = {
        "one-1.ipynb": second.files["one.ipynb"],
        "two-10.ipynb": second.files["two.ipynb"],
        "two-9.ipynb": b"{}",
        "two.ipynb": b"[]",
    }
    return [replace(first, files=one), replace(second, files=two), *rest]


def marked(students: Sequence[Student]) -> list[Student]:
    """Marks of before: a score to be replaced, somebody excused, and somebody who has not been
    assigned this.
    """
    marks = {501: "1.00", 503: "EX", 504: "N/A", 508: "0.00", 509: "4.00"}
    return [replace(one, mark=marks.get(one.number, "")) for one in students]


def locked(students: Sequence[Student]) -> list[Student]:
    """A grade that cannot be changed."""
    return [replace(one, mark={502: "1.00", 503: "locked"}.get(one.number, "")) for one in students]


def numbered(students: Sequence[Student]) -> list[Student]:
    """Names that end with digits, files that begin with them: what is Canvas's id?"""
    files = {
        f"7_{name}" if name.endswith("txt") else name: data
        for name, data in students[5].files.items()
    }
    return [*students[:5], replace(students[5], first="Tom_501", files=files), *students[6:]]


CANVAS: dict[str, dict[str, Any]] = {
    "plain": {},
    "byte-order mark": {"sheet": Sheet(bom=True)},
    "semicolons and decimal commas": {"sheet": EXCEL},
    "semicolons and decimal points": {"sheet": Sheet(";", line_end="\r\n")},
    "decimal commas in quotes": {"sheet": Sheet(comma=True)},
    "every cell quoted": {"sheet": Sheet(quote_all=True, line_end="\r\n")},
    "last and first names": {"layout": {"split": True}},
    "SIS ids": {"layout": {"sis": True}},
    "custom columns, manual posting": {"layout": {"custom": True, "posting": True}},
    "blank rows at the end": {"layout": {"tail": ",,,,,,,,,,,\n\n"}},
    "equal names": {"change": same_name},
    "resubmissions": {"change": resubmitted},
    "excused, not assigned, marked before": {"change": marked},
    "digits in names of students and files": {"change": numbered},
    "names in another form of Unicode": {"zip": {"nfd": True}},
    "names in UTF-8 of which the zip does not say so": {"zip": {"utf8": False}},
    "groups": {"zip": {"groups": True}},
}


@pytest.mark.parametrize("case", CANVAS)
def test_canvas(case: str, course: Path, tmp_path: Path) -> None:
    settings = CANVAS[case]
    students = settings.get("change", list)(make_class(course))
    sheet = settings.get("sheet", Sheet())
    template = tmp_path / "gradebook.csv"
    template.write_bytes(canvas_gradebook(students, sheet, POINTS, **settings.get("layout", {})))
    done = import_here(
        course, canvas_zip(tmp_path / "canvas.zip", students, **settings.get("zip", {})), template
    )
    assert (done.platform, done.left_out, done.files_left_out) == ("canvas", [], [])
    assert {row.name for row in done.rows if row.late} == {"Jörg Müller-Lüdenscheidt"}
    expect_files(course, students, "login")
    grade(course, waiting="wlong")
    export_here(course, "canvas", template, tmp_path / "out.csv")

    before, after = template.read_bytes(), (tmp_path / "out.csv").read_bytes()
    read = partial(
        canvas_reads,
        assignment_id=CANVAS_ID,
        users={one.number: one.name for one in students},
        logins={one.login: one.number for one in students},
    )
    old, new, scores = read(before), read(after), formgrader(course)
    for one in students:
        score = None if one.mark in ("EX", "N/A") else scores.get(one.login)
        if score is None:
            assert new[one.number] == old[one.number], one
        else:
            assert float(new[one.number]) == score, one
    expect_one_column(
        before,
        after,
        sheet,
        "ps1 (4711)",
        sum(
            not one.mark or one.mark == "1.00"
            for one in students
            if one.files and one.name != WAITS
        ),
    )


MOODLE: dict[str, dict[str, Any]] = {
    "plain": {},
    "German": {"language": GERMAN, "sheet": Sheet(comma=True)},
    "French": {"language": FRENCH, "sheet": Sheet(comma=True, line_end="\r\n")},
    "a language of which no word is known": {"language": FINNISH},
    "byte-order mark": {"sheet": Sheet(bom=True, line_end="\r\n")},
    "every cell quoted": {"sheet": Sheet(quote_all=True)},
    "no folders": {"zip": {"flat": True}},
    "before 4.1": {"zip": {"old": True}},
    "user names before names": {"zip": {"fork": True}, "fork": True},
    "blind": {"blind": True, "zip": {"blind": True}},
    "blind, German": {
        "blind": True,
        "zip": {"blind": True, "word": "Teilnehmerin"},
        "language": GERMAN,
        "sheet": Sheet(comma=True),
    },
    "teams": {"teams": True, "zip": {"teams": True}},
    "equal names": {"change": same_name},
    "a grade that cannot be changed": {"change": locked},
    "no e-mail addresses": {"layout": {"email": False}},
}


@pytest.mark.parametrize("case", MOODLE)
def test_moodle(case: str, course: Path, tmp_path: Path) -> None:
    settings = MOODLE[case]
    students = settings.get("change", list)(make_class(course))
    if not settings.get("teams"):
        students = [replace(one, group="") for one in students]
    if settings.get("fork"):  # then the name in the zip is not the worksheet's
        students = [replace(one, first=f"{one.login} {one.first}") for one in students]
        settings = {**settings, "zip": {}}
    sheet, language = settings.get("sheet", Sheet()), settings.get("language", ENGLISH)
    blind = settings.get("blind", False)
    template = tmp_path / "worksheet.csv"
    template.write_bytes(
        moodle_worksheet(
            students, sheet, POINTS, language, blind=blind, **settings.get("layout", {})
        )
    )
    done = import_here(
        course, moodle_zip(tmp_path / "moodle.zip", students, **settings.get("zip", {})), template
    )
    assert (done.platform, done.left_out, done.files_left_out) == ("moodle", [], [])
    kind = "participant" if blind or case == "no e-mail addresses" else "email"
    expect_files(course, as_teams(students) if settings.get("teams") else students, kind)
    waiting = next(one for one in students if one.name == WAITS or one.login == "wlong")
    grade(course, waiting=student_id(waiting, kind))
    export_here(course, "moodle", template, tmp_path / "out.csv")

    before, after, scores = (
        template.read_bytes(),
        (tmp_path / "out.csv").read_bytes(),
        formgrader(course),
    )
    dates = {
        one.participant: "Friday, 6 March 2026, 11:00 AM" if one.mark else "-" for one in students
    }
    strings = (language.headings[0], language.headings[5], language.headings[9])
    read = partial(
        moodle_reads,
        strings=strings,
        hidden_user=language.participant,
        decimal_comma=sheet.comma,
        maximum=POINTS,
        before=dates,
    )
    assert read(after) == {
        **read(before),
        **{
            one.participant: score
            for one in students
            if one.mark != "locked"
            and (score := scores.get(student_id(one, kind))) is not None
            and score <= POINTS
        },
    }
    expect_one_column(before, after, sheet, language.headings[5])


GRADESCOPE: dict[str, dict[str, Any]] = {
    "plain": {},
    "no folder around": {"zip": {"top": ""}},
    "keys that are no symbols": {"zip": {"ruby": False}},
    "groups": {"teams": True, "zip": {"groups": True}},
    "no SIDs": {"sid": False},
    "table of the course": {"layout": {"course": True}, "heading": "ps1"},
    "one column of names": {"layout": {"name": True}},
    "byte-order mark": {"sheet": Sheet(bom=True, line_end="\r\n")},
    "every cell quoted": {"sheet": Sheet(quote_all=True)},
    "equal names": {"change": same_name},
    "resubmissions": {"change": resubmitted},
    "marked before": {"change": lambda students: [replace(one, mark="3.5") for one in students]},
    "no roster": {"roster": False},
}


@pytest.mark.parametrize("case", GRADESCOPE)
def test_gradescope(case: str, course: Path, tmp_path: Path) -> None:
    settings = GRADESCOPE[case]
    students = settings.get("change", list)(make_class(course))
    sheet, sid = settings.get("sheet", Sheet()), settings.get("sid", True)
    template = tmp_path / "scores.csv"
    template.write_bytes(
        gradescope_scores(students, sheet, POINTS, sid=sid, **settings.get("layout", {}))
    )
    zip_path = gradescope_zip(
        tmp_path / "gradescope.zip", students, sid=sid, **settings.get("zip", {})
    )
    done = import_here(course, zip_path, template if settings.get("roster", True) else None)
    assert (done.platform, done.left_out, done.files_left_out) == ("gradescope", [], [])
    kind = "sid" if sid else "email"
    expect_files(
        course,
        as_teams(students) if settings.get("teams") else students,
        kind,
        timestamp="2026-01-02 03:04:05.678000 UTC\n",
    )
    grade(course, waiting=student_id(next(one for one in students if one.name == WAITS), kind))
    export_here(course, "gradescope", template, tmp_path / "out.csv")

    before, after, scores = (
        template.read_bytes(),
        (tmp_path / "out.csv").read_bytes(),
        formgrader(course),
    )
    heading = settings.get("heading", "Total Score")
    old, new = gradescope_reads(before, heading), gradescope_reads(after, heading)
    for one in students:
        score = scores.get(student_id(one, kind))
        assert (
            new[one.email] == old[one.email] if score is None else float(new[one.email]) == score
        ), one
    expect_one_column(before, after, sheet, heading)


def student_id(student: Student, kind: str) -> str:
    ids: dict[str, str] = {
        "login": student.login,
        "email": student.email,
        "participant": f"participant_{student.participant}",
        "sid": student.sid,
    }
    return ids[kind]


def as_teams(students: Sequence[Student]) -> list[Student]:
    """Everybody with what the first of the team handed in."""
    first: dict[str, Mapping[str, bytes]] = {}
    for one in students:
        first.setdefault(one.group, one.files)
    return [replace(one, files=first[one.group]) for one in students]


def expect_files(course: Path, students: Sequence[Student], kind: str, timestamp: str = "") -> None:
    """Everybody's own notebooks lie in their own folder; files that are no notebooks, beside
    them.
    """
    found = handed_in(course)
    assert found.keys() == {student_id(one, kind) for one in students if one.files}
    for one in students:
        if not one.files:
            continue
        mine = found[student_id(one, kind)]
        assert mine.pop("timestamp.txt", b"").decode() == timestamp
        mine.pop("onlinetext.html", None)
        latest = {
            "one.ipynb": ("one-2.ipynb", "one-1.ipynb", "one.ipynb"),
            "two.ipynb": ("two-10.ipynb", "two-1.ipynb", "two.ipynb"),
        }
        expected = {
            name: next(one.files[each] for each in names if each in one.files)
            for name, names in latest.items()
        }
        expected |= {name: data for name, data in one.files.items() if not name.endswith(".ipynb")}
        assert mine == expected


def expect_one_column(
    before: bytes, after: bytes, sheet: Sheet, heading: str, count: int = 1
) -> None:
    """Only cells of one column differ, at least so many of them."""
    header = before.decode("utf-8-sig").splitlines()[0].split(sheet.separator)
    header = [name.strip('"') for name in header]
    column = header.index(heading) + (1 if "Essay, the first (4712)" in heading else 0)
    changed = changed_cells(before, after, sheet.separator)
    assert len(changed) >= count
    assert set().union(*changed.values()) == {column}
