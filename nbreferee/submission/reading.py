"""The bytes of a submitted notebook as cells.

The bytes are untrusted. Only the text, the ids and the attachments of cells are read; nothing is
run or parsed as Python. A file that differs from what Jupyter writes is read where its meaning is
certain, with a repair in words; any other is refused with a reason of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

NOTEBOOK_BYTES = 64 << 20
CELLS = 2_000
CELL_CHARACTERS = 2_000_000
REPAIRED_CHARACTERS = 8_000_000  # of a file that is not quite JSON
ID_CHARACTERS = 200

CONFLICT = re.compile(r"^(<{7} |={7}$|>{7} )", re.MULTILINE)
STRING_OR_COMMA = re.compile(r'("(?:[^"\\]++|\\.)*+")|,(?=\s*+[}\]])', re.DOTALL)
SCRIPT = re.compile(
    r"^(#!.*python|# %%|# In ?\[|# coding|import \w|from \w+ import |def \w+\(|class "
    r"\w+[:(]|print\()",
    re.MULTILINE,
)
TAG = re.compile(r"\s*<(!doctype|html|head|body|script|div|\?xml|!--)", re.IGNORECASE)
HAND_IN_AGAIN = "Ask for the notebook itself"
_NOT_JSON = f"the file is not a notebook, for it is not JSON. {HAND_IN_AGAIN}"

SIGNATURES = (  # of files that are no text
    (b"PK\x03\x04", "a zip archive", "Unpack it, and put the notebook that is inside in its place"),
    (b"PK\x05\x06", "an empty zip archive", HAND_IN_AGAIN),
    (b"\x1f\x8b", "a gzip archive", "Unpack it, and put the notebook that is inside in its place"),
    (
        b"7z\xbc\xaf",
        "a 7-Zip archive",
        "Unpack it, and put the notebook that is inside in its place",
    ),
    (b"Rar!", "a RAR archive", "Unpack it, and put the notebook that is inside in its place"),
    (b"%PDF", "a PDF document", HAND_IN_AGAIN),
    (b"\x89PNG", "a picture", HAND_IN_AGAIN),
    (b"\xff\xd8\xff", "a picture", HAND_IN_AGAIN),
    (b"{\\rtf", "an RTF document", HAND_IN_AGAIN),
    (b"SQLite format 3", "a database", HAND_IN_AGAIN),
    (
        b"version https://git-lfs",
        "a Git LFS pointer",
        "Run git lfs pull to get the notebook that it stands for",
    ),
)


class SubmissionError(Exception):
    """A submission that cannot be read at all; the text says why, and what to do."""


@dataclass(frozen=True)
class Submitted:
    """One cell of a submission. Only the types of its fields have been checked."""

    kind: str  # 'code' or 'markdown'
    source: str
    grade_id: str = ""
    attachments: Mapping[str, Any] = field(default_factory=dict)
    cell_id: str = ""  # the notebook format's own


@dataclass(frozen=True)
class Reading:
    """The cells of a file, and what had to be repaired to read them."""

    cells: tuple[Submitted, ...]
    repairs: tuple[str, ...] = ()


def read_notebook(data: bytes) -> Reading:
    """Return the cells of a notebook's bytes, of any format from 1 to 4.

    Raises
    ------
    SubmissionError
        The bytes are not those of a notebook, or too many.
    """
    if len(data) > NOTEBOOK_BYTES:
        raise SubmissionError(
            f"the file is {len(data) >> 20} MB large, and {NOTEBOOK_BYTES >> 20} MB are allowed. "
            "Clear outputs that are too large"
        )
    text, decoding = _decoded(data)
    notebook, parsing = _parsed(text)
    cells = _cells_of(notebook)
    if len(cells) > CELLS:
        raise SubmissionError(f"the notebook has {len(cells):,} cells, and {CELLS:,} are allowed")
    read = tuple(_read_cell(cell) for cell in cells if isinstance(cell, dict))
    return Reading(read, tuple(repair for repair in (decoding, parsing) if repair))


def well_formed(text: str) -> str:
    """Return text that can be written as UTF-8: half a character becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


# ---------------------------------------------------------------- bytes to text


def _decoded(data: bytes) -> tuple[str, str]:
    """Return the text of a file, and a repair where it is not in UTF-8."""
    if not data.strip(b"\0\t\n\r \xef\xbb\xbf\xfe\xff"):
        zeros = " (it holds zero bytes alone)" if b"\0" in data and len(data) > 4 else ""
        raise SubmissionError(f"the file is empty{zeros}. Ask for the notebook again")
    for signature, kind, cure in SIGNATURES:
        if data.startswith(signature):
            raise SubmissionError(f"the file is not a notebook but {kind}. {cure}")
    encoding = json.detect_encoding(data)
    if not encoding.startswith("utf-8"):
        return data.decode(encoding, "replace").removeprefix(
            "\ufeff"
        ), f"the file was in {encoding[:6].upper()}: read as such"
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return _decoded_otherwise(data)


