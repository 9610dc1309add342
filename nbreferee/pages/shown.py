"""What cells have shown, as HTML: text, figures, tables, errors."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from nbreferee.pages.plain import Policy
from nbreferee.pages.sanitize import IMAGES
from nbreferee.pages.text import html_output, latex_output, markdown

LINES, LAST_LINES = 120, 30  # of one text; what is between is left out
CHARACTERS = 20_000
LINE_CHARACTERS = 2_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def outputs(
    found: Iterable[Mapping[str, Any]], cell: int, policy: Policy, *, errors: bool = True
) -> str:
    """Return the outputs of a cell.

    Parameters
    ----------
    cell : its number in the notebook, for the description of a figure without one
    errors : show errors; those of tests are shown as messages instead
    """
    return "".join(
        _output(one, cell, policy) for one in found if errors or one["output_type"] != "error"
    )


def _output(output: Mapping[str, Any], cell: int, policy: Policy) -> str:
    kind = output["output_type"]
    if kind == "stream":
        return _text(output.get("text", ""), "stderr" if output.get("name") == "stderr" else "")
    if kind == "error":
        return error(output)
    data, metadata = output.get("data", {}), output.get("metadata", {})
    for mime in IMAGES:
        if data.get(mime):
            return _figure(mime, data[mime], metadata, cell)
    if data.get("image/svg+xml"):
        return _drawing(data["image/svg+xml"], metadata, cell)
    if data.get("text/html"):
        return f'<div class="out html">{html_output(data["text/html"], policy)}</div>'
    if data.get("text/markdown"):
        return f'<div class="out text">{markdown(data["text/markdown"], {}, policy)}</div>'
    if data.get("text/latex"):
        return f'<div class="out text">{latex_output(data["text/latex"], policy)}</div>'
    return _text(data.get("text/plain", ""), "")


def error(output: Mapping[str, Any]) -> str:
    """Return an error with its traceback folded."""
    name, value = plain(output.get("ename", "")), plain(output.get("evalue", ""))
    trace = plain("\n".join(output.get("traceback", ())))
    last = f"{name}: {value}" if value else name
    folded = ""
    if trace.strip() and trace.strip() != last.strip():
        folded = f"<details><summary>Where it happened</summary>{_text(trace, 'trace')}</details>"
    return f'<div class="out error"><p class="raised">{html.escape(last[:2000])}</p>{folded}</div>'


def plain(text: str) -> str:
    """Return text without colours of a terminal and other control characters."""
    from nbconvert.filters.ansi import strip_ansi

    return _CONTROL.sub("", strip_ansi(text) if "\x1b" in text else text)


def _text(text: str, kind: str) -> str:
    text = plain(text).rstrip("\n")
    if not text:
        return ""
    label = '<span class="label">stderr</span>' if kind == "stderr" else ""
    return f'<pre class="out {kind}">{label}{html.escape(_shortened(text), quote=False)}</pre>'


def _shortened(text: str) -> str:
    lines = [
        line[:LINE_CHARACTERS] + (" …" if len(line) > LINE_CHARACTERS else "")
        for line in text.split("\n")
    ]
    if len(lines) > LINES:
        left_out = len(lines) - LINES
        middle = f"[… {left_out} lines are left out here …]"
        lines = [*lines[: LINES - LAST_LINES], middle, *lines[-LAST_LINES:]]
    kept = "\n".join(lines)
    if len(kept) > CHARACTERS:
        left_out = len(kept) - CHARACTERS
        half = CHARACTERS // 2
        kept = f"{kept[:half]}\n[… {left_out} characters are left out here …]\n{kept[-half:]}"
    return kept


def _description(metadata: Mapping[str, Any], mime: str, cell: int) -> str:
    own = metadata.get(mime)
    alt = (own.get("alt") if isinstance(own, Mapping) else None) or metadata.get("alt")
    words = " ".join(str(alt).split())[:500] if alt else ""
    return html.escape(words or f"Figure made by cell {cell}")


def _figure(mime: str, data: str, metadata: Mapping[str, Any], cell: int) -> str:
    source = f"data:{mime};base64,{re.sub(r'[^A-Za-z0-9+/=]', '', data)}"
    return (
        f'<figure class="out"><img alt="{_description(metadata, mime, cell)}" '
        f'src="{source}"></figure>'
    )


def _drawing(data: str, metadata: Mapping[str, Any], cell: int) -> str:
    """Return a drawing as an image, in which nothing runs and no id is the page's."""
    import base64

    source = base64.b64encode(data.encode()).decode()
    description = _description(metadata, "image/svg+xml", cell)
    return (
        f'<figure class="out"><img alt="{description}" '
        f'src="data:image/svg+xml;base64,{source}"></figure>'
    )
