"""Does each layer hold here? Found out by putting it on alone and attacking it, never by a
version.

A layer that is there by name may do nothing: some systems let a user make namespaces and then take
the capabilities in them away. (An attack that fails without its layer proves nothing: that each
gets through is the business of the tests.)
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import resource
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nbreferee.sandbox import (
    WITHOUT_NAMESPACES,
    Box,
    Layer,
    Limits,
    enter,
    interpreter_folders,
    kernel,
    watch,
)

SECRET = b"not for a box"
PROBE_MEMORY_BYTES = 1 << 30
PROBE_PROCESSES = 8
PROBE_S = 6.0  # for the watch on a busy machine; elsewhere it ends the attack at once
# of a socket's name Linux takes 107 bytes; a folder of its own and "mailbox" come after this
FOLDER_BYTES = 80
SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")


@dataclass(frozen=True)
class AttackTarget:
    """What an attack goes for: things outside the box."""

    secret: Path  # a file with a secret
    readable: Path  # a file that every box may read
    mailbox: str  # a socket that takes datagrams
    port: int  # somebody listens there
    pid: int  # a process


@dataclass(frozen=True)
class ProbeResult:
    """What was found out about one layer."""

    layer: Layer
    holds: bool
    reason: str = ""  # why it cannot be put on, or what got through


def signal_outside(target: AttackTarget) -> None:
    """Reach a process outside (signal 0 does no harm)."""
    os.kill(target.pid, 0)


def read_outside(target: AttackTarget) -> None:
    """Read a file outside the box."""
    if target.secret.read_bytes() != SECRET:
        raise OSError("another file")


def take_memory(target: AttackTarget) -> None:
    """Take more memory than allowed."""
    bytearray(2 * PROBE_MEMORY_BYTES)


def start_processes(target: AttackTarget) -> None:
    """Start more processes than allowed."""
    started = []
    for _ in range(2 * PROBE_PROCESSES):
        pid = os.fork()
        if pid == 0:
            time.sleep(2 * PROBE_S)
            os._exit(0)
        started.append(pid)
    time.sleep(PROBE_S)  # a watch ends this one before
    for pid in started:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def become_another(target: AttackTarget) -> None:
    """Use a capability: change the root."""
    os.chroot("/")


def connect_outside(target: AttackTarget) -> None:
    """Speak to somebody over the network."""
    socket.create_connection(("127.0.0.1", target.port), timeout=5).close()


def send_datagram(target: AttackTarget) -> None:
    """Open a socket, of a kind that Landlock knows nothing of."""
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()


def make_namespaces(target: AttackTarget) -> None:
    """Become root in new namespaces."""
    if kernel.clone(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNET | signal.SIGCHLD) == 0:
        os._exit(0)
    os.wait()


def limit_outside(target: AttackTarget) -> None:
    """Read the limits of a process outside, which one may then set."""
    resource.prlimit(target.pid, resource.RLIMIT_CORE)


def signal_by_file(target: AttackTarget) -> None:
    """Have the kernel send signals to a process outside, as the owner of a file."""
    with target.readable.open() as file:
        fcntl.fcntl(file, fcntl.F_SETOWN, target.pid)


def send_by_pair(target: AttackTarget) -> None:
    """Send a datagram to a named socket, from one of a pair."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        one.sendto(b"x", target.mailbox)


# The attacks that a layer must stop by itself.
ATTACKS: dict[Layer, tuple[Callable[[AttackTarget], None], ...]] = {
    Layer.NAMESPACES: (signal_outside, connect_outside, start_processes),
    Layer.ROOT: (read_outside,),
    Layer.LIMITS: (take_memory,),
    Layer.PRIVILEGES: (become_another,),
    Layer.LANDLOCK: (read_outside,),
    Layer.SECCOMP: (
        send_datagram,
        signal_outside,
        make_namespaces,
        limit_outside,
        signal_by_file,
        send_by_pair,
    ),
}
# Layers that another, or an attack on it, is tried with.
NEEDS = {Layer.ROOT: {Layer.NAMESPACES}, start_processes: {Layer.LIMITS}}

