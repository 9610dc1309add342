"""When a submission was handed in, by its timestamp.txt."""

from __future__ import annotations

import warnings
from datetime import datetime

from nbreferee.submission.open_folder import (
    KINDS,
    Entry,
    FolderError,
    read_regular,
    shown,
)

TIMESTAMP, TIMESTAMP_BYTES = "timestamp.txt", 1_000


def read_timestamp(entry: Entry) -> tuple[datetime | None, str]:
    """Return when a submission was handed in, or why that is not known."""
    try:
        if entry.fault or entry.about is None:
            raise FolderError(entry.fault)
        text = read_regular(entry, TIMESTAMP_BYTES).decode("utf-8-sig").strip()
    except FolderError as error:
        return None, f"it is {error}" if str(error) in KINDS.values() else str(error)
    except UnicodeDecodeError:
        return None, "it is not text in UTF-8"
    if not text:
        return None, "it is empty"
    try:
        return _parse_date(text), ""
    except Exception:  # whatever the parser of dates stumbles over
        return None, f'"{shown(text)}" is no date like 2026-01-31 23:59:00 UTC'


def _parse_date(text: str) -> datetime:
    """Return a date as nbgrader reads it, if all of it is there: for a missing year, nbgrader takes
    this one, and UTC for a zone it does not know.
    """
    from dateutil.parser import parse
    from dateutil.tz import gettz
    from nbgrader.utils import parse_utc

    parts = text.split(" ")
    plain = " ".join(parts[:2]) if len(parts) == 3 else text
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = (
            parse(plain, default=default, ignoretz=True)
            for default in (datetime(2000, 1, 1), datetime(2001, 2, 2))
        )
        zone_is_known = (
            len(parts) != 3 or parts[2].lstrip("+-").isdigit() or gettz(parts[2]) is not None
        )
        if first != second or not zone_is_known:
            raise ValueError(text)
        found = parse_utc(text)
    assert isinstance(found, datetime)
    return found
