"""A wrong answer without a named mistake is told what it does: a small change of the solution or
the reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from building import answer, cell, graded
from notebooks import what_notebooks_import
from refereed import Court, verdicts

from nbreferee.budget import Budget
from nbreferee.course.rules import Rules

FILES = what_notebooks_import()
FIRST = cell(
    "import numpy as np\nfrom gradtests import check, random_arrays",
    grade_id="imports",
    locked=True,
)
SOLUTION = """def backward(X, W, G):
    weights = np.exp(-np.sum(X**2, axis=0))
    return W.T @ (G * weights) + 0.5 * X"""
TESTS = """def reference(X, W, G):
    return np.einsum("ij,ik->jk", W, G / np.exp(np.sum(X * X, axis=0))) + X / 2

check(backward, reference, cases=[random_arrays(n, (3, n), (4, 3), (4, n)) for n in (2, 3, 5)])"""
CAUSE = "Likely cause: the result comes out as if "


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court(Budget(call_s=3, cell_s=20)) as court:
        yield court


def message(court: Court, wrong: str, tests: str = TESTS, follow_through: bool = True) -> str:
    """Return what a student reads whose answer is the solution with one text put for another."""
    material = court.material(
        FIRST, answer(SOLUTION, "backward"), graded(tests, "backward_tests"), files=FILES
    )
    material = replace(material, rules=Rules(follow_through=follow_through))
    return verdicts(court.grade(material, {"backward": wrong}))["backward_tests"].message


CHANGES = {
    "W were not transposed": ("W.T @", "W @"),
    "the sum ran over axis 1 instead of 0": ("axis=0", "axis=1"),
    "the exponential were missing": ("np.exp(-np.sum(X**2, axis=0))", "-np.sum(X**2, axis=0)"),
    "the minus sign before the sum were missing": ("-np.sum", "np.sum"),
    "G stood in the place of an intermediate result": ("G * weights", "G * G"),
    "a power had the exponent 3 instead of 2": ("X**2", "X**3"),
    "a product with X were missing as a term": (" + 0.5 * X", ""),
    "the mean stood in the place of the sum": ("np.sum", "np.mean"),
    "a sum left its last term out": ("np.sum(X**2", "np.sum(X[:-1]**2"),
}


@pytest.mark.parametrize("words", CHANGES)
def test_one_change_of_the_solution_is_told(court: Court, words: str) -> None:
    before, after = CHANGES[words]
    text = message(court, SOLUTION.replace(before, after))
    if "@" in before:  # the shapes may not fit: then the exception says so
        assert "raised ValueError" in text or CAUSE + words in text
    else:
        assert f"{CAUSE}{words}" in text


def test_two_changes_are_told_together(court: Court) -> None:
    wrong = SOLUTION.replace("-np.sum", "np.sum").replace("0.5 * X", "0.5")
    text = message(court, wrong)
    assert f"{CAUSE}the minus sign before the sum were missing, and as if" in text


def test_reference_is_changed_where_the_solution_is_not_known(court: Court) -> None:
    wrong = SOLUTION.replace("+ 0.5", "- 0.5")
    assert "Likely cause: the result comes out as if" in message(court, wrong, follow_through=False)


def test_answer_that_no_small_change_explains_is_told_nothing_more(court: Court) -> None:
    text = message(court, SOLUTION.replace("X**2", "np.cos(3 * X) ** 4"))
    assert "expected" in text
    assert "Likely cause" not in text


def test_search_can_be_switched_off() -> None:
    with Court(Budget(call_s=3, cell_s=20, mutants_s=0)) as court:
        assert "Likely cause" not in message(court, SOLUTION.replace("-np.sum", "np.sum"))


LOOPS = """def backward(X, W, G):
    n, total = len(X), 0 * X[0]
    while n > 0:
        n = n - 1
        total = total + X[n] ** 2
        print(n)
    space = np.zeros(2 ** n)
    return W.T @ (G * np.exp(-total)) + 0.5 * X"""


def test_mutant_that_loops_prints_or_wants_memory_does_no_harm() -> None:
    with Court(Budget(call_s=3, cell_s=20, mutants_s=1)) as court:
        material = court.material(
            FIRST, answer(LOOPS, "backward"), graded(TESTS, "backward_tests"), files=FILES
        )
        material = replace(material, rules=Rules(follow_through=True))
        for change, words in (
            (("0.5 * X", "np.cos(X[::-1])"), ""),
            (("0.5 *", "1.5 *"), "a 0.5 were a 1.5"),
        ):
            graded_one = court.grade(material, {"backward": LOOPS.replace(*change)})
            verdict = verdicts(graded_one)["backward_tests"]
            assert verdict.status == "failed"
            assert words in verdict.message
            shown = [output for one in graded_one.notebook.cells[-1:] for output in one.outputs]
            assert [output.output_type for output in shown] == ["error"]


UNSEEN = """def backward(X, W, G):
    total = np.zeros(X.shape[1])
    for n in range(2):
        total = total + X[n] ** 2
    return W.T @ (G * np.exp(-total)) + 0.5 * X"""
UNSEEN_TESTS = TESTS.replace("np.sum(X * X, axis=0)", "(X[0] * X[0] + X[1] * X[1])")


def test_change_of_what_no_student_sees_is_not_told(court: Court) -> None:
    material = court.material(
        FIRST, answer(UNSEEN, "backward"), graded(UNSEEN_TESTS, "backward_tests"), files=FILES
    )
    material = replace(material, rules=Rules(follow_through=True))
    wrong = UNSEEN.replace("range(2)", "range(1)")
    text = verdicts(court.grade(material, {"backward": wrong}))["backward_tests"].message
    assert "expected" in text
    assert "a 2 were a 1" not in text


def test_text_of_an_answer_still_does_not_become_code(court: Court) -> None:
    tests = TESTS.replace("check(", "label = backward.__doc__ or '1'\ntry:\n    check(").replace(
        " for n in (2, 3, 5)])",
        " for n in (2, 3, 5)])\nexcept AssertionError:\n    pass\nvalue = eval(label)",
    )
    wrong = SOLUTION.replace("X**2", "X**3").replace("G):\n", "G):\n    '''print(reference)'''\n")
    assert "a test cannot run the text of an answer here" in message(court, wrong, tests)
