"""From inside a box: code that forges what the box says gains nothing, and code that looks for a
secret finds none.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import pytest
from building import answer, cell, graded
from refereed import Court, verdicts

from nbreferee.budget import Budget
from nbreferee.grading.notebook import NotebookMaterial, as_bytes
from nbreferee.sandbox import ALL_LAYERS, WITHOUT_NAMESPACES

LAYERS = {"tier A": ALL_LAYERS, "tier B": WITHOUT_NAMESPACES}

# ------------------------------------------------- forging what the box says

LOCKED = """
import numpy as np
class Account:
    balance = 2
    def holds(self, amount):
        return self.balance == amount
"""
TESTS = {
    "equal": "assert f(3) == 9\nassert f(4) == 16",
    "no_more": "assert not abs(f(3) - 9) > 1e-9",
    "close": (
        "assert np.allclose(f(np.array([1., 2.])), [1, 4])\n"
        "np.testing.assert_allclose(f(2.5), 6.25)"
    ),
    "kind": "assert isinstance(f(3), int) and f(5) == 25",
    "own": "account = Account()\nf(account)\nassert account.holds(5)",
    "callback": "heard = []\nf(lambda x: heard.append(x))\nassert heard == [4]",
    "drawn": "x = np.random.rand(3)\nassert np.allclose(f(x), x * x)\nassert np.random.rand() < 1",
}
MASTER = [
    cell(LOCKED, grade_id="imports", locked=True),
    answer(
        "def f(x):\n    if callable(x): return x(4)\n"
        "    if isinstance(x, Account): x.balance = 5\n    else: return x * x",
        "f",
    ),
    *(
        graded(f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS", name)
        for name, source in TESTS.items()
    ),
    answer("def double(x): return 2 * x", "double"),
    graded("assert double(4) == 8", "last"),
]
WRONG = "def f(x): return 0"
FIND_BOX = """
import gc, struct, sys
box = next(one for one in gc.get_objects() if type(one).__name__ == 'Box')
from nbreferee.engine.wire.codec import encode
from nbreferee.engine.box import process as module
from nbreferee.engine.wire import known_types
"""
REFERENCE = """
class Forged: pass
honest = type(box)._wrap
type(box)._wrap = lambda self, value: {said} if type(value) is Forged else honest(self, value)
def f(x): return Forged()
"""
REFERENCES = {
    "class of a library": "('named', 'unittest.mock', 'MagicMock')",
    "function of a library": "('named', 'os', 'system')",
    "method of a class": "('named', 'builtins', 'str.upper')",
    "module": "('module', 'numpy')",
    "module of the engine's": "('module', 'nbreferee.engine.tester.box_client')",
    "object never given": "('yours', 7)",
    "callback": "('callback', 0, 'print')",
    "instance of a negative number": "('instance', -1)",
    "class of the instructor's": "('main', 'Account')",
    "nothing": "()",
    "copy that raises": "('copy', ('range', 'a'))",
    "copy within a copy": "('copy', ('deque', [(0, 1)], 'long'))",
    "namedtuple with a method": "('copy', ('namedtuple', 'int', ('real', 'count'), [9, 9]))",
    "namedtuple that is no name": "('copy', ('namedtuple', 'a\\0b', ('x',), [1]))",
    "huge range": "('copy', ('range', 0, 10 ** 18, 1))",
    "nan of objects": "('copy', ('objects', (), [float('nan')]))",
    "generator far beyond its numbers": "('copy', ('RandomState', {'bit_generator': "
    "'MT19937', 'state': "
    "{'key': np.zeros(624, "
    "'u4'), 'pos': 1 << 30}, "
    "'has_gauss': 0, 'gauss': 0.0}))",
    "dictionary with a function to make values": "('copy', ('defaultdict', f, {}))",
    "object that says it is an int": "('object', 77, ('object', 'f', 'int', 'builtins', ()))",
    "object that says it is an array": "('object', 78, ('object', 'f', 'ndarray', 'numpy', ()))",
    "object that says it is the instructor's": (
        "('object', 79, ('object', 'f', 'Account', '__main__', ()))"
    ),
    "class that says it is the instructor's": (
        "('object', 80, ('class', 'Account', 'Account', '__main__', ('object',)))"
    ),
    "class named like none": "('object', 83, ('object', 'f', 'a\\0b', 'os', ()))",
    "number that is none": "('object', True, ('callable', 'f', 'f', 'f', ()))",
    "number of many bits": "('object', 1 << 60000, ('callable', 'f', 'f', 'f', ()))",
}
ANSWER = """
honest_call = box._operations['call']
def forged(*arguments):
    answer = honest_call(*arguments)
    for place, said in {said}.items():
        answer[place] = said
    return answer
