"""Wrong answers in groups by what they do, and comments on whole groups that follow the answers."""

from __future__ import annotations

import html
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from building import answer, cell, graded, write
from click.testing import CliRunner, Result
from hand_in import answered, read_notebook
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from notebooks import COURSE

from nbreferee.cli import main
from nbreferee.engine.tester.behaviour import Behaviour
from nbreferee.marking.groups import Group, WrongAnswer
from nbreferee.marking.groups import TestedExercise as Exercise
from nbreferee.marking.suggestion import suggestion

MEAN = "def mean(x):\n    ### BEGIN SOLUTION\n    return x.sum() / x.size\n    ### END SOLUTION"
TESTS = """### BEGIN HIDDEN TESTS
check(mean, np.mean, cases=[random_arrays(1, (4,)), random_arrays(2, (7,))],
      mistakes={"You forget to divide.": lambda x: x.sum()})
### END HIDDEN TESTS"""
NAMED, OTHER = "You forget to divide.", "same results"
ANSWERS = {
    "right": "def mean(x):\n    return np.mean(x)",
    "sum_a": "def mean(x):\n    return x.sum()",
    "sum_b": "def mean(x):\n    s = 0.0\n    for one in x:\n        s += one\n    return s",
    "first_a": "def mean(x):\n    return x[0] / 3 + x[1] * 0.7",
    "first_b": "def mean(x):\n    a, b, *_ = x\n    return b * 0.7 + a / 3",
    "first_c": "mean = lambda x: float((10 * x[0] + 21 * x[1]) / 30)",
    "third": "def mean(x):\n    return x[2] ** 3 + 17",
    "raises_a": "def mean(x):\n    return x.average()",
    "raises_b": "def mean(x):\n    y = x\n    return y.average()",
    "raises_c": "def mean(x):\n    return x[100]",
    "raises_d": "def mean(x):\n    return x[len(x) + 5]",
}
GROUPS = [
    {"first_a", "first_b", "first_c"},
    {"sum_a", "sum_b"},
    {"raises_a", "raises_b"},
    {"raises_c", "raises_d"},
    {"unwritten"},
    {"third"},
]


