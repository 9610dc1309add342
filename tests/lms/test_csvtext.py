"""Edits of CSV files: Python's own reader finds the new values, and every other byte is as it
was.
"""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbreferee.lms.csvtext import TableError, number_text, parse_table, read_number, safe_text

cells = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]) | st.sampled_from('",;\t\n '),
    max_size=6,
)


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, list[list[str]], str]:
    """A file with its rows, as Python's writer makes it, with any of the usual habits."""
    separator = draw(st.sampled_from(",;\t"))
    width = draw(st.integers(3, 5))
    header = [f"heading {n}" for n in range(width)]
    rows = [
        header,
        *draw(st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=4)),
    ]
    out = io.StringIO()
    csv.writer(
        out,
        delimiter=separator,
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
        quoting=csv.QUOTE_ALL if draw(st.booleans()) else csv.QUOTE_MINIMAL,
    ).writerows(rows)
    bom = b"\xef\xbb\xbf" if draw(st.booleans()) else b""
    return bom + out.getvalue().encode(), rows, separator


@given(files(), cells, st.data())
def test_one_cell_changes_and_nothing_else(
    file: tuple[bytes, list[list[str]], str], value: str, data: st.DataObject
) -> None:
    text, rows, separator = file
    table = parse_table("x.csv", text)
    assert [[cell.value for cell in row] for row in table.rows] == rows
    assert table.edited({}) == text
    row, column = (
        data.draw(st.integers(1, len(rows) - 1)),
        data.draw(st.integers(0, len(rows[0]) - 1)),
    )
    cell = table.rows[row][column]
    edited = table.edited({cell: value})
    expected = [list(one) for one in rows]
    expected[row][column] = value
    assert (
        list(csv.reader(io.StringIO(edited.decode("utf-8-sig"), newline=""), delimiter=separator))
        == expected
    )
    start, end = len(table.text[: cell.start].encode()), len(table.text[cell.end :].encode())
    assert edited.startswith(text[:start])
    assert end == 0 or edited.endswith(text[-end:])


@given(st.floats(0, 1e6))
def test_numbers_keep_every_digit(number: float) -> None:
    assert float(number_text(number)) == number
    assert read_number(number_text(number, decimal_comma=True)) == number
    assert set(number_text(number)) <= set("0123456789.")


BAD = {
    "nothing": (b"", "is empty"),
    "one column": (b"a\nb\n", "no columns"),
    "a spreadsheet's own": (b"PK\x03\x04\0\0", "no CSV file"),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), "no CSV file"),
    "a row that is too long": (b"a,b,c\n1,2,3\n1,2,3,4\n", "row 3 has 4 cells"),
    "a row that is too short": (b"a,b,c\n1,2\n", "row 2 has 2 cells, and the heading 3"),
    "a quote that is not closed": (b'a,b,c\n1,"2,3\n', "quotes do not fit"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_table_is_refused(case: str) -> None:
    data, why = BAD[case]
    with pytest.raises(TableError, match=why):
        parse_table("x.csv", data)


def test_quotes_of_php_are_read() -> None:
    """PHP's fputcsv leaves a quote single behind a backslash; Moodle writes so."""
    data = b'a,b,c\n1,"said \\"no, never\\" twice",3\n'
    table = parse_table("x.csv", data)
    assert table.value(table.rows[1], 2) == "3"
    assert table.edited({table.rows[1][2]: "4"}) == data.replace(b",3", b",4")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_formulas_become_text(text: str) -> None:
    assert safe_text(text) == f"'{text}"
