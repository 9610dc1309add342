"""Formulas as sequences of symbols, and where one sequence stands in another.

It knows neither LaTeX nor Python: `latex` and `pycode` make the sequences.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Symbol(NamedTuple):
    """One symbol of a formula or of code."""

    text: str
    position: int = 0  # where it stands in its text; for code, the number of its line
    is_index: bool = False  # a letter in a subscript, which may have another name


SCRIPTS = ("_", "^")  # a symbol of a formula that one of these follows is part of another symbol
TRAILERS = ("[", ".")  # the same for code


def occurrences(
    form: Sequence[Symbol], text: Sequence[Symbol], continued: Sequence[str] = SCRIPTS
) -> Iterator[int]:
    """Yield the position of each occurrence of a form in a text.

    Index letters of the form may have other names in the text, the same one wherever they stand.
    Where one of `continued` follows, the text goes on with something else than the form.
    """
    fixed = {symbol.text for symbol in form if not symbol.is_index}
    # Most places fail at one symbol that must be the same: look at it first.
    anchor = next((place for place, symbol in enumerate(form) if not symbol.is_index), 0)
    needed = form[anchor].text if form and not form[anchor].is_index else None
    for start in range(len(text) - len(form) + 1):
        if needed is not None and text[start + anchor].text != needed:
            continue
        end = start + len(form)
        goes_on = (
            len(form) > 1
            and end < len(text)
            and text[end].text in continued
            and not _is_transposed(text[end : end + 2])
        )
        if not goes_on and _agree(form, text[start:end], fixed):
            yield text[start].position


def _is_transposed(part: Sequence[Symbol]) -> bool:
    return [symbol.text for symbol in part] in (["^", r"\top"], [".", "T"])


def _agree(form: Sequence[Symbol], part: Sequence[Symbol], fixed: set[str]) -> bool:
    renamed: dict[str, str] = {}
    for ours, theirs in zip(form, part, strict=True):
        if ours.is_index and theirs.is_index and ours.text not in fixed:
            if renamed.setdefault(ours.text, theirs.text) != theirs.text:
                return False
        elif ours.text != theirs.text:
            return False
    return len(set(renamed.values())) == len(renamed)
