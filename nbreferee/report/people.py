"""Students on pages of a report: a name, with a link to the student's page where there is one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup, escape
from nbgrader.coursedir import CourseDirectory

from nbreferee.submission.folder import shown


@dataclass
class People:
    """Writes names as HTML; `folder` is where the pages of the report are."""

    course: CourseDirectory
    names: Mapping[str, str]
    folder: Path

    def name(self, student: str) -> str:
        """Return a student's full name and id, or the id alone."""
        full = self.names.get(student)
        return f"{full} ({shown(student)})" if full else shown(student)

    def link(self, student: str, assignment: str, notebook: str) -> Markup:
        """Return the name, as a link to what the student gets to read where that is there."""
        step = self.course.feedback_directory
        path = Path(self.course.format_path(step, student, assignment)) / f"{notebook}.html"
        if not path.is_file():
            return escape(self.name(student))
        address = quote(os.path.relpath(path.resolve(), self.folder.resolve()))
        return Markup('<a href="{}">{}</a>').format(address, self.name(student))

    def links(self, students: Iterable[str], assignment: str, notebook: str) -> Markup:
        """Return several names with commas between them."""
        return Markup(", ").join(self.link(one, assignment, notebook) for one in students)
