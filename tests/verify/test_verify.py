"""nbreferee verify on courses with known faults: each is reported, and a sound course is not
blamed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nbformat
import pytest
from building import answer, cell, graded, write
from nbformat import NotebookNode
from notebooks import COURSE, is_test, settings
from traitlets.config import Config
from verifying import reasons, run_verify

from nbreferee.course.source import read_master
from nbreferee.verify.soundness import findings, make_release

CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "tiny"\n'

ADD = "def add(a, b):\n    ### BEGIN SOLUTION\n    return a + 2 * b\n    ### END SOLUTION"
STRONG = (
    "### BEGIN HIDDEN TESTS\nassert add(3, 5) == 13\nassert add(2, -7) == -12\n### END HIDDEN TESTS"
)


def add_course(
    *more: NotebookNode,
    solution: str = ADD,
    tests: str = STRONG,
    heading: str = "## Exercise 1: 2 points",
) -> list[NotebookNode]:
    """A sound notebook, but for what is asked."""
    return [cell(heading, "markdown"), answer(solution, "add"), graded(tests, "add_tests"), *more]


def attached() -> list[NotebookNode]:
    proof = cell(
        "![](proof.png)", "markdown", grade_id="proof", grade=True, solution=True, points=1
    )
    proof["attachments"] = {"proof.png": {"image/png": "iVBORw0KGgo="}}
    return [cell("## Proof: 1 point", "markdown"), proof]


def with_output() -> NotebookNode:
    plain = cell("print(1)")
    plain["outputs"] = [nbformat.v4.new_output("stream", text="1\n")]
    return plain


POOL = (
    "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\n"
    "pool.submit(int).result()"
)
CLASS = (
    "class Counter:\n    ### BEGIN SOLUTION\n    def next(self, n):\n        return n + 1\n"
    "    ### END SOLUTION"
)


def without_points() -> list[NotebookNode]:
    cells = add_course()
    del cells[-1].metadata["nbgrader"]["points"]
    return cells


LOOP = (
    "def add(a, b):\n    ### BEGIN SOLUTION\n    while b > 0:\n        a = a + 2\n"
    "        b = b - 1\n    return a\n    ### END SOLUTION"
)
SAVE = (
    "def save(a, b):\n    ### BEGIN SOLUTION\n    with open('sum.txt', 'a') as file:\n"
    "        print(a + 2 * b, file=file)\n    return a + 2 * b\n    ### END SOLUTION"
)
SAVED = (
    "### BEGIN HIDDEN TESTS\nwith open('sum.txt', 'w'):\n    pass\n_ = save(3, 5), save(2, -7)\n"
    "assert open('sum.txt').read() == '13\\n-12\\n' and _ == (13, -12)\n### END HIDDEN TESTS"
)
LIBRARY = """
def check(student, reference, cases, mistakes):
    if any(student(*case) != reference(*case) for case in cases):
        raise AssertionError(next(iter(mistakes)))
