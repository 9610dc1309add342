"""Take the pictures of pages in docs/: python scripts/page_screenshots.py [report] PAGE.html

PAGE.html is what `nbreferee feedback` has written for a student; those in docs/ show loops/softmax
of the sample class (`make grade`). With `report`, it is the page of an assignment that
`nbreferee report --html` has written: softmax. Chromium has to be installed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
VIEWS = {"page-wide": (1000, 1150, "light"), "page-phone": (390, 844, "dark")}
REPORT_VIEWS = {"report": (1000, 1120, "light")}


def main(page: Path, views: dict[str, tuple[int, int, str]]) -> None:
    """Write a picture of the page for each view: on a desk, or on a phone at night."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (width, height, scheme) in views.items():
            window = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=scheme
            )
            window.goto(page.resolve().as_uri())
            if scheme == "dark":  # begin at an exercise that lost points
                window.evaluate(
                    "document.querySelectorAll('.exercise:has(.tutor)')[1].scrollIntoView()"
                )
                window.wait_for_function("window.scrollY > 0")
            path = DOCS / f"{name}.png"
            window.screenshot(path=path)
            print(f"{path.relative_to(DOCS.parent)}: {path.stat().st_size // 1000} kB")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[-1]), REPORT_VIEWS if sys.argv[1] == "report" else VIEWS)
