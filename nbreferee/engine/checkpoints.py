"""Try many answers of one notebook from where it stands before them, without the cells before.

A `Line` runs the instructor's notebook cell by cell, in a box and a tester that can be forked.
Before a cell, `Line.checkpoint` forks both: that pair runs nothing, and waits to be forked for each
answer to be tried. To a `Referee` a checkpoint is where boxes and testers come from; the cells
before it have run in them. What one answer does is seen by no other: each fork has its own copy
of the folder.

For the instructor's own code alone: a sandbox that is shared by many answers keeps it in, not each
answer apart from the others.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from nbreferee.budget import Budget
from nbreferee.course.ownership import Plan
from nbreferee.engine.assignment_files import AssignmentFiles
from nbreferee.engine.box_runner import CellResult, CellToRun
from nbreferee.engine.processes import BoxHandle, BoxLost, Child, TesterHandle, WarmProcesses
from nbreferee.engine.referee import Referee, SolutionRun
from nbreferee.engine.wire import to_box_forks, to_tester
from nbreferee.engine.wire.channel import Channel, ChannelError
from nbreferee.engine.wire.codec import encode
from nbreferee.engine.wire.to_tester import TESTER, Forked

ANSWER_S = 60.0  # for a process that only has to fork; the machine may be busy
NO_LIMIT_S = 1e6


@dataclass(frozen=True)
class _Fork:
    """A fork of a box or tester, as a process."""

    channel: Channel
    folder: Path
    ended: Callable[[], None]

    def end(self) -> None:
        """End it and whatever it has started."""
        self.channel.close()
        with contextlib.suppress(ChannelError, BoxLost):  # it ends with what it was forked from
            self.ended()


class ForkingBoxHandle(BoxHandle):
    """A box that can be forked."""

    def __init__(self, child: Child, budget: Budget) -> None:
        super().__init__(child, budget)
        self._turn = threading.Lock()
        self.threads = 0  # that its last fork lacks

    def fork(self, *, is_last: bool) -> _Fork:
        """Return a fork of it.

        Raises
        ------
        BoxLost
            if the box has ended.
        """
        ours, theirs = socket.socketpair()
        with theirs, self._turn:
            self._number -= 1
            try:
                request = to_box_forks.ForkHere(is_last)
                message = encode((self._number, request.operation, request.arguments()))
                self.channel.send(message)
                self.threads = self._answer(request, time.monotonic() + ANSWER_S)
                # the box waits for the socket now, and reads nothing ahead of it
                self.channel.send_with_sockets(b"-", [theirs])
                pid = self._answer(request, time.monotonic() + ANSWER_S)
            except ChannelError:
                ours.close()
                raise BoxLost("the box cannot be forked") from None
        return _Fork(Channel(ours), self._child.folder, lambda: self._end_fork(pid))

    def _end_fork(self, pid: int) -> None:
        with self._turn:
            self.ask(to_box_forks.EndFork(pid), ANSWER_S)


class ForkingTesterHandle(TesterHandle):
    """A tester that can be forked."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self._turn = threading.Lock()

    def fork(self, *, is_last: bool) -> _Fork:
        """Return a fork of it.

        Raises
        ------
        ChannelError
            if the tester has ended.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                pid = self._say(to_tester.ForkHere(is_last), theirs)
            except ChannelError:
                ours.close()
                raise
        return _Fork(Channel(ours), Path(), lambda: self._end_fork(pid))

    def _end_fork(self, pid: int) -> None:
        self._say(to_tester.EndFork(pid))

    def _say(self, request: to_tester.ForkHere | to_tester.EndFork, *sockets: socket.socket) -> int:
        with self._turn:
            self.channel.send_with_sockets(TESTER.encode(request), sockets)
            return TESTER.decode(self.channel.receive(time.monotonic() + ANSWER_S), Forked).pid


class CheckpointLost(Exception):
    """A checkpoint that has ended: answers that start there cannot be judged."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a notebook stands before a cell: boxes and testers are forked from there.

    Its methods raise CheckpointLost where it has ended.
    """

    budget: Budget
    _box: ForkingBoxHandle
    _tester: ForkingTesterHandle
    lacks_threads: bool = False  # that the cells before have started: answers may wait for them

    def box(self, _: AssignmentFiles) -> BoxHandle:
        """Return a new box in which the cells before have run."""
        try:
            return BoxHandle(self._box.fork(is_last=True), self.budget)
        except BoxLost as lost:
            raise CheckpointLost(str(lost)) from None

    @contextlib.contextmanager
    def tester(self) -> Iterator[TesterHandle]:
        """Yield a new tester in which the cells before have run."""
        try:
            fork = self._tester.fork(is_last=True)
        except ChannelError:
            raise CheckpointLost("the tester cannot be forked") from None
        try:
            yield TesterHandle(fork.channel)
        finally:
            fork.end()

    def close(self) -> None:
        """End it."""
        self._box.channel.close()  # both only wait for requests, and end at the end of these
        self._tester.channel.close()


@dataclass(frozen=True)
class _ForkingProcesses:
    """New boxes and testers that can be forked."""

    warm: WarmProcesses
    plan: Plan
    budget: Budget

    def box(self, files: AssignmentFiles) -> ForkingBoxHandle:
        """Return a new box, with the instructor's files in its folder."""
        return ForkingBoxHandle(self.warm.fork_box(files, may_fork=True), self.budget)

    @contextlib.contextmanager
    def tester(self, files: AssignmentFiles) -> Iterator[ForkingTesterHandle]:
        """Yield a new tester, with the instructor's files around it."""
        fork = self.warm.fork_tester(self.plan, files, may_fork=True)
        try:
            yield ForkingTesterHandle(fork.channel)
        finally:
            fork.end()


class Line(Referee):
    """A notebook that is run cell by cell; close it at the end."""

    def __init__(
        self,
        warm: WarmProcesses,
        plan: Plan,
        files: Mapping[str, bytes],
        known: SolutionRun,
        placed: AssignmentFiles,
    ) -> None:
        budget = replace(warm.budget, submission_s=NO_LIMIT_S)
        processes = _ForkingProcesses(warm, plan, budget)
        super().__init__(processes, lambda: processes.tester(placed), plan, files, known, placed)

    def run(self, part: CellToRun) -> CellResult:
        """Run a cell."""
        number = -1 if part.step is None else part.step
        return self._run(number, part, self._budget.cell_s)

    def checkpoint(self) -> Checkpoint:
        """Return where the notebook stands.

        Raises
        ------
        BoxLost, ChannelError
            if one of the processes has ended.
        """
        box, tester = self._ready_box(), self._ready_tester()
        assert isinstance(box, ForkingBoxHandle), "a line has no others"
        assert isinstance(tester, ForkingTesterHandle), "a line has no others"
        fork = ForkingBoxHandle(box.fork(is_last=False), self._budget)
        other = ForkingTesterHandle(tester.fork(is_last=False).channel)
        return Checkpoint(self._budget, fork, other, box.threads > 0)

    def close(self) -> None:
        """End its processes."""
        self._drop_box()
        self._lent.close()
