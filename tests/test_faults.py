"""Loops, crashes and bombs: each costs the exercise that it is in, says so, and leaves nothing behind."""

from __future__ import annotations

import ctypes
import os
import re
import select
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import nbformat
import pytest
from building import answer, cell, graded
from refereed import Court, verdicts

from nbreferee.engine.limits import Budget
from nbreferee.grading import Graded, Material, as_bytes
from nbreferee.sandbox import ALL_LAYERS, WITHOUT_NAMESPACES

PR_SET_CHILD_SUBREAPER = 36
TIERS = {"A": ALL_LAYERS, "B": WITHOUT_NAMESPACES}


def exercise(name: str, number: int) -> list:
    """A function of 2 points that adds a number."""
    solution = f"def {name}(x):\n    ### BEGIN SOLUTION\n    return x + {number}\n    ### END SOLUTION"
    return [answer(solution, name), graded(f"assert {name}(1) == {1 + number}\nassert {name}(5) == {5 + number}", f"{name}_tests")]


HONEST = {"first": "def first(x):\n    return x + 1", "second": "def second(x):\n    return x + 2", "third": "def third(x):\n    return x + 3"}
CELLS = [cell("import numpy as np"), *exercise("first", 1), *exercise("second", 2), *exercise("third", 3)]
SECOND_TESTS = 4  # its place among the cells


@contextmanager
def leaving_nothing(folder: Path) -> Iterator[None]:
    """Check that no process of ours and no file in a folder for temporary ones outlives the block."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans come to us
    before = children()
    old, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = old
        left = [pid for pid in children() - before if not ended(pid)]
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    assert left == []
    assert list(folder.iterdir()) == []


def children() -> set[int]:
    """The processes that have this one as their parent."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        found |= {int(path.parent.name)} if parent == os.getpid() else set()
    return found


def ended(pid: int) -> bool:
    """Wait for a child that has been killed already, a few seconds at most."""
    handle = os.pidfd_open(pid)
    try:
        gone = bool(select.select([handle], [], [], 5)[0])
    finally:
        os.close(handle)
    return gone and os.waitpid(pid, 0)[0] == pid


@pytest.fixture(scope="module")
def courts(tmp_path_factory) -> Iterator[dict[str, Court]]:
    """A court of each tier, with small budgets; nothing of them is left when they close."""
    with leaving_nothing(tmp_path_factory.mktemp("scratch")), ExitStack() as open_courts:
        yield {name: open_courts.enter_context(Court(Budget(call_s=0.5, cell_s=1, submission_s=60, layers=layers))) for name, layers in TIERS.items()}


@pytest.fixture(params=TIERS)
def court(request, courts) -> Court:
    """With namespaces, and without."""
    return courts[request.param]


@pytest.fixture
def material(court) -> Material:
    """Three exercises of 2 points."""
    return court.material(*CELLS)


def check_others(got: Graded) -> None:
    """The first and the third exercise have all their points, and the notebook can be written and read."""
    others = {name: (one.status, one.score) for name, one in verdicts(got).items() if name != "second_tests"}
    assert others == {"first_tests": ("passed", 2), "third_tests": ("passed", 2)}
    nbformat.validate(nbformat.reads(as_bytes(got.notebook).decode(), as_version=4))


def errors(got: Graded, grade_id: str) -> str:
    """What a cell says of its errors."""
    found = next(one for one in got.notebook.cells if one.metadata.get("nbgrader", {}).get("grade_id") == grade_id)
    return "\n".join(f"{output.ename}: {output.evalue}" for output in found.get("outputs", []) if output.output_type == "error")


