"""The filter of system calls, for both machines: the numbers are the kernel's, and each call gets
the answer it should.
"""

from __future__ import annotations

import errno
import re
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from nbreferee.sandbox import calls, kernel, seccomp

MACHINES = list(seccomp.ARCHITECTURES)
HEADERS = {
    "x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
    "aarch64": "/usr/include/asm-generic/unistd.h",
}
PID = 4711
ALLOW, EPERM, ENOSYS = seccomp.ALLOW, seccomp.ERRNO | errno.EPERM, seccomp.ERRNO | errno.ENOSYS
# Those that headers of 2022 do not have yet, and those with another name in the generic table.
NEWER = {
    "cachestat",
    "fchmodat2",
    "map_shadow_stack",
    "futex_wake",
    "futex_wait",
    "futex_requeue",
    "mseal",
}
GENERIC = {"newfstatat": "fstatat"}


def answer(
    program: list[bytes],
    machine: str,
    number: int,
    *arguments: int,
    architecture: int | None = None,
) -> int:
    """Run a filter as the kernel does (classic BPF), and return its answer to a call."""
    data = struct.pack(
        "=IIQ6Q",
        number,
        architecture or seccomp.ARCHITECTURES[machine],
        0,
        *arguments,
        *[0] * (6 - len(arguments)),
    )
    at = accumulator = 0
    while True:
        code, yes, no, value = struct.unpack("=HBBI", program[at])
        at += 1
        match code:
            case seccomp.RETURN:
                return int(value)
            case seccomp.LOAD:
                (accumulator,) = struct.unpack_from("=I", data, value)
            case seccomp.AND:
                accumulator &= value
            case _:
                test = {
                    seccomp.JUMP_EQUAL: accumulator == value,
                    seccomp.JUMP_ABOVE: accumulator > value,
                    seccomp.JUMP_FROM: accumulator >= value,
                    seccomp.JUMP_ANY_BIT: bool(accumulator & value),
                }[code]
                at += yes if test else no


def numbered(listed: Mapping[str, tuple[int | None, int | None]], machine: int) -> dict[str, int]:
    """Return the numbers of the calls that a kind of machine has."""
    numbers = ((name, both[machine]) for name, both in listed.items())
    return {name: number for name, number in numbers if number is not None}


def numbers(machine: str) -> dict[str, int]:
    """Return the numbers of all calls that this package names."""
    here = MACHINES.index(machine)
    named = calls.ALLOWED | calls.NEW_PROCESSES | calls.SIGNALS | calls.OF_A_PROCESS
    named |= {
        "clone": calls.CLONE,
        "clone3": calls.CLONE3,
        "fcntl": calls.FCNTL,
        "ioctl": calls.IOCTL,
    }
    named |= {"socketpair": calls.SOCKETPAIR, "setpriority": calls.SETPRIORITY}
    return numbered(named, here)


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    if not Path(HEADERS[machine]).exists():
        pytest.skip(f"{HEADERS[machine]} is not installed")
    defined = dict(
        re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", Path(HEADERS[machine]).read_text())
    )
    wrong = {
        name: number
        for name, number in numbers(machine).items()
        if name not in NEWER and defined.get(name, defined.get(GENERIC.get(name))) != str(number)
    }
    assert wrong == {}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("tier", ["A", "B"])
def test_calls_off_the_list_are_refused(machine: str, tier: str) -> None:
    program = seccomp.program(machine, tier == "B", tier == "A", PID)
    listed = set(numbers(machine).values())
    assert {
        answer(program, machine, number)
        for number in range(calls.NEWEST + 1)
        if number not in listed
    } == {EPERM}
    assert {answer(program, machine, number) for number in (calls.NEWEST + 1, 600, 1 << 20)} == {
        ENOSYS
    }


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("tier", ["A", "B"])
def test_calls_on_the_list_are_allowed(machine: str, tier: str) -> None:
    program = seccomp.program(machine, tier == "B", tier == "A", PID)
    here = MACHINES.index(machine)
    listed = numbered(calls.ALLOWED, here)
    assert {
        name for name, number in listed.items() if answer(program, machine, number) != ALLOW
    } == set()


