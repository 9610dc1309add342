"""What the pages of a report show, ready for their templates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from nbreferee.pages.code import code
from nbreferee.pages.exercises import WAITS
from nbreferee.pages.plain import policy_for
from nbreferee.pages.templating import number
from nbreferee.pages.text import markdown
from nbreferee.report.alike import AlikePair
from nbreferee.report.classroom import AssignmentResults
from nbreferee.report.exercises import CourseExercise
from nbreferee.report.mistakes import Mistake
from nbreferee.report.people import People
from nbreferee.report.plots import STATES
from nbreferee.report.records import Record
from nbreferee.report.statistics import ExerciseStatistics, OddTest, Times

SHOWN_MISTAKES = 3  # the others are folded
SHOWN_PAIRS, SHOWN_ANSWERS = 25, 4
SHORTEST_S = 0.01  # that is worth a number
SLOW_S = 1.0  # an exercise that ran longer names its student
CHARACTERS = 20_000  # of an answer that is shown
WEAK = 0.2  # a correlation below this says little of the rest
_POLICY = policy_for(())


@dataclass(frozen=True)
class MistakeView:
    """A mistake, how many made it, and who."""

    count: str
    text: str
    names: Markup


@dataclass(frozen=True)
class ExerciseRow:
    """An exercise in the table, and its own section."""

    number: int
    id: str
    name: Markup
    within: Markup
    notebook: str
    points: float
    solved: str
    mean: str
    discrimination: str
    time: str
    slowest: Markup
    bar: Sequence[tuple[str, float]]  # state and percent
    counts: str
    first: Sequence[MistakeView]
    others: Sequence[MistakeView]


@dataclass(frozen=True)
class AnswerPair:
    """Two answers side by side."""

    name: Markup
    words: str
    left: Markup
    right: Markup


@dataclass(frozen=True)
class PairView:
    """Two students whose answers are alike."""

    names: tuple[Markup, Markup]
    links: tuple[Markup, Markup]
    how_sure: str
    words: str
    answers: Sequence[AnswerPair]


def inline(text: str) -> Markup:
    """Return a line of the instructor's Markdown as HTML, sanitised and without links."""
    found = markdown(text, {}, _POLICY).strip().removeprefix("<p>").removesuffix("</p>")
    return Markup(re.sub(r"</?(?:a|p)\b[^>]*>", "", found))


def exercise_row(
    place: int, one: ExerciseStatistics, assignment: str, people: People
) -> ExerciseRow:
    """Return an exercise as the page shows it."""
    mistakes = [_mistake(mistake, one, assignment, people) for mistake in one.mistakes]
    notebook, times = one.exercise.notebook, one.times
    return ExerciseRow(
        place,
        f"exercise-{place}",
        inline(one.exercise.name),
        inline(one.exercise.within),
        notebook,
        one.exercise.points,
        percent(one.solved),
        "–" if one.mean is None else number(one.mean),
        _discrimination(one.discrimination),
        _time(times),
        Markup("{}, {}").format(people.name(times.slowest), seconds(times.longest_s))
        if times and times.longest_s >= SLOW_S
        else Markup(""),
        [
            (state.replace(" ", "-"), round(100 * one.states.get(state, 0) / one.students, 3))
            for state in STATES
            if one.students
        ],
        ", ".join(
            f"{one.states[state]} {'wait' if state == WAITS and one.states[state] > 1 else state}"
            for state in STATES
            if one.states.get(state)
        ),
        mistakes[:SHOWN_MISTAKES],
        mistakes[SHOWN_MISTAKES:],
    )


def _mistake(
    mistake: Mistake, one: ExerciseStatistics, assignment: str, people: People
) -> MistakeView:
    count = f"{len(mistake.students)} of {one.students}"
    names = people.links(mistake.students, assignment, one.exercise.notebook)
    return MistakeView(count, mistake.text, names)


def odd_test_text(one: OddTest) -> str:
    """Return what to think of a test that tells nobody apart."""
    who = f"all {one.students} who wrote an answer"
    if one.is_failed:
        return f"{one.grade_id}: {who} lose points. Is the task clear, and is the test right?"
    return f"{one.grade_id}: {who} pass. It tells nobody apart."


def pair_view(
    pair: AlikePair,
    results: AssignmentResults,
    records: Mapping[tuple[str, str], Record],
    people: People,
) -> PairView:
    """Return a pair with its answers side by side."""
    first, second = pair.students
    shown = []
    for one in pair.answers[:SHOWN_ANSWERS]:
        sides = [
            _answer(records[student, one.key.notebook], one.key.grade_id)
            for student in pair.students
        ]
        how = (
            "the same text, word for word"
            if one.is_same_text
            else "the same code but for names and comments"
            if one.is_same_code
            else f"{round(100 * one.share)} % of the rare passages of the shorter one"
        )
        name = Markup("<code>{}</code>").format(one.key.grade_id)
        shown.append(AnswerPair(name, f"{one.passages} rare passages in common, {how}", *sides))
    notebook = pair.answers[0].key.notebook
    count = len(pair.answers)
    words = f"{pair.passages} rare passages in common, in {count} answer{'' if count == 1 else 's'}"
    return PairView(
        (people.name(first), people.name(second)),
        (people.link(first, results.name, notebook), people.link(second, results.name, notebook)),
        pair.how_sure,
        words,
        shown,
    )


def _answer(record: Record, grade_id: str) -> Markup:
    text = record.answers.get(grade_id, "")
    if len(text) > CHARACTERS:
        text = f"{text[:CHARACTERS]}\n…"
    if grade_id in record.in_words:
        return Markup('<pre class="out">{}</pre>').format(text)
    return Markup(code(text))


def waiting_rows(waiting: Mapping[CourseExercise, int]) -> list[tuple[Markup, str, int]]:
    """Return exercises in which answers wait: name, notebook and how many."""
    return [(inline(one.title), one.notebook, count) for one, count in waiting.items()]


def percent(share: float | None) -> str:
    """Return a share for people.

    >>> percent(0.504)
    '50 %'
    """
    return "–" if share is None else f"{round(100 * share)} %"


def seconds(value: float) -> str:
    """Return seconds for people.

    >>> seconds(0.004), seconds(0.25), seconds(12.3)
    ('under 0.01 s', '0.25 s', '12 s')
    """
    if value < SHORTEST_S:
        return "under 0.01 s"
    return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"


def _time(times: Times | None) -> str:
    if times is None or times.longest_s < SHORTEST_S:
        return "–"
    return f"{seconds(times.median_s)}, at most {seconds(times.longest_s)}"


def _discrimination(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}") + (" (low)" if value < WEAK else "")
