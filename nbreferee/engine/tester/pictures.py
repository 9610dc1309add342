"""Figures in the tester: only those of tests are drawn.

The instructor's other cells are run here for what they bind; their outputs come from the box.
"""

from __future__ import annotations

import base64 as base_64
import contextlib
from collections.abc import Callable
from typing import Any

from IPython.core import pylabtools
from matplotlib.figure import Figure

PIXEL = base_64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="
)


class FigurePrinter:
    """Stands for IPython's function that draws figures."""

    def __init__(self) -> None:
        self.draws = True
        self._draw: Callable[..., Any] = pylabtools.print_figure

    def install(self) -> None:
        """Take the function's place; shells look it up when they are made."""
        vars(pylabtools)["print_figure"] = self.print_figure

    def print_figure(
        self, figure: Figure, fmt: str = "png", *, base64: bool = False, **named: Any
    ) -> Any:
        """Return a picture; of one pixel where nobody will see it, and drawing changes nothing."""
        has_layout = figure.get_layout_engine() is not None  # which places axes when it is drawn
        is_empty = not figure.axes and not figure.lines
        if self.draws or fmt != "png" or has_layout or is_empty:
            return self._draw(figure, fmt, base64=base64, **named)
        with contextlib.suppress(Exception):
            for axes in figure.axes:
                axes.viewLim  # noqa: B018 (limits are computed when they are looked up)
        return base_64.b64encode(PIXEL).decode("ascii") if base64 else PIXEL