CURES = {
    Layer.NAMESPACES: "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, or on "
    "Ubuntu kernel.apparmor_restrict_unprivileged_userns=0; in a container, run it with "
    "--security-opt seccomp=unconfined",
    Layer.ROOT: "as for namespaces; in a container, run it with --security-opt apparmor=unconfined",
    Layer.LIMITS: "raise the hard limits of this user (ulimit -H -a)",
    Layer.PRIVILEGES: "run as an ordinary user",
    Layer.LANDLOCK: "use Linux 5.13 or later with landlock among the kernel's lsm=",
    Layer.SECCOMP: "use a kernel with CONFIG_SECCOMP_FILTER, on x86_64 or aarch64",
}


def probe() -> list[ProbeResult]:
    """Try every layer and return what was found, in the order in which they are put on."""
    with target_outside() as target:
        return [_probe_layer(layer, target) for layer in Layer]


def tier(found: list[ProbeResult]) -> str:
    """Return 'A' where every layer holds, 'B' where all but namespaces do, '' where that is too
    little.
    """
    holding = {one.layer for one in found if one.holds}
    return "A" if holding == set(Layer) else "B" if holding >= WITHOUT_NAMESPACES else ""


def _probe_layer(layer: Layer, target: AttackTarget) -> ProbeResult:
    for attack in ATTACKS[layer]:
        got_through, reason = attempt(attack, target, needs(layer, attack) | {layer})
        if got_through:
            said = (attack.__doc__ or "").partition(".")[0].lower()
            reason = f"did not stop this: {said}"
        if reason:
            return ProbeResult(layer, False, reason)
    return ProbeResult(layer, True)


def needs(layer: Layer, attack: Callable[[AttackTarget], None]) -> set[Layer]:
    """Return the layers without which one cannot be attacked."""
    return NEEDS.get(layer, set()) | NEEDS.get(attack, set())


def attempt(
    attack: Callable[[AttackTarget], None], target: AttackTarget, layers: set[Layer]
) -> tuple[bool, str]:
    """Attack from a box with these layers; return whether it got through, and why there was no
    box.
    """
    with tempfile.TemporaryDirectory() as folder:
        root, scratch = Path(folder) / "root", Path(folder) / "scratch"
        root.mkdir()
        scratch.mkdir()
        limits = Limits(memory_bytes=PROBE_MEMORY_BYTES, processes=PROBE_PROCESSES)
        box = Box(root, scratch, interpreter_folders(), limits, frozenset(layers))
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            _attack_from_inside(attack, target, box, writing)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        os.waitpid(pid, 0)
        if watch.reason(scratch):
            said = "stopped"
        return said == "through", "" if said in ("through", "stopped") else said or "the box died"


def _attack_from_inside(
    attack: Callable[[AttackTarget], None], target: AttackTarget, box: Box, pipe: int
) -> None:
    try:
        try:
            enter(box)
        except OSError as error:
            os.write(pipe, str(error).encode())
            return
        try:
            attack(target)
            os.write(pipe, b"through")
        except (OSError, MemoryError, ValueError):
            os.write(pipe, b"stopped")
    finally:
        os._exit(0)


def _folder_for_a_socket() -> str:
    """Return a folder in which the name of a socket is short enough for Linux.

    Raises
    ------
    OSError
        where no folder is short enough and can be written to.
    """
    for folder in (tempfile.gettempdir(), *SHORT_FOLDERS):
        if len(os.fsencode(folder)) <= FOLDER_BYTES and os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise OSError(
        errno.ENAMETOOLONG,
        f"the name of a folder for temporary files has more than {FOLDER_BYTES} bytes: set TMPDIR "
        "to a shorter one",
    )


@contextlib.contextmanager
def target_outside() -> Iterator[AttackTarget]:
    """Set up what attacks go for, all of it on this machine."""
    with (
        tempfile.TemporaryDirectory(dir=_folder_for_a_socket()) as folder,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        secret = Path(folder) / "secret"
        secret.write_bytes(SECRET)
        Path(folder).chmod(0o755)  # or a box of root's, which is nobody, could not even try
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mailbox:
            mailbox.bind(f"{folder}/mailbox")
            yield AttackTarget(
                secret,
                Path(os.__file__),
                mailbox.getsockname(),
                server.getsockname()[1],
                os.getpid(),
            )
