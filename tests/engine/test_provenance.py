"""Nothing that a box has sent becomes code in the tester, however a test goes about it."""

from __future__ import annotations

import builtins
import decimal
import importlib.util
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from building import answer, cell, graded
from one_namespace import Session, in_forks
from refereed import Court, verdicts
from running_text import PAYLOAD, WAYS, Way

from nbreferee.engine.box_runner import CellResult
from nbreferee.engine.referee import Referee
from nbreferee.engine.tester.provenance import FILE, PICKLE, TEXT
from nbreferee.engine.tester.received import Received
from nbreferee.engine.wire.codec import encode

SECRET = "SECRET_88"
LATER = (
    f"assert twice(2) == 4\n### BEGIN HIDDEN TESTS\n{SECRET} = 88\nassert twice(44) == {SECRET}\n"
    "### END HIDDEN TESTS"
)
TWICE = "def twice(x):\n    return 2 * x"
NOT_TWICE = "def twice(x):\n    return x"
READ_ALL = (
    "[print(s.source) for one in __import__('inspect').stack() for s in "
    "getattr(one.frame.f_locals.get('self'), '_steps', ())]"
)
HERE = [way for way in WAYS if not way.needs or importlib.util.find_spec(way.needs)]


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court() as court:
        yield court


@pytest.fixture
def in_two_processes(monkeypatch: pytest.MonkeyPatch) -> dict[str, CellResult]:
    """Keep what came of each test between box and tester, before anything is judged in one
    process.
    """
    kept: dict[str, CellResult] = {}
    run = Referee._test

    def run_and_keep(referee: Referee, step: int, limit_s: float) -> CellResult:
        came = kept[referee._steps[step].grade_id] = run(referee, step, limit_s)
        return came

    monkeypatch.setattr(Referee, "_test", run_and_keep)
    return kept


@pytest.fixture(scope="module")
def ran_in_one_process() -> set[str]:
    """The names of the ways whose test runs the payload where all is in one process, as with stock
    nbgrader.
    """
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        session.run("import pandas, sympy, yaml")
        session.renew()
        found = in_forks(((way.name, partial(runs_payload, session, way)) for way in HERE), 60)
        os.chdir("/")
    return {name for name, has_run in found.items() if has_run}


def runs_payload(session: Session, way: Way) -> bool:
    """Tell whether the test has run the payload; the answer may have done so before it, in its own
    process.
    """
    os.chdir(tempfile.mkdtemp(dir="."))
    session.run(way.answer)
    vars(builtins).pop("ran", None)
    session.run(way.test)
    return bool(getattr(builtins, "ran", None))


@pytest.mark.parametrize("way", HERE, ids=lambda way: way.name)
def test_each_way_runs_the_text_in_one_process(way: Way, ran_in_one_process: set[str]) -> None:
    assert way.name in ran_in_one_process


def test_no_way_runs_the_text_in_the_tester(
    court: Court, in_two_processes: dict[str, CellResult]
) -> None:
    cells = [cell("import yaml, numpy as np", grade_id="modules", locked=True)]
    for number, way in enumerate(HERE):
        cells += answer(way.answer, f"answer{number}"), graded(way.test, f"way{number}")
    material = court.material(*cells, answer(TWICE, "twice"), graded(LATER, "later"))
    got = court.grade(material, {"twice": NOT_TWICE})
    said = {way.name: in_two_processes[f"way{number}"] for number, way in enumerate(HERE)}
    through = {
        name: one
        for name, one in said.items()
        if (one.status, one.score) != ("error", 0) or one.message not in (TEXT, FILE, PICKLE)
    }
    assert through == {}
    assert {name for name, one in said.items() if one.message not in one.evidence.limits} == set()
    assert in_two_processes["later"].score == verdicts(got)["later"].score == 0
    shown = str([one.outputs for one in got.notebook.cells if "outputs" in one])
    assert SECRET not in shown


READER = f"def mean(xs, _={READ_ALL}):\n    return 3"
SWALLOWED = """
import inspect
space = {}
try:
    exec(inspect.getsource(mean), space)
except BaseException:
    pass
"""


