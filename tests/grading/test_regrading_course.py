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
from nbreferee.grading.replaying import read_solution
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
CELLS = {
    "fman45_layers": 62,
    "softmax": 41,
    "matrix_derivatives": 52,
    "row_layers": 37,
    "svd_geometry": 49,
}
CHANGED = [
    ("softmax", "dy_dx", 7),
    ("softmax", "dy_dx_tests", 5),
    ("softmax", "softmax_tests", 3),
    ("matrix_derivatives", "place", 5),
    ("matrix_derivatives", "dY_dW_tests", 3),
    ("row_layers", "linear_jacobians", 7),
    ("row_layers", "sigmoid_check", 3),
    ("row_layers", "sigmoid_small_tests", 3),
    ("fman45_layers", "momentum_step_m_tests", 3),
    ("fman45_layers", "train_tests", 11),
    ("svd_geometry", "rotation", 13),
    ("svd_geometry", "svd_stages_stretched_tests", 3),
    ("svd_geometry", "decompose_U_tests", 3),
]


@pytest.mark.parametrize(("notebook", "grade_id", "count"), CHANGED)
def test_change_runs_what_depends_on_it(notebook: str, grade_id: str, count: int) -> None:
    assert sum(cell.is_code for cell in material(notebook).master.cells) == CELLS[notebook]
    assert cells_run(notebook, grade_id) == count


@pytest.mark.parametrize("notebook", CELLS)
def test_cells_of_the_course_may_be_replayed(notebook: str) -> None:
    reading = read_solution(solution_parts(material(notebook)), material(notebook).files)
    assert reading is not None
    assert len(reading.cells) > 10


@pytest.mark.parametrize("notebook", CELLS)
def test_no_test_of_the_course_depends_on_another(notebook: str) -> None:
    """One that did would be run again after any change before it."""
    parts = solution_parts(material(notebook))
    slices = keys_of(notebook, parts).slices
    tests = {number for number, part in enumerate(parts) if part.role == "test"}
    assert [number for number in sorted(tests) if not slices[number].isdisjoint(tests)] == []


def test_test_that_reads_a_name_of_another_runs_with_all_before_it() -> None:
    one = material("fman45_layers")
    notebook = nbformat.reads(one.data.decode(), as_version=4)
    (cell,) = (c for c in notebook.cells if settings(c).get("grade_id") == "momentum_step_m_tests")
    cell.source += "\nassert own_average"  # a function of momentum_step_w_tests
    one = replace(one, data=nbformat.writes(notebook).encode())
    parts = solution_parts(one)
    keys = cell_keys(parts, one.plan, one.files, (), {}, follow_through=True)
    (step,) = (c.index for c in one.master.cells if c.grade_id == "momentum_step_m_tests")
    (sharing,) = (n for n, part in enumerate(parts) if part.step == step)
    assert keys is not None
    assert len(keys.slices[sharing]) == sum(part.is_code for part in parts[:sharing])


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
