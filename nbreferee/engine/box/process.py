"""The student box: it runs the student's cells and answers the tester's questions about them.

It holds nothing that a student may not see. It believes what the tester says, and need not be
believed itself: a student's code may do here whatever it likes.
"""

from __future__ import annotations

import builtins
import contextlib
import inspect
import io
import signal
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from nbreferee.engine.box.callables import CALLABLE
from nbreferee.engine.box.figures import Figures
from nbreferee.engine.box.files import Files
from nbreferee.engine.box.outside import explained
from nbreferee.engine.box.recording import (
    CallRecorder,
    Snapshot,
    call_answers,
    is_plain,
    signature,
)
from nbreferee.engine.box.references import BoxReferences, Identities, ObjectTable
from nbreferee.engine.box.stand_ins import StandIns
from nbreferee.engine.placing import EVENTS, WorkingFolder
from nbreferee.engine.shell import Shell, error_output
from nbreferee.engine.tester.audit import add_handlers
from nbreferee.engine.tester.student_modules import BoxModules
from nbreferee.engine.tester.write_back import adopt
from nbreferee.engine.wire.channel import Channel
from nbreferee.engine.wire.codec import CodecError, decode, encode, in_pieces
from nbreferee.engine.wire.codec_format import SIMPLE, identity
from nbreferee.engine.wire.exceptions import (
    DOT,
    ExceptionDescription,
    TestException,
    attributes_of,
    cannot_leave,
    class_names,
    set_attributes,
)
from nbreferee.engine.wire.instances import state_of
from nbreferee.engine.wire.protocol import (
    ERRSTATE,
    CallContext,
    CallResult,
    FunctionCall,
    RandomState,
    compacted,
    expanded,
    is_writing,
    set_random_state,
)
from nbreferee.engine.wire.to_box import (
    AllNames,
    Attributes,
    Call,
    ClassOf,
    DrawFigure,
    HandIn,
    LastTraceback,
    LookUp,
    NewFiles,
    OutlineOfFigure,
    RunCell,
    SeenOfFigure,
    SignatureOf,
    SourceOf,
    State,
    TakeFiles,
    on,
)
from nbreferee.engine.wire.to_box_replay import CallAnswers, RecordCell

