"""A student's page in a real browser: it asks for nothing, runs nothing, fits a phone, and can be
read by everybody.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hostile
import nbformat
import pytest
from auditing import VIEWS, View, findings, print_findings
from browser import Listener, listening, skip_without_chromium
from building import answer, cell, graded
from PIL import Image

from nbreferee.grading.pictures import embed_pictures
from nbreferee.pages.exercises import Mark
from nbreferee.pages.record import Judged
from nbreferee.pages.sanitize import sanitize
from nbreferee.pages.student import Contents, Header, write_absent_page, write_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = skip_without_chromium

HEADER = Header(
    "ada",
    "ps1",
    "one",
    "Ada <Lovelace> (ada)",
    "1 May 2026, 10:00 UTC",
    "2 hours late",
    "2 May 2026, 10:00 UTC",
    1.5,
)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAB9AAAAABCAIAAABlkyaFAAAAGklEQVR4nO3BAQ0AAADCoPdPbQ43oAAAAAAAAAB+DYvTAAHc0bqKAAAAAElFTkSuQmCC"
WORDS = r"""Because $a<b$, see `<b>` and $\sum_{i=1}^n \frac{\partial L}{\partial w_i} = \alpha + \beta + \gamma + \delta + \epsilon + \zeta$.

$$\begin{aligned} f(x) &= a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p \\ &= \unknowncommand \end{aligned}$$

$$\begin{pmatrix} 1 & 2 & 3 & 4 & 5 & 6 & 7 & 8 & 9 & 10 & 11 & 12 \end{pmatrix} \Big\langle x \Big\rangle$$

| a long heading of a table | another long heading | and a third one | and a fourth |
|---|---|---|---|
| 1 | 2 | 3 | anunbrokenwordthatismuchlongerthanthescreenofanyphone |

- [x] done

# A heading of the student's

####### no heading

