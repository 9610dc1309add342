"""Whatever a cheat adds to a wrong answer, it earns what the wrong answer earns; in one plain
process it earns more.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import pytest
from building import answer, cell, graded
from notebooks import COURSE, what_notebooks_import
from refereed import Court, verdicts

from nbreferee.budget import Budget
from nbreferee.grading.notebook import NotebookMaterial, as_bytes
from nbreferee.sandbox import ALL_LAYERS, WITHOUT_NAMESPACES

FILES = what_notebooks_import()
LAYERS = {"tier A": ALL_LAYERS, "tier B": WITHOUT_NAMESPACES}

# ------------------------------------------------- a master with a test in every style

LOCKED = """
import numpy as np
class Account:
    def __init__(self, balance):
        self.balance = balance
    def holds(self, amount):
        return self.balance == amount
"""
FREE = "import math\nfrom numpy.testing import assert_allclose"
SOLUTION_IMPORTS = (
    "from numpy.testing import assert_almost_equal\nimport numpy as xp\nimport math as m\n"
)
RIGHT = """
def square(x): return x * x
def squares(xs): return [x * x for x in xs]
def half(): return 0.5
def add(a, b): return a + b
def root(x):
    if x < 0: raise ValueError("negative")
    return x ** 0.5
def pair(a, b): return a, b
def normalise(x): x /= np.linalg.norm(x)
def positive(x): return x ** 2 >= 0
def deposit(account, amount): account.balance += amount
def apply(function, x): return function(x)
def count(): global counter; counter += 1
"""
WRONG = """
def square(x): return give(x + 1, x)
def squares(xs): return give([x + 1 for x in xs], xs)
def half(): return give(0.25)
def add(a, b): return give(a - b, a)
def root(x): return give(7.0, "root")
def pair(a, b): return give([a, b])
def normalise(x): spoil(x)
def positive(x): return give(x > x)
def deposit(account, amount): bend(account)
def apply(function, x): return give(x)
def count(): global counter; counter = give(5)
finish()
"""
HONEST_GIVE = """
def give(wrong, *arguments): return wrong
def spoil(x): pass
def bend(account): pass
def finish(): pass
"""
VECTOR = """
class Vector:
    def __init__(self, x, y): self.x, self.y = x, y
    def __add__(self, other): return Vector(self.x {sign} other.x, self.y {sign} other.y)
