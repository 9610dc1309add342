"""The blocks of a student's page: one for each exercise, and folded ones for what lies between
them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

from markupsafe import Markup

from nbreferee.pages.code import code
from nbreferee.pages.exercises import NOT_WRITTEN, PARTLY, WRONG, Exercise, Given, PageCell, Part
from nbreferee.pages.message import Message, followed, read_message
from nbreferee.pages.plain import Policy
from nbreferee.pages.shown import outputs
from nbreferee.pages.templating import number
from nbreferee.pages.text import Place, markdown
from nbreferee.pages.views import Cause, ExerciseView, First, GivenView, PartView

EXERCISE_LEVEL = 3
_HEADING = re.compile(r"<h([1-6])[^>]*>(.*?)</h\1>", re.DOTALL)
_POINTS = re.compile(
    r"\s*(?:[—–-]|\()\s*[\d.,½¼¾]+\s*(?:points?|pts?\.?|Punkte?)\)?\s*$", re.IGNORECASE
)
_POINTS_INSIDE = re.compile(r"\s*[—–]\s*[\d.,]+\s*(?:points?|pts?\.?)(?=\s*,)", re.IGNORECASE)
_OWN_IDS = {"summary", "exercises", "first"}
_NO_CONTENT = re.compile(r"\s*")


class Writer:
    """Writes the blocks of one page."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._place = Place({*policy.reserved_ids, *_OWN_IDS})
        self._count = 0

    def text(self, cell: PageCell) -> str:
        """Return a text cell as HTML, headings as they are."""
        return markdown(cell.source, cell.attachments, self._policy)

    def heading(self, cell: PageCell) -> str:
        """Return what the last heading in a text cell says, as HTML; nothing where there is
        none.
        """
        if cell.kind != "markdown":
            return ""
        found = _HEADING.findall(self.text(cell))
        return found[-1][1].strip() if found else ""

    def title(self, cell: PageCell) -> Markup:
        """Return the notebook's title, where it stands in a cell."""
        found = _HEADING.search(self.text(cell)) if cell.kind == "markdown" else None
        return Markup(_without_links(found[2]).strip()) if found and found[1] == "1" else Markup("")

    def comment(self, text: str) -> Markup:
        """Return a person's comment as HTML."""
        from nbreferee.pages.markdown import sanitize_markdown

        return Markup(
            self._place.put(
                markdown(sanitize_markdown(text, {}, self._policy), {}, self._policy),
                EXERCISE_LEVEL,
            )
        )

    def block(
        self, block: Exercise | Given, comments: Mapping[str, Markup], unwritten: Set[str]
    ) -> ExerciseView | GivenView:
        """Return a block as the page shows it."""
        if isinstance(block, Given):
            return self._given(block)
        self._count += 1
        return self._exercise(block, comments, f"exercise-{self._count}", unwritten)

    def _given(self, block: Given) -> GivenView:
        names = [
            name for cell in block.cells if cell.is_instructors and (name := self.heading(cell))
        ]
        own = sum(not cell.is_instructors and cell.source.strip() != "" for cell in block.cells)
        title = (
            f"Between the exercises: {_without_links(names[0])}"
            if names
            else "Between the exercises"
        )
        title += f" and {len(names) - 1} more" if len(names) > 1 else ""
        title += (
            f" (with {own} cell{'s' if own > 1 else ''} of your own or changed by you)"
            if own
            else ""
        )
        return GivenView(
            Markup(title),
            Markup(
                "".join(
                    self.cell(cell, fold=False, below=EXERCISE_LEVEL - 1) for cell in block.cells
                )
            ),
        )

    def _exercise(
        self, one: Exercise, comments: Mapping[str, Markup], name: str, unwritten: Set[str]
    ) -> ExerciseView:
        score, points = one.decided
        tests = [part for part in one.parts if part.cell.is_test]
        lost = [part for part in tests if part.mark.waits or part.mark.score < part.mark.points]
        passed = [part for part in tests if part not in lost]
        notes = list(dict.fromkeys(note for part in passed for note in part.notes))
        is_written = one.state != NOT_WRITTEN
        failed = [self._part(part, one) for part in lost]
        (title, within), causes = self.name(one), _causes(failed)
        folded = [self._part(part, one, is_passed=True) for part in passed] + (
            [] if is_written else failed
        )
        own = [cell for cell in one.work if not cell.is_test]
        return ExerciseView(
            id=name,
            name=title,
            within=within,
            state=one.state,
            score=score,
            decided_points=points,
            waiting=one.waiting,
            task=Markup("".join(self.cell(cell, fold=False) for cell in one.task)),
            work=Markup("".join(self._work_cell(cell, unwritten) for cell in own)),
            work_title="Your answer" if one.answers else "Your work",
            is_open=one.state in (WRONG, PARTLY) or bool(one.waiting),
            causes=causes,
            comments=[
                comments[key]
                for key in dict.fromkeys(cell.grade_id for cell in one.work)
                if key in comments
            ],
            marked=[*(text for part in one.parts if (text := _marked(part))), *notes],
            followed=list(
                dict.fromkeys(said for part in passed if (said := followed(part.cell.outputs)))
            ),
            failed=failed if is_written else (),
            folded=folded,
            folded_title=_tests(len(folded), "passed" if is_written else "for this answer"),
            first=_first(name, title, causes, failed) if one.state in (WRONG, PARTLY) else (),
        )

    def name(self, one: Exercise) -> tuple[Markup, Markup]:
        """Return the name of an exercise, and the heading that it shares with others."""
        heading = self.heading(one.heading) if one.heading is not None else ""
        heading = without_points(_without_links(heading))
        ids = ", ".join(f"<code>{html.escape(name)}</code>" for name in one.grade_ids)
        if not heading or one.is_split:
            return Markup(ids), Markup(heading)
        return Markup(heading), Markup("")

    def _part(self, part: Part, one: Exercise, is_passed: bool = False) -> PartView:
        cell, mark = part.cell, part.mark
        said = followed(cell.outputs)
        notes = [
            *(["A person decides on this one."] if mark.waits else []),
            *([said] if said else []),
            *part.notes,
        ]
        message = part.message.removeprefix(said).removesuffix(said).strip()
        points = (
            f"{number(mark.points)} to be read"
            if mark.waits
            else f"{number(mark.score)} of {number(mark.points)}"
        )
        return PartView(
            _label(cell.grade_id, one),
            points,
            () if is_passed else notes,
            Message() if is_passed else read_message(message),
            Markup(outputs(cell.outputs[bool(said) :], cell.number, self._policy, errors=False)),
            Markup(code(cell.source))
            if cell.source.strip() and cell.kind == "code"
            else Markup(""),
        )

    def _work_cell(self, cell: PageCell, unwritten: Set[str]) -> str:
        if cell.is_answer and cell.grade_id in unwritten:
            return f'<p class="who">{html.escape(cell.grade_id)}: nothing was written here.</p>'
        if cell.is_answer:
            return self.cell(cell, fold=False)
        return self.cell(cell, fold=cell.is_instructors)

    def cell(self, cell: PageCell, *, fold: bool, below: int = EXERCISE_LEVEL) -> str:
        """Return a cell with its outputs; with `fold`, its code is folded."""
        if cell.kind == "markdown":
            return f'<div class="text">{self._place.put(self.text(cell), below)}</div>'
        if cell.kind != "code":
            return (
                f"<pre>{html.escape(html.unescape(cell.source))}</pre>"
                if cell.source.strip()
                else ""
            )
        written = code(cell.source) if cell.source.strip() else ""
        if fold and written:
            written = f"<details><summary>Given code</summary>{written}</details>"
        shown = self._place.put(outputs(cell.outputs, cell.number, self._policy), below)
        return written + shown


