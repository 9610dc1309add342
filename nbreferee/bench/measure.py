"""Run a command; print its exit status, and what it took with all that it left behind, as JSON.

A process of its own, because it waits for all its children; it knows nothing of the rest.
"""

import ctypes
import json
import os
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def measure(command: list[str]) -> tuple[int, float, float, float]:
    """Return exit status, wall time and processor time in seconds, and the memory of the largest
    process in MB.
    """
    ctypes.CDLL(None, use_errno=True).prctl(
        PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0
    )  # orphans of the command come to us
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=sys.stderr)
    cpu_s, peak_kb, wall_s = 0.0, 0, 0.0
    while True:
        try:
            pid, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            break
        if pid == process.pid:
            process.returncode, wall_s = (
                os.waitstatus_to_exitcode(status),
                time.monotonic() - started,
            )
        cpu_s += usage.ru_utime + usage.ru_stime
        peak_kb = max(peak_kb, usage.ru_maxrss)
    return process.returncode, wall_s, cpu_s, peak_kb / 1024


if __name__ == "__main__":
    json.dump(measure(sys.argv[1:]), sys.stdout)
