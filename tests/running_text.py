"""Ways in which a test may run what a student wrote, for `test_provenance`: an answer that holds a
payload, and the test that runs it.
"""

from __future__ import annotations

from dataclasses import dataclass

# Where it runs in the tester, every later test passes; where it runs anywhere, `builtins.ran` says
# so.
PAYLOAD = (
    "([setattr(m, 'judge', lambda step, *_: ('passed', step.points, '', '')) for n, m in "
    "list(__import__('sys').modules.items()) if n.endswith('engine.tester')], "
    "__import__('builtins').__dict__.setdefault('ran', []).append(1))"
)


@dataclass(frozen=True)
class Way:
    """An answer, and a test that runs some of its text."""

    name: str
    answer: str
    test: str
    needs: str = ""  # a package


FUNCTION = f"def mean(xs, _={PAYLOAD}):\n    return sum(xs) / len(xs)"
STRING = f"text = {PAYLOAD!r}"
METHOD = f"class Mean:\n    def of(self, xs, _={PAYLOAD}):\n        return sum(xs) / len(xs)"
WRITTEN = f"open('mine.py', 'w').write('value = ' + {PAYLOAD!r})"
OBJECT = (
    f"class Evil:\n    def __reduce__(self):\n        return (eval, ({PAYLOAD!r},))\nimport pickle"
)
SAYS = (
    f"def say():\n    print({PAYLOAD!r})\ndef fail():\n    raise ValueError({PAYLOAD!r})\n"
    f"class Odd:\n    def __repr__(self):\n        return {PAYLOAD!r}\nodd = Odd()"
)
DOC = (
    f"def mean(xs):\n    '''Mean.\n\n    >>> {PAYLOAD} and None\n    '''\n"
    "    return sum(xs) / len(xs)"
)
ENCODED = (
    f"import base64, codecs, zlib\ntext = {PAYLOAD!r}\n"
    "packed = base64.b64encode(text.encode()).decode()\nturned = codecs.encode(text, 'rot13')\n"
    "short = zlib.compress(text.encode())"
)

