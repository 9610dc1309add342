"""A step that is right counts, even if an earlier answer that it uses is wrong; nobody gains by
that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import nbformat
import pytest
from building import answer, cell, graded
from hand_in import solved
from nbformat import NotebookNode
from notebooks import COURSE, what_notebooks_import
from refereed import Court, verdicts

from nbreferee.budget import Budget
from nbreferee.course.rules import Rules
from nbreferee.grading.notebook import NotebookMaterial
from nbreferee.submission.originals import Released
from nbreferee.verdicts import CellVerdict, read_verdict, verdict_as_json

RIGHT = "Your {} is wrong; with a right one this is right."
SOFTMAX = COURSE / "source/softmax/softmax.ipynb"


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court(Budget(call_s=2, cell_s=6)) as court:
        yield court


def material(
    court: Court,
    *cells: NotebookNode,
    follow_through: bool = True,
    files: Mapping[str, bytes] | None = None,
) -> NotebookMaterial:
    return replace(court.material(*cells, files=files), rules=Rules(follow_through=follow_through))


def locked(source: str, grade_id: str) -> NotebookNode:
    return cell(source, grade_id=grade_id, locked=True)


def function(source: str) -> NotebookNode:
    """An answer cell; its grade id is the name of the function."""
    return answer(source, source.partition("(")[0].rpartition(" ")[2])


# f(x) = x + 1, and g, which uses it; a later test of f, and a later answer of the same shape.
F, G = function("def f(x):\n    return x + 1"), function("def g(x):\n    return 2 * f(x)")
F_TESTS, G_TESTS = (
    graded("assert f(1) == 2", "f_tests"),
    graded("assert g(1) == 4\nassert g(3) == 8", "g_tests"),
)
WRONG_F = "def f(x):\n    return x - 1"


def judged(
    court: Court, cells: Iterable[NotebookNode], answers: Mapping[str, str], **more: Any
) -> dict[str, CellVerdict]:
    return verdicts(court.grade(material(court, *cells), answers, **more))


# ---------------------------------------------------------------- the softmax notebook


def test_softmax_that_rounds_costs_its_own_points_and_no_others(court: Court) -> None:
    of_course = nbformat.read(SOFTMAX, as_version=4)
    files = court.files(what_notebooks_import())
    follow = NotebookMaterial(
        str(SOFTMAX), SOFTMAX.read_bytes(), {}, files, Rules(follow_through=True)
    )
    follow = replace(
        follow,
        released={
            one.grade_id: Released(one.source, "") for one in follow.master.cells if one.grade_id
        },
    )
    answers = solved(of_course)
    lines = answers["softmax"].split("\n")
    [last] = [n for n, line in enumerate(lines) if "return " in line and '"""' not in line]
    lines[last] = f"{lines[last].replace('return ', 'return np.round(')}, 4)"
    found = verdicts(court.grade(follow, {**answers, "softmax": "\n".join(lines)}))
    tests = {one.grade_id: one.points for one in follow.master.tests}
    own = {grade_id for grade_id in tests if grade_id in ("softmax_check", "softmax_tests")}
    assert {grade_id: found[grade_id].score for grade_id in tests} == {
        name: 0 if name in own else points for name, points in tests.items()
    }
    assert found["softmax_jacobian_tests"].message == RIGHT.format("softmax")
    assert found["softmax_rows_tests"].follow_through == ()


# ---------------------------------------------------------------- what counts


def test_without_the_setting_each_cell_stands_for_itself(court: Court) -> None:
    found = verdicts(
        court.grade(material(court, F, F_TESTS, G, G_TESTS, follow_through=False), {"f": WRONG_F})
    )
    assert [one.score for one in found.values()] == [0, 0]


