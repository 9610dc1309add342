"""A short name for what a figure is made of, found in a tenth of the time that its visible name
takes (see `visible`). Figures that look the same have one outline; many that do not have another.

It holds the kinds of a figure's parts, their texts and numbers of points, the limits of axes and
colours, and where lines and images lie between them on average, to four or five digits. These are
scaled first by a factor that no figure has: or rounding might tell 0.5 from what is a rounding
error below it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.text import Text

FACTOR = 1.2345678
DIGITS = 10_000  # of the distance of two limits


def outline(figure: Figure) -> str:
    """Return the outline of a figure; '' where it has none."""
    try:
        parts = tuple(_parts(figure))
    except Exception:
        return ""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _parts(figure: Figure) -> Iterator[Any]:
    yield from (one.get_text() for one in figure.texts)
    for axes in figure.axes:
        yield axes.name, axes.get_xlabel(), axes.get_ylabel(), axes.get_xscale(), axes.get_yscale()
        yield _limits(axes.get_xlim()), _limits(axes.get_ylim())
        yield from map(_part, axes.get_children())


def _part(one: Any) -> Any:
    kind = type(one).__name__
    if isinstance(one, Text):
        return kind, one.get_text()
    if isinstance(one, Line2D):
        limits = one.axes.get_ylim() if one.axes else (None, None)
        return kind, str(one.get_label()), _average(one.get_ydata(orig=False), limits)
    if isinstance(one, AxesImage):
        values, limits = one.get_array(), one.get_clim()
        return kind, _limits(limits), () if values is None else _average(values, limits)
    if isinstance(one, Collection):
        return kind, np.shape(one.get_offsets())
    return kind, isinstance(one, Axes)


def _average(values: Any, limits: Any) -> tuple[Any, ...]:
    known: np.ndarray = np.ma.asarray(values, dtype=float).compressed()
    numbers = known[np.isfinite(known)]
    lowest, highest = limits
    if not numbers.size or lowest is None or highest is None or not highest - lowest:
        return np.shape(values), 0
    average = (numbers.mean() - lowest) / (highest - lowest)
    return np.shape(values), round(FACTOR * DIGITS * average)


def _limits(limits: Any) -> tuple[str, int]:
    lowest, highest = limits
    if lowest is None or highest is None or not highest - lowest:
        return "", 0
    span = highest - lowest
    return f"{FACTOR * span:.4e}", round(FACTOR * DIGITS * lowest / span)
