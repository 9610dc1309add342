"""The attacks of tests/, by the kinds that SECURITY.md names: what a student adds to an answer, and
in which assignment.

This module must not know how a class is graded, or what counts as a success.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import test_fuzzed_folders as folders
from building import answer, cell, graded
from damaging import DAMAGES, Released, damaged
from hand_in import read_notebook
from hostile import PIECES
from nbformat import NotebookNode
from outside import OUT_OF_LIMITS, OUTSIDE
from test_attacks import (
    COMPARISON,
    FILES,
    LOOKING,
    LYING,
    MASTER,
    RIGHT,
    SHADOW,
    SHELL,
    SOLUTION_IMPORTS,
    VECTOR,
    WRITTEN,
    wrong,
)
from test_bad_input import Place, full, locked
from test_faults import IN_CELL
from test_probes import FIND_BOX, FORGED
from test_probes import MASTER as FORGED_MASTER
from test_probes import WRONG as FORGED_WRONG
from test_reading import REFUSED
from tiny_class import BAD, HONEST

DOUBLE = "def double(x): return 2 * x"
POINTS = 2.0  # of each graded cell
FLOODS = {
    "forks",
    "threads",
    "memory_of_many",
    "disk",
    "memory_by_and_by",
    "files_by_the_thousand",
    "thread_that_goes_on",
    "descriptors",
}
ENDINGS = [
    name
    for name, (_, words, counts) in IN_CELL.items()
    if "took longer" in words or not counts or name in FLOODS
]
KILLED_S = 3.5  # the age at which a worker is killed; its submission sleeps longer


@dataclass(frozen=True)
class Attack:
    """What a student adds to an answer, and what happens to it."""

    code: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    names_places: bool = False  # such as {folder}
    change: Callable[[Path], object] | None = None  # of the folder that has been handed in
    costs: float | None = None  # honest trouble, in right answers: the points that it may lose
    again: Callable[[Path], contextlib.AbstractContextManager[Place]] | None = (
        None  # trouble while right answers are graded a second time
    )
    reads_feedback: bool = False  # looks for the secret in its feedback


@dataclass(frozen=True)
class Assignment:
    """What a class is given: a notebook, right answers to it, and wrong ones; both may hold an
    attack.
    """

    cells: tuple[NotebookNode, ...]
    right: Callable[[str], dict[str, str]]
    wrong: Callable[[str], dict[str, str]]
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def points(self) -> float:
        """The points that tests give."""
        graded_cells = [
            one
            for one in self.cells
            if one.cell_type == "code" and one.metadata.get("nbgrader", {}).get("grade")
        ]
        return POINTS * len(graded_cells)


@dataclass(frozen=True)
class Kind:
    """Attacks of a kind, by name."""

    attacks: Mapping[str, Attack]
    assignment: Assignment
    only_here: bool = False  # there is nothing to attack in stock nbgrader
    in_browser: bool = False  # a person opens each submission in the Formgrader


def right_functions(double: str = "") -> dict[str, str]:
    """Return right answers to the assignment of tests/engine/test_attacks.py; `double`: another
    answer to its last exercise.
    """
    functions = SOLUTION_IMPORTS + RIGHT
    return {
        "functions": functions,
        "value": "answer_value = 42",
        "vector": VECTOR.format(sign="+"),
        "double": double or DOUBLE,
    }


def shown(piece: str) -> dict[str, str]:
    """Return a wrong answer that shows a piece of HTML as its output and as text."""
    code = "def double(x): return x\nfrom IPython.display import display\n"
    return {
        "double": f"{code}display({{'text/html': {piece!r}}}, raw=True)",
        "words": f"Because.\n\n{piece}",
    }


FUNCTIONS = Assignment(tuple(MASTER), right_functions, wrong, FILES)
FORGING = Assignment(
    tuple(FORGED_MASTER),
    lambda code: {"f": code + FORGED_MASTER[1].source, "double": DOUBLE},
    lambda code: {"f": code or FORGED_WRONG, "double": DOUBLE},
)
READING = Assignment(
    (
        answer(
            "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
            "double",
        ),
        graded(
            "### BEGIN HIDDEN TESTS\nassert double(4) == 8\n### END HIDDEN TESTS", "double_tests"
        ),
        cell("Because.", "markdown", grade_id="words", grade=True, solution=True, points=3),
    ),
    lambda code: {"double": code + DOUBLE, "words": "Because."},
    shown,
)


# -------------------------------- what is done to a folder that was handed in


def bend(damage: str) -> Callable[[Path], object]:
    """Return what damages a notebook as tests/damaging.py does."""

    def change(folder: Path) -> None:
        release = read_notebook(folder.parents[2] / "release/ps1/one.ipynb")
        stubs = {
            one.metadata.nbgrader.grade_id: one.source
            for one in release.cells
            if one.metadata.get("nbgrader", {}).get("solution")
        }
        notebook = json.loads((folder / "one.ipynb").read_text())
        for one in notebook["cells"]:
            one["source"] = "".join(one["source"])
        data, _ = damaged(notebook, Released(stubs), seed=list(DAMAGES).index(damage), most=1)
        (folder / "one.ipynb").write_bytes(data)

    return change


def replace_notebook(data: bytes) -> Callable[[Path], object]:
    """Return what puts other bytes in a notebook's place."""
    return lambda folder: (folder / "one.ipynb").write_bytes(data)


