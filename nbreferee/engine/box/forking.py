"""A box that is forked to try other cells from where it stands (see `checkpoints`)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from nbreferee.engine.box.process import Box
from nbreferee.engine.forks import OwnForks
from nbreferee.engine.wire.channel import Channel
from nbreferee.engine.wire.to_box import on
from nbreferee.engine.wire.to_box_forks import EndFork, ForkHere


class ForkingBox(Box):
    """A box that knows two more operations: it forks, and ends a fork."""

    def __init__(self, *arguments: Any, close_sandbox: Callable[[], None]) -> None:
        super().__init__(*arguments)
        self._close_sandbox = close_sandbox
        self._forks = OwnForks()
        self._operations |= dict((on(EndFork, lambda asked: self._forks.end(asked.pid)),))

    def _do(self, number: int, operation: str, arguments: tuple[Any, ...]) -> None:
        if operation != ForkHere.operation:
            super()._do(number, operation, arguments)
            return
        self._say(number, "value", threading.active_count() - 1)  # the socket may come
        if pid := self._fork(*arguments):
            self._say(number, "value", pid)

    def _fork(self, is_last: bool) -> int:
        """Fork; the fork serves the socket that comes next."""
        _, sockets = self._channel.receive_with_sockets()
        pid = self._forks.start()
        if pid:
            sockets[0].close()
            return pid
        self._channel.close()
        self._channel = Channel(sockets[0])
        os.register_at_fork(after_in_child=self._channel.close)
        if is_last:
            self._close_sandbox()
        return 0
