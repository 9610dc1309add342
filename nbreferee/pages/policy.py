"""The Content-Security-Policy of pages: what a browser may load and run for them, which is nothing
of others.
"""

from __future__ import annotations

_DIRECTIVES = {
    "default-src": "'none'",  # no script, no frame, no request
    "style-src": "'unsafe-inline'",  # the page's own style sheet, and colours of students' tables
    "font-src": "data:",
    "img-src": "data:",
    "media-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{name} {value}" for name, value in _DIRECTIVES.items())
META = f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}">'