def raised(names, text='x', arguments=(), places=()): return (names, text, arguments, places, {{}}, None)
box._operations['call'] = forged
def f(x): return 0
"""
VALUE, RAISED, SAME, CHANGED, STATES, HEARD, WARNED, STATE, FIGURES, NAMES = range(
    10
)  # places in an answer
BITS = "module.Generators().state()[0]"
ANSWERS: dict[str, dict[object, str]] = {
    "same argument that is none": {SAME: "17"},
    "same argument, by an array": {SAME: "np.array([0, 0])"},
    "changed arguments that are no bytes": {CHANGED: "'text'"},
    "changed arguments that are garbage": {CHANGED: "b'\\xff' * 99"},
    "changed arguments, too many": {CHANGED: "encode(((1, 2, 3), {'a': 1}))"},
    "changed arguments, nan": {CHANGED: "encode(((np.array([np.nan]),), {}))"},
    "attributes of nobody": {STATES: "[{'balance': 5}] * 9"},
    "random state that is none": {STATE: "(1, 2, 3)"},
    "random state far beyond its numbers": {STATE: f"({BITS}, bytes(2496), 1 << 30, 0, 0.0)"},
    "random state of a number that is an object": {
        STATE: f"(({BITS}[0], {BITS}[1], f), bytes(2496), 5, 0, 0.0)"
    },
    "random state of a large number": {STATE: f"({BITS}, bytes(2496), 1 << 99, 0, 0.0)"},
    "warnings of no kind": {WARNED: "[(1, 2), ('SystemExit', 'x')]"},
    "names of the test's": {NAMES: "{'account': 5, 'np': 0, 'x': 0}"},
    "overrun": {RAISED: "raised(('Overrun',), 'late')"},
    "exception that is none": {RAISED: "'ValueError'"},
    "places that are none": {-1: "5", 99: "5", "f": "5", None: "5"},
    **{
        f"exception {name}": {
            RAISED: f"raised(('{name}', 'BaseException'), places=(('f', 1, 'g', 'h'),))"
        }
        for name in (
            "Lost",
            "OutOfTime",
            "SystemExit",
            "KeyboardInterrupt",
            "GeneratorExit",
            "StopIteration",
            "StopAsyncIteration",
            "BdbQuit",
            "Account",
            "MemoryError",
            "RecursionError",
            "UnicodeDecodeError",
            "ExceptionGroup",
            "a\\0b",
            "\\ud800",
        )
    },
    "exception with an object as its text": {RAISED: "raised(('ValueError',), 'x', (f,))"},
    "exception in lines that are none": {
        RAISED: (
            "raised(('ValueError',), places=(('f', -3, 'g\\0', 'h'), ('f', 99_999, 'g', 'h'), 3))"
        )
    },
    "exception with half a character": {
        RAISED: (
            "raised(('ValueError',), '\\ud800', ('\\ud800',), (('f', 1, '\\ud800', '\\ud800'),))"
        )
    },
    "exception of many words": {RAISED: "raised(('ValueError',), 'x' * 10 ** 7, ('x' * 10 ** 7,))"},
    "exception with attributes of its own": {
        RAISED: (
            "(('ValueError',), 'x', (), (), {'from_student': f, 'said': f, 'args': 3, "
            "'with_traceback': f}, None)"
        )
    },
}
FRAME = """
honest = box._say
def say(number, what, body):
    if what == 'call' or number > 0 and forging:
        box._channel.{send}
    else:
        honest(number, what, body)
