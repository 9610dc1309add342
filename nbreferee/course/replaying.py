"""What replay has to know of a notebook: which names each cell reads, and which cells students
wrote. Found by reading, and only if that is certain (see `effects`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from nbreferee.course.cell_text import as_python
from nbreferee.course.context import context_of
from nbreferee.course.effects import Effects, effects_of
from nbreferee.course.known_code import Unsure
from nbreferee.course.nodes import parse, walk

# Of two results that differ in the last bit only, these can make something that looks different.
TELLING_APART = frozenset(
    "array_equal array_equiv argmax argmin argsort argpartition argwhere sort sorted lexsort "
    "sign signbit unique floor ceil trunc rint nonzero flatnonzero count_nonzero searchsorted "
    "digitize histogram isclose allclose nextafter spacing tobytes hex hash "
    "int astype fix bool divmod fmod mod remainder frozenset is_integer isin bincount".split()
)
HISTORY = frozenset({"In", "Out"})


@dataclass(frozen=True)
class CodeCell:
    """A code cell as the box runs it, or a test as the tester runs it."""

    number: int
    source: str
    is_students: bool = False  # an answer, a cell of the student's own, or one that was changed
    is_test: bool = False


@dataclass(frozen=True)
class CellReading:
    """What is known of a cell of the instructor's."""

    reads: frozenset[str]  # names, by itself or by functions of earlier cells of the instructor's
    binds: frozenset[str]
    is_exact: bool  # the last bit of a number may make a difference that can be seen


@dataclass(frozen=True)
class NotebookReading:
    """What is known of a notebook."""

    cells: Mapping[int, CellReading]  # the instructor's, by number
    needed: frozenset[str]  # names that students' cells and tests read
    given: Mapping[int, frozenset[str]]  # names that students' cells bind, by number
    data: frozenset[str]  # names of what may change: no plain functions, modules or constants
    changing: frozenset[int]  # students' cells that do more than define what keeps nothing
    # students' functions return the same for the same arguments, as long as no other cell runs
    is_repeatable: bool


def read_for_replay(
    cells: Sequence[CodeCell], files: Mapping[str, bytes], data_files: Iterable[str] = ()
) -> NotebookReading:
    """Return what is known of a notebook; `files` are the instructor's modules, and `data_files`
    the names of the other files.

    Raises
    ------
    Unsure
        where something cannot be told, or a call of a student's function may have an effect.
    """
    try:
        return _read(cells, files, data_files)
    except (RecursionError, MemoryError):  # of Python's parser
        raise Unsure("a cell is nested too deeply") from None


def _read(
    cells: Sequence[CodeCell], files: Mapping[str, bytes], data_files: Iterable[str]
) -> NotebookReading:
    sources = [as_python(cell.source) for cell in cells]
    tests = {source for cell, source in zip(cells, sources, strict=True) if cell.is_test}
    context = context_of(sources, files, data_files, tests)
    found = [effects_of(source, context) for source in sources]
    run = [(cell, one) for cell, one in zip(cells, found, strict=True) if not cell.is_test]
    data = frozenset[str]().union(*(one.data for _, one in run))
    theirs = [(cell, one) for cell, one in run if cell.is_students]
    for _, one in theirs:
        _require_no_effects(one, data)
    by_number = [(cell.number, one) for cell, one in run if not cell.is_students]
    ours = [one for _, one in by_number]
    of_tests = [one for cell, one in zip(cells, found, strict=True) if cell.is_test]
    wanted = [name for one in [*of_tests, *(one for _, one in theirs)] for name in _all_reads(one)]
    if not HISTORY.isdisjoint(wanted):
        raise Unsure("it looks at the history of the notebook")
    readings = {
        cell.number: CellReading(
            _reached(one.reads, [before for number, before in by_number if number <= cell.number]),
            one.binds,
            _is_exact(source),
        )
        for cell, one, source in zip(cells, found, sources, strict=True)
        if not cell.is_test and not cell.is_students
    }
    return NotebookReading(
        readings,
        _reached(wanted, ours),
        {cell.number: one.binds for cell, one in theirs},
        data,
        frozenset(cell.number for cell, one in theirs if one.data or one.changes or one.passes),
        all(not one.data and data.isdisjoint(_reached(one.later_reads, ours)) for _, one in theirs),
    )


def _require_no_effects(one: Effects, data: frozenset[str]) -> None:
    """Raise Unsure where functions of a student's cell may do more than return something."""
    if one.later_changes or one.later_passes & data:
        raise Unsure("a student's function may change what is outside of it")
    if one.changes_locals and one.later_reads & data:
        raise Unsure(f"a student's function may change data that it reads {one.later_reads & data}")
    if one.marks_objects or one.draws:
        raise Unsure("a student's function sets attributes, or draws")


def _all_reads(one: Effects) -> frozenset[str]:
    return one.reads | one.later_reads


def _reached(names: Iterable[str], ours: Sequence[Effects]) -> frozenset[str]:
    """Return names, and those that the instructor's functions with these names read."""
    reached = set(names)
    while more := {
        name
        for one in ours
        if not reached.isdisjoint(one.binds)
        for name in one.later_reads
        if name not in reached
    }:
        reached |= more
    return frozenset(reached)


@lru_cache(maxsize=4096)
def _is_exact(source: str) -> bool:
    """Tell whether a cell may show another thing for a number with another last bit."""
    try:
        tree = parse(source)
    except (SyntaxError, ValueError):
        return True
    for node in walk(tree):
        if isinstance(
            node, (ast.Compare, ast.IfExp, ast.If, ast.While, ast.Assert, ast.FloorDiv, ast.Mod)
        ):
            return True
        name = node.attr if isinstance(node, ast.Attribute) else ""
        name = node.id if isinstance(node, ast.Name) else name
        if name in TELLING_APART:
            return True
    return False
