"""Small notebooks with right and wrong answers, read from honest/*.txt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from building import answer, cell, graded
from nbformat import NotebookNode

FOLDER = Path(__file__).parent / "honest"


UNTOUCHED = "# YOUR CODE HERE\nraise NotImplementedError()"


# In every master, so that one warm tester serves them all.
MODULES = (
    "random math io os sys re ast json csv copy collections itertools functools contextlib "
    "inspect warnings unittest time datetime decimal fractions"
)


SHARED = (
    "def modules_of_all_cases():\n    import numpy, matplotlib, types, string, operator, enum, "
    "dataclasses, typing, abc, traceback, statistics, asyncio, builtins, "
)


@dataclass(frozen=True)
class Case:
    """A master of a few cells, and other answers to it."""

    name: str
    parts: tuple[tuple[str, str, str], ...]  # what it is, a word about it, its source

    @property
    def cells(self) -> list[NotebookNode]:
        """The cells of the master."""
        made = (
            [cell(SHARED + ", ".join(MODULES.split()), grade_id="shared", locked=True)]
            if "pandas" not in self.name
            else []
        )
        for number, (kind, word, source) in enumerate(self.parts):
            if kind == "answer":
                made.append(answer(source, f"answer{word}"))
            elif kind == "test":
                made.append(graded(source, f"test{number}", points=int(word or 2)))
            elif kind in ("locked", "free"):
                made.append(
                    cell(source, grade_id=f"cell{number}", locked=True)
                    if kind == "locked"
                    else cell(source)
                )
        return made

    @cached_property
    def answers(self) -> dict[str, dict[str, str]]:
        """All answers, by a name that says what they are: source by grade id."""
        own = {f"answer{word}": source for kind, word, source in self.parts if kind == "answer"}
        others = {
            f"{kind} {number}": {**own, f"answer{word}": source}
            for number, (kind, word, source) in enumerate(self.parts)
            if kind in ("right", "wrong")
        }
        return {"right": own, **others, "untouched": dict.fromkeys(own, UNTOUCHED)}


def read_cases(name: str) -> list[Case]:
    """Read a file of cases: ==== before each, ---- before each of its cells."""
    cases = []
    for text in re.split(r"(?m)^==== ", (FOLDER / name).read_text())[1:]:
        title, _, body = text.partition("\n")
        parts = [part.partition("\n") for part in re.split(r"(?m)^---- ", body)[1:]]
        cases.append(
            Case(
                title.strip(),
                tuple(
                    (kind, word, source.strip("\n"))
                    for head, _, source in parts
                    for kind, word in [f"{head} ".split(" ", 1)]
                ),
            )
        )
    prefix = "one process: " if name == "one_process.txt" else ""
    return [
        Case(
            prefix + case.name,
            tuple((kind, word.strip(), source) for kind, word, source in case.parts),
        )
        for case in cases
    ]