# name: (what the answer cell does once it has defined its function, words in the cell, whether the function counts: None where either is right)
LATE = r"TimeoutError: this cell took longer than 1 s"
IN_CELL = {
    "loop": ("while True:\n    pass", LATE, True),
    "loop_that_catches": ("while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass", LATE, True),
    "loop_far_down": ("def f(n):\n    if n:\n        f(n - 1)\n    while True: pass\nf(900)", LATE, True),
    "signal_ignored": ("import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass", LATE, False),
    "signals_blocked": ("import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\nwhile True: pass", LATE, False),
    "signals_blocked_for_later": ("import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))", "", True),
    "sum_in_c": ("sum(range(10**12))", LATE, False),
    "regex_in_c": ("import re\nre.match('(a+)+$', 'a' * 60 + 'b')", LATE, True),
    "sleep": ("import time\ntime.sleep(1000)", LATE, True),
    "exit": ("exit()", "", True),
    "sys_exit": ("import sys\nsys.exit()", "SystemExit", True),
    "os_exit": ("import os\nos._exit(0)", "process ended in this cell", False),
    "kill": ("import os\nos.kill(os.getpid(), 9)", "process ended in this cell|^$", None),  # the first process of a namespace is immune
    "segfault": ("import ctypes\nctypes.string_at(0)", "process ended in this cell", False),
    "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt", True),
    "recursion": ("def f(n): return f(n + 1)\nf(0)", "RecursionError|TimeoutError", True),
    "memory_at_once": ("x = bytearray(10**11)", "MemoryError", True),
    "memory_by_and_by": ("x = [0]\nwhile True: x += x", "MemoryError|TimeoutError", True),
    "threads": (
        "import threading, time\nfor _ in range(10**5): threading.Thread(target=time.sleep, args=(1000,)).start()",
        "can't start new thread|TimeoutError",
        True,
    ),
    "forks": ("import os\nwhile True: os.fork()", "TimeoutError|PermissionError|BlockingIOError|MemoryError|process", None),
    "fork": ("import os\nos.fork()", "PermissionError|^$", None),
    "process_that_stays": ("import subprocess\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)", "PermissionError|^$", True),
    "disk": ("for n in range(1000): open(f'f{n}', 'wb').write(bytes(10**7))", "No space left|TimeoutError", True),
    "unreadable_file": ("import os\nopen('f', 'w').close()\nos.chmod('f', 0)", "", True),
    "files_by_the_thousand": ("for n in range(2000): open(f'f{n}', 'w').close()", "", True),
    "pipe": ("import os\nos.mkfifo('pipe')", "", True),
    "print_60_mb": ("for _ in range(60): print('x' * 10**6)", "", True),
    "display_by_the_thousand": ("from IPython.display import display\nfor _ in range(30_000): display(1)", "^$|TimeoutError", True),
    "two_streams_by_turns": ("import sys\nfor _ in range(100_000):\n    sys.stdout.write('a')\n    sys.stderr.write('b')", "^$|TimeoutError", True),
    "half_a_character": ("print('\\ud800')", "", True),
    "descriptors": ("files = []\nwhile True: files.append(open('/dev/null'))", "Too many open files", True),
    "descriptors_closed": ("import os\nos.closerange(0, 1000)", "process ended in this cell", False),
    "no_stdout": ("import sys\nsys.stdout = None", "", True),
    "closed_stdout": ("import sys\nsys.stdout = open('log', 'w')\nsys.stdout.close()", "", True),
    "atexit": ("import atexit, os\natexit.register(os._exit, 1)", "", True),
    "thread_that_goes_on": ("import threading\ndef go():\n    while True: pass\nthreading.Thread(target=go).start()", "", True),
    "repr_that_loops": ("class A:\n    def __repr__(self):\n        while True: pass\nA()", LATE, True),
    "getattribute_that_loops": ("class M(type):\n    def __getattribute__(self, name):\n        while True: pass\nclass A(metaclass=M): pass\nA()", LATE, True),
    "del_that_raises": ("class A:\n    def __del__(self): raise ValueError\na = A()\ndel a", "", True),
    "str_of_an_error_that_raises": ("class E(Exception):\n    def __str__(self): raise BaseException\nraise E()", "", None),
    "traced": ("import sys\nsys.settrace(lambda *a: 1 / 0)", "", None),
    "no_builtins": ("import builtins\nfor name in ('len', 'isinstance', 'getattr', 'str', 'type', 'Exception'): delattr(builtins, name)", "process", False),
    "input": ("input()", "nobody to ask", True),
    "null_byte": ("\0", "SyntaxError", False),
}  # fmt: skip


ONCE = {  # slow, and all tiers alike
    "signal_ignored", "signals_blocked", "sum_in_c", "regex_in_c", "sleep", "loop_far_down", "getattribute_that_loops", "recursion_without_a_limit",
    "error_whose_text_loops", "repr_that_loops", "loops", "exits", "ends",
}  # fmt: skip


def on_both_tiers(faults: dict) -> pytest.MarkDecorator:
    """Try faults on both tiers, those that are slow on the first alone."""
    pairs = [(tier, fault) for tier in TIERS for fault in faults if tier == "A" or fault not in ONCE]
    return pytest.mark.parametrize(("court", "fault"), pairs, indirect=["court"])


@on_both_tiers(IN_CELL)
def test_fault_in_a_cell_costs_that_cell_alone(fault, court, material):
    source, words, counts = IN_CELL[fault]
    got = court.grade(material, {**HONEST, "second": f"{HONEST['second']}\n{source}"})
    check_others(got)
    assert re.search(words, errors(got, "second"))
    second = verdicts(got)["second_tests"]
    if counts is not None:
        assert (second.status, second.score) == (("passed", 2) if counts else ("error", 0))
    if not second.score:
        assert "second" in second.message or "process" in second.message


