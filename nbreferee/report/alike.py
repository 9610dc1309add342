"""Pairs of submissions with passages in common that hardly anybody else wrote.

Winnowing (Schleimer, Wilkerson, Aiken: Winnowing, SIGMOD 2003): every run of `K` tokens of an
answer has a number, and of each `WINDOW` runs that follow one another the smallest number is kept.
Two answers that share `K + WINDOW - 1` tokens in a row share a kept number, wherever it stands.
Names of variables and comments count for nothing, so renaming hides nothing. Numbers of the release
are left out, and those that many students have: what is left are rare passages.
"""

from __future__ import annotations

import keyword
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from nbreferee.report.marks import CellKey

K, WINDOW = 8, 4
LARGEST_GROUP = 12  # passages that more students have are common; in small classes a quarter of it
SHARE = 0.6  # of the rare passages of the shorter answer, for two answers to count as alike
FEWEST = 4  # rare passages in common, for the same
# Rare passages in common, in all answers that are alike. In the sample class, whose students wrote
# on their own, the most is 15.
VERY_LIKELY, LIKELY, POSSIBLE = 36, 20, 12
_TOKEN = re.compile(
    r"#[^\n]*|\"\"\".*?\"\"\"|'''.*?'''|\"[^\"\n]*\"|'[^'\n]*'|\w+|[^\w\s]", re.DOTALL
)
_BASE = np.uint64(0x9E3779B97F4A7C15)
_Answers = Mapping[str, str]  # by student
_Places = NDArray[np.int64]


@dataclass(frozen=True)
class AlikeAnswer:
    """Two answers to one exercise that are alike."""

    key: CellKey
    passages: int  # rare ones in common
    share: float  # of the rare passages of the one that has fewer
    is_same_text: bool  # word for word, comments and names too
    is_same_code: bool  # but for names, comments and spaces


@dataclass(frozen=True)
class AlikePair:
    """Two students whose answers are alike."""

    students: tuple[str, str]
    answers: tuple[AlikeAnswer, ...]  # most alike first

    @property
    def passages(self) -> int:
        """How many rare passages they share."""
        return sum(one.passages for one in self.answers)

    @property
    def how_sure(self) -> str:
        """How likely it is that one text was the model of the other."""
        if self.passages >= VERY_LIKELY:
            return "very likely"
        return "likely" if self.passages >= LIKELY else "possible"


def alike_pairs(
    answers: Mapping[CellKey, _Answers],
    released: Mapping[CellKey, str],
    texts: frozenset[CellKey] = frozenset(),
) -> list[AlikePair]:
    """Return the pairs of students whose answers are alike, most alike first.

    Parameters
    ----------
    answers : by cell and student
    released : the cells as students got them
    texts : cells that hold words, not code; there every word counts
    """
    found: dict[tuple[str, str], list[tuple[CellKey, int, float]]] = defaultdict(list)
    for key, mine in answers.items():
        prints = fingerprints({**mine, "": released.get(key, "")}, is_code=key not in texts)
        given = prints.pop("")
        rare = _rare({student: numbers - given for student, numbers in prints.items()})
        for (first, second), passages in _shared(rare).items():
            share = passages / min(len(rare[first]), len(rare[second]))
            if share >= SHARE and passages >= FEWEST:
                found[first, second].append((key, passages, share))
    pairs = [
        _pair(students, those, answers)
        for students, those in found.items()
        if sum(passages for _, passages, _ in those) >= POSSIBLE
    ]
    return sorted(pairs, key=lambda one: (-one.passages, one.students))


def _pair(
    students: tuple[str, str],
    shared: Sequence[tuple[CellKey, int, float]],
    answers: Mapping[CellKey, _Answers],
) -> AlikePair:
    first, second = students
    found = [
        AlikeAnswer(key, passages, share, *_sameness(answers[key][first], answers[key][second]))
        for key, passages, share in shared
    ]
    return AlikePair(students, tuple(sorted(found, key=lambda one: -one.passages)))


