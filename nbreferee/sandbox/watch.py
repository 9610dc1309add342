"""The watch over a whole box: how many processes run in it, and how much memory they use together.

RLIMIT_AS bounds each process alone, and RLIMIT_NPROC does not bind root. The process that waits
outside of a box therefore looks at all processes in it many times a second. Where they are over a
limit, it writes down which one, in the folder that the box's own scratch hides, and kills the first
process there: the kernel then ends the others.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path

INTERVAL_S = 0.05
SHARE_OF_TIME = 0.1  # that exact sums of memory may take
THREADS_PER_PROCESS = 16  # RLIMIT_AS stops the usual ones, of 8 MB each, before
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
NO_THREADS = 2  # links of a folder of threads that is empty; each thread adds one
REASON = "reason"  # the name of the file
MEMORY, PROCESSES = "memory", "processes"
FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def reason(folder: Path) -> str:
    """Return why the watch has ended a box, MEMORY or PROCESSES; '' where it has not."""
    try:
        text = (folder / REASON).read_text()
    except OSError:
        return ""
    return text if text in (MEMORY, PROCESSES) else ""


class Watch:
    """A watch over the processes of one box; made before the box gets a root of its own.

    Raises
    ------
    OSError
        where /proc does not show the processes that this one can start.
    """

    def __init__(self, folder: Path) -> None:
        me = os.getpid()
        if os.readlink("/proc/self") != str(me):
            raise OSError("/proc belongs to another pid namespace")
        if not os.path.exists(f"/proc/{me}/task/{me}/children"):
            raise OSError("/proc does not list the children of processes (CONFIG_PROC_CHILDREN)")
        self._proc, self._folder = os.open("/proc", FOLDER), os.open(folder, FOLDER)
        self._tasks = self._children = -1  # of the first process

    def close(self) -> None:
        """Forget /proc and the folder, as a process in the box has to."""
        os.close(self._proc)
        os.close(self._folder)

    def wait(self, first: int, memory_bytes: int, processes: int) -> int:
        """Wait for a box's first process, end it where the box is over a limit, and return its
        status.
        """
        ended = select.poll()
        ended.register(os.pidfd_open(first), select.POLLIN)
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            self._open_first(first)
        pause_s = INTERVAL_S
        while not ended.poll(1000 * pause_s):
            started = time.process_time()  # a busy machine must not make pauses long
            if why := self._excess(first, memory_bytes, processes):
                with contextlib.suppress(
                    OSError
                ):  # a full disk, for one: the box ends all the same
                    self._write(why)
                os.kill(first, signal.SIGKILL)
                break
            pause_s = max(INTERVAL_S, (time.process_time() - started) / SHARE_OF_TIME)
        return os.waitpid(first, 0)[1]

    def _excess(self, first: int, memory_bytes: int, processes: int) -> str:
        """Return which limit the box is over, or ''."""
        if self._is_alone():
            return ""
        found, threads = [], 0
        for pid, count in self._descendants(first):
            found.append(pid)
            threads += count
            if len(found) > processes or threads > THREADS_PER_PROCESS * processes:
                return PROCESSES
        if len(found) < 2:  # RLIMIT_AS holds it
            return ""
        if sum(map(self._resident, found)) <= memory_bytes:
            return ""
        return (
            MEMORY if sum(map(self._proportional, found)) > memory_bytes else ""
        )  # what forks share counts once

    def _open_first(self, first: int) -> None:
        """Open what tells quickly whether the first process is the only one."""
        tasks = f"{first}/task"
        self._tasks = os.open(tasks, FOLDER, dir_fd=self._proc)
        children = f"{tasks}/{first}/children"
        self._children = os.open(children, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)

    def _is_alone(self) -> bool:
        """Tell whether the first process has one thread and no children, as most have."""
        try:
            if os.fstat(self._tasks).st_nlink != NO_THREADS + 1:
                return False
            return not os.pread(self._children, 1, 0)
        except OSError:  # it has ended, or was not seen
            return False

    def _descendants(self, first: int) -> Iterator[tuple[int, int]]:
        """Yield (process, number of its threads) of a process and all that it and they have
        started.
        """
        waiting, seen = [first], set[int]()
        while waiting:
            pid = waiting.pop()
            if pid in seen:  # the kernel may list one twice while others start
                continue
            seen.add(pid)
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
                threads = self._names(f"{pid}/task")
                yield pid, len(threads)
                for thread in threads:
                    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                        waiting += map(int, self._read(f"{pid}/task/{thread}/children").split())

    def _resident(self, pid: int) -> int:
        """Return the resident memory of a process in bytes, shared pages included."""
        try:
            return int(self._read(f"{pid}/statm").split()[1]) * PAGE_BYTES
        except (OSError, IndexError):
            return 0  # it has ended

    def _proportional(self, pid: int) -> int:
        """Return the bytes of memory that a process has; what several have is divided among
        them.
        """
        with contextlib.suppress(OSError, ValueError):  # a process may hide this
            for line in self._read(f"{pid}/smaps_rollup").splitlines():
                if line.startswith("Pss:"):
                    return int(line.split()[1]) << 10
        return self._resident(pid)

    def _names(self, path: str) -> list[str]:
        opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._proc)
        try:
            return os.listdir(opened)
        finally:
            os.close(opened)

    def _read(self, path: str) -> str:
        with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)) as file:
            return file.read()

    def _write(self, text: str) -> None:
        with open(
            os.open(REASON, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=self._folder),
            "w",
        ) as file:
            file.write(text)
