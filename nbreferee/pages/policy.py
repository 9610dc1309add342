"""The Content-Security-Policy of feedback pages: what a browser may load and run for them."""

from __future__ import annotations

import re

# Formulas are drawn by MathJax 2, from the address that nbconvert gives. It evaluates its settings, a part of the page.
_MATHJAX = "https://cdnjs.cloudflare.com/ajax/libs/mathjax/"

_DIRECTIVES = {
    "default-src": "'none'",
    "script-src": f"{_MATHJAX} 'unsafe-eval'",  # no script of the page itself
    "style-src": "'unsafe-inline'",
    "font-src": f"{_MATHJAX} data:",
    "img-src": "data: 'self' file:",  # figures, and files beside the page
    "media-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{name} {value}" for name, value in _DIRECTIVES.items())
META = f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}" />'
# nbconvert writes a page's style sheets into <style> elements; this one is a way to put a tag between them.
AS_STYLE_SHEET = f"</style>\n{META}\n<style>"


def with_policy(page: str) -> str:
    """Return a page with the policy in its head, before anything that is loaded."""
    return re.sub(r"(<head>\s*(?:<meta charset=[^>]*>)?)", lambda found: f"{found[1]}\n{META}", page, count=1)
