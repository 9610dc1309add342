"""What a person sees of a benchmark: rows as they come, ratios at the end, and where the files
are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from nbreferee.bench import Latency, Measurement, bench, ratio, start_up, write

HEAD = (
    f"{'':10}{'grader':11}{'figures':9}{'students':>9}{'notebooks':>11}{'workers':>9}"
    f"{'seconds':>9}{'a minute':>10}{'CPU s':>9}{'largest MB':>12}{'writing':>9}"
)


def show(
    course: Path,
    assignments: Sequence[str],
    students: int,
    jobs: int,
    sizes: Sequence[int],
    folder: Path,
    console: Console,
) -> None:
    """Measure, print, and write bench.json and bench.png into a folder."""
    console.print(HEAD, highlight=False, soft_wrap=True)
    measured: list[Measurement] = []
    latencies: list[Latency] = []
    with console.status("making the class"):
        for one in bench(course, assignments, students, jobs, sizes):
            if isinstance(one, Latency):
                latencies.append(one)
                continue
            measured.append(one)
            console.print(_row(one), highlight=False, soft_wrap=True)
        start_up_s = start_up()
    for what in ("autograde", "feedback"):
        for figures in (True, False):
            times = ratio(measured, what, figures)
            if times is not None:
                console.print(
                    f"{what}, {'with' if figures else 'without'} figures: nbreferee is "
                    f"{times:.1f} times as fast.",
                    highlight=False,
                )
    for figures in (True, False):
        times = ratio(measured, "autograde", figures, "bare cells")
        if times is not None:
            console.print(
                f"autograde, {'with' if figures else 'without'} figures: nbreferee is {times:.2f} "
                "times as fast as the bare cells of the class in one warm process, without "
                "sandbox, verdicts and pages.",
                highlight=False,
                soft_wrap=True,
            )
    for figures in (True, False):
        times = ratio(measured, "autograde", figures, grader="unshared")
        if times is not None:
            console.print(
                f"autograde, {'with' if figures else 'without'} figures, where students with equal "
                f"answers share no results: {times:.1f} times as fast as nbgrader.",
                highlight=False,
                soft_wrap=True,
            )
    walls = {one.what: one.cost.wall_s for one in measured}
    if {"regrade", "anew"} <= walls.keys():
        console.print(
            f"One changed test: {walls['regrade'] / walls['anew']:.0%} of the time of grading all "
            "again.",
            highlight=False,
        )
    for latency in latencies:
        console.print(
            f"From hand-in to verdict, {latency.how}: {latency.median_s:.2f} s (median of "
            f"{latency.submissions}), {latency.percentile_95_s:.2f} s (95th percentile).",
            highlight=False,
            soft_wrap=True,
        )
    alone = next((one for one in measured if one.students == 1), None)
    if alone:
        console.print(
            f"A class of one: {alone.cost.wall_s:.2f} s, start-up included.", highlight=False
        )
    console.print(
        f"Of the class's answers {100 * measured[0].right:.0f} % are right, written in other ways "
        "than the solution.",
        highlight=False,
    )
    console.print(
        "Start-up: "
        + ", ".join(f"{name} {seconds:.3f} s" for name, seconds in start_up_s.items())
        + ".",
        highlight=False,
    )
    folder.mkdir(parents=True, exist_ok=True)
    write(measured, latencies, start_up_s, folder)
    console.print(
        f"Written to {folder / 'bench.json'} and {folder / 'bench.png'}.",
        highlight=False,
        soft_wrap=True,
    )


def _row(one: Measurement) -> str:
    cost = one.cost
    first = (
        f"{one.what:10}{one.grader:11}{'with' if one.figures else 'without':9}"
        f"{one.students:9}{one.notebooks:11}{one.jobs:9}"
    )
    writing = "" if one.writing is None else f"{100 * one.writing:7.1f} %"
    return (
        f"{first}{cost.wall_s:9.1f}{one.a_minute:10.1f}{cost.cpu_s:9.1f}{cost.peak_mb:12.0f}"
        f"{writing}"
    )
