"""Ctrl-C: never in the middle of writing, and always answered within a second.

`uninterrupted` holds it back while something is written. `answered` ends the process where the main
thread is in a call that cannot be interrupted, SQLite's wait for a lock for example: whatever is
being written is whole or not there at all.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator

GRACE_S = 0.7  # for an orderly end
STOPPED = 130  # the exit status that a shell gives a command that Ctrl-C has ended


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back to the end of this block."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    received: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if received:
            before(signal.SIGINT, None)


@contextlib.contextmanager
def born_deaf() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, until they call `hear_again`."""
    with uninterrupted():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore_interrupts() -> None:
    """Ignore Ctrl-C in a process that was started by `born_deaf`: the one that started it
    answers.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextlib.contextmanager
def answered(end: Callable[[], None]) -> Iterator[None]:
    """Have this process end with `end()` where it has not ended by itself shortly after Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard, wakes = socket.socketpair()
    wakes.setblocking(False)
    over = threading.Event()

    def watch() -> None:
        while number := heard.recv(1):
            if number[0] == signal.SIGINT and not over.wait(GRACE_S):
                end()
                os._exit(STOPPED)

    before = signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(before)
        wakes.close()  # the watcher reads an end of file
        watcher.join()
        heard.close()
