"""What a student gets to read: an executed notebook as a page, with scores and comments, without
hidden tests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nbformat import v4

from nbreferee.course.rules import DELIMITERS, Delimiters
from nbreferee.pages.exercises import Mark
from nbreferee.pages.hidden import hide_tests
from nbreferee.pages.record import read_record
from nbreferee.pages.sanitize import sanitize
from nbreferee.pages.student import Contents, Header, write_absent_page, write_page
from nbreferee.versions import identity

STAMP = '<meta name="nbreferee" content="{}">'
STAMP_AT = 2_000  # bytes of a page, at most, before the end of its stamp


@dataclass(frozen=True)
class GradedNotebook:
    """An executed notebook with what the gradebook says of it, by grade id."""

    header: Header
    notebook: bytes
    marks: Mapping[str, Mark]
    comments: Mapping[str, str] = field(default_factory=dict)  # by people
    automatic: Mapping[str, str] = field(default_factory=dict)  # comments of the grader
    notes: tuple[str, ...] = ()  # sentences on the whole of it
    delimiters: Delimiters = DELIMITERS
    instructors_texts: frozenset[str] = frozenset()  # of cells that the instructor wrote

    @cached_property
    def stamp(self) -> str:
        """A name for all that the page depends on."""
        parts = [
            self.header,
            sorted(self.marks.items()),
            sorted(self.comments.items()),
            sorted(self.automatic.items()),
        ]
        digest = hashlib.sha256(
            repr((identity(), *parts, self.notes, self.delimiters)).encode() + self.notebook
        )
        digest.update("\0".join(sorted(self.instructors_texts)).encode())
        return STAMP.format(digest.hexdigest())


@dataclass(frozen=True)
class AbsentNotebook:
    """A notebook that could not be graded: why, and what the student can do."""

    header: Header
    reason: str
    advice: tuple[str, ...]
    points: float

    @cached_property
    def stamp(self) -> str:
        """A name for all that the page depends on."""
        return STAMP.format(hashlib.sha256(repr((identity(), self)).encode()).hexdigest())


def render(one: GradedNotebook | AbsentNotebook) -> bytes:
    """Return the page."""
    if isinstance(one, AbsentNotebook):
        return _stamped(
            write_absent_page(one.header, one.reason, one.advice, one.points), one.stamp
        )
    notebook = v4.reads(one.notebook.decode())
    record = notebook.metadata.get("nbreferee", {})
    sanitize(notebook, one.instructors_texts)
    hide_tests(notebook, one.delimiters)
    contents = Contents(
        notebook.cells,
        one.marks,
        one.comments,
        one.automatic,
        read_record(record),
        tuple(record.get("repairs", ())),
        one.notes,
        one.instructors_texts,
    )
    return _stamped(write_page(one.header, contents), one.stamp)


def _stamped(page: str, stamp: str) -> bytes:
    return page.replace('<meta charset="utf-8">\n', f'<meta charset="utf-8">\n{stamp}\n', 1).encode(
        "utf-8", "replace"
    )
