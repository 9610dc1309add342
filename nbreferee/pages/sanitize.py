"""Make a notebook safe to look at, when it is written and before it becomes a page.

The Formgrader shows an executed notebook from Jupyter's own origin, where a script can type marks
into the score boxes. So nothing that a student wrote, or that ran in the student's process, may act
in a browser. What instructors wrote is known by its text, and stays as it is. Outputs are treated
by their MIME type (`_sanitize_data`); what a student's page shows of them is chosen in `shown`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from nbformat import NotebookNode

from nbreferee.pages.markdown import (
    add_missing_attachments,
    is_boring,
    length_of,
    sanitize_markdown,
)
from nbreferee.pages.markup import sanitize_html
from nbreferee.pages.plain import Policy, is_plain, policy_for
from nbreferee.pages.svg import sanitize_svg

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp")
LARGE_TAGS, LARGE_TEXT = 200_000, 300_000  # of all outputs; of all Markdown, in characters
COLOURS_WORK = (
    1_000_000_000  # changes of colour, times length: nbconvert copies the rest of the text at each
)
NOT_SHOWN = "[An output of type {} is not shown here.]"
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_NOTEBOOK_METADATA = {"kernelspec", "language_info", "nbreferee", "nbgrader"}
_CELL_METADATA = {"nbgrader", "deletable", "editable", "collapsed", "scrolled"}
_OUTPUT_KEYS = {
    "stream": {"output_type", "name", "text"},
    "error": {"output_type", "ename", "evalue", "traceback"},
    "display_data": {"output_type", "data", "metadata"},
    "execute_result": {"output_type", "data", "metadata", "execution_count"},
}


def sanitize(notebook: NotebookNode, trusted: Collection[str] = ()) -> tuple[str, ...]:
    """Make a notebook safe in place; return a sentence for every cell whose text had to be changed.

    Parameters
    ----------
    notebook
        executed, in format 4.
    trusted
        texts of Markdown cells that the instructor wrote; cells with such a text stay as they are.
    """
    policy = policy_for((_grade_id(cell) for cell in notebook.cells), _is_large(notebook, trusted))
    notebook["metadata"] = NotebookNode(
        {key: value for key, value in notebook.metadata.items() if key in _NOTEBOOK_METADATA}
    )
    changes = []
    for number, cell in enumerate(notebook.cells, 1):
        _sanitize_metadata(cell)
        if cell.cell_type == "code":
            cell["execution_count"] = _count(cell.get("execution_count"))
            cell["outputs"] = [
                clean
                for output in cell.get("outputs", ())
                for clean in _sanitize_output(output, policy)
            ]
        elif _sanitize_text(cell, trusted, policy):
            changes.append(
                f"cell {_grade_id(cell) or number}: HTML or links that a browser would act on are "
                "shown as text"
            )
    return tuple(changes)


def _is_large(notebook: NotebookNode, trusted: Collection[str]) -> bool:
    """Return whether a notebook holds so much to look at that somebody means to keep the grader
    busy.
    """
    bundles = [
        output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ())
    ]
    texts = [
        _joined(cell.get("source", "")) for cell in notebook.cells if cell.cell_type == "markdown"
    ]
    texts += [_joined(bundle.get("text/markdown", "")) for bundle in bundles]
    tags = sum(_joined(bundle.get("text/html", "")).count("<") for bundle in bundles)
    return (
        tags > LARGE_TAGS
        or sum(length_of(text) for text in texts if text not in trusted and not is_boring(text))
        > LARGE_TEXT
    )


def _grade_id(cell: Mapping[str, Any]) -> str:
    settings = cell.get("metadata", {}).get("nbgrader", {})
    return str(settings.get("grade_id", "")) if isinstance(settings, Mapping) else ""


def _sanitize_metadata(cell: NotebookNode) -> None:
    kept = {key: value for key, value in cell.get("metadata", {}).items() if key in _CELL_METADATA}
    if not re.fullmatch(r"[\w-]*", _grade_id(cell)):
        kept.pop("nbgrader", None)
    cell["metadata"] = NotebookNode(kept)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _sanitize_text(cell: NotebookNode, trusted: Collection[str], policy: Policy) -> bool:
    """Make the text and attachments of a cell that is not code safe; return whether the text has
    changed.
    """
    source = _joined(cell.get("source", ""))
    attachments = _sanitize_attachments(cell.get("attachments", {}))
    if cell.cell_type == "markdown":
        add_missing_attachments(source, attachments)
    cell.pop("attachments", None)
    if attachments:
        cell["attachments"] = NotebookNode(attachments)
    if source in trusted and cell.cell_type == "markdown":
        return False
    # nbconvert writes the text of a raw cell into the page, without some tags
    cell["source"] = (
        sanitize_markdown(source, attachments, policy)
        if cell.cell_type == "markdown"
        else source.replace("<", "&lt;")
    )
    return bool(
        cell.source.replace("&nbsp;", "") != source.replace("&nbsp;", "")
    )  # a heading's other id is no news


def _sanitize_attachments(attachments: Any) -> dict[str, dict[str, str]]:
    if not isinstance(attachments, Mapping):
        return {}
    bundles = {
        name: bundle
        for name, bundle in attachments.items()
        if isinstance(name, str) and isinstance(bundle, Mapping)
    }
    clean = {
        name: {
            mime: kept for mime, data in bundle.items() if (kept := _image(mime, data)) is not None
        }
        for name, bundle in bundles.items()
    }
    return {name: bundle for name, bundle in clean.items() if bundle}


def _image(mime: str, data: Any) -> str | None:
    """Return the data of an attached image, in base64; None where it is none."""
    joined = _joined(data)
    return joined if mime in (*IMAGES, "image/svg+xml") and _BASE64.fullmatch(joined) else None


def _joined(text: Any) -> str:
    return (
        "".join(line for line in text if isinstance(line, str))
        if isinstance(text, list)
        else text
        if isinstance(text, str)
        else ""
    )


def _sanitize_output(output: Any, policy: Policy) -> list[NotebookNode]:
    kind = output.get("output_type")
    if kind not in _OUTPUT_KEYS:
        return []
    clean = NotebookNode({key: value for key, value in output.items() if key in _OUTPUT_KEYS[kind]})
    if kind == "stream":
        clean["name"] = "stderr" if clean.get("name") == "stderr" else "stdout"
        clean["text"] = _colours(_joined(clean.get("text", "")))
    elif kind == "error":
        clean["traceback"] = [
            _colours(line) for line in clean.get("traceback", ()) if isinstance(line, str)
        ]
    else:
        metadata = clean.get("metadata", {})
        clean["data"] = _sanitize_bundle(clean.get("data", {}), policy)
        clean["metadata"] = _sanitize_output_metadata(
            metadata if isinstance(metadata, Mapping) else {}, clean["data"]
        )
    if kind == "execute_result":
        clean["execution_count"] = _count(clean.get("execution_count"))
    return [clean]


def _sanitize_bundle(data: Mapping[str, Any], policy: Policy) -> NotebookNode:
    clean = {
        mime: kept for mime, value in data.items() if (kept := _sanitize_data(mime, value, policy))
    }
    if not clean and data:
        clean["text/plain"] = (
            NOT_SHOWN.format(", ".join(sorted(map(str, data)))[:200])
            if "text/plain" not in data
            else ""
        )
    return NotebookNode(clean)


def _sanitize_data(mime: str, value: Any, policy: Policy) -> str:
    """Return what an output may show of one type; nothing where it may not."""
    text = _joined(value)
    if mime == "text/plain":
        return _colours(text)
    if mime == "text/html":
        return sanitize_html(text, policy)
    if mime == "text/markdown":
        return sanitize_markdown(text, {}, policy)
    if mime == "text/latex":
        return text if is_plain(text.replace("&", "&amp;").replace("<", "&lt;"), policy) else ""
    if mime == "image/svg+xml":
        return sanitize_svg(text)
    return text if mime in IMAGES and _BASE64.fullmatch(text) else ""


def _sanitize_output_metadata(metadata: Mapping[str, Any], data: Mapping[str, Any]) -> NotebookNode:
    """Keep an image's size and description: nbconvert writes a width into the page as it is."""

    def of_image(found: Any) -> dict[str, Any]:
        pairs = found.items() if isinstance(found, Mapping) else ()
        return {
            key: value
            for key, value in pairs
            if _is_size(key, value) or (key == "alt" and isinstance(value, str))
        }

    kept: dict[str, Any] = {
        mime: of_image(metadata[mime]) for mime in IMAGES if mime in data and mime in metadata
    }
    return NotebookNode(
        {mime: NotebookNode(found) for mime, found in kept.items() if found} | of_image(metadata)
    )


def _is_size(key: str, value: Any) -> bool:
    if key == "needs_background":
        return value in ("light", "dark")
    if key == "unconfined":
        return isinstance(value, bool)
    if key not in ("width", "height"):
        return False
    if isinstance(value, str):
        return re.fullmatch(r"\d{1,4}(px|%)?", value, re.ASCII) is not None
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 10_000


def _colours(text: str) -> str:
    """Return text without its colours where these would end nbconvert, and with it the whole
    page.
    """
    if "\x1b" not in text:
        return text
    from nbconvert.filters.ansi import ansi2html, strip_ansi

    try:
        if text.count("\x1b") * len(text) < COLOURS_WORK:
            ansi2html(text)
            return text
    except Exception:  # of whatever kind, it would be the page's
        pass
    return str(strip_ansi(text)).replace("\x1b", "")


def cell_texts(notebook: bytes | str) -> frozenset[str]:
    """Return the texts of a notebook's cells; none where it cannot be read."""
    try:
        return frozenset(_joined(cell["source"]) for cell in json.loads(notebook)["cells"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return frozenset()
