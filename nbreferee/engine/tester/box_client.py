"""The tester's side of a conversation: it asks the box, and believes nothing that comes back.

Whatever the box sends becomes a plain value, a proxy, or an exception of the student's. Bytes that
are none of these, a silence, or an end are `Lost`: a verdict on the cell, never an error of ours.
"""

from __future__ import annotations

import builtins
import itertools
import sys
import threading
import time
import warnings
from collections.abc import Callable, Collection
from typing import Any, TypeVar

import numpy as np

from nbreferee.budget import ENDED, LOST, MANY_CALLS, TIME_UP, UNREADABLE
from nbreferee.engine.tester.behaviour import Behaviour
from nbreferee.engine.tester.class_proxies import ClassProxy
from nbreferee.engine.tester.patches import Patches
from nbreferee.engine.tester.proxies import IteratorProxy, Proxy, is_proxy
from nbreferee.engine.tester.questions import Questions
from nbreferee.engine.tester.reference_answers import Callbacks, failure
from nbreferee.engine.tester.references import NameOwnership, References, own_attributes
from nbreferee.engine.tester.refusals import refusal
from nbreferee.engine.tester.suspicious import ARGUMENTS, CHANGES, DRAWS, oddities
from nbreferee.engine.tester.write_back import adopt, adopt_all, replaced, with_own_parts
from nbreferee.engine.wire.channel import Channel, Closed, Late, Oversized
from nbreferee.engine.wire.codec import CodecError, decode, encode, in_pieces
from nbreferee.engine.wire.exceptions import (
    DOT,
    ExceptionDescription,
    TestException,
    cannot_leave,
    exception_class,
    frames_of,
    make_exception,
)
from nbreferee.engine.wire.instances import set_state, state_of
from nbreferee.engine.wire.protocol import (
    CANNOT_LEAVE,
    ERRSTATE,
    NESTED,
    CallContext,
    FunctionCall,
    RandomState,
    compacted,
    set_random_state,
)
from nbreferee.engine.wire.to_box import BoxRequest, Call, LookUp
from nbreferee.engine.wire.to_box_modules import ModuleRequest

A = TypeVar("A")
GRACE_S = 2.0  # the box ends a call by itself in time; that long after it, we do
CALLBACKS = 200_000  # of one cell
TAKEN = 10_000  # items of an iterator
LIMITS_NOTED = 5  # of one cell
PATCHABLE = ("input", "print", "open")


class Lost(BaseException):
    """The box is of no more use. No `except Exception` of a test catches it."""


class OutOfTime(BaseException):
    """A call took too long, and the box has ended it."""


