"""A box that student code cannot reach out of.

Theory of operation. A fresh fork with one thread calls `enter`, which puts layer upon layer around
it, in this order, and never takes one off:

    namespaces   its own processes, network, IPC and mounts: nobody else is there
    root         a root that holds the interpreter, read-only, and a small private scratch folder
    limits       memory, processes, CPU time, file size, open files; no core dumps
    privileges   no capabilities, and none to be had: no_new_privs
    landlock     files beyond the readable and the scratch folder are refused, TCP too
    seccomp      an allow list of system calls: no sockets, no tracing, no namespaces, no
                 signals to processes outside

The process that forks the first one inside waits outside, and ends the box where all its processes
together pass the limits on memory and on their number (see `watch`).

Each layer stops an attack by itself, so that a hole in one is covered by another; `probe` tries
those attacks on each layer alone. Where namespaces are not to be had (most containers), the rest
still makes a box, tier B, if it may start no processes: limits count for one process only.
"""

from __future__ import annotations

import enum
import os
import resource
import select
import signal
import sys
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nbreferee.sandbox import kernel, landlock, namespaces, seccomp
from nbreferee.sandbox.watch import Watch


class Layer(enum.Enum):
    """One of the things that keep student code in."""

    NAMESPACES = "namespaces"
    ROOT = "root"
    LIMITS = "limits"
    PRIVILEGES = "privileges"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"


ALL_LAYERS = frozenset(Layer)
WITHOUT_NAMESPACES = ALL_LAYERS - {Layer.NAMESPACES, Layer.ROOT}

SYSTEM = tuple(
    Path(path)
    for path in (
        "/usr",
        "/lib",
        "/lib64",
        "/bin",
        "/etc/fonts",
        "/etc/ld.so.cache",
        "/etc/localtime",
    )
)


@cache
def interpreter_folders() -> tuple[Path, ...]:
    """Return what Python and its packages need to be read from."""
    prefixes = (
        Path(sys.base_prefix),
        Path(sys.prefix),
    )  # by the names on sys.path, too, which may be links
    return (*SYSTEM, *dict.fromkeys([*prefixes, *(path.resolve() for path in prefixes)]))


@dataclass(frozen=True)
class Limits:
    """How much a box may use, and what its code sees where it wants more."""

    memory_bytes: int = (
        2 << 30
    )  # MemoryError in a process that wants more; all together: the box is ended
    processes: int = (
        64  # and threads: BlockingIOError; where root cannot become nobody: the box is ended
    )
    cpu_s: int = 120  # the process is ended (SIGXCPU, then SIGKILL)
    file_bytes: int = 64 << 20  # OSError: file too large
    scratch_bytes: int = (
        64 << 20
    )  # OSError: no space left; with namespaces alone, and as much for /tmp and for /dev/shm each
    scratch_files: int = 4096  # files and folders in each of these; OSError: no space left
    open_files: int = 256  # OSError: too many open files


@dataclass(frozen=True)
class Box:
    """Where a box finds its files, what it may use, and which layers are put around it."""

    root: Path  # an empty folder to build a root on; the layer of that name alone needs it
    scratch: Path  # the one folder that it may write to
    readable: tuple[Path, ...]
    limits: Limits = Limits()
    layers: Collection[Layer] = ALL_LAYERS


def prepare() -> None:
    """Do once, in a process that forks others, what each of them would do in `enter`."""
    namespaces.everybody_may_import()
    all(map(namespaces.everybody_may_read, interpreter_folders()))
    if kernel.MACHINE in seccomp.ARCHITECTURES:
        for namespaced in (True, False):
            seccomp.allowed_calls(kernel.MACHINE, not namespaced, namespaced)


def enter(box: Box, mapper: namespaces.Mapper | None = None) -> None:
    """Put this process, a fresh fork of one thread, into the box, for good.

    With namespaces the caller's process stays outside to wait, and ends as the one inside does. A
    parent that serves `mapper` saves this process a fork.

    Raises
    ------
    OSError
        where a layer cannot be put on; then nothing of the student's may run.
    """
    namespaced = Layer.NAMESPACES in box.layers
    os.setsid()
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    root_inside = False
    if namespaced:
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)  # or the maps of user ids cannot be written
        root_inside = namespaces.leave(box.readable if Layer.ROOT in box.layers else None, mapper)
        outside = _go_inside(box)
    if Layer.ROOT in box.layers:
        namespaces.new_root(
            box.root, box.readable, box.scratch, box.limits.scratch_bytes, box.limits.scratch_files
        )
    if root_inside:
        namespaces.become_nobody()
    if namespaced:
        _end_with(outside)
    if Layer.LIMITS in box.layers:
        _limit(
            box.limits, None if not namespaced else box.limits.processes + (0 if root_inside else 1)
        )
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)  # Landlock and seccomp want it, too
    if Layer.PRIVILEGES in box.layers:
        kernel.drop_capabilities()
    if Layer.LANDLOCK in box.layers:
        shared = (
            [namespaces.SHARED_MEMORY, namespaces.TEMPORARY] if Layer.ROOT in box.layers else []
        )  # the box's own: see new_root
        landlock.confine(box.readable + DEVICE_FILES, [box.scratch, *shared])
    if Layer.SECCOMP in box.layers:
        seccomp.forbid(new_processes=not namespaced, others_inside=namespaced)


DEVICE_FILES = tuple(Path("/dev") / name for name in namespaces.DEVICES)


def _go_inside(box: Box) -> int:
    """Go on as the first process of the new namespaces; outside, watch it and end as it does.

    Return a pipe whose other end the process outside holds.
    """
    watch = Watch(box.scratch) if Layer.LIMITS in box.layers else None
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        if watch:
            watch.close()
        return reading
    status = (
        watch.wait(pid, box.limits.memory_bytes, box.limits.processes)
        if watch
        else os.waitpid(pid, 0)[1]
    )
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(os.waitstatus_to_exitcode(status))


def _end_with(outside: int) -> None:
    """End this process when the one outside does; at once, if it is gone already."""
    kernel.prctl(
        kernel.PR_SET_DUMPABLE, 1
    )  # a change of user forbids those outside to look at its memory
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)  # and takes this away
    if select.select([outside], [], [], 0)[0]:
        os._exit(1)
    os.close(outside)


def _limit(limits: Limits, processes: int | None) -> None:
    """Set limits; `processes` is for this user in this user namespace, the one who waits outside
    included.
    """
    if processes is not None:
        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an OSError says it better
