"""Zips that anybody may have made: what is wrong is left out with a reason, nothing leaves its
folder, and the rest comes in.
"""

from __future__ import annotations

import io
import os
import stat
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
from lms_classes import handed_in, import_here
from platform_files import zip_of

from nbreferee.lms.archive import Archive, Member, ZipError
from nbreferee.lms.gradescope import load_yaml
from nbreferee.lms.placing import place

GOOD = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


def entry(name: str, mode: int = stat.S_IFREG | 0o644, **attributes: Any) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (2026, 3, 1, 12, 0, 0))
    info.external_attr = mode << 16
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


BAD = {
    "an absolute path": (entry("/etc/cron.d/x"), b"x", "leads out of"),
    "a way up": (entry("eve/../../x"), b"x", "leads out of"),
    "a way up with backslashes": (entry("eve\\..\\..\\x"), b"x", "leads out of"),
    "a drive": (entry("C:\\x\\y"), b"x", "leads out of"),
    "a drive-relative path": (entry("c:x/y"), b"x", "leads out of"),
    "a share": (entry("\\\\host\\share\\x"), b"x", "leads out of"),
    "a line break": (entry("eve/a\nb"), b"x", "control characters"),
    "an escape sequence": (entry("eve/\x1b[2Ja"), b"x", "control characters"),
    "a link": (entry("eve/one.ipynb", stat.S_IFLNK | 0o777), b"../../gradebook.db", "a link"),
    "a pipe": (entry("eve/pipe", stat.S_IFIFO | 0o644), b"", "a link or no regular file"),
    "a device": (entry("eve/null", stat.S_IFCHR | 0o644), b"", "a link or no regular file"),
    "a name of a thousand letters": (entry(f"eve/{'x' * 1000}"), b"x", "too long"),
    "a bomb": (entry("eve/bomb"), bytes(32 << 20), "times its size"),
    "a file that is too large": (
        entry("eve/large", compress_type=zipfile.ZIP_STORED),
        bytes(65 << 20),
        "65 MB large",
    ),
    "another compression": (
        entry("eve/x.lzma", compress_type=zipfile.ZIP_LZMA),
        b"x",
        "compressed in a way",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_entries_are_left_out_and_named(case: str, course: Path, tmp_path: Path) -> None:
    info, data, why = BAD[case]
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        kind = (
            zipfile.ZIP_DEFLATED
            if info.compress_type == zipfile.ZIP_STORED and "large" not in info.filename
            else info.compress_type
        )
        archive.writestr(info, data, kind)
        archive.writestr(entry("anna/one.ipynb"), GOOD)
    before = everything(tmp_path) - {course / ".nbreferee.lock"}
    done = import_here(course, path)
    (left,) = done.files_left_out
    assert why in left.why
    assert not done.complete
    assert handed_in(course) == {"anna": {"one.ipynb": GOOD}}
    new = {one for one in everything(tmp_path) - before if "submitted" not in one.parts}
    assert new <= {course / ".nbreferee.lock"}
    assert all(letter.isprintable() for letter in left.source)


def everything(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_encrypted_entries_are_named(course: Path, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {"anna/one.ipynb": GOOD, "ben/one.ipynb": GOOD})
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):  # the first entry's flags
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)
    done = import_here(course, path)
    assert [one.why for one in done.files_left_out] == ["it is encrypted"]
    assert handed_in(course).keys() == {"ben"}


def test_damaged_entries_cost_their_student_alone(course: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("anna/one.ipynb", b"A" * 1000)
        archive.writestr("ben/one.ipynb", GOOD)
    data = bytearray((tmp_path / "x.zip").read_bytes())
    data[data.index(b"AAAA") + 10] = ord("B")
    (tmp_path / "x.zip").write_bytes(data)
    done = import_here(course, tmp_path / "x.zip")
    assert {row.student: row.status for row in done.rows} == {"anna": "left out", "ben": "new"}
    assert "damaged" in done.rows[0].notes[0]
    assert handed_in(course).keys() == {"ben"}


def test_sizes_that_lie_are_found(course: Path, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {"anna/one.ipynb": GOOD * 1000, "ben/one.ipynb": GOOD})
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = data.index(mark) + offset
        data[start : start + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    assert {row.student: row.status for row in import_here(course, path).rows} == {
        "anna": "left out",
        "ben": "new",
    }


UNUSABLE = {
    "no zip": (b"Hello", "not a whole zip"),
    "a zip cut short": (None, "not a whole zip"),
    "nothing": (b"", "not a whole zip"),
    "no files": (b"PK\x05\x06" + bytes(18), "no files in this zip"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_files_that_are_no_zips_are_named(case: str, course: Path, tmp_path: Path) -> None:
    data, why = UNUSABLE[case]
    path = zip_of(tmp_path / "x.zip", {"anna/one.ipynb": GOOD})
    path.write_bytes(path.read_bytes()[:-30] if data is None else data)
    with pytest.raises(ZipError, match=why):
        import_here(course, path)
    assert handed_in(course) == {}


def test_equal_names_in_a_zip_are_nobodys_choice(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.filterwarnings("ignore", "Duplicate name", UserWarning)
        for name, data in (
            ("a/same", b"1"),
            ("a/same", b"1"),
            ("a/twice", b"1"),
            ("a/twice", b"2"),
            ("a", b"file"),
            ("zo\u0308e", b"1"),
            ("zöe", b"2"),
        ):
            archive.writestr(name, data)
    (tmp_path / "x.zip").write_bytes(buffer.getvalue())
    with Archive(tmp_path / "x.zip") as archive:
        assert [member.path for member in archive.members] == ["a/same"]
        assert {one.path: one.why for one in archive.refused} == {
            "a/twice": "it is in the zip several times, with different contents",
            "zöe": "it is in the zip several times, with different contents",
            "a": "it is a file and a folder",
        }


def test_what_systems_leave_in_zips_is_nobodys(course: Path, tmp_path: Path) -> None:
    files = {
        "__MACOSX/anna/._one.ipynb": b"x",
        "anna/.DS_Store": b"x",
        "anna/.ipynb_checkpoints/one.ipynb": b"x",
        "anna/one.ipynb": GOOD,
    }
    done = import_here(course, zip_of(tmp_path / "x.zip", files))
    assert done.complete
    assert handed_in(course) == {"anna": {"one.ipynb": GOOD}}


def test_students_cannot_set_their_own_time(course: Path, tmp_path: Path) -> None:
    files = {
        "Anna A_7_assignsubmission_file/one.ipynb": GOOD,
        "Anna A_7_assignsubmission_file/timestamp.txt": b"1999-01-01 00:00:00 UTC",
    }
    done = import_here(course, zip_of(tmp_path / "x.zip", files))
    assert handed_in(course) == {"participant_7": {"one.ipynb": GOOD}}
    assert "timestamp.txt is left out: files of that name are nbgrader's own" in done.rows[0].notes


def test_a_folder_with_the_name_of_a_file_costs_nobody_else_anything(
    course: Path, tmp_path: Path
) -> None:
    """Moodle keeps a student's files and online text in two folders, which come together here."""
    eve = {
        "Eve E_7_assignsubmission_file/onlinetext.html/x": b"x",
        "Eve E_7_assignsubmission_onlinetext/onlinetext.html": b"<p>",
    }
    done = import_here(
        course,
        zip_of(tmp_path / "x.zip", {**eve, "Anna A_8_assignsubmission_file/one.ipynb": GOOD}),
    )
    assert handed_in(course) == {
        "participant_7": {"onlinetext.html": b"<p>"},
        "participant_8": {"one.ipynb": GOOD},
    }
    assert "onlinetext.html/x is left out: a file has the name of its folder" in done.rows[0].notes


def test_thousands_of_files_of_one_student_are_left_out(course: Path, tmp_path: Path) -> None:
    done = import_here(
        course,
        zip_of(
            tmp_path / "x.zip", {**{f"eve/{n}": b"" for n in range(501)}, "anna/one.ipynb": GOOD}
        ),
    )
    assert {row.student: row.status for row in done.rows} == {"anna": "new", "eve": "left out"}


def test_ids_that_are_no_folder_names_are_left_out(course: Path, tmp_path: Path) -> None:
    done = import_here(
        course, zip_of(tmp_path / "x.zip", {".hidden/one.ipynb": GOOD, "anna/one.ipynb": GOOD})
    )
    assert [left.source for left in done.left_out] == [".hidden"]
    assert "cannot be a student's id" in done.left_out[0].why


YAML = {
    "code": (b"submission_1: !!python/object/apply:os.system ['touch /tmp/owned']", None),
    "Ruby's objects": (
        b"submission_1: !ruby/object:Gem::Installer\n  :i: 1",
        {"submission_1": {":i": 1}},
    ),
    "a list": (b"- 1", None),
    "brackets": (b"[" * 100_000, None),
    "brackets with comments": (b"[ # ]\n" * 100_000, None),
    "dashes": (b"- " * 100_000, None),
    "no text": (b"\xff\xfe\x00", None),
    "many of one": (b"a: &a [1,1,1,1]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]", ...),
}


@pytest.mark.parametrize("case", YAML)
def test_metadata_is_data_alone(case: str) -> None:
    data, expected = YAML[case]
    if expected is None:
        with pytest.raises(ZipError, match=r"cannot be read|lists no submissions"):
            load_yaml(data, "x.yml")
    else:
        found = load_yaml(data, "x.yml")
        assert expected is ... or found == expected
    assert not os.path.exists("/tmp/owned")


NOTEBOOKS = {
    "the name itself": ({"one.ipynb"}, {"one.ipynb": "one.ipynb"}),
    "the latest of several": (
        {"one.ipynb", "one-1.ipynb", "one-2.ipynb", "one-10.ipynb"},
        {"one.ipynb": "one-10.ipynb"},
    ),
    "other letters": ({"ONE.ipynb"}, {"one.ipynb": "ONE.ipynb"}),
    "the name itself before other letters": (
        {"One.ipynb", "one.ipynb"},
        {"one.ipynb": "one.ipynb", "One.ipynb": "One.ipynb"},
    ),
    "two in other letters": (
        {"One.ipynb", "ONE.ipynb"},
        {"One.ipynb": "One.ipynb", "ONE.ipynb": "ONE.ipynb"},
    ),
    "a browser's copy": ({"one (1).ipynb"}, {"one.ipynb": "one (1).ipynb"}),
    "a browser's copy beside": (
        {"one (1).ipynb", "one.ipynb"},
        {"one.ipynb": "one.ipynb", "one (1).ipynb": "one (1).ipynb"},
    ),
    "a notebook whose own name has a number": ({"one-7.ipynb"}, {"one-7.ipynb": "one-7.ipynb"}),
    "a folder around all": (
        {"hw/one.ipynb", "hw/data/x.csv"},
        {"one.ipynb": "hw/one.ipynb", "data/x.csv": "hw/data/x.csv"},
    ),
    "a folder of that name": ({"one.ipynb/x", "one-1.ipynb"}, {"one.ipynb": "one-1.ipynb"}),
    "another name": ({"homework.ipynb"}, {"homework.ipynb": "homework.ipynb"}),
}


@pytest.mark.parametrize("case", NOTEBOOKS)
def test_notebooks_are_found_by_name(case: str) -> None:
    given, expected = NOTEBOOKS[case]
    time = (2026, 3, 1, 12, 0, 0)
    members = {name: Member(name, 0, time, zipfile.ZipInfo(name, time)) for name in given}
    placed = place(members, ["one", "one-7"], keep_timestamp=False)
    assert {name: member.path for name, member in placed.files.items()} == expected


def test_newer_submissions_stay(course: Path, tmp_path: Path) -> None:
    def zip_at(day: int, data: bytes) -> Path:
        path = tmp_path / f"{day}-{len(data)}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(zipfile.ZipInfo("anna/one.ipynb", (2026, 3, day, 12, 0, 0)), data)
        return path

    def status(path: Path, **options: Any) -> str:
        (row,) = import_here(course, path, **options).rows
        return row.status

    assert status(zip_at(2, GOOD), dry_run=True) == "new"
    assert handed_in(course) == {}
    assert status(zip_at(2, GOOD)) == "new"
    assert status(zip_at(1, GOOD)) == "unchanged"
    assert status(zip_at(1, b"old")) == "kept"
    assert handed_in(course)["anna"]["one.ipynb"] == GOOD
    assert status(zip_at(3, b"newer"), dry_run=True) == "replaced"
    assert handed_in(course)["anna"]["one.ipynb"] == GOOD
    assert status(zip_at(3, b"newer")) == "replaced"
    assert status(zip_at(1, b"old"), force=True) == "replaced"
    assert handed_in(course)["anna"]["one.ipynb"] == b"old"
    (course / "submitted/anna/ps1/one.ipynb").write_bytes(b"by hand, today")
    assert status(zip_at(4, b"newer")) == "kept"
