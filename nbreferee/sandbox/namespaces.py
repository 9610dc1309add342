"""A box's own view of the machine: its processes, network, mounts, and a root that holds little."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from nbreferee.sandbox import kernel

ALL = (
    kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
)  # fmt: skip
DEVICES = ("null", "zero", "full", "random", "urandom")
SHARED_MEMORY = Path("/dev/shm")  # where semaphores of multiprocessing are
NOBODY = 65534


def leave() -> None:
    """Go into new namespaces of every kind, as nobody; the next child is the first process there.

    Raises
    ------
    OSError
        where the machine does not let this user make them. It wants a single thread.
    """
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(ALL)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1")


def new_root(root: Path, readable: Iterable[Path], scratch: Path, scratch_bytes: int) -> None:
    """Make a root of the readable folders, read-only, an empty scratch folder and /dev/shm; drop the old.

    `root` is an existing, empty folder on which to build; nothing of it is left after the box.
    """
    private = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", str(root), "tmpfs", private, "size=1m,mode=755")
    for path in sorted(set(readable)):
        if path.is_symlink():
            _under(root, path).parent.mkdir(parents=True, exist_ok=True)
            _under(root, path).symlink_to(os.readlink(path))
        elif path.exists():
            _bind(path, _under(root, path))
    for name in DEVICES:
        _bind(Path("/dev") / name, root / "dev" / name)
    for path in (scratch, SHARED_MEMORY):
        inside = _under(root, path)
        inside.mkdir(parents=True, exist_ok=True)
        kernel.mount("tmpfs", str(inside), "tmpfs", private, f"size={scratch_bytes},mode=700,nr_inodes=4096")
    os.chdir(root)
    kernel.pivot_root(".", ".")  # the old root comes to lie on the new one: pivot_root(2)
    kernel.unmount(".")
    kernel.mount("none", "/", None, kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY | private)
    os.chdir(scratch)


def _under(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _bind(path: Path, target: Path) -> None:
    if path.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    kernel.mount(str(path), str(target), None, kernel.MS_BIND | kernel.MS_REC)
    flags = kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY | kernel.MS_NOSUID
    kernel.mount("none", str(target), None, flags)