USES = {
    "directly": "def g(x):\n    return 2 * f(x)",
    "through a helper": "def helper(x):\n    return f(x)\n\ndef g(x):\n    return 2 * helper(x)",
    "through a helper of a helper": (
        "def a(x):\n    return f(x)\n\ndef b(x):\n    return a(x)\n\ndef g(x):\n    return 2 * b(x)"
    ),
    "in a nested function": (
        "def g(x):\n    def twice():\n        return 2 * f(x)\n    return twice()"
    ),
    "in a lambda in a list": "g = [lambda x: 2 * f(x)][0]",
    "in a comprehension": "def g(x):\n    return sum(f(x) for _ in range(2))",
    "under another name": "plus = f\n\ndef g(x):\n    return 2 * plus(x)",
    "as a default": "def g(x, *, plus=f):\n    return 2 * plus(x)",
    "as a positional default": "def g(x, plus=f):\n    return 2 * plus(x)",
    "in a closure": "def doubled(h):\n    return lambda x: 2 * h(x)\n\ng = doubled(f)",
    "in a dictionary": "steps = {'plus': f}\n\ndef g(x):\n    return 2 * steps['plus'](x)",
    "by globals()": "def g(x):\n    return 2 * globals()['f'](x)",
    "behind a cache": "import functools\n\n@functools.lru_cache\ndef g(x):\n    return 2 * f(x)",
    "in a decorated function": "import functools\n\ndef logged(h):\n    @functools.wraps(h)\n    def inner(*a):\n"
    "        return h(*a)\n"
    "    return inner\n\n@logged\ndef g(x):\n    return 2 * f(x)",
    "in a method": (
        "class Twice:\n    def of(self, x):\n        return 2 * f(x)\n\ndef g(x):\n"
        "    return Twice().of(x)"
    ),
    "in a callable object": (
        "class Twice:\n    def __call__(self, x):\n        return 2 * f(x)\n\ntwice = Twice()\n\n"
        "def g(x):\n    return twice(x)"
    ),
    "by np.vectorize": "import numpy as np\ng = np.vectorize(lambda x: 2 * f(x))",
}


@pytest.mark.parametrize("use", USES)
def test_answer_is_followed_however_it_uses_the_wrong_one(use: str, court: Court) -> None:
    found = judged(court, (F, F_TESTS, G, G_TESTS), {"f": WRONG_F, "g": USES[use]})
    assert found["f_tests"].score == 0
    assert (found["g_tests"].status, found["g_tests"].score, found["g_tests"].message) == (
        "passed",
        2,
        RIGHT.format("f"),
    )
    assert found["g_tests"].follow_through == ("f",)
    assert read_verdict(verdict_as_json(found["g_tests"])) == found["g_tests"]


@pytest.mark.parametrize(
    "wrong",
    [
        "raise NotImplementedError",
        "def f(x:\n    no Python",
        "def f(x):\n    while True:\n        pass",
        "import os\n\ndef f(x):\n    os._exit(1)",
        "def f(x):\n    return f(x)",
        "f = 3",
    ],
    ids=["missing", "no Python", "endless", "ends the process", "recursive", "no function"],
)
def test_answer_that_cannot_be_used_at_all_costs_its_own_points_and_no_others(
    wrong: str, court: Court
) -> None:
    found = judged(court, (F, F_TESTS, G, G_TESTS), {"f": wrong})
    assert (found["f_tests"].score, found["g_tests"].score) == (0, 2)


def test_right_answer_to_wrong_numbers_is_not_judged_again_and_a_wrong_one_is_told_what_is_its_own(
    court: Court,
) -> None:
    wrong_g = "def g(x):\n    return 3 * f(x)"
    told = graded("assert g(1) == 4, f'g(1) is {g(1)}, expected 4'", "g_tests")
    found = judged(court, (F, F_TESTS, G, told), {"f": WRONG_F, "g": wrong_g})["g_tests"]
    assert (found.score, found.message) == (
        0,
        "Your f is wrong; with a right one this still fails: g(1) is 6, expected 4",
    )
    found = judged(court, (F, F_TESTS, G, told), {"g": wrong_g})["g_tests"]
    assert (found.score, found.message, found.follow_through) == (0, "g(1) is 6, expected 4", ())


def test_answer_that_is_not_written_is_called_so(court: Court) -> None:
    stub = "def f(x):\n    raise NotImplementedError"
    follow = material(court, F, F_TESTS, G, G_TESTS)
    follow = replace(follow, released={**follow.released, "f": Released(stub, "")})
    found = verdicts(court.grade(follow, {"f": stub}))["g_tests"]
    assert (found.score, found.message) == (
        2,
        "Your f is not written yet; with a right one this is right.",
    )


