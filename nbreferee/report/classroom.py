"""A class as reports see it: marks, exercises and states of notebooks of the assignments that are
wanted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from nbreferee.course.locate import CourseError
from nbreferee.report.exercises import CourseExercise, read_exercises
from nbreferee.report.marks import AssignmentMarks, CellKey, read_marks, read_students
from nbreferee.report.state import NotebookState, notebook_states


@dataclass(frozen=True)
class AssignmentResults:
    """One assignment of a class."""

    marks: AssignmentMarks
    exercises: tuple[CourseExercise, ...]
    states: Mapping[str, Mapping[str, NotebookState]]  # by student and notebook

    @property
    def name(self) -> str:
        """The assignment's name."""
        return self.marks.name

    @cached_property
    def exercise_of(self) -> Mapping[CellKey, CourseExercise]:
        """The exercise of each graded cell."""
        return {key: one for one in self.exercises for key in one.graded}

    @cached_property
    def waiting(self) -> dict[CourseExercise, int]:
        """How many students' answers to an exercise wait for a person."""
        found: Counter[CourseExercise] = Counter()
        for submission in self.marks.submissions.values():
            for one in {self.exercise_of[key] for key in submission.waiting}:
                found[one] += 1
        return {one: found[one] for one in self.exercises if one in found}

    @cached_property
    def not_graded(self) -> list[tuple[str, str, NotebookState]]:
        """All (student, notebook, state) whose marks say nothing about an answer."""
        return [
            (student, name, state)
            for student, states in sorted(self.states.items())
            for name, state in states.items()
            if state.status != "graded"
        ]

    @cached_property
    def scores(self) -> dict[str, float]:
        """The scores so far, by student, of those who have a notebook that was graded."""
        return {
            student: submission.score
            for student, submission in self.marks.submissions.items()
            if any(state.is_graded for state in self.states[student].values())
        }


@dataclass(frozen=True)
class ClassResults:
    """A class: everybody in the gradebook, and the assignments that are wanted."""

    names: Mapping[str, str]  # full names by student
    assignments: tuple[AssignmentResults, ...]

    @cached_property
    def students(self) -> list[str]:
        """The ids of all who are in the gradebook or have handed in, in order."""
        handed_in = (student for one in self.assignments for student in one.states)
        return sorted({*self.names, *handed_in})

    @cached_property
    def max_score(self) -> float:
        """The points of all assignments together, handed in or not, as the Formgrader has them."""
        return sum(one.marks.max_score for one in self.assignments)

    @cached_property
    def totals(self) -> dict[str, float]:
        """The points in all assignments, as the Formgrader adds them, of those who were graded in
        any.
        """
        graded = {student for one in self.assignments for student in one.scores}
        return {
            student: sum(
                one.marks.submissions[student].score
                for one in self.assignments
                if student in one.marks.submissions
            )
            for student in sorted(graded)
        }


def read_class(
    course: CourseDirectory, gradebook: Gradebook, wanted: Iterable[str] = ()
) -> ClassResults:
    """Return the results of the assignments that are wanted, or of all.

    Raises
    ------
    CourseError
        where the gradebook does not know one of them.
    """
    known = sorted(assignment.name for assignment in gradebook.assignments)
    if unknown := sorted(set(wanted) - set(known)):
        raise CourseError(
            f"{unknown[0]} is not in the gradebook, which holds: "
            f"{', '.join(known) or 'nothing yet'}."
        )
    found = []
    for name in dict.fromkeys(wanted) or known:
        marks = read_marks(gradebook, name)
        found.append(
            AssignmentResults(
                marks, tuple(read_exercises(course, marks)), notebook_states(course, marks)
            )
        )
    return ClassResults(read_students(gradebook), tuple(found))
