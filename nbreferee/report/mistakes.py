"""What went wrong in an exercise, as words that many students' messages share."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from nbreferee.pages.exercises import NOT_WRITTEN, Exercise
from nbreferee.pages.message import CAUSE, read_message

TIMEOUT = "It does not come to an end in time."
NO_CAUSE = "No cause is known."
CHARACTERS = 300
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w])")
_FOLLOWED = re.compile(r"^Your [^;\n]+; .*with (?:a right one|right ones)[^\n]*\n?", re.MULTILINE)


@dataclass(frozen=True)
class Mistake:
    """A mistake, and who made it."""

    text: str
    students: tuple[str, ...]
    is_named: bool  # a test has a sentence for it


def mistakes_of(found: Mapping[str, str]) -> list[Mistake]:
    """Group texts that differ in numbers alone; named and frequent mistakes come first."""
    groups: dict[str, list[str]] = defaultdict(list)
    for student, text in found.items():
        groups[_NUMBER.sub("…", text)].append(student)
    mistakes = []
    for pattern, students in groups.items():
        wordings = Counter(found[student] for student in students)
        text = next(iter(wordings)) if len(wordings) == 1 else pattern
        named = text not in (TIMEOUT, NO_CAUSE)
        mistakes.append(Mistake(text, tuple(sorted(students)), named))
    return sorted(mistakes, key=lambda one: (not one.is_named, -len(one.students), one.text))


def mistake_in(exercise: Exercise, statuses: Mapping[str, str]) -> str:
    """Return what went wrong in a student's exercise; '' where nothing did, or nothing was written.

    Of several sentences it is the longest: a tutor's says more than one about a pattern of numbers.
    """
    lost = [
        part
        for part in exercise.parts
        if not part.mark.waits and part.mark.score < part.mark.points
    ]
    if not lost or exercise.state == NOT_WRITTEN:
        return ""
    if causes := [cause for part in lost if (cause := _cause(part.message))]:
        return max(causes, key=len)
    if any(statuses.get(part.cell.grade_id) == "timeout" for part in lost):
        return TIMEOUT
    return _first(_fault(part.message) for part in lost if part.message) or NO_CAUSE


@lru_cache(maxsize=50_000)
def _cause(message: str) -> str:
    return message.partition(CAUSE)[2].partition("\n")[0].strip()


@lru_cache(maxsize=50_000)
def _fault(message: str) -> str:
    """Return the sentence that says what is wrong; '' where a message only says which value is."""
    read = read_message(_FOLLOWED.sub("", message))
    if read.values or not read.fault:
        return ""
    sentence = f"{read.called}: {read.fault[0]}" if read.called else read.fault[0]
    return sentence if len(sentence) <= CHARACTERS else f"{sentence[:CHARACTERS]} …"


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")
