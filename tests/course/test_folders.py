"""Submissions are found whatever the order of a course's folders, and where none is found a
sentence says why.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nbgrader.coursedir import CourseDirectory

from nbreferee.course.folders import assignments_in, students_in, submissions_folder, why_nobody
from nbreferee.course.locate import CourseError, source_assignments

STRUCTURES = (
    "{nbgrader_step}/{student_id}/{assignment_id}",
    "{nbgrader_step}/{assignment_id}/{student_id}",
    "{assignment_id}/{student_id}/{nbgrader_step}",
    "{assignment_id}/{nbgrader_step}/{student_id}",
    "{nbgrader_step}/x/{assignment_id}/{student_id}/{assignment_id}",
    "{nbgrader_step}/{assignment_id}--{student_id}",
)
STUDENTS = ["anna", "o'neil [2]", "zoë ünal"]
ASSIGNMENTS = ["Blatt 1", "ps[1]"]


def course_of(root: Path, structure: str, **settings: Any) -> CourseDirectory:
    course = CourseDirectory(root=str(root), directory_structure=structure, **settings)
    for assignment in ASSIGNMENTS:
        for step, names in (
            (course.source_directory, ["."]),
            (course.submitted_directory, [*STUDENTS, ".hidden"]),
        ):
            for name in names:
                folder = Path(course.format_path(step, name, assignment))
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "one.ipynb").write_text("{}")
    return course


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("submitted", ["submitted", "handed [in]/here"])
def test_folders_are_found_in_any_order(structure: str, submitted: str, tmp_path: Path) -> None:
    course = course_of(tmp_path / "a [course]", structure, submitted_directory=submitted)
    assert assignments_in(course) == ASSIGNMENTS
    for assignment in ASSIGNMENTS:
        found = students_in(course, course.submitted_directory, assignment)
        assert [name for name in found if not name.startswith(".")] == STUDENTS
        assert ".hidden" not in found
    assert Path(course.format_path(submitted, "anna", "ps[1]")).is_relative_to(
        submissions_folder(course)
    )


def test_students_are_left_out_as_the_course_says(tmp_path: Path) -> None:
    course = course_of(tmp_path, STRUCTURES[0], student_id_exclude="anna, nobody")
    assert students_in(course, "submitted", "Blatt 1") == STUDENTS[1:]
    course.student_id = "z*"
    assert students_in(course, "submitted", "Blatt 1") == ["zoë ünal"]


WHY = {
    "all excluded": (
        {"student_id_exclude": ",".join(STUDENTS)},
        ["ps[1]"],
        "the course leaves out everybody who has handed in (anna, ",
    ),
    "another name": ({}, ["ps1"], "there are submissions for Blatt 1, ps[1], and none for ps1."),
}


@pytest.mark.parametrize(("settings", "assignments", "words"), WHY.values(), ids=WHY)
def test_reason_why_nobody_is_graded_is_told(
    settings: dict[str, str], assignments: list[str], words: str, tmp_path: Path
) -> None:
    assert words in why_nobody(course_of(tmp_path, STRUCTURES[0], **settings), assignments)


def test_notebook_that_lies_elsewhere_is_named(tmp_path: Path) -> None:
    course = CourseDirectory(root=str(tmp_path))
    (tmp_path / "submitted").mkdir()
    assert why_nobody(course, ["ps1"]) == ""
    (tmp_path / "submitted/anna.ipynb").write_text("{}")
    assert why_nobody(course, ["ps1"]).startswith(
        f"{tmp_path}/submitted/anna.ipynb does not lie where submissions are looked for, "
        "submitted/STUDENT/ASSIGNMENT."
    )


def test_pattern_that_nbgrader_does_not_know_is_named(tmp_path: Path) -> None:
    course = CourseDirectory(root=str(tmp_path), directory_structure="{step}/{student}")
    with pytest.raises(
        CourseError,
        match=r"c.CourseDirectory.directory_structure: '{step}/{student}' is no pattern of "
        r"nbgrader's",
    ):
        source_assignments(course)
