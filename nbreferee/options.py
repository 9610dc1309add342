"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path

import click

COURSE_DIR = click.option(
    "--course-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The course's folder, the one with nbgrader_config.py (default: this one).",
)
