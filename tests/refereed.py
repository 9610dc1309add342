"""Small masters and submissions for tests, graded by the real engine: a box, a tester, all
layers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import nbformat
from building import write
from nbformat import NotebookNode

from nbreferee.budget import Budget
from nbreferee.course.source import read_master
from nbreferee.engine.assignment_files import AssignmentFiles
from nbreferee.engine.processes import WarmProcesses
from nbreferee.grading.course_files import read_assignment_files
from nbreferee.grading.notebook import GradedNotebook, Grader, NotebookMaterial
from nbreferee.submission.originals import Released
from nbreferee.verdicts import CellVerdict


class Court:
    """Grades submissions to masters of a few cells; warm processes are shared.

    Use it in a `with`.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        self.warm = WarmProcesses(budget or Budget(call_s=10, cell_s=20))
        self.grader = Grader(self.warm)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.warm.__exit__()

    def material(
        self, *cells: NotebookNode, files: Mapping[str, bytes] | None = None
    ) -> NotebookMaterial:
        """Return what it takes to grade submissions to a master of these cells (see `building`)."""
        with tempfile.TemporaryDirectory() as folder:
            path = write(Path(folder), *cells)
            master = read_master(path)
            released = {
                cell.grade_id: Released(cell.source, "") for cell in master.cells if cell.grade_id
            }
            return NotebookMaterial(path.name, path.read_bytes(), released, self.files(files or {}))

    def files(self, contents: Mapping[str, bytes]) -> AssignmentFiles:
        """Return the instructor's files with these contents."""
        folder = Path(tempfile.mkdtemp(dir=self.warm.folder))
        for name, data in contents.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return read_assignment_files(folder, ())

    def grade(
        self,
        material: NotebookMaterial,
        answers: Mapping[str, str],
        added: Mapping[str, str] | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> GradedNotebook:
        """Grade a submission: answers by grade id, and code cells that the student adds in front of
        a cell.
        """
        cells = []
        for cell in material.master.notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            if added and grade_id in added:
                cells.append(nbformat.v4.new_code_cell(added[grade_id]))
            mine = nbformat.from_dict(cell)
            mine.source = answers.get(grade_id, cell.source)
            cells.append(mine)
        return self.grade_bytes(
            material, nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode(), files
        )

    def grade_bytes(
        self, material: NotebookMaterial, data: bytes, files: Mapping[str, bytes] | None = None
    ) -> GradedNotebook:
        """Grade the bytes of a submission."""
        return self.grader.grade(material, data, files or {})


def scores(graded: GradedNotebook) -> dict[str, float | None]:
    """Return the scores for the gradebook, by grade id; None where a person gives one."""
    return {one.grade_id: one.automatic_score for one in graded.cells}


def verdicts(graded: GradedNotebook) -> dict[str, CellVerdict]:
    """Return the verdicts by grade id."""
    return {cell.grade_id: cell for cell in graded.cells}
