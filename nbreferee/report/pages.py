"""The pages of a report: one of the course, one of each assignment; each is one file."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from nbgrader.coursedir import CourseDirectory

from nbreferee.grading.atomic import write_whole
from nbreferee.grading.marks import moment_text
from nbreferee.grading.times import read_times
from nbreferee.pages.templating import number, render_template
from nbreferee.report import plots
from nbreferee.report.alike import AlikePair, alike_pairs, most_holders
from nbreferee.report.classroom import AssignmentResults, ClassResults
from nbreferee.report.events import events_of
from nbreferee.report.marks import CellKey
from nbreferee.report.people import People
from nbreferee.report.records import Record, read_record
from nbreferee.report.statistics import assignment_statistics
from nbreferee.report.table import NOT_GRADED, WAITS, cell_text
from nbreferee.report.views import (
    SHOWN_PAIRS,
    exercise_row,
    inline,
    odd_test_text,
    pair_view,
    percent,
    waiting_rows,
)

INDEX = "index.html"


def write_pages(course: CourseDirectory, results: ClassResults, folder: Path) -> Path:
    """Write the pages into a folder, made if need be; return the one to open."""
    folder.mkdir(parents=True, exist_ok=True)
    people = People(course, results.names, folder)
    written = moment_text(datetime.now(UTC))
    for one in results.assignments:
        page = _assignment_page(course, one, people, written)
        write_whole(folder / page_name(one.name), page.encode("utf-8", "replace"))
    index = _course_page(course, results, people, written)
    write_whole(folder / INDEX, index.encode("utf-8", "replace"))
    return folder / INDEX


def page_name(assignment: str) -> str:
    """Return the name of an assignment's page, which is never that of the course.

    >>> page_name("softmax"), page_name("Index")
    ('softmax.html', 'Index-assignment.html')
    """
    name = f"{assignment}.html"
    return name if name.lower() != INDEX else f"{assignment}-assignment.html"


def read_records(results: AssignmentResults) -> dict[tuple[str, str], Record]:
    """Return what grading left of every notebook of an assignment, by student and notebook."""
    return {
        (student, name): read_record(state.executed)
        for student, states in sorted(results.states.items())
        for name, state in states.items()
        if state.executed is not None
    }


def find_alike(
    results: AssignmentResults, records: Mapping[tuple[str, str], Record]
) -> list[AlikePair]:
    """Return the pairs of students of an assignment whose answers are alike."""
    answers: dict[CellKey, dict[str, str]] = defaultdict(dict)
    in_words: set[CellKey] = set()
    for (student, notebook), record in records.items():
        unwritten = results.marks.submissions[student].unwritten
        for grade_id, text in record.answers.items():
            key = CellKey(notebook, grade_id)
            if key not in unwritten:
                answers[key][student] = text
            if grade_id in record.in_words:
                in_words.add(key)
    return alike_pairs(answers, results.marks.released, frozenset(in_words))


def _assignment_page(
    course: CourseDirectory, one: AssignmentResults, people: People, written: str
) -> str:
    records = read_records(one)
    times = {student: read_times(course, one.name, student) for student in one.states}
    numbers = assignment_statistics(one, records, times)
    rows = [
        exercise_row(place, each, one.name, people)
        for place, each in enumerate(numbers.exercises, 1)
    ]
    pairs = find_alike(one, records)
    names = [inline(each.exercise.title) for each in numbers.exercises]
    scores = [*one.scores.values()]
    return render_template(
        "report_assignment.html",
        course=course.course_id,
        title=one.name,
        written=written,
        facts=_facts(one),
        score_line=_score_line(scores, one.marks.max_score),
        distribution=plots.distribution(scores, one.marks.max_score, "points"),
        states=plots.states_plot(names, [each.states for each in numbers.exercises]),
        waiting=waiting_rows(one.waiting),
        not_graded=_not_graded(one, people),
        rows=rows,
        notebooks=len(one.marks.notebooks),
        odd=[(inline(each.exercise.title), odd_test_text(each)) for each in numbers.odd_tests],
        pairs=[pair_view(pair, one, records, people) for pair in pairs[:SHOWN_PAIRS]],
        more_pairs=max(len(pairs) - SHOWN_PAIRS, 0),
        holders=most_holders(len(one.scores)),
        events=[
            (event.text, [(people.name(student), words) for student, words in event.students])
            for event in events_of(one, records)
        ],
        students=_students(one, people),
        WAITS=WAITS,
        NOT_GRADED=NOT_GRADED,
    )


def _facts(one: AssignmentResults) -> list[tuple[str, str]]:
    facts = [("Points", number(one.marks.max_score))]
    if one.marks.due is not None:
        facts.append(("Due", moment_text(one.marks.due.replace(tzinfo=UTC))))
    facts.append(("Handed in", _students_text(len(one.states))))
    without = {student for student, _, state in one.not_graded if not state.is_graded}
    if without:
        facts.append(("Not graded", f"{_students_text(len(without))}, see below"))
    return facts


def _score_line(scores: list[float], most: float) -> str:
    if not scores:
        return "Nothing has been graded yet."
    middle = number(statistics.median(scores))
    mean = number(round(statistics.fmean(scores), 1))
    graded = f"{_students_text(len(scores))} graded"
    return f"Mean {mean} of {number(most)} so far, median {middle}, {graded}"


def _students_text(count: int) -> str:
    return f"{count} student{'' if count == 1 else 's'}"


def _not_graded(one: AssignmentResults, people: People) -> list[tuple[Markup, str, str]]:
    return [
        (people.name(student), notebook, state.reason)
        for student, notebook, state in one.not_graded
    ]


def _students(one: AssignmentResults, people: People) -> list[tuple[Markup, str]]:
    """Return everybody's name and points."""
    first = one.marks.notebooks[0] if one.marks.notebooks else ""
    return [
        (people.link(student, one.name, first), cell_text(one, student).strip())
        for student in sorted(one.states)
    ]


def _course_page(
    course: CourseDirectory, results: ClassResults, people: People, written: str
) -> str:
    shares = {
        one.name: [100 * score / one.marks.max_score for score in one.scores.values()]
        for one in results.assignments
        if one.marks.max_score
    }
    totals = [*results.totals.values()]
    return render_template(
        "report_course.html",
        course=course.course_id,
        written=written,
        score_line=_score_line(totals, results.max_score),
        boxes=plots.boxes(shares),
        distribution=plots.distribution(totals, results.max_score, "totals"),
        assignments=[_assignment_row(one) for one in results.assignments],
        names=[one.name for one in results.assignments],
        students=[_course_row(results, student, people) for student in results.students],
        WAITS=WAITS,
        NOT_GRADED=NOT_GRADED,
    )


def _assignment_row(one: AssignmentResults) -> dict[str, Any]:
    scores = [*one.scores.values()]
    mean = statistics.fmean(scores) if scores else None
    return {
        "name": one.name,
        "address": quote(page_name(one.name)),
        "points": number(one.marks.max_score),
        "handed_in": len(one.states),
        "mean": "–" if mean is None else number(round(mean, 1)),
        "percent": percent(mean / one.marks.max_score if mean and one.marks.max_score else None),
        "waiting": sum(one.waiting.values()),
        "not_graded": len(one.not_graded),
    }


def _course_row(results: ClassResults, student: str, people: People) -> list[str]:
    total = results.totals.get(student)
    cells = [cell_text(one, student).strip() for one in results.assignments]
    return [people.name(student), *cells, "–" if total is None else number(total)]
