"""Random small notebooks, answers and changes: what is kept and what is run come to a full run.

The reading of cells and the keys are the real ones; the cells are run here, in one namespace, so that
hundreds of notebooks take seconds. `test_regrading.py` does the same with boxes and testers.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from nbreferee.course.known_code import Unsure
from nbreferee.course.ownership import Plan, Step
from nbreferee.course.slices import RunCell, slices_of
from nbreferee.engine.assignment_files import AssignmentFiles
from nbreferee.engine.box_runner import CellToRun
from nbreferee.grading.earlier import read_results
from nbreferee.grading.regrading import CellKeys, cell_keys, kept_cells

IMPORTS = """
import numpy as np
import functools
import itertools
from collections import Counter, defaultdict

a, b, c, d = [1, 2], [3], 4, {}
m = np.zeros((2, 2))
v = np.ones(3)


def f(x):
    return x


def g(x, y):
    return [*x, *y]


class K:
    shared = 0

    def __init__(self):
        self.items, self.n = [], 0

    def add(self, x):
        self.items.append(x)


k = K()
"""
OBSERVERS = """
print(a)
print(b)
print(c)
print(d)
print(f([1]))
print(f([1]), f([1]))
print(g([1], [2]))
print(m.sum())
print(v.sum())
print(k.items)
print(k.n)
print(K.shared)
print(f.calls)
print(f1.calls)
print(K().add(2))
print(k.add(2))
print(h)
print(push)
print(list(e))
a = [7]
b.append(9)
a.append(f(b))
m = v
m[0] = 9
del a
c = len(a); a = c
def f(x): return [b, x]
def g(x, y): return a.append(y)
""".strip().split("\n")
STATEMENTS = """
a = [1, 2]
a = [b, b]
b = a
b = [5]
b = a[0:1]
b = a[0]
a, b = b, a
c = len(a)
c += 1
a += b
a.append(c)
b.append(7)
b[0] = 9
a[-1] = [c]
a.clear()
del c
c = f(a)
b = f(b)
f(a)
f(b)
g(a, b)
print(f([1]))
print(g([1], [2]))
print(f(f([2])))
print(c)
print(a, b)
print([f([n]) for n in range(2)])
print(sorted([3, 1], key=lambda n: f([n])))
for x in [a]: x.append(1)
for x in a: print(x)
[x.append(0) for x in [b]]
list(map(a.append, [8]))
push = b.append
push(6)
c = (lambda: a)()
d = dict(k=a)
d["k"].append(2)
d = {}
print(d)
try: a.remove(99)
except ValueError: b = [0]
1 / 0
assert len(a) < 4, a
assert f([1]) == f([1]), "differs"
f = g1
f = make()
f = make2
g = f2
f = functools.partial(g, a)
f.calls = 3
print(getattr(f, "calls", 0)) if False else None
print(f.calls)
np.fill_diagonal(m, c)
m = np.zeros((2, 2))
v = m[0]
v += 1
v[1] = 5
w = np.asarray(v)
w -= 2
np.add.at(m, (0, 0), 1)
np.exp(m, out=m)
print(m.sum(), v.sum())
m.sort()
np.random.seed(3)
print(np.random.rand())
rng = np.random.default_rng(1)
print(rng.integers(9))
it = iter([1, 2, 3, 4])
print(next(it))
it = zip(a, a)
print(list(it))
k = K()
k.add(1)
print(k.items, K.shared)
print(k.n)
k.n = c
K.shared = [c]
globals()["a"] = [0]
len = max
print(len([2, 1]))
f([1]).append(2)
f(a)[0] = 6
list.append(f(b), 3)
print(g(a, b)) if f(a).append(1) else None
L = K
for C in [K]: C.shared = c
L.shared = 9
L.items = [c]
K.add = f
L.add = lambda self, x: a.append(x)
K().add(3)
k.add(a)
q = k.add
q(2)
k.items.append(a)
h = lambda: a
h().append(4)
h = [f, g]
h[0](a)
h = {"k": k}
h["k"].n = 5
f1 = f
f1.calls = 8
setattr(f1, "calls", 2)
setattr(k, "get", f)
print(k.get(a))
w = v.clip(0, 1, v)
w = v.clip(0, c, out=v)
w = np.exp(v, v)
w = np.add(v, c, m[0][:2])
w = np.multiply.accumulate(m, 0, None, m)
w = np.nan_to_num(m, copy=False)
v.partition(1)
w = np.ndarray.fill(v, 7)
w = functools.reduce(np.add, [v, v])
w = functools.reduce(f, [a, b]) if c else 0
w = list(itertools.starmap(g, [(a, b)]))
d = defaultdict(list)
print(d[c], len(d))
d[c].append(a)
d = Counter(map(str, a))
print(sorted(d.items()))
print(list(m.flat))
m.flat[0] = c
for x in m.flat: print(x)
z = m.T
z[0] = 2
z = np.asarray(m)[0]
z += 1
print([*map(f, [a])])
print(max([a, b], key=len))
max([a, b], key=len).append(1)
match a:
    case [x, *r]: c = x