def spoil(part: str, kind: str) -> Callable[[Path], object]:
    """Return what puts something else in the place of a part of a submission, as
    tests/submission/test_fuzzed_folders.py does.
    """

    def change(folder: Path) -> None:
        folders.add_files(folder)
        folders.spoil(folder, part, kind)

    return change


def rename(folder: Path) -> None:
    """Rename a notebook as a browser does that has downloaded it twice."""
    (folder / "one.ipynb").rename(folder / "one (1).ipynb")


# -------------------------------- what happens while a submission is graded again


def running(folder: Path) -> list[int]:
    """Return the processes of the graders of a class: its folder is their home."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"HOME={folder}\0".encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


@contextlib.contextmanager
def killing(folder: Path) -> Iterator[Place]:
    """Kill each worker, or kernel, that has been running for a while."""
    ended, seen = threading.Event(), dict[int, int]()
    step_s = 0.1

    def kill() -> None:
        while not ended.wait(step_s):
            for pid in running(folder):
                with contextlib.suppress(OSError):
                    words = Path(f"/proc/{pid}/cmdline").read_bytes()
                    seen[pid] = seen.get(pid, 0) + (
                        b"ipykernel_launcher" in words or b"multiprocessing.spawn" in words
                    )
                    if seen[pid] * step_s > KILLED_S:
                        os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    try:
        yield Place(lambda: None)
    finally:
        ended.set()
        thread.join()


@contextlib.contextmanager
def nothing_else(_: Path) -> Iterator[Place]:
    """Grade it again, and do nothing to it."""
    yield Place(lambda: None)


# ---------------------------------------------------------------- the collection


def kinds() -> dict[str, Kind]:
    """Return the attacks by kind."""
    codes = {
        "patch the comparison": COMPARISON,
        "patch the shell": SHELL,
        "lying values": LYING,
        "look at the test": LOOKING,
        "shadow modules": WRITTEN,
        "end the batch": {name: IN_CELL[name][0] for name in ENDINGS},
        **OUTSIDE,
    }
    found = {
        kind: Kind(
            {name: Attack(code, names_places=kind in OUTSIDE) for name, code in some.items()},
            FUNCTIONS,
        )
        for kind, some in codes.items()
    }
    shadows = {name: Attack(files=files) for name, files in SHADOW.items()}
    found["shadow modules"] = Kind({**found["shadow modules"].attacks, **shadows}, FUNCTIONS)
    bent = {damage: Attack(change=bend(damage)) for damage in DAMAGES} | {
        name: Attack(change=replace_notebook(data)) for name, (data, _) in REFUSED.items()
    }
    stops = {
        f"{part}: {kind}": Attack(change=spoil(part, kind))
        for part in folders.PARTS
        for kind in folders.KINDS
    }
    limits = {name: Attack(code, names_places=True) for name, code in OUT_OF_LIMITS.items()}
    found |= {
        "bend the notebook": Kind(bent, FUNCTIONS),
        "poison the reader": Kind(poisons(), READING, in_browser=True),
        "stop the intake": Kind(stops, FUNCTIONS),
        "get out of the box's limits": Kind(limits, FUNCTIONS, only_here=True),
        "make the grader fail": Kind(failures(), FUNCTIONS),
        "talk to the grader": Kind(
            {name: Attack(FIND_BOX + code) for name, code in FORGED.items()},
            FORGING,
            only_here=True,
        ),
        "honest trouble": Kind(troubles(), FUNCTIONS),
    }
    return found


def poisons() -> dict[str, Attack]:
    """Return what acts in the browser of a person who grades, and the one who reads hidden tests in
    the feedback.
    """
    return {
        "hidden tests in the feedback": Attack(reads_feedback=True),
        **{name: Attack(piece) for name, piece in PIECES.items()},
    }


def failures() -> dict[str, Attack]:
    """Return what makes a grader fail on right answers that it has graded before."""
    slow = f"import time\ntime.sleep({KILLED_S + 1.5})\n{DOUBLE}"
    parent = f"import os\ntry: os.kill(os.getppid(), 9)\nexcept OSError: pass\n{DOUBLE}"
    return {
        "its process is killed each time": Attack(slow, again=killing),
        "it kills its parent": Attack(parent, again=nothing_else),
        "the gradebook is locked": Attack(DOUBLE, again=locked),
        "the disk is full": Attack(DOUBLE, again=full("autograded")),
    }


def troubles() -> dict[str, Attack]:
    """Return what happens to honest students, and the points that it may cost them."""
    return {
        "a warning": Attack(HONEST["prints"]["double"], costs=0),
        "an exception in one function": Attack("def double(x):\n    return 1 / 0", costs=POINTS),
        "an endless loop in one function": Attack(
            "def double(x):\n    while True: pass", costs=POINTS
        ),
        "an exit in one function": Attack(BAD["exits"][0]["double"], costs=POINTS),
        "a renamed notebook": Attack(change=rename, costs=0),
        **{damage: Attack(change=bend(damage), costs=0) for damage in DAMAGES},
    }


def too_much_for_stock(name: str) -> bool:
    """Return whether an attack would take down this machine where nothing bounds it."""
    return name in FLOODS or name.endswith(": huge")


def with_secret(one: NotebookNode, secret: str) -> NotebookNode:
    """Return a cell with a secret in its hidden tests."""
    made: NotebookNode = nbformat.from_dict(
        {
            **one,
            "source": one.source.replace(
                "### BEGIN HIDDEN TESTS\n", f"### BEGIN HIDDEN TESTS\n# {secret}-3\n"
            ),
        }
    )
    return made
