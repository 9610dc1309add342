"""Frames over a socket pair: how the processes of one submission talk.

A frame is a length of 32 bits and as many bytes. Whoever holds the other end may be hostile: it may
send too much, too slowly, or nothing. A channel knows nothing of what frames mean.
"""

from __future__ import annotations

import array
import select
import socket
import struct
import time
from collections.abc import Sequence

import numpy as np

MOST_BYTES = 256 << 20
LENGTH = struct.Struct("<I")


class ChannelError(Exception):
    """The other side is of no more use; the subclass says why."""


class Closed(ChannelError):
    """The other side is gone."""


class Late(ChannelError):
    """The other side did not answer in time."""


class Oversized(ChannelError):
    """The other side sent more than it may."""


class Channel:
    """One end of a socket pair."""

    def __init__(self, connection: socket.socket, most_bytes: int = MOST_BYTES) -> None:
        self.socket = connection
        self._most_bytes = most_bytes

    def close(self) -> None:
        """Close this end."""
        self.socket.close()

    def is_closed(self) -> bool:
        """Return whether either end is closed."""
        if self.socket.fileno() < 0:
            return True
        watch = select.poll()
        watch.register(self.socket, 0)  # which leaves POLLHUP and POLLERR
        return bool(watch.poll(0))

    def send(self, *pieces: bytes | memoryview, deadline: float | None = None) -> None:
        """Send a frame, whole or in pieces; `deadline` is a time of time.monotonic()."""
        first, *others = pieces
        try:
            for piece in (LENGTH.pack(sum(map(len, pieces))) + first, *others):
                self._set_timeout(deadline)
                self.socket.sendall(piece)
        except TimeoutError:
            raise Late from None
        except OSError:
            raise Closed from None

    def receive(self, deadline: float | None = None) -> memoryview:
        """Return the next frame.

        Raises
        ------
        ChannelError
            where none comes: the other side is gone, is late, or sends too much.
        """
        (length,) = LENGTH.unpack(self._read(LENGTH.size, deadline))
        if length > self._most_bytes:
            raise Oversized
        return self._read(length, deadline)

    def send_with_sockets(self, frame: bytes, sockets: Sequence[socket.socket]) -> None:
        """Send a frame that hands over sockets."""
        handles = array.array("i", [one.fileno() for one in sockets])
        self.socket.settimeout(None)
        try:
            self.socket.sendmsg(
                [LENGTH.pack(len(frame))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handles)]
            )
            self.socket.sendall(frame)
        except OSError:
            raise Closed from None

    def receive_with_sockets(self, most: int = 1) -> tuple[memoryview, list[socket.socket]]:
        """Return the next frame and the sockets that came with it."""
        self.socket.settimeout(None)
        handles = array.array("i")
        try:
            head, ancillary, _, _ = self.socket.recvmsg(
                LENGTH.size, socket.CMSG_LEN(most * handles.itemsize)
            )
        except OSError:
            raise Closed from None
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                handles.frombytes(data[: len(data) - len(data) % handles.itemsize])
        sockets = [socket.socket(fileno=handle) for handle in handles]
        if not head:
            raise Closed
        head += bytes(self._read(LENGTH.size - len(head), None))
        return self._read(LENGTH.unpack(head)[0], None), sockets

    def _read(self, count: int, deadline: float | None) -> memoryview:
        try:
            data = np.empty(
                count, np.uint8
            ).data  # takes up no more memory than has come, however much is announced
        except MemoryError:
            raise Oversized from None
        got = 0
        while got < count:
            self._set_timeout(deadline)
            try:
                step = self.socket.recv_into(data[got:])
            except TimeoutError:
                raise Late from None
            except OSError:
                raise Closed from None
            if not step:
                raise Closed
            got += step
        return data

    def _set_timeout(self, deadline: float | None) -> None:
        if deadline is None:
            self.socket.settimeout(None)
        elif (left := deadline - time.monotonic()) <= 0:
            raise Late
        else:
            self.socket.settimeout(left)
