"""Markdown and HTML as a student's page shows them: sanitised, formulas as MathML, headings below
the page's own.

Formulas travel through the renderer as marks, and are put in their places when the rest is known to
be plain: a formula inside a tag or an attribute becomes its source there, and no markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from nbreferee.pages.markup import sanitize_html
from nbreferee.pages.mathematics import formula
from nbreferee.pages.plain import LEXEME, Policy, attributes_of

FORMULAS = 3_000  # of one text; further ones are shown as their source
_MARK = re.compile("\ue000(\\d+)\ue001")
_HEADING = re.compile(r"h([1-6])")
_OWN_COLOURS = re.compile(
    r"""\s(?:bgcolor|color)=|<font\b|\sstyle=["'][^"']*(?:color|background)"""
)
_PUNCTUATION = re.compile(r"</math>(?=[.,;:!?)])")  # stays on the line of its formula
_PICTURE = "Picture in the text"


class _Formulas:
    """The formulas of a text, in order."""

    def __init__(self) -> None:
        self._found: list[
            tuple[str, bool, str]
        ] = []  # TeX, whether it is displayed, how it was written

    def keep(self, tex: str, is_display: bool, written: str) -> str:
        self._found.append((tex, is_display, written))
        return f"\ue000{len(self._found) - 1}\ue001"

    def sources(self, text: str) -> str:
        """Return text in which marks are the formulas' sources, escaped."""
        return _MARK.sub(lambda found: html.escape(self._found[int(found[1])][2]), text)

    def shown(self, text: str) -> str:
        """Return text in which marks are formulas."""
        return _MARK.sub(lambda found: self._shown(int(found[1])), text)

    def _shown(self, number: int) -> str:
        tex, is_display, written = self._found[number]
        if number >= FORMULAS:
            return html.escape(written)
        one = formula(tex, is_display)
        if not one.is_wide:
            return one.html
        kind = "wide" if is_display else "wide inline"
        return (
            f'<span class="{kind}" tabindex="0" role="group" aria-label="Formula">{one.html}</span>'
        )


def _renderer(formulas: _Formulas, attachments: Mapping[str, Any]) -> Any:
    from nbconvert.filters.markdown_mistune import IPythonRenderer

    class Renderer(IPythonRenderer):
        """nbconvert's, with formulas as marks and headings without links to themselves."""

        def inline_math(self, body: str) -> str:
            return formulas.keep(body, False, f"${body}$")

        def block_math(self, body: str) -> str:
            return formulas.keep(body, True, f"$${body}$$")

        def latex_environment(self, name: str, body: str) -> str:
            whole = f"\\begin{{{name}}}{body}\\end{{{name}}}"
            return formulas.keep(whole, True, whole)

        def block_mermaidjs(self, code: str) -> str:
            return f"<pre><code>{html.escape(code)}</code></pre>"

        def heading(self, text: str, level: int, **_: Any) -> str:
            words = re.sub(r"<[^>]*>|\ue000\d+\ue001", "", text)
            name = re.sub(r"[^\w-]+", "", words.strip().replace(" ", "-"))
            return (
                f'<h{level} id="{name}">{text}</h{level}>\n'
                if name
                else f"<h{level}>{text}</h{level}>\n"
            )

    return Renderer(escape=False, exclude_anchor_links=True, attachments=dict(attachments))


def markdown(text: str, attachments: Mapping[str, Any], policy: Policy) -> str:
    """Return sanitised Markdown as HTML; its headings start at h1, see `placed`."""
    return _markdown(text, policy) if not attachments else _rendered(text, attachments, policy)


@lru_cache(maxsize=4_000)
def _markdown(text: str, policy: Policy) -> str:
    return _rendered(text, {}, policy)


def _rendered(text: str, attachments: Mapping[str, Any], policy: Policy) -> str:
    from nbconvert.filters.markdown_mistune import MarkdownWithMath
    from nbconvert.filters.strings import strip_files_prefix

    formulas = _Formulas()
    clear = text.replace("\ue000", "�").replace("\ue001", "�")
    try:
        page = MarkdownWithMath(renderer=_renderer(formulas, attachments)).render(clear)
    except Exception:  # a text that ends the renderer would end the whole page
        return f"<pre>{html.escape(text)}</pre>"
    return _finished(sanitize_html(strip_files_prefix(page), policy), formulas)


