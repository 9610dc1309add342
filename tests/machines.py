"""Machines to make a cluster of: network namespaces on a bridge of their own, each with a part of
the file system of its own.

Nothing of the real network is touched; all of it goes with the `with` block.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from notebooks import COURSE

PORT = 8786
MOST_S = 60  # for anything that is waited for


def wait_until(true: Callable[[], object], what: str) -> None:
    """Look again and again until something is true, a minute at most."""
    end = time.monotonic() + MOST_S
    while not true():
        assert time.monotonic() < end, f"after {MOST_S} s: {what}"
        time.sleep(0.05)


def why_no_machines() -> str:
    """Say why network namespaces cannot be made here, or ''."""
    if missing := [name for name in ("ip", "unshare", "mount") if not shutil.which(name)]:
        return f"needs {', '.join(missing)}"
    name = f"nbreferee-{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "delete", name], capture_output=True)
    return (
        f"no network namespaces can be made here: {made.stderr.strip()}" if made.returncode else ""
    )


def processes_with(text: str) -> set[int]:
    """The processes with something in the environment they were started with."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if text.encode() in path.read_bytes():
                found.add(int(path.parent.name))
    return found


class Machine:
    """One namespace, from outside."""

    def __init__(self, name: str, address: str) -> None:
        self.name, self.address = name, address

    def command(self, *command: str | Path) -> list[str]:
        """How to run a command there."""
        return ["ip", "netns", "exec", self.name, *map(str, command)]


@contextlib.contextmanager
def machines(*names: str) -> Iterator[list[Machine]]:
    """Run machines that reach one another and nothing else."""
    prefix = f"nbreferee-{os.getpid()}-"
    made: list[str] = []

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def new(name: str) -> str:
        ip("netns", "add", prefix + name)
        made.append(prefix + name)
        ip("-n", prefix + name, "link", "set", "lo", "up")
        return prefix + name

    try:
        hub = new("hub")
        ip("-n", hub, "link", "add", "bridge", "type", "bridge")
        ip("-n", hub, "link", "set", "bridge", "up")
        lent = []
        for number, name in enumerate(names, 1):
            machine = Machine(new(name), f"198.18.0.{number}")
            ip(
                "-n",
                hub,
                "link",
                "add",
                f"port{number}",
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                machine.name,
            )
            ip("-n", hub, "link", "set", f"port{number}", "master", "bridge", "up")
            ip("-n", machine.name, "address", "add", f"{machine.address}/24", "dev", "eth0")
            ip("-n", machine.name, "link", "set", "eth0", "up")
            lent.append(machine)
        yield lent
    finally:
        for name in made:
            for pid in subprocess.run(
                ["ip", "netns", "pids", name], capture_output=True, text=True
            ).stdout.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "delete", name], check=True)


# A shell that hides a folder under an empty one, says what is in it now, starts a worker, and says
# that one's process id. It goes on after the worker, to say, once asked, what is left in its folder
# for temporary files.
ALONE = """
set -e
mount -t tmpfs none "$1"
mkdir "$2" "$1/dask"
echo $(ls "$1")
TMPDIR="$2" "$3" -m distributed.cli.dask_worker "$4" --nworkers 1 --nthreads "$5" "$6" --local-directory "$1/dask" >&2 &
echo $!
set +e
wait $!
read asked
find "$2" -mindepth 1
"""


class Worker:
    """A Dask worker on a machine, where a folder is hidden from it."""

    def __init__(
        self, machine: Machine, scheduler: str, hidden: Path, log: Path, threads: int, nanny: bool
    ) -> None:
        self._temporary = f"{hidden}/tmp-{machine.name}"
        words = [
            str(hidden),
            self._temporary,
            sys.executable,
            scheduler,
            str(threads),
            "--nanny" if nanny else "--no-nanny",
        ]
        command = machine.command(
            "unshare", "--mount", "--propagation", "private", "sh", "-c", ALONE, "sh", *words
        )
        with log.open("w") as errors:
            self._shell = subprocess.Popen(
                command,
                cwd=COURSE,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self._shell.stdout
        self.sees = set(self._shell.stdout.readline().split())  # where the hidden folder was
        self.pid = int(self._shell.stdout.readline())

    def processes(self) -> set[int]:
        """Return its processes: itself, all that it has started, and boxes in namespaces of their
        own.
        """
        return processes_with(self._temporary)

    def end(self, number: signal.Signals) -> str:
        """End it, wait until all its processes have ended, and return what it has left in its
        folder for temporary files.
        """
        os.kill(self.pid, number)
        wait_until(
            lambda: not self.processes(),
            f"{self._temporary}: processes {self.processes()} still run",
        )
        return self._shell.communicate("\n", timeout=MOST_S)[0]
