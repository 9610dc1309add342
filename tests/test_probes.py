"""From inside a box: code that forges what the box says gains nothing, and code that looks for a secret finds none."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from building import answer, cell, graded
from refereed import Court, verdicts

from nbreferee.engine.limits import Budget
from nbreferee.grading import as_bytes
from nbreferee.sandbox import ALL_LAYERS, WITHOUT_NAMESPACES, Layer

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
    "close": "assert np.allclose(f(np.array([1., 2.])), [1, 4])\nnp.testing.assert_allclose(f(2.5), 6.25)",
    "kind": "assert isinstance(f(3), int) and f(5) == 25",
    "own": "account = Account()\nf(account)\nassert account.holds(5)",
    "callback": "heard = []\nf(lambda x: heard.append(x))\nassert heard == [4]",
    "drawn": "x = np.random.rand(3)\nassert np.allclose(f(x), x * x)\nassert np.random.rand() < 1",
}
MASTER = [
    cell(LOCKED, grade_id="imports", locked=True),
    answer("def f(x):\n    if callable(x): return x(4)\n    if isinstance(x, Account): x.balance = 5\n    else: return x * x", "f"),
    *(graded(f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS", name) for name, source in TESTS.items()),
    answer("def double(x): return 2 * x", "double"),
    graded("assert double(4) == 8", "last"),
]
WRONG = "def f(x): return 0"
FIND_BOX = """
import gc, struct, sys
box = next(one for one in gc.get_objects() if type(one).__name__ == 'Box')
from nbreferee.codec import encode
from nbreferee.engine import box as module
from nbreferee.engine import kinds
"""
REFERENCE = """
class Forged: pass
honest = type(box)._wrap
type(box)._wrap = lambda self, value: {said} if type(value) is Forged else honest(self, value)
def f(x): return Forged()
"""
REFERENCES = {
    "class of a library": "('named', 'unittest.mock', 'MagicMock')",
    "class of the engine's": "('named', 'nbreferee.engine.student', 'Lost')",
    "function of a library": "('named', 'os', 'system')",
    "method of a class": "('named', 'builtins', 'str.upper')",
    "name that is none": "('named', 'builtins', 3)",
    "module": "('module', 'numpy')",
    "module that nobody imports": "('module', 'antigravity')",
    "module of the engine's": "('module', 'nbreferee.engine.student')",
    "object never given": "('yours', 7)",
    "negative object": "('yours', -1)",
    "callback": "('callback', 0, 'print')",
    "instance never given": "('instance', 3)",
    "instance of a negative number": "('instance', -1)",
    "class of the instructor's": "('main', 'Account')",
    "text of a reference": "'copy'",
    "nothing": "()",
    "unknown copy": "('copy', ('no such', 1))",
    "copy without a name": "('copy', ())",
    "copy that raises": "('copy', ('range', 'a'))",
    "copy within a copy": "('copy', ('deque', [(0, 1)], 'long'))",
    "namedtuple with a method": "('copy', ('namedtuple', 'int', ('real', 'count'), [9, 9]))",
    "namedtuple that is no name": "('copy', ('namedtuple', 'a\\0b', ('x',), [1]))",
    "huge range": "('copy', ('range', 0, 10 ** 18, 1))",
    "huge type": "('copy', ('dtype', 'S' + '9' * 5000))",
    "empty raw array": "('copy', ('raw', '<M8[s]', (0,), b''))",
    "raw array of objects": "('copy', ('raw', '|O', (1,), bytes(8)))",
    "nan of objects": "('copy', ('objects', (), [float('nan')]))",
    "generator far beyond its numbers": "('copy', ('RandomState', {'bit_generator': 'MT19937', 'state': {'key': np.zeros(624, 'u4'), 'pos': 1 << 30}, "
    "'has_gauss': 0, 'gauss': 0.0}))",
    "dictionary with a function to make values": "('copy', ('defaultdict', f, {}))",
    "object that says it is an int": "('object', 77, ('object', 'f', 'int', 'builtins', ()))",
    "object that says it is an array": "('object', 78, ('object', 'f', 'ndarray', 'numpy', ()))",
    "object that says it is the instructor's": "('object', 79, ('object', 'f', 'Account', '__main__', ()))",
    "class that says it is the instructor's": "('object', 80, ('class', 'Account', 'Account', '__main__', ('object',)))",
    "class that says it is an exception": "('object', 81, ('class', 'x', 'AssertionError', 'builtins', ('BaseException',)))",
    "function named like none": "('object', 82, ('function', '\\0' * 9, '\\ud800', 'os', ()))",
    "class named like none": "('object', 83, ('object', 'f', 'a\\0b', 'os', ()))",
    "kind that is none": "('object', 84, ('verdict', 'f', 'f', 'f', ()))",
    "facts that are none": "('object', 85, (1, 2, 3, 4, 5))",
    "number that is none": "('object', True, ('callable', 'f', 'f', 'f', ()))",
    "number of many bits": "('object', 1 << 60000, ('callable', 'f', 'f', 'f', ()))",
}
ANSWER = "box._operations['call'] = lambda *a: {said}\ndef f(x): return 0\n"
ANSWERS = {
    "too short": "(None, 9)",
    "no tuple": "9",
    "same argument that is none": "(None, None, 17, None, [], '', [], None, 0)",
    "same argument, negative": "(None, None, -1, None, [], '', [], None, 0)",
    "changed arguments that are no bytes": "(None, 0, None, 'text', [], '', [], None, 0)",
    "changed arguments that are garbage": "(None, 0, None, b'\\xff' * 99, [], '', [], None, 0)",
    "changed arguments, too many": "(None, 0, None, encode(((1, 2, 3), {'a': 1})), [], '', [], None, 0)",
    "changed arguments, nan": "(None, 0, None, encode(((np.array([np.nan]),), {})), [], '', [], None, 0)",
    "attributes of nobody": "(None, 0, None, None, [{'balance': 5}] * 9, '', [], None, 0)",
    "attributes that are none": "(None, 0, None, None, [3], '', [], None, 0)",
    "random state that is none": "(None, 0, None, None, [], '', [], (1, 2, 3), 0)",
    "random state far beyond its numbers": "(None, 0, None, None, [], '', [], (module.random_state()[0], bytes(2496), (3, None, 1 << 30, 0, 0.0)), 0)",
    "random state of a large number": "(None, 0, None, None, [], '', [], (module.random_state()[0], bytes(2496), (3, None, 1 << 99, 0, 0.0)), 0)",
    "warnings of no kind": "(None, 0, None, None, [], 3, [(1, 2), ('SystemExit', 'x')], None, 'many')",
    "overrun": "((('Overrun',), 'late', (), ()), 0, None, None, [], '', [], None, 0)",
    "exception without classes": "(((), '', (), ()), 0, None, None, [], '', [], None, 0)",
    "exception that is none": "('ValueError', 0, None, None, [], '', [], None, 0)",
    **{f"exception {name}": f"((('{name}', 'BaseException'), 'x', (), (('f', 1, 'g', 'h'),)), 0, None, None, [], '', [], None, 0)" for name in (
        "Lost", "OutOfTime", "SystemExit", "KeyboardInterrupt", "GeneratorExit", "StopIteration", "StopAsyncIteration", "BdbQuit", "CodecError", "Closed", "Account",
        "MemoryError", "RecursionError", "UnicodeDecodeError", "ExceptionGroup", "a\\0b", "\\ud800",
    )},
    "exception with an object as its text": "((('ValueError',), 'x', (f,), ()), 0, None, None, [], '', [], None, 0)",
    "exception in lines that are none": "((('ValueError',), 'x', (), (('f', -3, 'g\\0', 'h'), ('f', 99_999, 'g', 'h'), 3)), 0, None, None, [], '', [], None, 0)",
    "exception with half a character": "((('ValueError',), '\\ud800', ('\\ud800',), (('f', 1, '\\ud800', '\\ud800'),)), 0, None, None, [], '', [], None, 0)",
    "exception of many words": "((('ValueError',), 'x' * 10 ** 7, ('x' * 10 ** 7,), ()), 0, None, None, [], '', [], None, 0)",
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
    "empty": "send(b'')",
    "many brackets": "send(b't\\x01\\0\\0\\0' * 100_000)",
    "bomb of lists": "send(b'l\\xff\\xff\\xff\\xff' * 9)",
    "array of very many numbers": "send(encode((number, 'value')) + b'a\\x03<f8\\0\\x01' + struct.pack('<Q', 1 << 50))",
    "announced and not sent": "socket.sendall(struct.pack('<I', 100) + b'x'); box._channel.socket.shutdown(1)",
    "announced to be huge": "socket.sendall(struct.pack('<I', 0xffffffff))",
    "another number": "send(encode((number + 1, 'value', 9)))",
    "number that is an array": "send(encode((np.array([number, number]), 'value', 9)))",
    "number that is text": "send(encode((str(number), 'value', 9)))",
    "number that is nan": "send(encode((float('nan'), 'value', 9)))",
    "twice": "send(encode((number, 'value', (True, 9)))); honest(number, what, body)",
    "unknown word": "send(encode((number, 'passed', 9)))",
    "word that is an array": "send(encode((number, np.array(['value', 'raised']), 9)))",
    "callback that is none": "send(encode((0, 'call', (99, (), {}))))",
    "callback, no numbers": "send(encode((0, 'call', ('x', 3, 4))))",
    "callback with what is no argument": "send(encode((0, 'call', (0, 3, {3: 4}))))",
    "exception from nowhere": "send(encode((number, 'raised', (('SystemExit', 'BaseException'), '', (), ()))))",
    "exception that is none": "send(encode((number, 'raised', 3)))",
    "one that ends the process": "socket.close(); __import__('os')._exit(0)",
}
REPLACED = {
    "description of values": "kinds.describe = lambda value: ('range', 0, 9)\ndef f(x): return object()",
    "encoder": "module.encode = lambda *a, **k: b'N'\ndef f(x): return 0",
    "decoder": "module.decode = lambda *a, **k: 1 / 0\ndef f(x): return 0",
    "names": "box._operations['name'] = lambda name: (np.array([1, 2]), 9)\ndef f(x): return 0",
    "names that raise": "box._operations['name'] = lambda name: sys.exit()\ndef f(x): return 0",
    "files": "box._operations['new_files'] = lambda: {'gradcheck.py': b'', '../../x': b'', '/x': b'', 'a\\0b': b'', 'x' * 999: b'', './y/../y': 3, 4: b''}\ndef f(x): return 0",
    "files that raise": "box._operations['new_files'] = lambda: 1 / 0\ndef f(x): return 0",
    "files that exit": "box._operations['new_files'] = lambda: sys.exit()\ndef f(x): return 0",
    "traceback that raises": "box._operations['traceback'] = lambda: sys.exit()\ndef f(x): return 1 / 0",
    "traceback of half a character": "box._operations['traceback'] = lambda: ['\\ud800', 3]\ndef f(x): return 1 / 0",
    "all operations": "box._operations.clear()\ndef f(x): return 0",
    "exception that asks for its text": "class Text:\n    def __str__(self): raise SystemExit\n    __repr__ = __str__\ndef f(x): raise ValueError(Text())",
    "exception whose text never ends": "class Text:\n    def __repr__(self):\n        while True: pass\ndef f(x): raise ValueError(Text(), 1)",
    "callback with odd arguments": "def f(x):\n    if callable(x):\n        for odd in (float('nan'), object(), f, x, np, [[]], 10 ** 5000): x(odd)\n        x(*range(99), **{'a': 1})\n    return 0",
    "callback of a callback": "def f(x):\n    if callable(x): return x(lambda: x(x))\n    return 0",
    "state of a cell": "module.random_state = lambda: (bytes(2500), bytes(2496), (3, 'gauss', 1 << 40, 1, 0.0))\ndef f(x): return 0",
    "state that is far beyond its numbers": "module.random_state = lambda: (__import__('array').array('I', [1] * 624 + [624]).tobytes(), bytes(2496), (3, None, 1 << 30, 0, 0.0))\n"
    "def f(x): return 0",
    "outputs of a kind that is none": "get_ipython().outputs.shown.append({'output_type': []})\nget_ipython().outputs.shown.append({'output_type': {}})\ndef f(x): return 0",
    "output with a large number": "get_ipython().outputs.shown.append({'output_type': 'display_data', 'data': {'application/json': 10 ** 5000}, 'metadata': {}})\ndef f(x): return 0",
    "output of half a character": "print('\\ud800')\ndef f(x): return 0",
    "message of half a character": "def f(x): raise ValueError('\\ud800')",
    "score of the instructor's": "get_ipython().outputs.shown.append({'output_type': 'execute_result', 'data': {'text/plain': '2.0'}, 'metadata': {}})\ndef f(x): return 0",
    "attribute of the instructor's": "def f(x):\n    if isinstance(x, Account): x.holds = lambda amount: True\n    return 0",
}
FORGED = {
    **{f"reference: {name}": REFERENCE.format(said=said) for name, said in REFERENCES.items()},
    **{f"answer: {name}": ANSWER.format(said=said) for name, said in ANSWERS.items()},
    **{f"frame: {name}": FRAME.format(send=send) for name, send in FRAMES.items()},
    **{f"replaced: {name}": code for name, code in REPLACED.items()},
}


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court(Budget(call_s=1, cell_s=5)) as court:
        court.subject = court.material(*MASTER)
        yield court


def test_wrong_answer_earns_nothing_but_the_last(court):
    assert {name for name, one in verdicts(court.grade(court.subject, {"f": WRONG})).items() if one.score} == {"last"}


def test_box_is_found_and_says_what_it_is_made_to_say(court):
    code = FIND_BOX + ANSWER.format(said="(None, 16 if arguments[0] else 9, None, None, [], '', [], None, 0)").replace("*a:", "*arguments:")
    found = court.grade(court.subject, {"f": code})
    assert [output for output in found.notebook.cells[1].outputs if output.output_type == "error"] == []


@pytest.mark.parametrize("name", FORGED)
def test_forging_gains_nothing_and_is_the_students_own_fault(name, court):
    """No point, no verdict that blames the instructor, no exception, and a notebook that can be published."""
    found = court.grade(court.subject, {"f": FIND_BOX + FORGED[name]})
    as_bytes(found.notebook)
    assert {one.grade_id for one in found.cells if one.score} <= {"last"}
    assert [one.message for one in found.cells if one.status == "internal"] == []


@pytest.mark.parametrize("name", [name for name in FORGED if name.startswith("frame: ")])
def test_exercise_after_forged_frames_keeps_its_points(name, court):
    code = FORGED[name].replace("forging = True", "forging = False").replace("def f(x): return 0", "def f(x):\n    global forging\n    forging = True")
    assert verdicts(court.grade(court.subject, {"f": FIND_BOX + code}))["last"].score == 2
