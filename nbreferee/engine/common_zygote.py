"""One warm process that the zygotes of all workers on this machine are forked from.

It is started first, and loads what boxes and testers both need while the rest of the program is
loaded. A worker connects to its socket and names a role, and has a zygote of its own (see `zygote`)
as soon as the common one is warm. Zygotes do not end with it: each serves its worker on. Where it
is gone, a worker starts an interpreter for each zygote.

It ends with the process that has started it. `common_process` is what it does.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from nbreferee.engine.launching import launch
from nbreferee.engine.scratch import Scratch

NAME = "socket"
WARM_S = 60.0  # to wait for at most


class CommonZygote:
    """The process, seen by the one that starts it; `address` is the folder of its socket."""

    def __init__(
        self, own: Scratch, process: subprocess.Popen[bytes], lifeline: socket.socket
    ) -> None:
        self._own, self._process, self._lifeline = own, process, lifeline
        self.address = str(own.path)

    @staticmethod
    def start() -> CommonZygote | None:
        """Start one that Ctrl-C does not reach; None where that cannot be."""
        try:
            own = Scratch()
        except OSError:
            return None
        ours, theirs = socket.socketpair()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with theirs, _listener(own.path) as listener:
                handles = listener.fileno(), theirs.fileno()
                arguments = [*map(str, handles), str(os.getpid()), str(own.path)]
                process = launch("common_process", arguments, own.path / "home", handles)
        except OSError:
            ours.close()
            own.remove()
            return None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return CommonZygote(own, process, ours)

    def close(self) -> None:
        """End it; zygotes that it has made go on."""
        self._process.kill()
        self._process.wait()
        self._lifeline.close()
        self._own.remove()


class ForkedProcess:
    """A process that another one has forked for this one."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def poll(self) -> bool | None:
        """Return True where it has ended."""
        return self._has_ended(0) or None

    def kill(self) -> None:
        """End it."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def wait(self) -> None:
        """Wait for its end."""
        self._has_ended(None)
        os.close(self._handle)

    def _has_ended(self, limit_ms: int | None) -> bool:
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        return bool(poll.poll(limit_ms))


def fork_zygote(
    address: str, role: str, folder: Path, files: Path
) -> tuple[socket.socket, ForkedProcess] | None:
    """Return a new zygote of the common one, and the connection to it; None where there is none.

    When its worker has ended, it removes `folder` and `files`.
    """
    ours, theirs = socket.socketpair()
    request = json.dumps([role, os.fsdecode(folder), os.fsdecode(files)]).encode()
    try:
        with theirs, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(WARM_S)
            with _short_path(Path(address)) as path:
                connection.connect(path)
            socket.send_fds(connection, [request], [theirs.fileno()])
            _, handles, _, _ = socket.recv_fds(connection, 1, 1)
    except OSError:
        handles = []
    if not handles:
        ours.close()
        return None
    return ours, ForkedProcess(handles[0])


def _listener(folder: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with _short_path(folder) as path:
        listener.bind(path)
    listener.listen(256)
    return listener


@contextlib.contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    """Yield a path of the socket in a folder that is short enough for an address."""
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{NAME}"
    finally:
        os.close(handle)