def _decoded_otherwise(data: bytes) -> tuple[str, str]:
    """Return the text of bytes that are not all UTF-8: another encoding, or UTF-8 with some
    damage.
    """
    replaced = data.decode("utf-8-sig", "replace")
    broken = replaced.count("\ufffd")
    whole = sum(map(len, re.findall(r"[^\0-\x7f\ufffd]+", replaced)))
    if whole > broken:
        bytes_ = "1 byte that is" if broken == 1 else f"{broken} bytes that are"
        return replaced, f"the file has {bytes_} not UTF-8: a question mark stands for each"
    try:
        return data.decode("cp1252"), "the file was not in UTF-8: read as Windows-1252"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "the file was not in UTF-8: read as Latin-1"


# ---------------------------------------------------------------- text to JSON


def _parsed(text: str) -> tuple[Any, str]:
    """Return what JSON text stands for, and a repair where it is not quite JSON."""
    attempts: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("", lambda: json.loads(text)),
        (
            "the file had line breaks or tabs inside of JSON strings: read as they stand",
            lambda: json.loads(text, strict=False),
        ),
        (
            "the file had commas that JSON does not allow: left out",
            lambda: json.loads(_without_extra_commas(text), strict=False),
        ),
        (
            "the file had zero bytes after its end: left out",
            lambda: json.loads(text.rstrip("\0"), strict=False),
        ),
    )
    where = 0
    for repair, attempt in attempts if len(text) <= REPAIRED_CHARACTERS else attempts[:1]:
        try:
            return attempt(), repair
        except RecursionError:
            raise SubmissionError(
                "the file is not a notebook: its JSON is nested too deeply"
            ) from None
        except json.JSONDecodeError as error:
            where = max(where, error.pos)
        except ValueError:  # a number with too many digits
            raise SubmissionError(
                "the file is not a notebook: its JSON has a number with too many digits"
            ) from None
    raise SubmissionError(_reason(text, where))


def _without_extra_commas(text: str) -> str:
    return STRING_OR_COMMA.sub(lambda found: found[1] or "", text)


def _reason(text: str, where: int) -> str:
    """Return why a text that is not JSON cannot be graded; `where` is the place of the error."""
    conflicts = list(CONFLICT.finditer(text))
    if {"<", ">"} <= {found[0][0] for found in conflicts}:
        line = text.count("\n", 0, conflicts[0].start()) + 1
        return (
            f"the file has git's conflict markers (the first in line {line:,}). Resolve the "
            "conflict, for example with nbdime"
        )
    if TAG.match(text):
        return (
            f"the file is not a notebook but a web page (HTML or XML). {HAND_IN_AGAIN}, not the "
            "page that shows it"
        )
    if not text.lstrip().startswith(("{", "[")):
        if SCRIPT.search(text):
            return f"the file is not a notebook but a Python script. {HAND_IN_AGAIN}"
        return _NOT_JSON
    ends = text.rstrip()
    if not ends.endswith(("}", "]")) or where >= len(ends):
        return "the file breaks off before its end, so it is not JSON. Ask for the notebook again"
    line = text.count("\n", 0, where) + 1
    return (
        f"the file is not a notebook, for it is not JSON (line {line:,}). {HAND_IN_AGAIN}, as "
        "Jupyter has saved it"
    )


# ---------------------------------------------------------------- JSON to cells


def _cells_of(notebook: Any) -> list[Any]:
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if (
        isinstance(notebook, dict)
        and cells is None
        and isinstance(notebook.get("worksheets"), list)
    ):  # formats 2 and 3
        sheets = [sheet.get("cells") for sheet in notebook["worksheets"] if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
    if not isinstance(notebook, (dict, list)):
        raise SubmissionError(_NOT_JSON)
    if not isinstance(cells, list):
        raise SubmissionError(
            f"the file is not a notebook, for it has no list of cells. {HAND_IN_AGAIN}"
        )
    return cells


def _read_cell(cell: dict[str, Any]) -> Submitted:
    source = next((cell[name] for name in ("source", "input", "code", "text") if name in cell), "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        source = ""
    if cell.get("cell_type") == "heading":  # format 3
        level = cell.get("level")
        source = f"{'#' * (level if type(level) is int and 0 < level < 7 else 1)} {source}"
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    settings = metadata.get("nbgrader")
    attachments = cell.get("attachments")
    return Submitted(
        kind="code" if cell.get("cell_type") == "code" else "markdown",
        source=well_formed(source[:CELL_CHARACTERS]),
        grade_id=_id(settings.get("grade_id")) if isinstance(settings, dict) else "",
        attachments=attachments if isinstance(attachments, dict) else {},
        cell_id=_id(cell.get("id")) or _id(metadata.get("id")),
    )


def _id(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= ID_CHARACTERS else ""
