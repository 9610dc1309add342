"""Ways of one cell to act on another that no name shows: each is seen, or makes the reading unsure."""

from __future__ import annotations

import importlib
import types

import pytest
from IPython.core.magics.basic import BasicMagics
from IPython.core.magics.code import CodeMagics
from IPython.core.magics.execution import ExecutionMagics
from IPython.core.magics.namespace import NamespaceMagics
from IPython.core.magics.osm import OSMagics
from IPython.core.magics.pylab import PylabMagics

from nbreferee.course import known_calls
from nbreferee.course.cell_text import as_python
from nbreferee.course.known_code import Unsure
from nbreferee.course.slices import RunCell, slices_of

IMPORTS = """
import numpy as np
import functools, itertools, collections, math, copy, typing, dataclasses
import matplotlib.pyplot as plt
from fractions import Fraction
from collections import defaultdict, Counter, namedtuple
from dataclasses import dataclass
import scipy.special
a, b = [1, 2], [3]
m = np.zeros((2, 2))
v = np.ones(3)
"""

# The last cell depends on the last but one.
WAYS = {
    "a part of a class that is set later": [
        "class K: pass",
        "K.items = []",
        "k = K()",
        "k.items.append(1)",
        "print(K.items)",
    ],
    "an argument that may be overwritten": ["r = scipy.linalg.inv(m, True)", "print(m)"],
    "an argument that may be overwritten, told by 1": ["r = scipy.linalg.inv(m, 1)", "print(m)"],
    "one of two arguments that may be overwritten": [
        "q = v[:2].copy()",
        "r = scipy.linalg.solve(m, q, False, True)",
        "print(m)",
    ],
    "a setting of a manager that is not left": [
        "cm = np.printoptions(precision=2)\nnext(cm.gen)",
        "print(v / 3)",
    ],
    "what a copy has noted": ["d = {}", "r = copy.deepcopy(a, d)", "print(len(d))"],
    "a list that its text changes": [
        (
            "class K(list):\n    def __repr__(self):\n        super().append(1)\n"
            "        return str(len(self))\nk = K()"
        ),
        "print(k)",
        "print(k)",
    ],
    "an item that a comprehension sets": ["q = [0 for a[0] in [9]]", "print(a)"],
    "an item that a comprehension of a function sets": [
        "def f(): return sum(0 for a[0], *q in [[9]])",
        "f()",
        "print(a)",
    ],
    "an attribute that a comprehension sets": [
        "class K: pass\nk = K()",
        "q = [0 for k.n in [9]]",
        "print(k.n)",
    ],
    "where a comprehension sets an item": ["b = 0", "b = 1", "q = [0 for a[b] in [9]]\nprint(a)"],
    "an item that a text names": [
        "d = defaultdict(list)",
        "q = '%(x)s' % d",
        "print(len(d))",
    ],
    "a scale that a picture sets": [
        "n = plt.Normalize()",
        "q = plt.imshow(m, norm=n)",
        "print(n.vmin)",
    ],
    "an argument that is sorted": ["r = np.median(v, None, None, True)", "print(v)"],
    "an argument that is sorted by another function": [
        "r = np.nanpercentile(v, 50, None, None, 1)",
        "print(v)",
    ],
    "a sort by another class of arrays": [
        "q = np.matrix([[3, 1]])",
        "r = np.matrix.sort(q)",
        "print(q)",
    ],
    "a mapping of typing": ["d = typing.DefaultDict(list)", "print(d[5])", "print(len(d))"],
    "a decorator that is called": ["class K:\n    x: int = 0", "D = dataclass(K)", "print(K(1))"],
    "a decorator of functions that is called": [
        "def f(x): return x",
        "g = typing.final(f)",
        "print(hasattr(f, '__final__'), f)",
    ],
    "a part of a figure": ["fig, ax = plt.subplots()", "r = plt.setp(ax, title='t')", "fig"],
    "a bar beside a picture": [
        "fig, ax = plt.subplots()\nim = ax.imshow(m)",
        "cb = plt.colorbar(im, ax=ax)",
        "fig",
    ],
    "a figure that is drawn to again": [
        "fig, ax = plt.subplots()",
        "r = plt.sca(ax)\nplt.plot([1])",
        "fig",
    ],
    "a text that names the inside of a function": [
        "def f(x): return x",
        "secret = 5",
        "print(list(map(str.format, ['{0.__globals__[secret]}'], [f])))",
    ],
    "a text that becomes code": [
        "typing.ForwardRef('__import__(\"numpy\").__dict__.update(pi=3)')._evaluate({}, {}, set())",
        "print(np.pi)",
    ],
    "code that is made": ["t = typing.types", "print(np.pi)"],
    "how things are copied": ["d = copy.dispatch_table\nd.clear()", "print(copy.copy(1j))"],
    "an iterator of colours": [
        "it = plt.cycler(color='rgb')()",
        "for x in it: break",
        "print(next(it))",
    ],
    "an object that a class holds": [
        "class K: pass\nK.one = K()",
        "k = K.one",
        "k.n = 3",
        "print(K.one.n)",
    ],
    "a base class that a call makes": [
        "def mk():\n    class B:\n        items = []\n    return B",
        "class K(mk()): pass",
        "k = K()",
        "k.items.append(1)",
        "print(K.items)",
    ],
    "a default of a method": [
        "class K:\n    def go(self, seen=[]):\n        seen.append(1)\n        return len(seen)",
        "k = K()",
        "k.go()",
        "print(K().go(), 1)",
    ],
    "a module that a function imports": [
        "def h():\n    import numpy as q\n    z = q\n    z.exp = len\nh()",
        "print(np.exp(1))",
    ],
    "a module that a function imports and returns": [
        "def h():\n    import numpy as q\n    return q\nh().exp = len",
        "print(np.exp(1))",
    ],
    "a module under a name of something else": [
        "def h():\n    import math as a\n    a.pi = 3\nh()",
        "print(math.pi)",
    ],
    "a module that a loop imports": [
        "for i in [0]: import numpy as q\nq.exp = len",
        "print(np.exp(1))",
    ],
    "a module that may be missing": [
        "try: import numpy as q\nexcept ImportError: q = None\nq.exp = len",
        "print(np.exp(1))",
    ],
    "two modules of one name": [
        "import math as q\nimport numpy as q\nq.exp = len",
        "print(np.exp(1))",
    ],
    "a class of a library that is bound again": [
        "from fractions import Fraction as q\nif a: q = q\nq.limit_denominator = len",
        "print(Fraction(1).limit_denominator())",
    ],
    "a class in a dataclass": [
        "class K:\n    def go(self):\n        return 0",
        "@dataclass\nclass D:\n    x: K = None\nL = dataclasses.fields(D)[0].type\nL.go = lambda self: 7",
        "print(K().go())",
    ],
    "a magic after empty lines": ["\n\npprint", "v"],
    "a magic after a form feed": ["\x0cpprint", "v"],
    "setattr on np": ["setattr(np,'exp',len)", "print(np.exp(1))"],
    "alias of np": ["n = np\nn.exp = len", "print(np.exp(1))"],
    "np in list": ["for n in [np]: n.exp = len", "print(np.exp(1))"],
    "np to function": ["def h(q):\n    q.exp = len\nh(np)", "print(np.exp(1))"],
    "Fraction alias": ["F = Fraction\nF.__add__ = len", "print(Fraction(1)+1)"],
    "Counter alias": ["F = Counter\nF.most_common = len", "print(Counter('a').most_common())"],
    "class alias": [
        "class K:\n    def go(self, x):\n        return 0",
        "L = K\nL.go = lambda self, x: 7",
        "print(K().go(1))",
    ],
    "type(k)": [
        "class K:\n    def go(self, x):\n        return 0",
        "k=K()\ntype(k).go = lambda self, x: 7",
        "print(K().go(1))",
    ],
    "type(self)": [
        "class K:\n    n = 0\n    def go(self):\n        type(self).n += 1\n        return self.n",
        "k=K()\nk.go()",
        "print(K().n)",
    ],
    "self in function": [
        "class K:\n    def go(self, x):\n        return 0",
        "def h(self): self.go = lambda self, x: 7",
        "h(K)",
        "print(K().go(1))",
    ],
    "self in other class": [
        "class K:\n    def go(self, x):\n        return 0",
        "class Z:\n    def h(self): self.go = lambda self, x: 7\nZ.h(K)",
        "print(K().go(1))",
    ],
    "setattr value": [
        "class K:\n    def go(self, x):\n        return 0",
        "s = setattr",
        "s(K,'go',lambda self, x: 7)",
        "print(K().go(1))",
    ],
    "map setattr": ["list(map(setattr,[np],['exp'],[len]))", "print(np.exp(1))"],
    "class walrus": ["class K:\n    (items := [])", "K().items.append(1)", "print(K.items)"],
    "method default": [
        "class K:\n    def go(self, seen=[]):\n        seen.append(1)\n        return len(seen)",
        "print(K().go())",
        "print(K().go())",
    ],
    "base class": [
        "class B:\n    items=[]",
        "class K(B):\n    def go(self): self.items.append(1)",
        "K().go()",
        "print(B.items)",
    ],
    "nonlocal": [
        "def make():\n    n = 0\n    def inner():\n        nonlocal n\n        n = n + 1\n        return n\n    return inner\nf = make()",
        "f()",
        "print(f())",
    ],
    "returned global": ["def f(x): return a", "f(0).append(5)", "print(a)"],
    "returned global2": ["def f(x): return a", "f(0)[0] = 5", "print(a)"],
    "returned global3": ["def f(x): return a", "def g(): f(0).append(5)", "g()", "print(a)"],
    "returned global4": ["def f(x): return a", "list.append(f(0), 5)", "print(a)"],
    "flat": ["fl = v.flat", "list(fl)", "print(list(fl))"],
    "__iter__": ["it = a.__iter__()", "print(list(it))", "print(list(it))"],
    "elements": ["it = Counter(a).elements()", "print(list(it))", "print(list(it))"],
    "iter alias": ["g = iter\nit = g(a)", "print(list(it))", "print(list(it))"],
    "max of iters": ["it = max(iter(a), iter(b), key=bool)", "print(list(it))", "print(list(it))"],
    "sum start": ["it = sum([], iter(a))", "print(list(it))", "print(list(it))"],
    "next default": ["it = next(iter([]), iter(a))", "print(list(it))", "print(list(it))"],
    "own join": [
        "class K:\n    def join(self, x):\n        self.x = x\nk = K()\nk.join(iter(a))",
        "print(list(k.x))",
        "print(list(k.x))",
    ],
    "errstate enter": ["np.errstate(all='raise').__enter__()", "print(np.float64(1)/0)"],
    "printoptions enter": ["np.printoptions(precision=2).__enter__()", "print(np.array([1.2345]))"],
    "prompt": [">>> a.append(1)", "print(a)"],
    "prompt2": ["In [1]: a.append(1)", "print(a)"],
    "prompt3": ["...: a.append(1)", "print(a)"],
    "indent": ["    a.append(1)", "print(a)"],
    "indent2": ["    # c\n    a.append(1)", "print(a)"],
    "slash": ["/a.append 1", "print(a)"],
    "comma": [",a.append 1", "print(a)"],
    "automagic": ["precision 3", "print(v)"],
    "automagic bare": ["pprint", "v"],
    "automagic reset": ["reset -f", "print(a)"],
    "automagic minus": ["precision -3", "print(v)"],
    "automagic time": ["time a.append(3)", "print(a)"],
    "future": ["from __future__ import annotations", "def f(x: zzz): return 3\nprint(f(1))"],
    "FLUFL": ["from __future__ import barry_as_FLUFL", "print(1 != 2)"],
    "positional out": ["r = np.exp(v, v)", "print(v)"],
    "add out": ["r = np.add(v, 1, v)", "print(v)"],
    "clip method out": ["r = v.clip(0, 0.5, v)", "print(v)"],
    "clip method out kw": ["r = v.clip(0, 0.5, out=v)", "print(v)"],
    "sum out": ["r = m.sum(0, None, w := m[0])", "print(m)"],
    "ndarray.fill assigned": ["r = np.ndarray.fill(v, 7)", "print(v)"],
    "ndarray.sort in print": ["print(np.ndarray.sort(v))", "print(v)"],
    "nan_to_num": ["r = np.nan_to_num(v, copy=False)", "print(v)"],
    "median overwrite": ["r = np.median(v, overwrite_input=True)", "print(v)"],
    "partition": ["v.partition(1)", "print(v)"],
    "callback": ["r = np.apply_along_axis(a.extend, 0, m)", "print(a)"],
    "starmap": ["r = list(itertools.starmap(a.insert, [(0, 5)]))", "print(a)"],
    "iter2": ["r = list(iter(a.pop, 1))", "print(a)"],
    "defaultdict": ["d = defaultdict(list)", "print(d[5])", "print(len(d))"],
    "decorator": ["@a.append\ndef h(): pass", "print(len(a))"],
    "instance attribute get": [
        "k = functools.partial(len)\nk.get = a.append",
        "k.get(1)",
        "print(a)",
    ],
    "namedtuple get": ["N = namedtuple('N','get')\nk = N(a.append)", "k.get(1)", "print(a)"],
    "class get": ["class K:\n    get = a.append", "K.get(1)", "print(a)"],
    "format": ["secret = 5", "def f(x): return x", "print('{0.__globals__[secret]}'.format(f))"],
    "format2": [
        "fmt = '{0.__glo' + 'bals__[secret]}'\nsecret = 5\nq=1",
        "secret = 6",
        "def f(x): return x",
        "print(fmt.format(f))",
    ],
    "e.obj": [
        "try: np.foo\nexcept AttributeError as e:\n    n = e.obj\n    n.exp = len",
        "print(np.exp(1))",
    ],
    "finfo": ["np.finfo(float).eps = 3", "print(np.finfo(float).eps)"],
    "finfo2": ["fi = np.finfo(float)\nfi.eps = 3", "print(np.finfo(float).eps)"],
    "np.r_": ["q = np.r_\nq.axis = 1", "print(np.r_[1, 2])"],
    "gray": ["plt.gray()", "plt.imshow(m)"],
    "plt.interactive": ["plt.interactive(True)", "plt.imshow(m)"],
    "cm": ["plt.cm.viridis.set_bad('r')", "plt.imshow(m)"],
    "copy internals": ["copy._deepcopy_dispatch.update({list: len})", "print(copy.deepcopy(a))"],
    "typecodes": ["np.typecodes.clear()", "print(np.typecodes)"],
    "get_type_hints": ["def f(x: 'a.append(1)'): pass\ntyping.get_type_hints(f)", "print(a)"],
    "bmat": ["A = np.eye(2)", "A = np.zeros((2,2))", "print(np.bmat('A'))"],
    "type starred": [
        "class K:\n    def go(self, x):\n        return 0",
        "L = type(*['L', (K,), {}])",
        "print(L)",
    ],
    "mro": [
        "class K:\n    def go(self, x):\n        return 0",
        "class L(K): pass\nL.mro()[1].go = lambda self, x: 7",
        "print(K().go(1))",
    ],
    "setattr dunder": [
        "setattr(scipy.special.softmax,'__defaults__',(0,))",
        "print(scipy.special.softmax(m))",
    ],
    "setattr dunder alias": [
        "s = scipy.special.softmax\nsetattr(s,'__defaults__',(0,))",
        "print(scipy.special.softmax(m))",
    ],
    "setattr code": [
        "def f(x): return 1",
        "g1 = f",
        "setattr(g1,'__defaults__',(0,))",
        "print(f())",
    ],
    "__name__": ["__name__ = 'x'", "class K: pass\nprint(K)"],
    "get_ipython": ["get_ipython = len", "%matplotlib inline\nprint(1)"],
    "register": [
        "from numbers import Number\nclass Q: pass\nNumber.register(Q)",
        "from numbers import Number\nprint(isinstance(a, Number))",
    ],
    "h value map": ["h = map\nit = h(len, [a])", "print(list(it))", "print(list(it))"],
    "class in list": [
        "class K:\n    def go(self, x):\n        return 0",
        "for C in [K]: C.go = lambda self, x: 7",
        "print(K().go(1))",
    ],
    "class via function": [
        "class K:\n    def go(self, x):\n        return 0",
        "def h(): return K",
        "h().go = lambda self, x: 7",
        "print(K().go(1))",
    ],
    "class in dict": [
        "class K:\n    def go(self, x):\n        return 0",
        "d = {'K': K}",
        "d['K'].go = lambda self, x: 7",
        "print(K().go(1))",
    ],
    "function attr alias": ["def f(x): return 0", "g1 = f", "g1.calls = 3", "print(f.calls)"],
    "partial setattr": ["p = functools.partial(setattr, np)", "p('exp', len)", "print(np.exp(1))"],
    "call class attr": [
        "class K:\n    def go(self, x):\n        return 0",
        "q = K().go",
        "print(q(1))",
    ],
    "np.ma": ["np.ma.masked_print_option.set_display('x')", "print(np.ma.masked)"],
    "print file": [
        "class W:\n    def write(self, x): a.append(x)\nw = W()",
        "print('x', file=w)",
        "print(a)",
    ],
    "ufunc alias out": ["u = np.add\nr = u.accumulate(v, 0, None, v)", "print(v)"],
    "reduce out": ["r = np.add.reduce(m, 0, None, v[:2])", "print(v)"],
    "lru": ["@functools.lru_cache\ndef f(x): return [x]", "f(1).append(2)", "print(f(1))"],
    "data attr": ["d = v.data", "d[0] = 3.0", "print(v)"],
    "fromfunction": ["r = np.vectorize(a.append, otypes=[object])(v)", "print(a)"],
    "ChainMap": ["c = collections.ChainMap({}, {})", "c['x'] = 1", "print(c)"],
    "reduce append": ["r = functools.reduce(list.__iadd__, [a, b])", "print(a)"],
    "operator iadd method": ["r = a.__iadd__([5])", "print(a)"],
    "annotated": ["class D: pass\nx: a.append(1) = 3", "print(a)"],
    "annotation fn": ["def h(x: a.append(1)): pass", "print(a)"],
    "lambda default": ["h = lambda x=a.append(1): x", "print(a)"],
    "star arg": ["def h(*q): q[0].append(1)", "h(*[a])", "print(a)"],
    "kw arg": ["def h(**q): q['z'].append(1)", "h(**dict(z=a))", "print(a)"],
    "exception object": [
        "def f(): raise ValueError(a)",
        "try: f()\nexcept ValueError as e: e.args[0].append(1)",
        "print(a)",
    ],
    "dataclass default": [
        "@dataclass\nclass D:\n    x: int = 0\n    def go(self): self.x += 1",
        "D.x = 9",
        "print(D().x)",
    ],
    "array of objects": ["o = np.array([a, None])", "o[0].append(1)", "print(a)"],
    "structured": ["s = np.zeros(2, dtype=[('x', float)])\nx = s['x']", "x[0] = 3", "print(s)"],
    "np.nditer": ["for y in np.nditer(v, op_flags=['readwrite']): y[...] = 2", "print(v)"],
    "nditer kept": ["it = np.nditer(v)", "list(it)", "print(list(it))"],
    "wraps": ["def f(): pass", "functools.wraps(len)(f)", "print(f.__name__)"],
    "update_wrapper": [
        "def f(): pass",
        "g2 = functools.update_wrapper(f, len)",
        "print(f.__name__)",
    ],
    "f.__name__": ["def f(): pass", "f.__name__ = 'z'", "print(f.__name__)"],
    "f.__name__ alias": ["def f(): pass", "g1 = f\ng1.__name__ = 'z'", "print(f.__name__)"],
    "f.__doc__ alias": ["def f(): pass", "def h(q): q.__doc__ = 'z'", "h(f)", "print(f.__doc__)"],
    "K.__init__ store": [
        "class K:\n    def go(self, x):\n        return 0",
        "K.__init__ = lambda self: None",
        "print(K())",
    ],
    "isinstance shadow": ["isinstance = lambda *x: True", "print(isinstance(1, str))"],
    "ax child": ["fig, ax = plt.subplots()\nl, = ax.plot([1, 2])", "l.set_color('r')", "fig"],
    "np.matrix view": ["q = np.asarray(m)", "q *= 2", "print(m)"],
    "broadcast": ["q, = np.broadcast_arrays(v)", "q[0] = 3", "print(v)"],
    "setflags": ["v.setflags(write=False)", "v[0] = 1"],
    "np.array shape": ["v.shape = (3, 1)", "print(v)"],
    "np.resize": ["v.resize(2)", "print(v)"],
    "del class attr": [
        "class K:\n    def go(self, x):\n        return 0",
        "L = K\ndel L.go",
        "print(K().go(1))",
    ],
    "class body change": ["class Z:\n    a.append(1)", "print(a)"],
    "class body for": [
        "class K:\n    def go(self, x):\n        return 0",
        "class Z:\n    for C in [K]: C.go = lambda self, x: 7",
        "print(K().go(1))",
    ],
    "getter in namedtuple": [
        "class K:\n    def go(self, x):\n        return 0",
        "N = namedtuple('N', 'c')\nn = N(K)",
        "n.c.go = lambda self, x: 7",
        "print(K().go(1))",
    ],
    "instance attr class": [
        "class K:\n    def go(self, x):\n        return 0",
        "k = K()\nk.c = K",
        "k.c.go = lambda self, x: 7",
        "print(K().go(1))",
    ],
    "closure class": [
        "class K:\n    def go(self, x):\n        return 0",
        "h = lambda: K",
        "h().go = lambda self, x: 7",
        "print(K().go(1))",
    ],
}


