"""On each notebook of the course, a change costs what depends on it: shown by a count of cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import nbformat
import pytest
from notebooks import COURSE, settings
from refereed import Court

from nbreferee.budget import Budget
from nbreferee.course.rules import Rules
from nbreferee.engine.box_runner import CellToRun
from nbreferee.grading.course_files import read_assignment_files
from nbreferee.grading.notebook import NotebookMaterial, as_bytes, solution_parts
from nbreferee.grading.regrading import CellKeys, cell_keys
from nbreferee.grading.task import as_metadata
from nbreferee.submission.originals import Released


@cache
def material(notebook: str) -> NotebookMaterial:
    """What it takes to grade a notebook of the course, with follow-through as the course has it."""
    (path,) = (COURSE / "source").glob(f"*/{notebook}.ipynb")
    files = read_assignment_files(path.parent, ())
    bare = NotebookMaterial(str(path), path.read_bytes(), {}, files, Rules(follow_through=True))
    cells = [cell for cell in bare.master.cells if cell.grade_id]
    return replace(bare, released={cell.grade_id: Released(cell.source, "") for cell in cells})


def keys_of(notebook: str, parts: list[CellToRun]) -> CellKeys:
    one = material(notebook)
    keys = cell_keys(parts, one.plan, one.files, (), {}, follow_through=True)
    assert keys is not None, "what the cells depend on can be told"
    return keys


def changed(notebook: str, grade_id: str) -> list[CellToRun]:
    """The cells of the solution, one of them with a line more."""
    cells = material(notebook).master.cells
    (place,) = (n for n, one in enumerate(cells) if one.grade_id == grade_id)
    parts = solution_parts(material(notebook))
    parts[place] = replace(parts[place], source=f"{parts[place].source}\n# changed")
    return parts


def cells_run(notebook: str, grade_id: str) -> int:
    """How many cells a change makes run: those that depend on it, and what these need."""
    before = keys_of(notebook, solution_parts(material(notebook)))
    after = keys_of(notebook, changed(notebook, grade_id))
    differing = [n for n, key in enumerate(after.keys) if key and key not in before.keys]
    return len(frozenset(differing).union(*(after.slices[n] for n in differing)))


# By notebook: its code cells, and how many are run where a cell has changed. Where an answer has,
# what reads it, what that reads, and cells that use a name like one of theirs are run.
CELLS = {"softmax": 41, "matrix_derivatives": 52, "row_layers": 37, "svd_geometry": 49}
CHANGED = [
    ("softmax", "dy_dx", 7),
    ("softmax", "dy_dx_tests", 5),
    ("softmax", "softmax_tests", 3),
    ("matrix_derivatives", "place", 5),
    ("matrix_derivatives", "dY_dW_tests", 3),
    ("row_layers", "linear_jacobians", 11),
    ("row_layers", "sigmoid_check", 3),
    ("row_layers", "sigmoid_small_tests", 3),
    ("svd_geometry", "rotation", 24),
    ("svd_geometry", "svd_stages_stretched_tests", 3),
    ("svd_geometry", "decompose_U_tests", 3),
]


@pytest.mark.parametrize(("notebook", "grade_id", "count"), CHANGED)
def test_change_runs_what_depends_on_it(notebook: str, grade_id: str, count: int) -> None:
    assert sum(cell.is_code for cell in material(notebook).master.cells) == CELLS[notebook]
    assert cells_run(notebook, grade_id) == count


def test_test_that_shares_names_with_others_runs_with_all_before_it() -> None:
    parts = solution_parts(material("fman45_layers"))
    places = {part.step: n for n, part in enumerate(parts)}
    cells = {cell.grade_id: places[cell.index] for cell in material("fman45_layers").master.cells}
    keys = keys_of("fman45_layers", parts)
    sharing = cells["momentum_step_m_tests"]
    assert len(keys.slices[sharing]) == sum(part.is_code for part in parts[:sharing])
    assert len(keys.slices[cells["relu_forward_tests"]]) == 2


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court(Budget(call_s=20, cell_s=60)) as court:
        yield court


def test_changed_answer_of_a_real_notebook_has_the_result_of_a_full_run(court: Court) -> None:
    one = material("row_layers")
    notebook = nbformat.reads(one.data.decode(), as_version=4)
    first = court.grader.grade(one, nbformat.writes(notebook).encode(), {})
    first.notebook.metadata["nbreferee"] = as_metadata(first)
    (cell,) = (c for c in notebook.cells if settings(c).get("grade_id") == "bias_backward")
    cell.source += "\n    raise ValueError('wrong')"
    data = nbformat.writes(notebook).encode()
    again = court.grader.grade(one, data, {}, None, as_bytes(first.notebook))
    full = court.grader.grade(one, data, {})
    assert again.result.cost.cells_run == 11
    assert replace(again.result, cost=full.result.cost) == full.result
    assert again.regrading == full.regrading
    assert [one.get("outputs") for one in again.notebook.cells] == [
        one.get("outputs") for one in full.notebook.cells
    ]