https://example.org/a/very/long/address/that/does/not/fit/into/a/line/of/a/phone/and/goes/on/and/on
"""
LONG = (
    "def f(x):\n    return "
    + " + ".join(f"x**{n}" for n in range(60))
    + "\n\n\ny = '"
    + "z" * 300
    + "'"
)


def shown(kind: str, **data: Any) -> nbformat.NotebookNode:
    output: nbformat.NotebookNode = nbformat.v4.new_output(kind, **data)
    return output


def notebook(listener: str) -> nbformat.NotebookNode:
    """A notebook with everything in it."""
    code = answer(LONG, "f")
    table = (
        "<table border=1 class=dataframe><tr>"
        + "".join(f"<th>column {n}</th>" for n in range(30))
        + "</tr></table>"
    )
    code["outputs"] = [
        shown(
            "display_data",
            data={"image/png": PIXEL},
            metadata={"image/png": {"alt": 'Figure: "loss" against step'}},
        ),
        shown("display_data", data={"image/png": PIXEL}),
        shown("stream", name="stderr", text="w" * 500 + "\n" + "\x1b[31mred\x1b[0m\n" * 300),
        shown("display_data", data={"text/html": table}),
        shown(
            "display_data",
            data={
                "text/html": "<b style='color: #333; background: #ffe'>own colours</b>"
                + "".join(hostile.PIECES.values())
            },
        ),
        shown("display_data", data={"text/latex": r"$\displaystyle \frac{a}{b}$"}),
        shown(
            "display_data",
            data={
                "image/svg+xml": (
                    '<svg xmlns="http://www.w3.org/2000/svg" width="900" '
                    'height="9"><script>window.ran=1</script></svg>'
                )
            },
        ),
        shown("error", ename="ValueError", evalue="x" * 400, traceback=["line " * 200]),
    ]
    words = cell(
        WORDS + hostile.markdown(listener),
        "markdown",
        grade_id="words",
        grade=True,
        solution=True,
        points=3,
    )
    made: nbformat.NotebookNode = nbformat.v4.new_notebook(
        cells=[
            cell(
                "# A notebook about $x^2$\n\n<details><summary>More</summary>\n\nText.\n\n"
                "</details>",
                "markdown",
                grade_id="top",
                locked=True,
            ),
            cell("## The first — 2 points\n\nDo $f$.", "markdown", grade_id="task", locked=True),
            code,
            graded("assert f(1) == 1", "f_tests"),
            cell("## In words", "markdown", grade_id="task2", locked=True),
            words,
            cell("## Right", "markdown", grade_id="task3", locked=True),
            answer("g = 1", "g"),
            graded("assert g", "g_tests"),
            cell("## Blank", "markdown", grade_id="task4", locked=True),
            answer("h = 1", "h"),
            graded("assert h", "h_tests"),
            cell("print('mine')"),
        ]
    )
    return made


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> Path:
    """A page with everything on it."""
    one = notebook(listener.address)
    sanitize(one)
    marks = {
        "f_tests": Mark(1, 2),
        "words": Mark(0, 3, waits=True),
        "g_tests": Mark(2, 2, is_by_hand=True),
        "h_tests": Mark(0, 2),
    }
    said = (
        f"f, called with x = {'9' * 90}, W (3, 2): entry [0] is 2, expected 1.\n"
        "Likely cause: You <add>. Multiply."
    )
    contents = Contents(
        one.cells,
        marks,
        {"g": f"Well $a+b$ done. {hostile.PIECES['script']}".replace("LISTENER", listener.address)},
        {"h": "No response."},
        {"f_tests": Judged(said, ("Your g is wrong; with a right one this still fails.",))},
        ("cell <f> was missing: put back",),
        ("A note on the whole.",),
    )
    file = tmp_path_factory.mktemp("page") / "one.html"
    file.write_bytes(embed_pictures(write_page(HEADER, contents).encode(), file.parent, ["*"]))
    return file


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: f"{view.scheme}-{view.width}")
def test_page_fits_asks_for_nothing_and_passes_the_audit(
    browser: Browser, path: Path, view: View
) -> None:
    assert findings(browser, path, view) == []


def test_page_of_a_notebook_that_was_not_graded_passes_the_audit(
    browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "absent.html"
    file.write_text(
        write_absent_page(HEADER, "There is no file <one>.ipynb.", ("Hand it in again.",), 5)
    )
    assert findings(browser, file, View()) == []
    assert "no file &lt;one&gt;.ipynb" in file.read_text()


def test_audit_finds_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "bad.html"
    file.write_text(
        "<html><body style='width: 900px'><img src='http://127.0.0.1:9/x.png'><p style='color: "
        "#ccc'>pale</p></body></html>"
    )
    found = " ".join(findings(browser, file, View()))
    assert [
        word
        for word in (
            "asks for",
            "console:",
            "too wide",
            "image-alt",
            "color-contrast",
            "html-has-lang",
        )
        if word not in found
    ] == []


def test_audit_finds_empty_sheets_and_figures_that_are_cut(
    browser: Browser, tmp_path: Path
) -> None:
    file, picture = tmp_path / "bad.html", io.BytesIO()
    Image.linear_gradient("L").save(picture, "png")
    source = f"data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}"
    gap = "<div style='height: 60cm'></div>"
    file.write_text(f"x{gap}y<br><img alt='' style='width: 9cm; height: 60cm' src='{source}'>")
    found = print_findings(browser, file)
    assert found[0] == "sheet 2 is empty"
    assert found[-1] == "pieces of figures: 3, figures: 1"


def test_hostile_answer_and_output_do_nothing(
    browser: Browser, path: Path, listener: Listener
) -> None:
    page = browser.new_page()
    page.goto(f"file://{path}")
    page.wait_for_timeout(2500)  # what refreshes the page waits for 2 s
    assert listener.requests == []
    assert page.evaluate("window.ran") is None
    assert page.url == f"file://{path}"
    assert "That is all." in page.evaluate("document.body.textContent")
    assert (
        page.locator(
            "form, script, iframe, object, embed, link, base, input, [onclick], [onerror], [onload]"
        ).count()
        == 0
    )
    page.evaluate(
        "document.body.appendChild(document.createElement('script')).textContent = 'window.ran = 1'"
    )
    assert page.evaluate("window.ran") is None
    page.close()


def test_answers_are_printed_and_given_cells_are_not(browser: Browser, path: Path) -> None:
    page = browser.new_page()
    page.goto(f"file://{path}")
    page.emulate_media(media="print")
    seen = (
        "one => one.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true}) && "
        "one.getBoundingClientRect().height > 0"
    )
    assert page.locator("#exercise-3 details:not(.task) pre.code").first.evaluate(
        seen
    )  # folded on the screen
    assert not page.locator("details.given").first.evaluate(seen)
    page.close()
    assert print_findings(browser, path) == []


def test_figures_have_descriptions_and_folds_open_where_points_were_lost(
    browser: Browser, path: Path
) -> None:
    page = browser.new_page()
    page.goto(f"file://{path}")
    descriptions = page.eval_on_selector_all("figure img", "all => all.map(one => one.alt)")
    assert descriptions[:2] == ['Figure: "loss" against step', "Figure made by cell 3"]
    opened = page.eval_on_selector_all("details.work", "all => all.map(one => one.open)")
    assert opened == [True, True, False, False]
    assert page.locator("#exercise-1 .tutor").inner_text() == "Likely cause: You <add>. Multiply."
    assert page.locator("html").get_attribute("lang") == "en"
    page.close()
