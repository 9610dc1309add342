"""A box's own view of the machine: its processes, network, mounts, and a root that holds little."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from nbreferee.sandbox import kernel

ALL = (
    kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
)
DEVICES = ("null", "zero", "full", "random", "urandom")
TEMPORARY = Path("/tmp")
SHARED_MEMORY = Path("/dev/shm")  # where semaphores of multiprocessing are
NOBODY = 65534


def leave(readable: Iterable[Path] | None, mapper: Mapper | None = None) -> bool:
    """Go into new namespaces of every kind; the next child is the first process there.

    An ordinary user is nobody inside. Root stays root for now, to `become_nobody` later, where
    there will be a root that holds `readable`, the machine allows it, and everybody may read these
    and what Python imports. Return whether that is so. `mapper` is one that the parent of this
    process serves; without it, root forks a process for that.

    Raises
    ------
    OSError
        where the machine does not let this user make them. It wants a single thread.
    """
    user, group = os.geteuid(), os.getegid()
    with contextlib.closing(mapper or Mapper()) as mapper_in_use:
        wanted = (
            readable is not None
            and user == 0
            and all(map(everybody_may_read, readable))
            and everybody_may_import()
        )
        if wanted and mapper is None:
            mapper_in_use.fork_server()
        kernel.unshare(ALL)
        if wanted and mapper_in_use.map():
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


class Mapper:
    """Has the map of user ids written by a process outside: two ids can be mapped from there alone.

    Made before a fork. The process that stays outside calls `serve`, the other one `map` or
    `close`.
    """

    def __init__(self) -> None:
        self._asked, self._ask = os.pipe()
        self._answered, self._answer = os.pipe()
        self.handles = {self._asked, self._ask, self._answered, self._answer}  # that are open
        self._server = 0

    def serve(self, process: int) -> None:
        """Write the map for a process when it asks for it; return when it has asked, has closed its
        end or has ended.
        """
        self._close(self._ask, self._answered)
        try:
            if os.read(self._asked, 1):
                for name in ("gid_map", "uid_map"):
                    Path(f"/proc/{process}/{name}").write_text(f"0 0 1\n{NOBODY} {NOBODY} 1")
                os.write(self._answer, b"1")
        except OSError:  # it gets no answer, and maps one id by itself
            pass
        finally:
            self._close(self._asked, self._answer)

    def fork_server(self) -> None:
        """Start a process that serves this one."""
        process = os.getpid()
        self._server = os.fork()
        if self._server == 0:
            try:
                self.serve(process)
            finally:
                os._exit(0)

    def map(self) -> bool:
        """Have root and nobody mapped, and tell whether they are."""
        self._close(self._asked, self._answer)
        try:
            os.write(self._ask, b"1")
            return os.read(self._answered, 1) == b"1"
        except BrokenPipeError:
            return False

    def close(self) -> None:
        """Close what this process holds of it."""
        self._close(*self.handles)
        if self._server:
            os.waitpid(self._server, 0)

    def _close(self, *handles: int) -> None:
        for handle in self.handles & set(handles):
            self.handles.discard(handle)
            os.close(handle)


@cache
def everybody_may_read(path: Path) -> bool:
    """Tell whether everybody may read a file, or enter and list a folder."""
    mode = path.stat().st_mode if path.exists() else 0o555
    return bool(mode & 0o004) and (not path.is_dir() or bool(mode & 0o001))


def everybody_may_import() -> bool:
    """Tell whether everybody may read what Python imports; a template asks before it forks, for the
    first answer takes time.
    """
    return all(
        _everybody_may_import_from(folder)
        for name in sys.path
        if (folder := Path(name).absolute()).is_dir()
    )


@cache
def _everybody_may_import_from(folder: Path) -> bool:
    return all(map(everybody_may_read, (folder, *folder.iterdir())))


def new_root(
    root: Path, readable: Iterable[Path], scratch: Path, scratch_bytes: int, scratch_files: int
) -> None:
    """Make a root of the readable folders, read-only, an empty scratch folder, /tmp and /dev/shm;
    drop the old.

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
