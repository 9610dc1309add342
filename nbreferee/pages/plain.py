"""Decide whether HTML is plain: whether it can only show something, and only in its own place.

Theory of operation. `is_plain` does not try to understand hostile HTML. It accepts a language so
small that browsers cannot read it in two ways: text, simple comments, and tags with quoted
attributes from a list. None of the allowed elements changes how a browser splits text into tags
(script, style, textarea, svg and their kind are not among them), so the tags that the grammar finds
are the tags that a browser finds. Then html5ever (by nh3), which builds trees as browsers do, has
to show that no tag closes or leaves open what lies around it. All that is repaired elsewhere in
this package passes here before it is used.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

from nbreferee.pages.addresses import is_safe_url
from nbreferee.pages.styles import is_safe_style

VOID = {"br", "hr", "img", "input", "col", "wbr", "source"}
TAGS = VOID | set(
    """a abbr address article aside audio b bdi bdo blockquote caption center cite code
    colgroup data dd del details dfn div dl dt em figcaption figure font footer h1 h2 h3
    h4 h5 h6 header hgroup i ins kbd li main mark meter nav ol p pre progress q rp rt
    ruby s samp section small span strike strong sub summary sup table tbody td tfoot th
    thead time tr tt u ul var video""".split()
)
_END_MAY_BE_LEFT_OUT = {
    "p",
    "li",
    "dt",
    "dd",
    "td",
    "th",
    "tr",
    "thead",
    "tbody",
    "tfoot",
    "colgroup",
    "option",
    "rp",
    "rt",
}
_DEPTH = 300

_NUMBER = re.compile(r"\d{1,4}(\.\d{1,6})?(px|%|em)?")
_WORDS = re.compile(r"[\w #%.,:+-]{0,100}")
_ANY = re.compile(r".*", re.DOTALL)
_BARE = re.compile(r"")
_CLASSES = re.compile(
    r"dataframe|alert|alert-(block|info|success|warning|danger|error)|highlight|[a-z][a-z0-9]{0,2}|anchor-link|language-[\w+#.-]+"
    r"|task-list-item(-checkbox)?"
)

# The attributes of every element, then of some: a pattern that the whole value has to match.
_EVERYWHERE = {
    "title": _ANY,
    "dir": _WORDS,
    "lang": _WORDS,
    "align": _WORDS,
    "valign": _WORDS,
    "width": _NUMBER,
    "height": _NUMBER,
    "border": _NUMBER,
    "bgcolor": _WORDS,
    "color": _WORDS,
    "nowrap": _WORDS,
}
_OF_TAGS = {
    "a": {"rel": _WORDS, "target": re.compile("_blank")},
    "audio": {"controls": _WORDS},
    "col": {"span": _NUMBER},
    "colgroup": {"span": _NUMBER},
    "details": {"open": _WORDS},
    "font": {"size": _WORDS, "face": _WORDS},
    "img": {"alt": _ANY},
    "input": {"type": re.compile("checkbox"), "disabled": _BARE, "checked": _BARE},
    "li": {"value": _NUMBER},
    "meter": {"value": _NUMBER, "min": _NUMBER, "max": _NUMBER},
    "ol": {"start": _NUMBER, "type": _WORDS, "reversed": _WORDS},
    "progress": {"value": _NUMBER, "max": _NUMBER},
    "source": {"type": _WORDS},
    "table": {"cellpadding": _NUMBER, "cellspacing": _NUMBER, "frame": _WORDS, "rules": _WORDS},
    "td": {"colspan": _NUMBER, "rowspan": _NUMBER},
    "th": {"colspan": _NUMBER, "rowspan": _NUMBER, "scope": _WORDS},
    "time": {"datetime": _WORDS},
    "ul": {"type": _WORDS},
    "video": {"controls": _WORDS},
}

# Elements of nbgrader's pages that their scripts look up, and names that scripts on them test for.
PAGE_IDS = frozenset(
    {
        "notebook",
        "notebook-container",
        "statusmessage",
        "toc",
        "top",
        "MathJax",
        "init_mathjax",
        "formgrader",
    }
)

_SPACE = r"[ \t\n\r\f]"  # what HTML takes for white space
_PAIR = (
    rf"[A-Za-z_:][\w:.-]*(?:{_SPACE}*={_SPACE}*(?:\"[^\"<>]*\"|'[^'<>]*'|[^ \t\n\r\f\"'`=<>]+))?"
)
LEXEME = re.compile(
    r"(?P<text>[^<]+|<(?![A-Za-z/!?]))"
    r"|(?P<comment><!--(?![->])(?:(?!--)[^<>])*-->)"
    rf"|</(?P<end>[A-Za-z][A-Za-z0-9]*){_SPACE}*>"
    rf"|<(?P<start>[A-Za-z][A-Za-z0-9]*)(?P<attributes>(?:{_SPACE}+{_PAIR})*){_SPACE}*/?>",
    re.ASCII,
)
_ATTRIBUTE = re.compile(
    rf"(?P<name>[A-Za-z_:][\w:.-]*)(?:{_SPACE}*={_SPACE}*"
    rf"(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^ \t\n\r\f\"'`=<>]+)))?",
    re.ASCII,
)
# Commands of MathJax that make links, or reach the page's elements and style.
_UNSAFE_TEX = re.compile(
    r"\\(href(?!\s*\{\s*https?://)|style|cssId|class|require|mmlToken|csname)(?![A-Za-z])"
)
_NO_TEX = {"pre", "code"}  # MathJax leaves these alone


@dataclass(frozen=True)
class Policy:
    """What HTML may name: the ids of score boxes and anchors of a page belong to the page."""

    reserved_ids: frozenset[str] = PAGE_IDS
    is_large: bool = False  # the notebook holds so much that only what is short is looked at


def policy_for(grade_ids: Iterable[str], is_large: bool = False) -> Policy:
    """Return the policy for a page with these graded cells."""
    names = {
        form.format(one)
        for one in grade_ids
        for form in ("{}", "{}-comment", "{}_extra_credit", "comment-{}")
    }
    return Policy(PAGE_IDS | names, is_large)


def is_plain(text: str, policy: Policy) -> bool:
    """Return whether HTML only shows something, in its own place; see the module's docstring."""
    return not is_deep(text) and _has_plain_tags(text, policy) and stays_inside(text)