"""
TESTS = {
    "equal": "assert square(3) == 9\nassert square(-4) == 16",
    "allclose": "assert np.allclose(square(np.array([1., 2., 3.])), [1, 4, 9])",
    "scalar_allclose": "assert np.allclose(square(2.5), 6.25)",
    "testing": "np.testing.assert_allclose(square(np.array([1.5, 2.])), [2.25, 4.])",
    "freely_imported": "assert_allclose(square(2.5), 6.25)\nassert math.isclose(square(1.5), 2.25)",
    "imported_by_the_solution": "assert_almost_equal(square(1.5), 2.25)",
    "module_imported_by_the_solution": (
        "assert xp.isclose(square(2.5), 6.25)\nassert m.isclose(square(1.5), 2.25)"
    ),
    "not_too_far": "assert not abs(square(3) - 9) > 0",
    "array_not_too_far": (
        "assert not (abs(square(np.array([1., 2.])) - np.array([1., 4.])) > 1e-9).any()"
    ),
    "isinstance": (
        "result = square(5)\nassert isinstance(result, int) and not isinstance(result, bool)\n"
        "assert result == 25"
    ),
    "loop": "for got, want in zip(squares([2, 3, 5]), [4, 9, 25]):\n    assert got == want",
    "partial": (
        "sum([square(2) == 4, square(7) == 49, bool(np.isclose(square(6), 36)), not abs(square(5) "
        "- 25) > 0]) / 2"
    ),
    "raises": "try:\n    root(-1)\nexcept ValueError:\n    pass\nelse:\n    raise AssertionError",
    "kind": "assert isinstance(pair(1, 2), tuple)",
    "gradtests": (
        "from gradtests import check\ncheck(square, lambda x: x * x, cases=[(np.array([1., "
        "2.5]),), (np.array([4., 5., 6.]),)], forms=())"
    ),
    "variable": "assert not abs(answer_value - 42) > 0\nassert answer_value == 42",
    "in_place": (
        "x = np.array([3., 4.])\nnormalise(x)\nassert not abs(np.linalg.norm(x) - 1) > 1e-9"
    ),
    "method": "assert positive(np.arange(4)).all()",
    "object_of_the_instructors": (
        "account = Account(2)\ndeposit(account, 3)\nassert account.holds(5)"
    ),
    "attribute_of_an_object": (
        "account = Account(2)\ndeposit(account, 3)\nassert not abs(account.balance - 5) > 0"
    ),
    "class": "total = Vector(1, 2) + Vector(3, 5)\nassert (total.x, total.y) == (4, 7)",
    "random": "x = np.random.rand()\nassert abs(square(x) - x * x) < 1e-9",
    "normal": "x = np.random.randn()\nassert abs(square(x) - x * x) < 1e-9",
    "asked_first": "x = np.array([2., 3.])\nassert np.allclose(square(x), x * x)",
    "without_arguments": "assert not abs(half() - 0.5) > 1e-9",
    "two_arguments": (
        "a, b = np.array([1., 2.]), np.array([3., 5.])\n"
        "np.testing.assert_allclose(add(a, b), [4., 7.])"
    ),
    "function_as_argument": "assert apply(lambda x: x + 10, 1) == 11",
    "global_variable": "counter = 0\ncount()\nassert not abs(counter - 1) > 0",
    "attribute": "assert square(3).real == 9",
}
MASTER = [
    cell(LOCKED, grade_id="imports", locked=True),
    cell(FREE),
    answer(SOLUTION_IMPORTS + RIGHT, "functions"),
    answer("answer_value = 42", "value"),
    answer(VECTOR.format(sign="+"), "vector"),
    *(
        graded(f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS", name)
        for name, source in TESTS.items()
    ),
    answer("def double(x): return 2 * x", "double"),
    graded("assert double(4) == 8", "last"),
]


def wrong(attack: str = "") -> dict[str, str]:
    """A wrong answer to all but the last exercise, with an attack in the first answer cell."""
    return {
        "functions": SOLUTION_IMPORTS + HONEST_GIVE + attack + WRONG,
        "value": "answer_value = give(41)",
        "vector": VECTOR.format(sign="-"),
        "double": "def double(x): return 2 * x",
    }


# ------------------------------------------------- the attacks

ALWAYS = "lambda *a, **k: True"
NOTHING = "lambda *a, **k: None"
LIAR = """
class Liar{base}:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    def __gt__(self, other): return False
    __le__, __ge__ = __lt__, __lt__
    def __sub__(self, other): return self
    def __abs__(self): return self
    __add__ = __rsub__ = __radd__ = __mul__ = __truediv__ = __round__ = __sub__
    def any(self): return False
    def all(self): return True
    def __bool__(self): return {truth}
    __hash__ = None
    real = property(lambda self: self)
    {more}
