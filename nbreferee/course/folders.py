"""Where a course's folders are, by c.CourseDirectory.directory_structure, whatever its order."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory

ANY = r"[^/]+"
LOOKED_AT = 20_000  # files and folders, for a notebook that lies elsewhere


def assignments_in(course: CourseDirectory) -> list[str]:
    """Return the names of the folders of assignments among the instructor's versions."""
    return sorted(
        {assignment for _, assignment in _folders(course, course.source_directory, student=".")}
    )


def students_in(course: CourseDirectory, step: str, assignment: str) -> list[str]:
    """Return who has a folder for an assignment in a step, or anything in its place; those whom the
    course leaves out are not among them.
    """
    excluded = {name.strip() for name in course.student_id_exclude.split(",")}
    found = set(_students_with_anything(course, step, assignment))
    return sorted(name for name in found - excluded if fnmatch.fnmatchcase(name, course.student_id))


def submitting_students(course: CourseDirectory) -> set[str]:
    """Return who has a folder for any assignment among the submissions."""
    return {student for student, _ in _folders(course, course.submitted_directory)}


def submissions_folder(course: CourseDirectory) -> Path:
    """Return the folder that all submissions are in."""
    before = course.directory_structure.partition("{student_id}")[0].partition("{assignment_id}")[0]
    return Path(course.root, before.format(nbgrader_step=course.submitted_directory)).resolve()


def why_nobody(course: CourseDirectory, assignments: list[str]) -> str:
    """Return where submissions lie that are none of these assignments', in a sentence; nothing
    where there are none at all.
    """
    step, structure = course.submitted_directory, course.directory_structure
    if left_out := sorted(
        {student for student, name in _folders(course, step) if name in assignments}
    ):
        return (
            f"the course leaves out everybody who has handed in ({', '.join(left_out[:5])}): "
            "c.CourseDirectory.student_id_exclude, or student_id."
        )
    if others := sorted({name for _, name in _folders(course, step)}):
        there, wanted = ", ".join(others[:5]), ", ".join(assignments)
        return (
            f"there are submissions for {there}, and none for {wanted}. The folders of both must "
            "have the same name."
        )
    place = structure.format(nbgrader_step=step, student_id="STUDENT", assignment_id="ASSIGNMENT")
    if stray := next(_notebooks_below(submissions_folder(course)), None):
        return (
            f"{stray} does not lie where submissions are looked for, {place}. Move it, or set "
            "c.CourseDirectory.directory_structure."
        )
    return ""


def _folders(
    course: CourseDirectory, step: str, student: str | None = None, assignment: str | None = None
) -> Iterator[tuple[str, str]]:
    """Yield (student, assignment) of the folders of a step that there are; None: any."""
    known = {"student_id": student, "assignment_id": assignment}
    pattern = {name: "*" if value is None else glob.escape(value) for name, value in known.items()}
    wanted = course.directory_structure.format(nbgrader_step=glob.escape(step), **pattern)
    regex = _regex(
        course.directory_structure,
        {
            "nbgrader_step": step,
            **{name: value for name, value in known.items() if value is not None},
        },
    )
    for path in glob.glob(wanted, root_dir=course.root):
        found = regex.fullmatch(path)
        if found and os.path.isdir(os.path.join(course.root, path)):
            names: dict[str, Any] = {**known, **found.groupdict()}
            if not any(name.startswith(".") for key, name in names.items() if known[key] is None):
                yield names["student_id"], names["assignment_id"]


def _students_with_anything(course: CourseDirectory, step: str, assignment: str) -> Iterator[str]:
    """Yield the students at whose folder for an assignment there is anything, or no saying."""
    known = {"nbgrader_step": step, "assignment_id": assignment}
    pieces = course.directory_structure.split("/")
    count = next(
        (number for number, piece in enumerate(pieces, 1) if "{student_id}" in piece), len(pieces)
    )
    upto = "/".join(pieces[:count])  # a student's name
    pattern = upto.format(
        student_id="*", **{name: glob.escape(value) for name, value in known.items()}
    )
    regex = _regex(upto, known)
    for path in glob.glob(pattern, root_dir=course.root):
        found = regex.fullmatch(path)
        student = found["student_id"] if found else "."
        if not student.startswith(".") and _is_there(
            Path(course.root, path), Path(course.format_path(step, student, assignment))
        ):
            yield student


def _is_there(mine: Path, folder: Path) -> bool:
    """Return whether there is anything at a path, or no saying: the student's link leads nowhere,
    her folder cannot be entered.
    """
    try:
        folder.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return mine.is_symlink() and not os.path.exists(mine)
    except OSError:
        return True
    return True


def _regex(structure: str, known: dict[str, str]) -> re.Pattern[str]:
    """Return what matches a path of a structure: a name that is not known is a group, and the same
    wherever it stands.
    """
    parts: list[str] = []
    groups: set[str] = set()
    for piece in re.split(r"(\{\w+\})", structure):
        name = piece.strip("{}")
        if piece != f"{{{name}}}":
            parts.append(re.escape(piece))
        elif name in known:
            parts.append(re.escape(known[name]))
        else:
            parts.append(f"(?P={name})" if name in groups else f"(?P<{name}>{ANY})")
            groups.add(name)
    return re.compile("".join(parts))


def _notebooks_below(folder: Path) -> Iterator[Path]:
    left = LOOKED_AT
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        left -= len(names) + len(folders)
        if left < 0:
            return
        yield from (Path(root, name) for name in sorted(names) if name.endswith(".ipynb"))
