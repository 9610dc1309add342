"""Every file of a submission in every shape, and three honest students beside: these have their
scores, the others a reason.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from building import write
from nbgrader.api import Gradebook
from tiny_class import BINARIES, CONFIG, ONE, RIGHT, filled
from tiny_class import run as run_command

from nbreferee.submission.folder import FolderError, read_folder
from nbreferee.submission.open_folder import Entry, read_regular

HONEST = ("a_honest", "m_honest", "z_honest")
LONG = "n" * 249


def empty(path: Path) -> None:
    path.mkdir() if path.suffix == "" else path.write_bytes(b"")


def bind(path: Path) -> None:
    before = os.getcwd()
    os.chdir(path.parent)  # the name of a socket is at most 108 bytes long
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(before)


def unreadable(path: Path) -> None:
    path.mkdir() if path.suffix == "" else path.write_text("1")
    path.chmod(0)


def huge(path: Path) -> None:
    if path.suffix == "":
        path.mkdir()
        path = path / "one.ipynb"
    path.touch()
    os.truncate(path, 10 << 30)


def under(name: str) -> Callable[[Path], object]:
    """Return what writes a file, or makes a folder, under another name."""

    def put(path: Path) -> None:
        other = Path(
            os.fsdecode(
                os.fsencode(path.parent) + b"/" + os.fsencode(name) + os.fsencode(path.suffix)
            )
        )
        other.mkdir() if path.suffix == "" else other.write_text("2026-01-01")

    return put


# kind: what is put in a file's place
KINDS: dict[str, Callable[[Path], object]] = {
    "absent": lambda path: None,
    "empty": empty,
    "garbage": lambda path: path.write_bytes(bytes(range(256)) * 9),
    "folder": lambda path: path.mkdir(),
    "pipe": os.mkfifo,
    "socket": bind,
    "unreadable": unreadable,
    "link": lambda path: path.symlink_to("/etc/passwd"),
    "link_to_nowhere": lambda path: path.symlink_to("/nowhere"),
    "link_to_itself": lambda path: path.symlink_to(path.name),
    "huge": huge,
    "with_a_new_line": under("odd\n[red]\x1b[31m"),
    "not_utf8": under("odd\udcfc"),
    "of_255_bytes": under(LONG),
}
PARTS = {
    "notebook": "one.ipynb",
    "timestamp": "timestamp.txt",
    "data": "data.csv",
    "assignment": "",
    "student": "",
}


def hand_in(course: Path, student: str) -> Path:
    """Hand in a right notebook, in time, with a file."""
    folder = course / "submitted" / student / "ps1"
    folder.mkdir(parents=True)
    shutil.copy(course / "right.ipynb", folder / "one.ipynb")
    add_files(folder)
    return folder


def add_files(folder: Path) -> None:
    """Add to a submission what comes beside its notebook."""
    (folder / "timestamp.txt").write_text("2026-01-01 10:00:00 UTC\n")
    (folder / "data.csv").write_text("1,2\n")


def spoil(folder: Path, part: str, kind: str) -> None:
    """Put something else in the place of a part of a submission."""
    name = PARTS[part]
    place = folder / name if name else folder if part == "assignment" else folder.parent
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    KINDS[kind](place)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of one notebook."""
    course = tmp_path_factory.mktemp("fuzzed") / "course"
    (course / "source/ps1").mkdir(parents=True)
    write(course / "source/ps1", *ONE, name="one")
    (course / "nbgrader_config.py").write_text(CONFIG)
    assert run_command(course, "nbgrader", "generate_assignment", "ps1").returncode == 0
    import nbformat

    (course / "right.ipynb").write_text(
        nbformat.writes(filled(nbformat.read(course / "release/ps1/one.ipynb", 4), RIGHT))
    )
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        book.find_assignment("ps1").duedate = datetime(2026, 1, 2)
        book.db.commit()
    return course