box._say = say
forging = True
def f(x): return 0
"""
FRAMES = {
    "garbage": "send(b'garbage')",
    "array of very many numbers": (
        "send(encode((number, 'value')) + b'a\\x03<f8\\0\\x01' + struct.pack('<Q', 1 << 50))"
    ),
    "announced and not sent": (
        "socket.sendall(struct.pack('<I', 100) + b'x'); box._channel.socket.shutdown(1)"
    ),
    "announced to be huge": "socket.sendall(struct.pack('<I', 0xffffffff))",
    "another number": "send(encode((number + 1, 'value', 9)))",
    "number that is an array": "send(encode((np.array([number, number]), 'value', 9)))",
    "twice": "send(encode((number, 'value', (True, 9)))); honest(number, what, body)",
    "unknown word": "send(encode((number, 'passed', 9)))",
    "callback that is none": "send(encode((0, 'call', (99, (), {}))))",
    "callback, no numbers": "send(encode((0, 'call', ('x', 3, 4))))",
    "callback with what is no argument": "send(encode((0, 'call', (0, 3, {3: 4}))))",
    "exception from nowhere": (
        "send(encode((number, 'raised', (('SystemExit', 'BaseException'), '', (), ()))))"
    ),
    "exception that is none": "send(encode((number, 'raised', 3)))",
    "one that ends the process": "socket.close(); __import__('os')._exit(0)",
}
REPLACED = {
    "description of values": (
        "known_types.describe = lambda value: ('range', 0, 9)\ndef f(x): return object()"
    ),
    "encoder": (
        "module.encode = lambda *a, **k: b'N'\nmodule.in_pieces = lambda *a, **k: [b'N']\n"
        "def f(x): return 0"
    ),
    "decoder": "module.decode = lambda *a, **k: 1 / 0\ndef f(x): return 0",
    "names": "box._operations['name'] = lambda name: (np.array([1, 2]), 9)\ndef f(x): return 0",
    "names that raise": "box._operations['name'] = lambda name: sys.exit()\ndef f(x): return 0",
    "files": (
        "box._operations['new_files'] = lambda: {'gradcheck.py': b'', '../../x': b'', '/x': b'', "
        "'a\\0b': b'', './y/../y': 3, 4: b''}\ndef f(x): return 0"
    ),
    "files that raise": "box._operations['new_files'] = lambda: 1 / 0\ndef f(x): return 0",
    "files that exit": "box._operations['new_files'] = lambda: sys.exit()\ndef f(x): return 0",
    "traceback that raises": (
        "box._operations['traceback'] = lambda: sys.exit()\ndef f(x): return 1 / 0"
    ),
    "traceback of half a character": (
        "box._operations['traceback'] = lambda: ['\\ud800', 3]\ndef f(x): return 1 / 0"
    ),
    "all operations": "box._operations.clear()\ndef f(x): return 0",
    "exception that asks for its text": (
        "class Text:\n    def __str__(self): raise SystemExit\n    __repr__ = __str__\n"
        "def f(x): raise ValueError(Text())"
    ),
    "callback with odd arguments": "def f(x):\n    if callable(x):\n"
    "        for odd in (float('nan'), object(), f, x, np, "
    "[[]], 10 ** 5000): x(odd)\n"
    "        x(*range(99), **{'a': 1})\n    return 0",
    "state of a cell": (
        "module.Generators.state = lambda self, last=None: ((3, (0,) * 625, 'gauss'), "
        "bytes(2496), 1 << 40, 1, 0.0)\ndef f(x): return 0"
    ),
    "state that is far beyond its numbers": "BITS = module.Generators().state()[0]\n"
    "module.Generators.state = lambda self, last=None: (BITS, bytes(2496), 1 << 30, 0, 0.0)\n"
    "def f(x): return 0",
    "outputs of a kind that is none": "get_ipython().outputs.shown.append({'output_type': []})\n"
    "get_ipython().outputs.shown.append({'output_type': {}})\ndef f(x): return 0",
    "output with a large number": "shown = get_ipython().outputs.shown\n"
    "shown.append({'output_type': 'display_data', 'data': {'application/json': 10 ** 5000}, "
    "'metadata': {}})\n"
    "def f(x): return 0",
    "output of half a character": "print('\\ud800')\ndef f(x): return 0",
    "score of the instructor's": "shown = get_ipython().outputs.shown\n"
    "shown.append({'output_type': 'execute_result', 'data': {'text/plain': '2.0'}, 'metadata': "
    "{}})\n"
    "def f(x): return 0",
    "attribute of the instructor's": (
        "def f(x):\n    if isinstance(x, Account): x.holds = lambda amount: True\n    return 0"
    ),
}


def forged_answer(fields: Mapping[Any, str]) -> str:
    """Code of a box whose answers to calls are honest but for these places."""
    return ANSWER.format(
        said="{" + ", ".join(f"{place}: {said}" for place, said in fields.items()) + "}"
    )


FORGED = {
    **{f"reference: {name}": REFERENCE.format(said=said) for name, said in REFERENCES.items()},
    **{f"answer: {name}": forged_answer(fields) for name, fields in ANSWERS.items()},
    **{f"frame: {name}": FRAME.format(send=send) for name, send in FRAMES.items()},
    **{f"replaced: {name}": code for name, code in REPLACED.items()},
}


class ForgersCourt(Court):
    """Grades submissions to the notebook for forgers."""

    @cached_property
    def subject(self) -> NotebookMaterial:
        """The instructor's notebook."""
        return self.material(*MASTER)


