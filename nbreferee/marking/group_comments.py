"""A tutor's comment on a group: kept by what the answers do, put into nbgrader's gradebook.

A comment belongs to a behaviour, not to a list of students. A student who comes into the group by a
later grading gets it, and one who leaves the group loses it. What a person has written or
changed by hand stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nbgrader.api import Gradebook

from nbreferee.course.folders import students_in
from nbreferee.course.locate import CourseError, gradebook_trouble
from nbreferee.marking.groups import ExerciseGroups, groups_of
from nbreferee.marking.marks import GradebookLockedError, MarkTable
from nbreferee.marking.notes import Applied, GroupComment, MarkingNotes, has_notes, marking_notes

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory


def wrong_answers(course: CourseDirectory, assignment: str) -> list[ExerciseGroups]:
    """Return the groups of everybody whose work has been graded."""
    return groups_of(
        course, assignment, students_in(course, course.autograded_directory, assignment)
    )


def update_group_comments(
    course: CourseDirectory, gradebook: Gradebook, assignments: Iterable[str]
) -> None:
    """Bring the comments on groups in the gradebook up to date, where there are any.

    Raises
    ------
    CourseError
        if the gradebook is locked.
    """
    root = Path(course.root)
    if not has_notes(root):
        return
    with marking_notes(root) as notes:
        for assignment in assignments:
            if notes.group_comments(assignment) or notes.applied(assignment):
                apply_comments(
                    course, gradebook, notes, assignment, wrong_answers(course, assignment)
                )


def apply_comments(
    course: CourseDirectory,
    gradebook: Gradebook,
    notes: MarkingNotes,
    assignment: str,
    found: Sequence[ExerciseGroups],
) -> int:
    """Write the comments on groups into the gradebook; return how many students' have changed."""
    table = MarkTable(gradebook, assignment)
    before = {
        (one.notebook, one.exercise, one.student): one.text for one in notes.applied(assignment)
    }
    wanted = _wanted(notes.group_comments(assignment), found)
    places = {(one.exercise.notebook, one.exercise.name): one for one in found}
    kept = dict(before)
    changed = set()
    try:
        cells = table.answer_cells()
        for key in sorted({*before, *wanted}):
            notebook, exercise, student = key
            old, new = before.get(key, ""), wanted.get(key, "")
            place = places.get((notebook, exercise))
            names = place.exercise.answers if place else (exercise,)
            cell_id = next((cells[notebook, one] for one in names if (notebook, one) in cells), "")
            if old != new and cell_id and table.exchange_text(student, notebook, cell_id, old, new):
                changed.add(student)
            kept[key] = new
    except GradebookLockedError as error:
        raise CourseError(gradebook_trouble(course, error.reason)) from None
    finally:
        notes.replace_applied(
            assignment, [Applied(*key, text) for key, text in kept.items() if text]
        )
    return len(changed)


def _wanted(
    comments: Sequence[GroupComment], found: Sequence[ExerciseGroups]
) -> Mapping[tuple[str, str, str], str]:
    """Return the text that each student should have, by notebook, exercise and student."""
    wanted: dict[tuple[str, str, str], str] = {}
    for one in found:
        mine = [
            comment
            for comment in comments
            if (comment.notebook, comment.exercise) == (one.exercise.notebook, one.exercise.name)
        ]
        for group in one.groups:
            texts = [each.text for each in mine if set(each.behaviours) & set(group.behaviours)]
            for student in group.students if texts else ():
                key = (one.exercise.notebook, one.exercise.name, student)
                wanted[key] = "\n\n".join(texts)
    return wanted
