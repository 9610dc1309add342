"""Replayed cells show what a run would have shown, and verdicts are the same, with real boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from building import answer, cell, graded
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from refereed import Court

from nbreferee.budget import Budget
from nbreferee.course.replaying import CodeCell, read_for_replay
from nbreferee.course.rules import Rules
from nbreferee.engine.assignment_files import AssignmentFiles
from nbreferee.engine.processes import BoxHandle
from nbreferee.grading.notebook import GradedNotebook, NotebookMaterial

IMPORTS = "import numpy as np\nimport matplotlib.pyplot as plt\n\nK = 2"
F = "def f(x):\n    return K * np.asarray(x, dtype=float)"
G = "def g(x):\n    return f(x) + 1"
TESTS = {
    "f": "assert f([1.0])[0] == 2, f'f is {f([1.0])}'",
    "g": "assert g([1.0])[0] == 3, f'g is {g([1.0])}'",
}
BETWEEN_F_AND_G = (
    "x = np.array([1.0, 2.0])\nprint(f(x))",
    "y = f([3.0])",
    "print(sorted(globals())[:0])",
    "for x in ([1.0], [2.0]):\n    print(f(x).round(3))",
    "a = [1.0]\na.append(float(f(a)[0]))\nprint(a)",
    "def twice(x):\n    return f(f(x))\n\nprint(twice([1.0]))",
    "fig, ax = plt.subplots(figsize=(1, 1))\nax.plot(f([0.0, 1.0]))\nplt.show()",
    "K = 2",
    "z = f",
)
AFTER_G = (
    "print(g([5.0]), f([1.0]))",
    "print(g(g([1.0])))",
    "print(y, g(y))",
    "y += g(y)",
    "print(a, x)",
    "print(twice(x))",
    "print(z([1.0]))",
    "ax.set_title('t')\nfig",
    "with np.errstate(all='ignore'):\n    print(g([1.0]) / 0)",
    "print([g(n)[()] if n else 0 for n in (0.0, 1.0)])",
    "x = g([0.5])\nassert x[0] == 2, 'no'",
    "print(K, x)\nK = 3",
)
FS = (
    F,
    "def f(x):\n    return np.asarray(x, dtype=float) + np.asarray(x, dtype=float)",
    "def f(x):\n    return [2 * one for one in x]",
    "def f(x):\n    print('called')\n    return K * np.asarray(x, dtype=float)",
    "def f(x):\n    np.asarray(x)[...] = 0\n    return K * np.asarray(x, dtype=float)",
    "def f(x):\n    raise NotImplementedError",
    "def f(x):\n    return K * np.asarray(x, dtype=float) / np.float64(0)",
    "def f(x):\n    y.append(1)\n    return K * np.asarray(x, dtype=float)",
    "def f(x, seen=[]):\n    seen.append(1)\n    return len(seen) * np.asarray(x, dtype=float)",
    "def f(x):\n    return np.asarray(x, dtype=float) if np.size(x) == 1 else K * np.asarray(x, dtype=float)",
    "K = 3\ndef f(x):\n    return K * np.asarray(x, dtype=float)",
    "f = lambda x: K * np.asarray(x, dtype=float)",
    "x = np.zeros(2)\n" + F,
)
GS = (
    G,
    "def g(x):\n    return 1 + K * np.asarray(x, dtype=float)",
    "def g(x):\n    return f(x)",
    "def g(x):\n    return f(x) + (np.size(x) and y[0] / y[0])",
    "def g(x):\n    z = f(x)\n    z += 1\n    return z",
    "def f(x):\n    return np.zeros(3)\n\ndef g(x):\n    return f(x)",
    "a = [9.0]\ny = np.array([1.0])\n" + G,
)
ADDED = (
    "",
    "x = f([7.0])\nprint(x)",
    "y = np.zeros(1)",
    "f = np.cos",
    "print(In[-1][:1])",
    "%who_ls",
)


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court(Budget(call_s=10, cell_s=20)) as court:
        yield court


def solution(source: str, grade_id: str) -> NotebookNode:
    body = source.replace("\n    ", "\n    ### BEGIN SOLUTION\n    ", 1) + "\n    ### END SOLUTION"
    return answer(body, grade_id)


def material(court: Court, between: list[str], after: list[str]) -> NotebookMaterial:
    return court.material(
        cell(IMPORTS, grade_id="imports", locked=True),
        solution(F, "f"),
        *map(cell, between),
        graded(TESTS["f"], "f_tests"),
        solution(G, "g"),
        *map(cell, after),
        graded(TESTS["g"], "g_tests"),
    )


def seen(graded: GradedNotebook) -> list[object]:
    """Return what a person sees of a notebook, with the fact of a picture in its place."""
    found: list[object] = []
    for one in graded.notebook.cells:
        for output in one.get("outputs", ()):
            shown = dict(output)
            if "image/png" in shown.get("data", {}):
                shown["data"] = {**shown["data"], "image/png": len(shown["data"]["image/png"]) > 99}
            shown.pop("execution_count", None)
            found.append((one.source, shown))
    return found


def both(
    court: Court, material: NotebookMaterial, answers: dict[str, str], added: dict[str, str]
) -> tuple[int, int]:
    run = court.grade(replace(material, rules=Rules()), answers, added)
    replayed = court.grade(replace(material, rules=Rules(replay=True)), answers, added)
    assert seen(replayed) == seen(run)
    assert replayed.cells == run.cells
    return replayed.result.cost.cells_run, run.result.cost.cells_run


@settings(
    max_examples=6,
    derandomize=True,
    phases=[Phase.generate],  # each example starts processes
    suppress_health_check=list(HealthCheck),
)
@given(
    st.lists(st.sampled_from(BETWEEN_F_AND_G), min_size=1, max_size=4),
    st.lists(st.sampled_from(AFTER_G), min_size=1, max_size=4),
    st.lists(
        st.tuples(st.sampled_from(FS), st.sampled_from(GS), st.sampled_from(ADDED)),
        min_size=3,
        max_size=3,
    ),
)
def test_replayed_and_run_notebooks_are_the_same(
    court: Court, between: list[str], after: list[str], students: list[tuple[str, str, str]]
) -> None:
    of_course = material(court, between, after)
    for f, g, added in students:
        both(court, of_course, {"f": f, "g": g}, {"g": added} if added else {})


FIGURE = BETWEEN_F_AND_G[6]
BETWEEN = ["y = f([3.0])", "a = [1.0]", FIGURE, BETWEEN_F_AND_G[5]]
AFTER = ["print(y, g(y))", "a.append(1.0)\nprint(g(a))", "print(a)", "print(twice([2.0]))"]


@pytest.mark.parametrize("f", FS, ids=range(len(FS)))
def test_each_answer_shows_what_it_does(court: Court, f: str) -> None:
    both(court, material(court, BETWEEN, AFTER), {"f": f}, {})


IN_PLACE = "def f(x):\n    y = np.zeros(len(x))\n    y[: len(x)] += K * np.asarray(x)\n    return y"


@pytest.mark.parametrize("f", [FS[1], IN_PLACE])
def test_right_answer_written_in_another_way_is_not_run_for_what_it_shows(
    f: str, court: Court
) -> None:
    of_course = material(court, [FIGURE], ["print(g([1.0]))"])
    replayed, run = both(court, of_course, {"f": f, "g": GS[1]}, {})
    assert run - replayed == 2


def test_wrong_answer_runs_the_cells_that_use_it_alone(court: Court) -> None:
    of_course = material(court, ["print(f([1.0]))"], ["print(g([1.0]))"])
    replayed, run = both(court, of_course, {"g": GS[2]}, {})
    assert run - replayed == 1


@pytest.mark.parametrize(("between", "boxes"), [("k = 2", 1), ("k, y = 2, 1.0", 2)])
def test_cell_that_is_needed_after_all_runs_late_where_it_makes_no_difference(
    between: str, boxes: int, court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_course = material(court, ["y = f([3.0])"], [f"print(g([1.0]))\n{between}", "print(y, g(k))"])
    both(court, of_course, {"g": GS[2]}, {})
    taken: list[BoxHandle] = []
    box = court.warm.box

    def counted(files: AssignmentFiles) -> BoxHandle:
        taken.append(box(files))
        return taken[-1]

    monkeypatch.setattr(court.warm, "box", counted)
    court.grade(replace(of_course, rules=Rules(replay=True)), {"g": GS[2]})
    assert len(taken) == boxes


def test_name_that_a_test_reads_is_bound_by_a_run(court: Court) -> None:
    of_course = court.material(
        cell(IMPORTS, grade_id="imports", locked=True),
        solution(F, "f"),
        cell("value = f([1.0])"),
        graded("assert value[0] == 2", "f_tests"),
    )
    replayed, run = both(court, of_course, {"f": FS[1]}, {})
    assert replayed == run


def test_last_bit_counts_where_a_cell_may_tell_it_apart(court: Court) -> None:
    tenth = "def f(x):\n    return {}"
    of_course = court.material(
        cell(IMPORTS, grade_id="imports", locked=True),
        solution(tenth.format("0.3"), "f"),
        cell("print(f(0) == 0.3)"),
        graded("assert abs(f(0) - 0.3) < 1e-9", "f_tests"),
    )
    both(court, of_course, {"f": tenth.format("0.1 + 0.2")}, {})


KEEPING = (
    "def f(x, seen=[]):\n    seen.append(1)\n    return (2 + len(seen) // 2) * np.asarray(x, dtype=float)",
    "seen = []\n\ndef f(x):\n    return (2 + len(seen)) * np.asarray(x, dtype=float)",
)


@pytest.mark.parametrize("f", [*KEEPING, FS[1]], ids=["default", "global", "nothing"])
def test_equal_calls_count_once_only_where_nothing_is_kept(court: Court, f: str) -> None:
    both(court, material(court, ["print(f([1.0]), f([1.0]), f([1.0]))"], []), {"f": f}, {})


@pytest.mark.parametrize(
    ("f", "is_repeatable"),
    [(F, True), *((one, False) for one in KEEPING)],
    ids=["nothing", "default", "global"],
)
def test_function_is_known_to_keep_nothing(f: str, is_repeatable: bool) -> None:
    cells = [
        CodeCell(0, IMPORTS),
        CodeCell(1, f, is_students=True),
        CodeCell(2, "print(f([1.0]))"),
    ]
    assert read_for_replay(cells, {}).is_repeatable == is_repeatable


EYE = "def f(x):\n    return np.eye(2) * x"
UNLIKE = {
    "a global array": (
        EYE,
        "E = np.eye(2)\n\ndef f(x):\n    return E",
        "y, z = f(1), f(1)\ny[0, 0] = 5\nprint(y, z)",
    ),
    "an array of a default": (
        EYE,
        "def f(x, kept={'E': np.eye(2)}):\n    return kept['E'].T",
        "y, z = f(1), f(1)\ny[0, 0] = 5\nprint(y, z)",
    ),
    "an argument in a dictionary": (
        "def f(x):\n    return {'x': np.array(x)}",
        "def f(x):\n    return {'x': x}",
        "x = np.ones(2)\ny = f(x)\nx[0] = 5\nprint(y)",
    ),
    "one array twice": (
        "def f(x):\n    return [np.ones(x), np.ones(x)]",
        "def f(x):\n    return [np.ones(x)] * 2",
        "y = f(2)\ny[0][0] = 5\nprint(y)",
    ),
    "two parts of one array": (
        "def f(x):\n    return np.ones(2), np.ones(2)",
        "def f(x):\n    y = np.ones(2)\n    return y, y[:]",
        "y, z = f(2)\ny[0] = 5\nprint(z)",
    ),
    "another default": (
        "def f(x, n=2):\n    return n",
        "def f(x, n=3):\n    return n",
        "print(f(1))",
    ),
    "no default": ("def f(x, n=2):\n    return n", "def f(x, n):\n    return n", "print(f(1))"),
    "another parameter": ("def f(x):\n    return x", "def f(y):\n    return y", "print(f(x=1))"),
    "a parameter without a name": (
        "def f(x):\n    return x",
        "def f(x, /):\n    return x",
        "print(f(x=1))",
    ),
    "the sign of zero": ("def f(x):\n    return 0.0", "def f(x):\n    return -0.0", "print(f(1))"),
    "a text": ("def f(x):\n    'f'\n    return x", "def f(x):\n    return x", "print(f.__doc__)"),
    "whose memory it is": (
        EYE,
        "def f(x):\n    return (np.eye(2) * x).reshape(2, 2)",
        "print(f(1).base is None)",
    ),
    "the order in memory": (EYE, "def f(x):\n    return np.eye(2).T * x", "print(f(1).flags)"),
}


@pytest.mark.parametrize("way", UNLIKE)
def test_equal_results_that_are_not_alike_in_all_that_can_be_seen(way: str, court: Court) -> None:
    right, theirs, shown = UNLIKE[way]
    of_course = court.material(
        cell(IMPORTS, grade_id="imports", locked=True),
        solution(right, "f"),
        cell(shown),
        graded("assert f(1) is not None", "f_tests"),
    )
    both(court, of_course, {"f": theirs}, {})


FRESH = (
    "def f(x):\n    y = K * np.asarray(x, dtype=float)\n    return y.reshape(1, -1)[0].T",
    "def f(x):\n    return [K * np.asarray(x, dtype=float), {'a': []}][0]",
    "def f(x):\n    y = [K * np.asarray(x, dtype=float)]\n    return y.pop()",
)


@pytest.mark.parametrize("f", FRESH)
def test_result_that_nothing_else_holds_is_compared(f: str, court: Court) -> None:
    replayed, run = both(court, material(court, ["print(f([1.0]))"], []), {"f": f}, {})
    assert run - replayed == 1


@pytest.mark.parametrize("deep", ["1" + " + 1" * 50_000, "not " * 20_000 + "1"])
def test_cell_that_is_nested_too_deeply_to_be_read_is_run(deep: str, court: Court) -> None:
    of_course = material(court, ["print(f([1.0]))"], [])
    replayed, run = both(court, of_course, {"f": FS[1]}, {"g": deep})
    assert replayed == run


def test_calls_that_are_made_for_replay_are_not_counted(court: Court) -> None:
    counting = (
        "def f(x, seen=[]):\n    seen.append(1)\n    k = 2 if len(seen) in (1, 3) else 5\n"
        "    return k * np.asarray(x, dtype=float)"
    )
    of_course = court.material(
        cell(IMPORTS, grade_id="imports", locked=True),
        solution(F, "f"),
        cell("print(f([1.0]), f([2.0]))"),
        graded(TESTS["f"], "f_tests"),
    )
    both(court, of_course, {"f": counting}, {})


@pytest.mark.parametrize(
    "shown", ["int(f([1.0])[0])", "f([1.0]).astype(int)", "np.fix(f([1.0]))", "f([1.0]) % 1"]
)
def test_last_bit_counts_where_a_number_is_cut(shown: str, court: Court) -> None:
    less = "def f(x):\n    return K * np.asarray(x, dtype=float) - 1e-12"
    both(court, material(court, [f"print({shown})"], []), {"f": less}, {})