def test_answer_that_does_not_use_the_wrong_one_is_not_judged_again(court: Court) -> None:
    found = judged(
        court, (F, F_TESTS, G, G_TESTS), {"f": WRONG_F, "g": "def g(x):\n    return 3 * x"}
    )["g_tests"]
    assert (found.score, found.follow_through) == (0, ())
    assert "Your f" not in found.message


def test_partial_credit_gets_better_and_says_what_still_fails(court: Court) -> None:
    cells = F, F_TESTS, G, graded("0.5 * (g(1) == 4) + 1.5 * (g(0) == 2)", "g_tests")
    full = judged(court, cells, {"f": WRONG_F})["g_tests"]
    assert (full.status, full.score, full.message) == ("passed", 2, RIGHT.format("f"))
    more = judged(court, cells, {"f": WRONG_F, "g": "def g(x):\n    return 2 * f(x) if x else 7"})[
        "g_tests"
    ]
    assert (more.status, more.score) == ("partial", 0.5)
    assert more.message.startswith(
        "Your f is wrong; with a right one this gets 0.5 of 2 points, and what still fails is "
        "this: "
    )
    own = judged(
        court, cells, {"f": WRONG_F, "g": "def g(x):\n    return 2 if x == 0 else 3 * f(x)"}
    )["g_tests"]
    assert (own.status, own.score) == ("partial", 1.5)


CHAIN = (
    F,
    F_TESTS,
    G,
    G_TESTS,
    function("def h(x):\n    return g(x) + f(x)"),
    graded("assert h(1) == 6", "h_tests"),
    function("def k(x):\n    return h(x) ** 2"),
    graded("assert k(1) == 36", "k_tests"),
)


def test_chain_is_followed_and_each_answer_counts_by_itself(court: Court) -> None:
    found = judged(court, CHAIN, {"f": WRONG_F})
    assert {name: one.score for name, one in found.items()} == {
        "f_tests": 0,
        "g_tests": 2,
        "h_tests": 2,
        "k_tests": 2,
    }
    assert found["k_tests"].follow_through == ("f",)  # g and h are right
    found = judged(court, CHAIN, {"f": WRONG_F, "g": "def g(x):\n    return 5 * f(x)"})
    assert {name: one.score for name, one in found.items()} == {
        "f_tests": 0,
        "g_tests": 0,
        "h_tests": 2,
        "k_tests": 2,
    }
    assert found["h_tests"].message == "Your f and g are wrong; with right ones this is right."


def test_what_is_under_test_is_never_replaced(court: Court) -> None:
    both = graded("assert g(1) == 2 * f(1) == 4", "both_tests")
    helper = locked("def twice(x):\n    return 2 * f(x)", "helper")
    through_helper = graded("assert twice(1) == 4 and g(1) == 4", "helper_tests")
    through_test = (
        graded("def of_f(x):\n    return f(x)\n\nassert of_f(1) == 2", "own_tests"),
        graded("assert of_f(1) == 2 and g(1) == 4", "later_tests"),
    )
    found = judged(
        court, (F, F_TESTS, helper, G, G_TESTS, both, through_helper, *through_test), {"f": WRONG_F}
    )
    assert {name: one.score for name, one in found.items()} == {
        "f_tests": 0,
        "g_tests": 2,
        "both_tests": 0,
        "helper_tests": 0,
        "own_tests": 0,
        "later_tests": 0,
    }


def test_cell_that_turns_out_to_read_a_replaced_answer_is_not_judged_again(court: Court) -> None:
    hidden = graded("exec('def of_f(x):\\n    return f(x)')\nassert of_f(1) == 2", "own_tests")
    found = judged(
        court,
        (F, F_TESTS, G, hidden, graded("assert of_f(1) == 2 and g(1) == 4", "later_tests")),
        {"f": WRONG_F},
    )
    assert (found["later_tests"].score, found["later_tests"].follow_through) == (0, ())


