"""The warm processes of one worker: boxes and testers are forked from them, one of each ahead of
need.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeVar

from nbreferee.budget import ENDED, TIME_UP, UNREADABLE, Budget
from nbreferee.course.ownership import Plan
from nbreferee.engine.assignment_files import COMPILED, RELEASED, AssignmentFiles, local_copy
from nbreferee.engine.scratch import Scratch
from nbreferee.engine.wire.channel import Channel, ChannelError, Late
from nbreferee.engine.wire.codec import Bounds, CodecError, decode, encode
from nbreferee.engine.wire.to_box import BoxRequest
from nbreferee.engine.wire.to_tester import (
    TESTER,
    Connect,
    RunStep,
    RunWithReferences,
    StepResult,
)
from nbreferee.engine.wire.to_zygote import Branch, ForkBox, ForkTester, Learn
from nbreferee.engine.zygote import Fork, Zygote
from nbreferee.sandbox import Layer, watch

A = TypeVar("A")
GRACE_S = 3.0  # a cell ends by itself in time; that long after it, its process is ended
NO_FILES = AssignmentFiles()
OUTPUT_BOUNDS = Bounds(total_bytes=64 << 20, depth=32, values=200_000)


class Child(Protocol):
    """A box or tester, as a process."""

    @property
    def channel(self) -> Channel:
        """The connection to it."""

    @property
    def folder(self) -> Path:
        """The folder in which the watch writes why it has ended it."""

    def end(self) -> None:
        """End it and whatever it has started."""


class BoxLost(Exception):
    """A box that has to be replaced; the text says why."""


class BoxHandle:
    """A box, seen from the orchestrator, which believes nothing it says."""

    def __init__(self, child: Child, budget: Budget) -> None:
        self.channel = child.channel
        self._child, self._budget = child, budget
        self._number = 0

    def over_limit(self) -> str:
        """Return in words which limit on the whole box has ended it, or ''."""
        if (
            Layer.NAMESPACES not in self._budget.layers
        ):  # without them nobody watches, and the folder is the student's
            return ""
        limit = watch.reason(self._child.folder)
        return self._budget.in_words(limit) if limit else ""

    def ask(self, request: BoxRequest[A], limit_s: float) -> A:
        """Ask the box something to which the answer is plain.

        Raises
        ------
        BoxLost
            if no answer comes in time, or one of another shape.
        """
        self._number -= 1
        deadline = time.monotonic() + limit_s + GRACE_S
        message = self._number, request.operation, request.arguments()
        try:
            self.channel.send(encode(message), deadline=deadline)
            return self._answer(request, deadline)
        except Late:
            raise BoxLost(TIME_UP) from None
        except ChannelError:
            raise BoxLost(self.over_limit() or ENDED) from None
        except (CodecError, ValueError, TypeError):
            raise BoxLost(UNREADABLE) from None

    def _answer(self, request: BoxRequest[A], deadline: float) -> A:
        """Return the answer to the last request."""
        number, what, body = decode(self.channel.receive(deadline), OUTPUT_BOUNDS)
        if type(number) is not int or number != self._number or what != "value":
            raise CodecError("no answer to the question")
        return request.read(body)

    def end(self) -> None:
        """End the box, and all that it has started."""
        self._child.end()


class Boxes(Protocol):
    """Where new boxes come from."""

    @property
    def budget(self) -> Budget:
        """What a submission may cost."""

    def box(self, files: AssignmentFiles) -> BoxHandle:
        """Return a new box."""


class TesterHandle:
    """A tester, seen from the orchestrator.

    Its methods raise ChannelError where it has ended, or does not answer in time.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    def connect(self, box: BoxHandle, call_s: float, wait_s: float) -> None:
        """Have it talk to a new box, with so much time for one call."""
        self.channel.send_with_sockets(TESTER.encode(Connect(call_s)), [box.channel.socket])
        self.channel.receive(time.monotonic() + wait_s)

    def ask(self, request: RunStep | RunWithReferences, wait_s: float) -> StepResult:
        """Have it run a step."""
        self.channel.send_with_sockets(TESTER.encode(request), [])
        return TESTER.decode(self.channel.receive(time.monotonic() + wait_s), StepResult)


@dataclass
class _TesterZygotes:
    """What testers are forked from, for masters that import the same."""

    template: Zygote
    _plans: dict[Plan, int] = field(default_factory=dict)

    def number_of(self, plan: Plan) -> int:
        """Return the number of a master's plan; the template learns it first, where it is new."""
        if plan not in self._plans:
            self.template.ask(Learn(plan))
            self._plans[plan] = len(self._plans)
        return self._plans[plan]


