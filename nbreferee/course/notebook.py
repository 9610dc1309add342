"""The instructor's notebook as nbgrader releases and grades it: header and footer around it,
autotests written out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbreferee.course.locate import CourseError
from nbreferee.course.rules import Rules

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config


def read_course_notebook(
    course: CourseDirectory,
    path: Path,
    rules: Rules,
    released: Mapping[str, str] = {},
    config: Config | None = None,
) -> bytes:
    """Return a notebook of a course as bytes.

    Parameters
    ----------
    released
        The sources in the gradebook by grade id. Cells with autotests have theirs from there.
    config
        The course's configuration, where `course` does not hold all of it.

    Raises
    ------
    CourseError
        if the header or footer cannot be read.
    """
    data = path.read_bytes()
    around = [_cells_of(course, place) for place in _header_and_footer(config or course.config)]
    autotests = rules.delimiters.autotest.encode() in data or any(
        rules.delimiters.autotest in str(cells) for cells in around
    )
    if not any(around) and not autotests:
        return data
    try:
        notebook = json.loads(data)
        cells = notebook["cells"]
    except (ValueError, KeyError, TypeError):
        return data  # what is wrong with it is said where it is read
    _name_cells(notebook, cells, [*around[0], *around[1]])
    notebook["cells"] = [*around[0], *cells, *around[1]]
    if autotests:
        for cell in notebook["cells"]:
            _write_autotests_out(cell, rules, released)
    return json.dumps(notebook).encode()


def _name_cells(
    notebook: Mapping[str, Any], cells: list[dict[str, Any]], around: list[dict[str, Any]]
) -> None:
    """Give cells of header and footer the ids that the notebook's format wants, or none."""
    has_ids = (notebook.get("nbformat", 4), notebook.get("nbformat_minor", 0)) >= (4, 5)
    taken = {cell.get("id") for cell in cells}
    for number, cell in enumerate(around):
        if not has_ids:
            cell.pop("id", None)
        elif cell.get("id", None) in {None, *taken}:
            cell["id"] = f"around-{number}"
        taken.add(cell.get("id"))


def language_of(metadata: Mapping[str, Any]) -> str:
    """Return the language of a notebook; Python's has the name python."""
    kernel, language = metadata.get("kernelspec"), metadata.get("language_info")
    named = (kernel or {}).get("language") or (language or {}).get("name") or "python"
    return (
        "python" if str(named).lower().strip("0123456789.") in ("python", "ipython") else str(named)
    )


def has_autotests(source: str, rules: Rules) -> bool:
    """Return whether nbgrader would write tests in the place of some lines."""
    return any(
        rules.delimiters.autotest in line and line.strip().startswith("#")
        for line in source.split("\n")
    )


def is_written_out(source: str, released: str, rules: Rules) -> bool:
    """Return whether a released cell is what nbgrader makes of a source: all lines that are no
    autotests, in order.
    """
    lines = iter(released.split("\n"))
    return all(line in lines for line in source.split("\n") if not has_autotests(line, rules))


def _header_and_footer(config: Config) -> tuple[str, str]:
    from nbgrader.preprocessors import IncludeHeaderFooter

    setting = IncludeHeaderFooter(config=config)
    return (setting.header, setting.footer) if setting.enabled else ("", "")


def _cells_of(course: CourseDirectory, place: str) -> list[dict[str, Any]]:
    if not place:
        return []
    path = Path(course.root, place)
    try:
        cells: list[dict[str, Any]] = json.loads(path.read_bytes())["cells"]
        return cells
    except OSError as error:
        raise CourseError(
            f"{path}: cannot be read ({error.strerror}). Mend c.IncludeHeaderFooter."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise CourseError(
            f"{path}: not a notebook of format 4. Open it in JupyterLab and save it again."
        ) from None


def _write_autotests_out(cell: dict[str, Any], rules: Rules, released: Mapping[str, str]) -> None:
    source = cell.get("source", "")
    text = "".join(source) if isinstance(source, list) else source
    grade_id = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", "")
    if (
        cell.get("cell_type") == "code"
        and grade_id in released
        and has_autotests(text, rules)
        and is_written_out(text, released[grade_id], rules)
    ):
        cell["source"] = released[grade_id]