def test_recursive_answer_stays_the_students(court: Court) -> None:
    again = graded("assert f(0) == 1 and g(1) == 4", "again_tests")
    recursive = "def g(x):\n    return 2 * f(x) if x < 2 else g(x - 1) + 3"
    found = judged(court, (F, F_TESTS, G, G_TESTS, again), {"f": WRONG_F, "g": recursive})
    assert (found["g_tests"].score, found["again_tests"].score) == (0, 0)


def test_answer_that_is_bound_again_later_is_replaced_by_the_one_of_that_time(court: Court) -> None:
    second_f = answer("def f(x):\n    return x + 10", "f_again")
    second_g = answer("def k(x):\n    return 2 * f(x)", "k")
    cells = (
        F,
        F_TESTS,
        G,
        G_TESTS,
        second_f,
        graded("assert f(1) == 11", "f_again_tests"),
        second_g,
        graded("assert k(1) == 22", "k_tests"),
    )
    found = judged(court, cells, {"f": WRONG_F})
    assert ({name: one.score for name, one in found.items()}) == {
        "f_tests": 0,
        "g_tests": 2,
        "f_again_tests": 2,
        "k_tests": 2,
    }
    assert found["k_tests"].follow_through == ()
    found = judged(court, cells, {"f_again": WRONG_F})
    assert ({name: one.score for name, one in found.items()}) == {
        "f_tests": 2,
        "g_tests": 2,
        "f_again_tests": 0,
        "k_tests": 2,
    }


def test_reference_changes_its_arguments_and_returns_them_as_in_one_process(court: Court) -> None:
    scaled = function("def scale(a):\n    a *= 2\n    return a")
    uses = function(
        "import numpy as np\ndef total(a):\n    a = np.array(a)\n    same = scale(a)\n"
        "    return (a.sum(), same is a)"
    )
    cells = (
        locked("import numpy as np", "imports"),
        scaled,
        graded("assert scale(np.array([1.0]))[0] == 2", "scale_tests"),
        uses,
        graded("assert total([1.0, 2.0]) == (6.0, True)", "total_tests"),
    )
    found = judged(court, cells, {"scale": "def scale(a):\n    return a"})
    assert (found["scale_tests"].score, found["total_tests"].score) == (0, 2)


def test_reference_raises_with_its_class_and_message_and_prints_nothing(court: Court) -> None:
    root = function(
        "def root(x):\n    print('PURPLE')\n    if x < 0:\n"
        "        raise ValueError('no root of', x)\n    return x ** 0.5"
    )
    safe = function(
        "def safe(x):\n    try:\n        return root(x)\n    except ValueError as error:\n"
        "        return str(error), vars(error)"
    )
    cells = (
        root,
        graded("assert root(4) == 2", "root_tests"),
        safe,
        graded("assert safe(-1) == (\"('no root of', -1)\", {})", "safe_tests"),
    )
    graded_notebook = court.grade(material(court, *cells), {"root": "def root(x):\n    return x"})
    assert verdicts(graded_notebook)["safe_tests"].score == 2
    assert "PURPLE" not in nbformat.writes(
        nbformat.v4.new_notebook(
            cells=[one for one in graded_notebook.notebook.cells if one.metadata.nbgrader.grade]
        )
    )


def test_value_and_function_of_functions_are_followed_and_a_class_is_not(court: Court) -> None:
    data, total = answer("data = [1, 2, 3]", "data"), function("def total():\n    return sum(data)")
    found = judged(
        court,
        (
            data,
            graded("assert data == [1, 2, 3]", "data_tests"),
            total,
            graded("assert total() == 6", "total_tests"),
        ),
        {"data": "data = []"},
    )
    assert (
        found["data_tests"].score,
        found["total_tests"].score,
        found["total_tests"].follow_through,
    ) == (0, 2, ("data",))
    adder, use = (
        function("def adder(n):\n    return lambda x: x + n"),
        function("def plus(x):\n    return adder(3)(x)"),
    )
    cells = (
        adder,
        graded("assert adder(1)(1) == 2", "adder_tests"),
        use,
        graded("assert plus(1) == 4", "plus_tests"),
    )
    assert judged(court, cells, {"adder": "def adder(n):\n    return 1"})["plus_tests"].score == 2
    kind, use = (
        answer("class Box:\n    value = 1", "Box"),
        function("def unbox():\n    return Box.value"),
    )
    cells = (
        kind,
        graded("assert Box.value == 1", "Box_tests"),
        use,
        graded("assert unbox() == 1", "unbox_tests"),
    )
    assert judged(court, cells, {"Box": "class Box:\n    value = 2"})["unbox_tests"].score == 0