@pytest.fixture(scope="module")
def court() -> Iterator[ForgersCourt]:
    with ForgersCourt(Budget(call_s=1, cell_s=5)) as court:
        yield court


def test_wrong_answer_earns_nothing_but_the_last(court: ForgersCourt) -> None:
    assert {
        name
        for name, one in verdicts(court.grade(court.subject, {"f": WRONG})).items()
        if one.score
    } == {"last"}


def test_box_says_what_it_is_made_to_say(court: ForgersCourt) -> None:
    found = verdicts(court.grade(court.subject, {"f": FIND_BOX + forged_answer({VALUE: "9"})}))
    assert found["no_more"].score == 2
    found = verdicts(
        court.grade(
            court.subject,
            {"f": FIND_BOX + forged_answer({RAISED: "raised(('KeyError',), 'forged', (7,))"})},
        )
    )
    assert found["equal"].message == "7"


@pytest.mark.parametrize("name", FORGED)
def test_forging_gains_nothing_and_is_the_students_own_fault(
    name: str, court: ForgersCourt
) -> None:
    """No point, no verdict that blames the instructor, no exception, and a notebook that can be
    published.
    """
    found = court.grade(court.subject, {"f": FIND_BOX + FORGED[name]})
    as_bytes(found.notebook)
    assert {one.grade_id for one in found.cells if one.score} <= {"last"}
    assert [one.message for one in found.cells if one.status == "grader_failed"] == []


# A box that raises whatever it is asked keeps to the protocol, and is not replaced.
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in FORGED
        if name.startswith("frame: ") and "exception from nowhere" not in name
    ],
)
def test_exercise_after_forged_frames_keeps_its_points(name: str, court: ForgersCourt) -> None:
    code = (
        FORGED[name]
        .replace("forging = True", "forging = False")
        .replace("def f(x): return 0", "def f(x):\n    global forging\n    forging = True")
    )
    assert verdicts(court.grade(court.subject, {"f": FIND_BOX + code}))["last"].score == 2


