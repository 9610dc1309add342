"""Nothing that a box has sent becomes code in the tester, however a test goes about it."""

from __future__ import annotations

import builtins
import importlib.util
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import pytest
from building import answer, cell, graded
from refereed import Court, verdicts
from running_text import PAYLOAD, WAYS

from nbreferee.engine.provenance import FILE, PICKLE, TEXT
from nbreferee.verify.session import Session
from nbreferee.verify.warm import Forks, Task

SECRET = "SECRET_88"
LATER = f"assert twice(2) == 4\n### BEGIN HIDDEN TESTS\n{SECRET} = 88\nassert twice(44) == {SECRET}\n### END HIDDEN TESTS"
TWICE = "def twice(x):\n    return 2 * x"
NOT_TWICE = "def twice(x):\n    return x"
READ_ALL = "[print(s.source) for one in __import__('inspect').stack() for s in getattr(one.frame.f_locals.get('self'), '_steps', ())]"
HERE = [way for way in WAYS if not way.needs or importlib.util.find_spec(way.needs)]


@pytest.fixture(scope="module")
def court():
    with Court() as court:
        yield court


@pytest.fixture(scope="module")
def ran_in_one_process() -> set[str]:
    """The names of the ways whose test runs the payload where all is in one process, as with stock nbgrader."""
    found: set[str] = set()
    forks = Forks(2, lambda outcome: found.update([outcome.key] if outcome.result else []))
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        session.run("import pandas, sympy, yaml")
        session.renew()
        forks.start([Task(way.name, partial(runs_payload, session, way), 60) for way in HERE])
        forks.finish()
        os.chdir("/")
    return found


def runs_payload(session: Session, way) -> bool:
    """Tell whether the test has run the payload; the answer may have done so before it, in its own process."""
    os.chdir(tempfile.mkdtemp(dir="."))
    session.run(way.answer)
    vars(builtins).pop("ran", None)
    session.run(way.test)
    return bool(getattr(builtins, "ran", None))


@pytest.mark.parametrize("way", HERE, ids=lambda way: way.name)
def test_each_way_runs_the_text_in_one_process(way, ran_in_one_process):
    assert way.name in ran_in_one_process


def test_no_way_runs_the_text_in_the_tester(court):
    cells = [cell("import yaml, numpy as np", grade_id="modules", locked=True)]
    for number, way in enumerate(HERE):
        cells += answer(way.answer, f"answer{number}"), graded(way.test, f"way{number}")
    material = court.material(*cells, answer(TWICE, "twice"), graded(LATER, "later"))
    got = court.grade(material, {"twice": NOT_TWICE})
    found = verdicts(got)
    said = {way.name: (one.status, one.score, one.message) for number, way in enumerate(HERE) for one in [found[f"way{number}"]]}
    assert {name: one for name, one in said.items() if one[:2] != ("error", 0) or one[2] not in (TEXT, FILE, PICKLE)} == {}
    assert found["later"].score == 0
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


def test_a_test_that_catches_the_refusal_does_not_pass(court):
    material = court.material(answer(READER, "mean"), graded(SWALLOWED, "swallows"), answer(TWICE, "twice"), graded(LATER, "later"))
    got = court.grade(material, {"twice": NOT_TWICE})
    found = verdicts(got)
    assert (found["swallows"].status, found["swallows"].score, found["swallows"].message) == ("error", 0, TEXT)
    assert found["later"].score == 0
    assert SECRET not in str([one.outputs for one in got.notebook.cells if "outputs" in one])


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
    "a value in a table": ("import pandas as pd\ntable = pd.DataFrame({'a': ['reference']})", "eval(table.a[0])"),
    "a query": ("answer = 'a > 0'", "import pandas as pd\npd.DataFrame({'a': [1]}).query('a < 5 and ' + answer)"),
    "a symbol": ("answer = '2*y'", "import sympy\nsympy.sympify(answer)"),
    "an annotation": ("def f(a: 'reference'):\n    pass", "import typing\nclass Own:\n    pass\nOwn.__annotations__ = f.__annotations__\ntyping.get_type_hints(Own)"),
    "names of fields": ("names = ['own_field', 'other_field']", "import collections\ncollections.namedtuple('Own', names)"),
    "names of fields in a text": ("names = 'own_field other_field'", "import dataclasses\ndataclasses.make_dataclass('Own', names.split())"),
    "a doctest": ("def f():\n    '''\n    >>> reference\n    1\n    '''", "import doctest\nrunner = doctest.DocTestRunner(verbose=False)\n"
                  "runner.run(doctest.DocTestParser().get_doctest(f.__doc__, {}, 'f', '', 0), out=lambda _: None)"),
}  # fmt: skip


def test_short_texts_are_refused_as_well(court):
    cells = [cell("def reference(x):\n    return x\nx = 3", grade_id="given", locked=True)]
    for number, (text, test) in enumerate(SHORT.values()):
        cells += answer(text, f"answer{number}"), graded(test, f"test{number}")
    found = verdicts(court.grade(court.material(*cells), {}))
    assert {name: found[f"test{number}"].message for number, name in enumerate(SHORT)} == dict.fromkeys(SHORT, TEXT)


def test_no_random_text_is_compiled():
    script = Path(__file__).with_name("provenance_property.py")
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    assert "examples" in ran.stdout


def test_payload_is_one_expression():
    assert compile(PAYLOAD, "payload", "eval")
