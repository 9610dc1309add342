"""Which modules of the instructor's keep something that one cell may leave to another."""

from __future__ import annotations

import pytest

from nbreferee.course.context import stateless_modules
from nbreferee.course.known_code import Unsure
from nbreferee.course.slices import RunCell, slices_of
from nbreferee.course.stateless import is_stateless

KEEPING = {
    "random numbers of the process": "from numpy.random import randn\ndef f():\n    return randn()",
    "the same by another name": "import numpy.random as r\ndef f():\n    return r.normal()",
    "random numbers of SciPy": "from scipy import stats\ndef f():\n    return stats.norm.rvs()",
    "a style": "import matplotlib.pyplot as plt\ndef f():\n    plt.style.use('ggplot')",
    "a setting": "import matplotlib.pyplot as plt\ndef f():\n    plt.rc('font', size=20)",
    "an act of the import": "print('ready')\ndef f():\n    return 1",
    "an act of the import, perhaps": "try:\n    print('ready')\nexcept OSError:\n    pass",
    "a filter": "import warnings\ndef f():\n    warnings.filterwarnings('ignore')",
    "a filter by its name": "from warnings import simplefilter\ndef f():\n    simplefilter('ignore')",
    "where modules are": "import sys\ndef f():\n    sys.path.append('.')",
    "a limit": "import sys\ndef f():\n    sys.setrecursionlimit(99)",
    "an attribute of a function": "def f(x):\n    f.seen.append(x)\n    return f.seen\nf.seen = []",
    "a list of a class": "class K:\n    seen = []\n    def f(self, x):\n        self.seen.append(x)",
    "a default that a call makes": "def f(x, seen=set()):\n    seen.add(x)\n    return len(seen)",
    "a default with a name": "S = []\ndef f(x, seen=S):\n    seen.append(x)\n    return len(seen)",
    "a generator of numbers": "import numpy as np\ndef f(g=np.random.default_rng(0)):\n    return g.normal()",
    "a decorator of its own": (
        "def memo(g):\n    kept = {}\n    def inner(x):\n        if x not in kept:\n"
        "            kept[x] = g(x)\n        return kept[x]\n    return inner\n"
        "@memo\ndef f(x):\n    return [x]"
    ),
    "a list of a frozen object": (
        "from dataclasses import dataclass, field\n@dataclass(frozen=True)\nclass P:\n"
        "    y: list = field(default_factory=list)\nP1 = P()\ndef f():\n    return P1"
    ),
    "all names of a library": "from numpy import *\ndef f():\n    return random.rand()",
    "random matrices": "import scipy.sparse\ndef f():\n    return scipy.sparse.random(2, 2)",
    "a search that draws": "from scipy import optimize\ndef f(g):\n    return optimize.dual_annealing(g, [(0, 1)])",
    "the class of an object": "class K:\n    n = 0\n    def f(self):\n        t = type(self)\n        t.n = 1",
    "a sum of tables": "L = [[1]]\ndef f():\n    x = L + []\n    x[0].append(1)",
    "a list of a class by its name": "A = [1]\nclass K:\n    t = A\n    def f(self):\n        self.t.append(1)",
    "an operator that changes the other": "class K:\n    def __eq__(self, x):\n        x.append(1)",
    "a method that changes what it gets": "class K:\n    def get(self, x):\n        x[0] = 1",
    "a part of an object by another name": (
        "class K:\n    def __len__(self):\n        q = self.q\n        q.pop()\n        return len(q)"
    ),
    "rows of a table": "T = [[1], [2]]\ndef f(x):\n    for one in T:\n        one.append(x)",
    "tables by their names": "A = []\nT = [A]\ndef f(x):\n    for one in T:\n        one.append(x)",
    "an entry of a table": "T = {'a': []}\ndef f(x):\n    T['a'].append(x)",
    "a part that is given away": "T = {'a': []}\ndef f(x):\n    return T[x]",
    "a part that a method gives": "T = {'a': []}\ndef f(x):\n    return T.get(x)",
    "a view": "import numpy as np\nX = np.ones((4, 2))\ndef f(n):\n    return X[:n]",
    "a view of another shape": "import numpy as np\nX = np.ones(4)\ndef f():\n    return X.reshape(2, 2)",
    "a transpose": "import numpy as np\nX = np.ones((4, 2))\ndef f():\n    y = X.T\n    return y",
    "a library": "import numpy as np\ndef f():\n    n = np\n    n.pi = 3",
    "a class by another name": "class S:\n    n = 0\ndef f():\n    s = S\n    s.n = 1",
    "a function of a library, replaced": "import numpy as np\nnp.sum = max",
    "the same by a loop": "import numpy as np\nfor np.sum in [max]:\n    pass",
    "the same where it is missing": (
        "import numpy as np\ntry:\n    np.float\nexcept AttributeError:\n    np.float = float"
    ),
    "an entry of a library": "import numpy as np\nnp.sctypeDict['x'] = 1",
    "a container of a library": "import warnings\ndef f():\n    warnings.filters.clear()",
    "the same by its name": "from numpy import typecodes\ndef f(x):\n    typecodes.update(x=x)",
    "colour maps": "import matplotlib as mpl\ndef f(x):\n    mpl.colormaps.register(x)",
    "settings of a file": "import matplotlib\ndef f(x):\n    matplotlib.rc_file(x)",
    "a library that a function imports": (
        "def f():\n    from numpy import linalg\n    linalg.norm = max"
    ),
    "a function of Python, replaced": "__builtins__['print'] = max",
    "names of the notebook by the frame of a caller": (
        "import inspect\ndef f(name):\n    return inspect.currentframe().f_back.f_globals[name]"
    ),
    "the same by a list of frames": (
        "import inspect\ndef f(name):\n    return inspect.stack()[1].frame.f_globals[name]"
    ),
    "the same by IPython": "def f(name):\n    return get_ipython().user_ns[name]",
    "the same by a function": (
        "import inspect\ndef f(g):\n    return dict(inspect.getmembers(g))['__globals__']"
    ),
    "a manager that is never left": "import numpy as np\ndef f():\n    np.errstate(all='raise').__enter__()",
    "a file": "import numpy as np\ndef f(x):\n    np.save('x.npy', x)",
    "a method that seems to read": (
        "class K:\n    n = 0\n    def get(self):\n        self.n += 1\n        return self.n"
    ),
    "an operator": "class K:\n    n = 0\n    def __add__(self, x):\n        self.n += 1\n        return x",
    "an iterator": (
        "class K:\n    n = 0\n    def __iter__(self):\n        return self\n"
        "    def __next__(self):\n        return self.step()\n"
        "    def step(self):\n        self.n += 1\n        return self.n"
    ),
    "a property": (
        "class K:\n    n = 0\n    @property\n    def m(self):\n        self.n += 1\n"
        "        return self.n"
    ),
    "an item that is kept": (
        "class K:\n    def __init__(self):\n        self.kept = {}\n"
        "    def __getitem__(self, x):\n        return self.kept.setdefault(x, len(self.kept))"
    ),
}


