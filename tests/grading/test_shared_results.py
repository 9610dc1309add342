"""Students with equal answers share results; nobody loses a point for another's notebook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from building import answer, cell, graded
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from refereed import Court

from nbreferee.budget import Budget
from nbreferee.course.rules import Rules
from nbreferee.engine import figure_runner
from nbreferee.engine.box_runner import CellResult, CellToRun
from nbreferee.grading import shared_results
from nbreferee.grading.notebook import GradedNotebook, NotebookMaterial
from nbreferee.grading.regrading import CellKeys
from nbreferee.grading.shared_results import FOLDER, SharedResults
from nbreferee.verdicts import CellStatus, CellVerdict

SHARING = Rules(follow_through=True, replay=True, share_results=True)
APART = replace(SHARING, share_results=False)
FS = (
    "def f(x):\n    return 2 * np.asarray(x)",
    "def f(x):\n    return np.asarray(x) + np.asarray(x)",
    "def f(x):\n    return 3 * np.asarray(x)",
    "def f(x):\n    raise NotImplementedError",
    "def f(x):\n    print(x)\n    return 2 * np.asarray(x)",
    "def f(x):\n    return 2 * np.asarray(x",
)
GS = (
    "def g(x):\n    return f(x) + 1",
    "def g(x):\n    return 2 * np.asarray(x) + 1",
    "def g(x):\n    return f(x)",
    "def g(x):\n    f.a = 1\n    return f(x) + 1",
)
ADDED = ("", "y = f(np.ones(1))\nprint(y)", "x = np.zeros(2)", "f = np.cos", "%who_ls")


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court(Budget(call_s=10, cell_s=20)) as court:
        yield court


@pytest.fixture(scope="module")
def of_course(court: Court) -> NotebookMaterial:
    def solution(source: str, grade_id: str) -> NotebookNode:
        head, body = source.split("\n", 1)
        return answer(f"{head}\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION", grade_id)

    return court.material(
        cell(
            "import numpy as np\nimport matplotlib.pyplot as plt", grade_id="imports", locked=True
        ),
        cell("x = np.ones(2)"),
        solution(FS[0], "f"),
        cell("print(f(x))"),
        graded("assert f([1.0])[0] == 2, f'f is {f([1.0])}'", "f_tests", points=2),
        solution(GS[0], "g"),
        cell("x += g(x)\nprint(x)"),
        cell("fig, ax = plt.subplots(figsize=(1, 1))\nax.plot(g(x))\nplt.show()"),
        graded("assert g(np.ones(1))[0] == 3, f'g is {g([1.0])}'", "g_tests", points=3),
    )


def seen(graded: GradedNotebook) -> tuple[list[object], object]:
    """Return what a person sees of a notebook, with the fact of a picture in its place."""
    found: list[object] = []
    for one in graded.notebook.cells:
        for output in one.get("outputs", ()):
            shown = {**output, "data": dict(output.get("data", {}))}
            if "image/png" in shown["data"]:
                shown["data"]["image/png"] = len(shown["data"]["image/png"]) > 99
            found.append((one.source, shown))
    return found, graded.cells


@settings(
    max_examples=5,
    derandomize=True,
    phases=[Phase.generate],  # each example starts processes
    suppress_health_check=list(HealthCheck),
)
@given(
    st.lists(
        st.tuples(st.sampled_from(FS), st.sampled_from(GS), st.sampled_from(ADDED)),
        min_size=8,
        max_size=8,
    )
)
def test_class_that_shares_results_has_those_of_one_that_does_not(
    court: Court, of_course: NotebookMaterial, students: list[tuple[str, str, str]]
) -> None:
    court.grader.shared = SharedResults()
    for f, g, added in students:
        answers, more = {"f": f, "g": g}, {"g": added} if added else {}
        shared = court.grade(replace(of_course, rules=SHARING), answers, more)
        alone = court.grade(replace(of_course, rules=APART), answers, more)
        assert seen(shared) == seen(alone)


def test_third_of_equal_notebooks_is_not_run_and_first_and_second_are(
    court: Court, of_course: NotebookMaterial
) -> None:
    def cells_run(f: str) -> list[int]:
        court.grader.shared = SharedResults()
        rules = replace(SHARING, replay=False)
        notebooks = [
            court.grade(replace(of_course, rules=rules), {"f": f, "g": GS[0]}) for _ in range(4)
        ]
        return [one.result.cost.cells_run for one in notebooks]

    right, wrong = cells_run(FS[1]), cells_run(FS[2])
    assert right == [9, 0, 0, 0]
    assert wrong[0] == 9
    assert 0 < wrong[1] < 9
    assert wrong[2:] == [0, 0]


def test_notebook_that_is_to_be_graded_again_gives_nothing(
    court: Court, of_course: NotebookMaterial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process of the grader's own has ended: another run would count as another student's."""
    court.grader.shared, rules = SharedResults(), replace(SHARING, replay=False)
    with monkeypatch.context() as ended:
        ended.setattr(court.warm, "is_whole", lambda: False)
        court.grade(replace(of_course, rules=rules), {"f": FS[2], "g": GS[0]})
    second = court.grade(replace(of_course, rules=rules), {"f": FS[2], "g": GS[0]})
    assert second.result.cost.cells_run == 9