# name: (body of the function that a test calls, statuses of that test, words in its cell)
TOO_LONG = "TimeoutError: it takes too long: is there a loop that does not end"
ENDED = "process ended: does a function call exit, or run out of memory"
IN_CALL = {
    "loop": ("while True: pass", "timeout", TOO_LONG),
    "loop_that_catches": ("while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass", "timeout", TOO_LONG),
    "signal_ignored": ("import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass", "timeout", TOO_LONG),
    "signals_blocked": ("import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\nwhile True: pass", "timeout", TOO_LONG),
    "sum_in_c": ("return sum(range(10**12))", "timeout", TOO_LONG),
    "regex_in_c": ("import re\nreturn re.match('(a+)+$', 'a' * 60 + 'b')", "timeout", TOO_LONG),
    "sleep": ("import time\ntime.sleep(1000)", "timeout", TOO_LONG),
    "exit": ("exit()", "failed error", "second"),
    "sys_exit": ("import sys\nsys.exit()", "error", "SystemExit"),
    "os_exit": ("import os\nos._exit(0)", "error", ENDED),
    "kill": ("import os\nos.kill(os.getpid(), 9)", "error failed", f"{ENDED}|second"),
    "segfault": ("import ctypes\nctypes.string_at(0)", "error", ENDED),
    "interrupt": ("raise KeyboardInterrupt", "error", "KeyboardInterrupt"),
    "recursion": ("return second(x + 1)", "error", "RecursionError: maximum recursion depth"),
    "recursion_without_a_limit": (
        "import sys\nsys.setrecursionlimit(10**9)\nreturn second(x + 1)",
        "error timeout",
        f"{ENDED}|{TOO_LONG}|RecursionError|MemoryError",
    ),
    "memory": ("return bytearray(10**11)", "error", "MemoryError"),
    "threads": (
        "import threading, time\nfor _ in range(10**5): threading.Thread(target=time.sleep, args=(1000,)).start()",
        "error timeout",
        f"can't start new thread|{TOO_LONG}",
    ),
    "forks": ("import os\nwhile True: os.fork()", "error timeout", f"{TOO_LONG}|not permitted|{ENDED}"),
    "disk": ("for n in range(1000): open(f'f{n}', 'wb').write(bytes(10**7))", "error timeout", f"No space left|{TOO_LONG}"),
    "print_60_mb": ("for _ in range(60): print('x' * 10**6)\nreturn x + 2", "passed", "^$"),
    "descriptors": ("files = []\nwhile True: files.append(open('/dev/null'))", "error", "Too many open files"),
    "descriptors_closed": ("import os\nos.closerange(0, 1000)\nreturn x + 2", "error", ENDED),
    "no_stdout": ("import sys\nsys.stdout = None\nreturn x + 2", "passed", "^$"),
    "repr_and_comparison_that_loop": (
        "class A:\n    def __repr__(self):\n        while True: pass\n    __eq__ = __repr__\nreturn A()",
        "error",
        "not a plain value",
    ),
    "getattribute_that_loops": ("class A:\n    def __getattribute__(self, name):\n        while True: pass\nreturn A()", "error timeout", TOO_LONG),
    "getattribute_that_raises": ("class A:\n    def __getattribute__(self, name): raise ValueError(name)\nreturn A()", "error", "."),
    "del_that_loops": ("class A:\n    def __del__(self):\n        while True: pass\nreturn (A(), x + 2)[1]", "timeout passed manual", f"{TOO_LONG}|^$"),
    "error_whose_text_loops": ("class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E()", "error timeout", f"{TOO_LONG}|second"),
    "error_whose_text_raises": ("class E(Exception):\n    def __str__(self): raise BaseException\nraise E()", "error", "second"),
    "error_without_arguments": ("class E(Exception):\n    args = property(lambda self: 1 / 0)\nraise E()", "error", "second"),
    "base_exception": ("raise BaseException('x')", "error", "x"),
    "half_a_character": ("raise ValueError('\\ud800')", "error", "ValueError: "),
    "warning_whose_text_loops": (
        "import warnings\nclass W(UserWarning):\n    def __str__(self):\n        while True: pass\nwarnings.warn(W())",
        "timeout",
        TOO_LONG,
    ),
    "integer_of_a_billion_bits": ("return 1 << 10**9", "error", "too many bits"),
    "text_of_300_mb": ("return 'x' * (300 << 20)", "error timeout", f"too large to send|{TOO_LONG}"),
    "array_without_end": ("import numpy as np\nreturn np.broadcast_to(np.zeros(1), (10**6, 10**6))", "error", "too large to send"),
    "list_in_itself": ("a = []\na.append(a)\nreturn a", "error", "holds itself"),
    "generator_without_end": ("while True: yield 1", "error", "generator is not a plain value"),
}  # fmt: skip


