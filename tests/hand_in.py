"""Put the sample class into a folder of submissions: python tests/hand_in.py submitted

A student of tests/class/ is a folder with a file of answers for each notebook: cells in Jupytext's
percent format, each titled with the grade id of the cell that it fills. What a student left out
stays as released. Two students need no files: `full_marks` hands in the solutions, `untouched` the
release.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

COURSE = Path(__file__).parent.parent
CLASS = Path(__file__).parent / "class"


def read_notebook(path: Path) -> NotebookNode:
    """Return the notebook at `path`, in format 4."""
    notebook: NotebookNode = nbformat.read(str(path), as_version=4)
    return notebook


def solved(source: NotebookNode) -> dict[str, str]:
    """Return the instructor's answers by grade id."""
    return {
        cell.metadata.nbgrader.grade_id: "\n".join(
            line for line in cell.source.split("\n") if " SOLUTION" not in line
        )
        for cell in source.cells
        if "nbgrader" in cell.metadata and cell.metadata.nbgrader.solution
    }


def written(path: Path) -> list[tuple[str, str]]:
    """Return the answers in a file as (grade id, text), in order."""
    cells = jupytext.read(path, fmt="py:percent").cells
    return [(cell.metadata["title"], cell.source) for cell in cells if "title" in cell.metadata]


def answered(release: NotebookNode, answers: dict[str, str]) -> NotebookNode:
    """Return a copy of the released notebook with answers in their cells.

    Raises
    ------
    ValueError
        where an answer belongs to no cell.
    """
    notebook: NotebookNode = nbformat.from_dict(release)
    left = dict(answers)
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata and cell.metadata.nbgrader.solution:
            cell.source = left.pop(cell.metadata.nbgrader.grade_id, cell.source)
    if left:
        raise ValueError(f"no solution cell for {', '.join(left)}")
    return notebook


def submissions(course: Path = COURSE) -> dict[tuple[str, str, str], NotebookNode]:
    """Return all notebooks of the class by (student, assignment, notebook)."""
    handed_in = {}
    for path in sorted((course / "release").glob("*/*.ipynb")):
        assignment, name = path.parent.name, path.stem
        release = read_notebook(path)
        handed_in["untouched", assignment, name] = release
        handed_in["full_marks", assignment, name] = answered(
            release, solved(read_notebook(course / "source" / assignment / path.name))
        )
        for student in sorted(folder for folder in CLASS.iterdir() if folder.is_dir()):
            # Whoever answers one notebook of an assignment hands in all of it.
            if any(
                (student / other.name).with_suffix(".py").exists()
                for other in path.parent.glob("*.ipynb")
            ):
                answers = (student / path.name).with_suffix(".py")
                handed_in[student.name, assignment, name] = answered(
                    release, dict(written(answers)) if answers.exists() else {}
                )
    return handed_in


def hand_in(folder: Path) -> int:
    """Write the class's notebooks into `folder`, nbgrader's layout; return how many."""
    handed_in = submissions()
    for (student, assignment, name), notebook in handed_in.items():
        path = folder / student / assignment / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nbformat.writes(notebook) + "\n")
    return len(handed_in)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    if target.is_dir() and any(target.iterdir()):
        print(f"{target}/ holds submissions: these are graded.")
    else:
        print(f"{target}/ was empty: the sample class hands in {hand_in(target)} notebooks.")
        if not (roster := target.with_name("students.csv")).exists():
            shutil.copy(CLASS / roster.name, roster)