def most_holders(students: int) -> int:
    """Return how many students may have a passage for it to be rare, in a class of so many."""
    return min(LARGEST_GROUP, max(2, students // 4))


def fingerprints(texts: _Answers, *, is_code: bool) -> dict[str, set[int]]:
    """Return the kept numbers of every text; all texts are one array, which takes one pass."""
    vocabulary = _Vocabulary()
    words: list[int] = []
    ends = [0]
    for text in texts.values():
        words += map(vocabulary.__getitem__, _code_tokens(text) if is_code else tokens(text, False))
        ends.append(len(words))
    kept: dict[str, set[int]] = {name: set() for name in texts}
    runs = len(words) - K + 1
    if runs < WINDOW:
        return kept
    values = vocabulary.numbers(np.array(words), np.array(ends), is_code=is_code)
    hashes = np.zeros(runs, dtype=np.uint64)
    for offset in range(K):
        hashes = hashes * _BASE + values[offset : offset + runs]
    hashes ^= hashes >> np.uint64(29)  # the low bits of a polynomial say little
    least = hashes[: runs - WINDOW + 1].copy()
    for offset in range(1, WINDOW):
        np.minimum(least, hashes[offset : offset + least.size], out=least)
    for name, (start, end) in zip(texts, pairwise(ends), strict=True):
        windows = end - start - K - WINDOW + 2  # that hold this text alone
        last = max(end - K + 1, start)
        mine = least[start : start + windows] if windows > 0 else hashes[start:last]
        kept[name] = set(mine.tolist())
    return kept


class _Vocabulary(dict[str, int]):
    """The places of tokens in a list of them."""

    def __missing__(self, token: str) -> int:
        self[token] = place = len(self)
        return place

    def numbers(self, words: _Places, ends: _Places, *, is_code: bool) -> NDArray[np.uint64]:
        """Return a number for each word of several texts, the same in every run.

        Variables of code have one number: names that are not called and not behind a dot.
        """
        named = np.array([_number(token) for token in self], dtype=np.uint64)[words]
        if not is_code:
            return named
        plain = np.array([_number(_plain(token)) for token in self], dtype=np.uint64)[words]
        keeps_name = np.zeros(words.size, dtype=bool)
        keeps_name[:-1] = words[1:] == self["("]
        keeps_name[ends[1:] - 1] = False  # the next word is another text's
        behind_dot = np.zeros(words.size, dtype=bool)
        behind_dot[1:] = words[:-1] == self["."]
        behind_dot[ends[ends < words.size]] = False
        return np.where(keeps_name | behind_dot, named, plain)


def _number(token: str) -> int:
    return zlib.crc32(token.encode("utf-8", "replace"))


def tokens(text: str, is_code: bool) -> list[str]:
    """Return the tokens of an answer: of code without comments, and with one name for variables.

    >>> tokens("total = np.sum(x)  # all", True)
    ['v', '=', 'v', '.', 'sum', '(', 'v', ')']
    """
    if not is_code:  # words alone: the signs of formulas are alike everywhere
        return re.findall(r"\w+", text.lower())
    found = _code_tokens(text)
    return [
        token if after == "(" or before == "." else _plain(token)
        for before, token, after in zip(["", *found], found, [*found[1:], ""], strict=False)
    ]


def _code_tokens(text: str) -> list[str]:
    found: list[str] = _TOKEN.findall(text)
    return [token for token in found if token[0] != "#"] if "#" in text else found


def _plain(token: str) -> str:
    if token[0] in "\"'":
        return "s"
    is_name = token.isidentifier() and not keyword.iskeyword(token)
    return "v" if is_name else token


def _rare(prints: Mapping[str, set[int]]) -> dict[str, set[int]]:
    """Return the numbers that few students have, by student."""
    counts = Counter(number for found in prints.values() for number in found)
    most = most_holders(len(prints))
    rare = {number for number, count in counts.items() if count <= most}
    return {student: found & rare for student, found in prints.items()}


def _shared(rare: Mapping[str, set[int]]) -> Counter[tuple[str, str]]:
    """Return how many numbers each pair of students shares."""
    holders: dict[int, list[str]] = defaultdict(list)
    for student in sorted(rare):
        for number in rare[student]:
            holders[number].append(student)
    return Counter(
        pair
        for students in holders.values()
        if len(students) > 1
        for pair in combinations(students, 2)
    )


def _sameness(first: str, second: str) -> tuple[bool, bool]:
    """Return whether answers are the same text, and whether they are but for names."""
    same_text = _lines(first) == _lines(second)
    return same_text, same_text or tokens(first, True) == tokens(second, True)


def _lines(text: str) -> Sequence[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
