"""Outputs are limited as nbgrader's own preprocessors limit them."""

from __future__ import annotations

import copy

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.preprocessors import IgnorePattern, LimitOutput

from nbreferee.course.rules import Rules
from nbreferee.grading.outputs import apply_rules


def stream(lines: int, name: str = "stdout") -> NotebookNode:
    output: NotebookNode = nbformat.v4.new_output(
        "stream", name=name, text="\n".join(f"line {n}" for n in range(lines))
    )
    return output


def error(lines: int) -> NotebookNode:
    output: NotebookNode = nbformat.v4.new_output(
        "error", ename="ValueError", evalue="no", traceback=[f"frame {n}" for n in range(lines)]
    )
    return output


CELLS = {
    "short": [stream(3)],
    "long": [stream(30)],
    "exact": [stream(7)],
    "two streams": [stream(5), stream(5, "stderr"), stream(5)],
    "figure between": [
        stream(20),
        nbformat.v4.new_output("display_data", {"text/plain": "a figure"}),
        stream(2),
    ],
    "short traceback": [error(4)],
    "long traceback": [error(40)],
    "exact traceback": [error(6)],
    "both": [stream(9), error(9)],
}


@pytest.mark.parametrize("outputs", CELLS.values(), ids=CELLS)
def test_lines_are_limited_as_by_nbgrader(outputs: list[NotebookNode]) -> None:
    ours = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("x", outputs=copy.deepcopy(outputs)),
            nbformat.v4.new_markdown_cell("y"),
        ]
    )
    theirs, _ = LimitOutput(max_lines=7, max_traceback=6).preprocess(copy.deepcopy(ours), {})
    apply_rules(ours, Rules(output_lines=7, traceback_lines=6))
    assert ours == theirs


def test_pattern_takes_streams_out_as_nbgrader_does() -> None:
    outputs = [
        stream(2, "stderr"),
        stream(2),
        nbformat.v4.new_output("stream", name="stderr", text="a warning"),
    ]
    ours = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=outputs)])
    theirs, _ = IgnorePattern(pattern="line 1", enabled=True).preprocess(copy.deepcopy(ours), {})
    apply_rules(ours, Rules(ignored_stderr="line 1"))
    assert ours == theirs
    assert [output.text for output in ours.cells[0].outputs] == [outputs[1].text, "a warning"]
