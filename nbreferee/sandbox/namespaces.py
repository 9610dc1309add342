"""A box's own view of the machine: its processes, network, mounts, and a root that holds little."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from nbreferee.sandbox import kernel

ALL = (
    kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
)  # fmt: skip
DEVICES = ("null", "zero", "full", "random", "urandom")
TEMPORARY = Path("/tmp")
SHARED_MEMORY = Path("/dev/shm")  # where semaphores of multiprocessing are
NOBODY = 65534


def leave(readable: Iterable[Path] | None) -> bool:
    """Go into new namespaces of every kind; the next child is the first process there.

    An ordinary user is nobody inside. Root stays root for now, to `become_nobody` later, where there will be a root that
    holds `readable`, the machine allows it, and everybody may read these and what Python imports. Return whether that is so.

    Raises
    ------
    OSError
        where the machine does not let this user make them. It wants a single thread.
    """
    user, group = os.geteuid(), os.getegid()
    helper = _Mapper() if readable is not None and user == 0 and _readable_by_everybody(readable) else None
    kernel.unshare(ALL)
    if helper and helper.map():
        return True
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1")
    return False


def become_nobody() -> None:
    """Give up being root, for good: Linux does not hold root to the limit on processes."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


class _Mapper:
    """A child that stays outside, to write the map of user ids: two of them can be mapped from there alone."""

    def __init__(self) -> None:
        asked, self._ask = os.pipe()
        self._answered, answer = os.pipe()
        process = os.getpid()
        self._child = os.fork()
        if self._child == 0:
            try:
                os.close(self._ask)
                if os.read(asked, 1):
                    for name in ("gid_map", "uid_map"):
                        Path(f"/proc/{process}/{name}").write_text(f"0 0 1\n{NOBODY} {NOBODY} 1")
                    os.write(answer, b"1")
            finally:
                os._exit(0)
        os.close(asked)
        os.close(answer)

    def map(self) -> bool:
        """Have root and nobody mapped, and tell whether they are."""
        os.write(self._ask, b"1")
        done = os.read(self._answered, 1) == b"1"
        os.close(self._ask)
        os.close(self._answered)
        os.waitpid(self._child, 0)
        return done


def _readable_by_everybody(readable: Iterable[Path]) -> bool:
    """Tell whether everybody may read these paths, and what lies in each folder on Python's path."""
    folders = [path for path in map(Path, sys.path) if path.is_dir()]
    for path in (*readable, *folders, *(path for folder in folders for path in folder.iterdir())):
        mode = path.stat().st_mode if path.exists() else 0o555
        if not mode & 0o004 or (path.is_dir() and not mode & 0o001):
            return False
    return True


def new_root(root: Path, readable: Iterable[Path], scratch: Path, scratch_bytes: int, scratch_files: int) -> None:
    """Make a root of the readable folders, read-only, an empty scratch folder, /tmp and /dev/shm; drop the old.

    `root` is an existing, empty folder on which to build; nothing of it is left after the box.
    """
    os.umask(0o022)
    private = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", str(root), "tmpfs", private, "size=1m,mode=755")
    mine = f"size={scratch_bytes},mode=700,nr_inodes={scratch_files},uid={NOBODY},gid={NOBODY}"

    def private_folder(path: Path) -> None:
        inside = _under(root, path)
        inside.mkdir(parents=True, exist_ok=True)
        kernel.mount("tmpfs", str(inside), "tmpfs", private, mine)

    private_folder(TEMPORARY)  # first, for the other folders may be in it
    for path in sorted(set(readable)):
        if path.is_symlink():
            _under(root, path).parent.mkdir(parents=True, exist_ok=True)
            _under(root, path).symlink_to(os.readlink(path))
        elif path.exists():
            _bind(path, _under(root, path))
    for name in DEVICES:
        _bind(Path("/dev") / name, root / "dev" / name)
    for path in (scratch, SHARED_MEMORY):
        private_folder(path)
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