@pytest.mark.parametrize("way", WAYS)
def test_cell_depends_on_what_changes_it_behind_its_back(way: str) -> None:
    cells = [RunCell(one) for one in (IMPORTS, *WAYS[way])]
    try:
        found = slices_of(cells, {})
    except Unsure:
        return
    assert len(cells) - 2 in found[-1]


ALONE = {
    "what IPython has kept": "print(In[1])",
    "results that IPython has kept": "print(Out)",
    "the end": "exit",
    "numbers that nobody can foresee": "print(np.random.default_rng().normal())",
    "a file": "plt.figure().canvas.print_raw('a')",
    "the same, by name": "print(np.random.default_rng(seed=None).normal())",
    "numbers of a distribution": "import statistics\nprint(statistics.NormalDist(0, 1).samples(2))",
    "another cell's output": "display(2, display_id='q', update=True)",
    "an attribute named by what is computed": "setattr(v, str(a), 1)",
    "a class that is made by a call": "L = type('L', (), {})",
    "another way to read Python": "from __future__ import barry_as_FLUFL",
    "depth": "x = " + " + ".join(["1"] * 5000),
    "depth that the parser has no room for": "not " * 20_000 + "1",
}


@pytest.mark.parametrize("what", ALONE)
def test_reading_is_not_sure_of(what: str) -> None:
    with pytest.raises(Unsure):
        slices_of([RunCell(IMPORTS), RunCell(ALONE[what])], {})