def test_answer_may_hand_the_wrong_one_itself_to_the_test(court: Court) -> None:
    give = function("def give():\n    return f")
    found = judged(
        court, (F, F_TESTS, give, graded("assert give()(1) == 2", "give_tests")), {"f": WRONG_F}
    )
    assert (found["give_tests"].score, found["give_tests"].follow_through) == (2, ("f",))


def test_objects_of_the_instructors_classes_reach_references(court: Court) -> None:
    point = locked(
        "from dataclasses import dataclass\n\n@dataclass\nclass Point:\n    x: float\n    y: float",
        "point",
    )
    norm, unit = (
        function(
            "def norm(p):\n    assert isinstance(p, Point)\n    return (p.x**2 + p.y**2) ** 0.5"
        ),
        function("def scaled(p):\n    return p.x / norm(p)"),
    )
    cells = (
        point,
        norm,
        graded("assert norm(Point(3, 4)) == 5", "norm_tests"),
        unit,
        graded("assert scaled(Point(3, 4)) == 0.6", "scaled_tests"),
    )
    found = judged(court, cells, {"norm": "def norm(p):\n    return 0.0"})
    assert (found["norm_tests"].score, found["scaled_tests"].score) == (0, 2)


def test_cell_that_is_judged_in_one_process_counts_for_others_and_is_not_judged_again(
    court: Court,
) -> None:
    dice = function("import random\n\ndef dice():\n    return random.randint(1, 6)")
    patched = (
        "import random\nkept = random.randint\nrandom.randint = lambda a, b: a + b\ntry:\n"
        "    assert {}\nfinally:\n    random.randint = kept"
    )
    sums = function("def two():\n    return dice() + dice()")
    cells = (
        dice,
        graded(patched.format("dice() == 7"), "dice_tests"),
        sums,
        graded("assert 2 <= two() <= 12", "two_tests"),
        graded(patched.format("two() == 14"), "two_more"),
    )
    found = judged(court, cells, {"dice": "def dice():\n    return 100"})
    assert {name: (one.score, one.follow_through) for name, one in found.items()} == {
        "dice_tests": (0, ()),
        "two_tests": (2, ("dice",)),
        "two_more": (0, ()),
    }


def test_fault_of_a_test_is_no_fault_of_an_answer(court: Court) -> None:
    found = judged(
        court,
        (F, graded("assert f(1) == 3", "f_tests"), G, G_TESTS),
        {"g": "def g(x):\n    return f(x)"},
    )
    assert (found["f_tests"].status, found["g_tests"].follow_through) == ("manual", ())


def test_cell_shows_the_sentence_and_no_error(court: Court) -> None:
    found = court.grade(material(court, F, F_TESTS, G, G_TESTS), {"f": WRONG_F})
    [shown] = [one for one in found.notebook.cells if one.metadata.nbgrader.grade_id == "g_tests"]
    assert [(one.output_type, one.text.strip()) for one in shown.outputs] == [
        ("stream", RIGHT.format("f"))
    ]
    found = court.grade(
        material(court, F, F_TESTS, G, G_TESTS), {"f": WRONG_F, "g": "def g(x):\n    return f(x)"}
    )
    [shown] = [one for one in found.notebook.cells if one.metadata.nbgrader.grade_id == "g_tests"]
    assert [one.output_type for one in shown.outputs] == ["stream", "error"]
    assert shown.outputs[0].text == "Your f is wrong; with a right one this still fails:\n"


# ---------------------------------------------------------------- nobody gains