# ------------------------------------------------- looking for a secret

START, REST = "SECRET-OF-THE", "-TEST-8731"
SECRET = START + REST
LOOK = """
import ctypes, gc, linecache, os, socket, sys
START = 'SECRET-OF-THE'
def has(text):
    text = text if isinstance(text, bytes) else str(text).encode('utf-8', 'replace')
    at = text.find(START.encode())
    while at >= 0:
        if text[at + len(START) : at + len(START) + 2] == bytes([45, 84]): return True  # what comes after, never written out here
        at = text.find(START.encode(), at + 1)
    return False
"""
IN_MEMORY = {
    "objects": """
def look():
    return ['gc' for one in gc.get_objects() if type(one) in (list, tuple, dict, set) and any(type(x) is str and has(x) for x in
            (list(one.values()) if type(one) is dict else list(one)))][:1]
""",
    "frames": """
def look():
    found, frames = [], list(sys._current_frames().values()) + [sys._getframe()]
    while frames:
        frame = frames.pop()
        found += ['frame' for one in (*frame.f_locals.values(), *frame.f_globals.values(), *frame.f_code.co_consts) if type(one) is str and has(one)]
        frames += [frame.f_back] if frame.f_back else []
    return found[:1]
""",
    "modules and sources": """
def look():
    places = [*linecache.cache.values(), *(value for module in list(sys.modules.values()) for value in list(getattr(module, '__dict__', {}).values()))]
    return ['module' for one in places if (type(one) is str and has(one)) or (type(one) is tuple and has(''.join(map(str, one))))][:1]
""",
    "arguments and environment": (
        "def look(): return ['arguments' for one in (*sys.argv, *sys.orig_argv, "
        "*os.environ.values()) if has(one)][:1]"
    ),
    "pages of memory": """
def look():
    reading, writing = os.pipe()
    arenas = {id(one) >> 20 for one in gc.get_objects()} | {id(one) >> 20 for one in map(str, range(999, 1999))}
    found = []
    for address in sorted({arena + step << 20 for arena in arenas for step in (-1, 0, 1)}):
        megabyte = b''
        for page in range(address, address + (1 << 20), 4096):
            try: megabyte += os.read(reading, 4096) if os.write(writing, (ctypes.c_char * 4096).from_address(page)) else b''
            except OSError: pass
        found += ['memory'] if has(megabyte) else []
    os.close(reading), os.close(writing)
    return found[:1]
""",
}
OUTSIDE = {
    "file": """
def look(folder, pid, port, name):
    own = ('/proc', '/sys', '/dev', '/usr', sys.prefix, sys.base_prefix)
    tops = [folder] if UNSAFE else [folder, '/', '..', '/tmp', '/home', '/root', '/proc']
    paths = (os.path.join(root, name) for top in tops for root, _, names in os.walk(top) if not os.path.realpath(root).startswith(own) for name in names)
    found = []
    for path in paths:
        try: found += ['file'] if has(open(path, 'rb').read(1 << 20)) else []
        except OSError: pass
    return found[:1]
""",
    "environment of a process": """
def look(folder, pid, port, name):
    found = []
    for one in (pid,) if UNSAFE else (pid, os.getppid(), 1, 'self'):
        try: found += ['process'] if has(open(f'/proc/{one}/environ', 'rb').read()) else []
        except OSError: pass
    return found[:1]
""",
    "process": """
def look(folder, pid, port, name):
    try: os.kill(pid, 0)
    except OSError: return []
    return ['process']
""",
    "TCP": """
def look(folder, pid, port, name):
    try:
        with socket.create_connection(('127.0.0.1', port), 2): return ['socket']
    except OSError: return []
""",
    "UDP": """
def look(folder, pid, port, name):
    try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', port))
    except OSError: return []
    return ['socket']
""",
    "abstract socket": """
def look(folder, pid, port, name):
    try: socket.socket(socket.AF_UNIX).connect('\\0' + name)
    except OSError: return []
    return ['socket']
""",
    "netlink": """
def look(folder, pid, port, name):
    try: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).bind((0, 0))
    except OSError: return []
    return ['socket']
""",
    "handles": """
def look(folder, pid, port, name):
    found = []
    for handle in range(3, 1024):
        try: found += ['handle'] if has(os.pread(handle, 1 << 20, 0)) else []
        except OSError: pass
    try: found += ['handle'] if has(open(folder + '/secret', 'rb').read()) else []
    except OSError: pass
    return found[:1]
""",
}


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, ...]]:
    """What is outside: a folder with a secret file, a process with a secret environment, a TCP
    port, an abstract socket.
    """
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret").write_text(SECRET)
    waiting = subprocess.Popen(
        [sys.executable, "-c", "input()"],
        env={**os.environ, "HIDDEN": SECRET},
        stdin=subprocess.PIPE,
    )
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        abstract.bind(f"\0nbreferee-{os.getpid()}")
        abstract.listen()
        yield str(folder), waiting.pid, server.getsockname()[1], f"nbreferee-{os.getpid()}"
    waiting.communicate()


