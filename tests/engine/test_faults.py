"""Loops, crashes and bombs: each costs the exercise that it is in, says so, and leaves nothing
behind.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from building import answer, cell, graded
from child_processes import PR_SET_CHILD_SUBREAPER, children, ended
from refereed import Court, verdicts

from nbreferee.budget import ENDED as BOX_ENDED
from nbreferee.budget import Budget
from nbreferee.engine.assignment_files import own_folder
from nbreferee.engine.processes import BoxHandle, BoxLost
from nbreferee.engine.wire.channel import Channel
from nbreferee.engine.wire.to_box import RunCell
from nbreferee.engine.zygote import Fork
from nbreferee.grading.notebook import GradedNotebook, NotebookMaterial, as_bytes
from nbreferee.sandbox import ALL_LAYERS, WITHOUT_NAMESPACES, Layer, Limits

TIERS = {"A": ALL_LAYERS, "B": WITHOUT_NAMESPACES}
SMALL = Limits(memory_bytes=1 << 30, scratch_bytes=8 << 20, file_bytes=4 << 20)
# Seconds for calls and cells: few where a fault ends by them alone, many where it ends by another
# limit, on a slow machine too.
HASTY, PATIENT = {"call_s": 0.5, "cell_s": 1}, {"call_s": 60, "cell_s": 120}


def exercise(name: str, number: int) -> list[Any]:
    """A function of 2 points that adds a number."""
    solution = (
        f"def {name}(x):\n    ### BEGIN SOLUTION\n    return x + {number}\n    ### END SOLUTION"
    )
    return [
        answer(solution, name),
        graded(
            f"assert {name}(1) == {1 + number}\nassert {name}(5) == {5 + number}", f"{name}_tests"
        ),
    ]


HONEST = {
    "first": "def first(x):\n    return x + 1",
    "second": "def second(x):\n    return x + 2",
    "third": "def third(x):\n    return x + 3",
}
CELLS = [
    cell("import numpy as np"),
    *exercise("first", 1),
    *exercise("second", 2),
    *exercise("third", 3),
]
SECOND_TESTS = 4  # its place among the cells


@contextmanager
def leaving_nothing(folder: Path) -> Iterator[None]:
    """Check that no process of ours and no file in a folder for temporary ones outlives the
    block.
    """
    own_folder()  # this one stays as long as the process, and is the same for all graders in it
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


@pytest.fixture(scope="module")
def courts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Court]]:
    """A court of each tier, with small budgets; nothing of them is left when they close."""
    with leaving_nothing(tmp_path_factory.mktemp("scratch")), ExitStack() as open_courts:
        yield {
            name: open_courts.enter_context(
                Court(Budget(**HASTY, submission_s=200, box=SMALL, layers=layers))
            )
            for name, layers in TIERS.items()
        }


@pytest.fixture(params=["A"])
def court(request: pytest.FixtureRequest, courts: dict[str, Court]) -> Court:
    """With namespaces, unless a test asks for none."""
    return courts[request.param]


@pytest.fixture
def material(court: Court) -> NotebookMaterial:
    """Three exercises of 2 points."""
    return court.material(*CELLS)


def check_others(got: GradedNotebook) -> None:
    """The first and the third exercise have all their points, and the notebook can be written and
    read.
    """
    others = {
        name: (one.status, one.score)
        for name, one in verdicts(got).items()
        if name != "second_tests"
    }
    assert others == {"first_tests": ("passed", 2), "third_tests": ("passed", 2)}
    nbformat.validate(nbformat.reads(as_bytes(got.notebook).decode(), as_version=4))


def errors(got: GradedNotebook, grade_id: str) -> str:
    """What a cell says of its errors."""
    found = next(
        one
        for one in got.notebook.cells
        if one.metadata.get("nbgrader", {}).get("grade_id") == grade_id
    )
    return "\n".join(
        f"{output.ename}: {output.evalue}"
        for output in found.get("outputs", [])
        if output.output_type == "error"
    )


# name: (what the answer cell does once it has defined its function, words in the cell, whether the
# function counts); what differs without namespaces stands in IN_CELL_B
LATE = r"TimeoutError: this cell took longer than 1 s"
# Before Python 3.13 an exception leaves a loop that catches it, when it comes at the jump back: the
# process goes on. Since then the process is ended, and its functions with it.
LEAVES_LOOP = sys.version_info < (3, 13)
NO_MORE = r"BlockingIOError: \[Errno 11\] Resource temporarily unavailable"
NOT_PERMITTED = r"PermissionError: \[Errno 1\] Operation not permitted"
GONE = "process ended in this cell"
TOO_LONG = "TimeoutError: it takes too long: is there a loop that does not end"
ENDED = "process ended: does a function call exit, or run out of memory"
IN_CELL = {
    "loop": ("while True:\n    pass", LATE, True),
    "loop_that_catches": (
        "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass",
        LATE,
        LEAVES_LOOP,
    ),
    "loop_far_down": (
        "def f(n):\n    if n:\n        f(n - 1)\n    while True: pass\nf(900)",
        LATE,
        True,
    ),
    "signal_ignored": (
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
        LATE,
        False,
    ),
    "signals_blocked": (
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\nwhile True: pass",
        LATE,
        False,
    ),
    "signals_blocked_for_later": (
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))",
        "",
        True,
    ),
    "sum_in_c": ("sum(range(10**12))", LATE, False),
    "regex_in_c": ("import re\nre.match('(a+)+$', 'a' * 60 + 'b')", LATE, True),
    "sleep": ("import time\ntime.sleep(1000)", LATE, True),
    "exit": ("exit()", "", True),
    "sys_exit": ("import sys\nsys.exit()", "SystemExit", True),
    "os_exit": ("import os\nos._exit(0)", "process ended in this cell", False),
    # the first process of a namespace is immune
    "kill": ("import os\nos.kill(os.getpid(), 9)", "^$", True),
    "segfault": ("import ctypes\nctypes.string_at(0)", "process ended in this cell", False),
    "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt", True),
    "recursion": (
        "def f(n): return f(n + 1)\nf(0)",
        "RecursionError: maximum recursion depth",
        True,
    ),
    "memory_at_once": ("x = bytearray(10**11)", "MemoryError", True),
    "memory_by_and_by": ("x = []\nwhile True: x.append(bytes(50 << 20))", "MemoryError", True),
    "memory_of_many": (
        (
            "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n"
            "        x = b'1' * (300 << 20)\n        time.sleep(60)\ntime.sleep(60)"
        ),
        (
            "the notebook's processes together used more than 1024 MB of memory and were ended in "
            "this cell"
        ),
        False,
    ),
    "threads": (
        (
            "import threading, time\nfor _ in range(10**5): threading.Thread(target=time.sleep, "
            "args=(1000,)).start()"
        ),
        "RuntimeError: can't start new thread",
        True,
    ),
    "forks": ("import os\nwhile True: os.fork()", NO_MORE, True),
    "fork": ("import os\nos.fork()", "^$", True),
    "process_that_stays": (
        "import subprocess\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)",
        "^$",
        True,
    ),
    "disk": (
        "for n in range(1000): open(f'f{n}', 'wb').write(bytes(10**6))",
        "No space left",
        True,
    ),
    "file_of_5_mb": ("open('f', 'wb').write(bytes(5 << 20))", "File too large", True),
    "unreadable_file": ("import os\nopen('f', 'w').close()\nos.chmod('f', 0)", "", True),
    "files_by_the_thousand": ("for n in range(2000): open(f'f{n}', 'w').close()", "", True),
    "pipe": ("import os\nos.mkfifo('pipe')", "", True),
    "print_60_mb": ("for _ in range(60): print('x' * 10**6)", "", True),
    "display_by_the_thousand": (
        "from IPython.display import display\nfor _ in range(3_000): display(1)",
        "^$",
        True,
    ),
    "two_streams_by_turns": (
        "import sys\nfor _ in range(5_000):\n    sys.stdout.write('a')\n    sys.stderr.write('b')",
        "^$",
        True,
    ),
    "half_a_character": ("print('\\ud800')", "", True),
    "descriptors": (
        "files = []\nwhile True: files.append(open('/dev/null'))",
        "Too many open files",
        True,
    ),
    "descriptors_closed": (
        "import os\nos.closerange(0, 1000)",
        "process ended in this cell",
        False,
    ),
    "no_stdout": ("import sys\nsys.stdout = None", "", True),
    "closed_stdout": ("import sys\nsys.stdout = open('log', 'w')\nsys.stdout.close()", "", True),
    "atexit": ("import atexit, os\natexit.register(os._exit, 1)", "", True),
    "thread_that_goes_on": (
        "import threading\ndef go():\n    while True: pass\nthreading.Thread(target=go).start()",
        "",
        True,
    ),
    "repr_that_loops": (
        "class A:\n    def __repr__(self):\n        while True: pass\nA()",
        LATE,
        True,
    ),
    "getattribute_that_loops": (
        (
            "class M(type):\n    def __getattribute__(self, name):\n        while True: pass\n"
            "class A(metaclass=M): pass\nA()"
        ),
        LATE,
        True,
    ),
    "del_that_raises": (
        "class A:\n    def __del__(self): raise ValueError\na = A()\ndel a",
        "",
        True,
    ),
    "str_of_an_error_that_raises": (
        "class E(Exception):\n    def __str__(self): raise BaseException\nraise E()",
        "BaseException",
        True,
    ),
    "traced": ("import sys\nsys.settrace(lambda *a: 1 / 0)", "ZeroDivisionError", True),
    "no_builtins": (
        (
            "import builtins\nfor name in ('len', 'isinstance', 'getattr', 'str', 'type', "
            "'Exception'): delattr(builtins, name)"
        ),
        "process",
        False,
    ),
    "input": ("input()", "nobody to ask", True),
    "null_byte": ("\0", "SyntaxError|SystemError", False),
}


# What a process can do to others, or to its own end, is another matter without namespaces: (words,
# whether the function counts). All else is the same Python in the same process, and tried once.
IN_CELL_B = {
    "kill": (GONE, False),
    "os_exit": (GONE, False),
    "segfault": (GONE, False),
    "memory_at_once": ("MemoryError", True),
    "threads": ("RuntimeError: can't start new thread", True),
    "forks": (NOT_PERMITTED, True),
    "fork": (NOT_PERMITTED, True),
    "process_that_stays": (NOT_PERMITTED, True),
    "file_of_5_mb": ("File too large", True),
    "descriptors": ("Too many open files", True),
    "descriptors_closed": (GONE, False),
    "thread_that_goes_on": ("", True),
    "loop_that_catches": (LATE, LEAVES_LOOP),
}


def on_tiers(in_a: Collection[str], in_b: Collection[str]) -> pytest.MarkDecorator:
    """Try faults on the tiers on which they are not the same."""
    pairs = [*(("A", fault) for fault in in_a), *(("B", fault) for fault in in_b)]
    return pytest.mark.parametrize(
        ("court", "fault"), pairs, indirect=["court"], ids=map("-".join, pairs)
    )


def allow(court: Court, fault: str, words: str) -> None:
    """Give a court the time that a fault takes which says these words."""
    hasty = words in (LATE, TOO_LONG) or "loop" in fault
    court.warm.budget = replace(court.warm.budget, **(HASTY if hasty else PATIENT))


@on_tiers(IN_CELL, IN_CELL_B)
def test_fault_in_a_cell_costs_that_cell_alone(
    fault: str, court: Court, material: NotebookMaterial
) -> None:
    source, words, counts = IN_CELL[fault]
    if court.grader.warm.budget.layers == WITHOUT_NAMESPACES:
        words, counts = IN_CELL_B[fault]
    allow(court, fault, words)
    got = court.grade(material, {**HONEST, "second": f"{HONEST['second']}\n{source}"})
    check_others(got)
    assert re.search(words, errors(got, "second"))
    second = verdicts(got)["second_tests"]
    assert (second.status, second.score) == (("passed", 2) if counts else ("error", 0))
    if not second.score:
        assert "second" in second.message or "process" in second.message


# name: (body of the function that a test calls, the status of that test, words in its cell)
IN_CALL = {
    "loop": ("while True: pass", "timeout", TOO_LONG),
    "loop_that_catches": (
        "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass",
        "timeout",
        TOO_LONG,
    ),
    "signal_ignored": (
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
        "timeout",
        TOO_LONG,
    ),
    "signals_blocked": (
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\nwhile True: pass",
        "timeout",
        TOO_LONG,
    ),
    "sum_in_c": ("return sum(range(10**12))", "timeout", TOO_LONG),
    "regex_in_c": ("import re\nreturn re.match('(a+)+$', 'a' * 60 + 'b')", "timeout", TOO_LONG),
    "sleep": ("import time\ntime.sleep(1000)", "timeout", TOO_LONG),
    "exit": ("exit()", "failed", "second"),
    "sys_exit": ("import sys\nsys.exit()", "error", "SystemExit"),
    "os_exit": ("import os\nos._exit(0)", "error", ENDED),
    # the first process of a namespace is immune
    "kill": ("import os\nos.kill(os.getpid(), 9)", "failed", "second"),
    "segfault": ("import ctypes\nctypes.string_at(0)", "error", ENDED),
    "interrupt": ("raise KeyboardInterrupt", "error", "KeyboardInterrupt"),
    "recursion": ("return second(x + 1)", "error", "RecursionError: maximum recursion depth"),
    "recursion_without_a_limit": (
        "import sys\nsys.setrecursionlimit(10**9)\nreturn list(map(second, [x + 1]))",
        "error",
        # since then it has a limit of its own in C
        ENDED if sys.version_info < (3, 12) else "RecursionError",
    ),
    "memory": ("return bytearray(10**11)", "error", "MemoryError"),
    "threads": (
        (
            "import threading, time\nfor _ in range(10**5): threading.Thread(target=time.sleep, "
            "args=(1000,)).start()"
        ),
        "error",
        "RuntimeError: can't start new thread",
    ),
    "forks": ("import os\nwhile True: os.fork()", "error", NO_MORE),
    "memory_of_many": (
        (
            "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n"
            "        x = b'1' * (300 << 20)\n        time.sleep(60)\ntime.sleep(60)"
        ),
        "error",
        "the notebook's processes together used more than 1024 MB of memory and were ended",
    ),
    "disk": (
        "for n in range(1000): open(f'f{n}', 'wb').write(bytes(10**6))",
        "error",
        "No space left",
    ),
    "print_60_mb": ("for _ in range(60): print('x' * 10**6)\nreturn x + 2", "passed", "^$"),
    "descriptors": (
        "files = []\nwhile True: files.append(open('/dev/null'))",
        "error",
        "Too many open files",
    ),
    "descriptors_closed": ("import os\nos.closerange(0, 1000)\nreturn x + 2", "error", ENDED),
    "no_stdout": ("import sys\nsys.stdout = None\nreturn x + 2", "passed", "^$"),
    "repr_and_comparison_that_loop": (
        (
            "class A:\n    def __repr__(self):\n        while True: pass\n    __eq__ = __repr__\n"
            "return A()"
        ),
        "error",
        "not a plain value",
    ),
    "getattribute_that_loops": (
        "class A:\n    def __getattribute__(self, name):\n        while True: pass\nreturn A()",
        "timeout",
        TOO_LONG,
    ),
    "getattribute_that_raises": (
        "class A:\n    def __getattribute__(self, name): raise ValueError(name)\nreturn A()",
        "error",
        ".",
    ),
    # Its value is right, and comes when both calls are stopped: as late as the cell may take.
    "del_that_loops": (
        "class A:\n    def __del__(self):\n        while True: pass\nreturn (A(), x + 2)[1]",
        "manual or passed",
        "^$|Not scored automatically",
    ),
    "error_whose_text_loops": (
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E()",
        "error",
        "second",
    ),
    "error_whose_text_raises": (
        "class E(Exception):\n    def __str__(self): raise BaseException\nraise E()",
        "error",
        "second",
    ),
    "error_without_arguments": (
        "class E(Exception):\n    args = property(lambda self: 1 / 0)\nraise E()",
        "error",
        "second",
    ),
    "base_exception": ("raise BaseException('x')", "error", "x"),
    "half_a_character": ("raise ValueError('\\ud800')", "error", "ValueError: "),
    "warning_whose_text_loops": (
        (
            "import warnings\nclass W(UserWarning):\n    def __str__(self):\n"
            "        while True: pass\nwarnings.warn(W())"
        ),
        "timeout",
        TOO_LONG,
    ),
    "integer_of_a_billion_bits": ("return 1 << 10**9", "error", "too many bits"),
    "bytes_of_260_mb": ("return bytes(260 << 20)", "error", "too large to send"),
    "array_without_end": (
        "import numpy as np\nreturn np.broadcast_to(np.zeros(1), (10**6, 10**6))",
        "error",
        "too large to send",
    ),
    "list_in_itself": ("a = []\na.append(a)\nreturn a", "failed", r"assert second\(1\) == 3"),
    "generator_without_end": ("while True: yield 1", "error", "generator is not a plain value"),
}


IN_CALL_B = {
    "loop_that_catches": ("timeout", TOO_LONG),
    "os_exit": ("error", ENDED),
    "kill": ("error", ENDED),
    "segfault": ("error", ENDED),
    "threads": ("error", "RuntimeError: can't start new thread"),
    "forks": ("error", NOT_PERMITTED),
    "descriptors": ("error", "Too many open files"),
    "descriptors_closed": ("error", ENDED),
}


@on_tiers(IN_CALL, IN_CALL_B)
def test_fault_in_a_called_function_costs_its_test_alone(
    fault: str, court: Court, material: NotebookMaterial
) -> None:
    body, status, words = IN_CALL[fault]
    if court.grader.warm.budget.layers == WITHOUT_NAMESPACES:
        status, words = IN_CALL_B[fault]
    allow(court, fault, words)
    source = "def second(x):\n    " + body.replace("\n", "\n    ")
    got = court.grade(material, {**HONEST, "second": source})
    check_others(got)
    second = verdicts(got)["second_tests"]
    assert second.status in status.split(" or ")
    assert second.score == (2 if second.status == "passed" else 0)
    assert re.search(words, errors(got, "second_tests"))


def test_loop_before_the_function_is_defined_says_so_in_the_cell(
    court: Court, material: NotebookMaterial
) -> None:
    allow(court, "loop", LATE)
    got = court.grade(material, {**HONEST, "second": f"while True: pass\n{HONEST['second']}"})
    check_others(got)
    assert re.search(LATE, errors(got, "second"))
    assert verdicts(got)["second_tests"].message == "name 'second' is not defined"


def test_process_that_ends_later_costs_the_cell_that_runs_then_and_says_so(
    court: Court, material: NotebookMaterial
) -> None:
    allow(court, "ends", GONE)
    later = (
        "import threading, os\ngo = threading.Event()\n"
        "threading.Thread(target=lambda: go.wait() and os._exit(1)).start()"
    )
    got = court.grade(
        material,
        {
            **HONEST,
            "second": f"{HONEST['second']}\n{later}",
            "third": f"go.set()\nimport time\ntime.sleep(60)\n{HONEST['third']}",
        },
    )
    came = verdicts(got)
    assert {name: came[name].score for name in ("first_tests", "second_tests")} == {
        "first_tests": 2,
        "second_tests": 2,
    }
    assert (came["third_tests"].status, came["third_tests"].score) == ("error", 0)
    assert GONE in errors(got, "third")


def test_what_is_written_past_python_reaches_no_terminal(
    court: Court, material: NotebookMaterial, capfd: pytest.CaptureFixture[str]
) -> None:
    source = (
        "import os, sys\nos.write(1, b'to one')\nos.write(2, b'to two')\n"
        "print('to three', file=sys.__stderr__, flush=True)"
    )
    check_others(court.grade(material, {**HONEST, "second": f"{HONEST['second']}\n{source}"}))
    assert capfd.readouterr() == ("", "")


# name: (an instructor's test, words; none where it passes)
TESTS = {
    "loops": (
        "second(1)\nwhile True: pass",
        "it takes too long: is there a loop that does not end",
    ),
    "ends": ("import os\nos._exit(0)", "Tell your instructor"),
    "kills": ("import os\nos.kill(os.getpid(), 9)", "Tell your instructor"),
    "exits": ("import sys\nsys.exit()", "in line 2: sys.exit"),
    "takes_memory": ("x = bytearray(10**11)", "in line 1: x = bytearray"),
    "without_stdout": ("import sys\nsys.stdout = None\nassert second(1) == 3", ""),
}


@pytest.mark.parametrize(
    ("court", "fault"), [("A", fault) for fault in TESTS], indirect=["court"]
)  # testers are the same in both
def test_test_that_fails_by_itself_costs_that_cell_and_is_named_to_the_instructor(
    fault: str, court: Court
) -> None:
    source, words = TESTS[fault]
    allow(court, fault, words)
    got = court.grade(
        court.material(
            *CELLS[:SECOND_TESTS], graded(source, "second_tests"), *CELLS[SECOND_TESTS + 1 :]
        ),
        HONEST,
    )
    check_others(got)
    second = verdicts(got)["second_tests"]
    assert (second.status, second.score) == (("manual", 0) if words else ("passed", 2))
    assert verdicts(got)["second_tests"].automatic_score == (None if words else 2)
    assert (words in errors(got, "second_tests")) if words else (errors(got, "second_tests") == "")
    assert any(
        "second_tests: the solution itself gets 0 of 2 points" in text
        for text in got.result.warnings
    ) == bool(words)


@pytest.mark.parametrize("layers", TIERS.values(), ids=TIERS)
def test_cells_beyond_the_budget_of_a_submission_are_not_run_and_say_so(
    layers: frozenset[Layer], tmp_path: Path
) -> None:
    slow = {name: f"import time\n{source}\ntime.sleep(1.2)" for name, source in HONEST.items()}
    with (
        leaving_nothing(tmp_path),
        Court(Budget(call_s=1, cell_s=2, submission_s=2, layers=layers)) as small,
    ):
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
def test_nothing_is_left_of_a_submission_that_starts_what_it_can(
    layers: frozenset[Layer], tmp_path: Path
) -> None:
    stays = (
        "import os, subprocess, threading, time\n"
        "threading.Thread(target=time.sleep, args=(1000,)).start()\nopen('file', 'w').write('x')\n"
    )
    stays += (
        "for start in (lambda: subprocess.Popen(['sleep', '1000'], start_new_session=True), "
        "lambda: os.fork() or (os.setsid(), time.sleep(1000))):\n"
    )
    stays += "    try: start()\n    except OSError: pass"
    with (
        leaving_nothing(tmp_path),
        Court(Budget(call_s=1, cell_s=1, submission_s=60, layers=layers)) as small,
    ):
        check_others(
            small.grade(
                small.material(*CELLS), {**HONEST, "second": f"{HONEST['second']}\n{stays}"}
            )
        )


ENDS_ITSELF = "import os\nos._exit(1)"
BUILT_ON = {**HONEST, "third": "def third(x):\n    return first(x) + 2"}


@pytest.mark.parametrize("role", ["box", "tester"])
def test_new_processes_that_the_system_kills_at_once_cost_no_point(
    role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Court() as small:
        material = small.material(*CELLS)
        small.grade(material, HONEST)
        fork = getattr(small.warm, f"fork_{role}")
        doomed = [True, True]

        def dying(*arguments: Any) -> Fork:
            child: Fork = fork(*arguments)
            if doomed:
                doomed.pop()
                child._template.catch_up()  # or its process id is not known
                os.kill(child._pid, signal.SIGKILL)
            return child

        monkeypatch.setattr(small.warm, f"fork_{role}", dying)
        monkeypatch.setattr(Channel, "is_closed", lambda self: False)  # nobody notices in time
        for ahead in small.warm._ahead.values():
            ahead.end()
        small.warm._ahead.clear()
        got = small.grade(material, BUILT_ON)
    assert not doomed
    assert [one.message for one in verdicts(got).values() if one.status != "passed"] == []


def test_cell_whose_process_the_system_kills_while_a_new_box_runs_it_again_keeps_its_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Court() as small:
        material = small.material(*CELLS)
        small.grade(material, HONEST)
        taken: list[BoxHandle] = []
        box, ask = small.warm.box, BoxHandle.ask

        def counted(*arguments: Any) -> BoxHandle:
            taken.append(box(*arguments))
            return taken[-1]

        def asked(self: BoxHandle, request: Any, limit_s: float) -> Any:
            again = len(taken) == 2 and self is taken[1]
            if again and isinstance(request, RunCell) and request.source == HONEST["first"]:
                raise BoxLost(BOX_ENDED)
            return ask(self, request, limit_s)

        monkeypatch.setattr(small.warm, "box", counted)
        monkeypatch.setattr(BoxHandle, "ask", asked)
        got = small.grade(material, BUILT_ON, {"second": ENDS_ITSELF})
    assert len(taken) > 2
    assert [one.message for one in verdicts(got).values() if one.status != "passed"] == []
