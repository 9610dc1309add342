"""What there is to mark in an assignment: cells with exercise, scheme and model answer."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup
from nbformat import NotebookNode, v4

from nbreferee.marking.files import page_ids
from nbreferee.marking.marks import GradedCell, MarkTable
from nbreferee.marking.scheme import Step, read_scheme
from nbreferee.pages.blocks import Writer
from nbreferee.pages.exercises import Exercise, Mark, PageCell, Part, arrange
from nbreferee.pages.plain import Policy, policy_for
from nbreferee.pages.student import page_cell

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory

BELOW = 2  # headings of cells are below those of this level


@dataclass(frozen=True)
class Question:
    """One cell that a person marks."""

    cell: GradedCell
    title: Markup
    within: Markup = Markup("")  # the heading that it shares with others
    task: Markup = Markup("")
    model: Markup = Markup("")
    scheme: tuple[Step, ...] = ()
    steps: tuple[Markup, ...] = ()  # the texts of the scheme
    comment_on: str = ""  # the cell that takes the comment

    @property
    def title_text(self) -> str:
        """The title without markup."""
        return html.unescape(self.title.striptags())


def questions_of(
    course: CourseDirectory, table: MarkTable, assignment: str
) -> tuple[Question, ...]:
    """Return the cells that have points, in the order of the instructor's notebooks."""
    cells: dict[str, dict[str, GradedCell]] = {}
    for cell in table.cells():
        cells.setdefault(cell.notebook, {})[cell.name] = cell
    answers = table.answer_cells()
    folder = Path(course.format_path(course.source_directory, ".", assignment))
    found: list[Question] = []
    for notebook in sorted(cells):
        source = read_notebook(folder / f"{notebook}.ipynb")
        written = list(_questions(source, cells[notebook], answers)) if source is not None else []
        there = {one.cell.name for one in written}
        rest = [cell for name, cell in cells[notebook].items() if name not in there]
        found += written
        found += [Question(cell, Markup(f"<code>{html.escape(cell.name)}</code>")) for cell in rest]
    return tuple(found)


def read_notebook(path: Path) -> NotebookNode | None:
    """Return an instructor's notebook; None where it cannot be read."""
    try:
        notebook: NotebookNode = v4.reads(path.read_text(encoding="utf-8"))
        return notebook
    except (OSError, ValueError, KeyError):  # the answers can be marked without it
        return None


def marking_policy(cells: Sequence[PageCell]) -> Policy:
    """Return the policy for cells on a marking page: its ids belong to the page."""
    policy = policy_for(cell.grade_id for cell in cells)
    return replace(policy, reserved_ids=policy.reserved_ids | page_ids())


def exercises_of(cells: Sequence[PageCell], writer: Writer) -> list[Exercise]:
    """Return the exercises of a notebook, marks aside."""
    blocks = arrange(
        cells, lambda cell: Part(cell, Mark(0, 0)), lambda cell: bool(writer.heading(cell))
    )
    return [block for block in blocks if isinstance(block, Exercise)]


def _questions(
    source: NotebookNode, cells: Mapping[str, GradedCell], answers: Mapping[tuple[str, str], str]
) -> Iterator[Question]:
    texts = frozenset(cell.source for cell in source.cells)
    found = [page_cell(number, cell, texts) for number, cell in enumerate(source.cells, 1)]
    writer = Writer(marking_policy(found))
    for exercise in exercises_of(found, writer):
        title, within = writer.name(exercise)
        task = Markup("".join(writer.cell(cell, fold=False, below=BELOW) for cell in exercise.task))
        last = ""  # the answer that a test follows
        for cell in exercise.work:
            last = cell.grade_id if cell.is_answer else last
            if not cell.is_graded or cell.grade_id not in cells:
                continue
            graded = cells[cell.grade_id]
            notebook = graded.notebook
            comment_on = cell.grade_id if graded.kind != "test" else last
            graded = _commented(graded, answers.get((notebook, comment_on), ""))
            steps = _scheme(exercise, cell, graded) if graded.kind != "test" else ()
            models = [cell] if graded.kind != "test" else exercise.answers
            model = "".join(writer.cell(one, fold=False, below=BELOW) for one in models)
            yield Question(
                graded,
                title,
                within,
                task,
                Markup(model),
                steps,
                tuple(_inline(writer.comment(step.text)) for step in steps),
                comment_on if graded.comment_cell_id else "",
            )


def _commented(cell: GradedCell, comment_cell_id: str) -> GradedCell:
    return GradedCell(
        cell.notebook, cell.name, cell.kind, cell.points, cell.cell_id, comment_cell_id
    )


def _scheme(exercise: Exercise, cell: PageCell, graded: GradedCell) -> tuple[Step, ...]:
    """Return the scheme: in the task, in a given cell above the answer, or in the model answer."""
    before = [one for one in exercise.work if one.number < cell.number and one.is_instructors]
    nearest = [one for one in (*exercise.task, *before) if one.kind == "markdown"][::-1]
    texts = [one.source for one in nearest]
    own = [cell.source] if cell.kind == "markdown" else []
    return read_scheme(own + texts if graded.kind == "task" else texts + own, graded.points)


def _inline(text: Markup) -> Markup:
    """Return a paragraph without its element, for use in a label."""
    inner = text.strip().removeprefix("<p>").removesuffix("</p>")
    return Markup(inner) if "<p" not in inner else text