LATER = graded("assert [f(x) for x in range(5)] == [1, 2, 3, 4, 5]", "later_tests")
SAME = function("def same(x):\n    return x + 1"), graded("assert same(5) == 6", "same_tests")
STORES = "kept = []\n\ndef g(x):\n    if f(1) == 2:\n        kept.append(f)\n    return 2 * f(x)"
GAINS = {
    "keeps the function and calls it when the answer is under test": {
        "f": "def f(x):\n    return kept[-1](x) if kept else 0",
        "g": STORES,
    },
    "keeps values and looks them up": {
        "f": "table = {}\n\ndef f(x):\n    return table.get(x, -1)",
        "g": (
            "def g(x):\n    values = {n: f(n) for n in range(50)}\n    if values[2] == 3:\n"
            "        table.update(values)\n    return 2 * f(x)"
        ),
    },
    "writes values to a file": {
        "f": (
            "import json, os\n\ndef f(x):\n"
            "    return json.load(open('t'))[x] if os.path.exists('t') else -1"
        ),
        "g": (
            "import json\n\ndef g(x):\n    values = [f(n) for n in range(50)]\n"
            "    if values[2] == 3:\n        json.dump(values, open('t', 'w'))\n"
            "    return 2 * f(x)"
        ),
    },
    "puts it in the place of other names": {
        "f": WRONG_F,
        "same": "def same(x):\n    return 0",
        "g": (
            "import builtins\n\ndef g(x):\n    g_f = f\n    if g_f(1) == 2:\n"
            "        globals().update(same=g_f)\n        builtins.abs = g_f\n    return 2 * g_f(x)"
        ),
    },
    "binds it to other names": {"f": WRONG_F, "same": "same = kept[-1]", "g": STORES},
    "binds the name again": {
        "f": WRONG_F,
        "g": (
            "def g(x):\n    global f\n    mine = f\n    f = lambda x: mine(x)\n"
            "    return 2 * mine(x)"
        ),
    },
    "keeps the function and calls it in another answer": {
        "f": WRONG_F,
        "same": "def same(x):\n    return kept[-1](x) if kept else 0",
        "g": STORES,
    },
    "keeps what is to be put back from being put back": {
        "f": WRONG_F,
        "g": (
            "import gc\n\ndef g(x):\n    for one in gc.get_objects():\n"
            "        if type(one).__name__ == 'StandIns':\n            one._undo.clear()\n"
            "    return 2 * f(x)"
        ),
    },
}


@pytest.mark.parametrize("attack", GAINS)
def test_reference_is_of_no_use_in_other_cells(attack: str, court: Court) -> None:
    found = judged(court, (F, F_TESTS, G, G_TESTS, *SAME, LATER), GAINS[attack])
    assert (found["f_tests"].score, found["later_tests"].score) == (0, 0)
    assert found["g_tests"].score == 2  # which is right, whatever else it does
    assert found["same_tests"].score == (0 if "same" in GAINS[attack] else 2)


def test_function_that_a_reference_has_returned_is_of_no_use_later(court: Court) -> None:
    adder = function("def adder(n):\n    return lambda x: x + n")
    numbers = function("def numbers(n):\n    yield from range(n)")
    use = function("def plus(x):\n    return adder(3)(x) + next(numbers(5))")
    tests = graded("assert plus(1) == 4", "plus_tests")
    plus_two, zero = (
        function("def plus_three(x):\n    return x + 3"),
        function("def one():\n    return 1"),
    )
    cells = (
        adder,
        graded("assert adder(1)(1) == 2", "adder_tests"),
        numbers,
        graded("assert list(numbers(2)) == [0, 1]", "numbers_tests"),
        use,
        tests,
        plus_two,
        graded("assert plus_three(1) == 4", "plus_three_tests"),
        zero,
        graded("assert one() == 1", "one_tests"),
    )
    keeps = (
        "kept = []\n\ndef plus(x):\n    kept[:] = [adder(3), numbers(5)]\n"
        "    return kept[0](x) + next(kept[1])"
    )
    answers = {
        "adder": "def adder(n):\n    return None",
        "numbers": "def numbers(n):\n    return []",
        "plus": keeps,
    }
    for again in ("def plus_three(x):\n    return kept[0](x)", "plus_three = kept[0]"):
        found = judged(
            court,
            cells,
            {**answers, "plus_three": again, "one": "def one():\n    return next(kept[1])"},
        )
        assert {name: one.score for name, one in found.items()} == {
            "adder_tests": 0,
            "numbers_tests": 0,
            "plus_tests": 2,
            "plus_three_tests": 0,
            "one_tests": 0,
        }


