"""What a course's settings change in the outputs of an executed notebook, as nbgrader's
preprocessors would.
"""

from __future__ import annotations

import re
from typing import Any

from nbformat import NotebookNode

from nbreferee.course.rules import Rules

CUT, CUT_TRACEBACK = "... Output truncated ...", "... Traceback truncated ..."
# How the errors begin that nbreferee gives to a cell whose time is up.
TIME_IS_UP = (
    "this cell took longer than",
    "it takes too long",
    "not run: the notebook has used",
    "the test takes too long",
)


def apply_rules(notebook: NotebookNode, rules: Rules) -> None:
    """Change the outputs of a notebook as the settings say."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                _with_own_error(output, rules)
                for output in cell.outputs
                if not _is_ignored(output, rules)
            ]
            if rules.output_lines >= 0:
                cell.outputs = _limited(cell.outputs, rules.output_lines)
            for output in cell.outputs:
                if output.output_type == "error" and 0 <= rules.traceback_lines < len(
                    output.traceback
                ):
                    output.traceback = _cut(output.traceback, rules.traceback_lines)


def _is_ignored(output: NotebookNode, rules: Rules) -> bool:
    stderr = output.output_type == "stream" and output.name == "stderr"
    return bool(stderr and rules.ignored_stderr and re.search(rules.ignored_stderr, output.text))


def _with_own_error(output: NotebookNode, rules: Rules) -> NotebookNode:
    timeout = (
        output.output_type == "error"
        and output.ename == "TimeoutError"
        and output.evalue.startswith(TIME_IS_UP)
    )
    if not timeout or not rules.timeout_error:
        return output
    own = {name: rules.timeout_error.get(name, "") for name in ("ename", "evalue")}
    lines = [str(line) for line in rules.timeout_error.get("traceback", ())]
    return NotebookNode(
        output_type="error", ename=str(own["ename"]), evalue=str(own["evalue"]), traceback=lines
    )


def _limited(outputs: list[NotebookNode], most: int) -> list[NotebookNode]:
    """Return outputs of which the streams have no more than `most` lines together."""
    kept: list[NotebookNode] = []
    length = 0
    for output in outputs:
        if output.output_type == "stream":
            if length >= most:
                continue
            lines = output.text.split("\n")
            if len(lines) + length > most:
                lines = [*lines[: most - length - 1], CUT]
            length += len(lines)
            output.text = "\n".join(lines)
        kept.append(output)
    return kept


def _cut(lines: list[Any], most: int) -> list[Any]:
    """Return the beginning and the end of a traceback, `most` lines with the one that says so."""
    before = most // 2
    after = max(most - before - 1, 0)
    return [*lines[:before], CUT_TRACEBACK, *lines[len(lines) - after :]]
