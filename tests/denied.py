"""Run a command as on a machine that offers less: some system calls are refused, by a filter on a
process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

NUMBERS = {"unshare": 272, "mount": 165, "landlock": 444, "seccomp": 317}  # x86_64
TIER_B = ("unshare", "mount")

PROGRAM = """
import ctypes, errno, sys
sys.path[:0] = [{package!r}]
from nbreferee.sandbox import kernel, seccomp
program = [seccomp.step(seccomp.LOAD, seccomp.NUMBER)]
for number in {denied!r}:
    program += [seccomp.step(seccomp.JUMP_EQUAL, number, no=1), seccomp.step(seccomp.RETURN, seccomp.ERRNO | errno.EPERM)]
program += [seccomp.step(seccomp.RETURN, seccomp.ALLOW)]
kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
packed = (ctypes.c_uint64 * len(program)).from_buffer_copy(b"".join(program))
kernel.install_filter(packed, len(program))
"""
COMMAND = """
from nbreferee.cli import main
sys.argv = ["nbreferee", *{arguments!r}]
main()
"""


def nbreferee_where(denied: tuple[str, ...], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an nbreferee command where system calls are denied."""
    package = str(Path(__file__).parent.parent)
    code = PROGRAM.format(
        package=package, denied=[NUMBERS[name] for name in denied]
    ) + COMMAND.format(arguments=arguments)
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
