"""Python code with its colours, as classes that the page's style sheet knows in light and in
dark.
"""

from __future__ import annotations

import html
import re
from functools import cache, lru_cache
from typing import Any

_WITHOUT_COLOUR = re.compile(
    r'<span class="(?:n|p|o|w|nv|vm|pm|na|nl|x)">([^<]*)</span>'
)  # half of a page's code
CHARACTERS = 60_000  # of one cell; longer code has no colours


@cache
def _lexer_and_formatter() -> tuple[Any, Any]:
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    return get_lexer_by_name("ipython3", stripnl=False), HtmlFormatter(nowrap=True)


@lru_cache(maxsize=2_000)
def code(source: str) -> str:
    """Return code as HTML."""
    return f'<pre class="code"><code>{_coloured(source)}</code></pre>'


def _coloured(source: str) -> str:
    if len(source) > CHARACTERS:
        return html.escape(source)
    from pygments import highlight

    lexer, formatter = _lexer_and_formatter()
    try:
        return _WITHOUT_COLOUR.sub(r"\1", highlight(source, lexer, formatter)).rstrip("\n")
    except Exception:  # a lexer that fails on a student's text must not end the page
        return html.escape(source)
