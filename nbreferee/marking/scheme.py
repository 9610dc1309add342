"""The marking scheme of a written answer, from the instructor's Markdown: a table or a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

_POINTS_WORD = r"(?:(?:points?|pts?|marks?|credits?|Punkte?|P)\.?)"
_NUMBER = r"\d+(?:[.,]\d+)?|\d*[½¼¾]|\d+/\d+"
_CELL = re.compile(rf"[*_\s(\[+]*(?P<number>{_NUMBER})\s*{_POINTS_WORD}?[*_\s)\]]*", re.IGNORECASE)
_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*")
_BAR = re.compile(r"(?<!\\)\|")
_SUM = re.compile(r"[*_\s]*(total|sum|all|together|Summe|gesamt)[*_\s:]*", re.IGNORECASE)
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(?P<text>.+)")
_POINTS_FIRST = re.compile(
    rf"[*_(\[]*(?P<number>{_NUMBER})\s*{_POINTS_WORD}?[)\]*_]*\s*"
    r"(?::|–|—|-|\bfor\b)\s+(?P<text>.+)",
    re.IGNORECASE,
)
_POINTS_LAST = re.compile(
    rf"(?P<text>.+?)\s*(?:[(\[](?P<inside>{_NUMBER})\s*{_POINTS_WORD}?[)\]]"
    rf"|[:–—]\s*(?P<number>{_NUMBER})\s*{_POINTS_WORD})[.*_]*",
    re.IGNORECASE,
)
_FRACTIONS = {"½": 0.5, "¼": 0.25, "¾": 0.75}


@dataclass(frozen=True)
class Step:
    """One row of a marking scheme."""

    text: str  # Markdown
    points: float


def read_scheme(texts: Iterable[str], points: float) -> tuple[Step, ...]:
    """Return the steps of the first scheme whose points add up to those of the answer.

    Parameters
    ----------
    texts : the instructor's Markdown, the most likely place first
    points : of the answer

    Examples
    --------
    >>> read_scheme(["| what | points |\\n|:--|--:|\\n| the sum | 0.5 |\\n| the limit | 1 |"], 1.5)
    (Step(text='the sum', points=0.5), Step(text='the limit', points=1.0))
    >>> read_scheme(["- 1 point: the sum\\n- 2 points: the limit"], 3)
    (Step(text='the sum', points=1.0), Step(text='the limit', points=2.0))
    >>> read_scheme(["| x | y |\\n|--|--|\\n| 1 | 2 |"], 1)
    ()
    """
    for text in texts:
        for steps in (*_tables(text.split("\n")), *_lists(text.split("\n"))):
            if abs(sum(step.points for step in steps) - points) < 1e-9:
                return tuple(steps)
    return ()


def _tables(lines: Sequence[str]) -> Iterable[list[Step]]:
    for number, line in enumerate(lines):
        if number and _RULE.fullmatch(line) and "|" in lines[number - 1]:
            rows = []
            for row in lines[number + 1 :]:
                if "|" not in row:
                    break
                rows.append(_split(row))
            if steps := _steps(rows):
                yield steps


def _split(row: str) -> list[str]:
    cells = [cell.strip().replace("\\|", "|") for cell in _BAR.split(row.strip())]
    return cells[bool(cells and not cells[0]) : len(cells) - (len(cells) > 1 and not cells[-1])]


def _steps(rows: Sequence[Sequence[str]]) -> list[Step]:
    """Return the rows of a table as steps, points in its last or first column; or none."""
    for place in (-1, 0):
        steps: list[Step] = []
        for row in rows:
            found = _CELL.fullmatch(row[place]) if len(row) > 1 else None
            if found is None:
                steps = []
                break
            others = row[:-1] if place else row[1:]
            if not _SUM.fullmatch(others[0]):
                steps.append(
                    Step(" · ".join(one for one in others if one), _number(found["number"]))
                )
        if steps:
            return steps
    return []


def _lists(lines: Sequence[str]) -> Iterable[list[Step]]:
    steps: list[Step] = []
    for line in [*lines, ""]:
        item = _ITEM.fullmatch(line)
        found = item and (
            _POINTS_FIRST.fullmatch(item["text"]) or _POINTS_LAST.fullmatch(item["text"])
        )
        if found:
            groups = found.groupdict()
            steps.append(
                Step(groups["text"].strip(), _number(groups["number"] or groups["inside"] or "0"))
            )
        elif steps and not line.startswith((" ", "\t")):  # a line that goes on is no new item
            yield steps
            steps = []


def _number(text: str) -> float:
    if text[-1] in _FRACTIONS:
        return float(text[:-1] or 0) + _FRACTIONS[text[-1]]
    return float(Fraction(text.replace(",", ".")))
