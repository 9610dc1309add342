"""Descriptions of figures in words, for readers who do not see them: from their titles, labels and
legends.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

CHARACTERS = 400
AXES = 6  # described, at most


def with_description(print_figure: Callable[..., Any]) -> Callable[..., Any]:
    """Return a printer of figures that says in an output's metadata what a figure shows, where that
    is known.
    """

    def printed(
        figure: Figure,
        fmt: str = "png",
        bbox_inches: Any = "tight",
        base64: bool = False,
        **named: Any,
    ) -> Any:
        picture = print_figure(figure, fmt, bbox_inches=bbox_inches, base64=base64, **named)
        words = description(figure) if base64 and picture is not None else ""
        return (picture, {"alt": words}) if words else picture

    return printed


def description(figure: Figure) -> str:
    """Return what a figure's texts say of it; nothing where it has none, or none that can be
    read.
    """
    try:
        title = _plain(figure.get_suptitle())
        parts = [words for axes in figure.axes[:AXES] if (words := _of_axes(axes))]
    except Exception:  # figures are the students', and may be of classes of their own
        return ""
    parts = list(dict.fromkeys([title, *parts] if title else parts))
    return f"Figure: {'; '.join(parts)}."[:CHARACTERS] if parts else ""


def _of_axes(axes: Any) -> str:
    title, across, up = (
        _plain(text) for text in (axes.get_title(), axes.get_xlabel(), axes.get_ylabel())
    )
    against = f"{up} against {across}" if up and across else up or across
    legend = axes.get_legend()
    labels = [_plain(text.get_text()) for text in legend.get_texts()] if legend is not None else []
    shown = f"showing {', '.join(filter(None, labels))}" if any(labels) else ""
    return ", ".join(part for part in (title, against, shown) if part)


def _plain(text: str) -> str:
    """Return text without the signs of formulas."""
    return " ".join(re.sub(r"[$\\{}]", "", str(text)).split())
