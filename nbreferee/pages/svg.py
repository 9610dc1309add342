"""Make SVG plain: shapes, text and colours stay; scripts, handlers, links and what would be fetched
go.

SVG is XML, which has one reading: it is parsed, and written anew from a list of elements.
"""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape, quoteattr

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_XML = "http://www.w3.org/XML/1998/namespace"
_ELEMENTS = set(
    """svg g defs symbol use path rect circle ellipse line polyline polygon text tspan
    textPath title desc image style marker linearGradient radialGradient stop pattern
    clipPath mask switch filter feBlend feColorMatrix feComponentTransfer feComposite
    feConvolveMatrix feDiffuseLighting feDisplacementMap feDistantLight feDropShadow
    feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feMerge feMergeNode
    feMorphology feOffset fePointLight feSpecularLighting feSpotLight feTile
    feTurbulence""".split()
)
_THROUGH = {"a"}  # goes, and what is in it stays
_POINTER = re.compile(r"#[\w:.-]+|data:image/(png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*")
_ACTIVE = re.compile(r"(?i)url\((?!\s*['\"]?#)|script:|@|expression|\\|behavior|-moz-binding")


class _Writer:
    """A parser's target that writes what it may."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self._skipped = 0  # how deep inside what is left out
        self._open: list[str] = []  # names to close; '' for those that go through
        self._style: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.removeprefix("{").rpartition("}")
        known = space in (_SVG, "") and tag in _ELEMENTS | _THROUGH
        if self._skipped or not known or self._style is not None:
            self._skipped += 1
            return
        self._open.append("" if tag in _THROUGH else tag)
        if tag in _THROUGH:
            return
        if tag == "style":
            self._style = []
            return
        spaces = f' xmlns="{_SVG}" xmlns:xlink="{_XLINK}"' if not self.written else ""
        kept = "".join(
            f" {label}={quoteattr(value)}"
            for label, value in map(_safe_pair, attributes.items())
            if label
        )
        self.written.append(f"<{tag}{spaces}{kept}>")

    def end(self, name: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        tag = self._open.pop()
        if tag == "style":
            css, self._style = "".join(self._style or ()), None
            self.written.append(f"<style>{escape(css)}</style>" if not _ACTIVE.search(css) else "")
        elif tag:
            self.written.append(f"</{tag}>")

    def data(self, text: str) -> None:
        if self._style is not None:
            self._style.append(text)
        elif not self._skipped and self.written:
            self.written.append(escape(text))

    def close(self) -> str:
        return "".join(self.written)


def _safe_pair(pair: tuple[str, str]) -> tuple[str, str]:
    """Return an attribute as it may be written; an empty name for one that goes."""
    name, value = pair
    space, _, local = name.removeprefix("{").rpartition("}")
    if local == "href" and space in ("", _XLINK):
        return ("xlink:href", value) if _POINTER.fullmatch(value) else ("", "")
    if space == _XML and local == "space":
        return "xml:space", value
    if (
        space
        or local.lower().startswith("on")
        or _ACTIVE.search(value)
        or not re.fullmatch(r"[A-Za-z][\w-]*", local)
    ):
        return "", ""
    return local, value


def sanitize_svg(text: str, inside_html: bool = False) -> str:
    """Return a drawing that only shows something; empty where it cannot be read.

    Parameters
    ----------
    inside_html
        it comes from a page, where names need no namespaces.
    """
    import defusedxml.ElementTree
    from defusedxml.common import DefusedXmlException

    if inside_html and "xlink:" in text and "xmlns:xlink" not in text:
        text = re.sub(r"(?i)<svg\b", f'<svg xmlns:xlink="{_XLINK}"', text, count=1)
    writer: Any = _Writer()
    parser = defusedxml.ElementTree.DefusedXMLParser(target=writer)
    try:
        parser.feed(text.encode("utf-8", "replace"))
        clean = parser.close()
    except (DefusedXmlException, defusedxml.ElementTree.ParseError, ValueError, LookupError):
        return ""
    return clean if clean.startswith("<svg") else ""