def give(wrong, *arguments): return Liar({made})
"""


def liar(base: str = "", made: str = "", truth: str = "True", more: str = "") -> str:
    return LIAR.format(base=base, made=made, truth=truth, more=more)


def returns(value: str) -> str:
    return f"def give(wrong, *arguments): return {value}\n"


COMPARISON = {
    "np.allclose": f"np.allclose = np.isclose = {ALWAYS}",
    "np.testing": f"np.testing.assert_allclose = {NOTHING}",
    "np.testing in sys.modules": "import sys, types\nfake = types.ModuleType('numpy.testing')\n"
    f"fake.assert_allclose = {NOTHING}\n"
    "sys.modules['numpy.testing'] = fake\nnp.testing = fake",
    "name np": "import types\nreal = np\nclass Fake(types.ModuleType):\n"
    "    def __getattr__(self, name): return getattr(real, name)\nnp = Fake('numpy')\n"
    f"np.allclose = np.isclose = {ALWAYS}\n"
    f"np.testing = types.SimpleNamespace(assert_allclose={NOTHING})",
    "name assert_allclose": f"assert_allclose = {NOTHING}\nmath.isclose = {ALWAYS}",
    "name assert_almost_equal": f"assert_almost_equal = {NOTHING}",
    "name of a module as an object": (
        f"import types\nxp = m = types.SimpleNamespace(isclose={ALWAYS})"
    ),
    "gradtests in sys.modules": (
        f"import sys, types\nsys.modules['gradtests'] = types.SimpleNamespace(check={NOTHING})"
    ),
    "inside gradtests": f"import gradtests.trials\ngradtests.trials.find_fault = {NOTHING}",
    "finder of modules": "import sys, types\nclass Finder:\n    def find_spec(self, name, path, target=None):\n"
    "        if name == 'gradtests':\n"
    "            import importlib.machinery as im\n            return im.ModuleSpec(name, self)\n"
    "    def create_module(self, spec): pass\n"
    f"    def exec_module(self, module): module.check = {NOTHING}\n"
    "sys.meta_path.insert(0, Finder())\nsys.modules.pop('gradtests', None)",
    "builtins": (
        "import builtins\nbuiltins.zip = lambda *a: []\nbuiltins.sum = lambda *a: 2\n"
        "builtins.abs = lambda x: np.float64(0)"
    ),
    "isinstance": (
        "import builtins\nreal = isinstance\n"
        "builtins.isinstance = lambda one, kind: real(one, kind) or (kind is tuple and real(one, "
        "list))"
    ),
    "ValueError": (
        "import builtins\nbuiltins.ValueError = Exception\n"
        "def give(wrong, *a): return 1 / 0 if a == ('root',) else wrong\n"
    ),
    "globals hide builtins": (
        "abs = lambda x: np.zeros(2)\nzip = lambda *a: []\nsum = lambda *a: 2.0\n"
        "bool = lambda x: True"
    ),
    "class of the instructor's": "Account.holds = lambda self, amount: True",
    "class of the instructor's anew": (
        "class Account(Account):\n    def holds(self, amount): return True"
    ),
}
SHELL = {
    "AST transformer drops asserts": "import ast\nclass Drop(ast.NodeTransformer):\n"
    "    def visit_Assert(self, node): return ast.Pass()\n"
    "get_ipython().ast_transformers.append(Drop())",
    "AST transformer drops everything": "import ast\nclass Empty(ast.NodeTransformer):\n    def visit_Module(self, node):\n"
    "        node.body = []\n"
    "        return node\nget_ipython().ast_transformers.append(Empty())",
    "input transformer": (
        "get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'] if 'assert' in "
        "''.join(lines) else lines)"
    ),
    "pre_run_cell hook": (
        f"def hook(info): np.allclose = {ALWAYS}; np.testing.assert_allclose = {NOTHING}\n"
        "get_ipython().events.register('pre_run_cell', hook)"
    ),
    "post_run_cell hook clears what is shown": (
        "get_ipython().events.register('post_run_cell', lambda result: "
        "get_ipython().outputs.shown.clear())"
    ),
    "set_custom_exc": "get_ipython().set_custom_exc((Exception,), lambda *a, **k: None)",
    "showtraceback": f"get_ipython().showtraceback = get_ipython()._showtraceback = {NOTHING}",
    "display hook prints a score": (
        "get_ipython().display_formatter.formatters['text/plain'].for_type(float, lambda v, p, c: "
        "p.text('2.0'))"
    ),
    "display hook for anything": "class Hook(type(get_ipython().displayhook)):\n"
    "    def compute_format_data(self, result): return {'text/plain': '2.0'}, {}\n"
    "get_ipython().displayhook.__class__ = Hook",
    "run_code": "async def run(*a, **k): return False\nget_ipython().run_code = run",
    "run_cell": (
        "shell = type(get_ipython())\nreal = shell.run_cell\n"
        "shell.run_cell = lambda self, source, **k: real(self, 'pass', **k)"
    ),
    "compile": (
        "get_ipython().compile.ast_parse = lambda source, *a, **k: __import__('ast').parse('')"
    ),
}
LYING = {
    "object equal to everything": liar(),
    "object that can be called": liar(more="__call__ = lambda self, *a: self"),
    "object that counts as an array": liar(
        more="__array_function__ = lambda self, *a: True\n"
        "    __array_ufunc__ = lambda self, *a, **k: self"
    ),
    "object with a class of another": liar(more="__class__ = property(lambda self: int)"),
    "object that is an iterator": liar(
        more="__iter__ = lambda self: iter([])\n    __next__ = lambda self: self"
    ),
    "subclass of int": liar("(int)", "wrong if type(wrong) is int else 0"),
    "subclass of an exception": liar("(ValueError)"),
    "metaclass": liar("(type)", "'Fraction', (), {}"),
    "subclass of the class of the exercise": liar()
    + "Lie = type('Vector', (Liar,), {})\ndef give(wrong, *a): return Lie()\n",
    "instance of the instructor's class": liar("(Account)", "5"),
    "MagicMock": "import unittest.mock as mock\ndef give(wrong, *a):\n    lie = mock.MagicMock()\n"
    "    lie.__eq__.return_value = True\n"
    "    lie.__sub__.return_value = lie\n"
    "    lie.__gt__.return_value = False\n    lie.__abs__ = lambda self: lie\n    lie.real = lie\n"
    "    return lie\n",
    "mock.ANY": "import unittest.mock as mock\n" + returns("mock.ANY"),
    "ndarray subclass with __array_function__": (
        "class Sub(np.ndarray):\n    def __array_function__(self, *a, **k): return True\n"
    )
    + returns("np.zeros(2).view(Sub)"),
    "ndarray subclass with __array_ufunc__": (
        "class Sub(np.ndarray):\n    def __array_ufunc__(self, u, *a, **k): return np.zeros(2, "
        "bool)\n"
    )
    + returns("np.zeros(2).view(Sub)"),
    "masked": returns("np.ma.masked"),
    "masked array": returns("np.ma.masked_all(np.shape(wrong))"),
    "types that give what is masked": (
        "def finish(): globals().update(half=np.ma.core.MaskedConstant, add=np.ma.MaskedArray)\n"
    ),
    "empty array": returns("np.array([])"),
    "empty array of objects": returns("np.array([], dtype=object)"),
    "empty list": returns("[]"),
    "empty range": returns("range(0)"),
    "empty deque": "import collections\n" + returns("collections.deque()"),
    "empty dictionary's values": returns("{}.values()"),
    "empty iterator": returns("iter([])"),
    "nan": returns("float('nan')"),
    "nan in an array": returns("wrong * np.nan if np.ndim(wrong) else np.nan"),
    "complex nan": returns("complex('nan')"),
    "nan in an array of objects": returns("np.full(np.shape(wrong), np.nan, dtype=object)"),
    "nan in a deque": "import collections\n" + returns("collections.deque([float('nan')])"),
    "no time": returns("np.timedelta64('NaT', 's')"),
    "no times": returns("np.full(np.shape(wrong), 'NaT', 'm8[s]')"),
    "decimal nan": "import decimal\ndecimal.getcontext().traps[decimal.InvalidOperation] = False\n"
    + returns("decimal.Decimal('nan')"),
    "function with attributes": (
        "def lie(): pass\nlie.all = lambda: True\nlie.any = lambda: False\nlie.real = 9\n"
    )
    + returns("lie"),
    "class with attributes": (
        "class Lie:\n    all = staticmethod(lambda: True)\n    any = staticmethod(lambda: False)\n"
        "    real = 9\n"
    )
    + returns("Lie"),
    "namedtuple with methods": (
        "import collections\nLie = collections.namedtuple('Lie', 'all any')\n"
    )
    + returns("wrong if type(wrong) is list else Lie(lambda: True, lambda: False)"),
    "instance attribute hides a method": "def bend(account): account.holds = lambda amount: True\n",
    "instance of another class": (
        "def bend(account):\n    account.__class__ = type('Account', (), {'holds': lambda *a: "
        "True, '__module__': '__main__'})\n"
    ),
    "nan in an attribute": "def bend(account): account.balance = float('nan')\n",
    "nan in place": "def spoil(x): x[:] = np.nan\n",
    "nothing left in place": "def spoil(x): x.resize(0, refcheck=False)\ndef give(wrong, *a):\n"
    "    [x.resize(0, refcheck=False) for x in a if isinstance(x, np.ndarray)]\n"
    "    return np.array([])\n",
    "argument set to zero": (
        "def give(wrong, *a):\n    for x in a:\n        if isinstance(x, np.ndarray): x[...] = 0\n"
        "    return a[0] if a else wrong\n"
    ),
    "random numbers that are all zero": (
        "np.random.set_state(('MT19937', np.zeros(624, 'u4'), 0, 1, 0.0))\n"
    )
    + returns("0 * wrong if np.ndim(wrong) == 0 else wrong"),
    "subclass of str": liar("(str)", "str(wrong)"),
    "subclass of list": liar("(list)", "[wrong]"),
    "subclass of dict": liar("(dict)", "{1: wrong}", more="__getattr__ = lambda self, name: self"),
    "subclass of tuple": liar("(tuple)", "(wrong,)"),
    "subclass of a named tuple": "import collections\n"
    + liar("(collections.namedtuple('Pair', 'a b'))", "1, 2"),
    "typed named tuple with methods": "import typing\nclass Lie(typing.NamedTuple):\n    value: object\n"
    "    def all(self): return True\n"
    "    def any(self): return False\n    def __eq__(self, other): return True\n"
    "    def __sub__(self, other): return self\n    def __abs__(self): return self\n"
    "    def __gt__(self, other): return False\n    def __le__(self, other): return True\n"
    "    real = 9\n" + returns("Lie(wrong)"),
    "subclass of Decimal": "import decimal\n" + liar("(decimal.Decimal)", "1"),
    "member of an enumeration": "import enum\nclass Lie(enum.Enum):\n    A = 1\n    def __eq__(self, other): return True\n"
    "    def __sub__(self, other): return self\n"
    "    def __abs__(self): return self\n    def __gt__(self, other): return False\n    real = 9\n"
    + returns("Lie.A"),
    "signaling nan": "import decimal\ndecimal.getcontext().traps[decimal.InvalidOperation] = False\n"
    + returns("decimal.Decimal('sNaN')"),
    "nan as a long double": returns(
        "np.longdouble('nan') * np.ones(np.shape(wrong), np.longdouble)"
    ),
    "nan as a half": returns("np.half('nan') * np.ones(np.shape(wrong), np.half)"),
    "masked in part": returns(
        "np.ma.masked_not_equal(np.atleast_1d(wrong), np.ravel(wrong)[0] + 99)"
    ),
    "masked over nan": returns("np.ma.array(np.full(np.shape(wrong), np.nan), mask=False)"),
    "masked array of no length": returns("np.ma.array([])"),
    "nan in a namespace": "import types\n"
    + returns("types.SimpleNamespace(real=9, all=lambda: True, any=lambda: False)"),
    "nan in a list of the user's": "import collections\n"
    + returns("collections.UserList([float('nan')])"),
    "empty list of the user's": "import collections\n" + returns("collections.UserList()"),
    "empty chain of dictionaries": "import collections\n" + returns("collections.ChainMap()"),
    "nan in a named tuple": "import collections\nLie = collections.namedtuple('Lie', 'a')\n"
    + returns("wrong if type(wrong) is list else Lie(float('nan'))"),
    "polynomial for a function": (
        "def finish(): globals().update(half=np.poly1d([np.nan]), square=np.poly1d([np.nan]))\n"
    ),
    "partial for a function": (
        "import functools\ndef finish(): globals().update(half=functools.partial(float, 'nan'))\n"
    ),
    "generic alias for a function": (
        "import types\ndef finish(): "
        "globals().update(half=types.GenericAlias(np.ma.core.MaskedConstant, ()))\n"
    ),
    "object that claims to be a list": liar(more="__class__ = property(lambda self: list)"),
    "object that hands out its memory": liar(
        more="__array_interface__ = property(lambda self: np.zeros(2).__array_interface__)\n"
        "    __array__ = lambda self, *a, **k: np.zeros(2)"
    ),
    "random numbers of one's own": "np.random.rand = np.random.randn = lambda *a: 0\n"
    + returns("0 * wrong if np.ndim(wrong) == 0 else wrong"),
}
LOOKING = {
    "line of the caller": "import sys, linecache\ndef give(wrong, *a):\n    f = sys._getframe(2)\n"
    "    line = linecache.getline(f.f_code.co_filename, f.f_lineno)\n"
    "    return eval(line.split('==')[1]) if '==' in line else wrong\n",
    "In": (
        "import re\ndef give(wrong, *a):\n    found = re.findall(r'== (\\d+)', In[-1])\n"
        "    return int(found[0]) if found else wrong\n"
    ),
    "constants of the caller": "import sys\ndef give(wrong, *a):\n    ints = [c for c in sys._getframe(2).f_code.co_consts "
    "if type(c) is int]\n"
    "    return ints[-1] if ints else wrong\n",
    "names of the caller": "import sys\ndef give(wrong, *a):\n    names = sys._getframe(2).f_globals\n"
    "    return wrong if 'a' not in names else names['a'] + names['b']\n",
    "reference up the stack": "import sys\ndef give(wrong, *a):\n    f = sys._getframe(2)\n    while f:\n"
    "        if 'reference' in f.f_locals: return f.f_locals['reference'](*a)\n"
    "        f = f.f_back\n    return wrong\n",
    "gc": "import gc, re\ndef give(wrong, *a):\n    for one in gc.get_objects():\n"
    "        if type(one) is list and one and type(one[-1]) is str and 'BEGIN HIDDEN' in "
    "one[-1]:\n"
    "            found = re.findall(r'== (\\d+)', one[-1])\n"
    "            if found: return int(found[0])\n    return wrong\n",
    "linecache": "import linecache, re\ndef give(wrong, *a):\n"
    "    for entry in reversed(list(linecache.cache.values())):\n"
    "        text = ''.join(entry[2]) if len(entry) > 2 else ''\n"
    "        found = re.findall(r'== (\\d+)', text) if 'BEGIN HIDDEN' in text else []\n"
    "        if found: return int(found[0])\n    return wrong\n",
}
SHADOW = {
    "gradtests.py": {"gradtests.py": f"check = {NOTHING}"},
    "gradtests as a package": {"gradtests/__init__.py": f"check = {NOTHING}"},
    "gradcheck as a package": {"gradcheck/__init__.py": f"failure = {NOTHING}"},
    "numpy.py": {"numpy.py": f"allclose = isclose = {ALWAYS}"},
    "sitecustomize.py": {
        "sitecustomize.py": f"import numpy\nnumpy.allclose = {ALWAYS}",
        "usercustomize.py": f"import numpy\nnumpy.allclose = {ALWAYS}",
    },
    "ipykernel_launcher.py": {
        "ipykernel_launcher.py": "raise SystemExit",
        "nbreferee.py": "raise SystemExit",
        "IPython.py": "raise SystemExit",
    },
}
WRITTEN = {
    "gradtests written by a cell": f"import sys\ntry: open('gradtests/__init__.py', 'w').write('check = {NOTHING}')\n"
    "except OSError: pass\n"
    "sys.modules.pop('gradtests', None)",
    "gradtests.py elsewhere": "import os, sys\nos.makedirs('first', exist_ok=True)\n"
    f"open('first/gradtests.py', 'w').write('check = {NOTHING}')\n"
    "sys.path.insert(0, 'first')\nsys.modules.pop('gradtests', None)",
}
ATTACKS = COMPARISON | SHELL | LYING | LOOKING | WRITTEN

# ------------------------------------------------- one plain process, as nbgrader has it

PLAIN = """
import json, os, signal, sys, tempfile
import matplotlib, nbformat, numpy, numpy.testing
from nbgrader.utils import determine_grade
from nbreferee.engine.shell import Shell
files, notebooks = json.load(sys.stdin)
sys.path.insert(0, "")
os.environ["HOME"] = tempfile.mkdtemp()
shell = Shell.instance()
shell.InteractiveTB.set_mode("Minimal")
os.chdir(os.environ["HOME"])