def test_a_test_that_catches_the_refusal_does_not_pass(
    court: Court, in_two_processes: dict[str, CellResult]
) -> None:
    material = court.material(
        answer(READER, "mean"),
        graded(SWALLOWED, "swallows"),
        answer(TWICE, "twice"),
        graded(LATER, "later"),
    )
    got = court.grade(material, {"twice": NOT_TWICE})
    found = in_two_processes["swallows"]
    assert (found.status, found.score, found.message, found.evidence.limits) == (
        "error",
        0,
        TEXT,
        (TEXT,),
    )
    assert verdicts(got)["later"].score == 0
    assert SECRET not in str([one.outputs for one in got.notebook.cells if "outputs" in one])


PARTIAL = f"{SWALLOWED}1.5"
HELPER = (
    "import inspect\nspace = {}\ntry:\n    exec(inspect.getsource(mean), space)\n"
    "except Exception:\n    pass\ndef own_mean(xs):\n    return space['mean'](xs)"
)


def test_partial_credit_is_not_given_either(
    court: Court, in_two_processes: dict[str, CellResult]
) -> None:
    court.grade(court.material(answer(READER, "mean"), graded(PARTIAL, "some", points=3)), {})
    found = in_two_processes["some"]
    assert (found.status, found.score, found.message) == ("error", 0, TEXT)


def test_a_locked_cell_that_runs_an_answer_is_noted_for_the_tests_that_need_it(
    court: Court, in_two_processes: dict[str, CellResult]
) -> None:
    material = court.material(
        answer("def mean(xs):\n    return sum(xs) / len(xs)", "mean"),
        cell(HELPER, grade_id="helper", locked=True),
        graded("assert own_mean([1, 2]) == 1.5", "test"),
    )
    court.grade(material, {})
    assert in_two_processes["test"].evidence.limits == (f"{TEXT} (a cell before this test)",)


OWN_FILES = {
    "own_module.py": (
        b"OWN = 5\nspace = {}\nexec('inner = OWN + 1')\ndef of(x):\n    return eval(f'{x} + OWN')\n"
    ),
    "script.py": b"answer_of_script = 7\n",
    "expected.pickle": pickle.dumps({"when": decimal.Decimal("1.5"), "path": PurePosixPath("a/b")}),
}
USES_OWN_FILES = """
assert text == "x" and mean([1]) == 1
import own_module, pickle, sys
assert own_module.inner == 6 and own_module.of(2) == 7
exec(open("script.py").read())
assert answer_of_script == 7
%run script.py
assert str(pickle.load(open("expected.pickle", "rb"))["path"]) == "a/b"
pickle.dump(sys.float_info.max, open("made.pickle", "wb"))
assert pickle.load(open("made.pickle", "rb")) == sys.float_info.max
"""


def test_files_of_the_instructor_go_on_to_run(
    court: Court, in_two_processes: dict[str, CellResult]
) -> None:
    student = answer(
        "text = 'x'\ndef mean(xs):\n    return sum(xs) / len(xs)\n"
        "open('mine.txt', 'w').write('of + OWN')",
        "mean",
    )
    court.grade(court.material(student, graded(USES_OWN_FILES, "test"), files=OWN_FILES), {})
    found = in_two_processes["test"]
    assert (found.status, found.score, found.evidence.limits) == ("passed", 2, ()), found.message


# ------------------------------------------------ what has come from the box


def frame(body: object) -> bytes:
    return encode((1, "value", body))


def test_text_without_a_word_counts_in_its_own_cell_alone() -> None:
    received = Received()
    received.add(frame("+"))
    assert list(received.whole_in(["a", "+", "b"]))
    received.begin_cell()
    assert not list(received.whole_in(["a", "+", "b"]))
    received.add(frame("x"))
    received.begin_cell()
    assert list(received.whole_in(["x"]))
    assert not list(received.whole_in(["xs"]))


def test_past_a_bound_everything_may_be_the_boxs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbreferee.engine.tester.received.TEXT_CHARACTERS", 1000)
    received = Received()
    for number in range(300):
        received.add(frame(f"text {number}"))
    assert not received.everything
    received.update()
    assert received.everything
    assert received.has_bytes


def test_frames_that_wait_are_read_before_they_take_too_much_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nbreferee.engine.tester.received.UNREAD_BYTES", 100_000)
    received = Received()
    for number in range(100):
        received.add(frame({"numbers": np.full(10_000, float(number)), "text": f"word_{number}"}))
        assert received._unread_bytes <= 100_000
    assert list(received.whole_in(["word_0"]))
    assert list(received.whole_in(["word_99"]))


