"""Make Markdown plain: it stays Markdown, and what could act in a reader's browser is shown as
text.

A text is rendered as nbconvert does for the Formgrader and for pages, and the result has to be
plain. Nearly all answers are, and stay as they are, letter by letter. Others are rewritten, step by
step, until they are: the tags and links in question; then every tag and link; then those in what
looks like code; then the text becomes a block of code.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

from nbreferee.pages.addresses import is_safe_url
from nbreferee.pages.markup import start_tag
from nbreferee.pages.plain import LEXEME, TAGS, Policy, attributes_of, is_plain

# Some texts take the square of their length to render. Longer ones are not rendered; data of images
# do not count.
CHARACTERS = 50_000
WORK = 40_000_000  # openings of formulas, times length
LINE_WORK = 4_000_000  # brackets, times length of their lines
LARGE = 20  # in a large notebook, all these limits are divided by this
AS_CODE = (
    "*This text holds HTML or links that a browser would act on. It is shown as it was written:*"
)

_BORING = re.compile(r"[^<\[\]#&\\]*")
_UNDERLINE = re.compile(r"^ {0,3}(?:=+|-+)[ \t]*$", re.MULTILINE)
_DATA = re.compile(r"data:image/[\w.+-]+;base64,[A-Za-z0-9+/=]{64,}")
_SHORT_DATA = "data:image/png;base64,AAAA"
_ATTACHMENT = re.compile(r"attachment:([^)\s\"'>]+)")

_CODE_AND_FORMULAS = (
    r"(?P<code>^(?P<spaces>[ \t>]*)(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)\n.*?(?:^[ "
    r"\t>]*(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?P<ticks>(?<!`)`+(?!`)).+?(?<!`)(?P=ticks)(?!`)"
    r"|(?<!\\)\$\$.*?(?<!\\)\$\$|(?<![$\\])\$[^$\n]+?(?<![$\\])\$|\\\\\[.*?\\\\\]|\\\\\(.*?\\\\\)|\\begin\{(?P<env>[a-z]*\*?)\}.*?\\end\{(?P=env)\})"
)
_TAG = r"|(?P<tag><(?=[A-Za-z/!?])(?:!--[^<>]*-->|[^<>]*>)?)"
_LINK = r"|(?P<bang>!?)\[(?P<label>[^\[\]]*)\]\((?P<target>[ \t\n]*(?:<[^<>\n]*>|[^\s)]*))"
_DEFINITION = r"|(?P<named>^[ \t>]*\[[^\[\]]+\]):(?P<address>[ \t\n]*\S*)"
_ADDRESS = r"|(?P<web>https?://[^\s<>]*)"
_PIECES = re.compile(
    _CODE_AND_FORMULAS + _TAG + _LINK + _DEFINITION + _ADDRESS, re.MULTILINE | re.DOTALL
)
_LINK_START = r"|(?P<link>!?(?<!\\)\[(?=[^\[\]]*\]))"
_PARTS = re.compile(
    _CODE_AND_FORMULAS + r"|(?P<open><(?=[A-Za-z/!?]))" + _LINK_START + _ADDRESS,
    re.MULTILINE | re.DOTALL,
)
_HEADINGS = re.compile(
    _CODE_AND_FORMULAS + r"|(?P<heading>^[ \t>*+.)\d-]*\#{1,6}[ \t][^\n]*)",
    re.MULTILINE | re.DOTALL,
)
_UNDERLINED = re.compile(r"^(?P<text>[^\n]*\S)[ \t]*(?=\n {0,3}(?:=+|-+)[ \t]*$)", re.MULTILINE)
_WRITTEN_AS_CODE = re.compile(
    rf"{re.escape(AS_CODE)}\n\n(?P<fence>~{{3,}})\n(?P<text>.*)\n(?P=fence)", re.DOTALL
)
_NO_BREAK = "&nbsp;"  # at the end of a heading: gives it another id, and is not seen


def sanitize_markdown(text: str, attachments: Mapping[str, Any], policy: Policy) -> str:
    """Return Markdown that only shows something; Markdown that does already comes back as it is."""
    if is_boring(text) or _is_as_code(text):
        return text
    data = _DATA.findall(text)
    short = _DATA.sub(_SHORT_DATA, text)
    if not _is_long(short, policy) and not _has_long_lines(text, policy):
        for rewrite in (
            (_same,) if policy.is_large else (_same, _rewrite_some, _rewrite_all, _rewrite_code_too)
        ):
            candidate = rewrite(short, policy)
            if _renders_plain(candidate, attachments, policy):
                return text if candidate == short else _with_data(candidate, data)
    return _as_code(text, policy)


def _same(text: str, policy: Policy) -> str:
    return text


def is_boring(text: str) -> bool:
    """Return whether a text holds nothing that could become HTML, a link or an element's id."""
    return (
        bool(_BORING.fullmatch(text))
        and not _UNDERLINE.search(text)
        and "mermaid" not in text
        and "://" not in text
        and len(text) <= CHARACTERS
    )


