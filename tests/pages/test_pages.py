"""Notebooks are plain before a person looks at them: hostile pieces act no more, honest ones stay
as they are.
"""

from __future__ import annotations

import base64
import re
from functools import cache
from typing import Any
from xml.etree import ElementTree

import hostile
import nbformat
import pytest
from building import HIDDEN, answer, cell, graded
from hypothesis import given, settings
from hypothesis import strategies as st

from nbreferee.course.rules import DELIMITERS, Delimiters
from nbreferee.pages.hidden import hide_tests
from nbreferee.pages.markdown import sanitize_markdown
from nbreferee.pages.markup import sanitize_html
from nbreferee.pages.plain import PAGE_IDS, policy_for
from nbreferee.pages.sanitize import sanitize
from nbreferee.pages.svg import sanitize_svg

POLICY = policy_for(["words", "double_tests"])

# -------------------------------- a second opinion: html5lib, and a list of its own

ACTIVE = set(
    """script style iframe frame frameset object embed applet form button textarea select option meta base link title svg math template
    noscript noembed noframes plaintext xmp portal dialog map area keygen param slot body head html""".split()
)
HARMLESS_ADDRESS = re.compile(
    r"(?i)(https?://[a-z0-9-]+\.[a-z0-9.-]+(/|$|[?#])|mailto:|#|attachment:|data:(image|audio|video)/[\w.+-]+;base64,|(?!files/)[\w() ~+,.%/-]+$)"
)


def dangers(page: str) -> list[str]:
    """Return all in a piece of HTML that could act, or reach beyond its place, as html5lib builds
    it.
    """
    from bleach._vendor import html5lib

    body = html5lib.parse(
        f'<div id="outer"><div id="inner">{page}</div><span id="after"></span></div>',
        namespaceHTMLElements=False,
    )
    outer = body.find("body/div")
    found = (
        []
        if outer is not None and [one.get("id") for one in outer] == ["inner", "after"]
        else ["reaches beyond its place"]
    )
    if len(body.find("body")) != 1:
        found.append("leaves its page")
    for one in outer.iter() if outer is not None else ():
        found += _dangers_of(one)
    return found


def _dangers_of(one: Any) -> list[str]:
    if not isinstance(one.tag, str):  # a comment
        return []
    found = (
        [f"<{one.tag}>"]
        if one.tag.lower().split("}")[-1] in ACTIVE
        or (one.tag == "input" and one.get("type") != "checkbox")
        else []
    )
    for name, value in one.attrib.items():
        if name.startswith("on") or name in (
            "srcdoc",
            "srcset",
            "action",
            "formaction",
            "background",
            "ping",
            "autofocus",
            "poster",
            "name",
        ):
            found.append(f"{name}={value}")
        if name in ("href", "src", "xlink:href", "data") and not HARMLESS_ADDRESS.match(value):
            found.append(f"{name}={value}")
        if name == "src" and re.match(r"(?i)https?:|/", value):
            found.append(f"fetches {value}")
        if name == "style" and re.search(
            r"(?i)url|position|expression|@|\\|z-index|content", value
        ):
            found.append(f"style={value}")
        if name == "id" and value in POLICY.reserved_ids:
            found.append(f"id={value}")
    return found


def words_of(page: str) -> str:
    """Return the text that a page shows."""
    from bleach._vendor import html5lib

    return "".join(html5lib.parse(page, namespaceHTMLElements=False).itertext())


@cache
def _exporter() -> Any:
    from nbconvert.exporters import HTMLExporter

    return HTMLExporter()


def rendered(text: str) -> str:
    """Return Markdown as nbconvert puts it into a page."""
    from nbconvert.filters.strings import strip_files_prefix

    page: str = strip_files_prefix(_exporter().markdown2html({}, text))
    return page


# ---------------------------------------------------------------- tables