@pytest.mark.parametrize("what", KEEPING)
def test_module_may_keep(what: str) -> None:
    assert not is_stateless(KEEPING[what])


TABLES = b"LOG = []\nTABLE = {'k': 2}\nRULES = {'a': 1}\nROWS = {'a': [1]}\n"
OF_ANOTHER = {
    "a list": "from tables import LOG\ndef f(x):\n    LOG.append(x)",
    "a table": "from tables import TABLE\ndef f(x):\n    TABLE.update(k=x)",
    "a part": "from tables import ROWS\ndef f():\n    return ROWS['a']",
    "a list by another name": "from tables import LOG as L\ndef f(x):\n    L.append(x)",
    "a list of the module": "import tables\ndef f(x):\n    tables.LOG.append(x)",
    "a list in a function": "def f(x):\n    from tables import LOG\n    LOG.append(x)",
    "a default": "from tables import LOG\ndef f(x, log=LOG):\n    log.append(x)",
    "a list of a class": (
        "from tables import LOG\nclass K:\n    log = LOG\n    def f(self):\n"
        "        self.log.append(1)"
    ),
}


@pytest.mark.parametrize("what", OF_ANOTHER)
def test_module_may_change_what_another_one_has(what: str) -> None:
    assert not stateless_modules({"tables.py": TABLES, "tools.py": OF_ANOTHER[what].encode()})


