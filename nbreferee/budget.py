"""How long things may take, and how much they may use: numbers only.

Defaults and the course's own values: `course.settings`. Time is limited by `engine.box_runner`
(notebook and cell), `engine.tester.box_client` (a call) and `engine.processes`; memory by `sandbox`
and `sandbox.watch`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from nbreferee.sandbox import ALL_LAYERS, Layer, Limits, watch

ENDED = "the notebook's process ended"
TIME_UP = "the time was up"
UNREADABLE = "the notebook's process sent an answer that cannot be read"
LOST = "the process of the student's code was lost"
MANY_CALLS = (
    1_000  # between the two processes in one test: it may then run out of time for that alone
)
TOO_LONG = (
    "it takes too long: is there a loop that does not end, or loops within loops that take too "
    "many steps?"
)
GUESS = "does a function call exit, or run out of memory?"


@dataclass(frozen=True)
class Budget:
    """What one notebook of a submission may cost.

    Who exceeds it gets a TimeoutError in the cell, and the grading goes on.
    """

    call_s: float = 20.0  # one call of a student's function by a test
    cell_s: float = 60.0  # one cell
    submission_s: float = 600.0  # all cells of one notebook; those left then are not run
    box: Limits = field(default_factory=Limits)
    layers: frozenset[Layer] = ALL_LAYERS
    mutants_s: float = 2.0  # looking for the mistake in a wrong answer, in one cell; 0: not at all

    def in_words(self, limit: str) -> str:
        """Return a sentence about a limit on the whole box, one of `watch`, that has ended it."""
        if limit == watch.MEMORY:
            return (
                f"the notebook's processes together used more than {self.box.memory_bytes >> 20} "
                "MB of memory and were ended"
            )
        return f"the notebook started more than {self.box.processes} processes and was ended"

    def as_plain(self) -> dict[str, Any]:
        """Return it as JSON and the codec take it."""
        return {**asdict(self), "layers": sorted(layer.value for layer in self.layers)}
