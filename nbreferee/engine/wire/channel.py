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
AHEAD_BYTES = 1 << 12  # that are read at once


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
        connection.settimeout(None)
        self.socket = connection
        self._most_bytes = most_bytes
        self._ahead = b""  # of the next frame
        self._polls: dict[int, select.poll] = {}
        for event in (select.POLLIN, select.POLLOUT):
            self._polls[event] = select.poll()
            self._polls[event].register(connection, event)

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
                self._send_all(piece, deadline)
        except OSError:
            raise Closed from None

    def receive(self, deadline: float | None = None) -> memoryview:
        """Return the next frame.

        Raises
        ------
        ChannelError
            where none comes: the other side is gone, is late, or sends too much.
        """
        came, self._ahead = self._ahead, b""
        while len(came) < LENGTH.size:
            came += self._some(deadline)
        (length,) = LENGTH.unpack_from(came)
        if length > self._most_bytes:
            raise Oversized
        end = LENGTH.size + length
        if len(came) < end:
            return self._read(length, deadline, came[LENGTH.size :])
        self._ahead = came[end:]
        return memoryview(came)[LENGTH.size : end]

    def send_with_sockets(self, frame: bytes, sockets: Sequence[socket.socket]) -> None:
        """Send a frame that hands over sockets."""
        handles = array.array("i", [one.fileno() for one in sockets])
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handles)] if sockets else []
        data = LENGTH.pack(len(frame)) + frame
        try:
            sent = self.socket.sendmsg([data], rights)
            if sent < len(data):
                self._send_all(memoryview(data)[sent:], None)
        except OSError:
            raise Closed from None

    def receive_with_sockets(self, most: int = 1) -> tuple[memoryview, list[socket.socket]]:
        """Return the next frame and the sockets that came with it.

        Nothing is read ahead, or the next frame's sockets would come with this one.
        """
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

    def _read(self, count: int, deadline: float | None, first: bytes = b"") -> memoryview:
        """Return so many bytes, the first of which have come already."""
        try:
            data = np.empty(
                count, np.uint8
            ).data  # takes up no more memory than has come, however much is announced
        except MemoryError:
            raise Oversized from None
        got = len(first)
        data[:got] = first
        while got < count:
            if deadline is not None:
                self._wait(select.POLLIN, deadline)
            try:
                step = self.socket.recv_into(data[got:])
            except OSError:
                raise Closed from None
            if not step:
                raise Closed
            got += step
        return data

    def _some(self, deadline: float | None) -> bytes:
        """Return what has come, at least a byte."""
        if deadline is not None:
            self._wait(select.POLLIN, deadline)
        try:
            came = self.socket.recv(AHEAD_BYTES)
        except OSError:
            raise Closed from None
        if not came:
            raise Closed
        return came

    def _send_all(self, data: bytes | memoryview, deadline: float | None) -> None:
        flags = 0 if deadline is None else socket.MSG_DONTWAIT
        while len(data):
            try:
                sent = self.socket.send(data, flags)
            except BlockingIOError:
                assert deadline is not None, "a socket without a deadline blocks"
                self._wait(select.POLLOUT, deadline)
            else:
                if sent == len(data):
                    return
                data = memoryview(data)[sent:]

    def _wait(self, event: int, deadline: float) -> None:
        """Wait until one may read or write, or the other side is gone."""
        if self.socket.fileno() < 0:
            raise Closed
        left = deadline - time.monotonic()
        if left <= 0 or not self._polls[event].poll(1000 * left):
            raise Late