# the course, what the command said, and its verdicts
Graded = tuple[Path, subprocess.CompletedProcess[str], dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def graded(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """A class with one fault a student, graded once by somebody who may not read everything."""
    course = Path(shutil.copytree(released, tmp_path_factory.mktemp("class") / "course"))
    for student in HONEST:
        hand_in(course, student)
    for part in PARTS:
        for kind in KINDS:
            spoil(hand_in(course, f"{part}_{kind}"), part, kind)
    (course / "submitted/notes.txt").write_text("from the instructor")
    # root may read everything, unless it drops this right
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    environment = {
        **os.environ,
        "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "400",
    }
    command: list[str | Path] = [
        *drop,
        BINARIES / "nbreferee",
        "autograde",
        "--json",
        "verdicts.json",
        "--jobs",
        "2",
    ]
    ran = subprocess.run(
        command, cwd=course, env=environment, capture_output=True, text=True, timeout=200
    )
    found = (
        json.loads((course / "verdicts.json").read_text())
        if (course / "verdicts.json").exists()
        else []
    )
    return course, ran, {one["student"]: one for one in found}


def test_batch_ends_with_status_1_and_without_a_traceback(
    graded: Graded,
) -> None:
    _, ran, _ = graded
    assert "Traceback" not in ran.stderr, ran.stderr[-3000:]
    assert ran.returncode == 1, ran.stderr[-3000:]
    assert "\x1b" not in ran.stderr


@pytest.mark.parametrize("student", HONEST)
def test_honest_student_has_every_point(student: str, graded: Graded) -> None:
    course, _, found = graded
    assert (found[student]["status"], found[student]["score"], found[student]["repairs"]) == (
        "graded",
        5,
        [],
    )
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        assert book.find_submission("ps1", student).score == 5


NOTEBOOK = {"absent": "missing", "not_utf8": "missing"}
RENAMED = (
    "with_a_new_line",
    "of_255_bytes",
)  # files of other names, which hold no notebook: one of them could be meant
WORDS = {
    "folder": "a folder",
    "pipe": "a named pipe",
    "socket": "a socket",
    "unreadable": "Permission denied",
    "link": "links are not followed",
    "link_to_nowhere": "links are not followed",
    "link_to_itself": "links are not followed",
    "huge": "MB",
    "not_utf8": "UTF-8",
}


@pytest.mark.parametrize("kind", KINDS)
def test_notebook_that_cannot_be_read_has_a_reason(kind: str, graded: Graded) -> None:
    _, ran, found = graded
    one = found[f"notebook_{kind}"]
    assert one["status"] == NOTEBOOK.get(kind, "unreadable")
    if one["status"] == "unreadable":
        assert WORDS.get(kind, "file") in one["message"] or kind in RENAMED
        assert f"notebook_{kind}: ps1/one: {one['message']}" in ran.stderr
        assert one["message"].endswith("It gets 0 points and is flagged for a person.")
    assert (one["score"], one["max_score"]) == (0, 5)


@pytest.mark.parametrize("part", ["timestamp", "data"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_lies_beside_a_notebook_costs_no_points_and_is_named(
    kind: str,
    part: str,
    graded: Graded,
) -> None:
    course, ran, found = graded
    one = found[f"{part}_{kind}"]
    assert (one["status"], one["score"]) == ("graded", 5)
    faults = set(WORDS) | {"garbage", "empty"} if part == "timestamp" else {*WORDS} - {"folder"}
    faults -= {"not_utf8"} if part == "timestamp" else set()
    if kind in faults:
        name = PARTS[part] if kind != "not_utf8" else "odd"
        (note,) = [note for note in one["repairs"] if note.startswith(name)]
        assert WORDS.get(kind, "") in note or part == "timestamp"
        assert f"{part}_{kind}: ps1: {note}." in ran.stderr
        assert (
            part == "data"
            or "whether it was late is not known, and no late penalty is taken" in note
        )
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        assert book.find_submission("ps1", f"{part}_{kind}").score == 5
    assert "root:" not in "".join(
        path.read_text(errors="replace")
        for path in (course / f"autograded/{part}_{kind}").rglob("*")
        if path.is_file()
    )


@pytest.mark.parametrize("part", ["assignment", "student"])
@pytest.mark.parametrize("kind", KINDS)
def test_folder_that_cannot_be_read_has_a_reason(
    kind: str,
    part: str,
    graded: Graded,
) -> None:
    _, ran, found = graded
    student = f"{part}_{kind}"
    elsewhere = {
        "absent",
        "with_a_new_line",
        "not_utf8",
        "of_255_bytes",
    }  # under another name, an assignment that there is not
    elsewhere |= (
        {"empty", "folder", "huge", "garbage", "pipe", "socket", "link"}
        if part == "student"
        else set()
    )  # no folder, so none is in it
    if kind in elsewhere:
        assert student not in found
        return
    one = found[student]
    assert one["status"] == ("missing" if kind in ("empty", "folder") else "unreadable")
    assert kind not in WORDS or kind == "folder" or WORDS[kind] in one["message"]
    assert one["status"] == "missing" or f"{student}: ps1/one: {one['message']}" in ran.stderr


def test_notebook_under_another_name_is_graded_with_a_repair_or_named(
    released: Path, tmp_path: Path
) -> None:
    course = Path(shutil.copytree(released, tmp_path / "course"))
    for student in ("anna", "bo", "cy"):
        folder = hand_in(course, student)
        (folder / "one.ipynb").rename(folder / f"one_{student} (1).ipynb")
    shutil.copy(
        course / "submitted/bo/ps1/one_bo (1).ipynb", course / "submitted/bo/ps1/other.ipynb"
    )
    os.mkfifo(course / "submitted/cy/ps1/one.ipynb")
    ran = run_command(course, "nbreferee", "autograde", "--json", "verdicts.json")
    found = {one["student"]: one for one in json.loads((course / "verdicts.json").read_text())}
    assert {student: (one["status"], one["score"]) for student, one in found.items()} == {
        "anna": ("graded", 5),
        "bo": ("unreadable", 0),
        "cy": ("graded", 5),
    }
    assert found["anna"]["repairs"][0].startswith("one_anna (1).ipynb was graded as one")
    assert found["cy"]["repairs"][0].startswith("one_cy (1).ipynb was graded as one")
    assert f"bo: ps1/one: {found['bo']['message']}" in ran.stderr
    assert "Rename the right one to one.ipynb" in found["bo"]["message"]
    run_command(course, "nbreferee", "autograde", "--json", "again.json")
    again = {one["student"]: one for one in json.loads((course / "again.json").read_text())}
    assert (again["anna"]["status"], again["anna"]["repairs"]) == (
        "skipped",
        found["anna"]["repairs"],
    )


# -------------------------------- a student's folder of an odd name; a date that is none


def test_student_whose_name_the_gradebook_cannot_hold_is_named(
    released: Path, tmp_path: Path
) -> None:
    course = Path(shutil.copytree(released, tmp_path / "course"))
    for student in ("anna", "bo\nb", "c\udcfc", "dan"):
        hand_in(course, student)
    (course / "autograded").mkdir()
    (course / "autograded/dan").write_text("in the way")
    ran = run_command(course, "nbreferee", "autograde", "--json", "verdicts.json")
    found = {one["student"]: one for one in json.loads((course / "verdicts.json").read_text())}
    assert {student: one["status"] for student, one in found.items()} == {
        "anna": "graded",
        "bo\\nb": "graded",
        "c\\udcfc": "unreadable",
        "dan": "grader_failed",
    }
    assert "autograded/dan" in found["dan"]["message"]
    assert found["dan"]["message"].endswith(
        "Nothing is written for it; the next run grades it again."
    )
    assert "Rename the folder to the student's id" in found["c\\udcfc"]["message"]
    assert ran.returncode == 1


DATES = {
    "2026-01-02 03:04:05 UTC": datetime(2026, 1, 2, 3, 4, 5),
    "2026-01-02 03:04:05 -0100": None,
    "2026-01-02 03:04:05 Europe/Berlin": datetime(2026, 1, 2, 2, 4, 5),
    "2026-01-02T03:04:05+01:00": datetime(2026, 1, 2, 2, 4, 5),
    "2026-01-02": datetime(2026, 1, 2),
    "January 2, 2026": None,  # nbgrader takes the year for a time zone
    "2026-01-02 03:04:05 CEST": None,
    "yesterday, about noon": None,
    "12:00": None,
    "Monday": None,
    "10": None,
    "99999999999999999999": None,
    "0001-01-01 00:00:00 +1400": None,
}


@pytest.mark.parametrize("text", DATES)
def test_date_is_taken_if_all_of_it_is_there(text: str, tmp_path: Path) -> None:
    (tmp_path / "timestamp.txt").write_text(text)
    found = read_folder(tmp_path)
    if DATES[text]:
        assert (found.timestamp, found.timestamp_fault) == (DATES[text], "")
    elif found.timestamp_fault:
        assert found.timestamp is None
        assert "is no date like 2026-01-31 23:59:00 UTC" in found.timestamp_fault
    else:
        assert text.endswith("-0100")


def test_files_beyond_a_bound_are_left_out_and_the_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nbreferee.submission.folder.FILES", 5)
    monkeypatch.setattr("nbreferee.submission.folder.FILE_BYTES", 100)
    (tmp_path / "a_large").write_bytes(bytes(101))
    for number in range(7):
        (tmp_path / f"b{number}").write_bytes(bytes(10))
    deep = tmp_path.joinpath(*["d"] * 40)
    deep.mkdir(parents=True)
    (deep / "file").write_text("1")
    found = read_folder(tmp_path)
    assert list(found.files) == [f"b{number}" for number in range(5)]
    assert set(found.unread) == {"a_large", "b5", "b6", "/".join(["d"] * 32)}


def test_folder_that_is_gone_is_an_error_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(
        FolderError, match=r"the folder .* cannot be read \(No such file or directory\)"
    ):
        read_folder(tmp_path / "nobody/ps1")


def test_folder_that_changes_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbreferee.submission import folder

    (tmp_path / "one.ipynb").write_text("old")
    (tmp_path / "two.ipynb").write_text("old")
    read, versions = read_regular, iter(["new"])

    def read_while_it_changes(entry: Entry, bound: int) -> bytes:
        data = read(entry, bound)
        for text in versions:  # once, when the first file has been read
            (tmp_path / "one.ipynb").write_text(text)
            (tmp_path / "two.ipynb").write_text(text)
        return data

    monkeypatch.setattr(folder, "read_regular", read_while_it_changes)
    found = read_folder(tmp_path)
    assert (dict(found.notebooks), found.notes) == ({"one.ipynb": b"new", "two.ipynb": b"new"}, ())


def test_folder_that_is_replaced_while_it_is_read_is_of_one_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbreferee.submission import folder

    for version in ("old", "new"):
        (tmp_path / version).mkdir()
        for name in ("one.ipynb", "two.ipynb"):
            (tmp_path / version / name).write_text(version)
    (tmp_path / "old").rename(tmp_path / "ps1")
    read = read_regular

    def read_while_it_arrives(entry: Entry, bound: int) -> bytes:
        data = read(entry, bound)
        if (tmp_path / "new").exists():
            (tmp_path / "ps1").rename(tmp_path / "old")
            (tmp_path / "new").rename(tmp_path / "ps1")
        return data

    monkeypatch.setattr(folder, "read_regular", read_while_it_arrives)
    assert dict(read_folder(tmp_path / "ps1").notebooks) == {
        "one.ipynb": b"new",
        "two.ipynb": b"new",
    }