def test_figure_that_another_notebook_had_no_room_for_is_drawn(
    court: Court, of_course: NotebookMaterial, monkeypatch: pytest.MonkeyPatch
) -> None:
    court.grader.shared, rules = SharedResults(), replace(SHARING, replay=False)
    monkeypatch.setattr(figure_runner, "DRAWN_CHARACTERS", 20_000)
    large = "plt.figure(figsize=(20, 20))\nplt.plot([1])\nplt.show()"
    for more in {"g": large}, {}:
        executed = court.grade(replace(of_course, rules=rules), {"f": FS[2], "g": GS[2]}, more)
    assert not [one for one in seen(executed)[0] if "not drawn" in repr(one)]


# ---------------------------------------------------------------- what is kept

PARTS = [CellToRun("f = 1", True, 0, "answer"), CellToRun("assert f", True, 1, "test")]
KEYS = CellKeys(("a-1", "b-1"), {0: frozenset(), 1: frozenset({0})})
LOST = CellResult([{"output_type": "error", "ename": "AssertionError", "evalue": "no"}])


def results(score: float, message: str = "") -> list[CellResult]:
    status: CellStatus = "passed" if score == 2 else "failed"
    verdict = CellVerdict("t", status, score, 2.0, message)
    return [CellResult(), replace(LOST if message else CellResult(), verdict=verdict)]


def test_lost_points_are_shared_when_two_students_have_come_to_the_same() -> None:
    kept = SharedResults()
    for message in ("one", "two"):
        kept.learn(PARTS, KEYS, results(0, message), "")
        assert set(kept.find(PARTS, KEYS, "")) == {0}
    kept.learn(PARTS, KEYS, results(0, "two"), "")
    assert kept.find(PARTS, KEYS, "")[1].message == "two"


def test_result_that_was_taken_over_is_no_second_one() -> None:
    kept = SharedResults()
    kept.learn(PARTS, KEYS, results(0, "no"), "")
    kept.learn(PARTS, KEYS, results(0, "no"), "", known={1})
    assert 1 not in kept.find(PARTS, KEYS, "")


def test_lost_points_are_shared_among_notebooks_with_the_same_numbers_of_cells() -> None:
    kept, more = SharedResults(), [CellToRun("1", True), *PARTS]
    other = CellKeys(("", *KEYS.keys), {1: frozenset(), 2: frozenset({1})})
    for _ in range(2):
        kept.learn(PARTS, KEYS, results(0, "In [1]"), "")
    assert set(kept.find(more, other, "")) == {1}
    kept.learn(PARTS, KEYS, results(2), "")
    assert set(kept.find(more, other, "")) == {1, 2}


def test_result_that_is_asked_for_stays_and_others_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_results, "KEPT_BYTES", 20_000)
    kept, asked = SharedResults(), set[int]()
    for number in range(100):
        keys = CellKeys((f"{number}-1", ""), {0: frozenset()})
        one = CellResult([{"output_type": "stream", "name": "stdout", "text": "x" * 1000}])
        kept.learn(PARTS, keys, [one, CellResult()], "")
        kept.find(PARTS, CellKeys(("0-1", ""), {0: frozenset()}), "")
    for number in range(100):
        if kept.find(PARTS, CellKeys((f"{number}-1", ""), {0: frozenset()}), ""):
            asked.add(number)
    assert 0 in asked
    assert 10 < len(asked) < 21
    assert 99 in asked


