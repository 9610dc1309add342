"""The notebooks as documents: points, ids, layout, and nothing stale in them."""

from __future__ import annotations

import ast
import re

import pytest
from notebooks import COURSE, SOURCES, functions, graded_cells, is_test, read, released, settings

notebooks = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)

POINTS = {
    "softmax": 20,
    "svd_geometry": 20,
    "matrix_derivatives": 20,
    "row_layers": 15,
    "fman45_layers": 25,
}


def points(cells) -> float:
    return sum(settings(cell)["points"] for cell in cells if settings(cell).get("grade"))


def test_the_five_notebooks_are_there():
    assert {source.stem for source in SOURCES} == set(POINTS)


@notebooks
def test_points_sum_as_the_course_says(source):
    cells = read(source).cells
    by_person = points(c for c in cells if settings(c).get("solution"))
    hidden = points(c for c in cells if settings(c).get("grade_id", "").endswith("_tests"))
    assert points(cells) == POINTS[source.stem]
    assert 0.15 <= by_person / points(cells) <= 0.25
    assert hidden >= points(cells) / 2


@notebooks
def test_points_in_a_heading_are_the_sum_of_its_cells(source):
    wrong, heading, claimed, counted = [], "", 0.0, 0.0
    for cell in [*read(source).cells, None]:
        grade_id = settings(cell).get("grade_id", "") if cell else "_task"
        if grade_id.endswith("_task"):
            if claimed != counted:
                wrong.append(f"{heading}: says {claimed}, holds {counted}")
            heading = cell.source.splitlines()[0] if cell else ""
            claimed = sum(float(n) for n in re.findall(r"([\d.]+) points?\b", heading))
            counted = 0.0
        elif cell:
            counted += settings(cell).get("points", 0)
    assert wrong == []


@notebooks
def test_grade_ids_are_unique_and_every_exercise_is_whole(source):
    ids = [settings(cell)["grade_id"] for cell in read(source).cells if settings(cell)]
    assert len(ids) == len(set(ids))
    for name, tests in graded_cells(functions(read(source)), ids).items():
        assert tests[-1].endswith("_tests")
        assert all(ids.index(name) < ids.index(test) for test in tests)


@notebooks
def test_source_holds_no_outputs_and_imports_once(source):
    code = [cell for cell in read(source).cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count] == []
    importing = [
        cell.id for cell in code if re.search(r"^\s*(import|from)\s", cell.source, re.MULTILINE)
    ]
    assert importing == ["imports"]


@notebooks
def test_graded_cells_end_in_no_bare_expression(source):
    bare = []
    for cell in filter(is_test, read(source).cells):
        last = ast.parse(cell.source).body[-1]
        if isinstance(last, ast.Expr) and not isinstance(last.value, ast.Call):
            bare.append(cell.id)
    assert bare == []


@notebooks
def test_cells_are_short(source):
    cells = read(source).cells
    assert 30 <= len(cells) <= 110
    prose = [c for c in cells if c.cell_type == "markdown" and not settings(c).get("solution")]
    not_read = (
        r"<details>.*?</details>|\$\$.*?\$\$|\|.*\|"  # folded hints, displayed formulas, tables
    )
    lengths = {c.id: len(re.sub(not_read, "", c.source, flags=re.DOTALL).split()) for c in prose}
    assert {name: n for name, n in lengths.items() if n > 120} == {}
    code = [
        c
        for c in cells
        if c.cell_type == "code" and not settings(c).get("grade_id", "").endswith("_tests")
    ]
    assert {c.id: n for c in code if (n := len(c.source.splitlines())) > 20} == {}


@notebooks
def test_release_holds_no_answer(source):
    release = read(released(source))
    text = "\n".join(cell.source for cell in release.cells)
    assert "SOLUTION" not in text
    assert "HIDDEN" not in text
    solutions = [c for c in release.cells if settings(c).get("solution")]
    assert [
        c.id for c in solutions if c.cell_type == "code" and "raise NotWritten" not in c.source
    ] == []
    assert [
        c.id for c in solutions if c.cell_type == "markdown" and c.source != "*Your answer here.*"
    ] == []


@pytest.mark.parametrize("name", ["gradcheck.py", "gradcheck_causes.py"])
def test_what_notebooks_import_is_the_same_file_everywhere(name):
    copies = [*COURSE.glob(f"source/*/{name}"), *COURSE.glob(f"release/*/{name}")]
    assert len(copies) == 2 * len({source.parent for source in SOURCES})
    assert {path.read_text() for path in copies} == {(COURSE / name).read_text()}
