"""The solution's functions in the tester, for follow-through: the box calls them from afar, and
never holds them.

They are made when they are needed first, each in a namespace of its own: nothing of the tests is in
it, and nothing of the student's. What the box gets is a name and a number. It may call a reference
only while a cell is judged in which that reference stands in; so is what a reference has returned,
be it a function or an iterator.
"""

from __future__ import annotations

import ast
import contextlib
import io
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from nbreferee.course.ownership import Reference
from nbreferee.engine.wire.codec import CodecError, encode
from nbreferee.engine.wire.exceptions import TestException, described
from nbreferee.engine.wire.protocol import FunctionCall

Wrap = Callable[[Any], tuple[Any, ...]]
OVER = (
    "this function stood in for an answer while another cell was judged, and cannot be called now"
)


class ReferenceAnswer:
    """A function of the solution that stands in for one of the student's."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = self.__name__ = name
        self._function = function
        self.is_alive = False  # whether it may be called now
        self.calls = 0  # since it has come alive

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Answer a test that has got it from a student's code."""
        if not self.is_alive:
            raise RuntimeError(OVER)
        self.calls += 1
        return self._function(*arguments, **named)

    def answer(
        self, arguments: tuple[Any, ...], named: dict[str, Any], wrap: Wrap
    ) -> tuple[Any, int | str | None, tuple[Any, ...] | None]:
        """Call it; return its value, or which argument that is, and the arguments if it has changed
        them in place.
        """
        before = encode((arguments, named), wrap=wrap)
        value = self(*arguments, **named)
        changed = (arguments, named) if encode((arguments, named), wrap=wrap) != before else None
        places: dict[Any, Any] = {**dict(enumerate(arguments)), **named}
        same = (
            None
            if value is None
            else next((place for place, one in places.items() if one is value), None)
        )
        return None if same is not None else value, same, changed


class ReferenceAnswers:
    """The answers of the solution, made when they are first asked for."""

    def __init__(self, names: dict[str, Any], references: Sequence[Reference]) -> None:
        self._names = names  # of the tester: whose classes both sides have
        self._references = {(one.name, one.cell): one for one in references}
        self._made: dict[tuple[str, int], Any] = {}

    def find(self, name: str, cell: int) -> Any:
        """Return what stands in for an answer: a `ReferenceAnswer`, or a plain value.

        Raises
        ------
        LookupError
            if there is nothing that could.
        """
        if (name, cell) not in self._made:
            self._made[name, cell] = self._make(self._references[name, cell])
        return self._made[name, cell]

    def _make(self, reference: Reference) -> Any:
        space: dict[str, Any] = {"__name__": "__main__"}
        try:
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                for node in ast.parse(reference.source).body:
                    self._run(node, space)
            value = space[reference.name]
            if isinstance(value, (type, types.ModuleType)):
                raise LookupError(reference.name)
            if callable(value):
                return ReferenceAnswer(reference.name, value)
            encode(value)
        except (Exception, SystemExit) as error:
            raise LookupError(reference.name) from error
        return value

    def _run(self, node: ast.stmt, space: dict[str, Any]) -> None:
        """Run a statement; a class that the tester has already is taken from there, for both sides
        know that one.
        """
        match node:
            case ast.ClassDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                known = dict.get(self._names, name)
                if type(known) is type or (
                    isinstance(known, type) and known.__module__ == "__main__"
                ):
                    space[name] = known
                    return
        exec(compile(ast.Module([node], []), "<reference>", "exec"), space)


@contextlib.contextmanager
def alive(answers: Sequence[ReferenceAnswer]) -> Iterator[None]:
    """Let references be called for a while."""
    for one in answers:
        one.is_alive, one.calls = True, 0
    try:
        yield
    finally:
        for one in answers:
            one.is_alive = False


class Callbacks:
    """What the box may call by a number, and the frames that answer it."""

    def __init__(self, references: Any, note_limit: Callable[[str], None]) -> None:
        self._references = references  # engine.references.References
        self._note_limit = note_limit

    def reply(self, called: FunctionCall, own_output: object) -> bytes:
        """Return the frame that answers a call by the box; `own_output` is the cell's stream, on
        which references do not print.

        Raises
        ------
        IndexError, TypeError
            if nothing has this number.
        """
        number, arguments, named = called.number, called.arguments, called.named
        function = self._references.callback(number)
        source = self._references.source_of(number)
        if source is None:
            return self._frame(lambda: function(*arguments, **named))
        if not source.is_alive:
            return failure(TestException(("RuntimeError",), (OVER,)))
        before = self._references.count
        with (
            contextlib.redirect_stdout(io.StringIO())
            if sys.stdout is own_output
            else contextlib.nullcontext()
        ):
            frame = self._frame(lambda: self._of_reference(function, arguments, named), plain=True)
        self._references.returned |= dict.fromkeys(range(before, self._references.count), source)
        return frame

    def _of_reference(
        self, function: Any, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> Any:
        if type(function) is ReferenceAnswer:
            return function.answer(arguments, named, self._references.wrap)
        return function(*arguments, **named)

    def _frame(self, call: Callable[[], Any], plain: bool = False) -> bytes:
        """Return the frame with what a call gives; `plain`: of an exception its class and message
        alone.
        """
        known = len(self._references.heap)
        try:
            frame = encode((0, "returned", (call(),)), wrap=self._references.wrap)
            if plain and len(self._references.heap) > known:
                raise CodecError(
                    f"a new object of the type {type(self._references.heap[-1]).__name__}"
                )
        except CodecError as error:
            self._note_limit(
                "a function of the test gives a value that cannot be handed to the student's "
                f"code ({error})"
            )
            return failure(TestException(("TypeError",), (str(error),)))
        except Exception as error:
            said = described(error)
            return failure(replace(said, attributes={}) if plain else said)
        return frame


def failure(error: TestException) -> bytes:
    """Return the frame that answers a call by the box with an exception."""
    return encode((0, "failed", error.as_tuple()))
