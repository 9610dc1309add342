"""Which answers a test may use at all, by the text of the cells that it depends on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from unicodedata import normalize

from nbreferee.course.ownership import Step
from nbreferee.engine.box_runner import CellToRun


class Needs:
    """Tells what the cells of one notebook may use; `slices` are the cells that each depends on."""

    def __init__(
        self,
        parts: Sequence[CellToRun],
        steps: Sequence[Step],
        slices: Mapping[int, frozenset[int]],
    ) -> None:
        self._parts, self._steps, self._slices = parts, steps, slices
        self._words: dict[int, frozenset[str]] = {}

    def may_use(self, number: int, name: str) -> bool:
        """Tell whether a cell, or one that it depends on, has a name in its text."""
        if number not in self._slices:
            return True
        if number not in self._words:
            text = "\n".join(self._texts(number))
            # as Python reads identifiers
            self._words[number] = frozenset(re.findall(r"\w+", normalize("NFKC", text)))
        return normalize("NFKC", name) in self._words[number]

    def _texts(self, number: int) -> Iterator[str]:
        for one in (*self._slices[number], number):
            part = self._parts[one]
            yield part.source
            if part.step is not None:
                yield self._steps[part.step].source
        for part in self._parts:  # of cells that the student has no longer
            for index in part.passed:
                yield self._steps[index].source
