"""Which addresses a page may point to."""

from __future__ import annotations

import html
import re

_RASTER = r"(png|jpe?g|gif|webp|bmp|x-icon|avif)"
_BASE64 = r"base64,[A-Za-z0-9+/=\s]*"
_IMAGE_DATA = re.compile(rf"data:image/({_RASTER}|svg\+xml);{_BASE64}")
_MEDIA_DATA = re.compile(rf"data:(audio|video)/[\w.+-]+;{_BASE64}")
_PATH = r"(?!/|files/)(?:(?!\.\.|%2[eE])[\w ()~+,%./-])+"
_IMAGE_FILE = re.compile(rf"{_PATH}\.(png|jpe?g|gif|webp|bmp|svg)", re.IGNORECASE)
_OTHER_FILE = re.compile(
    rf"{_PATH}\.(png|jpe?g|gif|webp|bmp|csv|tsv|txt|json|md|py|r|ipynb|npy|npz|pdf|zip|xlsx?)",
    re.IGNORECASE,
)
_ATTACHMENT = re.compile(r"attachment:[^<>\"']{1,300}")
_HOST = re.compile(
    r"(?i:https?)://(?P<host>[A-Za-z0-9.-]+)(:\d{1,5})?(?P<rest>[/?#][^<>\"'\\\s]*)?"
)
_MAIL = re.compile(r"mailto:[^<>\"'\\\s]+")
_ANCHOR = re.compile(r"#[^<>\"\s]*")


def is_safe_url(tag: str, name: str, raw: str) -> bool:
    """Return whether an element may point there.

    Images come from the notebook or from files beside it: any other address would be fetched, with
    the reader's cookies, as soon as the page is open. A link has to be a web page outside the
    reader's own network, an anchor or a file beside the notebook that a browser does not run.
    """
    if (tag, name) == ("img", "src"):
        return any(pattern.fullmatch(raw) for pattern in (_IMAGE_DATA, _IMAGE_FILE, _ATTACHMENT))
    if tag in ("audio", "video", "source") and name == "src":
        return _MEDIA_DATA.fullmatch(raw) is not None
    if (tag, name) != ("a", "href"):
        return False
    if any(pattern.fullmatch(raw) for pattern in (_ANCHOR, _MAIL, _OTHER_FILE, _ATTACHMENT)):
        return True
    web = _HOST.fullmatch(raw)
    return (
        web is not None
        and _is_public(web["host"].lower())
        and "formgrader" not in html.unescape(raw).lower()
    )


def _is_public(host: str) -> bool:
    """Return whether a host is a name in the public network: not this machine, a neighbour or a
    number.
    """
    labels = host.rstrip(".").split(".")
    return (
        len(labels) > 1
        and re.fullmatch(r"[a-z]{2,}|xn--[a-z0-9-]+", labels[-1]) is not None
        and labels[-1] not in _PRIVATE
    )


_PRIVATE = {
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "test",
}