@dataclass(frozen=True)
class Course:
    """A course of one exercise."""

    folder: Path

    def grade(self, *arguments: str) -> None:
        command: list[str | Path] = [Path(sys.executable).with_name("nbreferee"), *arguments]
        ran = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr

    def release(self) -> None:
        command: list[str | Path] = [
            Path(sys.executable).with_name("nbgrader"),
            "generate_assignment",
            "one",
        ]
        ran = subprocess.run([*command, "--force"], cwd=self.folder, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr

    def run(self, command: str, *arguments: str) -> Result:
        """Run `groups` or `comment` in this process, which has all loaded."""
        place = ("--course-dir", str(self.folder))
        return CliRunner().invoke(main, [command, *place, *arguments], catch_exceptions=False)

    def hand_in(self, student: str, source: str | None) -> None:
        release = read_notebook(self.folder / "release/one/one.ipynb")
        path = self.folder / "submitted" / student / "one/one.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        given = {} if source is None else {"mean": source}
        path.write_text(nbformat.writes(answered(release, given)))

    def groups(self) -> list[dict[str, Any]]:
        path = self.folder / "groups.json"
        ran = self.run("groups", "one", "--json", str(path))
        assert ran.exit_code == 0, ran.output
        said = json.loads(path.read_text())
        found: list[dict[str, Any]] = said["exercises"][0]["groups"]
        return found

    def comment(self, student: str) -> str | None:
        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}", "gradients") as book:
            found = book.find_submission_notebook("one", "one", student).comments
            text: str | None = next(one.manual_comment for one in found if one.name == "mean")
            return text

    def page(self, student: str) -> str:
        return (self.folder / f"feedback/{student}/one/one.html").read_text()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A graded class."""
    folder = tmp_path_factory.mktemp("groups") / "course"
    source = folder / "source/one"
    source.mkdir(parents=True)
    shutil.copy(COURSE / "nbgrader_config.py", folder)
    shutil.copy(COURSE / "gradcheck.py", source)
    shutil.copytree(COURSE / "gradtests", source / "gradtests")
    imports = (
        "import numpy as np\nfrom gradcheck import NotWritten, random_arrays\n"
        "from gradtests import check"
    )
    write(
        source,
        cell(imports, grade_id="imports", locked=True),
        cell("## The mean — 2 points", "markdown", grade_id="mean_task", locked=True),
        answer(MEAN, "mean"),
        graded(TESTS, "mean_tests"),
    )
    made = Course(folder)
    made.release()
    for student, text in ANSWERS.items():
        made.hand_in(student, text)
    made.hand_in("unwritten", None)
    made.grade("autograde", "one")
    return made


def test_answers_that_do_the_same_are_in_one_group(course: Course) -> None:
    found = course.groups()
    assert [set(one["students"]) for one in found][:1] == GROUPS[:1]
    assert {frozenset(one["students"]) for one in found} == set(map(frozenset, GROUPS))
    assert [one["size"] for one in found] == [3, 2, 2, 2, 1, 1]
    kinds = {one["students"][0]: (one["kind"], one["label"]) for one in found}
    assert kinds["sum_a"] == ("likely cause", NAMED)
    assert kinds["raises_a"][0] == "exception"
    assert "AttributeError: 'numpy.ndarray' object" in kinds["raises_a"][1]
    assert kinds["unwritten"][0] == "not written"
    assert kinds["first_a"][0] == OTHER
    shown = course.run("groups", "one", "mean").stdout
    assert "mean (The mean): 11 of 12 wrong, in 6 groups" in shown
    assert "| def mean(x):" in shown
    assert shown.index("first_a") < shown.index("sum_a") < shown.index("unwritten")


def test_comment_on_a_group_follows_the_answers(course: Course) -> None:
    group = next(one for one in course.groups() if "first_a" in one["students"])
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}", "gradients") as book:
        own = book.find_comment("mean", "one", "one", "first_b")
        own.manual_comment = "See me."
        book.db.commit()
    ran = course.run("comment", "one", "mean", group["group"], "Every entry counts the same.")
    assert ran.exit_code == 0, ran.output
    assert "3 answers: the comment stands in the gradebook (3 changed)" in ran.stdout
    line = '"Every entry counts the same.": lambda x: x[0] / 3 + x[1] * 0.7,'
    assert line in ran.stdout.splitlines()
    assert "cell mean_tests of source/one/one.ipynb" in ran.stdout
    assert course.comment("first_a") == "Every entry counts the same."
    assert course.comment("first_b") == "See me.\n\nEvery entry counts the same."
    assert course.comment("sum_a") is None

    course.grade("feedback", "one")
    assert "Every entry counts the same." in course.page("first_c")
    assert "Every entry counts the same." not in course.page("third")

    course.hand_in("third", "def mean(x):\n    return (x[0] + x[1] * 2.1) / 3")  # comes in
    course.hand_in("first_b", ANSWERS["right"])  # leaves
    some = ("--student", "third", "--student", "first_a", "--student", "first_b")
    course.grade("grade", "one", "--force", *some)
    assert course.comment("third") == "Every entry counts the same."
    assert course.comment("first_a") == "Every entry counts the same."
    assert course.comment("first_b") == "See me."
    assert "Every entry counts the same." in course.page("third")
    assert "See me." in course.page("first_b")
    assert "Every entry counts the same." not in course.page("first_b")

    ran = course.run("comment", "one", "mean_tests", "1", "Other words.")
    assert course.comment("third") == "Other words."
    assert course.run("comment", "one", "one/mean", "1", "").exit_code == 0
    assert course.comment("third") is None
    assert course.comment("first_b") == "See me."


def test_named_mistake_needs_no_other_line(course: Course) -> None:
    group = next(one for one in course.groups() if "sum_a" in one["students"])
    said = course.run("comment", "one", "mean", group["group"], "Divide.").stdout
    assert "The test already names this mistake" in said
    assert "lambda" not in said


def test_line_to_add_names_the_mistake_from_then_on(course: Course) -> None:
    group = next(one for one in course.groups() if "first_a" in one["students"])
    ran = course.run("comment", "one", "mean", group["group"], 'Two "entries"\nare no mean.')
    line, _, then = ran.stdout.splitlines()[-3:]
    assert "nbgrader generate_assignment one --force" in then
    path = course.folder / "source/one/one.ipynb"
    notebook = nbformat.read(path, as_version=4)
    test = next(one for one in notebook.cells if one.metadata.nbgrader.grade_id == "mean_tests")
    test["source"] = test.source.replace("mistakes={", f"mistakes={{{line}")
    nbformat.write(notebook, path)
    course.release()
    course.grade("grade", "one", "--student", "first_c")
    assert 'Likely cause: Two "entries" are no mean.' in html.unescape(course.page("first_c"))


ADDED = {
    "a type, a docstring and a decorator": (
        (
            "import functools\n@functools.cache\ndef mean(x: np.ndarray) -> float:\n    'It.'\n"
            "    return x.max()"
        ),
        '"No.": lambda x: x.max(),',
    ),
    "a function of its own, and itself": (
        (
            "K = 2\ndef half(x):\n    return x[: len(x) // K]\n\ndef mean(x):\n"
            "    return mean(half(x)) if len(x) > 2 else x[0]"
        ),
        (
            "def wrong_mean(x):\n    K = 2\n\n    def half(x):\n        return x[:len(x) // K]\n"
            "    return wrong_mean(half(x)) if len(x) > 2 else x[0]"
        ),
    ),
    "another exercise's answer": (
        "def mean(x):\n    return total(x) / 7",
        "def wrong_mean(x):\n\n    def total(x):\n        return x.sum()\n    return total(x) / 7",
    ),
    "a lambda": ("mean = lambda x, k=2: k * x[0]", '"No.": lambda x, k=2: k * x[0],'),
    "a name of nobody's": ("def mean(x):\n    return x[0] * scale", "scale is not known"),
    "no function": ("mean = (", "and `wrong_mean` above `check`"),
}


@pytest.mark.parametrize("name", ADDED)
def test_what_to_add_stands_alone(name: str) -> None:
    code, words = ADDED[name]
    source = nbformat.v4.new_notebook(
        cells=[
            cell("import numpy as np", grade_id="imports", locked=True),
            answer("def total(x):\n    return x.sum()", "total"),
            answer(MEAN, "mean"),
            graded(TESTS, "mean_tests"),
        ]
    )
    exercise = Exercise("one", "", ("mean",), {"mean_tests": TESTS})
    wrong = WrongAnswer("a", (), "", code, ("mean_tests",))
    group = Group("g1", "same results", "", (wrong,), ())
    assert words in suggestion(exercise, group, "No.", "one.ipynb", source).lines


def test_line_goes_to_the_test_that_fails_and_to_what_students_write() -> None:
    first = "check(f, g, mistakes={'a': b, 'c': d}, only='A')"
    second = "h = wrapped(f)\ncheck(f, g, mistakes={'a': b})\ncheck(h, g, mistakes={1: 2, 3: 4})"
    tests = {"f_A_tests": first, "f_B_tests": second}
    exercise = Exercise("one", "", ("f",), tests)
    source = nbformat.v4.new_notebook(cells=[answer("def f(x):\n    return 1", "f")])
    for failed in ("f_A_tests", "f_B_tests"):
        wrong = WrongAnswer("a", (), "", "def f(x):\n    return 2", (failed,))
        group = Group("g1", "same results", "", (wrong,), ())
        found = suggestion(exercise, group, "No.", "one.ipynb", source)
        assert f"in cell {failed} of" in found.sentence
        assert found.lines == '"No.": lambda x: 2,'


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("groups", "two"), "no assignment two"),
        (("groups", "one", "median"), "no exercise median. There are: mean."),
        (("groups", "one", "--json", "nowhere/x.json"), "no such folder for --json"),
        (("comment", "one", "mean", "g000000", "x"), "no group g000000. There are: 1 (g"),
        (("comment", "one", "mean", "99", "x"), "no group 99"),
    ],
)
def test_wrong_arguments_are_told_in_a_line(
    course: Course, arguments: tuple[str, ...], words: str
) -> None:
    ran = course.run(*arguments)
    assert ran.exit_code == 2
    assert words in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def digest_of(*values: Any) -> str:
    behaviour = Behaviour()
    for value in values:
        behaviour.gives("f", value)
    return behaviour.digest


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6), st.integers(1, 9))
def test_rounding_errors_make_no_other_behaviour(numbers: list[float], factor: int) -> None:
    array = np.array(numbers)
    assert digest_of(array) == digest_of(array * factor / factor)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1.0, 1.001),
        ([1, 2], [2, 1]),
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.nan, np.inf),
        (np.inf, -np.inf),
        (None, 0),
        ("a", "b"),
        ({"a": 1}, {"a": 2}),
        (np.array([1.0, 2.0]), np.array([1.0, -2.0])),
        (1 + 2j, 2 + 1j),
        ([[1, 2], [3, 4]], [[1, 2], [3, 5]]),
        ([[1, 2], [3]], [[1], [2, 3]]),
    ],
)
def test_other_values_are_another_behaviour(one: object, other: object) -> None:
    assert digest_of(one) != digest_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (0.0, -0.0),
        (0.0, 1e-17),
        ([1.0, 2.0], [1, 2]),
        ({1, 2}, {2, 1}),
        (10**400, 10**400),
        ([[0, 0.5], [1.5, 2]], [[np.float64(0), 0.5], (1.5, np.int64(2))]),
    ],
)
def test_equal_values_are_one_behaviour(one: object, other: object) -> None:
    assert digest_of(one) == digest_of(other)


def test_large_arrays_count_in_places_that_depend_on_their_size_alone() -> None:
    one = np.arange(3e5).reshape(3, -1)
    other = np.where(one % 50 == 0, -1, one)
    assert digest_of(one) == digest_of(one * 3 / 3)
    assert digest_of(one.tolist()) == digest_of((one * 3 / 3).tolist())
    assert digest_of(one) != digest_of(other)


def test_text_of_an_exception_counts_without_addresses() -> None:
    found = set()
    for address in ("0x7f01", "0x7f02"):
        behaviour = Behaviour()
        behaviour.raises("f", TypeError(f"<object at {address}> is no number"))
        found.add(behaviour.digest)
    assert len(found) == 1
    assert found != {Behaviour().digest}
