"""Readers that follow the platforms' own importers. They share no code with nbreferee."""

from __future__ import annotations

import csv
import io
import re


def canvas_reads(
    data: bytes, assignment_id: int, users: dict[int, str], logins: dict[str, int]
) -> dict[int, str]:
    """gradebook_importer.rb: what an upload would set, by user id."""
    text = data.decode("utf-8-sig")
    lines = text.splitlines(keepends=True)[:3]
    counts = {}
    for separator in ";,":
        sizes = [len(row) for line in lines for row in csv.reader([line], delimiter=separator)]
        counts[separator] = sizes[0] if len(set(sizes)) == 1 else 0
    separator = ";" if counts[";"] > counts[","] else ","
    rows = [
        row
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        if not re.fullmatch(r"[;, ]*", separator.join(row))
    ]
    header = rows[0]
    split = header[:2] == ["LastName", "FirstName"]
    assert ("Student" in header[0] and "ID" in header[1]) or split
    assert "Section" in header
    columns = [
        n
        for n, name in enumerate(header)
        if (found := re.search(r"\((\d+)\)$", name)) and int(found[1]) == assignment_id
    ]
    column = header.index(header[columns[0]])  # Canvas takes the first of that heading
    new_assignments = [
        name
        for name in header[header.index("Section") + 1 :]
        if not re.search(r"\(\d+\)$", name)
        and not re.search("(Current|Final|Override) (Score|Points|Grade)", name)
        and name != "Notes"
    ]
    assert new_assignments == [], "Canvas would make new assignments"
    grades: dict[int, str] = {}
    for row in rows[1:]:
        if "Points Possible" in row[0] or all(
            re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", cell) for cell in row
        ):
            continue
        user = int(row[2 if split else 1] or 0)
        if user not in users:
            user = logins[row[header.index("SIS Login ID")]]
        cell = row[column].strip()
        if re.fullmatch(r"-?[0-9.,]+%?", cell):  # decimal_comma_to_period
            *parts, last = re.split("[,.]", cell)
            cell = f"{''.join(parts)}.{last}" if parts else last
        grades[user] = cell
    return grades


def moodle_reads(
    data: bytes,
    strings: tuple[str, str, str],
    hidden_user: str,
    decimal_comma: bool,
    maximum: float,
    before: dict[int, str],
) -> dict[int, float]:
    """importgradeslib.php and locallib.php: the grades that an upload would set, by participant."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    identifier, grade, modified = (rows[0].index(word) for word in strings)
    found = {}
    for row in rows[1:]:
        participant = int(row[identifier][len(hidden_user) :])
        text = row[grade].replace(" ", "")
        if decimal_comma:
            text = text.replace(",", ".")
        if not text:
            continue
        start = re.match(r"-?\d*\.?\d*", text)
        assert start
        number = float(start[0])  # PHP's (float)
        if 0 <= number <= maximum:
            found[participant] = number
    assert {int(row[identifier][len(hidden_user) :]): row[modified] for row in rows[1:]} == before
    return found


def gradescope_reads(data: bytes, column: str) -> dict[str, str]:
    """The scores of a table, by e-mail address."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    score, email = rows[0].index(column), rows[0].index("Email")
    return {row[email]: row[score] for row in rows[1:] if row}
