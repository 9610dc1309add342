"""Regrading with real boxes and testers: only what a change can reach is run, and the result is a full run's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import nbformat
import pytest
from building import answer, cell, graded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refereed import Court

from nbreferee.budget import Budget
from nbreferee.course.rules import Rules
from nbreferee.grading.notebook import GradedNotebook, NotebookMaterial, as_bytes
from nbreferee.grading.task import as_metadata

IMPORTS = cell("import numpy as np\n\nTABLE = [1, 2]", grade_id="imports", locked=True)
F = answer("def f(x):\n    ### BEGIN SOLUTION\n    return x + 1\n    ### END SOLUTION", "f")
G = answer("def g(x):\n    ### BEGIN SOLUTION\n    return 2 * f(x)\n    ### END SOLUTION", "g")
H = answer("def h(x):\n    ### BEGIN SOLUTION\n    return 3 * x\n    ### END SOLUTION", "h")
TRY_G = cell("print(g(3))\ng(TABLE)")
TRY_H = cell("print(h(3))")
F_TESTS = "assert f(1) == 2, f'f(1) is {f(1)}'"
G_TESTS = "def twice(x):\n    return 2 * (x + 1)\n\nassert g(1) == twice(1), f'g(1) is {g(1)}'"
H_TESTS = "def twice(x):\n    return 3 * x\n\nassert h(1) == twice(1), f'h(1) is {h(1)}'"
CODE_CELLS = 9


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court(Budget(call_s=10, cell_s=20)) as court:
        yield court


def material(
    court: Court, f: str = F_TESTS, g: str = G_TESTS, *, follow: bool = False
) -> NotebookMaterial:
    cells = [
        IMPORTS,
        F,
        graded(f, "f_tests"),
        G,
        TRY_G,
        graded(g, "g_tests"),
        H,
        TRY_H,
        graded(H_TESTS, "h_tests"),
    ]
    found = court.material(*cells)
    rules = Rules(follow_through=follow)
    return NotebookMaterial(found.path, found.data, found.released, found.files, rules)


def submission(material: NotebookMaterial, answers: Mapping[str, str]) -> bytes:
    cells = []
    for one in material.master.notebook.cells:
        mine = nbformat.from_dict(one)
        mine.source = answers.get(one.metadata.get("nbgrader", {}).get("grade_id", ""), one.source)
        cells.append(mine)
    text: str = nbformat.writes(nbformat.v4.new_notebook(cells=cells))
    return text.encode()


def executed(result: GradedNotebook) -> bytes:
    """The executed notebook as a worker writes it."""
    result.notebook.metadata["nbreferee"] = as_metadata(result)
    return as_bytes(result.notebook)


def regraded(
    court: Court,
    before: NotebookMaterial,
    after: NotebookMaterial,
    answers: Mapping[str, str],
    changed: Mapping[str, str] | None = None,
) -> GradedNotebook:
    """Grade, change, grade the change; the result must be that of a full run."""
    earlier = executed(court.grader.grade(before, submission(before, answers), {}))
    new = submission(after, {**answers, **(changed or {})})
    got = court.grader.grade(after, new, {}, None, earlier)
    want = court.grader.grade(after, new, {})
    assert replace(got.result, cost=want.result.cost) == want.result
    assert got.regrading == want.regrading
    assert [one.get("outputs") for one in got.notebook.cells] == [
        one.get("outputs") for one in want.notebook.cells
    ]
    code = [one for one in want.notebook.cells if one.cell_type == "code"]
    assert want.result.cost.cells_run == len(code)
    return got


ANOTHER_F = "def f(x):\n    return 1 + x"
OTHER_F_TESTS = "assert f(2) == 3, f'f(2) is {f(2)}'"


def test_changed_test_runs_what_it_reads_and_no_more(court: Court) -> None:
    before, after = material(court), material(court, OTHER_F_TESTS)
    assert regraded(court, before, after, {}).result.cost.cells_run == 2  # f and its tests
    wrong = {"f": "def f(x):\n    return 2 * x"}
    found = regraded(court, before, after, wrong)
    assert found.result.cost.cells_run == 2
    assert next((one.score, one.message) for one in found.cells) == (0, "f(2) is 4")


def test_changed_answer_runs_what_depends_on_it_and_no_more(court: Court) -> None:
    one = material(court)
    changed = {"h": "def h(x):\n    return x + x"}
    found = regraded(court, one, one, {}, changed)
    assert found.result.cost.cells_run == 3  # h, its trial and its tests
    assert found.cells[2].message == "h(1) is 2"
    found = regraded(court, one, one, {"g": "def g(x):\n    return f(x) / 0"}, {"f": ANOTHER_F})
    assert found.result.cost.cells_run == 6  # imports, f, its tests, g, its trial and its tests


def test_nothing_is_run_where_nothing_has_changed(court: Court) -> None:
    one = material(court)
    assert regraded(court, one, one, {"f": "def f(x):\n    return 0"}).result.cost.cells_run == 0


# Answers of each exercise: right, right in another way, wrong, changing what they are given, leaning
# on others, no Python. And what its tests may be.
DRAWN = {
    "f": (
        "def f(x):\n    return x + 1",
        ANOTHER_F,
        "def f(x):\n    return 2 * x",
        "def f(x, seen=[]):\n    seen.append(x)\n    return x + len(seen)",
        "def f(x:",
        "f = lambda x: x - -1",
    ),
    "g": (
        "def g(x):\n    return 2 * f(x)",
        "def g(x):\n    return 2 * x + 2",
        "def g(x):\n    TABLE.append(x)\n    return len(TABLE)",
        "def g(x):\n    return h(x)",
        "TABLE = [5]\n\ndef g(x):\n    return 2 * f(x) + len(TABLE) - 1",
        "1 / 0",
    ),
    "h": (
        "def h(x):\n    return 3 * x",
        "def h(x):\n    return f(x) + 2 * x - 1",
        "def h(x):\n    global TABLE\n    TABLE = []\n    return 3 * x",
        "def h(x):\n    return np.full(3, x).sum()",
        "def h(x):\n    return sum(TABLE) * x",
        "def h(x):\n    f.calls = getattr(f, 'calls', 0) + 1\n    return 3 * x * f.calls",
    ),
}
TESTS = {
    "f": (F_TESTS, OTHER_F_TESTS, "assert f(1) == f(1), 'f differs'"),
    "g": (G_TESTS, "assert g(2) == 6", "assert g(1) == 2 * f(1), f'{g(1)}, {f(1)}'"),
}


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck])
@given(
    st.fixed_dictionaries({name: st.sampled_from(some) for name, some in DRAWN.items()}),
    st.dictionaries(st.sampled_from("fgh"), st.integers(0, 5), max_size=2),
    *(st.tuples(*(st.sampled_from(TESTS[name]) for name in "fg")) for _ in range(2)),
    st.booleans(),
)
def test_random_answers_and_changes_come_to_a_full_run(
    court: Court,
    answers: dict[str, str],
    changed: dict[str, int],
    before: tuple[str, str],
    after: tuple[str, str],
    follow: bool,
) -> None:
    new = {name: DRAWN[name][number] for name, number in changed.items()}
    old_tests, new_tests = (material(court, *tests, follow=follow) for tests in (before, after))
    regraded(court, old_tests, new_tests, answers, new)


UNSURE = {
    "a file": "def h(x):\n    open('x', 'w').close()\n    return 3 * x",
    "random": "import random\n\ndef h(x):\n    return 3 * x",
    "a magic": "%timeit -n 1 -r 1 1\ndef h(x):\n    return 3 * x",
}


@pytest.mark.parametrize("what", UNSURE)
def test_everything_is_run_where_the_reading_is_not_sure(what: str, court: Court) -> None:
    before, after = material(court), material(court, OTHER_F_TESTS)
    answers = {"h": UNSURE[what]}
    earlier = executed(court.grader.grade(before, submission(before, answers), {}))
    assert "regrading" not in json.loads(earlier)["metadata"]["nbreferee"]
    found = court.grader.grade(after, submission(after, answers), {}, None, earlier)
    assert found.result.cost.cells_run == CODE_CELLS


ENDINGS = {"a loop": "while True: pass", "an end": "import os\n    os._exit(1)"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_run_in_which_something_was_cut_short_is_not_kept(ending: str) -> None:
    with Court(Budget(call_s=1, cell_s=2)) as court:
        one = material(court)
        answers = {"h": f"def h(x):\n    {ENDINGS[ending]}"}
        assert court.grader.grade(one, submission(one, answers), {}).regrading is None


def test_verdict_that_follows_through_is_judged_again_where_an_earlier_one_changes(
    court: Court,
) -> None:
    before = material(court, follow=True)
    after = material(court, OTHER_F_TESTS, follow=True)
    wrong = {
        "f": "def f(x):\n    return 2 * x if x < 2 else x + 1",
        "g": "def g(x):\n    return f(x)",
    }
    found = regraded(court, before, after, wrong)
    assert [one.score for one in found.cells] == [2, 0, 2]
    both = {"f": "def f(x):\n    return 3", "g": "def g(x):\n    return 2 * f(x)"}
    found = regraded(court, before, after, both)
    assert [one.score for one in found.cells] == [2, 0, 2]
    assert not found.cells[1].follow_through
    back = regraded(court, after, before, both)
    assert [one.score for one in back.cells] == [0, 2, 2]
    assert back.cells[1].follow_through == ("f",)
    assert back.result.cost.cells_run == 2 + 4  # f and its tests; then g and its tests as well


def test_verdict_that_cannot_use_an_answer_is_kept_whatever_becomes_of_that(court: Court) -> None:
    before = material(court, follow=True)
    after = material(court, g="assert g(2) == 6, 'g(2) is another'", follow=True)
    apart = {"g": "def g(x):\n    return 6", "h": "def h(x):\n    return 7"}
    found = regraded(court, before, after, apart)
    assert [one.score for one in found.cells] == [2, 2, 0]
    assert found.result.cost.cells_run == 2  # g and its tests
    leaning = {**apart, "h": "def h(x):\n    return g(x) + 1"}
    found = regraded(court, before, after, leaning)
    assert found.result.cost.cells_run > 2
