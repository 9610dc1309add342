"""The exports as exporters of nbgrader's own command, `nbgrader export --exporter`.

    nbgrader export --exporter nbreferee.lms.plugins.CanvasExport
    --CanvasExport.template=gradebook.csv --to=upload.csv --assignment=[ps1]

What `nbreferee export` says on the terminal goes to nbgrader's log; what cannot be exported at all
ends the command.
"""

from __future__ import annotations

import sys
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin
from traitlets import Bool, List, Unicode

from nbreferee.course.locate import CourseError
from nbreferee.lms.csvtext import TableError


class PlatformExport(ExportPlugin):  # type: ignore[misc]  # nbgrader has no types
    """Writes scores into the file that was downloaded from a platform."""

    platform = ""

    template = Unicode("", help="The file that was downloaded from the platform.").tag(config=True)
    column = List(Unicode(), help="Which column is an assignment's: ASSIGNMENT=COLUMN.").tag(
        config=True
    )
    scale = Bool(False, help="Multiply scores where the platform's maximum is another.").tag(
        config=True
    )
    partial = Bool(False, help="Send scores of which a part waits for a person.").tag(config=True)
    missing_zero = Bool(False, help="Send a zero for students who handed in nothing.").tag(
        config=True
    )

    def export(self, gradebook: Gradebook) -> None:
        """Export scores to `to`."""
        from nbreferee.lms.exporting import ExportOptions, assignments_of, export

        given = tuple(str(name) for name in self.assignment)
        wanted = ExportOptions(
            self.platform,
            assignments_of(gradebook, given),
            Path(self.template) if self.template else None,
            Path(self.to or f"{self.platform}.csv"),
            tuple(self.column),
            scale=self.scale,
            partial=self.partial,
            missing_zero=self.missing_zero,
            students=tuple(str(one) for one in self.student),
        )
        try:
            done = export(self.parent.coursedir, gradebook, wanted)
        except (CourseError, TableError) as error:
            sys.exit(f"nbreferee: {error}")
        for row in done.rows:
            if row.remark:
                self.log.warning("%s, %s: %s", row.assignment, row.student or row.name, row.remark)
        for problem in done.problems:
            self.log.warning("%s", problem)
        self.log.info("%s: %d scores", wanted.to, sum(row.written for row in done.rows))


class CanvasExport(PlatformExport):
    """Writes scores into Canvas's gradebook."""

    platform = "canvas"


class MoodleExport(PlatformExport):
    """Writes scores into Moodle's grading worksheet."""

    platform = "moodle"


class GradescopeExport(PlatformExport):
    """Writes scores into Gradescope's table of scores."""

    platform = "gradescope"


class CsvExport(PlatformExport):
    """Writes a table of all scores that is safe to open in a spreadsheet program."""

    platform = "csv"