ABUSES = {
    "calls without end": ("def g(x):\n    while True:\n        f(x)", 0),
    "ten million calls": (
        "def g(x):\n    for _ in range(10**7):\n        f(x)\n    return 2 * f(x)",
        0,
    ),
    "a huge argument": (
        "import numpy as np\n\ndef g(x):\n    f(np.zeros(10**8))\n    return 2 * f(x)",
        None,
    ),
    "an argument that grows in the reference": (
        "def g(x):\n    f(10 ** 10**5)\n    return 2 * f(x)",
        2,
    ),
    "objects as arguments": (
        (
            "def g(x):\n    for one in (object(), f, lambda: 1, g, type, print, iter([]), 1j, {}):\n"
            "        try:\n            f(one)\n"
            "        except Exception:\n            pass\n    return 2 * f(x)"
        ),
        2,
    ),
    "names for arguments": (
        (
            "def g(x):\n    for one in ({'self': 1}, {'number': 1}, {'arguments': ()}, {'x': 1, 'y': "
            "2}):\n        try:\n            f(**one)\n"
            "        except TypeError:\n            pass\n    return 2 * f(x=x)"
        ),
        2,
    ),
    "ten thousand arguments": (
        (
            "def g(x):\n    try:\n        f(*range(10000))\n    except TypeError:\n"
            "        return 2 * f(x)"
        ),
        2,
    ),
    "looks into it": (
        (
            "def g(x):\n    f == f, repr(f), hash(f), f.__name__, f.__doc__, f.__code__, "
            "f.__closure__, print(f), str(f)\n    return 2 * f(x)"
        ),
        2,
    ),
    "calls itself in an argument": (
        (
            "class Odd:\n    def __add__(self, other):\n        return 2 * f(other)\n\ndef g(x):\n"
            "    return f(Odd()) + 2 * f(x)"
        ),
        None,
    ),
    "raises inside": ("def g(x):\n    f(x)\n    raise SystemExit", 0),
    "ends the process": ("import os\n\ndef g(x):\n    if f(1) == 2:\n        os._exit(0)", 0),
    "speaks out of turn": (
        (
            "import gc\n\ndef g(x):\n    for one in gc.get_objects():\n"
            "        if type(one).__name__ == 'Channel':\n            one.send(b'garbage')\n"
            "    return 2 * f(x)"
        ),
        0,
    ),
}


@pytest.mark.parametrize("abuse", ABUSES)
def test_abuse_of_a_reference_costs_no_other_cell(abuse: str, court: Court) -> None:
    source, score = ABUSES[abuse]
    found = judged(court, (F, F_TESTS, G, G_TESTS, *SAME), {"f": WRONG_F, "g": source})
    assert (found["f_tests"].score, found["same_tests"].score) == (0, 2)
    if score is not None:
        assert found["g_tests"].score == score


def test_box_never_holds_the_solution(court: Court) -> None:
    marked = function(
        'def f(x):\n    """PURPLE-ELEPHANT"""\n    secret = "PURPLE-ELEPHANT"\n    return x + 1'
    )
    listens = """
import gc
heard = []
def listen(kind, real):
    def receive(self, *arguments, **named):
        frame = real(self, *arguments, **named)
        heard.append(bytes(frame))
        return frame
    kind.receive = receive
[channel] = [one for one in gc.get_objects() if type(one).__name__ == "Channel"]
listen(type(channel), type(channel).receive)
def g(x):
    right, all = f(x), b"".join(heard)
    return 2 * right if b"reference" in all and ("PURPLE" + "-").encode() + b"ELEPHANT" not in all else None
"""
    found = judged(court, (marked, F_TESTS, G, G_TESTS), {"f": WRONG_F, "g": listens})
    assert found["g_tests"].score == 2
    assert found["g_tests"].follow_through == ("f",)
