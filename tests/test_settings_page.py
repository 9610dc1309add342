"""docs/settings.md says of each setting what it does: nbgrader's that are honoured, and all of
nbreferee's.
"""

from __future__ import annotations

import re

import pytest
from nbgrader import converters, preprocessors
from nbgrader.coursedir import CourseDirectory
from notebooks import COURSE
from traitlets.config import Config

from nbreferee.course.nbgrader_setting_names import GRADING, HONOURED, NOT_HONOURED
from nbreferee.course.nbgrader_settings import warnings_about
from nbreferee.course.settings import NbReferee

PAGE = (COURSE / "docs/settings.md").read_text()
ROWS = dict(re.findall(r"^\| `c\.([\w.]+)` \| (.+) \|$", PAGE, re.MULTILINE))
OURS = NbReferee.class_own_traits(config=True)
CLASSES = [
    CourseDirectory,
    *(getattr(module, name) for module in (converters, preprocessors) for name in module.__all__),
]
OF_GRADING = [
    f"{kind.__name__}.{trait}"
    for kind in CLASSES
    if hasattr(kind, "class_own_traits") and kind.__name__ in GRADING
    for trait in kind.class_own_traits(config=True)
]


@pytest.mark.parametrize("name", HONOURED)
def test_honoured_setting_of_nbgrader_is_on_the_page(name: str) -> None:
    assert ROWS[name] == HONOURED[name]


@pytest.mark.parametrize("name", NOT_HONOURED)
def test_setting_that_is_not_honoured_is_on_the_page_and_named_in_a_warning(name: str) -> None:
    section, trait = name.split(".")
    assert ROWS[name] == NOT_HONOURED[name]
    assert [
        text for text in warnings_about(Config({section: {trait: 1}})) if f"c.{name} is set" in text
    ]


@pytest.mark.parametrize("name", OF_GRADING)
def test_every_setting_of_a_class_that_grades_is_honoured_or_not(name: str) -> None:
    assert (name in HONOURED) != (name in NOT_HONOURED)


@pytest.mark.parametrize("name", OURS)
def test_setting_of_ours_is_on_the_page_with_its_unit_default_and_limit(name: str) -> None:
    unit, default, at_limit = [cell.strip() for cell in ROWS[f"NbReferee.{name}"].split("|")]
    assert unit
    assert default == f"`{OURS[name].default_value!r}`"
    assert len(at_limit) > 20


def test_page_lists_no_setting_that_does_not_exist() -> None:
    assert set(ROWS) == {*HONOURED, *NOT_HONOURED, *(f"NbReferee.{name}" for name in OURS)}


def test_course_whose_pages_would_hold_hidden_tests_is_told_so() -> None:
    config = Config()
    assert warnings_about(config) == []
    config.Autograde.sanitize_preprocessors = ["nbreferee.preprocessors.RebuildSubmission"]
    assert [text for text in warnings_about(config) if "would hold the hidden tests" in text]
    config.GenerateFeedback.preprocessors = [
        "nbgrader.preprocessors.GetGrades",
        "nbreferee.preprocessors.PreparePage",
    ]
    assert warnings_about(config) == []
