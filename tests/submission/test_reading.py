"""Every kind of file is read as a notebook, with a repair in words, or refused with a reason of its
own.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import Any

import pytest

from nbreferee.submission.reading import (
    CELLS,
    NOTEBOOK_BYTES,
    SubmissionError,
    Submitted,
    read_notebook,
)

UMLAUTS = "# für alle, 5 €\ndef square(x):\n    return x * x"
LATIN = UMLAUTS.replace(" €", "")
GRADED = {"nbgrader": {"grade_id": "square", "solution": True}}


def notebook(source: object = UMLAUTS, **fields: object) -> dict[str, Any]:
    """A notebook of three cells in plain JSON."""
    code = {
        "cell_type": "code",
        "source": source,
        "metadata": GRADED,
        "id": "b",
        "outputs": [],
        "execution_count": None,
    }
    cells = [
        {"cell_type": "markdown", "source": "# Größe", "metadata": {}, "id": "a"},
        code,
        {"cell_type": "raw", "source": "", "metadata": {}, "id": "c"},
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **fields}


def text(**fields: object) -> str:
    return json.dumps(notebook(**fields), ensure_ascii=False, indent=1)


def conflict(whole: str) -> str:
    lines = whole.splitlines(keepends=True)
    start, mine, end = "".join(lines[:6]), "".join(lines[6:9]), "".join(lines[9:])
    return f"{start}<<<<<<< HEAD\n{mine}=======\n{mine}>>>>>>> origin/main\n{end}"


def archive(name: str) -> bytes:
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w") as members:
            members.writestr(name, text())
        return file.getvalue()


# name: (bytes, source of the code cell, repairs)
READ = {
    "utf_8": (text().encode(), UMLAUTS, []),
    "utf_8_with_mark": (text().encode("utf-8-sig"), UMLAUTS, []),
    "utf_8_with_blank_lines": (b"\n \n" + text().encode() + b"\n\n", UMLAUTS, []),
    "ascii": (json.dumps(notebook()).encode(), UMLAUTS, []),
    "utf_16_with_mark": (
        text().encode("utf-16"),
        UMLAUTS,
        ["the file was in UTF-16: read as such"],
    ),
    "utf_16_big_endian_with_mark": (
        b"\xfe\xff" + text().encode("utf-16-be"),
        UMLAUTS,
        ["the file was in UTF-16: read as such"],
    ),
    "utf_16_little_endian": (
        text().encode("utf-16-le"),
        UMLAUTS,
        ["the file was in UTF-16: read as such"],
    ),
    "utf_16_big_endian": (
        text().encode("utf-16-be"),
        UMLAUTS,
        ["the file was in UTF-16: read as such"],
    ),
    "utf_32": (text().encode("utf-32"), UMLAUTS, ["the file was in UTF-32: read as such"]),
    "windows_1252": (
        text().encode("cp1252"),
        UMLAUTS,
        ["the file was not in UTF-8: read as Windows-1252"],
    ),
    "latin_1": (
        text(source=LATIN).encode("latin-1"),
        LATIN,
        ["the file was not in UTF-8: read as Windows-1252"],
    ),
    "latin_1_controls": (
        text(source="x\x81ü").encode("latin-1"),
        "x\x81ü",
        ["the file was not in UTF-8: read as Latin-1"],
    ),
    "one_byte_damaged": (
        text().encode().replace(b"alle", b"a\xffle"),
        UMLAUTS.replace("alle", "a\ufffdle"),
        ["the file has 1 byte that is not UTF-8: a question mark stands for each"],
    ),
    "not_a_number": (text(x=float("nan"), y=float("-inf")).encode(), UMLAUTS, []),
    "trailing_commas": (
        text(source="x = [1,]\n'a,}'").replace("\n  }\n ],", ",\n  },\n ],").encode(),
        "x = [1,]\n'a,}'",
        ["the file had commas that JSON does not allow: left out"],
    ),
    "raw_line_breaks": (
        text().replace("\\n", "\n").encode(),
        UMLAUTS,
        ["the file had line breaks or tabs inside of JSON strings: read as they stand"],
    ),
    "zero_bytes_at_the_end": (
        text().encode() + bytes(512),
        UMLAUTS,
        ["the file had zero bytes after its end: left out"],
    ),
    "windows_line_ends_in_the_file": (text().replace("\n", "\r\n").encode(), UMLAUTS, []),
    "source_as_lines": (text(source=UMLAUTS.splitlines(keepends=True)).encode(), UMLAUTS, []),
    "no_format": (json.dumps({"cells": notebook()["cells"]}).encode(), UMLAUTS, []),
    "format_of_the_future": (text(nbformat=5).encode(), UMLAUTS, []),
}


@pytest.mark.parametrize("kind", READ)
def test_what_can_be_read_without_doubt_is_read(kind: str) -> None:
    data, source, repairs = READ[kind]
    reading = read_notebook(data)
    assert list(reading.repairs) == repairs
    assert reading.cells[1] == Submitted("code", source, "square", {}, "b")
    assert [cell.kind for cell in reading.cells] == ["markdown", "code", "markdown"]


def test_formats_1_to_3_are_read() -> None:
    cells = [
        {
            "cell_type": "code",
            "input": ["x = 1\n", "y = 2"],
            "language": "python",
            "metadata": GRADED,
        }
    ]
    heading = {"cell_type": "heading", "level": 2, "source": "Title"}
    sheets = [{"cells": [heading]}, None, {"cells": cells}, {"cells": 1}]
    for number in (2, 3):
        reading = read_notebook(
            json.dumps(
                {"nbformat": number, "metadata": {"name": ""}, "worksheets": sheets}
            ).encode()
        )
        assert [(cell.source, cell.grade_id) for cell in reading.cells] == [
            ("## Title", ""),
            ("x = 1\ny = 2", "square"),
        ]
    first = {
        "nbformat": 1,
        "cells": [{"cell_type": "code", "code": "x = 1"}, {"cell_type": "text", "text": "Hello"}],
    }
    assert [
        (cell.kind, cell.source) for cell in read_notebook(json.dumps(first).encode()).cells
    ] == [("code", "x = 1"), ("markdown", "Hello")]


def test_cell_id_of_colab_is_read() -> None:
    cell = {"cell_type": "code", "source": "", "metadata": {"id": "aBcD"}}
    assert read_notebook(json.dumps({"cells": [cell]}).encode()).cells[0].cell_id == "aBcD"


REFUSED = {
    "empty": (b"", "the file is empty. Ask for the notebook again"),
    "blank": (b"\xef\xbb\xbf \n", "the file is empty. Ask for the notebook again"),
    "zeros": (
        bytes(4096),
        "the file is empty (it holds zero bytes alone). Ask for the notebook again",
    ),
    "text": (
        b"Dear grader, my dog",
        "the file is not a notebook, for it is not JSON. Ask for the notebook itself",
    ),
    "script": (
        b"import numpy as np\nx = 1\n",
        "the file is not a notebook but a Python script. Ask for the notebook itself",
    ),
    "percent_script": (
        b"# %% [markdown]\n# Title\n",
        "the file is not a notebook but a Python script. Ask for the notebook itself",
    ),
    "page": (
        b"\n<!DOCTYPE html>\n<html><head>",
        (
            "the file is not a notebook but a web page (HTML or XML). Ask for the notebook "
            "itself, not the page that shows it"
        ),
    ),
    "zip": (
        archive("one.ipynb"),
        (
            "the file is not a notebook but a zip archive. Unpack it, and put the notebook that "
            "is inside in its place"
        ),
    ),
    "gzip": (
        gzip.compress(text().encode()),
        (
            "the file is not a notebook but a gzip archive. Unpack it, and put the notebook that "
            "is inside in its place"
        ),
    ),
    "pdf": (
        b"%PDF-1.7\n",
        "the file is not a notebook but a PDF document. Ask for the notebook itself",
    ),
    "picture": (
        b"\x89PNG\r\n",
        "the file is not a notebook but a picture. Ask for the notebook itself",
    ),
    "rtf": (
        rb"{\rtf1\ansi {",
        "the file is not a notebook but an RTF document. Ask for the notebook itself",
    ),
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        (
            "the file is not a notebook but a Git LFS pointer. Run git lfs pull to get the "
            "notebook that it stands for"
        ),
    ),
    "conflict": (
        conflict(text()).encode(),
        (
            "the file has git's conflict markers (the first in line 7). Resolve the conflict, for "
            "example with nbdime"
        ),
    ),
    "conflict_with_windows_lines": (
        conflict(text()).replace("\n", "\r\n").encode(),
        (
            "the file has git's conflict markers (the first in line 7). Resolve the conflict, for "
            "example with nbdime"
        ),
    ),
    "half": (
        text().encode()[:200],
        "the file breaks off before its end, so it is not JSON. Ask for the notebook again",
    ),
    "half_after_a_bracket": (
        text().encode()[: text().index("]") + 1],
        "the file breaks off before its end, so it is not JSON. Ask for the notebook again",
    ),
    "half_of_utf_16": (
        text().encode("utf-16")[:401],
        "the file breaks off before its end, so it is not JSON. Ask for the notebook again",
    ),
    "twice": (
        text().encode() * 2,
        (
            "the file is not a notebook, for it is not JSON (line 32). Ask for the notebook "
            "itself, as Jupyter has saved it"
        ),
    ),
    "brackets": (b"[" * 200_000, "the file is not a notebook: its JSON is nested too deeply"),
    "deep_cells": (
        b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        "the file is not a notebook: its JSON is nested too deeply",
    ),
    "digits": (
        b'{"cells": [], "x": ' + b"1" * 100_000 + b"}",
        "the file is not a notebook: its JSON has a number with too many digits",
    ),
    "list": (
        b"[]",
        "the file is not a notebook, for it has no list of cells. Ask for the notebook itself",
    ),
    "number": (b"1", "the file is not a notebook, for it is not JSON. Ask for the notebook itself"),
    "no_cells": (
        b"{}",
        "the file is not a notebook, for it has no list of cells. Ask for the notebook itself",
    ),
    "cells_an_object": (
        b'{"cells": {"0": {}}}',
        "the file is not a notebook, for it has no list of cells. Ask for the notebook itself",
    ),
    "worksheets_null": (
        b'{"worksheets": null}',
        "the file is not a notebook, for it has no list of cells. Ask for the notebook itself",
    ),
    "too_many_cells": (
        json.dumps({"cells": [{}] * (CELLS + 1)}).encode(),
        "the notebook has 2,001 cells, and 2,000 are allowed",
    ),
    "too_large": (
        b" " * (NOTEBOOK_BYTES + (1 << 20)),
        "the file is 65 MB large, and 64 MB are allowed. Clear outputs that are too large",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_notebook_is_refused_with_its_own_reason(kind: str) -> None:
    data, words = REFUSED[kind]
    with pytest.raises(SubmissionError) as refused:
        read_notebook(data)
    assert str(refused.value) == words
    assert words.isprintable()