def length_of(text: str) -> int:
    """Return the length of a text without the data of images."""
    return len(_DATA.sub(_SHORT_DATA, text))


def _is_long(text: str, policy: Policy) -> bool:
    openings = sum(text.count(one) for one in ("\\[", "\\(", "\\begin{", "$"))
    part = LARGE if policy.is_large else 1
    return len(text) > CHARACTERS // part or openings * len(text) > WORK // part


def _has_long_lines(text: str, policy: Policy) -> bool:
    """Return whether nbconvert would take too long: from each bracket it reads on to the line's
    end.
    """
    return sum(line.count("[") * len(line) for line in text.split("\n")) > LINE_WORK // (
        LARGE if policy.is_large else 1
    )


def _with_data(text: str, data: list[str]) -> str:
    """Put the data of images back, one after another; none where they no longer fit."""
    pieces = text.split(_SHORT_DATA)
    if len(pieces) != len(data) + 1:
        return text
    return "".join(piece + one for piece, one in zip(pieces, [*data, ""], strict=True))


def _renders_plain(text: str, attachments: Mapping[str, Any], policy: Policy) -> bool:
    render, strip_prefix = _renderer()
    try:
        page = render(text, attachments)
    except Exception:  # a text that ends the renderer would end the whole page
        return False
    other = strip_prefix(page)
    return is_plain(page, policy) and (other == page or is_plain(other, policy))