@dataclass(frozen=True)
class _BoxKey:
    """What a box that is forked ahead is good for."""

    files: str


@dataclass(frozen=True)
class _TesterKey:
    """What a tester that is forked ahead is good for."""

    plan: Plan
    files: str


_Key = _BoxKey | _TesterKey


class WarmProcesses:
    """The warm processes of one worker, and a folder for what they leave; use it in a `with`."""

    def __init__(self, budget: Budget, common: str = "") -> None:
        """Start them, as forks of the common zygote at an address if there is one."""
        self.budget = budget
        self._own = Scratch()
        self.folder = self._own.path
        (self.folder / "root").mkdir()
        self._box_template, self._tester_template = (
            Zygote.start(role, self.folder, common) for role in ("box", "tester")
        )
        self._testers: dict[tuple[tuple[str, ...], str], _TesterZygotes] = {}
        self._turn = threading.RLock()  # of threads that ask for one
        # forked before they are asked for: a box, and a tester of the last master
        self._ahead: dict[_Key, Fork] = {}

    def __enter__(self) -> WarmProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def is_whole(self) -> bool:
        """Return whether all processes are there that boxes and testers are forked from: a box that
        ends with one is no student's fault.
        """
        templates = (
            self._box_template,
            self._tester_template,
            *(testers.template for testers in self._testers.values()),
        )
        return all(template.is_alive() for template in templates)

    def close(self) -> None:
        """End all of them."""
        for child in self._ahead.values():
            child.channel.close()
        for template in (
            *(testers.template for testers in self._testers.values()),
            self._tester_template,
            self._box_template,
        ):
            template.close()
        self._own.remove()

    def box(self, files: AssignmentFiles = NO_FILES) -> BoxHandle:
        """Return a new box, with the instructor's files in its folder."""
        key = _BoxKey(files.key)
        return BoxHandle(self._next(key, lambda: self.fork_box(files)), self.budget)

    def fork_box(self, files: AssignmentFiles, *, may_fork: bool = False) -> Fork:
        """Return a new box as a process; whether it may be one of `checkpoints`."""
        placed: tuple[str, ...] = ()
        if files.files or files.folders:
            copy = local_copy(files)
            placed = tuple(str(copy / part) for part in (RELEASED, COMPILED))
        # and bytecode, and what the links become
        links = 4 * (len(files.files) + len(files.folders))
        limits = replace(self.budget.box, scratch_files=self.budget.box.scratch_files + links)
        root, layers = str(self.folder / "root"), self.budget.layers
        request = ForkBox(self._scratch(), root, limits, layers, placed, may_fork)
        return self._box_template.fork(request)

    @contextlib.contextmanager
    def tester(self, plan: Plan, files: AssignmentFiles = NO_FILES) -> Iterator[TesterHandle]:
        """Yield a new tester for a master, with the instructor's files around it."""
        key = _TesterKey(plan, files.key)
        tester = self._next(key, lambda: self.fork_tester(plan, files))
        try:
            yield TesterHandle(tester.channel)
        finally:
            tester.end()

    def fork_tester(self, plan: Plan, files: AssignmentFiles, *, may_fork: bool = False) -> Fork:
        """Return a new tester as a process; whether it may be one of `checkpoints`."""
        imported = (plan.modules, files.key)
        if imported not in self._testers:
            branch = Branch(str(local_copy(files)), plan.modules)
            self._testers[imported] = _TesterZygotes(self._tester_template.branch(branch))
        testers, budget = self._testers[imported], self.budget
        number = testers.number_of(plan)
        request = ForkTester(
            self._scratch(), budget.box, budget.layers, number, budget.mutants_s, may_fork
        )
        return testers.template.fork(request)

    def get_ready(self, plan: Plan, files: AssignmentFiles) -> None:
        """Let a box and a tester get ready ahead of need."""
        with self._turn:
            if (box := _BoxKey(files.key)) not in self._ahead:
                self._ahead[box] = self.fork_box(files)
            if (tester := _TesterKey(plan, files.key)) not in self._ahead:
                self._ahead[tester] = self.fork_tester(plan, files)

    def _next(self, key: _Key, fork: Callable[[], Fork]) -> Fork:
        """Return a child that is ready, if there is one, and let another get ready."""
        with self._turn:
            for other in [one for one in self._ahead if type(one) is type(key) and one != key]:
                self._ahead.pop(other).end()
            child = self._ahead.pop(key, None)
            if child is None or child.channel.is_closed():  # the system may have killed it
                child = fork()
            self._ahead[key] = fork()
            return child

    def _scratch(self) -> str:
        return tempfile.mkdtemp(prefix="", dir=self.folder)