WAYS = [
    Way("exec of a source", FUNCTION, "import inspect\nexec(inspect.getsource(mean), {})"),
    Way(
        "exec of a dedented method",
        METHOD,
        "import inspect, textwrap\nexec(textwrap.dedent(inspect.getsource(Mean.of)), {})",
    ),
    Way(
        "exec of changed source",
        FUNCTION,
        "import inspect\nexec(inspect.getsource(mean).replace('mean', 'own_mean').strip(), {})",
    ),
    Way(
        "exec of lines",
        FUNCTION,
        "import inspect\nexec('import math\\n' + ''.join(inspect.getsourcelines(mean)[0]), {})",
    ),
    Way(
        "exec of a part of a source",
        FUNCTION,
        "import inspect\neval(inspect.getsource(mean).split('_=')[1].split('):\\n')[0])",
    ),
    Way(
        "a tree, compiled",
        FUNCTION,
        "import ast, inspect\nexec(compile(ast.parse(inspect.getsource(mean)), 'answer', 'exec'), "
        "{})",
    ),
    Way(
        "a tree made by compile",
        FUNCTION,
        "import ast, inspect\nexec(compile(compile(inspect.getsource(mean), 'a', 'exec', "
        "ast.PyCF_ONLY_AST), 'a', 'exec'), {})",
    ),
    Way(
        "a tree, unparsed",
        FUNCTION,
        "import ast, inspect\nexec(ast.unparse(ast.parse(inspect.getsource(mean))), {})",
    ),
    Way(
        "one node of a tree",
        FUNCTION,
        "import ast, inspect\n"
        "default = ast.parse(inspect.getsource(mean)).body[0].args.defaults[0]\n"
        "eval(compile(ast.Expression(default), 'a', 'eval'))",
    ),
    Way("eval of a string", STRING, "eval(text)"),
    Way("eval of bytes", STRING, "eval(text.encode())"),
    Way("eval in a text", STRING, "eval(f'[{text}, 1]')"),
    Way("eval by map", STRING, "list(map(eval, [text]))"),
    Way(
        "eval in a thread",
        STRING,
        "import threading\nthread = threading.Thread(target=eval, args=(text,))\nthread.start()\n"
        "thread.join()",
    ),
    Way("eval of characters", f"letters = list({PAYLOAD!r})", "eval(''.join(letters))"),
    Way(
        "eval of numbers",
        f"letters = [ord(one) for one in {PAYLOAD!r}]",
        "eval(''.join(map(chr, letters)))",
    ),
    Way(
        "eval of an array",
        f"import numpy as np\nletters = np.array({PAYLOAD!r})",
        "eval(str(letters))",
    ),
    Way(
        "eval of JSON",
        f"import json\ntext = json.dumps({{'code': {PAYLOAD!r}}})",
        "import json\neval(json.loads(text)['code'])",
    ),
    Way("eval of base 64", ENCODED, "import base64\neval(base64.b64decode(packed))"),
    Way("eval of rot 13", ENCODED, "import codecs\neval(codecs.decode(turned, 'rot13'))"),
    Way("eval of compressed bytes", ENCODED, "import zlib\neval(zlib.decompress(short))"),
    Way("eval of a reversed text", f"text = {PAYLOAD!r}[::-1]", "eval(text[::-1])"),
    Way(
        "eval of a template",
        STRING,
        "import string\neval(string.Template('[$it]').substitute(it=text))",
    ),
    Way(
        "eval of what is printed",
        SAYS,
        "import contextlib, io\nsaid = io.StringIO()\nwith contextlib.redirect_stdout(said):\n"
        "    say()\neval(said.getvalue())",
    ),
    Way(
        "eval of an error's message",
        SAYS,
        "try:\n    fail()\nexcept ValueError as error:\n    eval(str(error))",
    ),
    Way("eval of a repr", SAYS, "eval(repr(odd))"),
    Way(
        "eval of a traceback",
        SAYS,
        "import traceback\ntry:\n    fail()\nexcept ValueError:\n"
        "    eval(traceback.format_exc().split('ValueError: ')[1])",
    ),
    Way(
        "eval of a name",
        f"def f():\n    pass\nf.__name__ = {PAYLOAD!r}[:150] + 'x' if False else 'f'\n"
        f"f.__doc__ = {PAYLOAD!r}",
        "eval(f.__doc__)",
    ),
    Way(
        "eval of a default",
        f"def f(x={PAYLOAD!r}):\n    pass",
        "import inspect\neval(inspect.signature(f).parameters['x'].default)",
    ),
    Way(
        "eval of an annotation",
        f"def f(x: {PAYLOAD!r}):\n    pass",
        "import inspect\neval(inspect.signature(f).parameters['x'].annotation)",
    ),
    Way(
        "type hints",
        f"def f(x: {PAYLOAD!r}):\n    pass",
        "import typing\nclass Own:\n    pass\nOwn.__annotations__ = dict(f.__annotations__)\n"
        "typing.get_type_hints(Own)",
    ),
    Way(
        "a doctest",
        DOC,
        "import doctest\nparsed = doctest.DocTestParser().get_doctest(mean.__doc__, {}, 'mean', "
        "'', 0)\ndoctest.DocTestRunner(verbose=False).run(parsed, out=lambda _: None)",
    ),
    Way("timeit", STRING, "import timeit\ntimeit.timeit(text, number=1)"),
    Way("timeit's setup", STRING, "import timeit\ntimeit.Timer('pass', setup=text).timeit(1)"),
    Way("an interpreter", STRING, "import code\ncode.InteractiveInterpreter().runsource(text)"),
    Way("a cell of IPython", STRING, "get_ipython().run_cell(text)"),
    Way("a value of IPython", STRING, "get_ipython().ev(text)"),
    Way("statements of IPython", STRING, "get_ipython().ex(text)"),
    Way("a magic of IPython", STRING, "get_ipython().run_line_magic('timeit', '-n1 -r1 ' + text)"),
    Way(
        "a query of pandas",
        "text = '@hook.append(a)'",
        "import builtins, pandas\nhook = builtins.__dict__.setdefault('ran', [])\ntry:\n"
        "    pandas.DataFrame({'a': [1]}).query(text)\nexcept (ValueError, KeyError, TypeError):\n"
        "    pass",
        "pandas",
    ),
    Way(
        "sympify",
        "text = \"__import__('builtins').__dict__.setdefault('ran', []).append(1)\"",
        "import sympy\ntry:\n    sympy.sympify(text)\nexcept sympy.SympifyError:\n    pass",
        "sympy",
    ),
    Way("a file that is run", WRITTEN, "import runpy\nrunpy.run_path('mine.py')"),
    Way("a file that is run by a magic", WRITTEN, "%run mine.py\nNone"),
    Way("a file that is read", WRITTEN, "exec(open('mine.py').read(), {})"),
    Way("a file that is imported", WRITTEN, "import sys\nsys.path.insert(0, '.')\nimport mine"),
    Way(
        "a file that is loaded",
        WRITTEN,
        "import importlib.util\nspec = importlib.util.spec_from_file_location('own', 'mine.py')\n"
        "spec.loader.exec_module(importlib.util.module_from_spec(spec))",
    ),
    Way(
        "a copy of a file",
        WRITTEN,
        "import shutil, sys\nshutil.copy('mine.py', 'copied.py')\nsys.path.insert(0, '.')\n"
        "import copied",
    ),
    Way(
        "a source that is written and imported",
        STRING,
        "import sys\nopen('written.py', 'w').write('value = ' + text)\nsys.path.insert(0, '.')\n"
        "import written",
    ),
    Way(
        "bytecode",
        f"{WRITTEN}\nimport py_compile\npy_compile.compile('mine.py', 'code.pyc')\nNone",
        "import importlib.util\nspec = importlib.util.spec_from_file_location('own', 'code.pyc')\n"
        "spec.loader.exec_module(importlib.util.module_from_spec(spec))",
    ),
    Way(
        "a zip file",
        "import zipfile\nwith zipfile.ZipFile('mine.zip', 'w', zipfile.ZIP_DEFLATED) as file:\n"
        f"    file.writestr('zipped.py', 'value = ' + {PAYLOAD!r})",
        "import sys\nsys.path.insert(0, 'mine.zip')\nimport zipped",
    ),
    Way(
        "marshalled code",
        f"import marshal\nbody = marshal.dumps(compile({PAYLOAD!r}, 'a', 'eval'))",
        "import marshal\neval(marshal.loads(body))",
    ),
    Way(
        "pickled bytes",
        f"{OBJECT}\nbody = pickle.dumps(Evil())",
        "import pickle\npickle.loads(body)",
    ),
    Way(
        "pickled text",
        f"{OBJECT}\nbody = pickle.dumps(Evil(), 0).decode()",
        "import pickle\npickle.loads(body.encode())",
    ),
    Way(
        "a pickled file",
        f"{OBJECT}\npickle.dump(Evil(), open('mine.pickle', 'wb'))",
        "import pickle\npickle.load(open('mine.pickle', 'rb'))",
    ),
    Way(
        "a pickled file of pandas",
        f"{OBJECT}\npickle.dump(Evil(), open('mine.pickle', 'wb'))",
        "import pandas\npandas.read_pickle('mine.pickle')",
        "pandas",
    ),
    Way(
        "an array of objects",
        f"{OBJECT}\nimport numpy as np\nnp.save('mine.npy', np.array([Evil()], dtype=object), "
        "allow_pickle=True)",
        "import numpy as np\nnp.load('mine.npy', allow_pickle=True)",
    ),
    Way(
        "YAML",
        f"text = '!!python/object/apply:eval [' + __import__('json').dumps({PAYLOAD!r}) + ']'",
        "import yaml\nyaml.unsafe_load(text)",
        "yaml",
    ),
]
