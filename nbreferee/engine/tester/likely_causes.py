"""Look for a mutant of the solution, or of the reference, that does the same as a wrong answer.

It is the grader's part of a message's "Likely cause"; the rest is said by the test itself, in this
course by `gradtests.causes`. A test's module asks for it: a module of the instructor's, or one in a
package, that has a name `look_further`. The tester puts a function there, and the module calls it
with the name of the student's function, the reference, and `agrees`, which tells of a wrong
function whether it does what the student's did. Under stock nbgrader nothing is put there.

Mutants are made of the instructor's text alone. They run in the tester, where the memory is
limited; each may take a part of a second, and all of a cell together the time that the course
grants. What they print is dropped.
"""

from __future__ import annotations

import ast
import contextlib
import io
import itertools
import random
import re
import signal
import sys
import time
import types
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbreferee.course.ownership import Plan
from nbreferee.mutation import Mutant, mutants

MUTANT_S = 0.2  # of processor time for one mutant on all cases
HOOK = "look_further"
NOT_IN_PAIRS = ("name exchanged", "sum over")  # there are too many of these

LITTLE = re.compile(  # what such words say helps nobody
    r"as if (?:the step that \w+ |the minus sign before )?an? (?:intermediate "
    r"result|product|matrix product|sum|difference|quotient)"
    r" (?:were|was) .*|as if .*\bwere another|as if .* the place of another|"
    r"as if one step were missing|as if two indices were exchanged|"
    r"as if a -?\d+ were a -?\d+|as if an index were .*|as if '.*|as if nothing .*"
    r"|as if (?:a|an|another|the operands of an) (?:comparison|condition|part|step|setting|change "
    r"of shape|output|operation)\b.*|as if the step that (?:changes|fills) .*"
)

Agrees = Callable[[Callable[..., Any]], bool]


class _OutOfTime(BaseException):
    """A mutant has used up its time. No `except Exception` of a mutant catches it."""


@dataclass(frozen=True)
class _Original:
    """A right function: the text of its definition, and the other code of its namespace."""

    name: str  # of the function under test
    mutated: str  # of the function that is changed: itself, or one that it calls
    told: str  # that function's name, where students know it and it is another
    source: str
    others: types.CodeType  # the definitions of all functions
    names: dict[str, Any]  # what these find around them

    def with_mutant(self, code: types.CodeType) -> Any:
        """Return the function under test with a mutant in the place of one definition."""
        space = dict(self.names)
        exec(self.others, space)
        exec(code, space)
        return space[self.name]


class AskingModules:
    """The modules of an assignment that ask for help.

    They are looked for before a process forks others: a fork that looks at all modules there are
    copies the memory that these lie in. It looks at new ones only.
    """

    def __init__(self, imported: Collection[str]) -> None:
        self._imported = imported
        self._newest = ""
        self._names: list[str] = []
        self.found()

    def found(self) -> list[Any]:
        """Return those that there are now."""
        newest, new = self._newest, []
        for name in reversed(sys.modules):
            if name is newest:
                break
            new.append(name)
        self._newest = new[0] if new else newest
        self._names += [
            name
            for name in new
            if name not in self._names
            and name.partition(".")[0] in self._imported
            # look for it without asking a module's own __getattr__
            and HOOK in getattr(sys.modules[name], "__dict__", ())
        ]
        return [sys.modules[name] for name in self._names if name in sys.modules]


