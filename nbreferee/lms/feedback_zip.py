"""Pages of feedback as the zip that Moodle takes: Upload multiple feedback files in a zip.

Moodle splits a folder's name at underscores: a name, the participant's number, and the plugin's two
words.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from nbreferee.grading.atomic import whole_file
from nbreferee.lms.csvtext import TableError
from nbreferee.lms.people import Person


def write_feedback_zip(
    course: CourseDirectory, assignment: str, students: Iterable[tuple[Person, str]], to: Path
) -> int:
    """Write the pages of students into a zip; return how many there are.

    Raises
    ------
    TableError
        where there are none.
    """
    count = 0
    with (
        whole_file(to) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for person, student in students:
            folder = Path(course.format_path(course.feedback_directory, student, assignment))
            for page in sorted(folder.glob("*.html")):
                if not page.name.startswith((".", "~")) and page.is_file():
                    archive.write(page, f"{_folder(person)}/{page.name}")
                    count += 1
        if not count:
            raise TableError(
                f"no pages of feedback for {assignment}. Run nbreferee feedback {assignment} first."
            )
    return count


def _folder(person: Person) -> str:
    name = re.sub(r'[_/\\:*?"<>|\x00-\x1f]+', " ", person.name).strip(" .~") or "Participant"
    return f"{name}_{person.ids['participant']}_assignfeedback_file"
