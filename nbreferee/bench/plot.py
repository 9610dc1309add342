"""The picture of a benchmark: both graders side by side, and nbreferee over workers and class
sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

COLOURS = {
    "nbgrader": "#999999",
    "nbreferee": "#0072B2",
}  # Okabe and Ito's palette: https://jfly.uni-koeln.de/color/
COMPARED = ("autograde", "feedback")


def plot(measured: Sequence[Any]) -> Figure:
    """Return the figure of measurements (`bench.Measured`)."""
    figure = Figure(
        figsize=(10, 4), layout="constrained"
    )  # without pyplot, no window and no backend is chosen
    compared, scaled = figure.subplots(1, 2)
    measured = [one for one in measured if one.grader in COLOURS]
    groups = list(
        dict.fromkeys((one.what, one.figures) for one in measured if one.what in COMPARED)
    )
    pairs = {
        (one.what, one.figures, one.grader): one for one in reversed(measured)
    }  # the first of each
    for shift, grader in ((-0.2, "nbgrader"), (0.2, "nbreferee")):
        heights = [
            pairs[*group, grader].a_minute if (*group, grader) in pairs else 0 for group in groups
        ]
        bars = compared.bar(
            [place + shift for place in range(len(groups))],
            heights,
            0.4,
            label=grader,
            color=COLOURS[grader],
        )
        compared.bar_label(bars, fmt="%.0f")
    compared.set_xticks(
        range(len(groups)),
        [f"{what},\n{'figures' if figures else 'no figures'}" for what, figures in groups],
    )
    compared.set(ylabel="notebooks a minute", title="the same submissions, in one run")
    compared.margins(y=0.15)
    compared.legend()
    compare = [one for one in measured if one.grader == "nbgrader" and one.what == "autograde"]
    sizes = [
        one
        for one in measured
        if one.grader == "nbreferee" and one.what == "autograde" and one.figures
    ][1:]
    for marker, jobs in zip("osD^v", sorted({one.jobs for one in sizes}), strict=False):
        chosen = sorted((one for one in sizes if one.jobs == jobs), key=lambda one: one.students)
        label = f"{jobs} worker{'s' if jobs > 1 else ''}"
        scaled.plot(
            [one.students for one in chosen],
            [one.a_minute for one in chosen],
            marker=marker,
            color=COLOURS["nbreferee"],
            alpha=0.5 if jobs == 1 else 1,
            label=label,
        )
    if compare:
        scaled.axhline(compare[0].a_minute, color=COLOURS["nbgrader"], label="nbgrader")
    scaled.set(
        xlabel="students in the class",
        ylabel="notebooks a minute",
        xscale="log",
        ylim=(0, None),
        title="start-up included",
    )
    scaled.set_xticks(
        sorted({one.students for one in sizes}),
        [str(size) for size in sorted({one.students for one in sizes})],
        minor=False,
    )
    scaled.minorticks_off()
    scaled.legend()
    return figure
