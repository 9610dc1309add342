"""Which files a box may touch: rules that the kernel keeps whatever the box's user id
(landlock(7)).

Everything is refused but reading below the readable folders and anything below the writable ones;
TCP and, where the kernel can, abstract sockets and signals to processes outside are refused too.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from collections.abc import Iterable
from pathlib import Path

from nbreferee.sandbox import kernel

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
# How many rights on files each version of the interface knows; from 4 on TCP, from 6 on scopes.
RIGHTS_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16, 6: 16}
BOTH_TCP, BOTH_SCOPES = 0b11, 0b11
RULE_PATH_BENEATH = 1
ASK_VERSION = 1


class _Rules(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """Return which version of Landlock the kernel speaks.

    Raises
    ------
    OSError
        where it speaks none.
    """
    return kernel.syscall(
        kernel.LANDLOCK_CREATE, None, ctypes.c_size_t(0), ASK_VERSION, name="landlock"
    )


def confine(readable: Iterable[Path], writable: Iterable[Path]) -> None:
    """Refuse all files but these, for good. It wants no_new_privs, or a capability.

    Raises
    ------
    OSError
        where the kernel has no Landlock.
    """
    spoken = min(version(), max(RIGHTS_OF_VERSION))
    if spoken < 1:
        raise OSError(errno.ENOSYS, "landlock: not in this kernel")
    everything = (1 << RIGHTS_OF_VERSION[spoken]) - 1
    rules = _Rules(everything, BOTH_TCP if spoken >= 4 else 0, BOTH_SCOPES if spoken >= 6 else 0)
    size = 8 if spoken < 4 else 16 if spoken < 6 else 24
    ruleset = kernel.syscall(
        kernel.LANDLOCK_CREATE, ctypes.byref(rules), ctypes.c_size_t(size), 0, name="landlock"
    )
    try:
        for path in readable:
            _allow(ruleset, path, (EXECUTE | READ_FILE | READ_DIR) & everything)
        for path in writable:
            _allow(ruleset, path, everything)
        kernel.syscall(kernel.LANDLOCK_RESTRICT, ruleset, 0, name="landlock")
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not path.is_dir():
                rights &= FILE_RIGHTS
            rule = _Beneath(rights, place)
            kernel.syscall(
                kernel.LANDLOCK_ADD,
                ruleset,
                RULE_PATH_BENEATH,
                ctypes.byref(rule),
                0,
                name="landlock",
            )
        finally:
            os.close(place)
