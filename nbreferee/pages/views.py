"""What a student's page shows of an exercise, ready for its template."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from nbreferee.pages.message import Message


@dataclass(frozen=True)
class First:
    """What to look at first in an exercise."""

    id: str
    name_text: Markup
    sentence: str
    is_cause: bool


@dataclass(frozen=True)
class Cause:
    """What a tutor would say, and to which tests of the exercise, where it has several answers or
    outputs.
    """

    sentence: str
    of: str = ""


@dataclass(frozen=True)
class PartView:
    """A graded cell as the page shows it."""

    label: str
    points: str
    notes: Sequence[str]
    message: Message
    outputs: Markup
    source: Markup


@dataclass(frozen=True)
class ExerciseView:
    """An exercise as the page shows it."""

    id: str
    name: Markup
    within: Markup  # the heading that it shares with others
    state: str
    score: float
    decided_points: float
    waiting: float
    task: Markup
    work: Markup
    work_title: str
    is_open: bool
    causes: Sequence[Cause] = ()
    comments: Sequence[Markup] = ()
    marked: Sequence[str] = ()
    followed: Sequence[str] = ()  # notes on tests that passed by follow-through
    failed: Sequence[PartView] = ()
    folded: Sequence[PartView] = ()  # tests that passed, and those of an answer that is not written
    folded_title: str = ""
    first: Sequence[First] = field(default=())
    is_given: bool = False

    @property
    def name_text(self) -> Markup:
        """Its name without links, for use inside one."""
        return Markup(re.sub(r"</?a\b[^>]*>", "", self.name))


@dataclass(frozen=True)
class GivenView:
    """Cells between exercises as the page shows them."""

    title: Markup
    html: Markup
    is_given: bool = True