def test_workers_share_a_folder(tmp_path: Path) -> None:
    one, other = SharedResults(), SharedResults()
    one.learn(PARTS, KEYS, results(0, "no"), str(tmp_path))
    other.learn(PARTS, KEYS, results(0, "no"), str(tmp_path))
    assert one.find(PARTS, KEYS, str(tmp_path))[1].message == "no"
    assert (tmp_path / FOLDER).stat().st_mode & 0o077 == 0


def test_full_disk_and_a_folder_that_is_gone_leave_nothing_behind(tmp_path: Path) -> None:
    kept = SharedResults()
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / KEYS.keys[1]).mkdir()  # nothing can take its place
    kept.learn(PARTS, KEYS, results(2), str(tmp_path))
    names = {one.name for one in (tmp_path / FOLDER).iterdir()}
    assert not [one for one in names if one.startswith(f"{KEYS.keys[1]}.")]
    kept.learn(PARTS, KEYS, results(2), str(tmp_path / "gone"))
    assert 1 in kept.find(PARTS, KEYS, str(tmp_path / "gone"))


def test_result_that_cannot_be_kept_is_not_shared() -> None:
    deep: dict[str, object] = {}
    for _ in range(2_000):
        deep = {"a": deep}
    shown = {"output_type": "display_data", "data": {"application/json": deep}, "metadata": {}}
    kept = SharedResults()
    kept.learn(PARTS, KEYS, [CellResult([shown]), results(2)[1]], "")
    assert set(kept.find(PARTS, KEYS, "")) == {1}


@pytest.mark.parametrize("place", [0, 20, -1])
def test_file_with_another_byte_is_as_good_as_none(tmp_path: Path, place: int) -> None:
    SharedResults().learn(PARTS, KEYS, results(2), str(tmp_path))
    for path in (tmp_path / FOLDER).iterdir():
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)
    assert SharedResults().find(PARTS, KEYS, str(tmp_path)) == {}


def test_each_cell_shows_its_own_warnings(court: Court, of_course: NotebookMaterial) -> None:
    """An equal one of another student's cell would otherwise have been silent, and been shared."""
    warned = "w = np.float64(1) / 0, np.mean([])"
    more = {"f": warned, "g": warned}
    executed = court.grade(replace(of_course, rules=APART), {"f": FS[0], "g": GS[0]}, more)
    cells = [one for one in executed.notebook.cells if one.source == warned]
    for text in "divide by zero", "Mean of empty slice":
        assert [text in one.outputs[0].text for one in cells] == [True, True]


def test_warning_of_a_library_does_not_depend_on_the_cells_that_were_run(court: Court) -> None:
    mean = "def f(x):\n    return np.mean(x)"
    material = court.material(
        cell("import numpy as np", grade_id="imports", locked=True),
        answer(f"### BEGIN SOLUTION\n{mean}\n### END SOLUTION"),
        cell("print(f([]))"),
        cell("print(f([]), 'again')"),
        graded("assert f([1.0]) == 1", "f_tests"),
    )
    court.grader.shared = SharedResults()
    for added in ({}, {}, {"f_tests": "print(f([]), 'once more')"}):
        together = court.grade(replace(material, rules=SHARING), {"f": mean}, added)
        apart = court.grade(replace(material, rules=APART), {"f": mean}, added)
        assert seen(together) == seen(apart)
        shown = [one["outputs"][0]["name"] for one in together.notebook.cells if one.get("outputs")]
        assert shown == ["stderr"] * (2 + len(added))


@pytest.mark.parametrize("damage", [b"", b"\x00", b"nothing like a result"])
def test_damaged_file_is_as_good_as_none(tmp_path: Path, damage: bytes) -> None:
    SharedResults().learn(PARTS, KEYS, results(2), str(tmp_path))
    for path in (tmp_path / FOLDER).iterdir():
        path.write_bytes(damage)
    assert SharedResults().find(PARTS, KEYS, str(tmp_path)) == {}