HOSTILE = {
    **{
        name: text.replace("LISTENER", "http://127.0.0.1:9")
        for name, text in hostile.PIECES.items()
    },
    "script in capitals": "<ScRiPt SRC=//evil.example>x</sCrIpT>",
    "script broken by a line": "<script\n>alert(1)</script\n>",
    "script without an end": "<script>alert(1)",
    "handler without quotes": "<b onmouseover=alert(1)>x</b>",
    "handler after a slash": "<img/src=x.png/onerror=alert(1)>",
    "handler after a form feed": "<b\fonclick=alert(1)>x</b>",
    "handler in a list": "- a\n- <b onclick=alert(1)>x</b>\n  - <img src=x onerror=alert(1)>",
    "handler in a quotation": "> <b onclick=alert(1)>x</b>",
    "handler in a table": "| a | b |\n|---|---|\n| <b onclick=alert(1)>x</b> | y |",
    "handler in a heading": "# <b onclick=alert(1)>x</b>",
    "handler in a link's text": "[<img src=x onerror=alert(1)>](https://example.org)",
    "handler in a title": '[x](https://example.org "\\" onclick=alert(1)")',
    "comment that ends at once": "<!--> <img src=x onerror=alert(1)> -->",
    "comment that ends with a bang": "<!-- --!><img src=x onerror=alert(1)> -->",
    "comment in a comment": "<!-- <!-- --> <img src=x onerror=alert(1)> -->",
    "instruction": "<?xml <img src=x onerror=alert(1)> ?>",
    "declaration": "<!DOCTYPE x [<img src=x onerror=alert(1)>]>",
    "data section": "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "foreign style": '<svg><style><a title="</style><img src=x onerror=alert(1)>"></style></svg>',
    "foreign text": (
        '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 '
        'onerror=alert(1)&gt;">'
    ),
    "no script": '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    "text area": "<textarea><img src=x onerror=alert(1)></textarea>",
    "list that closes what is around it": "<ul><li><div><li>x</li></div></li></ul>",
    "bold without an end": "<b>x",
    "link without an end": '<a href="https://example.org">x',
    "details without an end": "<details><summary>x</summary>",
    "table without an end": "<table><tr><td>x",
    "end of a paragraph": "x</p></div>y",
    "entity in an address": (
        "[x](&#106;avascript:alert(1)) [y](javascript&colon;alert(1)) [z](java&Tab;script:alert(1))"
    ),
    "percent in an address": "[x](javascript%3Aalert(1))",
    "capitals in an address": (
        "[x](JaVaScRiPt:alert(1)) <a href=' javascript:alert(1)'>y</a> <a href='\tjava\n"
        "script:alert(1)'>z</a>"
    ),
    "address in angle brackets": "[x](<javascript:alert(1)>)",
    "reference": "[x][y] ![z][y]\n\n[y]: javascript:alert(1) 'title'",
    "reference by its own name": "[y]\n\n[y]:\n  javascript:alert(1)",
    "data as a page": (
        "[x](data:text/html;base64,PHNjcmlwdD4=) <a "
        "href='data:text/html,<script>alert(1)</script>'>y</a>"
    ),
    "address behind files/": (
        "[x](files/javascript:alert(1)) <a href='files/javascript:alert(1)'>y</a>"
    ),
    "script of VB": "[x](vbscript:msgbox(1))",
    "page beside the notebook": "[x](evil.html) [y](evil.svg) [z](folder/)",
    "folder above": "![x](../../../formgrader.png) ![y](%2e%2e/x.png) [z](..%2fx.csv)",
    "server's own addresses": (
        "![x](/formgrader?path=/tmp) [y](/logout) ![z](//evil.example/x.png) "
        "[f](http://hub.example.org/user/me/formgrader?path=/tmp)"
    ),
    "reader's own machine": (
        "[x](http://localhost:8888/) <http://127.0.0.1/> http://[::1]/ http://router.local/ "
        "[y](http://intranet/)"
    ),
    "image from elsewhere": (
        "![x](https://evil.example/x.png) <img src='https://evil.example/x.png'> ![y][z]\n\n"
        "[z]: https://evil.example/z.png"
    ),
    "set of images": "<img srcset='https://evil.example/x.png 1x' src='x.png'>",
    "style that covers": (
        "<div style='position:fixed;inset:0'>x</div><div style='margin-top:-9999px'>y</div><div "
        "style='background:url(x)'>z</div>"
    ),
    "style with escapes": (
        "<b style='background:u\\72l(x)'>x</b><b style='background:u/**/rl(x)'>x</b><b "
        "style='color:&#114;ed;background:url&lpar;x)'>y</b>"
    ),
    "class of a score box": (
        "<b class='score tabbable'>x</b> <div class='navbar-fixed-top modal-backdrop'>y</div>"
    ),
    "id of a score box": (
        "<b id='words'>x</b> <a name='words'>y</a> <b id='double_tests_extra_credit'>z</b>"
    ),
    "id by a heading": "words\n=====\n\n### *words*\n\n> # words\n\n- # double_tests ##\n",
    "diagram in a list": "- ```mermaid\n  <img src=x onerror=alert(1)>\n  ```",
    "diagram of waves": "~~~mermaid x\n</pre><img src=x onerror=alert(1)>\n~~~",
    "formula with a link": (
        "$\\href{javascript:alert(1)}{x}$ $$\\hr<!-- x -->ef{javascript:alert(1)}{x}$$ "
        "$\\cssId{words}{x}$ $\\style{position:fixed}{x}$"
    ),
    "formula that ends in HTML": (
        "$a<b onclick=alert(1)>$ \\\\(<img src=x onerror=alert(1)>\\\\) \\begin{a}<img src=x "
        "onerror=alert(1)>\\end{a} <img src=x onerror=alert(1)>"
    ),
    "code that is none": "``` a`b\n<img src=x onerror=alert(1)>\n```",
    "tick without an end": "` <img src=x onerror=alert(1)>",
    "escaped tick": "\\`<img src=x onerror=alert(1)>\\`",
    "missing attachment": "![x](attachment:nope.png) <img src=x onerror=alert(1)>",
    "many levels": "> " * 400 + "<img src=x onerror=alert(1)>",
    "very long": "\\\\[ <b onclick=alert(1)> " * 5_000,
    "NUL": "<b\0onclick=alert(1)>x</b><scr\0ipt>alert(1)</script>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_markdown_acts_no_more(name: str) -> None:
    clean = sanitize_markdown(HOSTILE[name], {}, POLICY)
    assert dangers(rendered(clean)) == []
    assert sanitize_markdown(clean, {}, POLICY) == clean


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_html_acts_no_more(name: str) -> None:
    clean = sanitize_html(HOSTILE[name], POLICY)
    assert dangers(clean) == []
    assert sanitize_html(clean, POLICY) == clean


@pytest.mark.parametrize(
    "name",
    [
        "script",
        "image that fails",
        "handler in a list",
        "entity in an address",
        "style that covers",
    ],
)
def test_second_opinion_finds_the_attack_in_what_nothing_has_cleaned(name: str) -> None:
    assert dangers(rendered(HOSTILE[name])) != []


BENIGN = {
    "words": "Because it is so: a < b, c > d & e.",
    "formulas": (
        "$a<b$, $$\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}$$ \\\\[x<y\\\\] \\begin{align} "
        "a &< b \\end{align}"
    ),
    "code": (
        "`<script>alert(1)</script>` and\n\n```html\n<script>alert(1)</script>\n"
        "<img src=x onerror=y>\n```\n\n    <b onclick=x>\n"
    ),
    "details": "<details>\n<summary>Hint</summary>\n\nUse **this**.\n\n</details>",
    "table": "| a | b |\n|:-:|--:|\n| 1 | `2` |",
    "tasks": "- [ ] one\n- [x] two\n\n1. three\n   - four",
    "headings": "# My words\n\nTwo\n---\n\n## Two #",
    "links": (
        "[a](https://example.org/x?a=1&b=2#c) <https://example.org> https://example.org/y. [b][c] "
        "[m](mailto:a@example.org) [t](#My-words)\n\n[c]: https://example.org 'C'"
    ),
    "HTML": (
        "x<sub>1</sub> <span style='color: red; font-weight:bold'>red</span><br/> <kbd>Ctrl</kbd> "
        "text <div align=center>mid</div> <font color='#f00'>f</font>"
    ),
    "own anchors": "<a id='proof'></a> [see](#proof)",
    "boxes": "<div class='alert alert-info'>\n\nNote **well**\n\n</div>",
    "comment": "<!-- my notes -->\nText",
    "files": (
        "![plot](plot.png) <img src='images/plot 1.png' width=400 alt='a plot'> [data](data.csv)"
    ),
    "pasted image": f"![image.png](data:image/png;base64,{'A' * 4000})",
    "quotation": "> so it is\n>\n> > indeed",
    "figure": "<figure><img src='a.png'><figcaption>A</figcaption></figure>",
    "HTML table": (
        "<table border=1><tr><th colspan=2>a</th></tr><tr><td "
        "style='text-align:right'>1</td><td>2</td></tr></table>"
    ),
    "comparison": "if x<1 then 2>1, x<-1, 1<2",
    "dollars": "It costs 5$ and <b>6$</b>.",
    "backslashes": "a\\_b \\<b\\> \\* \\\\",
    "entities": "&lt;script&gt; &amp; &copy; &#8364;",
}


@pytest.mark.parametrize("name", BENIGN)
def test_honest_markdown_stays_letter_by_letter(name: str) -> None:
    assert sanitize_markdown(BENIGN[name], {}, POLICY) == BENIGN[name]
    assert dangers(rendered(BENIGN[name])) == []


# source: what a person sees of it afterwards
SHOWN = {
    "a <script>alert(1)</script> b": "a <script>alert(1)</script> b",
    "`<script>` means <script>": "<script> means <script>",
    "[press](javascript:alert(1)) me": "[press](javascript:alert(1)) me",
    "![a graph](https://example.org/a.png)": "a graph",
    "see http://localhost:8888/x": "see http://localhost:8888/x",
    "<form><input name=x></form>": "<form><input name=x></form>",
    "<span onclick=x>kept</span>": "kept",
    "</div> over": "</div> over",
    "if x<y then a>b": "if x<y then a>b",  # to a browser, <y then a> is a tag
}


@pytest.mark.parametrize("source", SHOWN)
def test_person_still_reads_what_was_written(source: str) -> None:
    assert SHOWN[source] in words_of(rendered(sanitize_markdown(source, {}, POLICY))).strip()


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8888/formgrader?path=/tmp",
        "http://127.0.0.1/",
        "https://hub.example.org/user/me/formgrader?path=/tmp",
    ],
)
def test_address_in_the_readers_own_network_is_text(address: str) -> None:
    page = rendered(sanitize_markdown(f"see {address}", {}, POLICY))
    assert address in words_of(page)
    assert "href" not in page


