"""The few system calls that Python does not offer, each raising OSError with the kernel's
reason.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
from typing import Any

MACHINE = platform.machine()  # 'x86_64' or 'aarch64'

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP = (
    0x10000000,
    0x20000000,
    0x40000000,
    0x02000000,
)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
AT_FDCWD, RENAME_EXCHANGE = -100, 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38

# Numbers of calls that libc does not wrap. Those from 424 on are the same on every machine.
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPSET = {"x86_64": 126, "aarch64": 91}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_RENAMEAT2 = {"x86_64": 316, "aarch64": 276}
_CLONE = {"x86_64": 56, "aarch64": 220}
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, call: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: object, name: str) -> int:
    """Make a system call by number."""
    return _checked(_libc.syscall(number, *arguments), name)


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags` for new ones."""
    _checked(_libc.unshare(flags), "unshare")


def clone(flags: int) -> int:
    """Start a process as fork does, with flags of clone(2); return its id, and 0 in it."""
    return syscall(_CLONE[MACHINE], ctypes.c_ulong(flags), None, None, None, None, name="clone")


def mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """Mount a file system."""
    words = [word.encode() if word is not None else None for word in (source, target, kind)]
    _checked(_libc.mount(*words, ctypes.c_ulong(flags), data.encode()), f"mount {target}")


def unmount(target: str) -> None:
    """Take a mount away as soon as nobody uses it."""
    _checked(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root; the old one moves to `old`."""
    syscall(_PIVOT_ROOT[MACHINE], new.encode(), old.encode(), name="pivot_root")


def prctl(option: int, argument: int = 0) -> None:
    """Set something of this process; trailing arguments are 0, as the kernel demands."""
    rest = [ctypes.c_ulong(n) for n in (argument, 0, 0, 0)]
    _checked(_libc.prctl(option, *rest), "prctl")


def end_with(parent: int) -> None:
    """End this process when its parent does, whatever ends that; at once, if it is gone already."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def set_name(role: str) -> None:
    """Set the name of this process that process lists show, and that its forks inherit."""
    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as file:
        file.write(f"nbref-{role}")


def exchange(one: str, other: str) -> None:
    """Let two files or folders take each other's name, at once."""
    syscall(
        _RENAMEAT2[MACHINE],
        AT_FDCWD,
        os.fsencode(one),
        AT_FDCWD,
        os.fsencode(other),
        RENAME_EXCHANGE,
        name=f"exchange {one}",
    )


def drop_capabilities() -> None:
    """Give up every capability, now and for whatever this process executes."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # beyond the last one, or not allowed: then there is none to drop
            break
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this process
    none = (ctypes.c_uint32 * 6)()
    syscall(_CAPSET[MACHINE], header, none, name="capset")


def install_filter(program: ctypes.Array[Any], length: int) -> None:
    """Put a seccomp filter on this process, for good."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    described = Program(length, ctypes.addressof(program))
    syscall(_SECCOMP[MACHINE], 1, 0, ctypes.byref(described), name="seccomp")  # 1: set mode filter