def looked_for(court: Court, probe: str, targets: tuple[Any, ...], unsafe: bool = False) -> str:
    """What a probe in an answer says to a test that has the secret: in its text, its values, its
    solution.
    """
    test = (
        f"### BEGIN HIDDEN TESTS\nexpected = '{SECRET}'\nfound = look(*{targets!r})\n"
        "assert found == [] and expected, found\n### END HIDDEN TESTS"
    )
    solution = f"# {SECRET}\ndef look(*targets):\n    secret = '{SECRET}'\n    return []"
    material = court.material(
        answer(solution, "look"), graded(test, "tests"), files={"secret.txt": b"none"}
    )
    found = court.grade(material, {"look": f"{LOOK}UNSAFE = {unsafe}\n{probe}"})
    return found.cells[0].message or found.cells[0].status


@pytest.fixture(scope="module", params=LAYERS)
def tiered(request: pytest.FixtureRequest) -> Iterator[Court]:
    with Court(Budget(call_s=60, cell_s=90, layers=LAYERS[request.param])) as court:
        yield court


@pytest.fixture(scope="module")
def unsafe() -> Iterator[Court]:
    with Court(Budget(call_s=60, cell_s=90, layers=frozenset())) as court:
        yield court


@pytest.mark.parametrize("name", OUTSIDE)
def test_probe_finds_nothing_outside(name: str, tiered: Court, targets: tuple[Any, ...]) -> None:
    assert looked_for(tiered, OUTSIDE[name], targets) == "passed"


@pytest.mark.parametrize("name", OUTSIDE)
def test_probe_finds_what_is_outside_where_there_is_no_sandbox(
    name: str, unsafe: Court, targets: tuple[Any, ...]
) -> None:
    words = {
        "file": "file",
        "environment of a process": "process",
        "process": "process",
        "handles": "handle",
    }
    assert (
        looked_for(unsafe, OUTSIDE[name], targets, unsafe=True)
        == f"['{words.get(name, 'socket')}']"
    )


@pytest.mark.parametrize("name", IN_MEMORY)
@pytest.mark.parametrize("tiered", ["tier A"], indirect=True)  # the same process in both
def test_probe_finds_nothing_of_the_test_in_its_own_process(name: str, tiered: Court) -> None:
    assert looked_for(tiered, IN_MEMORY[name], ()) == "passed"


@pytest.mark.parametrize("name", IN_MEMORY)
def test_probe_finds_what_is_in_its_own_process(name: str) -> None:
    code = f"{LOOK}{IN_MEMORY[name]}\nhidden, word = ['{SECRET}', 1], '{SECRET}'\nprint(look())"
    ran = subprocess.run(
        [sys.executable, "-c", code, SECRET], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("['")
