"""A right answer that is written otherwise than the solution, and that cannot travel, is left to a
person: it never gets a silent zero.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from building import answer, graded
from refereed import Court, verdicts

SOLUTIONS = {
    "numbers": "def numbers(): return [1, 2]",
    "record": "def record(): return {'a': 1}",
    "word": "def word(): return 'ab'",
    "vector": "import numpy as np\ndef vector(): return np.array([1.0, 2.0])",
    "apply": "def apply(f): return f(3)",
    "times": "def times(g): return g(2)",
    "visit": "def visit(items): return sum(items)",
    "count": "def count(items): return len(list(items))",
    "saved": "def saved(): return [1]",
    "total": "def total(): return 3",
    "lines": "def lines(file): return file.read().split()",
}
TESTS = {
    "equal_list": "assert numbers() == [1, 2]",
    "reflected": "assert [0] + numbers() == [0, 1, 2]",
    "looks_inside": "import json\nassert json.dumps(numbers()) == '[1, 2]'",
    "looks_inside_dict": "import json\nassert json.dumps(record()) == '{\"a\": 1}'",
    "equal_dict": "assert record() == {'a': 1}",
    "joined": "assert ''.join([word(), 'c']) == 'abc'",
    "equal_text": "assert word() == 'ab'",
    "array": "import numpy as np\nassert np.allclose(vector(), [1, 2])",
    "computed": "assert 1 + total() == 4 and total() < 5",
    "caught": (
        "try:\n    good = numbers() == [1, 2]\nexcept TypeError:\n    good = False\nassert good"
    ),
    "pickled": "import pickle\nassert pickle.dumps(saved())",
    "called": (
        "class Model:\n    k = 2\n    def __call__(self, x): return self.k * x\n"
        "assert apply(Model()) == 6"
    ),
    "method": "class Scale:\n    k = 3\n    def of(self, x): return self.k * x\n"
    "assert times(Scale().of) == 6",
    "visited": "class Ones:\n    def __init__(self): self.n = 3\n    def __iter__(self): return self\n"
    "    def __next__(self):\n"
    "        if not self.n: raise StopIteration\n        self.n -= 1\n        return 1\n"
    "    def left(self): return self.n\nassert visit(Ones()) == 3",
    "counted": "assert count(map(int, '12')) == 2",
    "switched": (
        "match numbers():\n    case [1, two]:\n        assert two == 2\n    case _:\n"
        "        assert False"
    ),
    "opened": (
        "open('x.txt', 'w').write('a b')\nwith open('x.txt') as file:\n"
        "    assert lines(file) == ['a', 'b']"
    ),
}
OTHERWISE = {
    "numbers": "class Row(list):\n    pass\ndef numbers(): return Row([1, 2])",
    "record": "class Record(dict):\n    pass\ndef record(): return Record(a=1)",
    "word": "class Word(str):\n    pass\ndef word(): return Word('ab')",
    "vector": (
        "import numpy as np\nclass Vector(np.ndarray):\n    pass\n"
        "def vector(): return np.array([1.0, 2.0]).view(Vector)"
    ),
    "apply": "def apply(f): return f.k * 3 if hasattr(f, 'k') else 0",
    "times": "def times(g): return g(g.__code__.co_argcount)",
    "visit": "def visit(items): return items.left()",
    "count": "import copy\ndef count(items): return len(list(copy.deepcopy(items)))",
    "saved": "class Saved:\n    def __init__(self): self.x = 1\ndef saved(): return Saved()",
    "total": "class Total(int):\n    pass\ndef total(): return Total(3)",
    "lines": "def lines(file): return file.readline().split()",
}


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court() as court:
        yield court


def test_right_answer_that_cannot_travel_is_left_to_a_person(court: Court) -> None:
    master = [
        *(answer(source, name) for name, source in SOLUTIONS.items()),
        *(graded(source, name) for name, source in TESTS.items()),
    ]
    material = court.material(*master)
    judged_together = court.grader.calibrate(material).one_process
    found = verdicts(court.grade(material, OTHERWISE))
    lost = {
        name: (one.status, one.message)
        for name, one in found.items()
        if not one.score and one.status != "manual"
    }
    assert lost == {}
    assert set(judged_together) <= {"pickled", "called", "visited", "opened"}
    assert {name for name, one in found.items() if one.status == "manual"} >= {
        "equal_list",
        "looks_inside",
        "joined",
        "array",
        "caught",
        "switched",
        "counted",
        "method",
    }


def test_solution_loses_nothing_by_objects_that_stay_in_the_box(court: Court) -> None:
    master = [
        *(
            answer(source, name)
            for name, source in OTHERWISE.items()
            if name not in ("apply", "times", "visit", "count", "lines")
        ),
        *(
            graded(source, name)
            for name, source in TESTS.items()
            if name in ("equal_list", "reflected", "equal_dict", "equal_text", "computed")
        ),
    ]
    material = court.material(*master)
    assert court.grader.calibrate(material).one_process == {}
