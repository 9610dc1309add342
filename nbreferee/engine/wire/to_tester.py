"""What the orchestrator asks a tester, and what that answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nbreferee.engine.wire.records import Records
from nbreferee.verdicts import CellVerdict

Answer = tuple[str, int]  # a name, and the answer cell that binds it
Oddity = tuple[str, str]  # whose value it is, and what is odd about it


class TesterRequest:
    """A message to a tester."""


@dataclass(frozen=True)
class Connect(TesterRequest):
    """Talk to a new box; the message brings the socket."""

    call_s: float  # for one call of a student's function


@dataclass(frozen=True)
class RunStep(TesterRequest):
    """Run a step of the plan, and judge it if it is a test."""

    step: int
    limit_s: float
    # that the solution's own values have here: a test that passes with others is run again, and
    # refuses these; None: the solution itself is graded, or has failed here
    allowed: tuple[Oddity, ...] | None
    replaceable: tuple[Answer, ...] = ()  # earlier answers that have lost points
    may_patch: bool = True  # whether the test may patch a module


@dataclass(frozen=True)
class RunWithReferences(TesterRequest):
    """Judge a test again, with references in the place of those answers."""

    step: int
    limit_s: float
    allowed: tuple[Oddity, ...] | None
    replaced: tuple[Answer, ...]


@dataclass(frozen=True)
class ForkHere(TesterRequest):
    """Fork a tester that goes on from here; the message brings its socket."""

    is_last: bool  # it is not forked again: the sandbox's last layer is put on


@dataclass(frozen=True)
class EndFork(TesterRequest):
    """End a tester that was forked from this one."""

    pid: int


@dataclass(frozen=True)
class Forked:
    """The answer to `ForkHere` and `EndFork`."""

    pid: int


@dataclass(frozen=True)
class Evidence:
    """What was noticed while a test was judged: whether its verdict can stand."""

    oddities: tuple[Oddity, ...] = ()
    limits: tuple[str, ...] = ()  # what could not pass between the two processes
    patched: str = ""  # what the test replaces in a module; looked at while the solution is graded
    odd_pass: str = ""  # the odd value by which alone the test passes


NOTHING_NOTICED = Evidence()


@dataclass(frozen=True)
class StepResult:
    """The result of a step."""

    verdict: CellVerdict | None = None  # of a test
    outputs: tuple[dict[str, Any], ...] = ()  # as nbformat has them
    evidence: Evidence = NOTHING_NOTICED
    lost: str = ""  # why the box is of no more use
    # of RunStep: those of the replaceable answers that the answer under test needs; of
    # RunWithReferences: those in whose place a reference was used (none: there is no result)
    answers: tuple[Answer, ...] = ()


TESTER = Records(
    Connect,
    RunStep,
    RunWithReferences,
    StepResult,
    Evidence,
    CellVerdict,
    ForkHere,
    EndFork,
    Forked,
)
