"""Make HTML plain: what an output shows stays, what could act in a reader's browser goes."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from nbreferee.pages.addresses import is_safe_url
from nbreferee.pages.plain import (
    LEXEME,
    TAGS,
    VOID,
    Policy,
    attributes_of,
    is_deep,
    is_plain,
    is_safe_attribute,
)
from nbreferee.pages.styles import AROUND, Element, Rules, element_of

MOST_TAGS, FEW_TAGS = 100_000, 1_000  # of one output; where the notebook is large
TOO_LARGE = "<em>This output is too large to be shown here.</em>"
NO_DRAWING = "<em>[A drawing that cannot be read.]</em>"

# Elements whose text is no text: they go with all that is in them.
_GO_WHOLE = {
    "script",
    "style",
    "iframe",
    "object",
    "applet",
    "noscript",
    "noembed",
    "noframes",
    "template",
    "textarea",
    "select",
    "title",
    "head",
    "svg",
    "math",
}
_ASIDE = {"class", "id", "style"}  # for the rules of a style sheet
_EVERY_ATTRIBUTE = set(
    """title dir lang align valign width height border bgcolor color nowrap rel target
    controls span open size face alt type disabled checked value min max start reversed
    cellpadding cellspacing frame rules colspan rowspan scope datetime href src""".split()
)


def sanitize_html(text: str, policy: Policy) -> str:
    """Return HTML that only shows something; HTML that does already comes back as it is."""
    if text.count("<") > (FEW_TAGS if policy.is_large else MOST_TAGS):
        return TOO_LARGE
    if is_deep(text):
        return as_text(text)
    if is_plain(text, policy):
        return text
    clean = _rewrite(text, policy)
    return clean if is_plain(clean, policy) else as_text(text)


def as_text(text: str) -> str:
    """Return HTML that shows a text letter by letter."""
    return f"<pre>{html.escape(text)}</pre>"


def _rewrite(text: str, policy: Policy) -> str:
    """Return HTML of allowed tags and attributes: rules written into elements, drawings as
    images.
    """
    import nh3

    text = "".join(
        _as_image(piece) if is_drawing else piece for piece, is_drawing in _split(text, "svg")
    )
    sheets = [
        re.sub(r"^<style[^>]*>|</style\s*>$", "", piece, flags=re.IGNORECASE)
        for piece, is_sheet in _split(text, "style")
        if is_sheet
    ]
    clean = nh3.clean(
        text,
        tags=TAGS,
        clean_content_tags=_GO_WHOLE,
        attributes={"*": _ASIDE | _EVERY_ATTRIBUTE},
        url_schemes={"http", "https", "mailto", "data", "attachment"},
        link_rel=None,
    )
    return _Writer(Rules(sheets, clean.count("<")), policy).write(clean)


def _split(text: str, tag: str) -> Iterator[tuple[str, bool]]:
    """Yield a text in pieces, and whether each is an element with this tag, from its start to its
    end.
    """
    start_of, end_of = (
        re.compile(rf"<{tag}\b", re.IGNORECASE),
        re.compile(rf"</{tag}\s*>", re.IGNORECASE),
    )
    position = 0
    while (start := start_of.search(text, position)) and (end := end_of.search(text, start.end())):
        yield text[position : start.start()], False
        yield text[start.start() : end.end()], True
        position = end.end()
    yield text[position:], False


class _Writer:
    """Writes what nh3 has cleaned once more, tag by tag: its attributes by our policy, its style in
    place.
    """

    def __init__(self, rules: Rules, policy: Policy) -> None:
        self._rules = rules
        self._policy = policy
        self._path: list[Element] = [AROUND]
        self._children = [0]

    def write(self, clean: str) -> str:
        return "".join(self._lexeme(found) for found in LEXEME.finditer(clean))

    def _lexeme(self, found: re.Match[str]) -> str:
        if found["start"] is not None:
            return self._start(
                found["start"],
                {name: html.unescape(raw) for name, raw in attributes_of(found["attributes"])},
            )
        if found["end"] is not None and len(self._path) > 1:
            self._path.pop()
            self._children.pop()
        return found[0] if found["comment"] is None else ""

    def _start(self, tag: str, attributes: dict[str, str]) -> str:
        self._children[-1] += 1
        self._path.append(element_of(tag, attributes, self._children[-1]))
        self._children.append(0)
        style = self._rules.style_of(self._path, attributes.get("style", ""))
        if tag in VOID:
            self._path.pop()
            self._children.pop()
        return start_tag(tag, {**attributes, "style": style, "id": ""}, self._policy)


def start_tag(tag: str, attributes: dict[str, str], policy: Policy) -> str:
    """Return a start tag with the attributes that may stay; an image that may not be fetched
    becomes a link.
    """
    if tag == "input" and attributes.get("type") != "checkbox":
        return ""
    if tag == "img" and not is_safe_url("img", "src", html.escape(attributes.get("src", ""))):
        return _instead_of_image(attributes)
    if tag == "a" and not is_safe_url("a", "href", html.escape(attributes.get("href", "#"))):
        attributes = {"title": attributes["href"][:500], **attributes}
    classes = [
        one
        for one in attributes.get("class", "").split()
        if is_safe_attribute(tag, "class", one, policy)
    ]
    attributes = {**attributes, "class": " ".join(classes)}
    kept = [
        (name, html.escape(value))
        for name, value in attributes.items()
        if value or name not in ("class", "style", "id")
    ]
    written = [
        f' {name}="{raw}"' if raw else f" {name}"
        for name, raw in kept
        if is_safe_attribute(tag, name, raw, policy)
    ]
    return f"<{tag}{''.join(written)}>"


def _instead_of_image(attributes: dict[str, str]) -> str:
    source = attributes.get("src", "")
    words = html.escape(attributes.get("alt", "") or source[:200] or "image")
    raw = html.escape(source)
    return f'<a href="{raw}">{words}</a>' if is_safe_url("a", "href", raw) else f"[{words}]"


def _as_image(drawing: str) -> str:
    """Return a drawing as an image, in which no script runs."""
    import base64

    from nbreferee.pages.svg import sanitize_svg

    clean = sanitize_svg(drawing, inside_html=True)
    encoded = base64.b64encode(clean.encode()).decode()
    return f'<img alt="drawing" src="data:image/svg+xml;base64,{encoded}">' if clean else NO_DRAWING
