"""Which earlier cells of a notebook a cell depends on, directly or not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nbreferee.course.cell_text import as_python
from nbreferee.course.context import context_of
from nbreferee.course.effects import Effects, effects_of
from nbreferee.course.known_code import Unsure
from nbreferee.course.united import united


@dataclass(frozen=True)
class RunCell:
    """One code cell as it is run."""

    source: str
    is_test: bool = False
    more: str = ""  # what else the tester runs at this cell
    given_up: frozenset[str] = frozenset()  # names that are the student's from here on
    in_tester: bool = True  # the tester runs it, or a part of it
    set_for_students: frozenset[str] = frozenset()  # names that a test binds in the box as well


def slices_of(
    cells: Sequence[RunCell], files: Mapping[str, bytes], data: Iterable[str] = ()
) -> list[frozenset[int]]:
    """Return for each cell the earlier cells that it depends on, by place.

    What is left out can neither change what the cell shows nor its verdict. A name that tests bind
    is another one for cells that the tester does not run. Other names are not told apart by whose
    they are: a cell that binds a name binds it for tests and for students.

    Raises
    ------
    Unsure
        if that cannot be told for some cell.
    """
    try:
        return _Dependencies(cells, _effects(cells, files, data)).slices
    except (RecursionError, MemoryError):  # of Python's parser
        raise Unsure("a cell is nested too deeply") from None


def _effects(
    cells: Sequence[RunCell], files: Mapping[str, bytes], data: Iterable[str]
) -> list[Effects]:
    sources = [as_python(cell.source) for cell in cells]
    more = [as_python(cell.more) for cell in cells]
    tests = {
        text
        for cell, source, other in zip(cells, sources, more, strict=True)
        if cell.is_test
        for text in (source, other)
    }
    context = context_of([*sources, *more], files, data, tests)
    drawing = {name for name, path in context.modules if path.startswith("matplotlib")}
    found = []
    for cell, source, other in zip(cells, sources, more, strict=True):
        effects = effects_of(source, context)
        if other and other != source:
            effects = united(effects, effects_of(other, context))
        if cell.is_test and effects.reads & drawing:
            raise Unsure("a test looks at figures")
        found.append(effects)
    return _with_names_of_tests(cells, found)


def _with_names_of_tests(cells: Sequence[RunCell], found: Sequence[Effects]) -> list[Effects]:
    """Return the effects with names of their own for what tests bind, which is in the tester
    alone.
    """
    own: frozenset[str] = frozenset()
    for cell, effects in zip(cells, found, strict=True):
        if cell.is_test:
            own |= effects.binds - cell.set_for_students
    return [
        _renamed(cell, effects, own) if cell.is_test or cell.in_tester else effects
        for cell, effects in zip(cells, found, strict=True)
    ]


def _renamed(cell: RunCell, effects: Effects, own: frozenset[str]) -> Effects:
    """Return the effects of a cell that the tester runs; `own` are the names that tests bind."""
    binds = effects.binds if cell.is_test else frozenset[str]()
    outside = (own - binds) | effects.reads  # which another cell may have bound
    hidden = own - cell.set_for_students

    def read(names: frozenset[str]) -> frozenset[str]:
        mine = frozenset(of_tests(name) for name in names & own)
        return (names - own) | (names & outside) | mine

    def bound(names: frozenset[str]) -> frozenset[str]:
        if not cell.is_test:
            return names
        return (names - hidden) | frozenset(of_tests(name) for name in names & own)

    return replace(
        effects,
        reads=read(effects.reads),
        later_reads=read(effects.later_reads),
        binds=bound(effects.binds),
        data=bound(effects.data),
        changes=read(effects.changes),
        later_changes=read(effects.later_changes),
        passes=read(effects.passes),
        later_passes=read(effects.later_passes),
        results=read(effects.results),
        later_results=read(effects.later_results),
    )


def of_tests(name: str) -> str:
    """Return how a name is written here that is bound by tests, in the tester alone."""
    return f"{name} of tests"


class _Dependencies:
    """Finds the slices: what cells change and what they depend on, in turn until both stay."""

    def __init__(self, cells: Sequence[RunCell], effects: Sequence[Effects]) -> None:
        self._effects = effects
        self._binds = [one.binds | cell.given_up for cell, one in zip(cells, effects, strict=True)]
        self._data = frozenset[str]().union(*(one.data for one in effects))
        self._all = frozenset[str]().union(*self._binds)
        self._changes: list[frozenset[str]] = list(self._binds)
        self.slices = [self._slice(number) for number in range(len(effects))]
        while True:
            ties = self._ties()
            changes = [self._changed(number, ties) for number in range(len(effects))]
            if changes == self._changes:
                break
            self._changes = changes
            self.slices = [self._slice(number) for number in range(len(effects))]
        for number, cell in enumerate(cells):
            if cell.is_test and any(self._effects[one].draws for one in self._whole(number)):
                raise Unsure("a test may call what draws")

    def _whole(self, number: int) -> list[int]:
        return [*self.slices[number], number]

    def _slice(self, number: int) -> frozenset[int]:
        """Return the cells that a cell depends on: functions read names when they are called."""
        names = set(self._effects[number].reads)
        found: set[int] = set()
        while more := {
            earlier
            for earlier in range(number)
            if earlier not in found and not names.isdisjoint(self._changes[earlier])
        }:
            found |= more
            for one in more:
                names |= self._effects[one].reads | self._effects[one].later_reads
        return frozenset(found)

    def _reached(self, number: int) -> frozenset[str]:
        """Return the names that a cell may read, itself or by functions."""
        read = self._effects[number].reads
        return read.union(*(self._effects[one].later_reads for one in self._whole(number)))

    def _returned(self, number: int, functions: frozenset[str]) -> frozenset[str]:
        """Return the names of objects that functions may return, and these names."""
        names, run = set(functions), self._whole(number)
        while True:
            more: set[str] = set()
            for one in run:
                found = names & self._binds[one]
                if found:
                    more |= self._effects[one].later_reads
                if found & self._effects[one].data:
                    more |= self._effects[one].reads
            if more <= names:
                return frozenset(names)
            names |= more

    def _ties(self) -> dict[str, set[str]]:
        """Return for each name the names that may be tied to it: of the same object or a part."""
        ties: dict[str, set[str]] = {}
        for number, binds in enumerate(self._binds):
            names = (self._reached(number) | binds) & self._data
            classes = {id(ties[name]): ties[name] for name in names if name in ties}
            merged = set(names).union(*classes.values())
            for name in merged:
                ties[name] = merged
        return ties

    def _changed(self, number: int, ties: Mapping[str, Collection[str]]) -> frozenset[str]:
        """Return the names that a cell binds, and those whose objects it may change."""
        own = self._effects[number]
        run = [self._effects[one] for one in self._whole(number)]
        objects = self._all if any(one.marks_objects for one in run) else self._data
        changed = own.changes | (own.passes & objects)
        for one in run:
            changed |= one.later_changes | (one.later_passes & objects)
        results = own.results.union(*(one.later_results for one in run))
        if results:
            changed |= self._returned(number, results) & self._reached(number) & objects
        if any(one.changes_locals for one in run):
            changed |= self._reached(number) & objects
        for name in changed & self._data:
            changed |= frozenset(ties.get(name, ()))
        return changed | self._binds[number]
