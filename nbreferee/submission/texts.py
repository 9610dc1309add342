"""What the text of a cell says about which cell it is.

Text is read by regular expressions, never parsed as Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache, reduce, wraps
from typing import TypeVar

R = TypeVar("R")
REMEMBERED = 2_000  # texts: most cells of a class are alike
REMEMBERED_CHARACTERS = 5_000  # of one of them

DEFINITION = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+([^\W\d]\w*)", re.MULTILINE)
ASSIGNED = re.compile(r"^([^\W\d][\w, \t*]{0,200}?)[ \t]*(?::[^=\n]{1,200})?=(?!=)", re.MULTILINE)
UNPACKED = re.compile(r"^[(\[]([^\W\d][\w, \t*]{0,200})[)\]][ \t]*=(?!=)", re.MULTILINE)
CHAINED = re.compile(r"=[ \t]*([^\W\d]\w*)[ \t]*(?==(?!=))")
WORDY = re.compile(r"[^\W_]\W*[^\W_]\W*[^\W_]")
NAME = re.compile(r"[^\W\d]\w*")
NO_ANSWER = re.compile(
    r"(?:\s|#[^\n]*|pass\b|\.\.\.|raise (?:NotImplementedError|NotWritten)\b(?:\([^)\n]*\))?)*+"
)


def _remembering(function: Callable[[str], R]) -> Callable[[str], R]:
    """Have what a function returns of a short text kept."""
    known = lru_cache(maxsize=REMEMBERED)(function)

    @wraps(function)
    def look(source: str) -> R:
        return known(source) if len(source) < REMEMBERED_CHARACTERS else function(source)

    return look


@_remembering
def normal(source: str) -> str:
    """Return a cell's text without what no reader sees: kinds of line ends, blanks at ends of
    lines, blank lines around.
    """
    lines = [line.rstrip() for line in source.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return "\n".join(lines).strip("\n")


def lines_of(source: str) -> list[str]:
    """Return the lines of a text that hold more than punctuation, without blanks around them."""
    stripped = (line.strip() for line in source.split("\n"))
    return [line for line in stripped if WORDY.search(line[:200])]


@_remembering
def defined_names(source: str) -> frozenset[str]:
    """Return the names that the lines of a code cell define at its left edge."""
    found = set(DEFINITION.findall(source))
    for target in (*ASSIGNED.findall(source), *UNPACKED.findall(source)):
        found |= set(NAME.findall(target))
    for line in source.split("\n"):
        if line[:1].isidentifier() and line.count("=") > 1:
            found |= set(CHAINED.findall(line[:1000]))
    return frozenset(found)


def says_nothing(source: str) -> bool:
    """Tell whether a code cell holds only comments and what stands for an answer to come."""
    return NO_ANSWER.fullmatch(source) is not None


def shared(one: Iterable[str], other: Iterable[str]) -> float:
    """Return the share of lines of `one` that are lines of `other` as well."""
    mine, theirs = list(one), set(other)
    return sum(line in theirs for line in mine) / len(mine) if mine else 0.0


def without(source: str, others: Iterable[str]) -> str:
    """Return a text without the first occurrence of each of the others as whole lines."""
    return reduce(_without_one, others, source)


def _without_one(source: str, other: str) -> str:
    if not other:
        return source
    before, found, after = f"\n{source}\n".partition(f"\n{other}\n")
    return normal(f"{before}\n{after}") if found else source