@cache
def _renderer() -> tuple[Callable[[str, Mapping[str, Any]], str], Callable[[str], str]]:
    """Return what nbconvert does with Markdown, and with the HTML that comes out."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
    from nbconvert.filters.strings import strip_files_prefix

    def render(text: str, attachments: Mapping[str, Any]) -> str:
        return MarkdownWithMath(
            renderer=IPythonRenderer(escape=False, attachments=dict(attachments))
        ).render(text)

    return render, strip_files_prefix


def add_missing_attachments(text: str, attachments: dict[str, dict[str, str]]) -> None:
    """Add the images that a text shows and that are not attached; nbconvert would fail on them.

    nbconvert looks for the name as it stands in a URL, so `a%20b.png` is found where `a b.png` is
    attached. What is nowhere gets no data: the page shows its description.
    """
    for written in _ATTACHMENT.findall(text):
        name = html.unescape(written)
        for form in {name, quote(name, safe=":/?#@!$&()*+,;=%")} - set(attachments):
            attachments[form] = attachments.get(unquote(name)) or {"image/png": ""}


def _rewrite_some(text: str, policy: Policy) -> str:
    """Rewrite the tags, links and headings that must not stay; code and formulas stay as they
    are.
    """

    def piece(found: re.Match[str]) -> str:
        if found["code"] is not None:
            return _rewrite_code(found)
        if found["tag"] is not None:
            return _safe_tag(found["tag"], policy)
        if found["label"] is not None:
            return _safe_link(found)
        if found["named"] is not None:
            return (
                found[0]
                if _may_be_linked(found["address"])
                else f"{found['named']}\\:{_unlinked(found['address'])}"
            )
        return (
            found[0] if _may_be_linked(found["web"].rstrip("<.,:;\"')]")) else _unlinked(found[0])
        )

    return _rewrite_headings(_PIECES.sub(piece, text), policy)


def _rewrite_all(text: str, policy: Policy) -> str:
    """Rewrite every tag and link; code and formulas stay as they are."""

    def part(found: re.Match[str]) -> str:
        if found["code"] is not None:
            return _rewrite_code(found)
        return "&lt;" if found["open"] else "\\[" if found["link"] else _unlinked(found[0])

    return _rewrite_headings(_PARTS.sub(part, text), policy)


def _rewrite_code_too(text: str, policy: Policy) -> str:
    """Rewrite every tag and link, in what looks like code or a formula too."""
    text = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)
    text = re.sub(_LINK_START.removeprefix("|"), r"\\[", text)
    return _rewrite_headings(_unlinked(text), policy)


def _rewrite_headings(text: str, policy: Policy) -> str:
    """Give headings that are named as a score box is another id."""

    def line(found: re.Match[str]) -> str:
        heading = found["heading"]
        if heading is None or not _names_a_page_id(heading, policy):
            return found[0]
        return f"{heading.rstrip().rstrip('#').rstrip()}{_NO_BREAK}"

    text = _HEADINGS.sub(line, text)
    return _UNDERLINED.sub(
        lambda found: found[0] + (_NO_BREAK if _names_a_page_id(found["text"], policy) else ""),
        text,
    )


def _unlinked(text: str) -> str:
    """Return text in which no address becomes a link by itself."""
    return re.sub(r"(https?):(?=//)", r"\1\\:", text)


def _is_as_code(text: str) -> bool:
    found = _WRITTEN_AS_CODE.fullmatch(text)
    return found is not None and found["fence"] not in found["text"]


def _as_code(text: str, policy: Policy) -> str:
    if _has_long_lines(text, policy):
        text = re.sub(r"[^\n]{1000}", r"\g<0>\n", text)
    longest = max((len(run) for run in re.findall(r"~+", text)), default=0)
    fence = "~" * max(3, longest + 1)
    return f"{AS_CODE}\n\n{fence}\n{text}\n{fence}"


def _rewrite_code(found: re.Match[str]) -> str:
    """Name diagrams otherwise: nbconvert writes the text of one into the page as it is."""
    if (found["info"] or "").strip().startswith("mermaid"):
        start = found.start("info") - found.start()
        return (
            f"{found[0][:start]}text "
            f"{found['info'].strip()}{found[0][found.end('info') - found.start() :]}"
        )
    return found[0]


def _safe_tag(tag: str, policy: Policy) -> str:
    lexeme = LEXEME.fullmatch(tag)
    start, end = (lexeme["start"], lexeme["end"]) if lexeme else (None, None)
    if lexeme and (lexeme["comment"] or (end is not None and end.lower() in TAGS)):
        return tag
    shown = "&lt;" + tag[1:]
    if lexeme and start is not None and start.lower() in TAGS:
        attributes = {name: html.unescape(raw) for name, raw in attributes_of(lexeme["attributes"])}
        written = start_tag(start.lower(), attributes, policy)
        return written if written.startswith("<") else shown
    return tag if ":" in tag and _may_be_linked(tag[1:-1]) else shown


def _safe_link(found: re.Match[str]) -> str:
    target = found["target"]
    if _may_be_shown(target) if found["bang"] else _may_be_linked(target):
        return found[0]
    label = found["label"] or ("image" if found["bang"] else "")
    return f"[{label}]({target}" if _may_be_linked(target) else f"[{label}]\\({_unlinked(target)}"


def _address(target: str) -> str:
    return html.escape(
        html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", target.strip().strip("<>")))
    )


def _may_be_linked(target: str) -> bool:
    return is_safe_url("a", "href", _address(target))


def _may_be_shown(target: str) -> bool:
    return is_safe_url("img", "src", _address(target))


def _names_a_page_id(heading: str, policy: Policy) -> bool:
    words = heading.strip().rstrip("# \t").replace(" ", "-")
    forms = {
        re.sub(r"[^\w-]", "", words.lstrip(before))
        for before in ("#>*+- \t", "#>*+-.)0123456789 \t")
    }
    return any(re.sub(r"[^\w-]", "", one) in forms for one in policy.reserved_ids)
