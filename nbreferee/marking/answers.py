"""One student's answer on the marking page: sanitised, its mathematics, why a person decides."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup
from nbformat import NotebookNode, v4

from nbreferee.grading.marks import MarkReader
from nbreferee.grading.pictures import embed_pictures
from nbreferee.marking.marks import StoredMark, digest_of
from nbreferee.marking.questions import BELOW, Question, exercises_of, marking_policy
from nbreferee.pages.blocks import Writer
from nbreferee.pages.code import code
from nbreferee.pages.exercises import Exercise, PageCell
from nbreferee.pages.plain import Policy
from nbreferee.pages.record import Judged, read_record
from nbreferee.pages.sanitize import sanitize
from nbreferee.pages.shown import outputs
from nbreferee.pages.student import NO_RESPONSE, page_cell

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory

NO_NOTEBOOK = (
    "There is no executed notebook: nothing was handed in under this name, "
    "or it has not been graded."
)
NO_CELL = "The executed notebook does not hold this cell."
NOTHING = "Nothing was written here: the cell is as it was released."


@dataclass(frozen=True)
class ShownAnswer:
    """An answer as HTML."""

    answer: Markup
    reason: str = ""  # why a person decides on it, in words
    more: Markup = Markup("")  # other cells of the exercise


class AnswerReader:
    """Reads answers from the executed notebooks of one assignment."""

    def __init__(self, course: CourseDirectory, reader: MarkReader) -> None:
        self._course = course
        self._reader = reader

    def shown(self, question: Question, mark: StoredMark) -> ShownAnswer:
        """Return a student's answer."""
        path = self._path(question, mark.student)
        notebook = _read(path)
        if notebook is None:
            return ShownAnswer(Markup(""), mark.automatic_comment or NO_NOTEBOOK)
        judged = read_record(notebook.metadata.get("nbreferee", {}))
        texts = self._reader.texts(question.cell.notebook)
        sanitize(notebook, texts)
        cells = [page_cell(number, cell, texts) for number, cell in enumerate(notebook.cells, 1)]
        policy = marking_policy(cells)
        writer = Writer(policy)
        name = question.cell.name
        exercise = next(
            (
                one
                for one in exercises_of(cells, writer)
                if any(cell.grade_id == name for cell in one.work)
            ),
            None,
        )
        if exercise is None:
            return ShownAnswer(Markup(""), NO_CELL)
        one = _Shown(writer, policy, question, judged.get(name) or Judged())
        answer, more = one.html(exercise, mark.automatic_comment.startswith(NO_RESPONSE))
        reason = one.reason or ("" if question.comment_on == name else mark.automatic_comment)
        return ShownAnswer(self._whole(answer, path), reason, self._whole(more, path))

    def digest(self, question: Question, student: str) -> str:
        """Return a name for what a student has written, and for what the test says of it."""
        path = self._path(question, student)
        try:
            return self._digests(path, path.stat().st_mtime_ns).get(question.cell.name, "")
        except OSError:
            return ""

    @lru_cache(maxsize=10_000)  # noqa: B019 (one reader lives as long as the command)
    def _digests(self, path: Path, _: int) -> dict[str, str]:
        notebook = _read(path)
        if notebook is None:
            return {}
        judged = read_record(notebook.metadata.get("nbreferee", {}))
        answers: list[str] = []
        found: dict[str, str] = {}
        for cell in notebook.cells:
            settings = cell.metadata.get("nbgrader") or {}
            name = str(settings.get("grade_id", ""))
            if settings.get("solution") or settings.get("task"):
                answers.append(cell.source)
                found[name] = digest_of(cell.source)
            elif settings.get("grade"):
                found[name] = digest_of(answers[-1:], (judged.get(name) or Judged()).message)
        return found

    def _path(self, question: Question, student: str) -> Path:
        folder = self._course.format_path(
            self._course.autograded_directory, student, self._reader.assignment
        )
        return Path(folder) / f"{question.cell.notebook}.ipynb"

    def _whole(self, page: str, executed: Path) -> Markup:
        """Return HTML with the pictures beside the notebook in it."""
        data = embed_pictures(
            page.encode("utf-8", "replace"), executed.parent, self._course.include
        )
        return Markup(data.decode())


def _read(path: Path) -> NotebookNode | None:
    try:
        notebook: NotebookNode = v4.reads(path.read_text(encoding="utf-8"))
        return notebook
    except (OSError, ValueError):
        return None


class _Shown:
    """Writes one exercise of one student."""

    def __init__(self, writer: Writer, policy: Policy, question: Question, judged: Judged) -> None:
        self._writer = writer
        self._policy = policy
        self._question = question
        self._judged = judged
        self.reason = judged.message if question.cell.kind == "test" else ""

    def html(self, exercise: Exercise, is_blank: bool) -> tuple[str, str]:
        """Return the answer, and the other cells of its exercise."""
        name, is_test = self._question.cell.name, self._question.cell.kind == "test"
        shown: list[str] = []
        more: list[str] = []
        for cell in exercise.work:
            if cell.is_test:
                if cell.grade_id == name:
                    shown.append(self._test(cell))
            elif cell.grade_id == name and is_blank:
                shown.append(f'<p class="note">{NOTHING}</p>')
            elif cell.grade_id == name or (is_test and cell.is_answer) or not cell.is_instructors:
                is_other = cell.is_answer and cell.grade_id != name and not is_test
                (more if is_other else shown).append(
                    self._writer.cell(cell, fold=False, below=BELOW)
                )
            else:
                more.append(self._writer.cell(cell, fold=False, below=BELOW))
        return "".join(shown), "".join(more)

    def _test(self, cell: PageCell) -> str:
        """Return a test with what it says."""
        said = "".join(f'<p class="note">{html.escape(one)}</p>' for one in self._judged.notes)
        shown = outputs(_without_errors(cell), cell.number, self._policy)
        source = code(cell.source)
        folded = f"<details><summary>The test, hidden lines included</summary>{source}</details>"
        return said + shown + folded


def _without_errors(cell: PageCell) -> Sequence[dict[str, object]]:
    return [dict(one) for one in cell.outputs if one["output_type"] != "error"]