def test_image_from_elsewhere_is_a_link_that_is_fetched_when_a_person_presses_it() -> None:
    assert (
        sanitize_markdown("![a graph](https://example.org/a.png)", {}, POLICY)
        == "[a graph](https://example.org/a.png)"
    )


@pytest.mark.parametrize("name", ["id by a heading", "heading"])
def test_heading_of_a_score_boxs_name_reads_the_same_and_has_another_id(name: str) -> None:
    page = rendered(sanitize_markdown(HOSTILE[name], {}, POLICY))
    assert re.findall(r'id="([^"]*)"', page)
    assert "words" in words_of(page)


# ---------------------------------------------------------------- laws

FRAGMENTS = st.sampled_from(
    [text for text in HOSTILE.values() if len(text) < 400]
    + [text for text in BENIGN.values() if len(text) < 400]
    + [
        "<",
        ">",
        '"',
        "'",
        "`",
        "```\n",
        "~~~",
        "$",
        "$$",
        "\\",
        "[",
        "](",
        ")",
        "]:",
        "!",
        "<b",
        "<a href=",
        "</",
        "<!--",
        "-->",
        "=",
        "&",
        "&lt;",
        "\n",
        "\n\n",
    ]
    + [
        "    ",
        "- ",
        "> ",
        "# ",
        "|",
        "javascript:",
        "https://example.org",
        "onerror=x",
        "<div>",
        "</div>",
        "<p>",
        "<li>",
        "<table>",
        "<td>",
        "<details>",
        "<i>",
        "files/",
    ]
)
TEXTS = st.lists(
    FRAGMENTS | st.text("<>&\"'/=`[]()!#*_~$\\:;- \n\tabon", max_size=6), max_size=8
).map("".join)


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_any_markdown_acts_no_more_and_is_left_alone_afterwards(text: str) -> None:
    clean = sanitize_markdown(text, {}, POLICY)
    assert dangers(rendered(clean)) == []
    assert sanitize_markdown(clean, {}, POLICY) == clean


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_any_html_acts_no_more_and_is_left_alone_afterwards(text: str) -> None:
    clean = sanitize_html(text, POLICY)
    assert dangers(clean) == []
    assert sanitize_html(clean, POLICY) == clean


