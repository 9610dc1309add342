"""What the common zygote does: get warm, and fork a zygote for each worker that asks (see
`common_zygote`).
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

from nbreferee.startup import loading

ASK_S = 5.0  # in which a worker says what it wants
MOST_BYTES = 1 << 16


def main(packages: str) -> NoReturn:
    """Get warm, and fork zygotes for workers, until the process that has started it is gone."""
    from nbreferee.sandbox import kernel

    listening, lifeline, parent, folder = *map(int, sys.argv[1:4]), sys.argv[4]

    def leave(*_: object) -> NoReturn:
        if os.getppid() != parent:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTERM, leave)  # while it gets warm it does not look at the lifeline
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        leave()
    kernel.set_name("common")
    os.nice(5)  # as workers
    _get_warm()
    kernel.prctl(kernel.PR_SET_PDEATHSIG, 0)  # it would end with the thread that has started it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    listener = socket.socket(fileno=listening)
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    poll.register(lifeline, 0)  # which leaves POLLHUP
    while True:
        if any(handle == lifeline for handle, _ in poll.poll()):
            leave()
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError, ValueError):
            _fork_zygote(connection, packages)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _get_warm() -> None:
    """Load what boxes and testers both need, and draw a figure."""
    with loading():
        from nbreferee.engine import shell
        from nbreferee.engine.wire import known_types, protocol  # noqa: F401

        shell.draw_first_figure()
        gc.collect()


def _fork_zygote(connection: socket.socket, packages: str) -> None:
    from nbreferee.engine.zygote import serve_worker

    connection.settimeout(ASK_S)
    request, handles, _, _ = socket.recv_fds(connection, MOST_BYTES, 1)
    role, folder, files = json.loads(request)
    (control,) = handles
    pid = os.fork()
    if pid == 0:
        serve_worker(role, socket.socket(fileno=control), Path(folder), Path(files), packages)
    os.close(control)
    handle = os.pidfd_open(pid)
    try:
        socket.send_fds(connection, [b"1"], [handle])
    finally:
        os.close(handle)
