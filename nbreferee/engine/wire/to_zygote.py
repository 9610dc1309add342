"""What the orchestrator asks the warm processes that boxes and testers are forked from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbreferee.sandbox import Layer, Limits

if TYPE_CHECKING:  # the zygote of boxes loads nothing of courses
    from nbreferee.course.ownership import Plan


@dataclass(frozen=True)
class Ready:
    """The zygote's first message: it is warm."""


@dataclass(frozen=True)
class Done:
    """The zygote's answer."""

    pid: int = 0  # of the child that was forked


@dataclass(frozen=True)
class ForkBox:
    """Fork a box; the message brings its socket."""

    scratch: str  # its working folder
    root: str  # an empty folder to build a root on
    limits: Limits
    layers: frozenset[Layer]
    placed: tuple[str, ...]  # folders of the instructor's files
    may_fork: bool = False  # whether it is one of `checkpoints`


@dataclass(frozen=True)
class ForkTester:
    """Fork a tester; the message brings its socket."""

    scratch: str  # its working folder
    limits: Limits
    layers: frozenset[Layer]
    plan: int  # which of the plans that the zygote has learnt
    mutants_s: float  # for the search for the mistake in a wrong answer
    may_fork: bool = False  # whether it is one of `checkpoints`


@dataclass(frozen=True)
class Branch:
    """Fork a zygote that has loaded what an assignment imports; the message brings its socket."""

    sources: str  # a folder of the assignment's files
    modules: tuple[str, ...]


@dataclass(frozen=True)
class Learn:
    """Prepare a plan: testers are forked for it."""

    plan: Plan


@dataclass(frozen=True)
class End:
    """End a child, and all that it has started."""

    pid: int


ZygoteRequest = ForkBox | ForkTester | Branch | Learn | End
EVERY_ZYGOTE = (Ready, Done, End, Limits, Layer)  # what travels to and from each
