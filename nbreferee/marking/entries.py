"""One answer on its way through marking: what stands there, what a marker sees and enters."""

from __future__ import annotations

from dataclasses import dataclass

from nbreferee.marking.answers import ShownAnswer
from nbreferee.marking.marks import StoredMark, digest_of


@dataclass(frozen=True)
class Entry:
    """One student's answer in the queue of a question."""

    id: str  # for addresses: says nothing of the student
    mark: StoredMark
    state: str


@dataclass(frozen=True)
class Entered:
    """What a marker has entered for an answer."""

    score: float | None
    comment: str
    steps: tuple[int, ...] = ()

    @property
    def digest(self) -> str:
        """A name for it."""
        return digest_of(self.score, self.comment, self.steps)


@dataclass(frozen=True)
class Seen:
    """What a marker was shown: digests of the mark and of the answer."""

    mark: str
    answer: str
    is_forced: bool = False  # write over another mark, and for another answer


@dataclass(frozen=True)
class OpenAnswer:
    """An answer as it is marked now."""

    entry: Entry
    shown: ShownAnswer
    entered: Entered
    earlier: tuple[str, ...]
    notes: tuple[str, ...] = ()  # on marks that do not fit together
    answer: str = ""  # a digest of what the student has written
