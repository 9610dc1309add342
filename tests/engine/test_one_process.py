"""Tests that need one process are judged there; what passes only there, or only by an odd value, is
left to a person.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from building import answer, cell, graded, write
from refereed import Court, verdicts

from nbreferee.course.source import Cell, read_master
from nbreferee.course.uses_one_process import uses_one_process
from nbreferee.engine.box_runner import CellResult
from nbreferee.engine.one_process import TestCell as Judged
from nbreferee.engine.one_process import judge_outputs
from nbreferee.engine.outputs import error_of
from nbreferee.engine.wire.to_tester import Evidence
from nbreferee.grading.calibration import Calibration, calibrate, decide, doubts_from_earlier
from nbreferee.grading.notebook import Grader
from nbreferee.verdicts import CellStatus, CellVerdict

BINARIES = Path(sys.executable).parent
CELL = Cell(1, "t", True, "assert f(1) == 2", grade_id="t", points=2, graded=True, locked=True)


def judged(status: CellStatus, score: float, message: str, **evidence: Any) -> CellResult:
    """Return the result of the test cell."""
    verdict = CellVerdict("t", status, score, 2, message)
    return CellResult(verdict=verdict, evidence=Evidence(**evidence))


FULL, NOTHING, LOST = (
    judged("passed", 2, ""),
    judged("failed", 0, "no"),
    judged("error", 0, "no", limits=("a limit",)),
)


@pytest.mark.parametrize(
    ("two", "one", "sensed", "setting", "ways", "faults"),
    [
        (FULL, None, {}, "auto", set(), set()),
        (LOST, FULL, {}, "auto", {"t"}, set()),
        (NOTHING, NOTHING, {}, "auto", set(), {"t"}),
        (NOTHING, judged("partial", 1, ""), {}, "auto", set(), {"t"}),
        (FULL, FULL, {"t": "it sets random.random"}, "auto", {"t"}, set()),
        (
            judged("passed", 2, "", patched="it replaces random.random"),
            FULL,
            {},
            "auto",
            {"t"},
            set(),
        ),
        (LOST, FULL, {}, "never", set(), {"t"}),
        (FULL, FULL, {"t": "it sets random.random"}, "never", set(), {"t"}),
        (FULL, FULL, {}, ("t",), {"t"}, set()),
        (LOST, FULL, {}, ("other",), set(), {"t"}),
        (
            judged("grader_failed", 0, "the test ended its own process"),
            FULL,
            {},
            "auto",
            set(),
            {"t"},
        ),
    ],
)
def test_solution_decides_how_a_cell_is_judged(
    two: CellResult,
    one: CellResult | None,
    sensed: dict[str, str],
    setting: str | tuple[str],
    ways: set[str],
    faults: set[str],
) -> None:
    found = calibrate([CELL], {1: two}, None if one is None else {1: one}, sensed, setting)
    assert (set(found.one_process), set(found.faults)) == (ways, faults)
    assert (
        Calibration.from_plain(json.loads(json.dumps(found.as_plain()))).as_plain()
        == found.as_plain()
    )


def test_error_of_the_sandbox_is_said_to_be_one() -> None:
    refused = judged("error", 0, "[Errno 1] Operation not permitted")
    (fault,) = calibrate([CELL], {1: refused}, {1: refused}, {}, "auto").faults.values()
    assert "the sandbox may not allow what the test does: [Errno 1]" in fault


@pytest.mark.parametrize(
    ("two", "one", "calibration", "status", "score"),
    [
        (FULL, None, Calibration(), "passed", 2),
        (NOTHING, None, Calibration(), "failed", 0),
        (LOST, FULL, Calibration(), "manual", 0),
        (LOST, NOTHING, Calibration(), "error", 0),
        (NOTHING, FULL, Calibration({"t": "why"}), "passed", 2),
        (FULL, NOTHING, Calibration({"t": "why"}), "failed", 0),
        (FULL, None, Calibration(faults={"t": "why"}), "manual", 0),
        (judged("failed", 0, "", odd_pass="f() gives nan"), None, Calibration(), "manual", 0),
    ],
)
def test_submission_gets_a_score_or_a_person(
    two: CellResult, one: CellResult | None, calibration: Calibration, status: str, score: int
) -> None:
    came = decide(CELL, two, one, calibration)
    assert (came.status, came.score) == (status, score)
    assert (came.outputs[0]["ename"] == "ManualGrading") if status == "manual" else True


@pytest.mark.parametrize(
    ("before", "after", "calibration", "told"),
    [
        (LOST, NOTHING, Calibration(), True),
        (judged("passed", 2, "", odd_pass="f() gives nan"), NOTHING, Calibration(), True),
        (NOTHING, NOTHING, Calibration({"t": "why"}), True),
        (NOTHING, NOTHING, Calibration(), False),
        (FULL, NOTHING, Calibration({"t": "why"}), False),
        (LOST, FULL, Calibration(), False),
        (LOST, NOTHING, Calibration(faults={"u": "why"}), False),
    ],
)
def test_cell_after_one_that_needs_one_process_may_pass_only_there(
    before: CellResult, after: CellResult, calibration: Calibration, told: bool
) -> None:
    later = replace(CELL, grade_id="u", index=CELL.index + 1)
    found = doubts_from_earlier(
        [CELL, later], {CELL.index: before, later.index: after}, calibration
    )
    assert set(found) == ({later.index} if told else set())
    if told:
        came = decide(later, after, FULL, calibration, found[later.index])
        assert came.status == "manual"
        assert "the cell t before it" in came.message
        assert decide(later, after, NOTHING, calibration, found[later.index]).status == "failed"


def result(text: str) -> dict[str, Any]:
    return {
        "output_type": "execute_result",
        "data": {"text/plain": text},
        "metadata": {},
        "execution_count": 1,
    }


FAILED = {
    **error_of("AssertionError", "secret"),
    "traceback": ["Cell In[2], line 2", "----> 2 assert f(1) == 2", "AssertionError: secret"],
}


@pytest.mark.parametrize(
    ("source", "hidden", "outputs", "expected"),
    [
        ("x", (), [], ("passed", 2, "")),
        ("x", (), [result("1")], ("partial", 1, "the test gives 1 of 2 points")),
        ("x", (), [result("np.float64(0.5)")], ("partial", 0.5, "the test gives 0.5 of 2 points")),
        ("x", (), [result("0")], ("failed", 0, "the test gives 0 of 2 points")),
        (
            "x",
            (),
            [result("3")],
            ("grader_failed", 0, "the test gives 3 of 2 points. Tell your instructor."),
        ),
        ("x", (), [result("True")], ("passed", 2, "")),
        ("x", (), [result("'text'")], ("passed", 2, "")),
        ("x", (), [result("nan")], ("passed", 2, "")),
        (
            "x",
            (),
            [{"output_type": "stream", "name": "stderr", "text": "careful"}],
            ("passed", 2, ""),
        ),
        ("x = 1\nassert f(1) == 2", (2,), [FAILED], ("failed", 0, "a hidden test does not hold")),
        (
            "x = 1\nassert f(1) == 2",
            (),
            [FAILED],
            ("failed", 0, "AssertionError in line 2: assert f(1) == 2"),
        ),
        ("x = 1\nassert f(1) == 2, 'f adds one'", (), [FAILED], ("failed", 0, "f adds one")),
        (
            "x = 1\nassert f(1) == 2, f'{secret}'",
            (2,),
            [FAILED],
            ("failed", 0, "a hidden test does not hold"),
        ),
        ("x", (), [error_of("AssertionError", "secret")], ("failed", 0, "the test does not hold")),
        ("x", (), [error_of("Secret", "secret")], ("error", 0, "the test does not hold")),
    ],
)
def test_score_is_nbgraders_and_the_message_is_the_authors(
    source: str, hidden: tuple[int, ...], outputs: list[dict[str, Any]], expected: tuple[Any, ...]
) -> None:
    status, score, message = expected
    verdict = CellVerdict("t", status, score, 2, message)
    assert judge_outputs(Judged("t", source, 2, hidden), outputs) == verdict


PATCHES = {
    "import random\nrandom.random = lambda: 0.5": "it sets random.random",
    "import random\nsetattr(random, 'random', f)": "it sets a part of random",
    "import numpy as np\nnp.random.rand = f": "it sets numpy.random.rand",
    "import builtins\nbuiltins.sum = f": "it sets builtins.sum",
    "from unittest.mock import patch\nwith patch('time.sleep'):\n    f(1)": "it patches time.sleep",
    (
        "from unittest import mock\nimport random\nwith mock.patch.object(random, 'random'):\n"
        "    f(1)"
    ): "it patches random.random",
    "import sys\nassert 'numpy' in sys.modules": "it uses sys.modules",
    "from sys import modules\nassert modules": "it uses sys.modules",
    "assert f.__globals__": "it reads __globals__",
    "assert In[-1]": "it reads In, the notebook's history",
    "import os\nos.environ['HOME'] = '/'": "it sets os.environ[...]",
    "import os\nos.chdir('/')": "it uses os.chdir",
    "import gc\ngc.collect()": "it uses gc.collect",
    "f = None": "it replaces f, which student code may call",
    "del f": "it replaces f, which student code may call",
    "sum = f": "it replaces sum of Python",
    "assert f(1) is not f(2)": "it asks whether two results are different objects",
    "a, b = f(1), f(2)\nassert a is not b": "it asks whether two results are different objects",
    "globals()['f'] = 1": "it sets a name through globals()",
    "%run other.py": "it uses the magic %run",
    "helper()": "it sets random.random",
    "import numpy as np\nnp.set_printoptions(precision=3)": (
        "it calls numpy.set_printoptions, which holds for the whole process"
    ),
}
PLAIN = [
    "x = f(1)\nassert x == 2",
    "import builtins\nbuiltins.input = lambda _: '3'",
    "from unittest.mock import patch\nwith patch('builtins.input', return_value='3'):\n    f(1)",
    "input = lambda prompt='': '3'",
    "import sys, io\nsys.stdout = io.StringIO()",
    "import os\nassert os.environ.get('HOME')",
    "import numpy as np\nnp.random.seed(1)",
    "assert [sum for sum in f(1)]",
    "assert 'f' in globals()",
    "%time f(1)",
    "x = []\nassert f(x) is not x",
    "assert f(1) is not None",
    "y = f(1)\nassert y is not None and y is True",
    "assert type(f(1)) is type(f(2)) and type(f(1)) is not type(None)",
    "class Own:\n    pass\none = Own()\none.x = 1\nassert f(one)",
]
HELPER = cell("import random\ndef helper():\n    random.random = f", grade_id="helper", locked=True)


@pytest.mark.parametrize(
    ("source", "reason"), [*PATCHES.items(), *((source, None) for source in PLAIN)]
)
def test_what_only_one_process_has_is_seen_in_the_notebook(
    source: str, reason: str | None, tmp_path: Path
) -> None:
    master = read_master(write(tmp_path, HELPER, answer(), graded(source)))
    assert uses_one_process(master).get("f_tests") == reason


# -------------------------------- attacks on the way into one process

ATTACKS = {
    "value_without_a_form": (
        "def f(x):\n    class Equal:\n        def __eq__(self, other): return True\n"
        "    return Equal()"
    ),
    "huge_value": (
        "class Huge(int):\n    def __eq__(self, other): return True\ndef f(x):\n"
        "    return Huge(1 << (1 << 26))"
    ),
    "lost_process": (
        "import os\ndef f(x):\n    try:\n        import sys\n"
        "        sys._getframe(1).f_code.co_filename.index('ipython-input')\n"
        "    except ValueError:\n        os._exit(0)\n    return x + 1"
    ),
    "too_slow": (
        "import sys, time\ndef f(x):\n"
        "    if 'nbreferee.engine.box.process' in sys._getframe(1).f_globals.get('__name__', "
        "''):\n        time.sleep(60)\n    return x + 1"
    ),
    "odd_value": "import numpy as np\ndef f(x):\n    return np.array([])",
    "cannot_leave": (
        "def f(x):\n    a = []\n    a.append(a)\n    class Equal(list):\n"
        "        def __eq__(self, other): return True\n    return Equal(a)"
    ),
}


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    from nbreferee.budget import Budget

    with Court(Budget(call_s=1, cell_s=4)) as court:
        yield court


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_that_forces_one_process_is_left_to_a_person(attack: str, court: Court) -> None:
    test = "import numpy as np\nassert np.all(f(1) == 2)\nassert np.all(f(5) == 6)"
    material = court.material(
        answer("def f(x):\n    ### BEGIN SOLUTION\n    return x + 1\n    ### END SOLUTION"),
        graded(test),
    )
    got = court.grade(material, {"f": ATTACKS[attack]})
    verdict = verdicts(got)["f_tests"]
    assert verdict.score == 0, verdict
    assert verdict.status != "passed", verdict
    assert verdicts(got)["f_tests"].automatic_score in (None, 0)
    if verdict.status == "manual":
        assert verdicts(got)["f_tests"].automatic_score is None
        assert "a person marks this cell" in verdict.message


HOPELESS = {  # a function, seconds for a call, words of the verdict
    "too slow": ("def f(x):\n    return sum(range(10**12))", 2, "takes too long"),
    "too large": (
        (
            "import os, time\ndef f(x):\n    for _ in range(4):\n        if os.fork() == 0:\n"
            "            x = b'1' * (300 << 20)\n            time.sleep(60)\n    time.sleep(60)"
        ),
        30,
        "more than 900 MB of memory",
    ),
}


@pytest.mark.parametrize("answered", HOPELESS)
def test_answer_that_would_end_its_process_either_way_is_run_once(
    answered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbreferee.budget import Budget
    from nbreferee.sandbox import Limits

    runs: list[int] = []
    in_one_process = Grader.in_one_process

    def counted(*arguments: Any) -> Any:
        runs.append(1)
        return in_one_process(*arguments)

    monkeypatch.setattr(Grader, "in_one_process", counted)
    source, call_s, words = HOPELESS[answered]
    with Court(
        Budget(call_s=call_s, cell_s=call_s + 10, box=Limits(memory_bytes=900 << 20))
    ) as court:
        material = court.material(
            answer("def f(x):\n    ### BEGIN SOLUTION\n    return x + 1\n    ### END SOLUTION"),
            graded("assert f(1) == 2"),
        )
        verdict = verdicts(court.grade(material, {"f": source}))["f_tests"]
    assert verdict.score == 0, verdict
    assert words in verdict.message, verdict
    assert runs == []


STARTS = [
    "!ls\nassert f(1) == 2",
    "import os\nassert os.system('true') == 0",
    "import subprocess\nsubprocess.run(['true'], check=True)",
]


@pytest.mark.parametrize("test", STARTS)
def test_reason_for_a_test_that_starts_a_program_is_a_sentence(test: str, court: Court) -> None:
    calibration = court.grader.calibrate(
        court.material(answer("def f(x):\n    return x + 1"), graded(test))
    )
    assert "it starts another program or process" in calibration.one_process["f_tests"]
    assert "Errno" not in calibration.one_process["f_tests"]


# ---------------------------------------------------------------- a class, by both commands

CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "one"
c.NbReferee.cell_s = 10
c.NbReferee.follow_through = True
c.Autograde.sanitize_preprocessors = ["nbreferee.preprocessors.RebuildSubmission"]
c.Autograde.autograde_preprocessors = [
    "nbreferee.preprocessors.GradeSubmission",
    "nbreferee.preprocessors.SaveGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
]
"""
COIN = (
    "import random\ndef coin():\n    ### BEGIN SOLUTION\n"
    "    return 'heads' if random.random() < 0.5 else 'tails'\n    ### END SOLUTION"
)
PATCHED = """from unittest import mock
### BEGIN HIDDEN TESTS
with mock.patch("random.random", return_value=0.1):
    assert coin() == "heads", "hidden words"
### END HIDDEN TESTS"""
CELLS = (
    answer(COIN, "coin"),
    graded(PATCHED, "coin_tests", points=2),
    answer("def f(x):\n    ### BEGIN SOLUTION\n    return x + 1\n    ### END SOLUTION", "f"),
    graded("assert f(1) == 2", "f_tests", points=1),
    graded("assert f(1) == 3", "wrong_tests", points=1),
    answer("def g(x):\n    ### BEGIN SOLUTION\n    return 2 * f(x)\n    ### END SOLUTION", "g"),
    graded("assert g(1) == 4", "g_tests", points=1),
)
CLASS = {
    "wrong": {
        "coin": "def coin():\n    return 'tails'",
        "f": "def f(x):\n    return x",
        "g": "def g(x):\n    return f(x) + f(x)",
    },
    "odd": {
        "coin": (
            "import random\ndef coin():\n    return 'heads' if random.random() < 0.5 else 'tails'"
        ),
        "f": ATTACKS["value_without_a_form"],
    },
    "right": {"coin": COIN, "f": "def f(x):\n    return 1 + x"},
}
SCORES = {
    ("right", "coin_tests"): (2, 0),
    ("right", "f_tests"): (1, 0),
    ("right", "wrong_tests"): (None, 1),
    ("right", "g_tests"): (1, 0),
    ("wrong", "coin_tests"): (0, 0),
    ("wrong", "f_tests"): (0, 0),
    ("wrong", "wrong_tests"): (None, 1),
    ("wrong", "g_tests"): (1, 0),
    ("odd", "coin_tests"): (2, 0),
    ("odd", "f_tests"): (None, 1),
    ("odd", "wrong_tests"): (None, 1),
    ("odd", "g_tests"): (1, 0),
}


