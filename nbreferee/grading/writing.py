"""Notebooks as text: the same that nbformat writes, in a fraction of the time.

nbformat copies the whole notebook first, and Python's encoder of JSON is slow where it indents. A
notebook that holds anything but plain JSON is left to nbformat.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

import nbformat
from nbformat import NotebookNode

TRANSIENT = ("orig_nbformat", "orig_nbformat_minor", "signature")  # in the notebook's metadata
TRANSIENT_OF_CELL = "trusted"
SPLIT_KINDS = ("application/javascript", "image/svg+xml")  # and text


def write_notebook(notebook: NotebookNode) -> str:
    """Return a notebook as `nbformat.v4.writes` does."""
    with contextlib.suppress(_NotPlain, AttributeError, KeyError):
        return _dumped(_stripped(notebook), "\n")
    text: str = nbformat.v4.writes(notebook)
    return text


class _NotPlain(Exception):
    """A value that JSON has no form for, or another form than its own."""


def _stripped(notebook: NotebookNode) -> dict[str, Any]:
    """Return what is written of a notebook: texts as lists of lines, nothing that is transient."""
    return {
        **notebook,
        "metadata": {k: v for k, v in notebook.metadata.items() if k not in TRANSIENT},
        "cells": [_stripped_cell(cell) for cell in notebook.cells],
    }


def _stripped_cell(cell: NotebookNode) -> dict[str, Any]:
    shown = {
        **cell,
        "metadata": {k: v for k, v in cell.metadata.items() if k != TRANSIENT_OF_CELL},
        "source": _lines(cell.source),
    }
    if "attachments" in cell:
        shown["attachments"] = {name: _bundle(one) for name, one in cell.attachments.items()}
    if cell.cell_type == "code":
        shown["outputs"] = [_stripped_output(output) for output in cell.outputs]
    return shown


def _stripped_output(output: NotebookNode) -> Mapping[str, Any]:
    if output.output_type in ("execute_result", "display_data"):
        return {**output, "data": _bundle(output.data)}
    if output.output_type == "stream":
        return {**output, "text": _lines(output.text)}
    return output


def _bundle(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        kind: _lines(one) if kind.startswith("text/") or kind in SPLIT_KINDS else one
        for kind, one in data.items()
    }


def _lines(text: Any) -> Any:
    return text.splitlines(True) if isinstance(text, str) else text


def _dumped(value: Any, newline: str) -> str:
    """Return JSON with keys in order; `newline` starts a line with the indentation of the value."""
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is list:
        if not value:
            return "[]"
        inner = newline + " "
        items = [_dumped(one, inner) for one in value]
        return f"[{inner}{f',{inner}'.join(items)}{newline}]"
    if isinstance(value, dict):
        if not value:
            return "{}"
        inner = newline + " "
        if not all(type(key) is str for key in value):
            raise _NotPlain
        items = [f"{encode_basestring(k)}: {_dumped(value[k], inner)}" for k in sorted(value)]
        return f"{{{inner}{f',{inner}'.join(items)}{newline}}}"
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int or (kind is float and value - value == 0):
        return repr(value)
    raise _NotPlain
