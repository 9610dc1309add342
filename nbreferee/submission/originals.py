"""The instructor's cells as students got them, with what tells each from the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nbreferee.course.rules import released_view
from nbreferee.course.source import Cell, Master
from nbreferee.submission.texts import NAME, defined_names, lines_of, normal, says_nothing


@dataclass(frozen=True)
class Released:
    """A cell that nbgrader knows, as students got it."""

    source: str
    checksum: str


@dataclass(frozen=True)
class Original:
    """One cell of the instructor's, as students got it."""

    cell: Cell
    text: str  # see `normal`
    cell_id: str  # the notebook format's own

    @property
    def is_known(self) -> bool:
        """Whether nbgrader knows it; any other cell is a free one, which students may change."""
        return self.cell.is_known

    @property
    def is_answer(self) -> bool:
        """Whether students write into it."""
        return self.is_known and self.cell.solution

    @property
    def is_its_solution(self) -> bool:
        """Whether the solution is what students got: as released, the cell may hold an answer."""
        return (
            self.is_answer
            and self.cell.is_code
            and self.text == normal(self.cell.source)
            and not says_nothing(self.text)
        )

    @property
    def name(self) -> str:
        """Its grade id; empty for a free cell."""
        return self.cell.grade_id if self.is_known else ""

    @property
    def kind(self) -> str:
        """'code' or 'markdown'."""
        return "code" if self.cell.is_code else "markdown"


@dataclass(frozen=True)
class Originals:
    """A notebook of the instructor's, cell by cell."""

    master: Master = field(repr=False)
    released: Mapping[str, Released] = field(repr=False)
    all: tuple[Original, ...] = field(repr=False)

    @cached_property
    def known(self) -> dict[str, Original]:
        """Those that nbgrader knows, by grade id."""
        return {one.name: one for one in self.all if one.is_known}

    @cached_property
    def answers(self) -> dict[str, Original]:
        """Those that students write into, by grade id."""
        return {name: one for name, one in self.known.items() if one.is_answer}

    @cached_property
    def stubs(self) -> frozenset[str]:
        """The texts of the cells that students write into."""
        return frozenset(one.text for one in self.answers.values() if one.text)

    @cached_property
    def by_text(self) -> dict[str, list[Original]]:
        """Those with a certain text."""
        found: dict[str, list[Original]] = {}
        for one in self.all:
            if one.text:
                found.setdefault(one.text, []).append(one)
        return found

    @cached_property
    def wanted(self) -> dict[str, frozenset[str]]:
        """The names that an answer has to define, by grade id: of the solution's, those that no
        other cell defines.

        Of these the ones that the stub defines or a graded cell mentions, where there are any.
        """
        defined = {
            one.cell.index: defined_names(one.cell.source) for one in self.all if one.cell.is_code
        }
        often = Counter(name for names in defined.values() for name in names)
        graded = {
            name for one in self.all if one.cell.is_test for name in NAME.findall(one.cell.source)
        }
        found = {}
        for name, one in self.answers.items():
            own = frozenset(word for word in defined.get(one.cell.index, ()) if often[word] == 1)
            found[name] = own & (graded | defined_names(one.text)) or own
        return found

    @cached_property
    def telling_lines(self) -> dict[str, Original]:
        """The lines that stand in one cell only."""
        found: dict[str, Original | None] = {}
        for one in self.all:
            for line in set(lines_of(one.text)):
                found[line] = None if line in found else one
        return {line: one for line, one in found.items() if one is not None}


def originals_of(master: Master, released: Mapping[str, Released]) -> Originals:
    """Return the instructor's cells as students got them."""
    nodes = master.notebook.cells
    return Originals(
        master,
        released,
        tuple(_original(cell, nodes[cell.index].get("id", ""), released) for cell in master.cells),
    )


def _original(cell: Cell, cell_id: str, released: Mapping[str, Released]) -> Original:
    source = (
        released[cell.grade_id].source
        if cell.is_known and cell.grade_id in released
        else cell.source
    )
    return Original(cell, normal(released_view(source, cell.delimiters)), cell_id)
