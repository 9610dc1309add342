"""Plots as SVG inside a page, in its colours, light or dark; a table of numbers goes with each."""

from __future__ import annotations

import io
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from nbreferee.pages.exercises import NOT_WRITTEN, PARTLY, RIGHT, WAITS, WRONG
from nbreferee.pages.templating import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STATES = (RIGHT, PARTLY, WRONG, NOT_WRITTEN, WAITS)
BINS = 10
# Matplotlib's colours, and what the page's style sheet has in their place.
_INK, _LINE, _BAR = "#010203", "#010204", "#010205"
_COLOURS = {_INK: "var(--ink)", _LINE: "var(--line)", _BAR: "var(--bar)"}
_OF_STATES = dict(zip(STATES, ("#2e8b57", "#e0a63a", "#d9777b", "#98a1ab", "#8c97dc"), strict=True))
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _LINE,
    "xtick.color": _INK,
    "ytick.color": _INK,
}


@dataclass(frozen=True)
class Plot:
    """A plot and its numbers."""

    svg: Markup
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def distribution(scores: Sequence[float], most: float, what: str) -> Plot | None:
    """Return a histogram of points; nothing where nobody has any."""
    if not scores or most <= 0:
        return None
    top = max(most, *scores)
    width = top / BINS
    counts = [0] * BINS
    for score in scores:
        counts[min(max(int(score / width), 0), BINS - 1)] += 1
    mean = statistics.fmean(scores)

    def draw(axes: Axes) -> None:
        from matplotlib.ticker import MaxNLocator

        lefts = [width * place for place in range(BINS)]
        axes.bar(lefts, counts, width=0.94 * width, align="edge", color=_BAR)
        axes.axvline(mean, color=_INK, linestyle="--", linewidth=1)
        axes.set(xlim=(0, top), xlabel=f"points, of {number(most)} (dashed: mean)")
        axes.set_ylabel("students")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))

    rows = [
        (f"{number(place * width)} to {number((place + 1) * width)}", str(count))
        for place, count in enumerate(counts)
    ]
    alt = (
        f"Histogram of {what}: {len(scores)} students, mean {number(mean)} of {number(most)}, "
        f"from {number(min(scores))} to {number(max(scores))}."
    )
    return Plot(
        _svg(draw, (5.0, 2.6), alt), f"Distribution of {what}", ("points", "students"), rows
    )


def states_plot(names: Sequence[Markup], counts: Sequence[Mapping[str, int]]) -> Plot | None:
    """Return how each exercise went, as stacked bars; exercises have their numbers on the page."""
    if not names or not any(sum(one.values()) for one in counts):
        return None

    def draw(axes: Axes) -> None:
        from matplotlib.ticker import MaxNLocator

        places = range(1, len(names) + 1)
        below = [0.0] * len(names)
        for state in STATES:
            shares = [100 * one.get(state, 0) / max(sum(one.values()), 1) for one in counts]
            axes.bar(places, shares, bottom=below, width=0.8, label=state, color=_OF_STATES[state])
            below = [low + share for low, share in zip(below, shares, strict=True)]
        axes.set(xlim=(0.4, len(names) + 0.6), ylim=(0, 100), xlabel="exercise (numbers as below)")
        axes.set_ylabel("% of students")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(
            ncols=3, loc="lower center", bbox_to_anchor=(0.45, 1), frameon=False, fontsize=9
        )

    rows = [
        (Markup("{}. {}").format(place, name), *(str(one.get(state, 0)) for state in STATES))
        for place, (name, one) in enumerate(zip(names, counts, strict=True), 1)
    ]
    hardest = min(
        range(len(names)), key=lambda n: counts[n].get(RIGHT, 0) / max(sum(counts[n].values()), 1)
    )
    alt = f"Students in each state, {len(names)} exercises; fewest have {hardest + 1} right."
    head = ("exercise", *STATES)
    return Plot(_svg(draw, (5.0, 3.1), alt), "How each exercise went", head, rows)


def boxes(shares: Mapping[str, Sequence[float]]) -> Plot | None:
    """Return the shares of points in each assignment, as boxes from quarter to quarter."""
    found = {name: sorted(those) for name, those in shares.items() if those}
    if not found:
        return None
    quarters = {name: _quarters(those) for name, those in found.items()}

    def draw(axes: Axes) -> None:
        drawn = axes.boxplot(
            [*reversed(found.values())],
            orientation="horizontal",
            widths=0.55,
            patch_artist=True,
            whis=(0, 100),
            tick_labels=[_label(name) for name in reversed(found)],
        )
        for part in (*drawn["whiskers"], *drawn["caps"], *drawn["medians"]):
            part.set_color(_INK)
        for box in drawn["boxes"]:
            box.set(facecolor=_BAR, edgecolor=_INK)
        axes.set(xlim=(0, max(100, *(those[-1] for those in found.values()))))
        axes.set_xlabel("% of the points (box: half of the class, line: median)")

    rows = [
        (name, *(f"{number(round(value, 1))} %" for value in five))
        for name, five in quarters.items()
    ]
    alt = "Points in each assignment. Medians: " + ", ".join(
        f"{name} {number(round(five[2]))} %" for name, five in quarters.items()
    )
    head = ("assignment", "lowest", "a quarter below", "median", "a quarter above", "highest")
    size = (5.0, 0.9 + 0.42 * len(found))
    return Plot(_svg(draw, size, f"{alt}."), "Points in each assignment", head, rows)


def _quarters(found: Sequence[float]) -> tuple[float, float, float, float, float]:
    if len(found) == 1:
        return (found[0],) * 5
    low, middle, high = statistics.quantiles(found, n=4, method="inclusive")
    return found[0], low, middle, high, found[-1]


def _label(name: str) -> str:
    """Return a name as Matplotlib shows it: no formula, and not too long."""
    return (name if len(name) <= 20 else f"{name[:18]}…").replace("$", r"\$")


def _svg(draw: Callable[[Axes], None], size: tuple[float, float], alt: str) -> Markup:
    """Return what `draw` puts on axes as an SVG element."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context():
        for name, value in {**_SETTINGS, "svg.hashsalt": alt}.items():  # unlike ids in unlike plots
            mpl.rcParams[name] = value  # type: ignore[index]
        figure: Figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        draw(axes)
        file = io.StringIO()
        figure.savefig(
            file, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    text = file.getvalue()
    view = re.search(r'viewBox="[^"]*"', text)
    text = text[text.index(">", text.index("<svg")) + 1 :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"font(-family)?: ?(?P<size>[\d.]+px)?[^;\"]*;?", _font_size, text)
    used = set(re.findall(r"#(\w+)", text))
    text = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", text)
    text = re.sub(r"\s*\n\s*", " ", text).replace("xlink:href", "href")
    for ours, theirs in _COLOURS.items():
        text = text.replace(ours, theirs)
    start = f'<svg class="plot" role="img" aria-label="{escape(alt)}" {view[0] if view else ""}>'
    return Markup(start + text)


def _font_size(found: re.Match[str]) -> str:
    return f"font-size: {found['size']};" if found["size"] else ""
