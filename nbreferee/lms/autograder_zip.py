"""nbreferee gradescope: an assignment as the zip that Gradescope makes an autograder from.

It holds the course's folder for this assignment, as that is how Gradescope works: the tests stand
in the container. Students' code runs there in nbreferee's sandbox, which cannot read them.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import (
    Assignment,
    BaseCell,
    Course,
    Gradebook,
    GradeCell,
    Notebook,
    SolutionCell,
    SourceCell,
    TaskCell,
)
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import insert, select

from nbreferee.course.locate import CourseError
from nbreferee.grading.atomic import whole_file
from nbreferee.grading.materials import read_materials
from nbreferee.lms.results import VISIBILITIES, Visibility
from nbreferee.lms.wheel import make_wheel, pinned_requirements

SETUP = """\
#!/usr/bin/env bash
# Gradescope runs this once, when it makes the container: Python packages from the package index.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="${AUTOGRADER_ROOT:-/autograder}"

find_python() {
    for name in python3.13 python3.12 python3.11 python3; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

if ! python="$(find_python)"; then
    apt-get update
    apt-get install -y --no-install-recommends python3.12-venv || apt-get install -y --no-install-recommends python3.11-venv
    python="$(find_python)" || { echo "nbreferee needs Python 3.11 or later. Choose a newer base image." >&2; exit 1; }
fi
"$python" -m venv "$root/venv"
"$root/venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt" "$here"/*.whl
"$root/venv/bin/python" -c 'import matplotlib.font_manager'
"""
RUN = """\
#!/usr/bin/env bash
# Gradescope runs this for each submission.
root="${AUTOGRADER_ROOT:-/autograder}"
cd "$root"
exec "$root/venv/bin/python" -I -m nbreferee.lms.autograder "$root"
"""
COURSE_SETTINGS = (
    "ignore",
    "include",
    "max_file_size",
    "max_dir_size",
)  # of c.CourseDirectory; paths are the zip's own
SECTIONS = (
    "NbReferee",
    "ClearSolutions",
    "ClearHiddenTests",
    "ClearMarkScheme",
    "InstantiateTests",
    "LimitOutput",
    "Execute",
    "ExecutePreprocessor",
    "OverwriteCells",
    "IncludeHeaderFooter",
)


@dataclass(frozen=True)
class PackingOptions:
    """What to pack, and how it is to grade."""

    assignment: str
    to: Path
    minutes: float = 10.0  # Gradescope's own default
    shown: Visibility = field(default_factory=Visibility)
    unsafe_no_sandbox: str = ""


def read_visibility(given: tuple[str, ...]) -> Visibility:
    """Return what students see, from options: a visibility for all, or GRADE_ID=VISIBILITY.

    Raises
    ------
    CourseError
        where it is none.
    """
    default, by_grade_id = "visible", {}
    for text in given:
        name, _, value = text.rpartition("=")
        if value not in VISIBILITIES:
            raise CourseError(
                f"--visibility {text}: not one of {', '.join(VISIBILITIES)}, with GRADE_ID= in "
                "front for one exercise."
            )
        if name:
            by_grade_id[name] = value
        else:
            default = value
    return Visibility(default, by_grade_id)


def write_autograder(course: CourseDirectory, gradebook: Gradebook, wanted: PackingOptions) -> int:
    """Write the zip; return how many packages it will install.

    Raises
    ------
    CourseError
        where the assignment cannot be graded.
    """
    materials = read_materials(course, gradebook, wanted.assignment)
    grade_ids = {
        cell.grade_id
        for material in materials.values()
        for cell in material.master.cells
        if cell.graded or cell.is_task
    }
    if unknown := sorted(wanted.shown.by_grade_id.keys() - grade_ids):
        raise CourseError(
            f"--visibility {unknown[0]}=...: no graded cell of that name. There are: "
            f"{', '.join(sorted(grade_ids))}."
        )
    files: dict[str, bytes] = {"setup.sh": SETUP.encode(), "run_autograder": RUN.encode()}
    name, wheel = make_wheel()
    files[name] = wheel
    folder = Path(course.format_path(course.source_directory, ".", wanted.assignment))
    files |= {f"course/source/{wanted.assignment}/{path}": data for path, data in _source(folder)}
    files |= _header_and_footer(course)
    pins = pinned_requirements(_modules(files))
    files["requirements.txt"] = ("\n".join(pins) + "\n").encode()
    files["course/nbgrader_config.json"] = json.dumps(_settings(course), indent=1).encode()
    files["course/gradebook.db"] = _released(gradebook, course.course_id, wanted.assignment)
    files["settings.json"] = json.dumps(
        {
            "assignment": wanted.assignment,
            "minutes": wanted.minutes,
            "visibility": wanted.shown.default,
            "visibilities": dict(wanted.shown.by_grade_id),
            "unsafe_no_sandbox": wanted.unsafe_no_sandbox,
        },
        indent=1,
    ).encode()
    with whole_file(wanted.to) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            info = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
            info.external_attr = (0o755 if path in ("setup.sh", "run_autograder") else 0o644) << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return len(pins)


def _source(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the instructor's folder, by path inside it."""
    for where, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        for name in sorted(names):
            path = Path(where) / name
            if path.is_file() and not name.startswith("."):
                yield path.relative_to(folder).as_posix(), path.read_bytes()


def _header_and_footer(course: CourseDirectory) -> dict[str, bytes]:
    """Return the course's header and footer, where it has them."""
    found = {}
    for part in ("header", "footer"):
        given = course.config.IncludeHeaderFooter.get(part)
        if isinstance(given, str) and given:
            found[f"course/{part}.ipynb"] = (Path(course.root) / given).read_bytes()
    return found


def _settings(course: CourseDirectory) -> dict[str, Any]:
    """Return the course's settings that grading depends on, as JSON has them."""
    found = {
        section: _plain(course.config[section]) for section in SECTIONS if section in course.config
    }
    for part in found.get("IncludeHeaderFooter", {}):
        found["IncludeHeaderFooter"][part] = f"{part}.ipynb"
    kept = {name: getattr(course, name) for name in COURSE_SETTINGS}
    return {**found, "CourseDirectory": {"course_id": course.course_id, **kept}}


def _plain(section: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in section.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            continue
        found[name] = value
    return found


def _modules(files: Mapping[str, bytes]) -> set[str]:
    """Return the modules that the instructor's notebooks and files import."""
    found = set()
    for path, data in files.items():
        if path.endswith(".ipynb"):
            sources = [
                cell.source
                for cell in nbformat.reads(data.decode(), as_version=4).cells
                if cell.cell_type == "code"
            ]
        else:
            sources = (
                [data.decode("utf-8", "replace")]
                if path.endswith(".py") and path.startswith("course/")
                else []
            )
        for source in sources:
            lines = [
                line for line in source.split("\n") if not line.lstrip().startswith(("%", "!"))
            ]
            try:
                tree = ast.parse("\n".join(lines))
            except SyntaxError:
                continue
            for node in ast.walk(tree):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += (
                    [node.module]
                    if isinstance(node, ast.ImportFrom) and node.module and not node.level
                    else []
                )
                found |= {name.partition(".")[0] for name in names}
    return found - sys.stdlib_module_names


def _released(gradebook: Gradebook, course_id: str, assignment: str) -> bytes:
    """Return a gradebook that holds this assignment as it was released, and no student."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gradebook.db"
        with Gradebook(f"sqlite:///{path}", course_id) as copy:
            mine = select(Assignment.id).where(Assignment.name == assignment)
            notebooks = select(Notebook.id).where(Notebook.assignment_id.in_(mine))
            cells = select(BaseCell.__table__.c.id).where(
                BaseCell.__table__.c.notebook_id.in_(notebooks)
            )
            for model, column, wanted in (
                (Course, "id", None),
                (Assignment, "id", mine),
                (Notebook, "id", notebooks),
                (BaseCell, "id", cells),
                (GradeCell, "id", cells),
                (SolutionCell, "id", cells),
                (TaskCell, "id", cells),
                (SourceCell, "notebook_id", notebooks),
            ):
                table = model.__table__
                query = (
                    select(table)
                    if wanted is None
                    else select(table).where(table.c[column].in_(wanted))
                )
                rows = [dict(row._mapping) for row in gradebook.db.execute(query)]
                if model is Course:
                    there = set(copy.db.execute(select(table.c.id)).scalars())
                    rows = [row for row in rows if row["id"] not in there]
                if model is Assignment:  # lateness is Gradescope's
                    rows = [{**row, "duedate": None} for row in rows]
                if rows:
                    copy.db.execute(insert(table), rows)
            copy.db.commit()
        return path.read_bytes()
