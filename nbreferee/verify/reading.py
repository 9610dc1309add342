"""A course's notebook for `verify`: with header and footer, the course's own delimiters, and its
autotests written out; and what it takes to grade answers to it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat

from nbreferee.course.locate import CourseError, open_gradebook
from nbreferee.course.nbgrader_settings import excluded_files, read_rules
from nbreferee.course.notebook import has_autotests, language_of, read_course_notebook
from nbreferee.course.settings import NbReferee
from nbreferee.course.source import Master, MasterError, parse_master
from nbreferee.grading.course_files import read_assignment_files, read_excluded
from nbreferee.grading.gradebook import released_cells
from nbreferee.grading.notebook import NotebookMaterial
from nbreferee.submission.originals import Released

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from nbgrader.coursedir import CourseDirectory


def read_course_master(course: CourseDirectory, path: Path) -> Master:
    """Return a notebook of a course as nbgrader releases and grades it.

    Raises
    ------
    MasterError
        if it cannot be used.
    """
    try:
        rules = read_rules(course.config)
        master = parse_master(path, read_course_notebook(course, path, rules), rules.delimiters)
        if any(has_autotests(cell.source, rules) for cell in master.cells if cell.is_code):
            master = parse_master(
                path,
                read_course_notebook(course, path, rules, _released(course, path)),
                rules.delimiters,
            )
    except CourseError as error:
        raise MasterError(str(error)) from None
    except OSError as error:
        raise MasterError(
            f"{path}: cannot be read ({error.strerror}). Check the file and its permissions."
        ) from None
    if (language := language_of(master.notebook.metadata)) != "python":
        raise MasterError(
            f"{path}: a notebook in {language}, and nbreferee verifies Python. Leave its "
            "assignment out."
        )
    stale = [
        cell.label for cell in master.cells if cell.is_code and has_autotests(cell.source, rules)
    ]
    if stale:
        raise MasterError(f"{path}, cell {stale[0]}: {_unwritten(path)}")
    return master


def make_material(
    course: CourseDirectory, master: Master, release: NotebookNode
) -> NotebookMaterial:
    """Return what it takes to grade submissions to a notebook as it is now, released or not."""
    config = course.config
    folder = master.path.parent
    excluded = excluded_files(config, folder.name)
    released = {
        cell.metadata.nbgrader.grade_id: Released(cell.source, "")
        for cell in release.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id")
    }
    return NotebookMaterial(
        str(master.path),
        nbformat.writes(master.notebook).encode(),
        released,
        read_assignment_files(folder, course.ignore, course.include, excluded),
        replace(
            read_rules(config),
            one_process=NbReferee(config=config).one_process_cells,
            replay=False,  # each answer runs
        ),
        read_excluded(folder, excluded),
    )


def _released(course: CourseDirectory, path: Path) -> dict[str, str]:
    """Return the sources of cells by grade id as nbgrader has released them; nothing where it has
    not.
    """
    try:
        with open_gradebook(course) as gradebook:
            return {
                name: cell.source
                for name, cell in released_cells(gradebook, path.parent.name, path.stem).items()
            }
    except CourseError:
        return {}


def _unwritten(path: Path) -> str:
    return (
        "nbgrader writes its autotests out, and has not yet for this version. Run nbgrader "
        f"generate_assignment {path.parent.name} --force, then verify."
    )