@given(st.lists(st.sampled_from([*BENIGN.values()]), max_size=4).map("\n\n".join))
@settings(max_examples=100, deadline=None)
def test_honest_markdown_together_stays_letter_by_letter(text: str) -> None:
    assert sanitize_markdown(text, {}, POLICY) == text


CLOSED = [
    text
    for text in HOSTILE.values()
    if len(text) < 400
    and not re.search(r"<!--|<\?|<!\[|<script\b(?!.*</)|~~~|```|`", text, re.DOTALL)
]


@given(st.lists(st.sampled_from(CLOSED), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_no_word_of_an_answer_is_lost_around_an_attack(pieces: list[str]) -> None:
    text = "First.\n\n" + "".join(
        f"{piece}\n\nThen word{number}.\n\n" for number, piece in enumerate(pieces)
    )
    shown = words_of(rendered(sanitize_markdown(text, {}, POLICY)))
    assert [
        word
        for word in ("First.", *(f"word{number}." for number in range(len(pieces))))
        if word not in shown
    ] == []


# ---------------------------------------------------------------- drawings

DRAWINGS = {
    "script": "<script>alert(1)</script>",
    "handler": '<circle r="3" onload="alert(1)"/>',
    "page": (
        '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><img src="x" '
        'onerror="alert(1)"/></body></foreignObject>'
    ),
    "link": '<a xlink:href="javascript:alert(1)"><text>x</text></a>',
    "address that moves": (
        '<a><animate attributeName="href" values="javascript:alert(1)"/><text>x</text></a><set '
        'attributeName="onload" to="alert(1)"/>'
    ),
    "image": (
        '<image href="https://evil.example/x.png"/><use '
        'href="https://evil.example/x.svg#a"/><image href="data:image/svg+xml;base64,AAAA"/>'
    ),
    "style": (
        '<style>@import "https://evil.example/x.css"; * { fill: url(https://evil.example/x) '
        '}</style><rect style="fill:url(//evil.example)"/>'
    ),
    "other space": (
        '<x:script xmlns:x="http://www.w3.org/2000/svg">alert(1)</x:script><y:b '
        'xmlns:y="http://www.w3.org/1999/xhtml" onclick="x"/>'
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_hostile_drawing_acts_no_more(name: str) -> None:
    inside = f'{DRAWINGS[name]}<path d="M0 0L1 1" fill="#f00"/>'
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'onload="alert(1)">{inside}</svg>'
    )
    clean = sanitize_svg(drawing)
    assert not re.search(r"(?i)script|alert|evil|onload|foreign|animate|<set|import", clean)
    assert '<path d="M0 0L1 1" fill="#f00">' in clean
    assert sanitize_svg(clean) == clean
    ElementTree.fromstring(clean)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<svg",
        "<b/>",
        "no XML",
        (
            '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg '
            'xmlns="http://www.w3.org/2000/svg">&b;</svg>'
        ),
    ],
)
def test_drawing_that_cannot_be_read_is_not_shown(text: str) -> None:
    assert sanitize_svg(text) == ""


def test_figure_of_matplotlib_keeps_its_shapes() -> None:
    import io

    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 3, 2])
    axes.fill_between([0, 1], [1, 2], hatch="/")
    file = io.StringIO()
    figure.savefig(file, format="svg")
    plt.close(figure)
    before, after = (
        re.findall(r"<(path|use|clipPath|pattern)\b", text)
        for text in (file.getvalue(), sanitize_svg(file.getvalue()))
    )
    assert len(before) > 20
    assert after == before