@lru_cache(maxsize=2_000)
def html_output(text: str, policy: Policy) -> str:
    """Return the HTML of an output, sanitised, with its formulas as they are."""
    return _finished(sanitize_html(text, policy), _Formulas())


def latex_output(text: str, policy: Policy) -> str:
    """Return an output that is TeX."""
    tex = text.strip()
    for before, after in (("$$", "$$"), ("$", "$"), ("\\[", "\\]"), ("\\(", "\\)")):
        if len(tex) > len(before + after) and tex.startswith(before) and tex.endswith(after):
            inner = tex[len(before) : -len(after)].removeprefix("\\displaystyle").strip()
            if before not in inner:
                formulas = _Formulas()
                return f"<p>{formulas.shown(formulas.keep(inner, True, tex))}</p>"
    return markdown(html.escape(text, quote=False), {}, policy)


def _finished(page: str, formulas: _Formulas) -> str:
    """Return plain HTML with its formulas, and with what readers who do not see it need."""
    written: list[str] = []
    code = 0
    for lexeme in LEXEME.finditer(page):
        start, end = (lexeme["start"] or "").lower(), (lexeme["end"] or "").lower()
        code += (start in ("pre", "code")) - (end in ("pre", "code"))
        if start:
            written.append(_start(formulas.sources(lexeme[0]), start, lexeme["attributes"]))
        elif lexeme["text"]:
            written.append(formulas.sources(lexeme[0]) if code > 0 else formulas.shown(lexeme[0]))
        elif end == "table":
            written.append("</table></div>")
        elif not lexeme["comment"]:
            written.append(lexeme[0])
    done = _PUNCTUATION.sub("</math>\u2060", "".join(written))
    return f'<div class="paper">{done}</div>' if _OWN_COLOURS.search(page) else done


def _start(tag: str, name: str, attributes: str) -> str:
    if name == "input":
        is_done = "checked" in dict(attributes_of(attributes))
        return (
            '<span role="img" aria-label="done">☑</span>'
            if is_done
            else '<span role="img" aria-label="to do">☐</span>'
        )
    if name == "img" and "alt" not in dict(attributes_of(attributes)):
        return f'<img alt="{_PICTURE}"{tag[4:]}'
    if name == "table":
        return f'<div class="wide" tabindex="0" role="group" aria-label="Table">{tag}'
    return tag


class Place:
    """Puts pieces of HTML into one page: each heading in its level, each id once."""

    def __init__(self, reserved_ids: set[str]) -> None:
        self._ids = set(reserved_ids)

    def put(self, piece: str, below: int) -> str:
        """Return a piece of a page whose headings are below those of a level."""
        if "<h" not in piece and " id=" not in piece:
            return piece
        levels: list[int] = []
        opened: list[int] = []
        written: list[str] = []
        position = 0
        for lexeme in LEXEME.finditer(piece):
            position = lexeme.end()
            if lexeme["start"] is not None:
                written.append(self._start(lexeme, below, levels, opened))
            elif lexeme["end"] is not None and _HEADING.fullmatch(lexeme["end"].lower()) and opened:
                written.append(f"</h{opened.pop()}>")
            else:
                written.append(lexeme[0])
        return "".join(written) + piece[position:]

    def _start(
        self, lexeme: re.Match[str], below: int, levels: list[int], opened: list[int]
    ) -> str:
        tag = re.sub(r"""\sid=(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", self._own_id, lexeme[0])
        found = _HEADING.fullmatch(lexeme["start"].lower())
        if not found:
            return tag
        while levels and levels[-1] >= int(found[1]):
            levels.pop()
        levels.append(int(found[1]))
        opened.append(min(below + len(levels), 6))
        return f"<h{opened[-1]}{tag[3:]}"

    def _own_id(self, found: re.Match[str]) -> str:
        name = html.unescape(found[1] or found[2] or found[3] or "")
        if name in self._ids:
            return ""
        self._ids.add(name)
        return found[0]
