"""The pictures beside a notebook that its page shows: they become part of the page, which asks for
no other file.
"""

from __future__ import annotations

import base64
import fnmatch
import html
import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from nbreferee.pages.svg import sanitize_svg

IMAGE = re.compile(rb'<img\b[^>]*?\bsrc="([^":?#]+)"[^>]*>')
TYPES = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".gif": "gif",
    ".webp": "webp",
    ".bmp": "bmp",
    ".avif": "avif",
    ".svg": "svg+xml",
}
LARGEST_BYTES = 4_000_000  # of one picture
ALL_BYTES = 12_000_000  # of a page


def embed_pictures(page: bytes, executed: Path, include: Collection[str]) -> bytes:
    """Return a page with the pictures that it shows from the folder of the executed notebook.

    `include` are the patterns of files that students get (c.CourseDirectory.include). In the place
    of a picture that is not there, or must not be shown, the page says so.
    """
    left = ALL_BYTES

    def embedded(found: re.Match[bytes]) -> bytes:
        nonlocal left
        name = PurePosixPath(unquote(html.unescape(found[1].decode("utf-8", "replace"))))
        picture = _picture(executed, name, include)
        if not picture or len(picture) > min(LARGEST_BYTES, left):
            return f"<em>[The picture {html.escape(str(name))} is not on this page.]</em>".encode()
        left -= len(picture)
        start = found.start(1) - found.start()
        data = f"data:image/{TYPES[name.suffix.lower()]};base64,".encode() + base64.b64encode(
            picture
        )
        return found[0][:start] + data + found[0][start + len(found[1]) :]

    return IMAGE.sub(embedded, page)


def _picture(executed: Path, name: PurePosixPath, include: Collection[str]) -> bytes:
    path = executed / name
    inside = not name.is_absolute() and ".." not in name.parts and "\0" not in str(name)
    if (
        not inside
        or name.suffix.lower() not in TYPES
        or not any(fnmatch.fnmatch(name.name, one) for one in include)
    ):
        return b""
    try:
        if not path.is_file() or any(
            one.is_symlink()
            for one in (path, *path.parents)
            if one != executed and executed in one.parents
        ):
            return b""
        data = path.read_bytes() if path.stat().st_size <= LARGEST_BYTES else b""
    except OSError:
        return b""
    return (
        sanitize_svg(data.decode("utf-8", "replace")).encode()
        if name.suffix.lower() == ".svg"
        else data
    )
