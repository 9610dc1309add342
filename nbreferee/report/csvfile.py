"""The class as a CSV file: a student a row, points by exercise, what waits for a person, totals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nbreferee.grading.atomic import write_whole
from nbreferee.lms.csvtext import number_text, row_text, safe_text
from nbreferee.report.classroom import AssignmentResults, ClassResults
from nbreferee.report.exercises import CourseExercise

MANUAL = "needs manual grading"
_SUMMARY = ("score", "max_score", "late_penalty", "needs_manual", "note")


def write_csv(path: Path, results: ClassResults) -> None:
    """Write the file; an older one is replaced at once."""
    write_whole(path, "".join(csv_lines(results)).encode("utf-8", "replace"))


def csv_lines(results: ClassResults) -> Iterator[str]:
    """Yield the lines of the file, the heading first."""
    columns = [
        f"{one.name}/{column}"
        for one in results.assignments
        for column in (*(f"{each.notebook}/{each.key}" for each in one.exercises), *_SUMMARY)
    ]
    yield row_text(["student", "name", *map(safe_text, columns), "total", "max_total"])
    for student in results.students:
        values = [value for one in results.assignments for value in _values(one, student)]
        yield row_text(
            [
                safe_text(student),
                safe_text(results.names.get(student, "")),
                *values,
                number_text(round(results.totals[student], 6)) if student in results.totals else "",
                number_text(results.max_score),
            ]
        )


def _values(one: AssignmentResults, student: str) -> Iterator[str]:
    """Yield a student's values of one assignment; points are empty where no answer was graded."""
    submission, states = one.marks.submissions.get(student), one.states.get(student, {})
    for exercise in one.exercises:
        state = states.get(exercise.notebook)
        yield _points(one, exercise, student) if state and state.is_graded else ""
    notes = [f"{name}: {state.reason}" for name, state in states.items() if state.reason]
    yield number_text(round(submission.score, 6)) if submission and student in one.scores else ""
    yield number_text(one.marks.max_score)
    yield number_text(submission.penalty if submission else 0.0)
    yield str(len({one.exercise_of[key] for key in submission.waiting}) if submission else 0)
    yield safe_text(" ".join(notes) if states else "handed in nothing")


def _points(one: AssignmentResults, exercise: CourseExercise, student: str) -> str:
    marks = [
        mark for key in exercise.graded if (mark := one.marks.submissions[student].marks.get(key))
    ]
    if any(mark.waits for mark in marks):
        return MANUAL
    return number_text(round(sum(mark.score for mark in marks), 6))
