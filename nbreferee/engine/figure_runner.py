"""The figures of a notebook: one that looks like a figure of the solution's (`box.visible`) takes
that one's picture, and any other is drawn by the box. No mark depends on it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from threading import Thread
from typing import Any

from nbreferee.engine.assignment_files import AssignmentFiles
from nbreferee.engine.box_runner import BoxRunner, CellResult, CellToRun
from nbreferee.engine.processes import Boxes, BoxLost
from nbreferee.engine.wire.protocol import MARK
from nbreferee.engine.wire.to_box import DrawFigure, Drawing, OutlineOfFigure, SeenOfFigure

OUTLINED = " "  # between the outline of a figure and its visible name
DRAWN_CHARACTERS = 48 << 20  # of the figures of one notebook


class FigureRunner(BoxRunner):
    """Runs cells in a box, and has their figures drawn; `drawn` are then the pictures by name."""

    def __init__(
        self,
        warm: Boxes,
        files: Mapping[str, bytes],
        placed: AssignmentFiles,
        known: Mapping[str, str],
        *,
        is_solution: bool,
    ) -> None:
        super().__init__(warm, files, placed)
        self.drawn = dict(known)
        # the solution's figures are all named; others are where they have the outline of one
        self._is_solution = is_solution
        self._outlines = {name.partition(OUTLINED)[0] for name in known if OUTLINED in name}

    def _draw(self, came: Iterable[CellResult]) -> None:
        """Put figures where their marks are: those of the solution, or what the box draws now."""
        shown = [output["data"] for one in came for output in one.outputs if is_to_draw(output)]
        end = time.monotonic() + self._budget.cell_s
        left = DRAWN_CHARACTERS
        for data in shown:
            name, why = data.pop("image/png").removeprefix(MARK), ""
            if name not in self.drawn:
                drawing = self._picture(name, end)
                self.drawn[name], why = drawing.picture, drawing.why
            left -= len(self.drawn[name])
            if self.drawn[name] and left > 0:
                data["image/png"] = self.drawn[name]
            else:
                self.is_whole = False  # the figures of other cells may be why
                data["text/plain"] = (
                    f"{data.get('text/plain', 'a figure')}, not drawn: "
                    f"{why or 'the notebook shows too much'}"
                )

    def _picture(self, name: str, end: float) -> Drawing:
        """Return the picture of a figure that looks the same, or one that the box draws."""
        seen = self._seen_of_figure(name, end - time.monotonic())
        if seen and self.drawn.get(seen):
            return Drawing(self.drawn[seen], "")
        drawing = self._drawn_by_box(name, end - time.monotonic())
        if seen and drawing.picture:
            self.drawn[seen] = drawing.picture
        return drawing

    def _seen_of_figure(self, name: str, limit_s: float) -> str:
        if self._box is None or limit_s <= 0 or not (self._outlines or self._is_solution):
            return ""
        try:
            outline = self._box.ask(OutlineOfFigure(name, limit_s), limit_s)
            if not outline or not (outline in self._outlines or self._is_solution):
                return ""
            seen = self._box.ask(SeenOfFigure(name, limit_s), limit_s)
            return seen and f"{outline}{OUTLINED}{seen}"
        except BoxLost:
            self._lose_box()
            return ""

    def _drawn_by_box(self, name: str, limit_s: float) -> Drawing:
        if self._box is None or limit_s <= 0:
            return Drawing("", "the notebook's process has ended, or takes too long")
        try:
            return self._box.ask(DrawFigure(name, limit_s), limit_s)
        except BoxLost as lost:
            self._lose_box()
            return Drawing("", str(lost))


class FiguresAhead(FigureRunner):
    """Draws the figures of a solution, in a box and a thread of its own, while others judge it.

    Its cells run but for the tests. A figure that comes out otherwise without these has another
    name, and is of no use.
    """

    def __init__(
        self,
        warm: Boxes,
        files: Mapping[str, bytes],
        placed: AssignmentFiles,
        parts: Sequence[CellToRun],
    ) -> None:
        """Begin."""
        super().__init__(warm, files, placed, {}, is_solution=True)
        self._parts = [part for part in parts if part.role != "test"]
        self._thread = Thread(target=self._run_and_draw, daemon=True)
        self._thread.start()

    def figures(self) -> dict[str, str]:
        """Return the pictures by name, when all are there that can be drawn."""
        self._thread.join()
        return {name: picture for name, picture in self.drawn.items() if picture}

    def _run_and_draw(self) -> None:
        try:
            with contextlib.suppress(Exception):  # the run with the tests meets the same error
                self._draw(self._run_all(self._parts))
        finally:
            self._drop_box()


def is_to_draw(output: dict[str, Any]) -> bool:
    """Tell whether an output is a figure that is still to be drawn."""
    picture = output.get("data", {}).get("image/png")
    return type(picture) is str and picture.startswith(MARK)
