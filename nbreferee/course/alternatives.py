"""Right answers written in other ways, which an instructor keeps beside an assignment's folder and
never releases.

They are in the percent format: a line `# %% LABEL` begins the answer to the cell of that label, a
grade id for example. JupyterLab opens such a file as a notebook where Jupytext is installed.
"""

from __future__ import annotations

import re
from pathlib import Path

CELL = re.compile(r"^# *%%(?P<title>.*)$", re.MULTILINE)


def alternatives_path(notebook: Path) -> Path:
    """Return where the alternatives of a source notebook are kept."""
    return notebook.parent.parent / f"{notebook.stem}.alternatives.py"


def read_alternatives(notebook: Path) -> list[tuple[str, str]]:
    """Return (label of the answer's cell, right answer) for each alternative of a notebook."""
    path = alternatives_path(notebook)
    return parse_percent(path.read_text(encoding="utf-8")) if path.is_file() else []


def parse_percent(text: str) -> list[tuple[str, str]]:
    """Return (label, text) for each labelled cell of code in the percent format.

    Examples
    --------
    >>> parse_percent("# %% f\\ndef f(x):\\n    return x\\n\\n# %%\\nprint(f(1))\\n")
    [('f', 'def f(x):\\n    return x')]
    """
    parts = CELL.split(text)[1:]
    cells = zip(map(str.strip, parts[::2]), (part.strip("\n") for part in parts[1::2]), strict=True)
    return [(label, source) for label, source in cells if label and "[markdown]" not in label]
