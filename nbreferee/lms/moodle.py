"""Moodle: its grading worksheet in any language, and the names of folders and files in its
submission zips.

Sources: moodle/moodle, mod/assign/gradingtable.php, feedback/offline/importgradeslib.php and
locallib.php, feedback/file/importziplib.php, classes/downloader.php. The words of headings are
those of the instructor's language; so columns are found by what stands in them, and by known words
where that leaves a choice.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from nbreferee.lms.csvtext import Cell, Table, TableError, read_number
from nbreferee.lms.moodle_words import LOCKED, WORDS
from nbreferee.lms.people import Person

_IDENTIFIER = re.compile(r"\D*?(\d+)")


def is_worksheet(table: Table) -> bool:
    """Return whether a table is a grading worksheet.

    Its first column holds participants' numbers behind one word, and it has a column for grades.
    Students' ids may look like that as well, in other rosters.
    """
    if len(table.header) < 4 or not table.body or _word(table.header[0]).startswith("student"):
        return False
    found = [re.fullmatch(r"(\D+)(\d+)", table.value(row, 0)) for row in table.body]
    if not all(found) or len({one[1] for one in found if one}) != 1:
        return False
    return _word(table.header[0]) in WORDS["identifier"] or bool(_pairs(table))


def people_of(table: Table) -> list[Person]:
    """Return the participants of a worksheet."""
    return [person for _, person in student_rows(table)]


def student_rows(table: Table) -> list[tuple[tuple[Cell, ...], Person]]:
    """Return the rows of participants, each with who it is."""
    columns = _columns(table)
    found = []
    for position, row in enumerate(table.rows[1:], 2):
        number = _IDENTIFIER.fullmatch(table.value(row, 0))
        if number is None:
            continue
        values = {kind: table.value(row, column) for kind, column in columns.items()}
        ids = {
            "participant": number[1],
            **{kind: values.get(kind, "") for kind in ("username", "idnumber", "email")},
        }
        first, last = values.get("first", ""), values.get("last", "")
        name = values.get("name") or f"{first} {last}".strip()
        groups = tuple(
            group.strip() for group in values.get("group", "").split(",") if group.strip()
        )
        found.append(
            (
                row,
                Person(
                    name,
                    first,
                    last,
                    {k: v for k, v in ids.items() if v},
                    groups,
                    f"{table.name}, row {position}",
                ),
            )
        )
    return found


@dataclass(frozen=True)
class Columns:
    """Where scores and comments go in a worksheet."""

    grade: int
    max_score: float
    changeable: int | None
    comments: int | None


def find_columns(table: Table, wanted: str = "", comments: str = "") -> Columns:
    """Return the columns of scores and comments: by their headings where those are given, else by
    meaning.

    Raises
    ------
    TableError
        where that leaves a choice, or nothing.
    """
    words = [_word(heading) for heading in table.header]
    if wanted and table.header.count(wanted) != 1:
        raise TableError(
            f"{table.name}: not exactly one column {wanted}. Its columns: "
            f"{', '.join(table.header)}."
        )
    pairs = [number for number in _pairs(table) if wanted in ("", table.header[number - 1])]
    by_word = [
        number
        for number in pairs
        if words[number] in WORDS["maximum"] or words[number - 1] in WORDS["grade"]
    ]
    pairs = by_word if len(by_word) == 1 else pairs
    if not pairs and any(word in WORDS["scale"] for word in words):
        raise TableError(
            f"{table.name}: this assignment is graded with a scale of words, not with points. "
            "Change its grade type in Moodle to points."
        )
    if len(pairs) != 1:
        raise TableError(
            f"{table.name}: {'several columns' if pairs else 'no column'} for scores with the "
            f"maximum beside. Say which: --column HEADING, one of {', '.join(table.header)}."
        )
    maximum = pairs[0]
    changed = _by_word(words, "changed")
    remarks = (
        table.header.index(comments) if comments in table.header else _by_word(words, "comments")
    )
    if comments and comments not in table.header:
        raise TableError(
            f"{table.name}: no column {comments}. Its columns: {', '.join(table.header)}."
        )
    remarks = (
        remarks
        if remarks is not None or changed is None or changed + 2 != len(words)
        else changed + 1
    )
    score = next(
        value for row in table.body if (value := read_number(table.value(row, maximum))) is not None
    )
    return Columns(maximum - 1, score, maximum + 1 if maximum + 1 < len(words) else None, remarks)


def is_locked(table: Table, row: tuple[Cell, ...], columns: Columns) -> bool:
    """Return whether Moodle says that this grade cannot be changed."""
    if columns.changeable is None:
        return False
    return any(
        table.value(row, number).casefold() in LOCKED
        for number in (columns.changeable, columns.changeable + 1)
    )


def _columns(table: Table) -> dict[str, int]:
    """Return where names, ids and groups stand: by known words, an e-mail address by what it looks
    like.
    """
    words = [_word(heading) for heading in table.header]
    kinds = ("name", "first", "last", "username", "idnumber", "email", "group")
    found = {
        kind: number
        for kind in kinds
        if (number := _by_word(words, kind)) is not None and number > 0
    }
    if "email" not in found:
        mails = [
            n for n in range(1, len(words)) if all("@" in table.value(row, n) for row in table.body)
        ]
        found |= {"email": mails[0]} if len(mails) == 1 else {}
    if (
        not found.keys() & {"name", "first", "last"}
        and len(words) > 1
        and words[1] not in sum(WORDS.values(), ())
        and _looks_like_names(table)
    ):
        found["name"] = 1
    return {
        kind: number
        for kind, number in found.items()
        if kind == "name" or "name" not in found or kind not in ("first", "last")
    }


def _looks_like_names(table: Table) -> bool:
    values = [table.value(row, 1) for row in table.body]
    return (
        all(" " in value and "@" not in value and not re.search(r"\d", value) for value in values)
        and len(set(values)) > len(values) / 2
    )


def _by_word(words: list[str], kind: str) -> int | None:
    found = [number for number, word in enumerate(words) if word in WORDS[kind]]
    return found[0] if len(found) == 1 else None


def _word(heading: str) -> str:
    return unicodedata.normalize("NFC", heading).casefold().strip()


def _pairs(table: Table) -> list[int]:
    """Return the columns that may be the maximum, beside a column that may be the grades."""
    columns = range(2, len(table.header))
    return [
        number
        for number in columns
        if _holds_maximum(table, number) and _holds_scores(table, number - 1)
    ]


def _holds_maximum(table: Table, column: int) -> bool:
    values = {table.value(row, column) for row in table.body}
    number = read_number(next(iter(values))) if len(values) == 1 else None
    return bool(number)


def _holds_scores(table: Table, column: int) -> bool:
    values = [table.value(row, column) for row in table.body]
    return all(value in ("", "-") or read_number(value) is not None for value in values)


@dataclass(frozen=True)
class EntryName:
    """What a path in a submissions zip says."""

    name: str  # of the student or the group, or the word for a participant
    number: str  # of the participant or the group; none for those without a group
    plugin: str  # 'file' or 'onlinetext'
    path: str  # of the file, inside the student's folder


_ENTRY = re.compile(
    r"(?P<name>.*?)(?:_(?P<number>\d+))?_assignsubmission_(?P<plugin>[a-z]+)(?:_(?P<flat>[^/]+)|_?/(?P<path>.+))",
    re.DOTALL,
)


def read_entry_name(path: str) -> EntryName | None:
    """Return what a path says, with folders or flat, of Moodle before or after 4.1, or None."""
    top, _, _ = path.partition("/")
    found = _ENTRY.fullmatch(path)
    if found is None or "/" in found["name"] or not top:
        return None
    return EntryName(
        found["name"], found["number"] or "", found["plugin"], found["path"] or found["flat"]
    )
