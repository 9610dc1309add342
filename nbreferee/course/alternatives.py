"""Right answers written in other ways, which an instructor keeps beside an assignment's folder and
never releases.
"""

from __future__ import annotations

from pathlib import Path


def alternatives_path(notebook: Path) -> Path:
    """Return where the alternatives of a source notebook are kept."""
    return notebook.parent.parent / f"{notebook.stem}.alternatives.py"


def read_alternatives(notebook: Path) -> list[tuple[str, str]]:
    """Return (label of the solution cell, right answer) for each alternative of a source
    notebook.
    """
    path = alternatives_path(notebook)
    if not path.is_file():
        return []
    import jupytext

    cells = jupytext.read(path, fmt="py:percent").cells
    return [(cell.metadata["title"], cell.source) for cell in cells if "title" in cell.metadata]
