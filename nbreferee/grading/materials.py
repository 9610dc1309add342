"""What it takes to grade an assignment, read from the course's folder and the gradebook."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nbreferee.course.locate import CourseError
from nbreferee.course.nbgrader_settings import excluded_files, read_rules
from nbreferee.course.notebook import language_of, read_course_notebook
from nbreferee.course.settings import NbReferee
from nbreferee.course.source import MasterError
from nbreferee.grading.course_files import read_assignment_files, read_excluded
from nbreferee.grading.gradebook import released_cells
from nbreferee.grading.notebook import NotebookMaterial

if TYPE_CHECKING:
    from nbgrader.api import Gradebook
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config


def read_materials(
    course: CourseDirectory,
    gradebook: Gradebook,
    assignment: str,
    config: Config | None = None,
    *,
    preview: bool = False,
) -> dict[str, NotebookMaterial]:
    """Return what it takes to grade the notebooks of an assignment, by name.

    `config` is the course's configuration, where `course` does not hold all of it: nbgrader's own
    commands make it too early. For a preview, tests may be other ones than those that are released.

    Raises
    ------
    CourseError
        if an instructor's notebook cannot be used, or is not the one that students got.
    """
    folder = Path(course.format_path(course.source_directory, ".", assignment))
    try:
        config = config or course.config
        return _read_materials(course, gradebook, assignment, folder, config, preview)
    except OSError as error:
        raise CourseError(
            f"{error.filename or folder}: cannot be read ({error.strerror}). Restore it, or make "
            "it readable."
        ) from None


def _read_materials(
    course: CourseDirectory,
    gradebook: Gradebook,
    assignment: str,
    folder: Path,
    config: Config,
    preview: bool,
) -> dict[str, NotebookMaterial]:
    ours = NbReferee(config=config)
    rules = replace(
        read_rules(config),
        one_process=ours.one_process_cells,
        follow_through=ours.follow_through,
        replay=ours.replay,
        share_results=ours.share_results,
    )
    excluded = excluded_files(config, assignment)
    files = read_assignment_files(folder, course.ignore, course.include, excluded)
    of_solution = read_excluded(folder, excluded)
    materials = {}
    paths = sorted(folder.glob("*.ipynb"))
    notebooks = {path.name: path.read_bytes() for path in paths}
    if any(b".ipynb" in data for data in notebooks.values()):
        of_solution |= notebooks
    for path in paths:
        released = released_cells(gradebook, assignment, path.stem)
        data = read_course_notebook(
            course, path, rules, {name: cell.source for name, cell in released.items()}, config
        )
        material = NotebookMaterial(str(path), data, released, files, rules, of_solution)
        if preview:
            material = _with_tests_as_they_are(material)
        _refuse(material, assignment)
        materials[path.stem] = material
    if not materials:
        raise CourseError(f"{folder}: no notebooks here. Put the instructor's version there.")
    return materials


def _with_tests_as_they_are(material: NotebookMaterial) -> NotebookMaterial:
    """Return the material as it would be after the tests that have changed were released."""
    try:
        tests = material.master.tests
    except MasterError:  # which is told afterwards
        return material
    changed = {
        cell.grade_id: replace(material.released[cell.grade_id], source=cell.source)
        for cell in tests
        if cell.grade_id in material.released
    }
    return replace(material, released={**material.released, **changed})


def _refuse(material: NotebookMaterial, assignment: str) -> None:
    """Raise a CourseError if a notebook cannot be graded."""
    try:
        master = material.master
    except MasterError as error:
        raise CourseError(str(error)) from None
    if (language := language_of(master.notebook.metadata)) != "python":
        raise CourseError(
            f"{material.path}: a notebook in {language}, and nbreferee grades Python. Grade "
            f"{assignment} with nbgrader autograde."
        )
    released = material.released
    for cell in master.cells:
        if (
            cell.is_known
            and not cell.solution
            and (cell.grade_id not in released or released[cell.grade_id].source != cell.source)
        ):
            cure = f"Run nbgrader generate_assignment {assignment} --force, then grade."
            raise CourseError(
                f"{material.path}: cell {cell.grade_id} is not what students got. {cure}"
            )