FORK, THREAD = 17, 0x3D0F00  # the flags of libc's fork and pthread_create
# (call, its arguments, the answer in tier A, the answer in tier B)
ARGUMENTS = [
    ("clone", (FORK,), ALLOW, EPERM),
    ("clone", (THREAD,), ALLOW, ALLOW),
    *(
        ("clone", (FORK | flag,), EPERM, EPERM)
        for flag in (
            kernel.CLONE_NEWUSER,
            kernel.CLONE_NEWNET,
            kernel.CLONE_NEWPID,
            kernel.CLONE_NEWNS,
            kernel.CLONE_NEWIPC,
            kernel.CLONE_NEWUTS,
            kernel.CLONE_NEWCGROUP,
            kernel.CLONE_NEWUSER | kernel.CLONE_NEWNET,
        )
    ),
    ("clone", (THREAD | kernel.CLONE_NEWNET,), EPERM, EPERM),
    ("clone3", (0, 88), ENOSYS, ENOSYS),
    ("execve", (), ALLOW, EPERM),
    ("execveat", (), ALLOW, EPERM),
    ("kill", (PID, 9), ALLOW, ALLOW),
    ("kill", (1, 9), ALLOW, EPERM),
    ("kill", (0, 9), ALLOW, EPERM),
    ("kill", (0xFFFFFFFF, 9), ALLOW, EPERM),
    ("tgkill", (PID, PID + 1, 9), ALLOW, ALLOW),
    ("tgkill", (1, 1, 9), ALLOW, EPERM),
    ("tkill", (PID, 9), ALLOW, EPERM),
    ("prlimit64", (0, 7), ALLOW, ALLOW),
    ("prlimit64", (PID, 7), ALLOW, ALLOW),
    ("prlimit64", (1, 7), EPERM, EPERM),
    ("sched_setaffinity", (1,), EPERM, EPERM),
    ("setpriority", (0, 0, 19), ALLOW, ALLOW),
    ("setpriority", (0, 1, 19), EPERM, EPERM),
    ("setpriority", (2, 0, 19), EPERM, EPERM),  # all processes of this user
    ("fcntl", (3, 1), ALLOW, ALLOW),
    ("fcntl", (3, 1030), ALLOW, ALLOW),  # F_DUPFD_CLOEXEC
    *(
        ("fcntl", (3, what), EPERM, EPERM)
        for what in (seccomp.F_SETOWN, seccomp.F_SETSIG, seccomp.F_SETOWN_EX)
    ),
    ("ioctl", (0, 0x5401), ALLOW, ALLOW),  # TCGETS: is it a terminal?
    *(
        ("ioctl", (0, what), EPERM, EPERM)
        for what in (seccomp.FIOSETOWN, seccomp.SIOCSPGRP, seccomp.TIOCSTI, seccomp.TIOCLINUX)
    ),
    ("socketpair", (1, 1), ALLOW, ALLOW),
    ("socketpair", (1, 1 | 0x80000), ALLOW, ALLOW),  # SOCK_CLOEXEC
    ("socketpair", (1, 2), EPERM, EPERM),
    ("socketpair", (1, 5), EPERM, EPERM),
    ("socketpair", (30, 1), EPERM, EPERM),  # TIPC
]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("name", "arguments", "in_a", "in_b"), ARGUMENTS)
def test_answer_depends_on_what_a_call_is_asked_to_do(
    machine: str, name: str, arguments: tuple[int, ...], in_a: int, in_b: int
) -> None:
    number = numbers(machine)[name]
    assert answer(seccomp.program(machine, False, True, PID), machine, number, *arguments) == in_a
    assert answer(seccomp.program(machine, True, False, PID), machine, number, *arguments) == in_b


@pytest.mark.parametrize("machine", MACHINES)
def test_process_that_uses_another_table_of_calls_is_ended(machine: str) -> None:
    program = seccomp.program(machine, False, True, PID)
    assert answer(program, machine, 1, architecture=0x40000003) == seccomp.KILL  # i386
    assert answer(program, machine, seccomp.X32_BIT | 1) == seccomp.KILL
