"""The notebooks as documents: points, ids, layout, and nothing stale in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from nbformat import NotebookNode
from notebooks import (
    SOURCES,
    functions,
    graded_cells,
    is_test,
    read,
    released,
    settings,
    what_notebooks_import,
)

import gradcheck
import gradtests
from nbreferee.course.context import context_of

notebooks = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)

POINTS = {
    "softmax": 20,
    "svd_geometry": 20,
    "matrix_derivatives": 20,
    "row_layers": 15,
    "fman45_layers": 25,
}


def points(cells: Iterable[NotebookNode]) -> float:
    return float(sum(settings(cell)["points"] for cell in cells if settings(cell).get("grade")))


def test_the_five_notebooks_are_there() -> None:
    assert {source.stem for source in SOURCES} == set(POINTS)


@notebooks
def test_points_sum_as_the_course_says(source: Path) -> None:
    cells = read(source).cells
    by_person = points(c for c in cells if settings(c).get("solution"))
    hidden = points(c for c in cells if settings(c).get("grade_id", "").endswith("_tests"))
    assert points(cells) == POINTS[source.stem]
    assert 0.15 <= by_person / points(cells) <= 0.25
    assert hidden >= points(cells) / 2


@notebooks
def test_points_in_a_heading_are_the_sum_of_its_cells(source: Path) -> None:
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
def test_grade_ids_are_unique_and_every_exercise_is_whole(source: Path) -> None:
    ids = [settings(cell)["grade_id"] for cell in read(source).cells if settings(cell)]
    assert len(ids) == len(set(ids))
    for name, tests in graded_cells(functions(read(source)), ids).items():
        assert tests[-1].endswith("_tests")
        assert all(ids.index(name) < ids.index(test) for test in tests)


@notebooks
def test_source_holds_no_outputs_and_imports_once(source: Path) -> None:
    code = [cell for cell in read(source).cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count] == []
    importing = {
        cell.id: found
        for cell in code
        if (found := re.findall(r"^\s*(?:import|from)\s+(\w+)", cell.source, re.MULTILINE))
    }
    tests = {cell.id for cell in code if is_test(cell)}
    assert importing.keys() - tests == {"imports"}
    assert {name for cell_id in tests for name in importing.get(cell_id, [])} == {"gradtests"}


@notebooks
def test_students_import_nothing_that_only_tests_use(source: Path) -> None:
    of_tests = set(gradtests.__all__) - set(gradcheck.__all__)
    release = read(released(source))
    [imports] = [cell for cell in release.cells if cell.id == "imports"]
    assert set(re.findall(r"\w+", imports.source)).isdisjoint(of_tests)


@notebooks
def test_graded_cells_end_in_no_bare_expression(source: Path) -> None:
    bare = []
    for cell in filter(is_test, read(source).cells):
        last = ast.parse(cell.source).body[-1]
        if isinstance(last, ast.Expr) and not isinstance(last.value, ast.Call):
            bare.append(cell.id)
    assert bare == []


@notebooks
def test_cells_are_short(source: Path) -> None:
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
    lines = {
        c.id: [x for x in c.source.splitlines() if x[:4] not in ("### ", "from")] for c in code
    }
    assert {cell_id: len(one) for cell_id, one in lines.items() if len(one) > 20} == {}


@notebooks
def test_release_holds_no_answer(source: Path) -> None:
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


def test_what_notebooks_import_keeps_nothing_so_a_change_runs_only_what_it_reaches() -> None:
    assert context_of([], what_notebooks_import()).files == {"gradcheck", "gradtests"}


def test_what_notebooks_import_is_the_same_everywhere() -> None:
    wanted = what_notebooks_import()
    for folder in {one.parent for source in SOURCES for one in (source, released(source))}:
        paths = [*folder.glob("*.py"), *folder.glob("gradtests/*.py")]
        assert {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths} == wanted, (
            f"a module of gradtests/ is missing in {folder} or is there no more: see CONTRIBUTING.md"
        )
