"""What `nbreferee verify` prints: a table of what was tried, then what to mend."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nbreferee.verify import Verified
from nbreferee.verify.records import TrialCounts


def print_report(verified: Iterable[Verified], console: Console) -> None:
    """Print the table, then every finding with its cell and, where there is one, the diff."""
    verified = list(verified)
    table = Table(box=SIMPLE_HEAD)
    table.add_column("exercise", overflow="fold")
    for heading in (
        "lazy\ncaught",
        "mutants\ncaught",
        "equi-\nvalent",
        "mistakes\ntold",
        "right\nkept",
        "forms\nhidden",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in verified:
        table.add_section()
        table.add_row(f"[bold]{escape(one.assignment)}/{escape(one.notebook)}[/bold]")
        for exercise in one.exercises:
            table.add_row(
                escape(exercise.name),
                _cell(exercise.lazy),
                _cell(exercise.mutants),
                str(exercise.equivalent or "–"),
                _cell(exercise.mistakes),
                _cell(exercise.alternatives),
                _cell(exercise.forms),
            )
        if not one.exercises and not one.findings:
            table.add_row("no answer that a test looks at")
    console.print(table)
    _print_findings(verified, console)
    mutants = sum(e.mutants.tried for one in verified for e in one.exercises)
    wall_s = sum(one.wall_s for one in verified)
    rate = f"{mutants} mutants in {wall_s:.0f} s" + (
        f" ({mutants / wall_s:.0f} a second)" if wall_s else ""
    )
    console.print(f"{rate}. {_outcome(verified)}")


def print_forms(verified: Iterable[Verified], console: Console) -> None:
    """Print the forbidden forms of every exercise, then where the release shows one."""
    verified = list(verified)
    table = Table(box=SIMPLE_HEAD)
    for heading in ("exercise", "as", "forbidden form", "shown"):
        table.add_column(heading, overflow="fold")
    for one in verified:
        table.add_section()
        table.add_row(f"[bold]{escape(one.assignment)}/{escape(one.notebook)}[/bold]")
        for form in one.forms:
            shown = f"[red]{len(form.shown)} times[/red]" if form.shown else "–"
            table.add_row(escape(form.exercise), form.language, escape(form.form), shown)
    console.print(table)
    _print_findings(verified, console)
    count = sum(len(one.forms) for one in verified)
    console.print(f"{count} forbidden forms. {_outcome(verified)}")


def _print_findings(verified: Iterable[Verified], console: Console) -> None:
    for one in verified:
        for finding in one.findings:
            where = f"{one.assignment}/{one.notebook}" + (
                f", cell {finding.cell}" if finding.cell else ""
            )
            console.print(f"[bold]{escape(where)}[/bold]: {escape(finding.reason)}", soft_wrap=True)
            for row in finding.diff.split("\n") if finding.diff else []:
                console.print(
                    f"    {row}",
                    style="red" if row.startswith("-") else "green",
                    markup=False,
                    highlight=False,
                    soft_wrap=True,
                )


def _outcome(verified: Iterable[Verified]) -> str:
    count = sum(len(one.findings) for one in verified)
    return f"[red]{count} to mend.[/red]" if count else "[green]Nothing to mend.[/green]"


def _cell(tally: TrialCounts) -> str:
    if not tally.tried:
        return "–"
    return (
        f"{tally.good} / {tally.tried}"
        if tally.good == tally.tried
        else f"[red]{tally.good} / {tally.tried}[/red]"
    )
