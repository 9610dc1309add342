"""What a student gets to read: an executed notebook as a page, with scores and comments, without hidden tests.

The page is nbgrader's. What takes it longest, and is left out, is a second look at the finished page
for images without a description; they get one here as they are written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

from nbreferee.pages.hidden import hide_tests
from nbreferee.pages.policy import with_policy
from nbreferee.pages.sanitize import sanitize
from nbreferee.rules import DELIMITERS, Delimiters

NO_DESCRIPTION = "A figure of this notebook; nobody has described it."


@dataclass(frozen=True)
class Sheet:
    """An executed notebook with what the gradebook says of it, by grade id."""

    name: str
    notebook: bytes
    scores: Mapping[str, tuple[float, float]]  # (score, points)
    comments: Mapping[str, str | None]
    score: float = 0.0
    max_score: float = 0.0
    late_penalty: float = 0.0
    course: Mapping[str, Any] = field(default_factory=dict)  # nbgrader's names for resources
    delimiters: Delimiters = DELIMITERS
    instructors_texts: frozenset[str] = frozenset()  # Markdown that stays as it is


def render(sheet: Sheet) -> bytes:
    """Return the page."""
    notebook = nbformat.reads(sheet.notebook.decode(), as_version=4)
    sanitize(notebook, sheet.instructors_texts)
    hide_tests(notebook, sheet.delimiters)
    for cell in notebook.cells:
        settings = cell.metadata.get("nbgrader")
        if not settings:
            continue
        grade_id = settings.get("grade_id")
        if grade_id in sheet.comments:
            settings["comment"] = sheet.comments[grade_id]
        if grade_id in sheet.scores:
            settings["score"], settings["points"] = sheet.scores[grade_id]
    totals = {"score": sheet.score - sheet.late_penalty, "max_score": sheet.max_score, "late_penalty": sheet.late_penalty}
    resources = {"nbgrader": {**sheet.course, **totals}, "metadata": {"name": sheet.name, "path": ""}}
    page = with_policy(_write_page(notebook, resources))
    return re.sub(r"<img (?![^>]*\balt=)", f'<img alt="{NO_DESCRIPTION}" ', page).encode()


def _write_page(notebook: Any, resources: dict[str, Any]) -> str:
    """Do what HTMLExporter does, up to its second look."""
    from nbconvert.exporters.templateexporter import TemplateExporter
    from nbconvert.filters.highlight import Highlight2HTML
    from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter

    exporter = _exporter()
    resources = exporter._init_resources(resources)
    exporter.register_filter("highlight_code", Highlight2HTML(pygments_lexer="ipython3", parent=exporter))
    exporter.register_filter("filter_data_type", WidgetsDataTypeFilter(notebook_metadata={}, parent=exporter, resources=resources))
    page, _ = TemplateExporter.from_notebook_node(exporter, notebook, resources)
    return page


@cache
def _exporter() -> Any:
    """Return nbconvert's exporter with nbgrader's template, made once a process."""
    import nbgrader
    from nbconvert.exporters import HTMLExporter
    from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
    from traitlets.config import Config

    formgrader = Path(os.path.dirname(nbgrader.__file__)) / "server_extensions" / "formgrader"
    config = Config()
    config.Exporter.default_preprocessors = []
    config.HTMLExporter.template_name = "feedback"
    config.HTMLExporter.extra_template_basedirs = [str(formgrader / "templates")]
    config.HTMLExporter.extra_template_paths = [str(formgrader / "static/node_modules/bootstrap/dist/css")]
    exporter = HTMLExporter(config=config)
    exporter.register_preprocessor(CSSHTMLHeaderPreprocessor, enabled=True)
    return exporter
