"""Every layer stops its attack, alone and with all others; boxes work, are limited, and leave
nothing behind.
"""

from __future__ import annotations

import ast
import contextlib
import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from denied import TIER_B, nbreferee_where

from nbreferee.sandbox import (
    ALL_LAYERS,
    WITHOUT_NAMESPACES,
    Box,
    Layer,
    Limits,
    enter,
    interpreter_folders,
    kernel,
    probing,
    watch,
)
from nbreferee.sandbox.probe import (
    ATTACKS,
    AttackTarget,
    ProbeResult,
    attempt,
    needs,
    probe,
    target_outside,
    tier,
)

PAIRS = [(layer, attack) for layer, attacks in ATTACKS.items() for attack in attacks]
EVERY_ATTACK = {attack.__name__: attack for _, attack in PAIRS}


@pytest.fixture(scope="module")
def target() -> Iterator[AttackTarget]:
    with target_outside() as found:
        yield found


@pytest.mark.parametrize(("layer", "attack"), PAIRS)
def test_attack_gets_through_without_its_layer(
    layer: Layer, attack: Callable[..., Any], target: AttackTarget
) -> None:
    assert attempt(attack, target, needs(layer, attack)) == (True, "")


@pytest.mark.parametrize(("layer", "attack"), PAIRS)
def test_layer_alone_stops_its_attack(
    layer: Layer, attack: Callable[..., Any], target: AttackTarget
) -> None:
    assert attempt(attack, target, needs(layer, attack) | {layer}) == (False, "")


@pytest.mark.parametrize("layers", [ALL_LAYERS, WITHOUT_NAMESPACES], ids=["tier A", "tier B"])
@pytest.mark.parametrize("attack", EVERY_ATTACK.values(), ids=EVERY_ATTACK)
def test_whole_box_stops_every_attack(
    attack: Callable[..., Any], layers: frozenset[Layer], target: AttackTarget
) -> None:
    assert attempt(attack, target, set(layers)) == (False, "")


def test_this_machine_reaches_tier_a() -> None:
    code = (
        "from nbreferee.sandbox.probe import probe; print([found for found in probe() if not "
        "found.holds])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_probe_in_a_process_of_its_own_finds_the_same() -> None:
    probing.begin()
    assert probing.found() == probing.found() == probe()


def test_probe_whose_process_dies_is_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "CODE", "import os; os.kill(os.getpid(), 9)  # {}")
    assert probing.found() == probe()


def found(*missing: Layer) -> list[ProbeResult]:
    return [ProbeResult(layer, layer not in missing) for layer in Layer]


@pytest.mark.parametrize(
    ("missing", "reached"),
    [
        ((), "A"),
        ((Layer.NAMESPACES, Layer.ROOT), "B"),
        ((Layer.ROOT,), "B"),
        ((Layer.SECCOMP,), ""),
        ((Layer.LANDLOCK,), ""),
        ((Layer.LIMITS,), ""),
    ],
)
def test_tier_follows_from_the_layers(missing: tuple[Layer, ...], reached: str) -> None:
    assert tier(found(*missing)) == reached


# ------------------------------------------------- life in a box


LIMITS = Limits()


def inside(
    action: Callable[[Path], object],
    layers: frozenset[Layer] = ALL_LAYERS,
    limits: Limits = LIMITS,
    before: str = "",
) -> str:
    """Run an action in a box, and return what it returned or raised, in a word."""
    with tempfile.TemporaryDirectory() as folder:
        root, scratch = Path(folder) / "root", Path(folder) / "scratch"
        root.mkdir()
        scratch.mkdir()
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                enter(Box(root, scratch, interpreter_folders(), limits, layers))
                try:
                    said = str(action(scratch))
                except BaseException as error:
                    said = f"{type(error).__name__} {getattr(error, 'errno', '')}"
                os.write(writing, said.encode())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        os.waitpid(pid, 0)
        assert list(root.iterdir()) == []
        return said or watch.reason(scratch) or "died"