def test_large_arrays_of_numbers_are_not_kept_and_all_text_beside_them_is() -> None:
    received = Received()
    large = np.zeros((300, 400))
    table = {"first": large, 2: [large, ("second", {"third"})], "names": np.array(["fourth"])}
    for _ in range(10):
        received.add(frame((large, table, b"fifth")))
    assert received._unread_bytes < large.nbytes
    received.update()
    assert received.has_bytes
    for word in ("first", "second", "third", "fourth", "fifth"):
        assert list(received.whole_in([word])), word


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"word " + bytes(1 << 20), id="bytes"),
        pytest.param(
            [np.zeros(20_000), *(f"word_{n}" for n in range(9_000)), "word"], id="many texts"
        ),
        pytest.param([np.zeros(20_000), np.array(["word"] * 50_000)], id="an array of text"),
    ],
)
def test_a_large_frame_that_is_not_mostly_numbers_is_read_when_it_is_needed(body: object) -> None:
    received = Received()
    received.add(frame(body))
    assert received._unread_bytes > 1 << 17
    assert list(received.whole_in(["word"]))


# Answers that use nothing but words of the instructor's own notebook.
SHORT = {
    "a name": ("answer = 'reference'", "eval(answer)"),
    "a letter": ("answer = 'x'", "eval(answer)"),
    "a name in a text": ("answer = 'reference'", "eval(f'{answer}(2)')"),
    "a part of a line": ("line = 'value = reference(2)'", "eval(line.split('=')[1])"),
    "the end of a name": ("answer = 'erence'", "eval('ref' + answer)"),
    "a sign": ("answer = '*'", "eval(f'2 {answer} 3')"),
    "a number": ("answer = '7'", "eval(f'x + {answer}')"),
    "names in a list": ("names = ['reference', 'other']", "[eval(one) for one in names]"),
    "a key": ("table = {'reference': 1}", "[eval(one) for one in table]"),
    "a value in a table": (
        "import pandas as pd\ntable = pd.DataFrame({'a': ['reference']})",
        "eval(table.a[0])",
    ),
    "a query": (
        "answer = 'a > 0'",
        "import pandas as pd\npd.DataFrame({'a': [1]}).query('a < 5 and ' + answer)",
    ),
    "a symbol": ("answer = '2*y'", "import sympy\nsympy.sympify(answer)"),
    "an annotation": (
        "def f(a: 'reference'):\n    pass",
        (
            "import typing\nclass Own:\n    pass\nOwn.__annotations__ = f.__annotations__\n"
            "typing.get_type_hints(Own)"
        ),
    ),
    "names of fields": (
        "names = ['own_field', 'other_field']",
        "import collections\ncollections.namedtuple('Own', names)",
    ),
    "names of fields in a text": (
        "names = 'own_field other_field'",
        "import dataclasses\ndataclasses.make_dataclass('Own', names.split())",
    ),
    "a doctest": (
        "def f():\n    '''\n    >>> reference\n    1\n    '''",
        (
            "import doctest\nrunner = doctest.DocTestRunner(verbose=False)\n"
            "runner.run(doctest.DocTestParser().get_doctest(f.__doc__, {}, 'f', '', 0), out=lambda _: "
            "None)"
        ),
    ),
}


def test_short_texts_are_refused_as_well(
    court: Court, in_two_processes: dict[str, CellResult]
) -> None:
    cells = [cell("def reference(x):\n    return x\nx = 3", grade_id="given", locked=True)]
    for number, (text, test) in enumerate(SHORT.values()):
        cells += answer(text, f"answer{number}"), graded(test, f"test{number}")
    court.grade(court.material(*cells), {})
    assert {
        name: in_two_processes[f"test{number}"].message for number, name in enumerate(SHORT)
    } == dict.fromkeys(SHORT, TEXT)


def test_no_random_text_is_compiled() -> None:
    script = Path(__file__).parents[1] / "provenance_property.py"
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    assert "examples" in ran.stdout


def test_payload_is_one_expression() -> None:
    assert compile(PAYLOAD, "payload", "eval")