# ---------------------------------------------------------------- notebooks


def shown_by(bundle: dict[str, Any], **metadata: Any) -> Any:
    """Return an output after cleaning."""
    code = nbformat.v4.new_code_cell(
        "x", outputs=[nbformat.v4.new_output("display_data", bundle, metadata=metadata)]
    )
    notebook = nbformat.v4.new_notebook(cells=[code])
    sanitize(notebook)
    nbformat.validate(notebook)
    return notebook.cells[0].outputs[0]


def test_output_of_an_unknown_type_is_named_and_its_plain_text_stays() -> None:
    assert shown_by({"application/javascript": "alert(1)"}).data == {
        "text/plain": "[An output of type application/javascript is not shown here.]"
    }
    assert shown_by({"application/x-own+json": {"a": 1}, "text/plain": "own"}).data == {
        "text/plain": "own"
    }
    assert shown_by({"text/html": "<script>alert(1)</script>", "text/plain": "own"}).data == {
        "text/plain": "own"
    }


def test_size_of_an_image_is_a_number() -> None:
    data = {"image/png": "iVBORw0KGgo="}
    assert shown_by(
        data, **{"image/png": {"width": 300, "height": "50%", "alt": 'a "plot"'}}
    ).metadata == {"image/png": {"width": 300, "height": "50%", "alt": 'a "plot"'}}
    assert (
        shown_by(
            data,
            **{
                "image/png": {"width": "1 onerror=alert(1)"},
                "filenames": {"image/png": "/formgrader?path=/tmp"},
                "isolated": True,
            },
        ).metadata
        == {}
    )
    assert "image/png" not in shown_by({"image/png": '" onerror="alert(1)', "text/plain": "x"}).data