@pytest.fixture(autouse=True)
def readable_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the course's folder off the import path: with a private file in it, a box of root would
    stay root.
    """
    course = Path(__file__).parents[2]
    others = [one for one in sys.path if Path(one).absolute() != course]
    monkeypatch.setattr(sys, "path", others)


BOTH = pytest.mark.parametrize("layers", [ALL_LAYERS, WITHOUT_NAMESPACES], ids=["tier A", "tier B"])


@BOTH
def test_numpy_computes_and_imports_go_on(layers: frozenset[Layer]) -> None:
    def compute(scratch: Path) -> object:
        import fractions

        import numpy as np

        return np.linalg.inv(np.diag([2.0, 4.0])).trace(), fractions.Fraction(1, 2)

    assert "0.75" in inside(compute, layers)


@BOTH
def test_scratch_is_the_one_place_to_write(layers: frozenset[Layer]) -> None:
    def write(scratch: Path) -> object:
        (scratch / "mine").write_text("1")
        for place in ("/usr/x", "/etc/x", "/x", sys.prefix + "/x"):
            try:
                Path(place).write_text("1")
            except OSError:
                continue
            return place
        return (scratch / "mine").read_text()

    assert inside(write, layers) == "1"


def test_temporary_files_are_private(tmp_path: Path) -> None:
    def write(scratch: Path) -> object:
        for folder in ("/tmp", "/dev/shm"):
            Path(folder, f"{tmp_path.name}.txt").write_text("1")
        return [
            name
            for name in os.listdir("/tmp")
            if not str(scratch).startswith(f"/tmp/{name}") and name != f"{tmp_path.name}.txt"
        ]

    others = [
        name
        for name in os.listdir("/tmp")
        if not sys.prefix.startswith(f"/tmp/{name}")
        and not sys.base_prefix.startswith(f"/tmp/{name}")
    ]
    assert not set(ast.literal_eval(inside(write))) & set(others)
    assert not Path(f"/tmp/{tmp_path.name}.txt").exists()
    assert not Path(f"/dev/shm/{tmp_path.name}.txt").exists()


def test_number_of_files_is_bounded() -> None:
    def write(scratch: Path) -> None:
        for number in range(200):
            (scratch / str(number)).touch()

    assert inside(write, limits=Limits(scratch_files=100)) == f"OSError {errno.ENOSPC}"


def test_scratch_is_bounded() -> None:
    assert (
        inside(
            lambda scratch: (scratch / "big").write_bytes(bytes(2 << 20)),
            limits=Limits(scratch_bytes=1 << 20),
        )
        == f"OSError {errno.ENOSPC}"
    )


@BOTH
def test_file_size_is_bounded(layers: frozenset[Layer]) -> None:
    said = inside(
        lambda scratch: (scratch / "big").write_bytes(bytes(2 << 20)),
        layers,
        Limits(file_bytes=1 << 20),
    )
    assert said == f"OSError {errno.EFBIG}"


@BOTH
def test_memory_is_bounded(layers: frozenset[Layer]) -> None:
    assert inside(
        lambda scratch: bytearray(1 << 31), layers, Limits(memory_bytes=1 << 30)
    ).startswith("MemoryError")


def take(megabytes: int) -> bytearray:
    """Take memory, and touch all of it."""
    taken = bytearray(megabytes << 20)
    taken[::4096] = bytes(len(taken[::4096])).replace(b"\0", b"1")
    return taken


def hold_in_forks(megabytes: int, hold_s: float) -> Callable[[Path], str]:
    """Have four forks hold memory at the same time, for many intervals of the watch."""

    def hold(scratch: Path) -> str:
        reading, writing = os.pipe()
        for _ in range(4):
            if os.fork() == 0:
                try:
                    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)  # which hides how much is its own
                    taken = take(megabytes)
                    os.write(writing, b"1")
                    os.close(writing)
                    time.sleep(60 + len(taken) % 2)
                finally:
                    os._exit(1)
        os.close(writing)
        held = sum(len(os.read(reading, 1)) for _ in range(4))
        time.sleep(hold_s if held == 4 else 0)
        return "held" if held == 4 else f"only {held} could take memory"

    return hold


def in_fresh_process(action: str, megabytes: int) -> str:
    """Do the same in a process that is as small as a box: this one has loaded much else."""
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}; import test_sandbox as t; "
        f"print(t.inside(t.{action}, limits=t.Limits(memory_bytes={megabytes} << 20)))"
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_memory_of_all_processes_together_is_bounded() -> None:
    assert in_fresh_process("hold_in_forks(250, 60)", 600) == watch.MEMORY
    assert in_fresh_process("hold_in_forks(50, 0.5)", 900) == "held"


def share(scratch: Path) -> str:
    """Have four forks share memory."""
    taken = take(400)
    for _ in range(4):
        if os.fork() == 0:
            time.sleep(60 + taken[0] % 2)
    time.sleep(0.5)
    return "shared"


def test_memory_that_forks_share_counts_once() -> None:
    assert in_fresh_process("share", 900) == "shared"


def start_hundreds(scratch: Path) -> int:
    """Start processes until that fails, 600 at most; return how many there are."""
    count = 1
    for _ in range(600):
        try:
            if os.fork() == 0:
                time.sleep(60)
        except BlockingIOError:
            return count
        count += 1
    time.sleep(60)
    return count


def test_number_of_processes_is_bounded() -> None:
    assert inside(start_hundreds, limits=Limits(processes=20)) == "20"


def test_watch_ends_a_box_of_many_processes_where_linux_does_not_bound_root() -> None:
    layers = ALL_LAYERS - {Layer.ROOT}  # without a root of its own, root stays root
    assert inside(start_hundreds, layers, Limits(processes=20)) == (
        watch.PROCESSES if os.geteuid() == 0 else "20"
    )


def test_box_of_root_is_nobody() -> None:
    assert (
        inside(lambda scratch: (os.getuid(), os.getgid(), os.getgroups())) == "(65534, 65534, [])"
    )


def open_folders(scratch: Path) -> list[int]:
    """Return the handles of folders that this process holds."""
    found = []
    for handle in range(256):
        with contextlib.suppress(OSError):
            found += [handle] if stat.S_ISDIR(os.fstat(handle).st_mode) else []
    return found


def test_box_holds_no_folder_open() -> None:
    assert in_fresh_process("open_folders", 900) == "[]"


@BOTH
def test_cpu_time_is_bounded(layers: frozenset[Layer]) -> None:
    def loop(scratch: Path) -> None:
        while True:
            pass

    assert inside(loop, layers, Limits(cpu_s=1)) == "died"


def test_tier_b_starts_no_processes() -> None:
    assert inside(lambda scratch: os.fork(), WITHOUT_NAMESPACES) == f"PermissionError {errno.EPERM}"
    assert inside(
        lambda scratch: os.posix_spawn("/bin/true", ["true"], {}), WITHOUT_NAMESPACES
    ).startswith("PermissionError")


@BOTH
def test_threads_still_start(layers: frozenset[Layer]) -> None:
    def thread(scratch: Path) -> object:
        import threading

        heard = []
        one = threading.Thread(target=lambda: heard.append(1))
        one.start()
        one.join()
        return heard

    assert inside(thread, layers) == "[1]"


CALLS = {
    "clone3": 435,
    "unshare": 272,
    "setns": 308,
    "mount": 165,
    "io_uring_setup": 425,
    "bpf": 321,
    "memfd_create": 319,
    "shmget": 29,
}  # x86_64


@BOTH
def test_refused_calls_say_so(layers: frozenset[Layer]) -> None:
    def call(scratch: Path) -> object:
        found = {}
        for name, number in CALLS.items():
            try:
                kernel.syscall(number, 0, 0, 0, 0, 0, name=name)
            except OSError as error:
                found[name] = error.errno
        return found

    assert inside(call, layers) == str(
        {name: errno.ENOSYS if name == "clone3" else errno.EPERM for name in CALLS}
    )


@BOTH
def test_process_that_enters_the_kernel_by_its_32_bit_door_is_ended(
    layers: frozenset[Layer],
) -> None:
    def enter_there(scratch: Path) -> object:
        import ctypes
        import mmap

        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20 (getpid); int 0x80; ret
        return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()

    assert inside(enter_there, layers) == "died"


def test_box_starts_processes_and_ends_them() -> None:
    def start(scratch: Path) -> object:
        import subprocess

        sleeping = subprocess.Popen(["sleep", "1000"])
        sleeping.terminate()
        return sleeping.wait(), subprocess.run(
            ["echo", "heard"], capture_output=True, text=True
        ).stdout

    assert inside(start) == "(-15, 'heard\\n')"


def test_pool_of_processes_works_and_leaves_no_shared_memory() -> None:
    def compute(scratch: Path) -> object:
        import multiprocessing

        with multiprocessing.Pool(2) as pool:
            return pool.map(abs, [-1, -2, -3]), os.listdir("/dev/shm")

    assert inside(compute) == "([1, 2, 3], [])"


def test_box_sees_no_other_process() -> None:
    assert inside(lambda scratch: os.getpid()) == "1"


def test_home_and_course_are_not_there() -> None:
    outside = [Path.home() / ".bashrc", Path("/etc/passwd"), Path("/proc/self/status")]
    assert inside(lambda scratch: [path.exists() for path in outside]) == str([False] * 3)


def test_processes_left_running_end_with_the_box() -> None:
    def leave(scratch: Path) -> object:
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)  # with the pipe open, to whose end inside() reads
        return "left"

    signal.alarm(60)
    assert inside(leave) == "left"
    signal.alarm(0)


# ------------------------------------------------- machines that offer less


def test_doctor_reports_tier_a() -> None:
    ran = nbreferee_where((), "doctor")
    assert (ran.returncode, "Tier A" in ran.stdout) == (0, True), ran.stdout + ran.stderr


def test_doctor_reports_tier_b_where_namespaces_are_denied() -> None:
    ran = nbreferee_where(TIER_B, "doctor")
    assert ran.returncode == 0
    assert "Tier B" in ran.stdout
    assert "unshare: Operation not permitted" in ran.stdout
    assert "sysctl kernel.unprivileged_userns_clone=1" in ran.stdout


@pytest.mark.parametrize("layer", ["landlock", "seccomp"])
def test_doctor_refuses_where_tier_b_is_not_reached(layer: str) -> None:
    ran = nbreferee_where((*TIER_B, layer), "doctor")
    assert ran.returncode == 1
    assert "No tier: student code must not run here." in ran.stdout
    assert f"{layer}: Operation not permitted" in ran.stdout
    assert "Traceback" not in ran.stderr


def test_probes_work_where_the_folder_for_temporary_files_has_a_long_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("n" * 120)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert [found for found in probe() if not found.holds] == []
