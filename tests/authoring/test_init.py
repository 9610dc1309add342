"""nbreferee init: what it adds to a course's configuration, and that --undo leaves every byte as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from notebooks import COURSE

from nbreferee.authoring.configuration import (
    SETTINGS,
    InitError,
    add_settings,
    remove_settings,
    setting_line,
)
from nbreferee.course.configuration import read_configuration

LINES = tuple(setting_line(name) for name in SETTINGS)
CONFIGURATIONS = {
    "ordinary": b'c = get_config()\nc.CourseDirectory.course_id = "x"\n',
    "no newline at the end": b'c = get_config()\nc.CourseDirectory.course_id = "x"',
    "CRLF": b'c = get_config()\r\nc.CourseDirectory.course_id = "x"\r\n',
    "CRLF without the last": b'c = get_config()\r\nc.CourseDirectory.course_id = "x"',
    "mixed line ends": b'c = get_config()\r\nc.CourseDirectory.course_id = "x"\n',
    "old Mac": b'c = get_config()\rc.CourseDirectory.course_id = "x"\r',
    "empty": b"",
    "blank lines at the end": b"c = get_config()\n\n\n",
    "byte-order mark": b"\xef\xbb\xbfc = get_config()\n",
    "an open indentation": b"c = get_config()\nif True:\n    c.CourseDirectory.course_id = 'x'",
    "Latin-1": b"# -*- coding: latin-1 -*-\n# caf\xe9\nc = get_config()\n",
    "sets one already": b'c = get_config()\nc.Autograde.autograde_preprocessors = ["course.Notify", "nbgrader.preprocessors.Execute"]\n',
    "sets one as nbreferee does": b"c = get_config()\n" + LINES[0].encode() + b"\n",
    "no configuration": None,
}


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty course, and an empty home."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_CONFIG_PATH", "JUPYTER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "course/source").mkdir(parents=True)
    return tmp_path / "course"


def settings(course: Path) -> dict[str, tuple[str, ...]]:
    config = read_configuration(course, named=True).config
    return {
        name: tuple(config[name.partition(".")[0]].get(name.partition(".")[2], ()))
        for name in SETTINGS
    }


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_course_is_byte_for_byte_as_it_was(course: Path, name: str) -> None:
    path, data = course / "nbgrader_config.py", CONFIGURATIONS[name]
    if data is not None:
        path.write_bytes(data)
        path.chmod(0o640)
    before = files(course)
    done = add_settings(course)
    assert settings(course) == SETTINGS
    assert all(line.encode() in path.read_bytes() for line in done.lines)
    assert data is None or path.read_bytes().startswith(data)
    assert b"\r" not in path.read_bytes().replace(b"\r\n", b"") or name == "old Mac"
    again = files(course)
    assert add_settings(course).lines == ()
    assert files(course) == again
    assert remove_settings(course).lines == done.lines
    assert files(course) == before
    with pytest.raises(InitError, match="nbreferee init has added nothing here"):
        remove_settings(course)


def test_only_lines_that_are_missing_are_added(course: Path) -> None:
    (course / "nbgrader_config.py").write_bytes(CONFIGURATIONS["sets one as nbreferee does"] or b"")
    assert add_settings(course).lines == LINES[1:]


def test_steps_that_no_longer_run_are_named(course: Path) -> None:
    (course / "nbgrader_config.py").write_bytes(CONFIGURATIONS["sets one already"] or b"")
    assert add_settings(course).notes == (
        "c.Autograde.autograde_preprocessors was set: nbgrader no longer runs course.Notify.",
    )


def test_lines_of_the_course_stay(course: Path) -> None:
    path = course / "nbgrader_config.py"
    path.write_text("c = get_config()")
    add_settings(course)
    text = path.read_text().replace("# <<<", "c.NbReferee.call_s = 5\n# <<<")
    path.write_text(text + "c.NbReferee.cell_s = 50\n")
    assert remove_settings(course).notes == ("This line of yours stays: c.NbReferee.call_s = 5",)
    assert path.read_text() == "c = get_config()\nc.NbReferee.call_s = 5\nc.NbReferee.cell_s = 50\n"


def test_home_configuration_is_read_and_left_alone(course: Path) -> None:
    home = course.parent / "home/.jupyter/nbgrader_config.py"
    home.parent.mkdir(parents=True)
    home.write_text("c = get_config()\nc.GenerateFeedback.preprocessors = []\n" + LINES[0] + "\n")
    before = files(course.parent)
    assert add_settings(course).lines == LINES[1:]
    assert settings(course) == SETTINGS
    remove_settings(course)
    assert files(course.parent) == before


def test_link_to_a_configuration_stays_one(course: Path) -> None:
    shared = course.parent / "shared.py"
    shared.write_text("c = get_config()\n")
    (course / "nbgrader_config.py").symlink_to(shared)
    add_settings(course)
    assert LINES[0] in shared.read_text()
    remove_settings(course)
    assert (course / "nbgrader_config.py").is_symlink()
    assert shared.read_text() == "c = get_config()\n"


def test_our_course_has_all_lines(tmp_path: Path) -> None:
    shutil.copy(COURSE / "nbgrader_config.py", tmp_path)
    assert add_settings(tmp_path).lines == ()


def broken(course: Path) -> None:
    (course / "nbgrader_config.py").write_text("c = get_config(\n")


def overruled(course: Path) -> None:
    (course / "nbgrader_config.py").write_text("c = get_config()\n")
    other = {"GenerateFeedback": {"preprocessors": ["nbgrader.preprocessors.GetGrades"]}}
    (course / "nbgrader_config.json").write_text(json.dumps(other))


def elsewhere(course: Path) -> None:
    (course / "source").rmdir()


REFUSED = {
    broken: "Mend the file.",
    overruled: "another configuration comes after this file and sets c.GenerateFeedback.preprocessors",
    elsewhere: "this is no course of nbgrader's, for there is neither nbgrader_config.py nor source/.",
}


@pytest.mark.parametrize("spoil", REFUSED)
def test_course_that_cannot_be_set_up_is_left_alone_and_told_why(
    course: Path, spoil: Callable[..., Any]
) -> None:
    spoil(course)
    before = files(course)
    with pytest.raises(InitError) as error:
        add_settings(course)
    assert REFUSED[spoil] in str(error.value)
    assert files(course) == before


def test_command_says_each_line(course: Path) -> None:
    nbreferee = Path(sys.executable).with_name("nbreferee")
    said = [
        subprocess.run([nbreferee, "init", *option], cwd=course, capture_output=True, text=True)
        for option in ((), ("--undo",), ("--undo",))
    ]
    assert [one.returncode for one in said] == [0, 0, 2]
    assert all(line in said[0].stdout and line in said[1].stdout for line in LINES)
    assert "added at the end" in said[0].stdout
    assert "taken out" in said[1].stdout
    assert said[2].stderr.endswith("nbreferee init has added nothing here.\n")
