"""What `verify` reads, counts and reports: data alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Beside:
    """What an instructor keeps beside the source, never released."""

    alternatives: tuple[tuple[str, str], ...] = ()  # (grade id, another right answer)
    equivalents: tuple[Mapping[str, str], ...] = ()  # mutants that cannot be told from the solution


@dataclass(frozen=True)
class Finding:
    """Something to mend."""

    cell: str
    reason: str
    diff: str = ""


@dataclass
class TrialCounts:
    """How many answers of one sort were tried, and how many fared as they should."""

    tried: int = 0
    good: int = 0

    def count(self, good: bool) -> None:
        """Add one."""
        self.tried += 1
        self.good += good


@dataclass
class Exercise:
    """What was tried on one solution cell."""

    name: str
    lazy: TrialCounts = field(default_factory=TrialCounts)
    mutants: TrialCounts = field(default_factory=TrialCounts)
    equivalent: int = 0
    mistakes: TrialCounts = field(default_factory=TrialCounts)
    alternatives: TrialCounts = field(default_factory=TrialCounts)
    forms: TrialCounts = field(
        default_factory=TrialCounts
    )  # forbidden ones; good are those that the release does not show


@dataclass(frozen=True)
class Examined:
    """The result of verifying one notebook."""

    exercises: list[Exercise]
    findings: list[Finding]


def in_points(score: float) -> str:
    """Return a score in words."""
    return f"{score:g} point{'' if score == 1 else 's'}"