HELPER = b"""
import numpy as np

TABLE = [1, 2]


class Model:
    layers = []


def f(x):
    return x
"""


@pytest.mark.parametrize(
    "cell",
    [
        "from helper import TABLE\nprint(TABLE)",
        "import helper\nhelper.TABLE.append(3)",
        "import helper\nt = helper.TABLE",
        "import helper\nt = helper.np\nt.exp = len",
        "import helper\nhelper.Model().layers.append(1)",
        "import helper\nh = helper\nh.f = len",
    ],
)
def test_part_of_an_instructors_module_that_can_be_changed_is_not_sure(cell: str) -> None:
    files = {"helper.py": HELPER}
    slices_of([RunCell("from helper import f\nprint(f(1))")], files)
    with pytest.raises(Unsure):
        slices_of([RunCell(cell)], files)


HONEST = (
    "x = np.where(v > 0, v, 0)\nprint(x)",
    "print(np.clip(v, 0, 1), v.clip(0, 1), np.sum(m, 0), m.sum(axis=1), np.exp(v))",
    "assert isinstance(v, np.ndarray) and v.dtype == np.float64, f'{type(v)}'",
    "acts = {'tanh': np.tanh, 'mean': np.mean}\nprint(acts['tanh'](v))",
    (
        "class Net:\n    def __init__(self, n):\n        self.w = np.zeros(n)\n    def go(self, x):\n"
        "        self.seen = x\n        return self.w * x\nnet = Net(3)\nprint(net.go(v))"
    ),
    "with np.printoptions(precision=2): print(v)",
    "print('{:.2f} {}'.format(1.5, 'a'), f'{v.sum():.3f}', ' '.join(str(x) for x in a))",
    "ax = plt.subplots()[1]\nax.imshow(m, cmap=plt.cm.viridis)\nplt.show()",
    "for i, j in np.ndindex(m.shape): print(i, j)\nfor one in m.flat: print(one)",
    "print(np.finfo(float).eps, np.maximum(v, 0), np.linalg.norm(v), sorted(a, key=abs))",
    (
        "def f(x: np.ndarray) -> float:\n    if x.ndim != 1:\n        raise ValueError(type(x).__name__)\n"
        "    return float(np.add.reduce(x))\nprint(f(v))"
    ),
    "print(max(x for x in a), sum(x for x in a), [*zip(a, a)], np.r_[v, 1], np.fft.fft(v))",
)


