"""A CSV file as text in which single cells can be replaced; every other byte stays as it is.

Line ends, quotes, byte-order mark, separator and blank rows are never parsed and written again: a
cell is a span of the file's text, and an edit replaces that span.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

SEPARATORS = (",", ";", "\t")
FILE_BYTES = 256 << 20
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
BOM = "\ufeff"

# A quoted cell as RFC 4180 has it, and as PHP's fputcsv writes it: there a backslash protects a
# quote.
_QUOTED = {"rfc": r'"(?:[^"]|"")*"', "php": r'"(?:[^"\\]|\\.|"")*"'}


class TableError(Exception):
    """A file that cannot be used as a table; the text says where, why and what to do."""


@dataclass(frozen=True)
class Cell:
    """A cell: its value, and where its text stands in the file."""

    value: str
    start: int
    end: int
    quoted: bool


@dataclass(frozen=True)
class Table:
    """A CSV file: rows of cells over the text that they were read from."""

    name: str  # for messages
    text: str
    encoding: str
    separator: str
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def header(self) -> list[str]:
        """The values of the first row, without surrounding blanks."""
        return [cell.value.strip() for cell in self.rows[0]]

    @property
    def body(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows after the first that are not blank."""
        return tuple(row for row in self.rows[1:] if any(cell.value.strip() for cell in row))

    @cached_property
    def decimal_comma(self) -> bool:
        """Whether the file's own numbers have decimal commas, and none has a point."""
        numbers = Counter(
            match[1]
            for row in self.rows[1:]
            for cell in row
            if (match := re.fullmatch(r"-?\d+([.,])\d{1,5}%?", cell.value.strip()))
        )
        return bool(numbers[","]) and not numbers["."]

    def value(self, row: tuple[Cell, ...], column: int) -> str:
        """Return a row's value in a column, without surrounding blanks; nothing where the row ends
        before it.
        """
        return row[column].value.strip() if column < len(row) else ""

    def edited(self, cells: Mapping[Cell, str]) -> bytes:
        """Return the file with new values in these cells; all else is byte for byte as it was."""
        pieces, position = [], 0
        for cell, value in sorted(cells.items(), key=lambda pair: pair[0].start):
            pieces += [self.text[position : cell.start], self._written(value, cell.quoted)]
            position = cell.end
        try:
            return "".join([*pieces, self.text[position:]]).encode(self.encoding)
        except UnicodeEncodeError as error:
            raise TableError(
                f"{self.name}: {error.object[error.start]!r} cannot be written in this file's "
                f"encoding, {self.encoding}. Download it as UTF-8."
            ) from None

    def _written(self, value: str, quoted: bool) -> str:
        special = any(character in value for character in (self.separator, '"', "\r", "\n"))
        return '"' + value.replace('"', '""') + '"' if quoted or special else value


def read_table(path: Path) -> Table:
    """Read a CSV file.

    Raises
    ------
    TableError
        where it is no CSV file that can be edited safely.
    """
    try:
        if path.stat().st_size > FILE_BYTES:
            raise TableError(
                f"{path}: this file is larger than {FILE_BYTES >> 20} MB. Is it the right one?"
            )
        return parse_table(str(path), path.read_bytes())
    except OSError as error:
        raise TableError(f"{path}: {error.strerror}. Name the file that you downloaded.") from None


def parse_table(name: str, data: bytes) -> Table:
    """Parse the bytes of a CSV file.

    Raises
    ------
    TableError
        where they are none.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4096]:
        raise TableError(
            f"{name}: this is no CSV file in UTF-8. Download it again as CSV, and do not save it "
            "with a spreadsheet program."
        )
    try:
        text, encoding = data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = data.decode("latin-1"), "latin-1"
    if not text.removeprefix(BOM).strip():
        raise TableError(f"{name}: this file is empty. Download it again.")
    found = [
        (len(rows[0]), separator, rows)
        for separator in SEPARATORS
        for dialect in ("rfc", "php")
        if (rows := _rows(text, separator, dialect)) is not None
        and len(rows[0]) > 1
        and _even(rows)
    ]
    if not found:
        raise TableError(f"{name}: {_fault(text)}")
    _, separator, rows = max(
        found, key=lambda one: one[0]
    )  # the first of equals: a comma, RFC 4180
    return Table(name, text, encoding, separator, rows)


def safe_text(value: str) -> str:
    """Return text that a spreadsheet program does not take for a formula."""
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def row_text(values: Iterable[str]) -> str:
    """Return a row of a new CSV file, separated by commas."""
    return (
        ",".join(
            '"' + value.replace('"', '""') + '"' if re.search('[",\r\n]', value) else value
            for value in values
        )
        + "\n"
    )


def number_text(number: float, decimal_comma: bool = False) -> str:
    """Return a number with all its digits and no exponent: 8.5, 20."""
    from decimal import Decimal

    text = format(Decimal(repr(float(number))), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace(".", ",") if decimal_comma else text


def read_number(text: str) -> float | None:
    """Return the number that a cell holds, with a decimal point or comma, or None."""
    found = re.fullmatch(r"(\d+)(?:[.,](\d+))?", text.strip())
    return float(f"{found[1]}.{found[2] or 0}") if found else None


def _rows(text: str, separator: str, dialect: str) -> tuple[tuple[Cell, ...], ...] | None:
    """Return the rows of a text, or None where its quotes do not fit."""
    mark = re.escape(separator)
    cell = re.compile(
        rf"(?s:({_QUOTED[dialect]})|([^\"{mark}\r\n][^{mark}\r\n]*|))({mark}|\r\n|\n|\r|\Z)"
    )
    position = len(BOM) if text.startswith(BOM) else 0
    rows: list[tuple[Cell, ...]] = []
    row: list[Cell] = []
    while position < len(text) or row:
        found = cell.match(text, position)
        if found is None:
            return None
        quoted = found[1] is not None
        value = found[1][1:-1].replace('""', '"') if quoted else found[2]
        row.append(Cell(value, found.start(), found.start(3), quoted))
        position = found.end()
        if found[3] != separator:
            rows.append(tuple(row))
            row = []
    return tuple(rows)


def _even(rows: tuple[tuple[Cell, ...], ...]) -> bool:
    """Return whether rows are as long as the first: longer by blank cells alone, shorter only where
    nearly blank.
    """
    width = len(rows[0])
    return all(
        _filled(row[width:]) == 0 if len(row) >= width else _filled(row) <= 1 for row in rows
    )


def _filled(cells: tuple[Cell, ...]) -> int:
    return sum(bool(cell.value.strip()) for cell in cells)


def _fault(text: str) -> str:
    """Return why a text is no table, and what to do."""
    cure = "Download it again, and do not save it with a spreadsheet program."
    heading = text.removeprefix(BOM).splitlines()[0]
    separator = max(SEPARATORS, key=heading.count)
    if separator not in heading:
        return (
            "no columns here that are separated by commas, semicolons or tabs. Is it the right "
            "file?"
        )
    rows = _rows(text, separator, "rfc")
    if rows is None:
        return f"its quotes do not fit together. {cure}"
    width = len(rows[0])
    number, cells = next(
        ((number, len(row)) for number, row in enumerate(rows, 1) if not _even((rows[0], row))),
        (1, width),
    )
    return f"row {number} has {cells} cells, and the heading {width}. {cure}"