def test_module_may_read_what_another_one_has() -> None:
    tools = b"from tables import LOG, RULES, TABLE\ndef f(x):\n    return RULES[x], len(LOG), x in TABLE"
    assert stateless_modules({"tables.py": TABLES, "tools.py": tools}) == {"tables", "tools"}


HONEST = {
    "tables": (
        "import numpy as np\nT = {'a': np.exp, 'b': lambda x: x}\nNAMES = ('a', 'b')\nL = [1, -2]\n"
        "def f(x):\n    return {name: g(x) for name, g in T.items()}, T['a'](x), sorted(L)"
    ),
    "data": (
        "import numpy as np\nX = np.load('x.npz')['X']\n"
        "def f(n, w=np.float64, t=(1, 2)):\n    return X[:n].copy(), X @ X.T, X.mean(axis=0), len(X)"
    ),
    "classes": (
        "from dataclasses import dataclass, field\n@dataclass(frozen=True)\nclass P:\n    x: int = 0\n"
        "    @property\n    def z(self):\n"
        "        return self.x + 1\nORIGIN = P()\n"
        "class Model:\n    rate = 0.1\n    def __init__(self):\n        self.w = []\n"
        "    def fit(self, x):\n        self.w.append(x)\n        self.n = len(self.w)\n"
        "    def __len__(self):\n        return len(self.w)\n    def __add__(self, x):\n"
        "        return self.w + [x]\n"
        "def f(p=ORIGIN):\n    return Model()"
    ),
    "warnings": (
        "import warnings\ndef f(g):\n    with warnings.catch_warnings():\n"
        "        warnings.simplefilter('ignore')\n        return g()"
    ),
    "random numbers of its own": (
        "import numpy as np\nfrom numpy.random import default_rng\n"
        "def f(seed):\n    return default_rng(seed).normal(), np.random.default_rng(seed)"
    ),
    "drawing": (
        "import matplotlib.pyplot as plt\ndef f(x, ax=None):\n    if ax is None:\n"
        "        ax = plt.gca()\n    ax.plot(x)\n    return ax"
    ),
    "a part for itself": "def f():\n    return 1\nif __name__ == '__main__':\n    print(f())",
}


@pytest.mark.parametrize("what", HONEST)
def test_module_keeps_nothing(what: str) -> None:
    assert is_stateless(HONEST[what])


MODULE = b"""
from collections import defaultdict

def batches(x):
    for one in x:
        yield one

def in_pairs(x):
    return zip(x, batches(x))

def groups():
    return defaultdict(list)

class Data:
    def rows(self):
        return batches([1, 2])

class Timer:
    n = 0
    def __enter__(self):
        self.n += 1
    def __exit__(self, *_):
        pass
"""


@pytest.mark.parametrize(
    "kept",
    [
        "b = m.batches([1])",
        "b = m.in_pairs([1])",
        "b = m.Data().rows()",
        "b = m.batches\nc = b([1])",
    ],
)
def test_iterator_that_a_module_makes_is_not_kept(kept: str) -> None:
    cells = [RunCell("import m"), RunCell("for b in m.batches([1]): print(b, *m.in_pairs([1]))")]
    assert slices_of(cells, {"m.py": MODULE})[1] == {0}
    with pytest.raises(Unsure):
        slices_of([cells[0], RunCell(kept)], {"m.py": MODULE})


@pytest.mark.parametrize(
    ("binds", "changes", "shows"),
    [
        ("d = m.groups()", "print(d[1])", "print(len(d))"),
        ("t = m.Timer()", "with t: print(1)", "print(t.n)"),
    ],
)
def test_object_of_a_module_is_changed(binds: str, changes: str, shows: str) -> None:
    cells = ["import m", binds, changes, shows]
    assert slices_of(list(map(RunCell, cells)), {"m.py": MODULE})[3] == {0, 1, 2}
