"""nbreferee verify in a course with a header and a footer, delimiters of its own, autotests, and
another language.
"""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from building import answer, cell, graded, write
from verifying import reasons, run_verify

CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "own"
c.IncludeHeaderFooter.header = "around/header.ipynb"
c.IncludeHeaderFooter.footer = "around/footer.ipynb"
c.ClearSolutions.begin_solution_delimeter = "ANSWER STARTS"
c.ClearSolutions.end_solution_delimeter = "ANSWER ENDS"
c.ClearHiddenTests.begin_test_delimeter = "SECRET STARTS"
c.ClearHiddenTests.end_test_delimeter = "SECRET ENDS"
"""
SOLUTION = (
    "def area(r):\n    ### ANSWER STARTS\n    return PI * r ** 2 + 3 * r\n    ### ANSWER ENDS"
)
SECRET = (
    "### SECRET STARTS\nassert area(2) == 4 * PI + 6\nassert area(-3) == 9 * PI - 9\n"
    "### SECRET ENDS"
)
FOOTER = "### SECRET STARTS\nassert area(5) == 25 * PI + 15\n### SECRET ENDS"


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    course = tmp_path_factory.mktemp("own")
    (course / "nbgrader_config.py").write_text(CONFIG)
    for folder in ("around", "source/sound", "source/leaking", "source/auto", "source/r"):
        (course / folder).mkdir(parents=True)
    write(course / "around", cell("PI = 3", grade_id="pi", locked=True), name="header")
    write(course / "around", graded(FOOTER, "footer_tests"), name="footer")
    write(
        course / "source/sound",
        answer(SOLUTION, "area"),
        graded(SECRET, "area_tests"),
        name="sound",
    )
    leak = cell("Try `assert area(-3) == 9 * PI - 9`, or $3\\,r$ more.", "markdown")
    write(
        course / "source/leaking",
        leak,
        answer(SOLUTION, "area"),
        graded(SECRET, "area_tests"),
        name="leaking",
    )
    (course / "source/leaking.forbidden.toml").write_text("[area]\nlatex = ['3 r']\n")
    write(
        course / "source/auto",
        answer(SOLUTION, "area"),
        graded("### AUTOTEST area(1)", "area_tests"),
        name="auto",
    )
    other = nbformat.v4.new_notebook(
        cells=[answer("x <- 1", "x"), graded("stopifnot(x == 1)", "x_tests")]
    )
    other.metadata["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    nbformat.write(other, course / "source/r/r.ipynb")
    return run_verify(course)[1]


def test_header_footer_and_own_delimiters_are_those_of_the_release(
    verified: dict[str, Any],
) -> None:
    assert reasons(verified["sound"]) == ""
    exercise = verified["sound"]["exercises"][0]
    assert exercise["mutants"]["good"] == exercise["mutants"]["tried"] > 5
    assert exercise["lazy"]["good"] == 9


def test_leaks_are_found_between_own_delimiters(verified: dict[str, Any]) -> None:
    assert (
        "a hidden test can be read in the release, in number 2: 'assert area(-3) == 9 * PI - 9'"
        in reasons(verified["leaking"])
    )
    assert "the release shows a form of this answer, '3 r', in leaking.ipynb" in reasons(
        verified["leaking"]
    )


def test_notebook_that_cannot_be_verified_is_told(verified: dict[str, Any]) -> None:
    assert (
        "cell area_tests: nbgrader writes its autotests out, and has not yet for this "
        "version. Run nbgrader generate_assignment auto --force"
    ) in reasons(verified["auto"])
    assert "a notebook in R, and nbreferee verifies Python" in reasons(verified["r"])
