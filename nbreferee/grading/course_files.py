"""Which files of an assignment's folder nbgrader copies for grading, by c.CourseDirectory.ignore
and include.
"""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from nbreferee.engine.assignment_files import AssignmentFile, AssignmentFiles, digest_of, own_folder

NOTEBOOKS = "*.ipynb"


def copied_by_nbgrader(folder: Path, ignore: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield, for a folder and those below it, its path inside and the names of its files: as
    nbgrader.utils.find_all_files.

    A pattern of `ignore` matches names of files and folders as glob does; links to folders are not
    followed.
    """
    for root, folders, names in os.walk(folder):
        ignored = (
            set().union(*(glob.glob(pattern, root_dir=root) for pattern in ignore))
            if ignore
            else set()
        )
        folders[:] = sorted(name for name in folders if name not in ignored)
        yield os.path.relpath(root, folder), sorted(name for name in names if name not in ignored)


def read_assignment_files(
    folder: Path,
    ignore: Collection[str],
    include: Collection[str] = ("*",),
    excluded: Collection[str] = (),
) -> AssignmentFiles:
    """Return the instructor's files in an assignment's folder, notebooks excepted.

    Parameters
    ----------
    ignore, include
        c.CourseDirectory.ignore and include.
    excluded
        c.Autograde.exclude_overwriting: files that are the student's.
    """
    files: list[AssignmentFile] = []
    folders: list[str] = []
    for inside, names in copied_by_nbgrader(folder, [*ignore, NOTEBOOKS]):
        if inside != ".":
            folders.append(inside)
        for name in names:
            path = os.path.normpath(os.path.join(inside, name))
            place = folder / path
            if path in excluded or not place.is_file():
                continue
            released = not include or any(fnmatch.fnmatch(name, pattern) for pattern in include)
            files.append(AssignmentFile(path, place.stat().st_size, digest_of(place), released))
    return AssignmentFiles(
        str(folder.resolve()), tuple(files), tuple(folders), str(own_folder()) if files else ""
    )


def read_excluded(folder: Path, excluded: Collection[str]) -> dict[str, bytes]:
    """Return the instructor's version of files that are the student's: what the solution hands
    in.
    """
    return {
        name: (folder / name).read_bytes() for name in sorted(excluded) if (folder / name).is_file()
    }