def test_colours_that_nbconvert_cannot_read_do_not_end_the_page() -> None:
    from nbconvert.exporters import HTMLExporter

    code = nbformat.v4.new_code_cell(
        "x",
        execution_count=1,
        outputs=[
            nbformat.v4.new_output(
                "stream", name="stdout", text="\x1b[31mred\x1b[0m \x1b[38mno \x1b[48;5m"
            )
        ],
    )
    notebook = nbformat.v4.new_notebook(cells=[code])
    with pytest.raises(IndexError):
        HTMLExporter().from_notebook_node(notebook)
    sanitize(notebook)
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert "red" in words_of(page)


def test_image_that_is_not_attached_shows_its_description_and_does_not_end_the_page() -> None:
    from nbconvert.exporters import HTMLExporter

    text = nbformat.v4.new_markdown_cell(
        "![my graph](attachment:nope.png) ![other](attachment:a%20b.png)"
    )
    text["attachments"] = {"a b.png": {"image/png": "iVBORw0KGgo=", "text/html": "<script>"}}
    notebook = nbformat.v4.new_notebook(cells=[text])
    assert sanitize(notebook) == ()
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert 'alt="my graph"' in page
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in page
    assert "text/html" not in notebook.cells[0].attachments["a b.png"]


def test_metadata_that_a_template_would_write_goes() -> None:
    code = nbformat.v4.new_code_cell(
        "x",
        metadata={
            "tags": ["x"],
            "transient": {"remove_source": True},
            "magics_language": "x",
            "collapsed": True,
        },
    )
    raw = nbformat.v4.new_raw_cell("<b id='words'>x</b>", metadata={"raw_mimetype": "text/html"})
    notebook = nbformat.v4.new_notebook(
        cells=[code, raw],
        metadata={
            "title": "<script>",
            "widgets": {},
            "kernelspec": {"name": "python3", "display_name": "x"},
        },
    )
    code["execution_count"] = "<script>"
    sanitize(notebook)
    assert notebook.metadata == {"kernelspec": {"name": "python3", "display_name": "x"}}
    assert (code.metadata, code.execution_count) == ({"collapsed": True}, None)
    assert (raw.metadata, raw.source) == ({}, "&lt;b id='words'>x&lt;/b>")


def test_text_of_the_instructor_stays_and_a_change_is_told() -> None:
    video = '<iframe src="https://example.org/film"></iframe>'
    notebook = nbformat.v4.new_notebook(
        cells=[
            cell(video, "markdown"),
            cell(video + " ", "markdown", grade_id="words", solution=True),
        ]
    )
    told = sanitize(notebook, {video})
    assert notebook.cells[0].source == video
    assert "<iframe" not in notebook.cells[1].source
    assert told == ("cell words: HTML or links that a browser would act on are shown as text",)