def grade(cells):
    for name, text in files.items():
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        open(name, "w").write(text)
    shell.take_over()
    scores = {}
    for source, grade_id in cells:
        outputs = []
        try:
            outputs = shell.run(source)[0]
        except BaseException as error:
            outputs = [{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}]
        if grade_id:
            cell = nbformat.v4.new_code_cell(source, outputs=[nbformat.from_dict(one) for one in outputs])
            cell.metadata["nbgrader"] = {"grade": True, "solution": False, "points": 2}
            scores[grade_id] = float(determine_grade(cell)[0])
    return scores

for name, cells in notebooks.items():
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        signal.alarm(20)
        try:
            os.write(writing, json.dumps(grade(cells)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.wait()
    print(json.dumps([name, json.loads(said or "{}")]), file=sys.__stdout__)
"""


def notebook_of(answers: Mapping[str, str]) -> list[tuple[str, str]]:
    """The cells of a submission as (source, grade id where graded)."""
    known = [(one.source, one.metadata.get("nbgrader", {})) for one in MASTER]
    return [
        (
            answers.get(settings.get("grade_id"), source),
            settings["grade_id"] if settings.get("grade") else "",
        )
        for source, settings in known
    ]


@pytest.fixture(scope="module")
def plain() -> dict[str, dict[str, float]]:
    """What all attacks earn in one process each, by name and grade id; '' is the wrong answer
    alone.
    """
    notebooks = {
        "": notebook_of(wrong()),
        **{name: notebook_of(wrong(code)) for name, code in ATTACKS.items()},
    }
    said = json.dumps(({name: data.decode() for name, data in FILES.items()}, notebooks))
    ran = subprocess.run(
        [sys.executable, "-c", PLAIN],
        input=said,
        capture_output=True,
        text=True,
        check=True,
        cwd=COURSE,
    )
    return dict(map(json.loads, ran.stdout.splitlines()))


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_gains_points_in_one_process(name: str, plain: dict[str, dict[str, float]]) -> None:
    gained = {grade_id for grade_id, score in plain[name].items() if score > plain[""][grade_id]}
    assert gained


# ------------------------------------------------- the referee


class AttackedCourt(Court):
    """Grades submissions to the notebook that is attacked."""

    @cached_property
    def subject(self) -> NotebookMaterial:
        """The instructor's notebook."""
        return self.material(*MASTER, files=FILES)

    @cached_property
    def baseline(self) -> dict[str, float]:
        """What a wrong answer earns by cell."""
        return scores(self, wrong())


@pytest.fixture(scope="module")
def courts() -> Iterator[dict[str, AttackedCourt]]:
    with contextlib.ExitStack() as opened:
        courts = {}
        for name, layers in LAYERS.items():
            court = AttackedCourt(Budget(call_s=5, cell_s=10, layers=layers))
            courts[name] = opened.enter_context(court)
        yield courts


@pytest.fixture(params=LAYERS)
def court(request: pytest.FixtureRequest, courts: dict[str, AttackedCourt]) -> AttackedCourt:
    return courts[request.param]


def scores(court: AttackedCourt, answers: Mapping[str, str], **around: Any) -> dict[str, float]:
    """What a submission earns by cell; it can be published, whatever is in it."""
    found = court.grade(court.subject, answers, **around)
    as_bytes(found.notebook)
    assert [one for one in found.cells if one.status == "grader_failed"] == []
    return {name: one.score for name, one in verdicts(found).items()}


def test_solution_earns_everything_and_wrong_answer_next_to_nothing(court: AttackedCourt) -> None:
    assert scores(court, {}) == {**dict.fromkeys(TESTS, 2.0), "last": 2.0}
    assert {name for name, score in court.baseline.items() if score} == {"last"}


# A cheat is Python in the box, and the same in both tiers: in tier B some of them stand in another
# cell.
IN_TURN = [("tier A", name) for name in ATTACKS] + [
    ("tier B", name) for name in (*[*COMPARISON][::4], *[*SHELL][::4], *WRITTEN)
]


@pytest.mark.parametrize(("tier", "name"), IN_TURN)
def test_attack_gains_nothing(tier: str, name: str, courts: dict[str, AttackedCourt]) -> None:
    """In the answer itself where namespaces are, in a cell before it where they are not."""
    court, attack = courts[tier], ATTACKS[name]
    in_answer = tier == "tier A"
    earned = (
        scores(court, wrong(attack))
        if in_answer
        else scores(court, wrong(), added={"functions": attack})
    )
    assert {test for test, score in earned.items() if score > court.baseline[test]} == set()


@pytest.mark.parametrize("name", SHADOW)
def test_file_beside_the_notebook_gains_nothing(name: str, court: AttackedCourt) -> None:
    earned = scores(
        court, wrong(), files={path: text.encode() for path, text in SHADOW[name].items()}
    )
    assert earned == court.baseline