def run(course: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{BINARIES}:/usr/bin:/bin", "HOME": str(course)}
    return subprocess.run(
        command, cwd=course, env=environment, capture_output=True, text=True, check=False
    )


def scores(course: Path) -> dict[tuple[str, str], tuple[float | None, int]]:
    with closing(sqlite3.connect(course / "gradebook.db")) as database:
        rows = database.execute(
            "select sa.student_id, b.name, g.auto_score, g.needs_manual_grade from grade g join "
            "base_cell b on b.id = g.cell_id join submitted_notebook sn on sn.id = g.notebook_id "
            "join submitted_assignment sa on sa.id = sn.assignment_id"
        ).fetchall()
    return {(student, name): (score, by_hand) for student, name, score, by_hand in rows}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class that has handed in."""
    course = tmp_path_factory.mktemp("one")
    (course / "source/ps1").mkdir(parents=True)
    (course / "nbgrader_config.py").write_text(CONFIG)
    write(course / "source/ps1", *CELLS)
    made = run(course, "nbgrader", "generate_assignment", "ps1", "--create")
    assert made.returncode == 0, made.stderr
    release = nbformat.read(course / "release/ps1/one.ipynb", as_version=4)
    for student, answers in CLASS.items():
        for one in release.cells:
            one.source = answers.get(one.metadata.get("nbgrader", {}).get("grade_id"), one.source)
        (course / f"submitted/{student}/ps1").mkdir(parents=True)
        nbformat.write(release, course / f"submitted/{student}/ps1/one.ipynb")
    return course


def test_class_gets_its_scores_and_the_instructor_is_told(course: Path) -> None:
    ran = run(course, "nbreferee", "autograde", "--json", "verdicts.json")
    assert ran.returncode == 1, ran.stderr
    assert scores(course) == SCORES
    assert "coin_tests: judged in one process, for it patches random.random" in ran.stderr
    assert "wrong_tests: the solution itself gets 0 of 1 points" in ran.stderr
    assert (
        "odd: ps1/one, cell f_tests: Not scored automatically: a person marks this cell."
        in ran.stderr
    )
    assert "test cells left to a person" in ran.stdout
    found = {
        (one["student"], one_cell["grade_id"]): one_cell
        for one in json.loads((course / "verdicts.json").read_text())
        for one_cell in one["cells"]
    }
    assert found["wrong", "coin_tests"]["message"] == "a hidden test does not hold"
    assert (
        found["wrong", "g_tests"]["message"] == "Your f is wrong; with a right one this is right."
    )
    assert found["wrong", "g_tests"]["follow_through"] == ["f"]
    assert "follow_through" not in found["right", "g_tests"]
    cells = nbformat.read(course / "autograded/wrong/ps1/one.ipynb", as_version=4).cells
    assert "hidden words" not in json.dumps([one.get("outputs", []) for one in cells])
    again = run(course, "nbreferee", "autograde")
    assert "unchanged, skipped" in again.stdout
    assert again.returncode == 1  # cells are still left to a person


def test_nbgraders_own_command_leaves_the_same_scores(course: Path, tmp_path: Path) -> None:
    other = Path(
        shutil.copytree(
            course,
            tmp_path / "other",
            ignore=shutil.ignore_patterns("gradebook.db*", "autograded", ".nbreferee*"),
        )
    )
    assert (
        run(other, "nbgrader", "generate_assignment", "ps1", "--create", "--force").returncode == 0
    )
    ran = run(other, "nbgrader", "autograde", "ps1")
    assert ran.returncode == 0, ran.stderr
    assert scores(other) == SCORES
    executed = nbformat.read(other / "autograded/wrong/ps1/one.ipynb", as_version=4)
    record = {cell["grade_id"]: cell for cell in executed.metadata["nbreferee"]["cells"]}
    assert record["coin_tests"]["in_one_process"]  # so that the page says it
    assert record["coin_tests"]["message"] == "a hidden test does not hold"


def test_course_that_allows_no_cell_in_one_process_leaves_it_to_a_person(
    course: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(course, tmp_path / "other"))
    with (other / "nbgrader_config.py").open("a") as file:
        file.write('c.NbReferee.one_process = "never"\n')
    assert run(other, "nbreferee", "autograde", "--student", "right", "--force").returncode == 1
    assert scores(other)["right", "coin_tests"] == (None, 1)
