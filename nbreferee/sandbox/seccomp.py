"""Which system calls a box is refused: a filter that the kernel runs before each of them.

A refused call sees EPERM, as an ordinary lack of permission; a missing clone3 sees ENOSYS, so that
libc falls back on clone, whose flags a filter can read. The filter is a classic BPF program over
`struct seccomp_data` (seccomp(2)).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from nbreferee.sandbox import kernel

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT = 0x40000000  # x86_64's second table of calls
CLONE_THREAD = 0x00010000

# name: (number on x86_64, on aarch64); None where the machine has no such call
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "kcmp": (312, 272), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "mount": (165, 40), "umount2": (166, 39),
    "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430), "fsmount": (432, 432),
    "mount_setattr": (442, 442), "pivot_root": (155, 41), "chroot": (161, 51), "setns": (308, 268), "unshare": (272, 97),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60), "personality": (135, 92),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "tkill": (200, 130),
}  # fmt: skip
NEW_PROCESSES = {"fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281)}
CLONE, CLONE3 = (56, 220), (435, 435)
SIGNALS = {"kill": (62, 129), "tgkill": (234, 131)}

LOAD, JUMP_EQUAL, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data


def forbid(new_processes: bool) -> None:
    """Refuse the calls that no student's code needs, and new processes too where asked to; for good.

    Raises
    ------
    OSError
        where the kernel takes no filter, or the machine is none that the numbers are known for.
    """
    if kernel.MACHINE not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"the numbers of system calls on {kernel.MACHINE} are not known")
    program = _program(new_processes, os.getpid())
    packed = (ctypes.c_uint64 * len(program)).from_buffer_copy(b"".join(program))
    kernel.install_filter(packed, len(program))


def _program(new_processes: bool, pid: int) -> list[bytes]:
    here = list(ARCHITECTURES).index(kernel.MACHINE)
    refused = {**NUMBERS, **(NEW_PROCESSES if new_processes else {})}
    program = [
        _step(LOAD, ARCHITECTURE),
        _step(JUMP_EQUAL, ARCHITECTURES[kernel.MACHINE], yes=1),
        _step(RETURN, KILL),
        _step(LOAD, NUMBER),
        _step(JUMP_ANY_BIT, X32_BIT, no=1),
        _step(RETURN, KILL),
        _step(JUMP_EQUAL, CLONE3[here], no=1),
        _step(RETURN, ERRNO | errno.ENOSYS),
    ]
    for numbers in refused.values():
        if numbers[here] is not None:
            program += [_step(JUMP_EQUAL, numbers[here], no=1), _step(RETURN, ERRNO | errno.EPERM)]
    for numbers in SIGNALS.values():
        program += _only_if(numbers[here], _step(JUMP_EQUAL, pid, yes=1))  # to itself alone
    if new_processes:
        program += _only_if(CLONE[here], _step(JUMP_ANY_BIT, CLONE_THREAD, yes=1))  # threads alone
    return [*program, _step(RETURN, ALLOW)]


def _only_if(number: int, test: bytes) -> list[bytes]:
    """Allow a call where its first argument passes the test, and refuse it otherwise."""
    return [
        _step(JUMP_EQUAL, number, no=4),
        _step(LOAD, FIRST_ARGUMENT),
        test,
        _step(RETURN, ERRNO | errno.EPERM),
        _step(RETURN, ALLOW),
    ]


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """Pack one instruction: `yes` and `no` say how many to skip after a test."""
    return struct.pack("=HBBI", code, yes, no, value)
