"""Numbers of every exercise: how many solved it, what it tells of students, what went wrong."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nbreferee.pages.exercises import NOT_WRITTEN, RIGHT, Exercise
from nbreferee.report.classroom import AssignmentResults
from nbreferee.report.exercises import CourseExercise
from nbreferee.report.marks import CellKey
from nbreferee.report.mistakes import Mistake, mistake_in, mistakes_of
from nbreferee.report.records import NOTHING, Record

FEWEST = 5  # students, for a correlation or a word on a test that everybody fails
Records = Mapping[tuple[str, str], Record]  # by student and notebook


@dataclass(frozen=True)
class Times:
    """Seconds that an exercise's cells ran, answers and tests."""

    median_s: float
    longest_s: float
    slowest: str  # a student


@dataclass(frozen=True)
class ExerciseStatistics:
    """One exercise over all students whose notebook was graded."""

    exercise: CourseExercise
    students: int
    states: Mapping[str, int]  # how many students are in each state
    solved: float | None  # share of those who are decided that have all points
    mean: float | None  # points, of those who are decided
    discrimination: float | None  # correlation with the points in all other exercises
    times: Times | None
    mistakes: Sequence[Mistake]


@dataclass(frozen=True)
class OddTest:
    """A test that tells nobody apart."""

    exercise: CourseExercise
    grade_id: str
    is_failed: bool  # by everybody; else by nobody
    students: int  # who wrote an answer


@dataclass(frozen=True)
class _Work:
    """What a student did in an exercise."""

    exercise: Exercise
    state: str
    score: float  # of what is decided
    waiting: float  # points
    statuses: Mapping[str, str]  # of tests


@dataclass(frozen=True)
class AssignmentStatistics:
    """All exercises of an assignment, and tests that tell nobody apart."""

    exercises: Sequence[ExerciseStatistics]
    odd_tests: Sequence[OddTest]


def assignment_statistics(
    results: AssignmentResults,
    records: Records,
    times: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> AssignmentStatistics:
    """Return the numbers of an assignment; `times` are seconds, by student, notebook, grade id."""
    done = {one: _done(results, one, records) for one in results.exercises}
    open_cells = {
        key for submission in results.marks.submissions.values() for key in submission.waiting
    }
    rest = {
        student: {
            one.notebook + one.key: sum(
                mark.score
                for key in one.graded
                if key not in open_cells and (mark := submission.marks.get(key))
            )
            for one in results.exercises
        }
        for student, submission in results.marks.submissions.items()
    }
    found, odd = [], []
    for one, students in done.items():
        found.append(_exercise(one, students, rest, times))
        odd += _odd_tests(one, students)
    return AssignmentStatistics(found, odd)


def correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return Pearson's correlation; None for few pairs, or where one side is the same for all.

    >>> correlation([(0, 1), (1, 3), (2, 5), (3, 7), (4, 9)])
    1.0
    """
    if len(pairs) < FEWEST:
        return None
    first, second = zip(*pairs, strict=True)
    if max(first) - min(first) < 1e-9 or max(second) - min(second) < 1e-9:
        return None
    return round(statistics.correlation(first, second), 12)


def _done(results: AssignmentResults, one: CourseExercise, records: Records) -> dict[str, _Work]:
    """Return an exercise as each student did it whose notebook was graded."""
    found = {}
    for student, submission in results.marks.submissions.items():
        if results.states[student][one.notebook].is_graded:
            record = records.get((student, one.notebook), NOTHING)
            unwritten = frozenset(
                key.grade_id for key in submission.unwritten if key.notebook == one.notebook
            )
            done = one.state(submission.marks, record.messages, unwritten)
            found[student] = _Work(done, done.state, done.decided[0], done.waiting, record.statuses)
    return found


def _exercise(
    one: CourseExercise,
    students: Mapping[str, _Work],
    rest: Mapping[str, Mapping[str, float]],
    times: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> ExerciseStatistics:
    states = {student: done.state for student, done in students.items()}
    decided = _decided(students)
    scores = {student: done.score for student, done in decided.items()}
    solved = sum(states[student] == RIGHT for student in decided)
    name = one.notebook + one.key
    others = {
        student: sum(rest[student].values()) - rest[student].get(name, 0.0) for student in decided
    }
    wrong = {
        student: text
        for student, done in students.items()
        if done.state not in (RIGHT, NOT_WRITTEN)
        and (text := mistake_in(done.exercise, done.statuses))
    }
    return ExerciseStatistics(
        one,
        len(students),
        Counter(states.values()),
        solved / len(decided) if decided else None,
        statistics.fmean(scores.values()) if scores else None,
        correlation([(scores[student], others[student]) for student in decided]),
        _times(one, students, times),
        mistakes_of(wrong),
    )


def _decided(students: Mapping[str, _Work]) -> dict[str, _Work]:
    """Return those whose points are settled; nobody where all of these wrote nothing."""
    found = {student: done for student, done in students.items() if not done.waiting}
    is_open = len(found) < len(students)
    return {} if is_open and all(one.state == NOT_WRITTEN for one in found.values()) else found


def _times(
    one: CourseExercise,
    students: Iterable[str],
    times: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> Times | None:
    cells = {key.grade_id for key in (*one.graded, *one.answers)}
    spent = {
        student: sum(seconds for name, seconds in here.items() if name in cells)
        for student in students
        if (here := times.get(student, {}).get(one.notebook))
    }
    if not spent:
        return None
    slowest = max(spent, key=lambda student: spent[student])
    return Times(statistics.median(spent.values()), spent[slowest], slowest)


def _odd_tests(one: CourseExercise, students: Mapping[str, _Work]) -> list[OddTest]:
    """Return the tests of an exercise that all who wrote an answer pass, or all fail."""
    written = [done for done in students.values() if done.state != NOT_WRITTEN]
    lost: dict[CellKey, list[bool]] = {}
    for done in written:
        for part in done.exercise.parts:
            if part.cell.is_test and part.mark.points and not part.mark.waits:
                key = CellKey(one.notebook, part.cell.grade_id)
                lost.setdefault(key, []).append(part.mark.score < part.mark.points)
    return [
        OddTest(one, key.grade_id, found[0], len(found))
        for key, found in lost.items()
        if len(found) >= FEWEST and len(set(found)) == 1
    ]