def without_points(heading: str) -> str:
    """Return a heading without the points of its exercise."""
    return _POINTS_INSIDE.sub("", _POINTS.sub("", heading))


def _without_links(heading: str) -> str:
    return re.sub(r"</?a\b[^>]*>", "", heading)


def _marked(part: Part) -> str:
    """Return what is to be said of a mark that a person gave."""
    mark = part.mark
    if mark.waits or not (mark.is_by_hand or mark.extra):
        return ""
    extra = f", {number(mark.extra)} of it extra" if mark.extra else ""
    return f"Marked by a person: {number(mark.score)} of {number(mark.points)}{extra}."


def _label(grade_id: str, one: Exercise) -> str:
    """Return the name of a test: what it tests, and the rest of its grade id in words."""
    answers = [cell.grade_id for cell in one.answers if grade_id.startswith(f"{cell.grade_id}_")]
    if not answers:
        return grade_id
    longest = max(answers, key=len)
    return f"{longest}: {grade_id[len(longest) + 1 :].replace('_', ' ')}"


def _tests(count: int, what: str) -> str:
    return f"{count} test{'' if count == 1 else 's'} {what}"


def _causes(failed: Sequence[PartView]) -> list[Cause]:
    """Return the sentences of an exercise, each once, with the tests that gave it where they
    differ.
    """
    labels: dict[str, list[str]] = {}
    for part in failed:
        if part.message.cause:
            labels.setdefault(part.message.cause, []).append(part.label)
    return [
        Cause(sentence, ", ".join(names) if len(labels) > 1 else "")
        for sentence, names in labels.items()
    ]


def _first(
    name: str, title: Markup, causes: Sequence[Cause], failed: Sequence[PartView]
) -> Sequence[First]:
    """Return the one sentence that helps most."""
    words = Markup(_without_links(title))
    if causes:
        told = max(
            (cause.sentence for cause in causes), key=len
        )  # a tutor's says more than a pattern's
        return (First(name, words, told, True),)
    for part in failed:
        if sentence := _sentence(part.message):
            return (First(name, words, sentence, False),)
    return ()


def _sentence(message: Message) -> str:
    values: dict[str, Any] = dict(message.values)
    if "Expected" in values:
        where = f"{values['Where']} is " if "Where" in values else "It gives "
        return (
            f"{message.called}: {where}{values['Your function gives']}, expected "
            f"{values['Expected']}."
        )
    if message.fault:
        return f"{message.called}: {message.fault[0]}" if message.called else message.fault[0]
    return ""
