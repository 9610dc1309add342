"""Take a cell apart that holds several answers, and tell whether two cells are halves of one."""

from __future__ import annotations

import io
import itertools
import re
import tokenize
from collections.abc import Mapping

from nbreferee.submission.texts import defined_names, normal

SPLIT_CHARACTERS = 20_000  # of a cell that is taken apart or put together
CONTINUED = re.compile(r"(?:elif|else|except|finally)\b")
ONLY_INSIDE = re.compile(
    r"^[ \t]+(?:return|yield|elif|else|except|finally|break|continue)\b", re.MULTILINE
)
COMMENT = re.compile(r"[ \t]*(?:#.*)?")
BLANK = (
    tokenize.NL,
    tokenize.COMMENT,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
)
# Python 3.12 and 3.13 raise SystemError for some texts with null bytes.
TOKENIZE_ERRORS = (tokenize.TokenError, SyntaxError, ValueError, SystemError)


def split_source(source: str, wanted: Mapping[str, frozenset[str]]) -> dict[str, str] | None:
    """Return the part of a cell's source for each answer, by the names that the answers define;
    None where they are mixed.

    What defines none of the names goes with what follows it.
    """
    blocks = _blocks(source)
    if blocks is None:
        return None
    parts: dict[str, list[str]] = {}
    waiting: list[str] = []
    last = ""
    for block in blocks:
        waiting.append(block)
        owners = [name for name, names in wanted.items() if names & defined_names(block)]
        if not owners:
            continue
        if len(owners) > 1 or (owners[0] in parts and owners[0] != last):
            return None
        last = owners[0]
        parts.setdefault(last, []).extend(waiting)
        waiting = []
    if parts.keys() != wanted.keys():
        return None
    parts[last] += waiting
    return {name: normal("\n".join(lines)) for name, lines in parts.items()}


def _blocks(source: str) -> list[str] | None:
    """Return the statements of a source, each with the comments above it; None where it cannot be
    told.
    """
    starts = _statement_lines(source)
    if starts is None:
        return None
    lines = source.split("\n")
    cuts = []
    for start in starts:
        while start > 0 and lines[start - 1].startswith("#") and start - 1 not in starts:
            start -= 1
        cuts.append(start)
    cuts = [0, *cuts[1:], len(lines)] if cuts else [0, len(lines)]
    return ["\n".join(lines[start:end]) for start, end in itertools.pairwise(cuts)]


def _statement_lines(source: str) -> list[int] | None:
    """Return the numbers, from 0, of the lines where a statement begins that is in no other."""
    if len(source) > SPLIT_CHARACTERS:
        return None
    starts: list[int] = []
    is_new, is_decorator = True, False
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NEWLINE:
                is_new = True
            elif is_new and token.type not in BLANK:
                if token.start[1] == 0 and not is_decorator and not CONTINUED.match(token.line):
                    starts.append(token.start[0] - 1)
                is_decorator = token.string == "@" and token.start[1] == 0
                is_new = False
    except TOKENIZE_ERRORS:
        return None
    return starts


def are_halves(first: str, second: str) -> bool:
    """Tell whether two code cells are one that was split within a statement."""
    if len(first) + len(second) > SPLIT_CHARACTERS:
        return False
    head = second.lstrip("\n")[:1]
    code = [line for line in first.split("\n") if not COMMENT.fullmatch(line)]
    ends_open = bool(code) and code[-1].rstrip().endswith(":") and head in (" ", "\t")
    goes_on = (
        head in (" ", "\t")
        and ONLY_INSIDE.search(second) is not None
        and first.split("\n")[-1][:1] in (" ", "\t")
    )
    if not (ends_open or goes_on or _may_be_open(first)):
        return False
    if not (ends_open or goes_on) and _statement_lines(first) is not None:
        return False
    return _statement_lines(f"{first}\n{second}") is not None


def _may_be_open(source: str) -> bool:
    """Tell quickly whether a bracket, a string or a line may go on behind a source."""
    pairs = any(source.count(left) > source.count(right) for left, right in ("()", "[]", "{}"))
    return (
        pairs or any(source.count(quotes) % 2 for quotes in ('"""', "'''")) or source.endswith("\\")
    )
