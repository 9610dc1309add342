"""The run of a solution is kept between runs, and a file is believed only if it is our own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from building import answer, cell, graded
from hand_in import COURSE
from refereed import Court
from small_class import UNCHANGED, contents, grade_here

from nbreferee.budget import Budget
from nbreferee.course.effects import effects_of
from nbreferee.engine.processes import WarmProcesses
from nbreferee.engine.referee import Referee, SolutionRun
from nbreferee.grading import solution_file
from nbreferee.grading.course_files import read_assignment_files
from nbreferee.grading.notebook import Grader, NotebookMaterial, solution_parts
from nbreferee.grading.replaying import read_ahead
from nbreferee.grading.replaying import read_solution as read_solution_cells
from nbreferee.grading.solution_file import Solved, find_solution, read_solution, write_solution

IMPORTS = cell("import matplotlib.pyplot as plt", grade_id="imports", locked=True)
FIGURE = cell("plt.plot([f(0), f(1)])\nplt.show()")
OTHER = "def g(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court(Budget(call_s=10, cell_s=20)) as court:
        yield court


def material_of(court: Court, tests: str = "assert g(1) == 1") -> NotebookMaterial:
    cells = (IMPORTS, answer(), graded(), FIGURE, answer(OTHER, "g"), graded(tests, "g_tests"))
    return court.material(*cells)


class CountingGrader(Grader):
    """Keeps the referees that it makes."""

    def __init__(self, warm: WarmProcesses) -> None:
        super().__init__(warm)
        self.referees: list[Referee] = []

    def _referee(self, *arguments: Any) -> Referee:
        self.referees.append(super()._referee(*arguments))
        return self.referees[-1]


def cells_run(court: Court, solved: Solved, material: NotebookMaterial) -> int:
    """How many cells a grader runs of a solution that has read an earlier run of it."""
    grader = CountingGrader(court.warm)
    grader.learn(solved, material)
    again = grader.solved(material)
    assert again == Grader(court.warm).solved(material)  # what a grader finds that knows nothing
    return sum(one.cells_run for one in grader.referees)


def test_solution_is_not_run_where_nothing_has_changed_and_in_part_where_a_test_has(
    court: Court,
) -> None:
    before, after = material_of(court), material_of(court, "assert g(2) == 2")
    solved = Grader(court.warm).solved(before)
    assert len(solved.run.figures) > 0
    again = solution_file.from_bytes(solution_file.as_bytes(solved))
    assert again == solved
    assert cells_run(court, again, before) == 0
    assert cells_run(court, again, after) == 2  # g and its tests


def test_figures_that_are_drawn_beside_the_tests_are_the_same(court: Court) -> None:
    material = material_of(court)
    beside = CountingGrader(court.warm)
    beside.has_spare_core = True
    solved = beside.solved(material)
    (referee,) = beside.referees
    assert referee.ahead is not None
    assert referee.ahead.figures().keys() == solved.run.figures.keys() != set()
    assert solved == Grader(court.warm).solved(material)


def test_figure_that_depends_on_a_test_is_drawn_afterwards(court: Court) -> None:
    test = graded("assert f(1) == 2\nshown = 7")
    figure = cell("plt.plot([0, globals().get('shown', 0)])\nplt.show()")
    material = court.material(IMPORTS, answer(), test, figure)
    beside = Grader(court.warm)
    beside.has_spare_core = True
    solved = beside.solved(material)
    assert solved == Grader(court.warm).solved(material)
    assert "image/png" in solved.results[-1].outputs[-1]["data"]


def test_notebooks_are_read_before_anything_is_known_of_the_course(court: Court) -> None:
    source = COURSE / "source/softmax"
    read_ahead(str(source))
    known = effects_of.cache_info().misses
    read_ahead(str(source))
    assert effects_of.cache_info().misses == known > 0
    path = source / "softmax.ipynb"
    files = read_assignment_files(source, ["__pycache__"])
    material = NotebookMaterial(str(path), path.read_bytes(), {}, files)
    assert read_solution_cells(solution_parts(material), files) is not None
    assert effects_of.cache_info().misses == known


def test_folder_that_cannot_be_read_ahead_is_left_to_those_who_need_it(tmp_path: Path) -> None:
    read_ahead(str(tmp_path / "nowhere"))
    (tmp_path / "one.ipynb").write_text("no notebook")
    read_ahead(str(tmp_path))


def test_solution_is_run_as_a_whole_where_an_imported_file_differs(court: Court) -> None:
    one = material_of(court)
    solved = Grader(court.warm).solved(one)
    other = replace(one, solution_files={"data.csv": b"1"})
    assert cells_run(court, solved, other) == 6


def kept(course: Path) -> list[Path]:
    return sorted((course / ".nbreferee/solutions").iterdir())


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "one_byte": flip_a_byte,
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "group_may_write": lambda path: path.chmod(0o620),
    "link": link,
    "pipe": pipe,
    "other_solution": lambda path: shutil.copy(
        next(one for one in kept(path.parents[2]) if one != path), path
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_file_that_is_damaged_or_another_is_made_anew(damage: str, course: Path) -> None:
    grade_here(course, UNCHANGED, force=True)
    whole = {path: path.read_bytes() for path in kept(course)}
    assert [path.stat().st_mode & 0o777 for path in whole] == [0o600, 0o600]
    DAMAGES[damage](kept(course)[0])
    grade_here(course, UNCHANGED, force=True)
    assert {path: path.read_bytes() for path in whole} == whole
    assert not kept(course)[0].is_symlink()


def test_preview_leaves_the_kept_run_as_it_is(course: Path) -> None:
    grade_here(course, UNCHANGED, force=True)
    flip_a_byte(kept(course)[0])
    before = contents(course / ".nbreferee")
    grade_here(course, UNCHANGED, preview=True)
    assert contents(course / ".nbreferee") == before


def test_another_file_than_a_task_names_is_not_read(court: Court, tmp_path: Path) -> None:
    solved = Grader(court.warm).solved(material_of(court))
    file = write_solution(tmp_path / "a.run", solution_file.as_bytes(solved))
    assert file is not None
    assert read_solution(file) == solved
    other = replace(solved, run=SolutionRun())
    write_solution(tmp_path / "a.run", solution_file.as_bytes(other))
    assert read_solution(file) is None
    found = find_solution(tmp_path / "a.run")
    assert found is not None
    assert found[1] == other


def test_file_that_cannot_be_written_is_done_without(court: Court, tmp_path: Path) -> None:
    (tmp_path / "solutions").write_text("in the way")
    assert write_solution(tmp_path / "solutions/a.run", b"") is None
