"""What a course's nbgrader settings say about one notebook: delimiters, limits on outputs, the
error of a timeout.

It holds values only. `nbgrader_settings` reads them from a course's configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Pair = tuple[str, str]  # the words that begin and end a region


@dataclass(frozen=True)
class Delimiters:
    """The words in a line that begin and end a region, as nbgrader's preprocessors look for
    them.
    """

    solution: Pair = ("BEGIN SOLUTION", "END SOLUTION")  # c.ClearSolutions
    hidden: Pair = ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS")  # c.ClearHiddenTests
    scheme: Pair = ("BEGIN MARK SCHEME", "END MARK SCHEME")  # c.ClearMarkScheme
    autotest: str = "AUTOTEST"  # c.InstantiateTests
    enforced: bool = True  # solutions and hidden tests stand in cells of their kind alone


DELIMITERS = Delimiters()


@dataclass(frozen=True)
class Rules:
    """What holds for every notebook of a course."""

    delimiters: Delimiters = DELIMITERS
    output_lines: int = -1  # of a cell's streams, c.LimitOutput.max_lines; -1: no limit
    traceback_lines: int = -1  # of an error, c.LimitOutput.max_traceback; -1: no limit
    ignored_stderr: str = ""  # a pattern, c.IgnorePattern; streams that match it are taken out
    one_process: str | tuple[str, ...] = "auto"  # c.NbReferee.one_process
    follow_through: bool = False  # c.NbReferee.follow_through
    replay: bool = False  # c.NbReferee.replay
    share_results: bool = False  # c.NbReferee.share_results
    timeout_error: Mapping[str, Any] = field(
        default_factory=dict, hash=False
    )  # c.Execute.error_on_timeout, where set


def marked_lines(source: str, pair: Pair) -> set[int]:
    """Return the numbers, from 1, of the lines between a begin and an end delimiter."""
    return {number for number, _, marked in _walk(source, pair) if marked}


def without(source: str, pair: Pair) -> str:
    """Return a source as nbgrader leaves it: the region and the lines with its delimiters are
    gone.
    """
    return "\n".join(line for _, line, marked in _walk(source, pair) if marked is False)


def released_view(source: str, delimiters: Delimiters = DELIMITERS) -> str:
    """Return a cell as students got it: without hidden tests and mark schemes."""
    return without(without(source, delimiters.hidden), delimiters.scheme)


def _walk(source: str, pair: Pair) -> Iterator[tuple[int, str, bool | None]]:
    """Yield number, text and whether it is inside the region of every line; None for a line with a
    delimiter.
    """
    inside = False
    for number, line in enumerate(source.split("\n"), 1):
        delimiter = pair[0] in line or pair[1] in line
        inside = pair[0] in line or (inside and pair[1] not in line)
        yield number, line, None if delimiter else inside
