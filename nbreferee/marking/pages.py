"""The marking pages as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import DictLoader, Environment, StrictUndefined

from nbreferee.marking.entries import Entered, OpenAnswer
from nbreferee.marking.files import static
from nbreferee.marking.marks import StoredMark
from nbreferee.marking.questions import Question
from nbreferee.marking.session import CHANGED, LEFT
from nbreferee.pages.templating import number, style_sheet

AFTER = "Write the pages that have changed: nbreferee feedback {}."


@dataclass(frozen=True)
class Row:
    """An exercise in the list of what there is to mark."""

    place: int
    question: Question
    all: int
    left: int


@dataclass(frozen=True)
class Around:
    """Where an answer stands among others: numbers and addresses, '' where there is none."""

    base: str
    address: str
    position: int
    all: int
    left: int
    left_in_all: int
    previous: str
    next: str
    unmarked: str  # or the list of exercises, where nothing is left

    @property
    def has_unmarked(self) -> bool:
        """Whether another answer is left."""
        return self.unmarked != f"{self.base}/"


def style() -> str:
    """Return the style sheet, that of students' pages included."""
    return f"{style_sheet()}\n{static('mark.css').decode()}"


@cache
def _environment() -> Environment:
    names = ("frame.html", "home.html", "answer.html", "sentence.html")
    environment = Environment(
        loader=DictLoader({name: static(name).decode() for name in names}),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.filters["num"] = number
    return environment


def home_page(assignment: str, base: str, rows: Sequence[Row]) -> str:
    """Return the list of what there is to mark."""
    left, every = sum(row.left for row in rows), sum(row.all for row in rows)
    return _environment().get_template("home.html").render(
        assignment=assignment,
        base=base,
        left=left,
        all=every,
        after="" if left else AFTER.format(assignment),
        rows=[
            {
                "place": row.place,
                "name": row.question.title,
                "is_test": row.question.cell.kind == "test",
                "cell": row.question.cell.name,
                "points": row.question.cell.points,
                "all": row.all,
                "left": row.left,
            }
            for row in rows
        ],
    )  # fmt: skip


def sentence_page(base: str, sentence: str, again: str = "") -> str:
    """Return a page that says one thing."""
    template = _environment().get_template("sentence.html")
    return template.render(base=base, sentence=sentence, again=again)


def answer_page(
    assignment: str, question: Question, one: OpenAnswer, around: Around, with_names: bool
) -> str:
    """Return the page of one answer."""
    state, state_class = state_words(one.entry.state, question, one.entered, one.entry.mark)
    return _environment().get_template("answer.html").render(
        assignment=assignment,
        question=question,
        title_text=question.title_text,
        points=question.cell.points,
        student=_student(one.entry.mark) if with_names else "",
        state=state,
        state_class=state_class,
        shown=one.shown,
        entered=one.entered,
        answer=one.answer,
        notes=one.notes,
        earlier=one.earlier,
        saved=saved_words(question, one.entered),
        unmarked_words="Next unmarked" if around.has_unmarked else "Other exercises",
        **vars(around),
    )  # fmt: skip


def state_words(
    state: str, question: Question, entered: Entered, mark: StoredMark
) -> tuple[str, str]:
    """Return the state of an answer in words, and its colour."""
    if state == LEFT and entered.score is None:
        return "not marked", "waits"
    if state == CHANGED:
        return "the answer has changed since it was marked", "partly-right"
    score = entered.score if entered.score is not None else mark.automatic
    return f"{number(score or 0)} of {number(question.cell.points)}", "right"


def saved_words(question: Question, entered: Entered) -> str:
    """Return what stands in the gradebook, in words."""
    if entered.score is None:
        return "In the gradebook: a comment, and no score." if entered.comment else ""
    total = f"{number(entered.score)} of {number(question.cell.points)}"
    ticked = sum(question.scheme[step].points for step in entered.steps)
    if entered.steps and abs(min(ticked, question.cell.points) - entered.score) > 1e-9:
        total += f"; the ticked steps come to {number(ticked)}"
    return f"In the gradebook: {total}."


def _student(mark: StoredMark) -> str:
    return f"{mark.student_name} ({mark.student})" if mark.student_name else mark.student
