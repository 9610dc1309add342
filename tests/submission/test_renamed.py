"""A class that hands in notebooks under other names: the only candidate is graded, and whatever is
not graded is named with the cure.
"""

from __future__ import annotations

import json
from pathlib import Path

from small_class import (
    RIGHT,
    hand_in,
    start,
)

SIX = ("by_browser", "by_name", "two_of_them", "another", "nothing", "both")


def test_renamed_notebooks_of_a_class(course: Path) -> None:
    for student in SIX:
        hand_in(course, student, RIGHT)
        folder = course / "submitted" / student / "ps1"
        if student == "by_browser":
            (folder / "one.ipynb").rename(folder / "one (1).ipynb")
        elif student == "by_name":
            (folder / "one.ipynb").rename(folder / "Ada_one_final.IPYNB")
        elif student == "two_of_them":
            (folder / "one-Copy1.ipynb").write_bytes((folder / "one.ipynb").read_bytes())
            (folder / "one.ipynb").rename(folder / "one_old.ipynb")
        elif student == "another":
            (folder / "one.ipynb").write_bytes((folder / "two.ipynb").read_bytes())
        elif student == "nothing":
            (folder / "one.ipynb").unlink()
        else:
            (folder / "one (1).ipynb").write_bytes((folder / "one.ipynb").read_bytes())
    students = [option for student in SIX for option in ("--student", student)]
    assert start(course, *students, "--json", "verdicts.json").wait(120) == 1
    verdicts = {
        (one["student"], one["notebook"]): one
        for one in json.loads((course / "verdicts.json").read_text())
    }
    ones = {
        student: (verdicts[student, "one"]["status"], verdicts[student, "one"]["score"])
        for student in SIX
    }
    assert ones == {
        "by_browser": ("graded", 2),
        "by_name": ("graded", 2),
        "two_of_them": ("unreadable", 0),
        "another": ("unreadable", 0),
        "nothing": ("missing", 0),
        "both": ("graded", 2),
    }
    assert {verdicts[student, "two"]["score"] for student in SIX} == {3}
    said = (course.parent / "said.txt").read_text()
    unread = "It gets 0 points and is flagged for a person."
    for line in (
        (
            "by_browser: ps1: one (1).ipynb was graded as one: there is no one.ipynb, and this "
            "file has the cells of one."
        ),
        (
            "by_name: ps1: Ada_one_final.IPYNB was graded as one: there is no one.ipynb, and this "
            "file has the cells of one."
        ),
        (
            "two_of_them: ps1/one: one.ipynb was not handed in, and 2 files could be it: "
            "one-Copy1.ipynb, one_old.ipynb. None was graded. Rename the right one to one.ipynb, "
            f"then grade again. {unread}"
        ),
        (
            "another: ps1/one: one.ipynb has the cells of two, not its own. Ask for the right "
            f"notebook. {unread}"
        ),
        (
            "both: ps1: one (1).ipynb: not graded. It has the cells of one as well, and one.ipynb "
            "is there."
        ),
    ):
        assert line in said, said
    (course / "submitted/two_of_them/ps1/one-Copy1.ipynb").unlink()
    assert (
        start(course, *students, "--json", "verdicts.json").wait(120) == 1
    )  # another's notebook is still the wrong one
    again = {
        one["student"]: one["status"]
        for one in json.loads((course / "verdicts.json").read_text())
        if one["notebook"] == "one"
    }
    assert again == {
        "by_browser": "skipped",
        "by_name": "skipped",
        "two_of_them": "graded",
        "another": "unreadable",
        "nothing": "missing",
        "both": "skipped",
    }