match k:
    case K(): k.n = 2
print(f"{a!r} {c}", "{} {}".format(b, c))
a = b = [c]
(a if c else b).append(2)
[a, b][0].append(3)
import math as np
e = [y for y in a if (z := y)]
print(z)
""".strip().split("\n")
STATEMENTS = [one.replace("\\n", "\n") for one in STATEMENTS]
STATEMENTS = [
    f"{one}\n{STATEMENTS[n + 1]}" if one.startswith("try:") else one
    for n, one in enumerate(STATEMENTS)
    if not one.startswith("except")
]
DEFINITIONS = [
    "def f(x):\n    return x",
    "def f(x):\n    return [*x, c]",
    "def f(x):\n    x.append(1)\n    return x",
    "def f(x):\n    y = x\n    y[0] = 0\n    return y",
    "def f(x):\n    a.append(len(x))\n    return len(a)",
    "def f(x):\n    y = a\n    y.append(1)\n    return len(y)",
    "def f(x):\n    return a",
    "def f(x):\n    return g(x, x)",
    "def f(x, seen=[]):\n    seen.append(1)\n    return len(seen)",
    "def f(x):\n    f.calls = getattr(f, 'calls', 0) + 1\n    return 0",
    "def f(x):\n    global c\n    c = 0\n    return c",
    "def f(x):\n    yield from x",
    "def f(x):\n    return (y for y in x)",
    "@functools.lru_cache\ndef f2(x):\n    return [x]",
    "f2 = lambda x, y=None: x",
    "f = lambda x: b.append(1) or len(b)",
    "def g(x, y):\n    return x",
    "def g(x, y):\n    y.extend(x)\n    return len(y)",
    "def g(x, y):\n    return f(y)",
    "def g(x, y):\n    b = x\n    b.append(0)\n    return len(b)",
    "def g(x, y):\n    def inner():\n        c = len(x)\n        return c\n    return inner() + c",
    "def make():\n    kept = []\n    def inner(x):\n        kept.append(1)\n        return len(kept)\n    return inner",
    "def make():\n    n = 0\n    def inner(x):\n        nonlocal n\n        n += 1\n        return n\n    return inner",
    "def make2(x):\n    x.n = 1\n    return x",
    "def g1(h):\n    return a if h else b",
    (
        "class K:\n    shared = []\n    def __init__(self):\n        self.items = []\n        self.n = 0\n"
        "    def add(self, x):\n        self.items.append(x)\n        self.shared.append(x)\n"
    ),
    "class K:\n    shared = 0\n    items = 0\n    n = 1\n    def add(self, x):\n        a.append(x)\n",
    (
        "class K:\n    items, shared = (), 0\n    @property\n    def n(self):\n        a.append(1)\n        return 0\n"
        "    def add(self, x):\n        pass\n"
    ),
    "def f(x:\n    no Python",
    "def f(x):\n    return K",
    "def f(x):\n    a.append(1)\n    return b",
    "def f(x):\n    g(x, a).append(2)\n    return x",
    "def f(x):\n    K.shared = x\n    return x",
    "def f(x):\n    return f.calls",
    "def g(x, y):\n    return y if x else f",
    "def g(x, y):\n    x.n = y\n    return x",
    "def g(x, y):\n    f(y).append(3)\n    return f(y)",
    "def g(x, y):\n    d[len(x)] = y\n    return d",
    "class K:\n    items, shared, n = [], 0, 0\n    def add(self, x):\n        type(self).shared = x\n",
    (
        "class K:\n    items, shared = (), 0\n    def __init__(self):\n        self.n = a\n"
        "    def add(self, x):\n        K.shared = x\n        return self.n\n"
    ),
    "class B:\n    kept = []\n    def add(self, x):\n        self.kept.append(x)\n\nclass K(B):\n    shared = n = 0\n    items = B.kept\n",
    "class K:\n    shared = n = items = 0\n    def add(self, x, seen=[]):\n        seen.append(x)\n        print(seen)\n",
    "class Z:\n    def add(self, x):\n        self.shared = x\nZ.add(K, 3)",
    "class Z:\n    def add(self, x):\n        self.calls = x\nZ().add(3)\nZ.add(f, 3)",
]
Notebook = Sequence[tuple[str, str]]


def parts_of(notebook: Notebook) -> list[CellToRun]:
    cells = [(IMPORTS, "free"), *notebook]
    return [CellToRun(source, True, number, role) for number, (source, role) in enumerate(cells)]


def keys_of(parts: Sequence[CellToRun]) -> CellKeys | None:
    steps = tuple(Step(number, part.role) for number, part in enumerate(parts))
    plain = tuple(Step(0, one.role) for one in steps)  # the same for notebooks of any length
    plan = Plan("one", plain, (), (), (), ())
    return cell_keys(parts, plan, AssignmentFiles(), None, {}, follow_through=False)


def run(source: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run a cell; return what it shows as an output."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        try:
            exec(compile(source, "cell", "exec"), names)
        except Exception as error:
            print(type(error).__name__, error)
    text = re.sub(r"0x[0-9a-f]+", "0x", shown.getvalue())  # addresses differ in any two runs
    return {"output_type": "stream", "name": "stdout", "text": text}


class NamesOfTests(dict[str, Any]):
    """Names that tests bind, which other cells do not see, before those of the other cells."""

    def __init__(self, others: dict[str, Any]) -> None:
        super().__init__({"__name__": "__main__"})
        self._others = others

    def __missing__(self, name: str) -> Any:
        return self._others[name]


def run_all(
    parts: Sequence[CellToRun], kept: dict[int, dict[str, Any]] | None = None
) -> list[dict[str, Any]]:
    names: dict[str, Any] = {"__name__": "__main__"}
    of_tests = NamesOfTests(names)
    return [
        kept[n]
        if kept and n in kept
        else run(part.source, of_tests if part.role == "test" else names)
        for n, part in enumerate(parts)
    ]


def executed(
    parts: Sequence[CellToRun], keys: CellKeys, outputs: Sequence[dict[str, Any]]
) -> bytes:
    cells = [
        {"outputs": [one], "metadata": {"nbgrader": {"grade_id": str(n)}}}
        for n, one in enumerate(outputs)
    ]
    verdicts = [
        {"grade_id": str(n), "status": "passed", "score": 1.0, "message": ""}
        for n in range(len(parts))
    ]
    regrading = {"keys": list(keys.keys), "after": {}}
    kept = {"cells": verdicts, "regrading": regrading}
    return json.dumps({"cells": cells, "metadata": {"nbreferee": kept}}).encode()


def check(before: Notebook, after: Notebook) -> str:
    """Compare what is kept and run with a full run; return what happened."""
    old, new = parts_of(before), parts_of(after)
    old_keys, new_keys = keys_of(old), keys_of(new)
    if old_keys is None or new_keys is None:
        return "unsure"
    earlier = executed(old, old_keys, run_all(old))
    results = read_results(earlier, new_keys.keys, [part.role for part in new])
    found = kept_cells(results, new_keys, new)
    kept = {number: one.outputs[0] for number, one in found.results.items()}
    got, want = run_all(new, kept), run_all(new)
    assert got == want, (
        [part.source for part in new],
        sorted(kept),
        {n: sorted(one) for n, one in new_keys.slices.items()},
    )
    return "some kept" if kept else "all run"


def are_sure(line: str) -> bool:
    return keys_of(parts_of([(line, "free")])) is not None


def cells_of(lines: Sequence[str], role: str, size: int) -> st.SearchStrategy:
    sure = [one for one in lines if are_sure(one)]
    return st.tuples(
        st.lists(st.sampled_from(sure), min_size=1, max_size=size).map("\n".join), st.just(role)
    )


CELLS = st.one_of(cells_of(STATEMENTS, "free", 2), cells_of(DEFINITIONS, "free", 1))
TESTS = cells_of(OBSERVERS, "test", 1)


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(CELLS, min_size=2, max_size=5),
    st.lists(TESTS, min_size=1, max_size=4),
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(["change", "insert", "delete"]), CELLS),
        max_size=2,
    ),
)
def test_kept_and_run_cells_come_to_a_full_run(
    cells: list[tuple[str, str]],
    tests: list[tuple[str, str]],
    changes: list[tuple[int, str, tuple[str, str]]],
) -> None:
    after = list(cells)
    for place, how, new in changes:
        place %= len(after)
        if how == "change":
            after[place] = new
        elif how == "insert":
            after.insert(place, new)
        elif len(after) > 1:
            del after[place]
    event(check([*cells, *tests], [*after, *tests]))


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(CELLS, min_size=2, max_size=4),
    st.lists(TESTS, min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 9), CELLS), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 9), CELLS), max_size=1),
)
def test_result_of_another_student_is_what_the_cell_alone_comes_to(
    cells: list[tuple[str, str]],
    tests: list[tuple[str, str]],
    added: list[tuple[int, tuple[str, str]]],
    others: list[tuple[int, tuple[str, str]]],
) -> None:
    notebooks = []
    for more in added, others:
        one = [*cells, *tests]
        for place, cell in more:
            one.insert(place % (len(one) + 1), cell)
        notebooks.append(parts_of(one))
    keys = [keys_of(one) for one in notebooks]
    if keys[0] is None or keys[1] is None:
        return
    first, second = map(run_all, notebooks)
    theirs = dict(zip(keys[0].keys, first, strict=True))
    found = 0
    for number, key in enumerate(keys[1].keys):
        if key in theirs:
            found += 1
            assert theirs[key] == second[number], (
                [[part.source for part in one] for one in notebooks],
                number,
                sorted(keys[1].slices[number]),
            )
    event("some shared" if found > 1 else "none shared")


UNSEEN = {
    "an alias": ["b = a", "print(a)", "b.append(1)", "print(a)"],
    "a part": ["a = [[1]]\nb = a[0]", "b.append(1)", "print(a)"],
    "a default": [DEFINITIONS[8], "f(1)", "print(f(1))"],
    "a closure": [DEFINITIONS[21] + "\nf = make()", "f(1)", "print(f(1))"],
    "an attribute of a function": [DEFINITIONS[9], "f(1)", "print(f.calls)"],
    "a shared list of a class": [DEFINITIONS[25], "K().add(1)", "print(K.shared)"],
    "a bound method": ["push = a.append", "push(1)", "print(a)"],
    "a loop": ["for x in [a]: x.append(1)", "print(a)"],
    "a comprehension": ["[x.append(0) for x in [b]]", "print(b)"],
    "an alias in a function": [DEFINITIONS[5], "f([])", "print(a)"],
    "a name that is bound again": ["c = 1\ndef f(x):\n    return c", "c = 7", "print(f(0))"],
    "a function of a function": [DEFINITIONS[17], DEFINITIONS[7], "f(a)", "print(a)"],
}


@pytest.mark.parametrize("way", UNSEEN)
def test_change_in_place_is_seen_however_it_is_written(way: str) -> None:
    cells = [(one, "free") for one in UNSEEN[way]]
    changing = len(cells) - 2
    without = [*cells[:changing], ("c = 0", "free"), *cells[changing + 1 :]]
    keys, other = keys_of(parts_of(cells)), keys_of(parts_of(without))
    assert keys is None or other is None or keys.keys[-1] != other.keys[-1]
    check(cells, without)
    check(without, cells)


NEVER_SURE = {
    "a file": "open('x', 'w')",
    "text that is run": "exec('a = 1')",
    "names by their text": "globals()['a'] = 1",
    "a magic": "%run other.py",
    "the shell": "!ls",
    "a star": "from math import *",
    "another module": "import os\nos.environ['A'] = '1'",
    "global random numbers": "np.random.rand()",
    "random": "import random\nrandom.seed(0)",
    "settings of a library": "np.seterr(all='raise')",
    "an iterator": "it = iter([1])",
    "an iterator that a function returns": "def f(x):\n    p = zip(x, x)\n    return p",
    "an iterator in a closure": ("def f(x):\n    p = zip(x, x)\n    return lambda: list(p)"),
    "an iterator in a class": "def f(x):\n    class K:\n        p = zip(x, x)\n    return K",
    "an iterator in a list": "def f(x):\n    p = iter(x)\n    return [p]",
    "an iterator under another name": "def f(x):\n    p = iter(x)\n    q = p\n    return q",
    "iterators as items": "it = [iter(x) for x in [b]]",
    "local iterators as items": "def f(x):\n    p = iter(x)\n    return [p for _ in x]",
    "a generator": "def f():\n    yield 1",
    "a global name in a function": "def f():\n    global a\n    a = 1",
    "a module's own part": "np.pi = 3",
    "the last result": "print(_)",
    "an object's inside": "print(f.__globals__)",
    "a property": DEFINITIONS[27],
}


LOCAL_ITERATORS = (
    "def f(x):\n    p = zip(x, x)\n    return [one for one, _ in p]",
    "def f(x):\n    p = (2 * one for one in x)\n    return sum(p) + sum(p)",
    "def f(x):\n    p = enumerate(x)\n    for n, one in p:\n        x = list(p)\n    return x",
)


@pytest.mark.parametrize("definition", LOCAL_ITERATORS)
def test_iterator_that_ends_with_its_function_is_no_trouble(definition: str) -> None:
    cells = [(definition, "free"), ("print(f(a))", "free"), ("print(f(a))", "free")]
    assert are_sure(definition)
    check(cells, [*cells[:1], ("a.append(3)", "free"), *cells[1:]])
    check(cells, [("def f(x):\n    return x", "free"), *cells[1:]])


@pytest.mark.parametrize(
    "cell",
    [
        "rng = np.random.default_rng(1)",
        "np.random.seed(0)",
        "first = next(x for x in a if x)",
        "def f(x):\n    def g():\n        pass\n    g.__name__ = 'x'\n    return g",
    ],
)
def test_reading_is_sure_of_what_keeps_nothing(cell: str) -> None:
    assert are_sure(cell)


@pytest.mark.parametrize(
    "cell", ["d = np.load('other.npz')", "d = np.load(a)", "d = np.load('a.npz', mmap_mode='r+')"]
)
def test_file_that_is_not_the_instructors_is_not_sure(cell: str) -> None:
    with pytest.raises(Unsure):
        slices_of([RunCell(IMPORTS), RunCell(cell)], {}, ["a.npz"])
    slices_of([RunCell(IMPORTS), RunCell("d = np.load('a.npz')")], {}, ["a.npz"])


@pytest.mark.parametrize("what", NEVER_SURE)
def test_everything_is_run_where_the_reading_is_not_sure(what: str) -> None:
    assert keys_of(parts_of([("print(a)", "free"), (NEVER_SURE[what], "free")])) is None