"""
MARKS = "open('ready.txt', 'w').close()"  # which no name tells
MARKED = STRONG.replace("### END", "import os\nassert os.path.exists('ready.txt')\n### END")
DATA = 'with open("answers.csv") as table:\n    expected = float(table.read())'

# what reading finds, by name: (cells, what must be said)
READ = {
    "visible": (
        add_course(tests="assert add(3, 5) == 13\nassert add(2, -7) == -12"),
        "hidden tests hold 0 of 2 automatic points",
    ),
    "heading": (
        add_course(heading="## Exercise 1: 5 points"),
        "the heading says 5 points, its cells hold 2",
    ),
    "outputs": (add_course(with_output()), "the source holds outputs of an earlier run"),
    "leaked_solution": (
        add_course(cell("Hint:\n\n    return a + 2 * b", "markdown")),
        "the solution can be read in the release, in number 4: 'return a + 2 * b'",
    ),
    "leaked_test": (
        add_course(cell("assert add(2, -7) == -12")),
        "a hidden test can be read in the release",
    ),
    "leaked_inline": (
        add_course(cell("Remember to `return a + 2 * b` here.", "markdown")),
        "the solution can be read in the release",
    ),
    "attachment": (
        add_course(*attached()),
        "the release keeps what is attached to this answer: proof.png",
    ),
    "data": (
        add_course(tests=STRONG.replace("assert add(2", f"{DATA}\nassert add(2")),
        "the file answers.csv is handed out, and only hidden tests use it",
    ),
    "no_markers": (
        [cell("def add(a, b): return a + 2 * b"), graded(STRONG, "add_tests")],
        "uses nothing that a student writes",
    ),
    "sound": (add_course(), ""),
    "titled": (
        [
            cell("# Adding up. points and lines", "markdown"),
            cell("# Homework (2 points)", "markdown"),
            *add_course(),
        ],
        "",
    ),
}

# name: (cells, what `nbreferee verify` must say, each)
FAULTS = {
    "weak": (
        add_course(tests="### BEGIN HIDDEN TESTS\nassert add(0, 0) == 0\n### END HIDDEN TESTS"),
        (
            "a wrong answer keeps every point (sign)",
            "an answer that returns 0 everywhere earns 2 points",
        ),
    ),
    "lazy_none": (
        add_course(tests="### BEGIN HIDDEN TESTS\n_ = add(3, 5)\n### END HIDDEN TESTS"),
        ("an answer that returns None everywhere earns 2 points",),
    ),
    "lazy_table": (
        add_course(tests="assert add(3, 5) == 13"),
        (
            "an answer that returns a table of the visible answers everywhere earns",
            "hidden tests hold 0 of 2 automatic points",
        ),
    ),
    "lazy_broadcast": (
        add_course(
            cell("import numpy as np"),
            graded(
                "### BEGIN HIDDEN TESTS\nassert np.allclose(add(np.ones(3), 0), 1)\n"
                "### END HIDDEN TESTS",
                "other",
            ),
            heading="## 4 points",
        ),
        ("an answer that returns an empty array everywhere does not fail here: Not scored",),
    ),
    "lazy_class": (
        [
            answer(CLASS, "Counter"),
            graded(
                "### BEGIN HIDDEN TESTS\nassert Counter().next(3) != 3\n### END HIDDEN TESTS",
                "Counter_tests",
            ),
        ],
        ("an answer that returns None everywhere does not fail here: Not scored",),
    ),
    "release_earns": (
        add_course(
            graded("### BEGIN HIDDEN TESTS\nassert 1 + 1 == 2\n### END HIDDEN TESTS", "sum"),
            heading="## 4 points",
        ),
        ("the untouched release earns 2 points", "uses nothing that a student writes"),
    ),
    "solution_stops": (
        [cell("1 / 0"), *add_course()],
        ("the solution's notebook stops here: ZeroDivisionError",),
    ),
    "solution_fails": (
        add_course(solution=ADD.replace("2 *", "3 *")),
        ("the solution itself gets 0 of 2 points (a hidden test of add does not hold). Mend",),
    ),
    "solution_crashes": (
        [cell("import os"), *add_course(solution=ADD.replace("return", "os._exit(1)\n    return"))],
        ("the solution itself gets 0 of 2 points (the notebook's process ended",),
    ),
    "visible_needs_hidden": (
        add_course(
            graded("assert math.isclose(add(1, 1), 3)", "add_again"),
            tests=STRONG.replace("### END", "import math\n### END"),
            heading="## 4 points",
        ),
        ("as released it fails with the solution's answers: NameError in line 1: assert math.",),
    ),
    "own_library": (
        [
            cell("import mytests"),
            *add_course(
                tests="### BEGIN HIDDEN TESTS\nmytests.check(add, lambda a, b: a + 2 * b, [(3, 5), "
                "(2, -7)], mistakes={'You lose the factor 2.': lambda a, b: a + b, 'You swap a and "
                "b.': lambda a, b: 2 * a + b})\n### END HIDDEN TESTS",
            ),
        ],
        (
            "the mistake 'You swap a and b.' is not told: the student hears 'You lose the factor 2.'",
        ),
    ),
    "bare": (
        add_course(tests=STRONG.replace("### END", "add\n### END")),
        ("ends in a bare expression",),
    ),
    "strict": (
        add_course(
            tests=STRONG.replace(
                "### END", "import inspect\nassert '+' in inspect.getsource(add)\n### END"
            )
        ),
        ("a right answer loses points (add_tests: a hidden test of add does not hold)",),
    ),
    "stale": (
        add_course(),
        (
            "an alternative for a solution cell that is not there",
            "take its entry out of the file of equivalents",
        ),
    ),
    "magic_answer": (
        add_course(solution="%%time\n" + ADD),
        ("a solution cell with a magic has no mutants",),
    ),
    "forbidden": (
        add_course(cell("$b + 7\\,a$", "markdown")),
        ("the release shows a form of this answer, 'b + 7a', in forbidden.ipynb, cell number 4",),
    ),
    "forbidden_nothing": (add_course(), ("no exercise sub. There are: add",)),
    "no_reason": (add_course(), ("entry 1 has no reason",)),
    "not_toml": (add_course(), ("not TOML",)),
    "one_bracket": (add_course(), ("an entry begins with [[mutant]]",)),
    "no_points": (without_points(), ("nbgrader refuses it",)),
    "unclosed": (
        add_course(tests=STRONG.replace("END", "AND")),
        ("BEGIN HIDDEN TESTS has no END",),
    ),
    "twice": (add_course(graded(STRONG, "add_tests")), ("a second cell has this grade id",)),
}

SOUND = {
    "unmarked": add_course(solution="def add(a, b):\n    return a + 2 * b"),
    "visible_and_hidden": add_course(tests=f"assert add(0, 1) == 2\n{STRONG}"),
    "blank_line": add_course(
        solution=ADD.replace("(a, b):\n", '(a, b):\n    """Add.\n    \n    Twice b."""\n')
    ),
    "loop": add_course(
        solution=LOOP,
        tests="### BEGIN HIDDEN TESTS\nassert add(3, 5) == 13\nassert add(4, 1) == 6\n"
        "### END HIDDEN TESTS",
    ),
    "alternatives": add_course(),
    "equivalent": add_course(solution=ADD.replace("a + 2 * b", "2 * b + a if b != 0 else a")),
    "magic": [
        cell("%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()"),
        *add_course(),
    ],
    "partial": add_course(tests=STRONG.replace("### END", "float(2)\n### END")),
    "warns": [
        cell("import sys"),
        *add_course(
            tests=STRONG.replace("assert add(2", 'print("!", file=sys.stderr)\nassert add(2')
        ),
    ],
    "threads": [
        cell(POOL),
        *add_course(solution=ADD.replace("a + 2 * b", "pool.submit(lambda: a + b + b).result()")),
    ],
    "other_test": [
        answer(ADD.replace("add", "sub"), "sub"),
        graded(f"{STRONG.replace('add', 'sub')}\n{MARKS}", "sub_tests"),
        *add_course(tests=MARKED),
    ],
    "files": [
        answer(SAVE, "save"),
        graded(SAVED, "save_tests"),
    ],
    "unseen": [cell(MARKS), *add_course(tests=MARKED)],
    "one_process": add_course(
        tests=STRONG.replace("### END", "import sys\nassert sys.modules['__main__'].add\n### END")
    ),
}

BESIDE = {
    "strict.alternatives.py": "# %% add\ndef add(a, b):\n    return sum([a, b, b])\n",
    "alternatives.alternatives.py": (
        "# %% add\ndef add(a, b):\n    return sum([a, b, b])\n\n# %% add\ndef add(a, b):\n"
        "    for _ in range(2):\n        a = a + b\n    return a\n"
    ),
    "stale.alternatives.py": "# %% sub\ndef sub(a, b):\n    return a\n",
    "stale.equivalent.toml": ('[[mutant]]\ncell = "add"\nwas = "x"\nnow = "y"\nreason = "none"\n'),
    "one_bracket.equivalent.toml": '[mutant]\ncell = "add"\n',
    "no_reason.equivalent.toml": '[[mutant]]\ncell = "add"\nwas = "x"\nnow = "y"\n',
    "not_toml.equivalent.toml": "mutant = ",
    "forbidden.forbidden.toml": "[add]\nlatex = ['b + 7a']\ncode = ['b + 7 * a', 'a - 7 * b']\n",
    "forbidden_nothing.forbidden.toml": "[sub]\nlatex = ['a - b']\n",
}


@pytest.fixture(scope="session")
def faulty(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """A course of faulty and sound assignments, verified in one go."""
    course = tmp_path_factory.mktemp("faulty")
    (course / "nbgrader_config.py").write_text(CONFIG)
    for name, cells in {**{n: cells for n, (cells, _) in FAULTS.items()}, **SOUND}.items():
        folder = course / "source" / f"{name}_assignment"
        folder.mkdir(parents=True)
        write(folder, *cells, name=name)
    (course / "source/not_json_assignment").mkdir()
    (course / "source/not_json_assignment/not_json.ipynb").write_text("no notebook")
    (course / "source/empty_assignment").mkdir()
    for name, text in BESIDE.items():
        (course / "source" / name).write_text(text)
    (course / "source/own_library_assignment/mytests.py").write_text(LIBRARY)
    plug_in = re.findall(r"```python\n(.*?)```", (COURSE / "docs/verify.md").read_text(), re.DOTALL)
    (course / "source/mytests.verify.py").write_text(plug_in[-1])
    return run_verify(course)


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_reported_with_what_to_do(
    name: str, faulty: tuple[subprocess.CompletedProcess[str], dict[str, Any]]
) -> None:
    _, verified = faulty
    assert [words for words in FAULTS[name][1] if words not in reasons(verified[name])] == []


@pytest.mark.parametrize("name", READ)
def test_fault_that_reading_finds_is_told(name: str, tmp_path: Path) -> None:
    cells, words = READ[name]
    path = write(tmp_path, *cells)
    (tmp_path / "answers.csv").write_text("13\n")
    master = read_master(path)
    found = [one.reason for one in findings(master, make_release(master, Config()), Config())]
    assert any(words in reason for reason in found) if words else found == []


@pytest.mark.parametrize("name", [name for name in SOUND if name != "equivalent"])
def test_sound_notebook_has_nothing_to_mend(
    name: str, faulty: tuple[subprocess.CompletedProcess[str], dict[str, Any]]
) -> None:
    _, verified = faulty
    assert reasons(verified[name]) == ""
    exercise = verified[name]["exercises"][0]
    assert exercise["mutants"]["good"] == exercise["mutants"]["tried"] > 5
    assert exercise["lazy"]["good"] == exercise["lazy"]["tried"] == 9


def test_right_answers_written_otherwise_are_counted(
    faulty: tuple[subprocess.CompletedProcess[str], dict[str, Any]],
) -> None:
    _, verified = faulty
    assert verified["alternatives"]["exercises"][0]["alternatives"] == {"tried": 2, "good": 2}


def test_plug_in_of_a_course_tries_the_mistakes_of_its_own_library(
    faulty: tuple[subprocess.CompletedProcess[str], dict[str, Any]],
) -> None:
    _, verified = faulty
    assert verified["own_library"]["exercises"][0]["mistakes"] == {"tried": 2, "good": 1}


def test_forbidden_forms_are_counted_by_exercise_and_listed(
    faulty: tuple[subprocess.CompletedProcess[str], dict[str, Any]],
) -> None:
    _, verified = faulty
    assert verified["forbidden"]["exercises"][0]["forms"] == {"tried": 3, "good": 2}
    assert [len(form["shown"]) for form in verified["forbidden"]["forms"]] == [1, 0, 0]


def test_survivor_is_shown_as_a_diff(
    faulty: tuple[subprocess.CompletedProcess[str], dict[str, Any]],
) -> None:
    _, verified = faulty
    diffs = [finding["diff"] for finding in verified["weak"]["findings"]]
    assert "-    return a + 2 * b\n+    return a + 2 / b" not in diffs  # division by zero is caught
    assert "-    return a + 2 * b\n+    return (a - 2 * b)" in diffs


def test_broken_notebooks_get_a_sentence_and_the_others_are_verified(
    faulty: tuple[subprocess.CompletedProcess[str], dict[str, Any]],
) -> None:
    ran, verified = faulty
    assert "it is not JSON" in reasons(verified["not_json"])
    assert "no notebook" in reasons(verified["empty_assignment"])
    assert ran.returncode == 1
    assert "Traceback" not in ran.stdout + ran.stderr
    assert len(verified) == len(FAULTS) + len(SOUND) + 2


def test_equivalent_mutant_is_waved_through_only_by_its_entry(
    faulty: tuple[subprocess.CompletedProcess[str], dict[str, Any]], tmp_path: Path
) -> None:
    _, verified = faulty
    survivors = [f["diff"] for f in verified["equivalent"]["findings"] if f["diff"]]
    assert survivors
    (tmp_path / "nbgrader_config.py").write_text(CONFIG)
    (tmp_path / "source/equivalent").mkdir(parents=True)
    write(tmp_path / "source/equivalent", *SOUND["equivalent"], name="equivalent")
    entries = [
        (
            f"[[mutant]]\ncell = 'add'\nwas = '''{was[1:]}'''\nnow = '''{now[1:]}'''\n"
            "reason = 'at b = 0 both branches agree'\n"
        )
        for was, now in (diff.split("\n") for diff in survivors)
    ]
    (tmp_path / "source/equivalent.equivalent.toml").write_text("".join(entries))
    ran, again = run_verify(tmp_path)
    assert ran.returncode == 0, ran.stdout
    assert again["equivalent"]["exercises"][0]["equivalent"] == len(survivors)


# ------------------------------------------------- wrong usage


@pytest.mark.parametrize(
    ("config", "arguments", "words"),
    [
        (None, (), "no nbgrader_config.py here"),
        ("c = ", (), "Mend the file"),
        (CONFIG, (), "no assignments here"),
        (CONFIG, ("softmx",), "no assignment softmx. Did you mean softmax?"),
        (CONFIG, ("zebra",), "no assignment zebra. There are: softmax"),
    ],
)
def test_course_that_cannot_be_verified_is_one_sentence_and_status_2(
    config: str | None, arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    if config is not None:
        (tmp_path / "nbgrader_config.py").write_text(config)
    if arguments:
        (tmp_path / "source/softmax").mkdir(parents=True)
    ran, _ = run_verify(tmp_path, *arguments)
    assert ran.returncode == 2
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr


# ------------------------------------------------- real courses


def weaken(folder: Path, assignment: str, notebook: str, tests: dict[str, str]) -> None:
    """Copy one notebook of our course with weaker tests, and without the others."""
    (folder / "nbgrader_config.py").write_text(CONFIG)
    shutil.copytree(COURSE / "source" / assignment, folder / "source" / assignment)
    for path in (folder / "source" / assignment).glob("*.ipynb"):
        if path.stem != notebook:
            path.unlink()
    path = folder / "source" / assignment / f"{notebook}.ipynb"
    changed = nbformat.read(str(path), as_version=4)
    changed.cells = [
        one for one in changed.cells if not is_test(one) or settings(one)["grade_id"] in tests
    ]
    for one in changed.cells:
        if settings(one).get("grade_id") in tests:
            one.source = (
                f"### BEGIN HIDDEN TESTS\n{tests[settings(one)['grade_id']]}\n### END HIDDEN TESTS"
            )
    nbformat.write(changed, str(path))


# what is weak: (assignment, notebook, weakened cells, what must be said, part of a surviving
# mutant)
WEAKENED = {
    "allclose on an empty array": (
        "softmax",
        "softmax",
        {
            "cross_entropy_check": "_ = cross_entropy(np.ones(3), 1)",
            "cross_entropy_tests": (
                "assert np.allclose(cross_entropy(np.log([1.0, 3.0]), 1), np.log(4 / 3))"
            ),
        },
        "an answer that returns an empty array everywhere",
        "",
    ),
    "tests at z = 0": (
        "softmax",
        "softmax",
        {
            "softmax_rows_check": "_ = softmax_rows(np.zeros((2, 3)))",
            "softmax_rows_tests": "assert np.allclose(softmax_rows(np.zeros((2, 3))), 1 / 3)",
        },
        "a wrong answer keeps every point",
        "+",
    ),
    "square inputs": (
        "matrix_derivatives",
        "matrix_derivatives",
        {
            "dY_dW_check": "_ = dY_dW(np.eye(2), np.eye(2))",
            "dY_dW_tests": (
                "W, X = random_arrays(1, (3, 3), (3, 3))\n"
                "assert np.allclose(dY_dW(W, X), np.kron(np.eye(3), X.T))"
            ),
        },
        "a wrong answer keeps every point",
        "shape[1]",
    ),
    "upstream of ones": (
        "softmax",
        "softmax",
        {
            "softmax_vjp_check": "_ = softmax_vjp(np.zeros(3), np.ones(3))",
            "softmax_vjp_tests": (
                "(z,) = random_arrays(1, (4,))\nassert np.allclose(softmax_vjp(z, np.ones(4)), 0)"
            ),
        },
        "an answer that returns zeros of the right shape everywhere earns",
        "+",
    ),
    "a tolerance of 1e-1 on small numbers": (
        "softmax",
        "softmax",
        {
            "dy_du_check": "_ = dy_du(np.ones(2), np.ones((2, 3)), np.ones(3))",
            "dy_du_tests": (
                "x, W, u = random_arrays(1, (2,), (2, 30), (30,))\ny = softmax(W.T @ x / 9)\n"
                "assert np.allclose(dy_du(x, W / 9, 0 * u), np.outer(y, y) - np.diag(y), "
                "atol=1e-1)"
            ),
        },
        "a wrong answer keeps every point",
        "+",
    ),
}


@pytest.fixture(scope="module")
def weakened(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, tuple[int, list[dict[str, Any]]]]:
    """Our notebooks with all weak tests at once, verified, and the process's exit status."""
    found = {}
    for assignment, notebook in dict.fromkeys(case[:2] for case in WEAKENED.values()):
        cells: dict[str, str] = {}
        for case in WEAKENED.values():
            cells |= case[2] if case[1] == notebook else {}
        folder = tmp_path_factory.mktemp(notebook)
        weaken(folder, assignment, notebook, cells)
        ran, verified = run_verify(folder, assignment)
        found[notebook] = ran.returncode, verified[notebook]["findings"]
    return found


@pytest.mark.parametrize("name", WEAKENED)
def test_weakened_tests_of_our_course_are_reported_with_the_survivors(
    name: str, weakened: dict[str, tuple[int, list[dict[str, Any]]]]
) -> None:
    _, notebook, tests, words, survivor = WEAKENED[name]
    status, findings = weakened[notebook]
    assert status == 1
    exercise = next(iter(tests)).removesuffix("_check")
    found = [f for f in findings if f["cell"].startswith(exercise)]
    assert any(words in f["reason"] for f in found)
    assert any(f["diff"] and survivor in f["diff"] for f in found) or not survivor
