"""A tester that is forked to judge other answers from where it stands (see `checkpoints`)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

from nbreferee.engine.forks import OwnForks
from nbreferee.engine.tester.process import Tester
from nbreferee.engine.wire.channel import Channel
from nbreferee.engine.wire.to_tester import EndFork, Forked, ForkHere


class ForkingTester(Tester):
    """A tester that does two more things: it forks, and ends a fork."""

    def __init__(self, *arguments: Any, close_sandbox: Callable[[], None]) -> None:
        super().__init__(*arguments)
        self._close_sandbox = close_sandbox
        self._forks = OwnForks()

    def answer(self, request: object, sockets: Sequence[socket.socket]) -> object:
        """Do what is asked for, and return the answer; None in a new fork."""
        if isinstance(request, EndFork):
            self._forks.end(request.pid)
            return Forked(request.pid)
        if not isinstance(request, ForkHere):
            return super().answer(request, sockets)
        if pid := self._forks.start():
            sockets[0].close()
            return Forked(pid)
        self._control.close()
        self._control = Channel(sockets[0])
        self._student.disconnect()
        if request.is_last:
            self._close_sandbox()
        return None