class BoxClient(Questions):
    """The box, as tests see it."""

    def __init__(self, names: dict[str, Any], trust: NameOwnership) -> None:
        self._names = names  # of the tester
        self._written = frozenset(trust.written)
        self._references = References(self, names, trust)
        self.callbacks = Callbacks(self._references, self.note_limit)
        self.replaced: Collection[str] = ()  # names for which references stand in now
        self.asked_for_replaced = False  # whether the test itself has looked up one of them
        self._channel: Channel | None = None
        self.lost = ""  # why the box is of no more use
        self._questions = itertools.count(1)
        self._turn = threading.RLock()
        self._filling = False
        self._shared: list[
            Any
        ] = []  # containers of the arguments of the running call, which its answer may refer to
        self._parts: list[Any] = []  # containers of the last message
        self._named_parts: dict[
            int, Any
        ] = {}  # of values that the cell has looked up by name: by the box's number
        self._callback_count = 0
        self._streams: tuple[Any, ...] = (
            None,
            None,
            None,
        )  # of the cell; a test that listens replaces them
        self._real: dict[str, Any] = {}  # Python's own functions, as they are when a cell begins
        self._depth = 0
        self._generators = RandomState()
        self._random: tuple[Any, ...] | None = None  # their last state
        self._errstate = _errstate()  # as it is in the box, too
        self._errstates: dict[tuple[tuple[str, str], ...], bytes] = {}  # others, encoded
        self.call_limit_s = 30.0
        self.deadline = float("inf")
        # Names that the test has set and students' functions read, and those that it has deleted.
        self.set_for_students: Callable[
            [Collection[str]], tuple[dict[str, Any], list[str], list[str]]
        ] = lambda lent: ({}, [], [])
        self._lent: set[str] = (
            set()
        )  # what has been set or deleted in the box in this cell: to be put back, perhaps
        self.open_figures = 0
        self.files_to_box: Callable[[], None] = lambda: None
        self.files_from_box: Callable[[], None] = lambda: None
        self.record: Callable[[bytes | memoryview], None] = lambda frame: (
            None
        )  # what the box has sent: see `provenance`
        self.calls = 0
        self.suspicious: set[tuple[str, str]] = (
            set()
        )  # (whose value, what is odd about it) of the running cell
        self.refused: Collection[tuple[str, str]] | None = (
            None  # None: none; else all are but these
        )
        self.behaviour = Behaviour()  # of the student's code in the running cell
        self.patches, self.patched = Patches(), ""  # of modules by the running test
        self.held: dict[
            str, None
        ] = {}  # what may be the reason why the running cell fails, if it does
        self.limits: list[
            str
        ] = []  # why something in the running cell could not pass between the two processes

    def disconnect(self) -> None:
        """Close this process's end of the connection to the box."""
        if self._channel is not None:
            self._channel.close()

    def connect(self, channel: Channel, limit_s: float) -> None:
        """Talk to a box; what was said with another is forgotten."""
        self._channel, self.lost, self.call_limit_s = channel, "", limit_s
        self._references.forget_box()
        self._named_parts = {}

    def begin(self, deadline: float) -> None:
        """Start a cell."""
        self.deadline, self._depth, self.calls = deadline, 0, 0
        self.suspicious, self._callback_count, self._lent, self.limits = set(), 0, set(), []
        self.patched = ""
        self.behaviour.begin()
        self.patches.begin()
        self._named_parts, self.held = {}, {}
        self._streams = (sys.stdout, sys.stdin, sys.stderr)
        self._real = {name: getattr(builtins, name) for name in PATCHABLE}
        self._random = self._generators.state(self._random)

    def note_limit(self, reason: str) -> None:
        """Note that something in the running cell cannot pass between the two processes, whatever
        the test makes of it.

        A cell with such a note that fails is judged again in one process; `reason` is a clause for
        the instructor.
        """
        if len(self.limits) < LIMITS_NOTED and reason not in self.limits:
            self.limits.append(reason)

    def hold(self, reason: str) -> None:
        """Note a limit if the running cell fails: most cells that hold such an object pass all the
        same.
        """
        if len(self.held) < LIMITS_NOTED:
            self.held[reason] = None

    def note_failure(self) -> None:
        """Note what may be the reason why the running cell fails."""
        for reason in self.held:
            self.note_limit(reason)

    # ------------------------------------------------ questions

    @property
    def _connected(self) -> Channel:
        if self._channel is None:
            raise Lost("the notebook's process has ended")
        return self._channel

    def ask(self, request: BoxRequest[A]) -> A:
        """Ask the box something, and serve it the callbacks that it needs for an answer."""
        if self.lost or self._channel is None:
            raise Lost(self.lost or "the notebook's process has ended")
        with self._turn:  # threads of a test ask one after the other
            answer = self._ask(request.operation, request.arguments())
        try:
            return request.read(answer)
        except CodecError:
            raise self._lose(UNREADABLE) from None

    def _ask(self, operation: str, arguments: tuple[Any, ...]) -> Any:
        if self._depth >= NESTED:
            raise RecursionError(
                "functions of the test and of the student call each other too deeply"
            )
        number = next(self._questions)
        started = time.monotonic()
        deadline = min(self.deadline, started + self.call_limit_s + GRACE_S)
        self._depth += 1
        try:
            self._connected.send(*self._pieces((number, operation, arguments)), deadline=deadline)
            while True:
                answered, what, body = self._hear(self._connected.receive(deadline))
                if type(answered) is not int or type(what) is not str:
                    raise self._lose(UNREADABLE)
                if what == "call":
                    self._serve_callback(body, deadline)
                elif what == "unreadable call":
                    refused = failure(TestException(("TypeError",), (body,)))
                    self._connected.send(refused, deadline=deadline)
                elif answered != number or what not in ("value", "raised"):
                    raise self._lose(UNREADABLE)
                elif what == "raised":
                    self._raise(self._described(body))
                else:
                    return body
        except Late:
            raise self._lose(
                TIME_UP,
                is_limit=self._callback_count > MANY_CALLS
                or time.monotonic() - started < self.call_limit_s,
            ) from None
        except Closed:
            raise self._lose(ENDED) from None
        except Oversized:
            raise self._lose("the notebook sent more than it may") from None
        finally:
            self._depth -= 1

    def _pieces(self, question: tuple[Any, ...]) -> list[bytes | memoryview]:
        try:
            return in_pieces(question, wrap=self._references.wrap)
        except CodecError as error:
            self.note_limit(f"a value cannot be handed to the student's code ({error})")
            raise TypeError(f"cannot be handed to the student's code: {error}") from None

    def call(
        self,
        function: Proxy | ClassProxy | str,
        arguments: tuple[Any, ...],
        named: dict[str, Any] | None = None,
    ) -> Any:
        """Call a function of the student's, or an operation of the box, and carry over what it
        changed.
        """
        label = "a call" if is_proxy(function) else str(function)  # under whatever name
        with self._turn:
            try:
                value = self._call(function, arguments, named)
            except (Exception, SystemExit) as error:
                self.behaviour.raises(label, error)
                raise
            self.behaviour.gives(label, value)
            return value

    def _call(
        self,
        function: Proxy | ClassProxy | str,
        arguments: tuple[Any, ...],
        named: dict[str, Any] | None,
    ) -> Any:
        self.calls += 1
        if patched := self.patches.found():
            self.note_limit(f"{patched}, and student code does not see it")
            self.patched = patched
        called: Any = function  # isinstance would ask a proxy for its class
        label: str = called if type(called) is str else f"{called._facts.name}()"
        outer, self._references.heap = (self._references.heap, self._shared), []
        try:
            self.files_to_box()
            blob, heap, around = self._packed(arguments, named or {})
            limit_s = min(self.call_limit_s, max(0.1, self.deadline - time.monotonic()))
            answer = self.ask(Call(function, blob, heap, limit_s, around))
            try:
                if answer.wrote:
                    self.files_from_box()
                places: dict[Any, Any] = {**dict(enumerate(arguments)), **(named or {})}
                value = answer.value
                if answer.changed is not None or answer.states:
                    if self._may(label, CHANGES):
                        self._carry_over(
                            arguments, named or {}, answer.changed, answer.states, label
                        )
                    elif (
                        answer.changed is not None
                    ):  # what it returns may still be an argument, as it has changed it
                        new_arguments, new_named = self._read(answer.changed)
                        changed = {**dict(enumerate(new_arguments)), **new_named}
                        value = replaced(
                            value, [(old, changed[place]) for place, old in places.items()]
                        )
                        places = changed
                if answer.random is not None and self._may(label, DRAWS):
                    set_random_state(answer.random)
                    self._random = answer.random
                self.open_figures = answer.figures if type(answer.figures) is int else 0
                for name in self._lent & self._written & set(answer.names):
                    self._names[name] = adopt(
                        dict.get(self._names, name),
                        self._looked_at(answer.names[name], f"{name}, which {label} sets,"),
                    )
                self._pass_on(answer.heard, answer.warned)
            except (CodecError, TypeError, ValueError) as error:
                self._raise(cannot_leave(error))
            if answer.raised is not None:
                self._raise(self._described(answer.raised))
            return self._looked_at(
                places[answer.same]
                if type(answer.same) in (int, str) and answer.same in places
                else value,
                label,
            )
        finally:
            self._references.heap, self._shared = outer

    def name(self, name: str) -> tuple[bool, Any]:
        """Return whether the student has a name, and its value."""
        self.asked_for_replaced |= name in self.replaced
        self._references.identities = ()
        answer = self.ask(LookUp(name))
        value = self._looked_at(self._with_known_parts(answer.value), name)
        self.behaviour.gives(name, value if answer.is_there else "no such name")
        return answer.is_there, value

    def ask_module(self, request: ModuleRequest[A]) -> A:
        """Ask something about a module that the student has written (see `student_modules`)."""
        answer: A = self._looked_at(self.ask(request), request.label)
        return answer

    def _with_known_parts(self, value: Any) -> Any:
        """Return a value in which what the cell has looked up before, as a part of this or another
        name, is the same object.
        """
        pairs = []
        for part, number in zip(self._parts, self._references.identities, strict=False):
            known = self._named_parts.setdefault(number, part) if type(number) is int else part
            if known is not part and type(known) is type(part):
                pairs.append((known, part))
        if pairs:
            adopt_all(pairs)
            value = with_own_parts(value, {id(part): known for known, part in pairs})
        return value

    # ------------------------------------------------ callbacks

    def _serve_callback(self, body: Any, deadline: float) -> None:
        try:
            called = FunctionCall.from_tuple(body)
            self._references.callback(called.number)
        except (CodecError, TypeError, IndexError):
            raise self._lose(UNREADABLE) from None
        self._callback_count += 1
        if self._callback_count > CALLBACKS:
            raise self._lose(f"it called a function of the test more than {CALLBACKS:,} times")
        self._connected.send(
            self.callbacks.reply(called, self._streams[0]),
            deadline=deadline,
        )

    # ------------------------------------------------ around a call

    def _around(self) -> CallContext:
        names, gone, in_place = self.set_for_students(self._lent)
        self._lent |= {*names, *gone}
        replaced = {
            name: getattr(builtins, name)
            for name in PATCHABLE
            if getattr(builtins, name) is not self._real[name]
        }
        if "input" not in replaced and sys.stdin is not self._streams[1]:
            replaced["input"] = lambda prompt="": sys.stdin.readline().rstrip("\n")
        before, self._random = self._random, self._generators.state(self._random)
        return CallContext(
            random=None if self._random is before else self._random,
            names=names,
            gone=tuple(gone),
            builtins=replaced,
            errstate={
                kind: what for kind, what in _errstate().items() if what != self._errstate[kind]
            },
            in_place=tuple(in_place),
        )

    def _encoded_context(self) -> bytes:
        """Return what is unusual around a call, encoded; nothing where all is as usual."""
        unusual = compacted(self._around())
        if not unusual:
            return b""
        if unusual.keys() != {ERRSTATE}:
            return encode(unusual, wrap=self._references.wrap)
        errstate = tuple(unusual[ERRSTATE].items())
        if errstate not in self._errstates:
            self._errstates[errstate] = encode(unusual)
        return self._errstates[errstate]

    def _pass_on(self, heard: Any, warned: Any) -> None:
        """Show what the student printed, and how it warned, to a test that listens; nobody else
        hears it.
        """
        for text, stream, own in zip(
            heard, (sys.stdout, sys.stderr), self._streams[::2], strict=True
        ):
            if text and stream is not own:
                stream.write(str(text))
        for category, text in warned:
            kind = getattr(builtins, category, None)
            if isinstance(kind, type) and issubclass(kind, Warning):
                warnings.warn(str(text), kind, stacklevel=4)

    def _packed(
        self, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[bytes, list[Any], bytes]:
        """Return the arguments, the instructor's objects among them, and what is unusual around the
        call (or nothing), each encoded.
        """
        wrap = self._references.wrap
        try:
            parts: list[Any] = []
            blob = encode((arguments, named), wrap=wrap, parts=parts)
            around = self._encoded_context()
            heap, done = [], 0
            while done < len(
                self._references.heap
            ):  # which grows as attributes turn out to hold more instances
                one = self._references.heap[done]
                heap.append((type(one).__name__, encode(state_of(one), wrap=wrap)))
                done += 1
        except CodecError as error:
            self.note_limit(f"an argument cannot be handed to the student's function ({error})")
            raise TypeError(f"cannot be handed to a student's function: {error}") from None
        self._shared = parts
        return blob, heap, around

    def _carry_over(
        self,
        arguments: tuple[Any, ...],
        named: dict[Any, Any],
        changed: Any,
        states: Any,
        label: str,
    ) -> None:
        """Bring what the call changed in its arguments to the test's own objects."""
        if changed is not None:
            new_arguments, new_named = self._read(changed)
            self._looked_at([new_arguments, new_named], label + ARGUMENTS)
            adopt_all(
                [
                    *zip(arguments, new_arguments, strict=True),
                    *((named[key], new_named[key]) for key in named),
                ]
            )
            self.behaviour.gives("a call changes", [new_arguments, new_named])
        for one, (state, content) in zip(list(self._references.heap), states, strict=True):
            before, held = state_of(one)
            for name in set(before) - set(state):
                object.__delattr__(one, name)
            state, content = self._looked_at(
                [own_attributes(type(one), state), content], f"an object that {label} changes"
            )
            merged = {
                name: adopt(before[name], new) if name in before else new
                for name, new in state.items()
            }
            set_state(one, merged, adopt(held, content) if content is not None else None)

    # ------------------------------------------------ values and references

    def _hear(self, frame: memoryview) -> tuple[int, str, Any]:
        try:
            number, what, body = self._read(frame)
        except (
            CodecError,
            ValueError,
            TypeError,
            AttributeError,
            RecursionError,
            MemoryError,
        ) as error:
            return self._unreadable(frame, error)
        return number, what, body

    def _unreadable(self, frame: memoryview, error: Exception) -> tuple[int, str, Any]:
        """Return what a message says that holds a value which cannot be made here: the conversation
        goes on.
        """
        try:
            number, what, _ = decode(frame, unwrap=lambda said: None, shared=self._shared)
        except (CodecError, ValueError, TypeError, RecursionError, MemoryError):
            raise self._lose(f"{UNREADABLE} ({error})") from None
        said = cannot_leave(error)
        if what == "call":
            self.note_limit(said.text)
            return number, "unreadable call", said.text
        return number, "raised", said.as_tuple()

    def _read(self, data: bytes | memoryview) -> Any:
        """Decode what the box sent; where that holds instances of the instructor's classes, ask for
        their attributes.
        """
        self.record(data)
        if self._filling:
            return decode(data, unwrap=self._references.unwrap)
        self._references.copies, self._references.unfilled = {}, []
        parts: list[Any] = []
        self._filling = True
        try:
            value = decode(data, unwrap=self._references.unwrap, parts=parts, shared=self._shared)
            while self._references.unfilled:
                self.fill(self._references.unfilled.pop())
        finally:
            self._filling = False
        self._parts = parts
        return value

    def _looked_at(self, value: Any, label: str) -> Any:
        """Note what is odd about a value, and refuse it where asked to."""
        found = {(label, oddity) for oddity in oddities(value)}
        self.suspicious |= found
        if self.refused is None or not (odd := found - set(self.refused)):
            return value
        if isinstance(
            value, IteratorProxy
        ):  # as good as a list of what it gives, if there is anything
            items = list(itertools.islice(value, TAKEN))
            return itertools.chain(
                self._looked_at(items, label), value if len(items) == TAKEN else ()
            )
        sentence = f"{label} gives {min(odd)[1]}, which is no answer here."
        if (
            type(value) is tuple and len(value) > 1
        ):  # a test of one of several results may never look at the others
            return tuple(
                refusal(sentence) if set(oddities(item)) & {oddity for _, oddity in odd} else item
                for item in value
            )
        raise AssertionError(sentence)

    def _may(self, label: str, oddity: str) -> bool:
        """Note that a call does something odd; tell whether it may have its way."""
        self.suspicious.add((label, oddity))
        return self.refused is None or (label, oddity) in self.refused

    # ------------------------------------------------ failures

    def _lose(self, reason: str, is_limit: bool = True) -> Lost:
        """Give the box up.

        `is_limit`: in one process with the test, its code might have done better.
        """
        self.lost = reason
        if is_limit:
            self.note_limit(f"{LOST} ({reason})")
        return Lost(reason)

    def _described(self, said: Any) -> ExceptionDescription:
        try:
            return ExceptionDescription.from_tuple(said)
        except CodecError:
            raise self._lose(UNREADABLE) from None

    def _raise(self, said: ExceptionDescription) -> None:
        """Raise the exception that the box describes, as if from the student's line."""
        raise self._exception(said).with_traceback(frames_of(said.places))

    def _exception(self, said: ExceptionDescription) -> BaseException:
        names, text = said.classes, said.text
        if text.startswith(CANNOT_LEAVE):
            self.note_limit(text[:200])
        if names and names[0].rpartition(DOT)[2] == "Overrun":
            raise OutOfTime(text)
        kind = exception_class(names, self._references.exceptions)
        error = make_exception(kind, text, said.arguments, said.attributes)
        if said.cause is not None:
            error.__cause__ = self._exception(said.cause)
        return error


def _errstate() -> dict[str, str]:
    return dict(np.geterr().items())  # type: ignore[arg-type]  # all its values are words