@on_both_tiers(IN_CALL)
def test_fault_in_a_called_function_costs_its_test_alone(fault, court, material):
    body, statuses, words = IN_CALL[fault]
    source = "def second(x):\n    " + body.replace("\n", "\n    ")
    got = court.grade(material, {**HONEST, "second": source})
    check_others(got)
    second = verdicts(got)["second_tests"]
    assert second.status in statuses.split()
    assert second.score == (2 if second.status == "passed" else 0)
    assert re.search(words, errors(got, "second_tests"))


def test_loop_before_the_function_is_defined_says_so_in_the_cell(court, material):
    got = court.grade(material, {**HONEST, "second": f"while True: pass\n{HONEST['second']}"})
    check_others(got)
    assert re.search(LATE, errors(got, "second"))
    assert verdicts(got)["second_tests"].message == "name 'second' is not defined"


def test_process_that_ends_later_costs_the_cell_that_runs_then_and_says_so(court, material):
    later = "import threading, os\nthreading.Timer(0.2, os._exit, [1]).start()"
    got = court.grade(material, {**HONEST, "second": f"{HONEST['second']}\n{later}", "third": f"import time\ntime.sleep(0.5)\n{HONEST['third']}"})
    came = verdicts(got)
    assert {name: came[name].score for name in ("first_tests", "second_tests")} == {"first_tests": 2, "second_tests": 2}
    assert came["third_tests"].status in ("passed", "error")
    assert came["third_tests"].score == 2 or "process ended in this cell" in errors(got, "third")


def test_what_is_written_past_python_reaches_no_terminal(court, material, capfd):
    source = "import os, sys\nos.write(1, b'to one')\nos.write(2, b'to two')\nprint('to three', file=sys.__stderr__, flush=True)"
    check_others(court.grade(material, {**HONEST, "second": f"{HONEST['second']}\n{source}"}))
    assert capfd.readouterr() == ("", "")


# name: (an instructor's test, its status, words)
TESTS = {
    "loops": ("second(1)\nwhile True: pass", "timeout", TOO_LONG),
    "ends": ("import os\nos._exit(0)", "grader_failed", "Tell your instructor"),
    "kills": ("import os\nos.kill(os.getpid(), 9)", "grader_failed", "Tell your instructor"),
    "exits": ("import sys\nsys.exit()", "error", "SystemExit"),
    "takes_memory": ("x = bytearray(10**11)", "error", "MemoryError"),
    "without_stdout": ("import sys\nsys.stdout = None\nassert second(1) == 3", "passed", "^$"),
}


@on_both_tiers(TESTS)
def test_test_that_fails_by_itself_costs_that_cell_and_is_named_to_the_instructor(fault, court):
    source, status, words = TESTS[fault]
    got = court.grade(court.material(*CELLS[:SECOND_TESTS], graded(source, "second_tests"), *CELLS[SECOND_TESTS + 1 :]), HONEST)
    check_others(got)
    second = verdicts(got)["second_tests"]
    assert (second.status, second.score) == ("passed", 2) if status == "passed" else ("manual", 0)
    assert got.marks.scores["second_tests"] == (2 if status == "passed" else None)
    assert re.search(words, errors(got, "second_tests"))
    assert any("second_tests: the solution itself gets 0 of 2 points" in text for text in got.warnings) == (status != "passed")


@pytest.mark.parametrize("layers", TIERS.values(), ids=TIERS)
def test_cells_beyond_the_budget_of_a_submission_are_not_run_and_say_so(layers, tmp_path):
    slow = {name: f"import time\n{source}\ntime.sleep(1.2)" for name, source in HONEST.items()}
    with leaving_nothing(tmp_path), Court(Budget(call_s=1, cell_s=2, submission_s=2, layers=layers)) as small:
        started = time.monotonic()
        got = small.grade(small.material(*CELLS), slow)
        took = time.monotonic() - started
    came = verdicts(got)
    assert (came["first_tests"].status, came["first_tests"].score) == ("passed", 2)
    assert (came["third_tests"].status, came["third_tests"].score) == ("timeout", 0)
    assert "not run: the notebook has used its 2 s" in came["third_tests"].message
    assert "not run: the notebook has used its 2 s" in errors(got, "third")
    assert took < 20


@pytest.mark.parametrize("layers", TIERS.values(), ids=TIERS)
def test_nothing_is_left_of_a_submission_that_starts_what_it_can(layers, tmp_path):
    stays = "import os, subprocess, threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()\nopen('file', 'w').write('x')\n"
    stays += "for start in (lambda: subprocess.Popen(['sleep', '1000'], start_new_session=True), lambda: os.fork() or (os.setsid(), time.sleep(1000))):\n"
    stays += "    try: start()\n    except OSError: pass"
    with leaving_nothing(tmp_path), Court(Budget(call_s=1, cell_s=1, submission_s=60, layers=layers)) as small:
        check_others(small.grade(small.material(*CELLS), {**HONEST, "second": f"{HONEST['second']}\n{stays}"}))
