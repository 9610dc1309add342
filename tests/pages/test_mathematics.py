"""Formulas become MathML that a browser lays out; what is not understood is shown as it was
written.
"""

from __future__ import annotations

import re
import time
from xml.etree import ElementTree

import pytest
from bleach._vendor import html5lib
from hypothesis import given, settings
from hypothesis import strategies as st
from notebooks import SOURCES, read

from nbreferee.pages.mathematics import CHARACTERS, formula
from nbreferee.pages.plain import policy_for
from nbreferee.pages.text import markdown

POLICY = policy_for(["words"])

# TeX: what must be in its MathML
MENDED = {
    r"\begin{aligned} a &= b \\ c &= d \end{aligned}": ["<mtable", 'class="right"', 'class="left"'],
    r"\begin{alignedat}{2} a &= b \\ c &= d \end{alignedat}": ["<mtable", "<mtr>"],
    r"\begin{gathered} a \\ b \end{gathered}": ["<mtable"],
    r"X \xrightarrow{\;\text{ReLU}\;} H": ['<mo stretchy="true">→</mo>', "ReLU"],
    r"\Big\langle x, y \Big\rangle": ["⟨", "⟩", 'minsize="1.623em"'],
    r"\bigl\| x \bigr\|": ["‖"],
    r"\Bigl(\frac{a}{b}\Bigr)^2": ["<msup><mrow><mspace></mspace><mo"],
    r"\left(\frac{a}{b}\right)": ['stretchy="true"', "<mfrac>"],
    r"\operatorname{vec} W": ['rspace="0.17em"'],
    r"\operatorname{vec}(W)": ['rspace="0"'],
    r"\boldsymbol{\alpha} + \bm{W}": ["\U0001d6c2", "\U0001d416"],
    r"a \not= b": ["≠"],
}


@pytest.mark.parametrize("tex", MENDED)
def test_formula_that_the_library_alone_gets_wrong_is_mended(tex: str) -> None:
    shown = formula(tex, True).html
    assert shown.startswith("<math")
    assert [part for part in MENDED[tex] if part not in shown] == []


@pytest.mark.parametrize(
    "tex",
    [
        r"\unknowncommand{x}",
        "a & b",
        "x" * (CHARACTERS + 1),
        "{" * 200 + "x" + "}" * 200,
        r"\frac{",
    ],
)
def test_formula_that_is_not_understood_is_shown_as_its_source(tex: str) -> None:
    shown = formula(tex, False).html
    assert re.fullmatch(r'<code class="tex">[^<]*</code>', shown)
    assert ElementTree.fromstring(shown).text == tex


def test_every_formula_of_the_course_is_understood() -> None:
    formulas = {
        piece.strip("$")
        for source in SOURCES
        for cell in read(source).cells
        if cell.cell_type == "markdown"
        for piece in re.findall(r"\$\$.+?\$\$|(?<!\$)\$[^$]+\$(?!\$)", cell.source, re.DOTALL)
    }
    assert len(formulas) > 200
    assert sorted(one for one in formulas if "<math" not in formula(one, True).html) == []


HOSTILE = [
    r"\href{javascript:alert(1)}{x}",
    r"\style{position:fixed}{x}",
    r"\class{score}{x}",
    r"\cssId{words}{x}",
    r"\color{red;background:url(//x)}{x}",
    '"><img src=x onerror=alert(1)>',
    "</math><script>alert(1)</script>",
    r"\text{</mtext><script>alert(1)</script>}",
    "x' onclick='alert(1)",
    "&lt;script&gt;",
    "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    r"\unicode{x3c}script\unicode{x3e}",
    "]]>",
    "<!--",
    r"\begin{array}{c\"onclick=1}x\end{array}",
]
ATTRIBUTES = set(
    "alttext display class stretchy fence separator symmetric largeop movablelimits accent "
    "accentunder displaystyle form scriptlevel minsize maxsize lspace rspace width height depth "
    "linethickness columnspan rowspan mathvariant".split()
)


def dangers(shown: str) -> list[str]:
    """Return what a formula holds that is no formula."""
    found = []
    for element in ElementTree.fromstring(f"<p>{shown}</p>").iter():
        known = element.tag in ("p", "math", "code", "wbr") or re.fullmatch("m[a-z]+", element.tag)
        found += [] if known else [element.tag]
        found += [
            f"{key}={value}"
            for key, value in element.attrib.items()
            if key not in ATTRIBUTES or ("(" in value and key != "alttext")
        ]
        found += (
            [element.get("class", "")]
            if element.get("class", "left") not in ("left", "right", "tex", "tex tex-display")
            else []
        )
    return found


@pytest.mark.parametrize("tex", HOSTILE)
@pytest.mark.parametrize(
    "around",
    [
        "$%s$",
        "$$%s$$",
        "<b title='$%s$'>y</b>",
        "[$%s$](https://example.org)",
        "# $%s$",
        "| $%s$ |\n|---|\n| x |",
    ],
)
def test_hostile_formula_is_nothing_but_a_formula(tex: str, around: str) -> None:
    assert dangers(formula(tex, True).html.replace("<wbr>", "")) == []
    page = markdown(around.replace("%s", tex), {}, POLICY)
    for element in html5lib.parse(page, namespaceHTMLElements=False).iter():
        assert element.tag not in ("script", "img", "style", "svg", "iframe")
        assert [
            name for name in element.attrib if name.startswith("on") or name in ("src", "style")
        ] == []
        assert element.get("href", "https://example.org") == "https://example.org"


@given(
    st.lists(
        st.sampled_from(
            [*HOSTILE, *MENDED, "{", "}", "\\", "^", "_", "&", "<", ">", '"', "x", "1", "$"]
        ),
        max_size=6,
    ).map("".join)
)
@settings(max_examples=150, deadline=None)
def test_any_formula_is_nothing_but_a_formula(tex: str) -> None:
    assert dangers(formula(tex, False).html.replace("<wbr>", "")) == []


@pytest.mark.parametrize(
    "tex",
    [
        "x^" * 1900,
        r"\frac" * 700,
        "{" * 50 + "x" * 1000 + "}" * 50,
        r"\sqrt" * 600,
        "x_1+" * 900,
        r"\begin{matrix}" * 40,
    ],
)
def test_long_formula_ends_soon(tex: str) -> None:
    began = time.process_time()
    formula(tex, True)
    assert time.process_time() - began < 2


def test_long_formula_in_a_line_can_be_broken_and_scrolls_where_it_cannot() -> None:
    wide = formula(
        r"\frac{\partial L}{\partial w} = \sum_i x_i y_i = a + b + c + d + e + f = g + h + i + j "
        r"+ k + l",
        False,
    )
    assert "<wbr>" in wide.html
    assert wide.html.count("alttext") == 1
    page = markdown(
        r"$$a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p$$", {}, POLICY
    )
    assert 'class="wide" tabindex="0"' in page
