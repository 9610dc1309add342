"""The five notebooks are laid out alike, show no forbidden form, and the pages made from them are
up to date.
"""

from __future__ import annotations

import copy

import pytest
from check_layout import DERIVATIVE, course_violations, violations
from course_notebooks import CourseNotebook, read_course, settings
from instructor_tables import (
    PAGE,
    README,
    table_of_class,
    tables_of_notebooks,
    with_tables,
)
from notebooks import COURSE, SOURCES, functions, read
from release_readme import release_readme

from nbreferee.course.locate import open_course
from nbreferee.verify import course_release, verify_assignment


@pytest.fixture(scope="module")
def released() -> list[CourseNotebook]:
    return read_course(COURSE / "release")


def test_notebooks_are_laid_out_alike(released: list[CourseNotebook]) -> None:
    found = course_violations(released)
    assert {name: said for name, said in found.items() if said} == {}, (
        "python scripts/check_layout.py prints this"
    )


def test_release_shows_no_forbidden_form_and_each_derivative_has_some() -> None:
    course, verified = open_course(COURSE), []
    release = course_release(course)
    for assignment in sorted({path.parent.name for path in SOURCES}):
        verified += verify_assignment(course, assignment, release, processes=None)
    assert [finding for one in verified for finding in one.findings] == []
    looked_for = {(one.notebook, form.exercise) for one in verified for form in one.forms}
    derivatives = {
        (path.stem, name)
        for path in SOURCES
        for name in functions(read(path))
        if DERIVATIVE.search(name)
    }
    assert len(derivatives) > 20
    assert derivatives - looked_for == set()


def test_readme_of_the_release_is_what_the_notebooks_say(released: list[CourseNotebook]) -> None:
    assert (COURSE / "release/README.md").read_text() == release_readme(released), (
        "run: make release"
    )


def test_readme_shows_the_points_that_the_sample_class_deserves() -> None:
    assert README.read_text() == with_tables(README.read_text(), table_of_class()), (
        "run: make counts"
    )


def test_instructors_page_holds_todays_notebooks() -> None:
    assert PAGE.read_text() == with_tables(PAGE.read_text(), tables_of_notebooks()), (
        "run: make counts"
    )


# what is changed in the first notebook with it: what must be said
FAULTS = {
    "### Exercise 2 ·": ("### Exercise 7 ·", "the headings 'Exercise N · ...' are numbered"),
    "\n| 2 |": ("\n| 9 |", "the table of exercises has"),
    " 2 |\n": (" 9 |\n", "the table gives 9 points to exercises 1 to 1"),
    " points\n": (" points, or 40 points\n", "the heading says"),
    "<summary>Hint 1: where to begin</summary>": (
        "<summary>Hint</summary>",
        "it asks for a derivative, and has no '<details><summary>Hint 1",
    ),
    "*Your prediction:* …": ("*Here:*", "it asks to predict, and the next cell is not"),
    "check_gradient(": ("print(", "compares nothing with finite differences"),
    "*Comes after*": ("*After*", "the lines 'Comes after ...' and 'Allowed are ...' are not"),
    " minutes to read": ("0 minutes to read", "its length gives"),
    "## Conventions": ("## Notation", "the second cell is not '## Conventions'"),
    "figsize=(": ("figsize=(1", "inches wide"),
    "# ": ("", "does not begin with a title"),
}


@pytest.mark.parametrize("text", FAULTS)
def test_fault_in_the_layout_is_told(
    text: str, released: list[CourseNotebook]
) -> None:  # so that the test above can fail
    notebook = copy.deepcopy(next(one for one in released if one.name == "softmax"))
    for cell in notebook.notebook.cells:
        if text in cell.source:
            cell.source = cell.source.replace(text, FAULTS[text][0], 1)
    assert any(
        FAULTS[text][1] in said
        for said in violations(CourseNotebook(notebook.path, notebook.notebook))
    )


def test_missing_cell_to_try_and_other_colour_are_told(released: list[CourseNotebook]) -> None:
    changed = copy.deepcopy(released)
    softmax = next(one for one in changed if one.name == "softmax")
    tries = {
        cell.id
        for cell in softmax.exercises[1].cells
        if cell.cell_type == "code" and not settings(cell)
    }
    del softmax.__dict__["exercises"]  # which is read again
    softmax.notebook.cells = [cell for cell in softmax.notebook.cells if cell.id not in tries]
    imports = next(
        cell for cell in softmax.notebook.cells if settings(cell).get("grade_id") == "imports"
    )
    imports.source = imports.source.replace("#D55E00", "#D55E01")
    said = course_violations(changed)["softmax"]
    assert (
        "exercise 2: there is no cell to try softmax between the stub and the graded cells" in said
    )
    assert "VERMILION is #D55E01, elsewhere #D55E00" in said
