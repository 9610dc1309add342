"""Notebooks are written as nbformat writes them, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode

from nbreferee.grading.writing import write_notebook

COURSE = Path(__file__).parents[2]
texts = st.text(max_size=8) | st.sampled_from(["a\nb", "\r\n", "\u2028x", '"\\', "\x00\x1f", ""])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(
    texts | st.sampled_from(["trusted", "signature", "orig_nbformat"]), json_values, max_size=3
)
bundles = st.dictionaries(
    st.sampled_from(["text/plain", "image/svg+xml", "image/png", "application/json"]),
    texts | json_values,
    max_size=3,
)


@st.composite
def cells(draw: st.DrawFn) -> dict[str, Any]:
    cell: dict[str, Any] = {"source": draw(texts), "metadata": draw(objects)}
    if draw(st.booleans()):
        attachments = draw(st.dictionaries(texts, bundles, max_size=2))
        return cell | {"cell_type": "markdown", "attachments": attachments}
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": draw(texts)},
        {"output_type": "display_data", "data": draw(bundles), "metadata": draw(objects)},
        {"output_type": "error", "ename": "E", "evalue": draw(texts), "traceback": [draw(texts)]},
    ]
    return cell | {"cell_type": "code", "outputs": outputs, "execution_count": None}


def notebook_of(cells: list[dict[str, Any]], metadata: dict[Any, Any]) -> NotebookNode:
    return NotebookNode(
        nbformat.from_dict({"cells": cells, "nbformat": 4, "nbformat_minor": 5})
        | {"metadata": nbformat.from_dict(metadata)}
    )


@settings(max_examples=60)
@given(st.lists(cells(), max_size=2), objects)
def test_any_notebook_is_written_as_by_nbformat(content: list[Any], metadata: Any) -> None:
    notebook = notebook_of(content, metadata)
    assert write_notebook(notebook) == nbformat.v4.writes(notebook)


@pytest.mark.parametrize("value", [b"bytes", (1, 2), {1: "a key that is no text"}])
def test_values_beyond_json_are_left_to_nbformat(value: Any) -> None:
    notebook = notebook_of([], {"odd": value})
    assert write_notebook(notebook) == nbformat.v4.writes(notebook)


def test_course_is_written_as_by_nbformat() -> None:
    for path in sorted((COURSE / "source").glob("*/*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        assert write_notebook(notebook) == nbformat.v4.writes(notebook)