class LikelyCauses:
    """What one tester knows of right answers, to find out what a wrong one has done."""

    def __init__(
        self,
        plan: Plan,
        names: dict[str, Any],
        own_text: Callable[[], AbstractContextManager[Any]],
        limit_s: float,
        asking: AskingModules,
    ) -> None:
        self._references, self._known = plan.references, plan.student_names
        self._names, self._own_text, self._limit_s = names, own_text, limit_s
        self._cell, self._source, self._left_s = 0, "", 0.0
        self._asking = asking

    def begin_cell(self, index: int, source: str, is_offered: bool = True) -> None:
        """Start a test cell, and offer help to those of its modules that ask for it."""
        self._cell, self._source, self._left_s = index, source, self._limit_s
        offered = self.look_further if self._limit_s > 0 and is_offered else None
        for module in self._asking.found():
            setattr(module, HOOK, offered)

    def look_further(self, name: str, reference: Callable[..., Any], agrees: Agrees) -> str:
        """Return in words what a student's function has done, or ''."""
        started = time.process_time()
        randomness = random.getstate(), np.random.get_state()
        handler = signal.signal(signal.SIGVTALRM, _stop)
        try:
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                return self._search(name, reference, agrees, started + self._left_s)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, handler)
            random.setstate(randomness[0])
            np.random.set_state(randomness[1])
            self._left_s -= time.process_time() - started

    def _search(self, name: str, reference: Callable[..., Any], agrees: Agrees, end: float) -> str:
        originals = [*self._of_solution(name), *self._of_reference(reference)]
        for original, mutant in itertools.chain(self._single(originals), self._pairs(originals)):
            if time.process_time() >= end:
                return ""
            if not _says_little(mutant.words, original.mutated == name) and self._does_the_same(
                original, mutant, agrees
            ):
                # the answer need not call that function to do what it does
                where = f"in what {original.told} computes, " if original.told else ""
                return f"the result comes out {mutant.words}".replace("as if ", f"as if {where}", 1)
        return ""

    def _does_the_same(self, original: _Original, mutant: Mutant, agrees: Agrees) -> bool:
        try:
            code = self._compiled(mutant.source)
            signal.setitimer(signal.ITIMER_VIRTUAL, MUTANT_S)
            try:
                return agrees(original.with_mutant(code))
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        except (Exception, SystemExit, _OutOfTime):
            return False

    def _compiled(self, source: str | ast.Module) -> types.CodeType:
        with self._own_text():
            return compile(source, "<mutant>", "exec")

    # ------------------------------------------------ right answers

    def _of_solution(self, name: str) -> Iterator[_Original]:
        known = [one for one in self._references if one.name == name and one.cell < self._cell]
        if known:
            tree = ast.parse(max(known, key=lambda one: one.cell).source)
            space: dict[str, Any] = {"__name__": "__main__"}
            rest = ast.Module(
                [node for node in tree.body if not isinstance(node, ast.FunctionDef)], []
            )
            with contextlib.suppress(Exception, SystemExit):
                exec(self._compiled(rest), space)
                yield from self._originals(tree, name, space)

    def _of_reference(self, reference: Callable[..., Any]) -> Iterator[_Original]:
        with contextlib.suppress(SyntaxError):  # of a cell with a magic
            tree = ast.parse(self._source)
            found = [
                node
                for node in tree.body
                if isinstance(node, ast.FunctionDef)
                and node.name == getattr(reference, "__name__", "")
            ]
            if (
                found
                and isinstance(reference, types.FunctionType)
                and reference.__code__.co_firstlineno == found[-1].lineno
            ):
                yield from self._originals(tree, found[-1].name, dict(self._names))

    def _originals(self, tree: ast.Module, name: str, names: dict[str, Any]) -> Iterator[_Original]:
        """Yield a function's definition, then those of the functions that it calls, with what is
        around them.
        """
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        if name in functions:
            others = self._compiled(ast.Module(list(functions.values()), []))
            for mutated in _called(name, functions):
                told = mutated if mutated != name and mutated in self._known else ""
                yield _Original(name, mutated, told, ast.unparse(functions[mutated]), others, names)

    # ------------------------------------------------ mutants

    def _single(self, originals: Sequence[_Original]) -> Iterator[tuple[_Original, Mutant]]:
        for original in originals:
            yield from ((original, mutant) for mutant in self._mutants(original.source))

    def _pairs(self, originals: Sequence[_Original]) -> Iterator[tuple[_Original, Mutant]]:
        """Yield two changes at a time, of the functions under test alone, in turn from each."""
        own = [original for original in originals if original.mutated == original.name]
        for group in itertools.zip_longest(*map(self._pairs_of, own)):
            yield from (pair for pair in group if pair is not None)

    def _pairs_of(self, original: _Original) -> Iterator[tuple[_Original, Mutant]]:
        for first in self._mutants(original.source):
            for second in (
                self._mutants(first.source)
                if not first.kind.startswith(NOT_IN_PAIRS) and first.is_named
                else ()
            ):
                if (
                    second.is_named
                    and not second.kind.startswith(NOT_IN_PAIRS)
                    and second.line >= first.line
                    and second.words != first.words
                ):
                    yield (
                        original,
                        Mutant(
                            second.kind,
                            second.line,
                            second.source,
                            f"{first.words}, and {second.words}",
                        ),
                    )

    def _mutants(self, source: str) -> Iterator[Mutant]:
        return mutants(source, further=True, known=self._known)


def _says_little(words: str, is_own: bool = True) -> bool:
    """Tell whether a clause names nothing that a student knows: an intermediate result, an index, a
    comparison. In another function than the student's an intermediate result is never known.
    """
    if not is_own and "intermediate result" in words:
        return True
    return any(LITTLE.fullmatch(clause) for clause in words.split(", and "))


def _stop(number: int, frame: types.FrameType | None) -> None:
    raise _OutOfTime


def _called(name: str, functions: dict[str, ast.FunctionDef]) -> list[str]:
    """Return a function and those that it calls, directly or not."""
    found = [name]
    for one in found:
        used = {node.id for node in ast.walk(functions[one]) if isinstance(node, ast.Name)}
        found += [other for other in functions if other in used and other not in found]
    return found
