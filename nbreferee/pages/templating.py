"""The templates of pages, and what they all hold: style sheet, font of formulas, policy."""

from __future__ import annotations

import base64
from functools import cache
from importlib import resources
from typing import Any

from nbreferee.pages.policy import META

FOLDER = "templates"


def _file(name: str) -> bytes:
    return (resources.files("nbreferee.pages") / FOLDER / name).read_bytes()


@cache
def style_sheet() -> str:
    """Return the style sheet, with the font of formulas in it."""
    font = base64.b64encode(_file("mathematics.woff")).decode()
    return _file("page.css").decode().replace("FONT", font)


@cache
def report_style_sheet() -> str:
    """Return what the style sheet of reports has besides."""
    return _file("report.css").decode()


@cache
def _environment() -> Any:
    from jinja2 import DictLoader, Environment, StrictUndefined

    names = [
        one.name
        for one in (resources.files("nbreferee.pages") / FOLDER).iterdir()
        if one.name.endswith(".html")
    ]
    environment = Environment(
        loader=DictLoader({name: _file(name).decode() for name in names}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
    )
    environment.filters["num"] = number
    return environment


def render_template(name: str, **values: Any) -> str:
    """Return a page; values that are no `Markup` are escaped."""
    from markupsafe import Markup

    template = _environment().get_template(name)
    page: str = template.render(
        css=Markup(style_sheet()),
        report_css=Markup(report_style_sheet()),
        policy=Markup(META),
        **values,
    )
    return page


def number(value: float) -> str:
    """Return a number of points as people write it."""
    return f"{round(value, 2):g}"