def is_deep(text: str) -> bool:
    """Return whether very many elements may be nested: html5ever takes the square of their
    number.
    """
    depth = 0
    for end, tag in re.findall(r"<(/?)([A-Za-z]+)", text):
        if tag.lower() not in VOID | _END_MAY_BE_LEFT_OUT:
            depth = max(depth - 1, 0) if end else depth + 1
            if depth > _DEPTH:
                return True
    return False


def _has_plain_tags(text: str, policy: Policy) -> bool:
    position, code_depth = 0, 0
    words: list[str] = []  # which MathJax reads across comments and tags
    for lexeme in LEXEME.finditer(text):
        if lexeme.start() != position:
            return False
        position = lexeme.end()
        start, end = (lexeme["start"] or "").lower(), (lexeme["end"] or "").lower()
        if start:
            if not _is_plain_start(start, attributes_of(lexeme["attributes"]), policy):
                return False
            code_depth += start in _NO_TEX
        elif end:
            if end not in TAGS:
                return False
            code_depth -= end in _NO_TEX
        elif lexeme["text"] and code_depth <= 0:
            words.append(lexeme["text"])
    return position == len(text) and not _UNSAFE_TEX.search(html.unescape("".join(words)))


def _is_plain_start(tag: str, attributes: list[tuple[str, str]], policy: Policy) -> bool:
    if tag == "input" and ("type", "checkbox") not in attributes:
        return False
    return tag in TAGS and all(
        is_safe_attribute(tag, name, raw, policy) for name, raw in attributes
    )


def attributes_of(text: str) -> list[tuple[str, str]]:
    """Return the attributes of a tag: names in lower case, values as they are written."""
    return [
        (found["name"].lower(), found["double"] or found["single"] or found["bare"] or "")
        for found in _ATTRIBUTE.finditer(text)
    ]


def is_safe_attribute(tag: str, name: str, raw: str, policy: Policy) -> bool:
    """Return whether an attribute may stay; `raw` is its value as written, with entities."""
    if name in ("href", "src"):
        return is_safe_url(tag, name, raw)
    value = html.unescape(raw)
    if name == "style":
        return "&" not in raw and is_safe_style(raw)
    if name == "class":
        return all(_CLASSES.fullmatch(one) for one in value.split())
    if name == "id":
        return (
            bool(value)
            and value not in policy.reserved_ids
            and html.unescape(value) not in policy.reserved_ids
        )
    pattern = _OF_TAGS.get(tag, {}).get(name) or _EVERYWHERE.get(name)
    return pattern is not None and pattern.fullmatch(value) is not None


_BEFORE = '<div title="outer"><div title="inner">'
_AFTER = '</div><span title="after"></span></div>'


def stays_inside(text: str) -> bool:
    """Return whether HTML closes nothing that is around it, and leaves nothing open, as a browser
    parses it.
    """
    import nh3

    allowed = {tag: {"title", "href"} for tag in ("div", "span", "a")}
    seen = nh3.clean(_BEFORE + text + _AFTER, tags=TAGS, attributes=allowed, link_rel=None)
    if not seen.startswith(_BEFORE) or not seen.endswith(_AFTER):
        return False
    return _is_balanced(seen[len(_BEFORE) : -len(_AFTER)])


def _is_balanced(text: str) -> bool:
    open_tags: list[str] = []
    for lexeme in LEXEME.finditer(text):
        if lexeme["start"] is not None and lexeme["start"] not in VOID:
            open_tags.append(lexeme["start"])
        elif lexeme["end"] is not None and (not open_tags or open_tags.pop() != lexeme["end"]):
            return False
    return not open_tags
