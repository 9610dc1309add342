"""Executed notebooks as plain data, for reading many: without their pictures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_PICTURE = re.compile(rb'"image/[\w.+-]+": "')


def read_executed(path: Path) -> Any:
    """Return the JSON of an executed notebook with empty strings for its pictures.

    Raises
    ------
    OSError
        if the file cannot be read.
    ValueError
        if it is no JSON.
    """
    return json.loads(without_pictures(path.read_bytes()))


def without_pictures(data: bytes) -> bytes:
    r"""Return JSON with empty strings in the place of pictures, which are most of its length.

    The key with its quotes stands nowhere inside a string, where quotes are escaped.

    >>> without_pictures(b'{"image/png": "iVBO", "text": "\\"image/png\\": \\"iVBO"}')
    b'{"image/png": "", "text": "\\"image/png\\": \\"iVBO"}'
    """
    kept, place = [], 0
    for found in _PICTURE.finditer(data):
        end = data.find(b'"', found.end())
        if found.start() >= place and end > 0 and data[end - 1 : end] != b"\\":
            kept.append(data[place : found.end()])
            place = end
    return b"".join([*kept, data[place:]])
