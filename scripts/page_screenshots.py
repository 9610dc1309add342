"""Take the pictures of pages in docs/: python scripts/page_screenshots.py [report|marking] PAGE

PAGE is what `nbreferee feedback` has written for a student; those in docs/ show loops/softmax
of the sample class (`make grade`). With `report`, it is the page of an assignment that
`nbreferee report --html` has written: softmax. With `marking`, it is the address that
`nbreferee mark softmax` has printed; a mark is entered and taken back. Chromium must be installed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Page

DOCS = Path(__file__).resolve().parent.parent / "docs"
Views = dict[str, tuple[int, int, Literal["light", "dark"]]]
VIEWS: Views = {"page-wide": (1000, 1150, "light"), "page-phone": (390, 844, "dark")}
REPORT_VIEWS: Views = {"report": (1000, 1120, "light")}
MARKING_VIEWS: Views = {"marking": (1280, 760, "light")}

# What a marker enters, and how it is taken back.
STEPS, COMMENT = "123", "Why is this c safe? Say what the largest exponent is."


def enter_mark(window: Page, address: str) -> None:
    """Open the second answer of exercise 1 that is not marked, and mark it."""
    window.goto(f"{address}1/")
    window.click("#unmarked")
    window.wait_for_selector("#state:has-text('not marked')")
    for key in STEPS:
        window.keyboard.press(key)
    window.fill("#comment", COMMENT)
    window.locator("#comment").blur()
    window.wait_for_selector("#saved:has-text('In the gradebook: 1.5 of 2.')")


def take_mark_back(window: Page) -> None:
    """Leave the answer as it was: no score, no comment."""
    window.keyboard.press("x")
    window.fill("#comment", "")
    window.locator("#comment").blur()
    window.wait_for_selector("#saved:empty", state="attached")


def main(address: str, views: Views) -> None:
    """Write a picture of the page for each view: on a desk, or on a phone at night."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (width, height, scheme) in views.items():
            window = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=scheme
            )
            window.goto(address)
            if name == "marking":
                enter_mark(window, address)
            if scheme == "dark":  # begin at an exercise that lost points
                window.evaluate(
                    "document.querySelectorAll('.exercise:has(.tutor)')[1].scrollIntoView()"
                )
                window.wait_for_function("window.scrollY > 0")
            path = DOCS / f"{name}.png"
            window.screenshot(path=path)
            if name == "marking":
                take_mark_back(window)
            print(f"{path.relative_to(DOCS.parent)}: {path.stat().st_size // 1000} kB")
        browser.close()


if __name__ == "__main__":
    kind, place = sys.argv[1], sys.argv[-1]
    if kind == "marking":
        main(place, MARKING_VIEWS)
    else:
        main(Path(place).resolve().as_uri(), REPORT_VIEWS if kind == "report" else VIEWS)
