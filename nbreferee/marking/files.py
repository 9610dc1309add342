"""The files of the marking pages: templates, style sheet and script."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_ID = re.compile(r'\bid="([\w-]+)"')


def static(name: str) -> bytes:
    """Return a file of the pages."""
    return (resources.files("nbreferee.marking") / "templates" / name).read_bytes()


@cache
def page_ids() -> frozenset[str]:
    """Return the ids that the page's script looks up: nothing of a student's has one."""
    return frozenset(_ID.findall(static("answer.html").decode()))
