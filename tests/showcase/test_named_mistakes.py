"""A student who makes a mistake that the course names reads its sentence, whichever command writes
the page.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import mistaken
import pytest
from mistaken import Made, command, hand_in_class, make_course, untold
from notebooks import SOURCES

SOURCE = next(path for path in SOURCES if path.stem == "softmax")
STUDENTS = 4  # `python tests/mistaken.py FOLDER` grades all, which takes minutes


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Made]]:
    """A class that makes the first mistakes of each exercise of a notebook."""
    course = tmp_path_factory.mktemp("mistaken") / "course"
    make_course(course, [SOURCE.parent.name])
    made = hand_in_class(course, [SOURCE], students=STUDENTS)
    assert len(made) == 10 * STUDENTS
    ran = command(course, "nbreferee", "autograde", SOURCE.parent.name)
    assert ran.returncode == 0, ran.stderr
    return course, made


@pytest.mark.parametrize("words", mistaken.COMMANDS, ids=" ".join)
def test_page_holds_the_sentence_of_each_mistake(
    graded: tuple[Path, list[Made]], words: tuple[str, ...]
) -> None:
    course, made = graded
    shutil.rmtree(course / "feedback", ignore_errors=True)
    ran = command(course, *words, SOURCE.parent.name)
    assert ran.returncode == 0, ran.stderr
    assert untold(course, made) == []