HEARD_CHARACTERS = 1_000_000  # of what one call prints
WRITING = frozenset(
    {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.move", "shutil.rmtree"}
)  # events, besides "open"


class Overrun(BaseException):
    """Time is up; no `except Exception` of a student catches it."""


class Box:
    """The student's side of a conversation."""

    def __init__(
        self, channel: Channel, shell: Shell, figures: Figures, placed: WorkingFolder
    ) -> None:
        self._channel = channel
        self._shell = shell
        self._figures = figures
        self._references = BoxReferences(lambda: shell.user_ns, self.call_back)
        self._shared: dict[
            int, int
        ] = {}  # places, by identity, of the containers in the arguments of the running call
        self._placed = placed
        self._files = Files()
        self._last_error: BaseException | None = None
        self._wrote = False
        self._contexts = {b"": CallContext()}  # by their encoded forms
        self._limit_s = 0.0  # of what runs now
        self._on_alarm = self._overrun
        self._generators = RandomState()
        self._random_after: tuple[Any, ...] | None = (
            None  # as the last call has left it, where nothing else has run since
        )
        add_handlers(
            lambda event: (
                [placed.on_event] * (event in EVENTS)
                + [self._note_writing] * (event in WRITING or event == "open")
            )
        )
        self._operations = self._answers_to_requests()
        self._callable: dict[str, Callable[..., Any]] = {
            **CALLABLE,
            "await": self._run_to_end,
            "exit": self._exit,
        }

    def _answers_to_requests(self) -> dict[str, Callable[..., Any]]:
        """Return what is done for each request, by the name of its operation."""
        files = self._files
        return {
            **dict(
                (
                    on(RunCell, self._run_cell),
                    on(RecordCell, self._record_cell),
                    on(CallAnswers, self._call_answers),
                    on(DrawFigure, self._draw),
                    on(SeenOfFigure, self._seen_of_figure),
                    on(OutlineOfFigure, self._outline_of_figure),
                    on(HandIn, lambda asked: files.hand_in(asked.files)),
                    on(
                        TakeFiles,
                        lambda asked: files.take(asked.files, asked.folders, asked.removed),
                    ),
                    on(NewFiles, lambda _: files.changes()),
                    on(LookUp, lambda asked: self._look_up(asked.name)),
                    on(AllNames, lambda _: self._names()),
                    on(Call, self._call),
                    on(Attributes, lambda asked: dict(vars(asked.object))),
                    on(State, lambda asked: state_of(asked.object)),
                    on(ClassOf, lambda asked: type(asked.object)),
                    on(SourceOf, lambda asked: inspect.getsource(asked.object)),
                    on(SignatureOf, lambda asked: _signature(asked.object)),
                    on(LastTraceback, lambda _: self._traceback()),
                )
            ),
            **BoxModules().operations,
            **StandIns(lambda: self._shell.user_ns).operations,
        }

    def _note_writing(self, event: str, arguments: tuple[Any, ...]) -> None:
        self._wrote |= event in WRITING or is_writing(arguments[2])

    def serve(self) -> None:
        """Answer until the other side is gone."""
        while True:
            self._answer(self._channel.receive())

    def call_back(self, number: int, arguments: tuple[Any, ...], named: dict[Any, Any]) -> Any:
        """Have the tester call a function of its own."""
        heap = self._references.heap
        shared = self._shared
        self._say(0, "call", FunctionCall(number, arguments, named).as_tuple())
        while True:
            question, operation, body = self._hear(self._channel.receive())
            if operation == "returned":
                return body[0]
            if operation == "failed":
                raise self._exception(TestException(*body))
            self._do(question, operation, body)
            self._references.heap = heap
            self._shared = shared

    def _answer(self, frame: memoryview) -> None:
        self._do(*self._hear(frame))

    def _hear(self, frame: memoryview) -> tuple[int, str, tuple[Any, ...]]:
        message: tuple[int, str, tuple[Any, ...]] = decode(frame, unwrap=self._references.unwrap)
        return message

    def _do(self, number: int, operation: str, arguments: tuple[Any, ...]) -> None:
        try:
            self._shared = {}
            value = self._operations[operation](*arguments)
            self._say(number, "value", value, self._shared)
        except CodecError as error:
            self._say(number, "raised", cannot_leave(error).as_tuple())
        except BaseException as error:
            self._last_error = error
            self._say(number, "raised", self._described(error).as_tuple())

    def _say(self, number: int, what: str, body: Any, shared: dict[int, int] | None = None) -> None:
        parts: list[Any] = []

        def wrap(value: Any) -> tuple[Any, ...]:
            return (
                ("identities", self._references.identities(list(parts)))
                if type(value) is Identities
                else self._references.wrap(value)
            )

        self._channel.send(*in_pieces((number, what, body), wrap=wrap, parts=parts, shared=shared))

    # ------------------------------------------------ what the tester asks for

    def _run_cell(self, asked: RunCell) -> tuple[list[dict[str, Any]], int]:
        self._random_after = None
        if asked.count:  # cells before it have not been run
            self._shell.execution_count = asked.count
        with self._limited(asked.limit_s):
            shown, result = self._shell.run(asked.source)
        error = result.error_before_exec or result.error_in_exec
        if isinstance(error, Overrun):
            lines: list[str] = next(
                (one["traceback"] for one in shown if one["output_type"] == "error"), []
            )
            text = (
                f"this cell took longer than {asked.limit_s:g} s and was stopped: is there a loop "
                "that does not end, or loops within loops that take too many steps?"
            )
            shown = [
                *(one for one in shown if one["output_type"] != "error"),
                error_output("TimeoutError", text, [*lines[:-1], f"TimeoutError: {text}"]),
            ]
        elif error is not None and not any(
            one["output_type"] == "error" for one in shown
        ):  # IPython could not show it
            described = self._described(error)
            name = described.classes[0].rpartition(DOT)[2]
            shown.append(error_output(name, described.text, [f"{name}: {described.text}"]))
        return explained(shown, error), self._shell.execution_count - 1

    def _record_cell(self, asked: RecordCell) -> tuple[Any, ...]:
        """Run a cell of the solution's notebook; return a `RecordedRun`."""
        names, hidden = self._shell.user_ns, self._shell.user_ns_hidden
        before = Snapshot(names, hidden)
        answers = {name: names.get(name) for name in asked.answers}
        plain = {name: one for name, one in answers.items() if is_plain(one, name)}
        signatures = {name: found for name, one in plain.items() if (found := signature(one))}
        recorder = CallRecorder(plain)
        with recorder.recording():
            shown = self._run_cell(RunCell(asked.source, asked.limit_s, asked.count))
        changed = before.changed(Snapshot(names, hidden))
        calls = recorder.is_complete, recorder.calls, recorder.results
        values = before.values(asked.reads)
        return shown, calls, (signatures, values, sorted(before.opaque), sorted(changed))

    def _call_answers(self, asked: CallAnswers) -> tuple[Any, ...]:
        self._random_after = None
        names = self._shell.user_ns
        is_clean, results = call_answers(names, asked.calls, lambda: self._limited(asked.limit_s))
        signatures = {
            name: signature(one)
            for name in asked.functions
            if is_plain(one := names.get(name), name)
        }
        values = {name: names[name] for name in asked.names if name in names}
        return is_clean, results, values, signatures

    def _draw(self, asked: DrawFigure) -> tuple[str, str]:
        try:
            with self._limited(asked.limit_s):
                return self._figures.draw(asked.name)
        except Overrun:
            return "", f"stopped after {asked.limit_s:.0f} s"

    def _seen_of_figure(self, asked: SeenOfFigure) -> str:
        try:
            with self._limited(asked.limit_s):
                return self._figures.visible_name(asked.name)
        except Overrun:
            return ""

    def _outline_of_figure(self, asked: OutlineOfFigure) -> str:
        try:
            with self._limited(asked.limit_s):
                return self._figures.outline(asked.name)
        except Overrun:
            return ""

    def _look_up(self, name: str) -> tuple[Any, ...]:
        names = self._shell.user_ns
        self._references.heap = ObjectTable()
        if name not in names or name.startswith("_"):
            return (False, None)
        value = names[name]
        return (True, value) if type(value) in SIMPLE else (True, value, Identities())

    def _names(self) -> list[str]:
        hidden = self._shell.user_ns_hidden
        return [
            name for name in list(self._shell.user_ns) if type(name) is str and name not in hidden
        ]

    def _call(self, asked: Call) -> dict[int, Any]:
        """Call a function; return a `CallResult`, compacted."""
        self._references.rebuild(asked.heap)
        parts: list[Any] = []
        blob, unwrap = asked.arguments_blob, self._references.unwrap
        arguments, named = decode(blob, unwrap=unwrap, parts=parts)
        shared = {identity(one): place for place, one in enumerate(parts)}
        found = self._context(asked.context)
        called_with = self._references.heap
        function = asked.function
        what = self._callable[function] if type(function) is str else function
        lent = {
            name: encode(value, wrap=self._references.wrap) for name, value in found.names.items()
        }
        heard = io.StringIO(), io.StringIO()
        raised, value = None, None
        with self._surroundings(found, heard) as warned, self._limited(asked.limit_s):
            try:
                value = what(*arguments, **named)
            except BaseException as error:
                self._last_error = error
                raised = self._described(error).as_tuple()
        self._references.heap, self._shared = called_with, shared
        self._held = parts  # or an id could be another's before the answer is sent
        places = [*enumerate(arguments), *named.items()]
        same = (
            next((n for n, argument in places if argument is value), None)
            if value is not None
            else None
        )
        changed = encode((arguments, named), wrap=self._references.wrap)
        self._random_after = self._generators.state(self._random_before)
        return compacted(
            CallResult(
                value=None if same is not None else value,
                raised=raised,
                same=same,
                changed=changed if changed != blob else None,
                states=tuple(map(state_of, called_with.instances)),
                heard=tuple(one.getvalue()[:HEARD_CHARACTERS] for one in heard),
                warned=tuple((w.category.__name__, str(w.message)) for w in warned[:20]),
                random=self._random_after
                if self._random_after is not self._random_before
                else None,
                figures=len(plt.get_fignums()),
                names=self._changed_names(lent),
                wrote=self._has_written(),
            )
        )

    def _context(self, encoded: bytes) -> CallContext:
        """Return what is around a call; settings of NumPy alone are read once."""
        known = self._contexts.get(encoded)
        if known is not None:
            return known
        unusual = decode(encoded, unwrap=self._references.unwrap)
        context = expanded(CallContext, unusual)
        if unusual.keys() == {ERRSTATE}:
            self._contexts[encoded] = context
        return context

    def _has_written(self) -> bool:
        """Tell whether a file has been opened for writing, moved or deleted since this was last
        asked.
        """
        wrote, self._wrote = self._wrote, False
        return wrote

    def _changed_names(self, lent: dict[str, bytes]) -> dict[str, Any]:
        """Return those of the names that a test has set to which the student's code has given
        another value.
        """
        names = self._shell.user_ns
        return {
            name: names[name]
            for name, before in lent.items()
            if name in names and encode(names[name], wrap=self._references.wrap) != before
        }

    def _exception(self, said: TestException) -> BaseException:
        """Return an exception like one of the test's: of the first class of its own and its
        ancestors that is known here.
        """
        names, arguments, attributes = said.as_tuple()
        kind: Any = None
        for name in names:
            module, _, last = name.rpartition(DOT)
            kind = (
                getattr(sys.modules.get(module), last, None)
                if module
                else self._shell.user_ns.get(name) or getattr(builtins, name, None)
            )
            if isinstance(kind, type) and issubclass(kind, Exception):
                break
        own = names[0].rpartition(DOT)[2]
        if kind.__name__ != own:
            kind = type(own, (kind,), {})
        error: BaseException = kind.__new__(kind, *arguments)
        error.args = arguments
        set_attributes(error, attributes)
        return error

    def _exit(self, one: Any, error: tuple[Any, ...] | None) -> bool:
        raised = None if error is None else self._exception(TestException(*error))
        return bool(type(one).__exit__(one, None if raised is None else type(raised), raised, None))

    def _traceback(self) -> list[str]:
        error = self._last_error
        if error is None:
            return []
        shown = self._shell.InteractiveTB.structured_traceback(
            type(error), error, _own_frames(error.__traceback__)
        )
        return [str(line) for line in shown]

    # ------------------------------------------------ around a call

    @contextlib.contextmanager
    def _surroundings(
        self, around: CallContext, heard: tuple[io.StringIO, io.StringIO]
    ) -> Iterator[list[Any]]:
        if around.random is not None:
            set_random_state(around.random)
            self._random_after = None
        self._random_before = self._random_after or self._generators.state()
        names = self._shell.user_ns
        kept = {name: names[name] for name in around.in_place if name in names}
        names.update(around.names)
        for name, before in kept.items():  # other names and functions may hold the same object
            names[name] = adopt(before, names[name])
        for name in around.gone:
            names.pop(name, None)
        patched = {name: getattr(builtins, name) for name in around.builtins}
        for name, function in around.builtins.items():
            setattr(builtins, name, function)
        with warnings.catch_warnings(record=True) as warned, np.errstate(**around.errstate):
            warnings.simplefilter("always")
            streams = sys.stdout, sys.stderr
            sys.stdout, sys.stderr = heard
            try:
                yield warned
            finally:
                sys.stdout, sys.stderr = streams
                for name, function in patched.items():
                    setattr(builtins, name, function)

    @contextlib.contextmanager
    def _limited(self, seconds: float) -> Iterator[None]:
        """Raise Overrun in whatever runs for too long, and again where it goes on."""
        if self._limit_s and signal.getitimer(signal.ITIMER_REAL)[0]:
            yield  # within a call that has its limit already
            return
        self._limit_s = seconds
        if signal.getsignal(signal.SIGALRM) is not self._on_alarm:
            signal.signal(signal.SIGALRM, self._on_alarm)
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)
        try:
            yield
        finally:
            self._limit_s = 0.0
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _overrun(self, number: int, frame: types.FrameType | None) -> None:
        if self._limit_s:  # or what was limited has ended meanwhile
            raise Overrun(f"stopped after {self._limit_s:g} s")

    def _run_to_end(self, one: Any) -> Any:
        """Await something in the event loop of the notebook's cells."""
        from IPython.core.async_helpers import get_asyncio_loop

        async def awaited() -> Any:
            return await one

        return get_asyncio_loop().run_until_complete(awaited())

    def _described(self, error: BaseException, with_cause: bool = True) -> ExceptionDescription:
        """Say what an exception is."""
        classes = class_names(type(error))
        try:
            text = str(error)
        except BaseException:
            text = ""
        try:
            arguments = tuple(error.args)
            encode(arguments, wrap=self._references.wrap)
        except Exception:
            arguments = (text,)
        attributes = attributes_of(error)
        try:
            encode(attributes, wrap=self._references.wrap)
        except Exception:
            attributes = {}
        cause = (
            self._described(error.__cause__, with_cause=False)
            if with_cause and error.__cause__ is not None
            else None
        )
        frames = [
            f
            for f in traceback.extract_tb(_own_frames(error.__traceback__))
            if not _is_library(f.filename)
        ]
        places = [(f.filename, f.lineno or 1, f.name, f.line or "") for f in frames[-10:]]
        return ExceptionDescription(
            classes, text[:100_000], arguments, tuple(places), attributes, cause
        )


def _signature(one: Any) -> tuple[list[tuple[Any, ...]], tuple[Any, ...]]:
    empty = inspect.Parameter.empty

    def given(value: Any) -> tuple[Any, ...]:
        return () if value is empty else (value,)

    signature = inspect.signature(one)
    return [
        (p.name, int(p.kind), given(p.default), given(p.annotation))
        for p in signature.parameters.values()
    ], given(signature.return_annotation)


def _own_frames(frames: types.TracebackType | None) -> types.TracebackType | None:
    """Leave out the frames of this module."""
    while (
        frames is not None
        and frames.tb_next is not None
        and frames.tb_frame.f_code.co_filename == __file__
    ):
        frames = frames.tb_next
    return frames


def _is_library(filename: str) -> bool:
    return filename.startswith((sys.base_prefix, sys.prefix)) or filename == __file__
