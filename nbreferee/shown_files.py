"""The pictures beside a notebook that its page shows: they go with the page."""

from __future__ import annotations

import fnmatch
import re
import shutil
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from nbreferee.aside import whole_file

SOURCE = re.compile(rb'<img\b[^>]*?\bsrc="([^":?#]+)"')
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".avif")  # none that acts in a browser


def copy_shown_files(page: bytes, executed: Path, pages: Path, include: Collection[str]) -> None:
    """Copy the pictures that a page shows from the folder of the executed notebook to that of the pages.

    `include` are the patterns of files that students get (c.CourseDirectory.include).
    """
    for found in {match[1] for match in SOURCE.finditer(page)}:
        name = PurePosixPath(unquote(found.decode("utf-8", "replace")))
        path = executed / name
        inside = not name.is_absolute() and ".." not in name.parts and "\0" not in str(name)
        if not inside or name.suffix.lower() not in PICTURES or not any(fnmatch.fnmatch(name.name, one) for one in include):
            continue
        if path.is_file() and not any(one.is_symlink() for one in (path, *path.parents) if one != executed and executed in one.parents):
            (pages / name).parent.mkdir(parents=True, exist_ok=True)
            with path.open("rb") as source, whole_file(pages / name) as target:
                shutil.copyfileobj(source, target)
