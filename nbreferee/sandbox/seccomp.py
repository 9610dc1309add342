"""Which system calls a box may make: a filter that the kernel runs before each of them.

`calls` holds the allow list. A refused call sees EPERM, as an ordinary lack of permission. clone3
and calls that are newer than the list see ENOSYS, so that libc falls back on clone, whose flags a
filter can read, and on older calls. The filter is a classic BPF program over `struct seccomp_data`
(seccomp(2)). A process that enters the kernel through another table of calls (32-bit, x32) is
ended.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable, Iterator
from functools import cache

from nbreferee.sandbox import calls, kernel

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT = 0x40000000  # x86_64's second table of calls
CLONE_THREAD = 0x00010000
NEW_NAMESPACES = (
    kernel.CLONE_NEWNS
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWCGROUP
)
F_SETOWN, F_SETSIG, F_SETOWN_EX = 8, 10, 15  # who gets a signal for a file, and which
FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX = 0x8901, 0x8902, 0x5412, 0x541C
AF_UNIX, SOCK_STREAM, SOCK_TYPES = 1, 1, 0xF  # a datagram socket could send to any address

LOAD, AND, JUMP_EQUAL, JUMP_ABOVE, JUMP_FROM, JUMP_ANY_BIT, RETURN = (
    0x20,
    0x54,
    0x15,
    0x25,
    0x35,
    0x45,
    0x06,
)
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data


def forbid(new_processes: bool, others_inside: bool) -> None:
    """Refuse all calls that are not on the list, and new processes where asked to; for good.

    `others_inside`: a namespace holds all processes that this one can name, so it may send them
    signals.

    Raises
    ------
    OSError
        where the kernel takes no filter, or the machine is none that the numbers are known for.
    """
    if kernel.MACHINE not in ARCHITECTURES:
        raise OSError(
            errno.ENOSYS, f"the numbers of system calls on {kernel.MACHINE} are not known"
        )
    steps = program(kernel.MACHINE, new_processes, others_inside, os.getpid())
    packed = (ctypes.c_uint64 * len(steps)).from_buffer_copy(b"".join(steps))
    kernel.install_filter(packed, len(steps))


def program(machine: str, new_processes: bool, others_inside: bool, pid: int) -> list[bytes]:
    """Return the filter for a machine; `new_processes`: refuse them."""
    here = list(ARCHITECTURES).index(machine)
    steps = [
        step(LOAD, ARCHITECTURE),
        step(JUMP_EQUAL, ARCHITECTURES[machine], yes=1),
        step(RETURN, KILL),
        step(LOAD, NUMBER),
        step(JUMP_ANY_BIT, X32_BIT, no=1),
        step(RETURN, KILL),
        step(JUMP_EQUAL, calls.CLONE3[here], no=1),
        step(RETURN, ERRNO | errno.ENOSYS),
        *_if(
            calls.CLONE[here],
            *_refuse_bits(0, NEW_NAMESPACES),
            *(_need_bits(0, CLONE_THREAD) if new_processes else ()),
        ),
        *_if(calls.FCNTL[here], *_refuse_values(1, F_SETOWN, F_SETSIG, F_SETOWN_EX)),
        *_if(calls.IOCTL[here], *_refuse_values(1, FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX)),
        *_if(
            calls.SOCKETPAIR[here],
            *_need_values(0, AF_UNIX),
            *_need_values(1, SOCK_STREAM, mask=SOCK_TYPES),
        ),
        *_if(
            calls.SETPRIORITY[here], *_need_values(0, 0), *_need_values(1, 0)
        ),  # PRIO_PROCESS, itself
    ]
    for numbers in calls.OF_A_PROCESS.values():
        steps += _if(numbers[here], *_need_values(0, 0, pid))
    for name in () if others_inside else ("kill", "tgkill"):
        steps += _if(calls.SIGNALS[name][here], *_need_values(0, pid))
    return [*steps, *allowed_calls(machine, new_processes, others_inside)]


@cache
def allowed_calls(machine: str, new_processes: bool, others_inside: bool) -> tuple[bytes, ...]:
    """Return the end of a filter: it allows the calls on the list, whatever their arguments, and
    refuses the others.
    """
    here = list(ARCHITECTURES).index(machine)
    allowed = (
        calls.ALLOWED
        | (calls.SIGNALS if others_inside else {})
        | ({} if new_processes else calls.NEW_PROCESSES)
    )
    steps: list[bytes] = []
    for first, last in _ranges(
        number for numbers in allowed.values() if (number := numbers[here]) is not None
    ):
        steps += [
            step(JUMP_FROM, first, yes=1),
            step(RETURN, ERRNO | errno.EPERM),
            step(JUMP_ABOVE, last, yes=1),
            step(RETURN, ALLOW),
        ]
    return (
        *steps,
        step(JUMP_ABOVE, calls.NEWEST, yes=1),
        step(RETURN, ERRNO | errno.EPERM),
        step(RETURN, ERRNO | errno.ENOSYS),
    )


def _ranges(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the (first, last) of runs of numbers, in ascending order."""
    ordered = sorted(numbers)
    first = last = ordered[0]
    for number in ordered[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last


def _if(number: int, *checks: bytes) -> list[bytes]:
    """Allow a call that passes all checks; each of them refuses, or goes on."""
    return [step(JUMP_EQUAL, number, no=len(checks) + 1), *checks, step(RETURN, ALLOW)]


def _argument(position: int) -> bytes:
    """Load the lower half of an argument: all that the kernel looks at in those checked here."""
    return step(LOAD, ARGUMENTS + 8 * position)


def _need_values(position: int, *values: int, mask: int = 0) -> list[bytes]:
    tests = [step(JUMP_EQUAL, value, yes=len(values) - n) for n, value in enumerate(values)]
    return [
        _argument(position),
        *([step(AND, mask)] if mask else []),
        *tests,
        step(RETURN, ERRNO | errno.EPERM),
    ]


def _refuse_values(position: int, *values: int) -> list[bytes]:
    tests = [step(JUMP_EQUAL, value, yes=len(values) - n) for n, value in enumerate(values[:-1], 1)]
    return [
        _argument(position),
        *tests,
        step(JUMP_EQUAL, values[-1], no=1),
        step(RETURN, ERRNO | errno.EPERM),
    ]


def _need_bits(position: int, bits: int) -> list[bytes]:
    return [_argument(position), step(JUMP_ANY_BIT, bits, yes=1), step(RETURN, ERRNO | errno.EPERM)]


def _refuse_bits(position: int, bits: int) -> list[bytes]:
    return [_argument(position), step(JUMP_ANY_BIT, bits, no=1), step(RETURN, ERRNO | errno.EPERM)]


def step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """Pack one instruction: `yes` and `no` say how many to skip after a test."""
    return struct.pack("=HBBI", code, yes, no, value)
