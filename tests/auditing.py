"""Audits of pages in a real browser: what they ask for, say on the console, how wide they are,
what axe-core finds, and how they are printed.

python tests/auditing.py feedback report    all pages in folders: on a phone and a desk, light and
dark, and on paper
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SEVERE = ("serious", "critical")
# Images that are printed; drawings (SVG) become lines, which no one can count.
FIGURES = """[...document.images].filter(one => !one.src.startsWith("data:image/svg")
    && one.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true})
    && one.getBoundingClientRect().height > 0).length"""


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


def print_findings(browser: Any, path: Path) -> list[str]:
    """Return what is wrong with a page on paper: empty sheets, figures that are cut or missing."""
    page = browser.new_page()
    try:
        page.goto(f"file://{path}")
        page.emulate_media(media="print")
        margin = dict.fromkeys(("top", "right", "bottom", "left"), "1cm")
        sheets = [*read_sheets(page.pdf(format="A4", margin=margin))]
        figures = page.evaluate(FIGURES)  # now all of them are laid out
    finally:
        page.close()
    found = [
        f"sheet {n} is empty"
        for n, one in enumerate(sheets, 1)
        if not one.has_text and not one.images
    ]
    drawn = sum(len(one.images) for one in sheets)
    if drawn != figures:
        found.append(f"pieces of figures: {drawn}, figures: {figures}")
    return found if sheets else ["nothing is printed"]


@dataclass(frozen=True)
class Sheet:
    """A page of a PDF."""

    has_text: bool
    images: tuple[str, ...]  # each as often as it is drawn


def read_sheets(pdf: bytes) -> Iterator[Sheet]:
    """Yield the pages of a PDF of Chromium's, which holds its objects one by one."""
    objects = {
        int(number): body
        for number, body in re.findall(rb"(?:^|\n)(\d+) 0 obj\n?(.*?)endobj", pdf, re.DOTALL)
    }
    for body in objects.values():
        if re.search(rb"/Type\s*/Page\b", body):
            yield _sheet(body, objects)


def _sheet(body: bytes, objects: Mapping[int, bytes]) -> Sheet:
    images, has_text = [], False
    for resources, content in _contents(body, objects):
        named = re.search(rb"/XObject\s*<<(.*?)>>", resources, re.DOTALL)
        names = dict(re.findall(rb"/(\w+) (\d+) 0 R", named[1])) if named else {}
        has_text |= bool(re.search(rb"\bT[jJ]\b", content))
        for name in re.findall(rb"/(\w+) Do\b", content):
            drawn = objects[int(names[name])]
            if b"/Image" in drawn.partition(b"stream")[0]:
                images.append(name.decode())
    return Sheet(has_text, tuple(images))


def _contents(body: bytes, objects: Mapping[int, bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield resources and content of a page, and of the forms in it."""
    number = re.search(rb"/Contents (\d+) 0 R", body)
    left = [(body, objects[int(number[1])])] if number else []
    seen = set()
    while left:
        resources, stream = left.pop()
        found = re.search(rb"/Resources (\d+) 0 R", resources)
        resources = objects[int(found[1])] if found else resources
        head, _, data = stream.partition(b"stream")
        data = data.lstrip(b"\r\n")
        content = zlib.decompressobj().decompress(data) if b"/FlateDecode" in head else data
        yield resources, content
        for name, one in re.findall(rb"/(\w+) (\d+) 0 R", resources):
            form = objects.get(int(one), b"")
            if b"/Form" in form.partition(b"stream")[0] and one not in seen and name:
                seen.add(one)
                left.append((form, form))


def _audit(path: Path) -> list[str]:
    from browser import chromium

    with chromium() as browser:
        found = [f"on paper: {one}" for one in print_findings(browser, path)]
        for number, view in enumerate(VIEWS):
            with_axe = number in (0, 3)  # each width once, and each scheme; it takes seconds
            found += [
                f"{view.width} pixels, {view.scheme}: {one}"
                for one in findings(browser, path, view, with_axe=with_axe)
            ]
    return found


def main(folders: list[Path]) -> int:
    """Audit all pages in folders; print what is wrong, and return how many pages that concerns."""
    paths = [path for folder in folders for path in sorted(folder.resolve().rglob("*.html"))]
    wrong = 0
    with ProcessPoolExecutor(2) as executor:
        for path, found in zip(paths, executor.map(_audit, paths), strict=True):
            wrong += bool(found)
            for one in found:
                print(f"{path}: {one}")
    print(
        f"{len(paths)} pages, {len(VIEWS)} views each and on paper: something is wrong with {wrong}."
    )
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main([Path(one) for one in sys.argv[1:]]) else 0)