@pytest.mark.parametrize("cell", HONEST)
def test_what_people_write_is_sure(cell: str) -> None:
    last = RunCell("print(math.pi)")
    assert slices_of([RunCell(IMPORTS), RunCell(cell), last], {})[2] == {0}


def test_function_that_is_handed_over_is_not_changed_by_that() -> None:
    cells = ["def f(x):\n    return x", "def g(x):\n    return 0", "print(g(f))", "print(f(1))"]
    assert slices_of([RunCell(one) for one in cells], {})[3] == {0}


def test_text_that_names_an_item_may_insert_it() -> None:
    cells = ["from collections import defaultdict\nd = defaultdict(list)", "'{0[x]}'.format(d)"]
    with pytest.raises(Unsure):
        slices_of(list(map(RunCell, cells)), {})


@pytest.mark.parametrize("library", sorted(known_calls.MODULES))
def test_module_in_a_library_gets_no_other_name(library: str) -> None:
    members = vars(importlib.import_module(library))
    inner = [name for name, one in members.items() if isinstance(one, types.ModuleType)]
    for name in inner:
        if not name.startswith("_"):
            cells = [f"import {library} as lib", f"q = lib.{name}"]
            with pytest.raises(Unsure):
                slices_of(list(map(RunCell, cells)), {})


def test_magic_needs_no_sign_and_is_seen() -> None:
    kinds = (BasicMagics, CodeMagics, ExecutionMagics, NamespaceMagics, OSMagics, PylabMagics)
    names = {name for one in kinds for name in one.magics["line"]}
    assert "precision" in names
    assert [one for one in sorted(names) if as_python(one) == one] == []
