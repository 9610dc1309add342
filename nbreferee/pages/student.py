"""The page of one student on one notebook: what is right, what went wrong and why, in the order of
the exercises.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from nbreferee.pages.blocks import Writer
from nbreferee.pages.exercises import Exercise, Mark, PageCell, Part, arrange, merged
from nbreferee.pages.plain import policy_for
from nbreferee.pages.record import Judged
from nbreferee.pages.templating import number, render_template
from nbreferee.pages.views import ExerciseView, GivenView

NO_RESPONSE = "No response."
SHOWN_FIRST = 5  # of what to look at first; what is beyond is folded


@dataclass(frozen=True)
class Header:
    """Whose page it is, and of what."""

    student: str
    assignment: str
    notebook: str
    student_name: str = ""
    handed_in: str = ""  # when, for people
    lateness: str = ""
    graded: str = ""  # when, for people
    late_penalty: float = 0.0


@dataclass(frozen=True)
class Contents:
    """An executed notebook, safe to look at, with what the gradebook and the grader say of it."""

    cells: Sequence[Mapping[str, Any]]
    marks: Mapping[str, Mark]  # by grade id
    comments: Mapping[str, str] = field(default_factory=dict)  # by people
    automatic: Mapping[str, str] = field(default_factory=dict)  # comments of the grader
    judged: Mapping[str, Judged] = field(default_factory=dict)  # by the grader
    repairs: Sequence[str] = ()
    notes: Sequence[str] = ()  # sentences on the whole of it
    instructors_texts: frozenset[str] = frozenset()


def write_page(header: Header, contents: Contents) -> str:
    """Return a student's page."""
    found = [
        page_cell(n, cell, contents.instructors_texts) for n, cell in enumerate(contents.cells, 1)
    ]
    policy = policy_for(cell.grade_id for cell in found)
    writer = Writer(policy)

    def part_of(cell: PageCell) -> Part | None:
        mark = contents.marks.get(cell.grade_id)
        if mark is None:
            return None
        judged = contents.judged.get(cell.grade_id) or Judged(_shown_error(cell))
        return Part(cell, mark, judged.message, judged.notes)

    unwritten = {key for key, text in contents.automatic.items() if text.startswith(NO_RESPONSE)}
    blocks = merged(arrange(found, part_of, lambda cell: bool(writer.heading(cell)), unwritten))
    exercises = [block for block in blocks if isinstance(block, Exercise)]
    comments = {key: writer.comment(text) for key, text in contents.comments.items() if text}
    views = [writer.block(block, comments, unwritten) for block in blocks]
    return _render(header, contents, writer, exercises, views, found)


def _render(
    header: Header,
    contents: Contents,
    writer: Writer,
    exercises: Sequence[Exercise],
    views: Sequence[ExerciseView | GivenView],
    found: Sequence[PageCell],
) -> str:
    shown = [view for view in views if isinstance(view, ExerciseView)]
    score, decided, waiting = _sums(contents.marks.values())
    title = next(
        (text for cell in found if cell.is_instructors and (text := writer.title(cell))), ""
    )
    title = title or Markup(html.escape(header.notebook))
    notes = [
        Markup(f"<p>{html.escape(note)}</p>")
        for note in (*contents.notes, *_stamps(contents.automatic.values()))
    ]
    return render_template(
        "student.html",
        header=header,
        title=title,
        title_text=_words(title),
        score_line=score_line(score, decided, waiting, header.late_penalty),
        bar=_bar(score, decided, waiting),
        notes=notes,
        repairs=contents.repairs,
        exercises=shown,
        blocks=views,
        advice=(),
        first=[one for view in shown for one in view.first],
        FIRST=SHOWN_FIRST,
    )


def write_absent_page(header: Header, reason: str, advice: Sequence[str], points: float) -> str:
    """Return the page of a student whose notebook could not be graded: why, and what to do."""
    notes = [Markup(f"<p><strong>{html.escape(reason)}</strong></p>")]
    return render_template(
        "student.html",
        header=header,
        title=header.notebook,
        title_text=header.notebook,
        score_line=f"0 of {number(points)} so far: this notebook has not been graded",
        bar=_bar(0.0, 0.0, points),
        notes=notes,
        repairs=(),
        exercises=(),
        blocks=(),
        advice=advice,
        first=(),
        FIRST=SHOWN_FIRST,
    )


def score_line(score: float, decided: float, waiting: float, penalty: float) -> str:
    """Return the score in a sentence."""
    if not decided and waiting:
        return f"{_points(waiting)} {_wait(waiting)} to be read; nothing has been marked yet"
    line = f"{number(score)} of {number(decided)}"
    if penalty:
        line = (
            f"{number(score - penalty)} of {number(decided)}: {number(score)} for the answers, "
            f"less {number(penalty)} for handing in late"
        )
    return (
        f"{line}; so far: {_points(waiting)} {_wait(waiting)} to be read"
        if waiting and penalty
        else (f"{line} so far; {_points(waiting)} {_wait(waiting)} to be read" if waiting else line)
    )


def _points(value: float) -> str:
    return f"{number(value)} point{'' if value == 1 else 's'}"


def _wait(value: float) -> str:
    return "waits" if value == 1 else "wait"


def _sums(marks: Iterable[Mark]) -> tuple[float, float, float]:
    """Return the score of what is decided, its points, and the points that wait."""
    score = decided = waiting = 0.0
    for mark in marks:
        if mark.waits:
            waiting += mark.points
        else:
            score, decided = score + mark.score, decided + mark.points
    return score, decided, waiting


def _bar(score: float, decided: float, waiting: float) -> dict[str, Any]:
    total = max(decided, score) + waiting
    if total <= 0:
        return {"total": 0, "parts": ()}
    lost = max(decided - score, 0)
    shares = (("got", max(score, 0)), ("open", waiting), ("lost", lost))
    return {
        "total": total,
        "parts": [(kind, round(100 * part / total, 2)) for kind, part in shares],
    }


def _stamps(comments: Iterable[str]) -> list[str]:
    """Return what the grader says of every answer, once."""
    words = (text.removeprefix(NO_RESPONSE).strip() for text in comments)
    return list(dict.fromkeys(one for one in words if one))


def _words(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", markup)).strip()


def page_cell(number_: int, cell: Mapping[str, Any], texts: frozenset[str]) -> PageCell:
    """Return a cell of a notebook, by its number from 1; `texts` are those of the instructor's
    cells.
    """
    settings = cell.get("metadata", {}).get("nbgrader") or {}
    source = cell.get("source", "")
    is_answer = settings.get("solution") or settings.get("task")
    return PageCell(
        number_,
        cell.get("cell_type", "raw"),
        source,
        cell.get("outputs", ()),
        cell.get("attachments", {}),
        settings,
        (bool(settings) and not is_answer) or source in texts,
    )


def _shown_error(cell: PageCell) -> str:
    """Return the message that a test has left in its outputs, where the record holds none."""
    for output in cell.outputs:
        if output["output_type"] == "error" and cell.is_test:
            name, text = output.get("ename", ""), output.get("evalue", "")
            return (
                text
                if name in ("AssertionError", "ManualGrading", "TestError")
                else f"{name}: {text}"
            )
    return ""