def test_styled_table_of_pandas_keeps_its_style() -> None:
    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    styled = frame.style.highlight_max(color="yellow").set_table_styles(
        [{"selector": "tr:nth-child(even)", "props": "background: #eee"}]
    )
    page = sanitize_html(styled.to_html(), POLICY)
    assert page.count("background-color: yellow") == 2
    assert page.count("background: #eee") == 1
    assert "<style" not in page
    assert words_of(page).split() == ["a", "b", "0", "1", "3", "1", "2", "4"]


SLOW_HTML = {
    "divs": "<div>" * 50_000,
    "drawings": "<svg>" * 50_000,
    "sheets": "<style>" * 50_000,
    "cells": "<td>" * 200_000,
    "comments": "<!--" * 50_000,
}
SLOW_MARKDOWN = {
    "formulas": "\\\\[ <b>" * 10_000,
    "brackets": "[" * 20_000 + "<b",
    "lists": "- " * 20_000 + "<b",
    "environments": "\\begin{a}<b>" * 4_000,
}


@pytest.mark.parametrize("name", SLOW_HTML)
@pytest.mark.timeout(60)
def test_html_that_takes_the_square_of_its_length_ends(name: str) -> None:
    assert "<svg" not in sanitize_html(SLOW_HTML[name], POLICY)


@pytest.mark.parametrize("name", SLOW_MARKDOWN)
@pytest.mark.timeout(60)
def test_markdown_that_takes_the_square_of_its_length_ends_and_so_does_its_page(name: str) -> None:
    assert "</script" not in rendered(sanitize_markdown(SLOW_MARKDOWN[name], {}, POLICY))


def test_notebook_that_keeps_the_grader_busy_is_shown_as_code() -> None:
    cells = [nbformat.v4.new_markdown_cell("<b onclick=x>word</b> " * 100) for _ in range(200)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    sanitize(notebook)
    once = [one.source for one in cells]
    assert all("~~~" in text and "word" in text for text in once)
    sanitize(notebook)
    assert [one.source for one in cells] == once


def test_drawing_in_a_page_becomes_an_image() -> None:
    page = sanitize_html('<p><svg viewBox="0 0 1 1"><circle r="1" onload="x"/></svg></p>', POLICY)
    found = re.fullmatch(
        r'<p><img alt="drawing" src="data:image/svg\+xml;base64,([^"]*)"></p>', page
    )
    assert found
    assert (
        base64.b64decode(found[1])
        .decode()
        .endswith('viewBox="0 0 1 1"><circle r="1"></circle></svg>')
    )


def test_hidden_tests_go_with_the_course_s_own_delimiters_and_the_traceback_that_quotes_them() -> (
    None
):
    own = HIDDEN.replace("BEGIN HIDDEN TESTS", "VON HIER").replace("END HIDDEN TESTS", "BIS HIER")
    error = nbformat.v4.new_output(
        "error",
        ename="AssertionError",
        evalue="no",
        traceback=[
            "\x1b[0;32m----> 2\x1b[0m assert \x1b[33mf\x1b[0m(1) == 1",
            "AssertionError: no",
        ],
    )
    for delimiters, source in (
        (DELIMITERS, HIDDEN),
        (Delimiters(hidden=("VON HIER", "BIS HIER")), own),
    ):
        tests = graded(f"assert f\n{source}")
        tests["outputs"] = [nbformat.from_dict(error)]
        notebook = nbformat.v4.new_notebook(cells=[answer(source), tests])
        hide_tests(notebook, delimiters)
        assert notebook.cells[0].source == source  # the student's own
        assert tests.source == "assert f"
        assert tests.outputs[0].traceback == ["AssertionError: no"]


def test_reserved_ids_are_those_of_nbgraders_pages() -> None:
    import nbgrader

    scripts = "".join(
        path.read_text()
        for path in __import__("pathlib")
        .Path(nbgrader.__file__)
        .parent.glob("server_extensions/formgrader/static/js/formgrade*.js")
    )
    looked_up = set(re.findall(r"""\$\(["']#([\w-]+)["']\)""", scripts))
    assert looked_up
    assert looked_up <= PAGE_IDS
