"""Graded cells of any nbgrader course become exercises with names."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from building import answer, cell, graded
from nbformat import NotebookNode

from nbreferee.pages.exercises import Mark
from nbreferee.pages.record import Judged
from nbreferee.pages.student import Contents, Header, score_line, write_page

HEADER = Header("ada", "ps1", "one", "Ada (ada)")


def text(source: str, **settings: Any) -> NotebookNode:
    return cell(
        source, "markdown", **{"grade_id": f"t{abs(hash(source))}", "locked": True, **settings}
    )


def lines(cells: list[NotebookNode], marks: dict[str, Mark], **contents: Any) -> list[str]:
    """Return the lines of the summary: state, name, points."""
    page = write_page(HEADER, Contents(cells, marks, **contents))
    found = re.search(r'<ul class="lines">(.*?)</ul>', page, re.DOTALL)
    rows = re.findall(r"<li>(.*?)</li>", found[1], re.DOTALL) if found else []
    return [
        " | ".join(
            html.unescape(re.sub(r"<[^>]*>", "", part))
            for part in re.findall(r"<span.*?</span>", row)
        )
        for row in rows
    ]


FULL, HALF, NONE, OPEN = Mark(2, 2), Mark(1, 2), Mark(0, 2), Mark(0, 2, waits=True)


def test_exercise_is_named_by_the_heading_above_it_without_its_points() -> None:
    cells = [text("# Title"), text("## Part\n\n### 1 · `f(x)` — 2 points"), answer(), graded()]
    assert lines(cells, {"f_tests": FULL}) == ["right | 1 · f(x) | 2 of 2"]


def test_exercise_without_a_heading_is_named_by_its_grade_id() -> None:
    assert lines([answer(), graded()], {"f_tests": NONE}) == ["wrong | f | 0 of 2"]


def test_several_graded_cells_of_an_answer_are_one_line() -> None:
    cells = [
        text("## Back"),
        answer(),
        graded(grade_id="f_dX_tests"),
        graded(grade_id="f_dW_tests"),
    ]
    assert lines(cells, {"f_dX_tests": FULL, "f_dW_tests": NONE}) == [
        "partly right | Back | 2 of 4"
    ]


def test_two_answers_before_their_tests_are_one_line() -> None:
    cells = [text("## Both"), answer(), answer(grade_id="g"), graded(), graded(grade_id="g_tests")]
    assert lines(cells, {"f_tests": FULL, "g_tests": OPEN}) == [
        "waits | Both | 2 of 2; 2 to be read"
    ]


def test_several_exercises_below_one_heading_are_named_by_their_grade_ids() -> None:
    cells = [
        text("## Part 1"),
        answer(),
        graded(),
        answer(grade_id="g"),
        graded(grade_id="g_tests"),
    ]
    assert lines(cells, {"f_tests": FULL, "g_tests": HALF}) == [
        "right | f | 2 of 2",
        "partly right | g | 1 of 2",
    ]


def test_tests_below_a_heading_of_their_own_belong_to_the_answer_before_them() -> None:
    cells = [text("## Task"), answer(), text("#### Check yourself"), graded()]
    assert lines(cells, {"f_tests": FULL}) == ["right | Task | 2 of 2"]


def test_tests_of_a_section_without_an_answer_cell_are_an_exercise() -> None:
    cells = [
        text("## A"),
        answer(),
        graded(),
        text("## B"),
        cell("x = 1"),
        graded(grade_id="b_tests"),
    ]
    assert lines(cells, {"f_tests": FULL, "b_tests": NONE}) == [
        "right | A | 2 of 2",
        "wrong | B | 0 of 2",
    ]


def test_heading_that_a_student_writes_names_nothing() -> None:
    cells = [
        text("## A"),
        cell("# Mine", "markdown"),
        answer("# no", "w", grade=True),
        cell("# Too", "markdown"),
    ]
    cells[2]["cell_type"] = "markdown"
    assert lines(cells, {"w": OPEN}) == ["waits | A | 2 to be read"]


@pytest.mark.parametrize(
    ("comment", "message"),
    [("No response.", "no"), ("", "It is not written yet (it raises NotImplementedError).")],
)
def test_answer_that_is_not_written_is_called_so(comment: str, message: str) -> None:
    got = lines(
        [answer(), graded()],
        {"f_tests": NONE},
        automatic={"f": comment},
        judged={"f_tests": Judged(message)},
    )
    assert got == ["not written | f | 0 of 2"]


def test_task_cell_and_tests_that_the_gradebook_does_not_know() -> None:
    task = text("## Write", grade_id="t", task=True)
    assert lines([task, graded(grade_id="gone")], {"t": OPEN}) == ["waits | t | 2 to be read"]


@pytest.mark.parametrize(
    ("numbers", "line"),
    [
        ((16, 16, 4, 0), "16 of 16 so far; 4 points wait to be read"),
        ((16, 16, 1, 0), "16 of 16 so far; 1 point waits to be read"),
        ((1.5, 20, 0, 0), "1.5 of 20"),
        ((10, 20, 0, 2.5), "7.5 of 20: 10 for the answers, less 2.5 for handing in late"),
        ((0, 0, 3, 0), "3 points wait to be read; nothing has been marked yet"),
    ],
)
def test_score_is_a_sentence(numbers: tuple[Any, ...], line: str) -> None:
    assert score_line(*numbers) == line
