"""Audits of pages in a real browser: what they ask for, say on the console, how wide they are, and
what axe-core finds.

python tests/auditing.py feedback    all pages in a folder, on a phone and a desk, light and dark
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SEVERE = ("serious", "critical")


@dataclass(frozen=True)
class View:
    """How a reader looks at a page."""

    width: int = 390
    scheme: str = "light"


VIEWS = [View(width, scheme) for scheme in ("light", "dark") for width in (390, 1280)]


@cache
def axe_core() -> str:
    """The script of axe-core, which a wheel holds."""
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


def findings(browser: Any, path: Path, view: View, *, with_axe: bool = True) -> list[str]:
    """Return all that is wrong with a page, every fold of it open, in sentences."""
    context = browser.new_context(
        viewport={"width": view.width, "height": 900}, color_scheme=view.scheme
    )
    try:
        page = context.new_page()
        found: list[str] = []
        page.on("console", lambda message: found.append(f"console: {message.text}"))
        page.on(
            "request",
            lambda request: (
                None
                if _is_own(request.url, path)
                else found.append(f"asks for {request.url[:100]}")
            ),
        )
        page.goto(f"file://{path}")
        page.evaluate(OPEN_ALL)
        if (beyond := page.evaluate(TOO_WIDE)) > 0:
            found.append(f"{beyond} pixels too wide at {view.width}")
        if with_axe:
            page.evaluate(axe_core())
            result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            found += [
                f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}"
                for one in result["violations"]
                if one["impact"] in SEVERE
            ]
        return found
    finally:
        context.close()


def _is_own(url: str, path: Path) -> bool:
    return url.startswith("data:") or url == f"file://{path}"


def main(folder: Path) -> int:
    """Audit all pages in a folder; print what is wrong, and return how many pages that concerns."""
    from browser import chromium

    wrong = set()
    paths = sorted(folder.resolve().rglob("*.html"))
    with chromium() as browser:
        for path in paths:
            for view in VIEWS:
                for finding in findings(browser, path, view):
                    wrong.add(path)
                    print(
                        f"{path.relative_to(folder.resolve())}, {view.width} pixels, "
                        f"{view.scheme}: {finding}"
                    )
    print(f"{len(paths)} pages in {len(VIEWS)} views each: something is wrong with {len(wrong)}.")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1])) else 0)
