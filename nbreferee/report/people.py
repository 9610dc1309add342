"""Students on pages of a report: a name, with a link to the student's page where there is one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup
from nbgrader.coursedir import CourseDirectory

from nbreferee.submission.folder import shown

LONGEST = 80  # characters of a name


@dataclass
class People:
    """Writes names as HTML; `folder` is where the pages of the report are."""

    course: CourseDirectory
    names: Mapping[str, str]
    folder: Path

    _links: dict[tuple[str, str, str], Markup] = field(default_factory=dict)

    def name(self, student: str) -> Markup:
        """Return a student's full name and id, or the id alone.

        The name is an island: one that is written from right to left moves nothing around it.
        """
        full = " ".join(self.names.get(student, "").split())
        short = full if len(full) <= LONGEST else f"{full[:LONGEST]}…"
        if not full:
            return Markup("<bdi>{}</bdi>").format(shown(student))
        return Markup("<bdi>{}</bdi> (<bdi>{}</bdi>)").format(short, shown(student))

    def link(self, student: str, assignment: str, notebook: str) -> Markup:
        """Return the name, as a link to what the student gets to read where that is there."""
        key = student, assignment, notebook
        if key not in self._links:
            self._links[key] = self._link(*key)
        return self._links[key]

    def _link(self, student: str, assignment: str, notebook: str) -> Markup:
        step = self.course.feedback_directory
        path = Path(self.course.format_path(step, student, assignment)) / f"{notebook}.html"
        if not path.is_file():
            return self.name(student)
        address = quote(os.path.relpath(path.resolve(), self.folder.resolve()))
        return Markup('<a href="{}">{}</a>').format(address, self.name(student))

    def links(self, students: Iterable[str], assignment: str, notebook: str) -> Markup:
        """Return several names with commas between them."""
        return Markup(", ").join(self.link(one, assignment, notebook) for one in students)
