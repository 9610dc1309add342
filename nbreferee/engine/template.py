"""Warm processes that are forked for every submission: one for boxes, one for testers.

Each is a fresh interpreter that has loaded what notebooks load, and knows no more. It waits for a
frame with a socket, forks, and says the child's process id; the child serves that socket. The
template of boxes never learns anything of a course; that of testers is confined to reading the
assignment.

`Template` starts one, and is how the rest of the program sees it.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import random
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from nbreferee.codec import decode, encode
from nbreferee.engine.channel import Channel, ChannelError
from nbreferee.sandbox import Box as Walls
from nbreferee.sandbox import Layer, Limits, enter, interpreter_folders, kernel

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "NBGRADER_EXECUTION": "autograde",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(256 << 20),  # use memory again: fresh pages cost more than what is done with them
}  # fmt: skip
# The very package that asks for a template; its folder is on the path no longer than it takes to load it.
PACKAGES = str(Path(__file__).parents[2])
START = "import sys; sys.path.insert(0, {0!r}); from nbreferee.engine.template import main; main({0!r})"


class Child:
    """A child of a template, seen from outside. `folder` is its own, and goes with it."""

    def __init__(self, template: Template, channel: Channel, folder: Path) -> None:
        self._template, self.channel, self._folder = template, channel, folder
        self._pid = 0  # until the template has said it

    def set_pid(self, pid: int) -> None:
        """Learn its process id."""
        self._pid = pid

    def end(self) -> None:
        """End it and whatever it has started; the template does so while others go on."""
        self.channel.close()
        self._template.catch_up()
        self._template.ask("end", self._pid, then=lambda _: shutil.rmtree(self._folder, ignore_errors=True))


class Template:
    """A warm process, seen from outside. `folder` is its own, to be removed after it."""

    def __init__(self, role: str, folder: Path, preparation: dict[str, Any]) -> None:
        ours, theirs = socket.socketpair()
        home = folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        environment = {**ENVIRONMENT, "HOME": str(home), "IPYTHONDIR": str(home / "ipython"), "MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR") or _matplotlib_cache()}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", START.format(PACKAGES), role, str(theirs.fileno()), str(os.getpid())],
                env=environment, cwd=home, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        self._control = Channel(ours)
        self._control.send(encode(preparation))
        self._ready = False
        self._awaited: deque[Callable[[Any], None]] = deque()  # what to do with answers that are still to come, in order

    def fork(self, request: dict[str, Any], folder: Path) -> Child:
        """Return a new child, which gets ready by itself."""
        ours, theirs = socket.socketpair()
        child = Child(self, Channel(ours), folder)
        try:
            with theirs:
                self.ask("fork", {**request, "scratch": str(folder)}, [theirs], child.set_pid)
        except ChannelError:
            ours.close()
            raise
        return child

    def ask(self, operation: str, request: Any, sockets: Sequence[socket.socket] = (), then: Callable[[Any], None] = lambda _: None) -> None:
        """Have the template do something, and do something with its answer when that is read: only the first has to wait until it is warm."""
        if not self._ready:
            decode(self._control.receive())
            self._ready = True
        self._control.send_with_sockets(encode((operation, request)), sockets)
        self._awaited.append(then)

    def catch_up(self) -> None:
        """Read all answers that are due."""
        while self._awaited:
            self._awaited.popleft()(decode(self._control.receive()))

    def close(self) -> None:
        """End the template, and with it all its children."""
        self._control.close()
        self._process.kill()
        self._process.wait()


def _matplotlib_cache() -> str:
    """Return the user's cache of fonts: without it, every template would make its own."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return str(Path(base) / "matplotlib")


# ---------------------------------------------------------------- inside the template


def main(packages: str) -> None:
    """Be a template."""
    role, handle, parent = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    kernel.end_with(parent)  # while it gets warm it does not listen
    control = Channel(socket.socket(fileno=handle))
    children: set[int] = set()
    preparation: dict[str, Any] = {}
    mine = os.getpid()
    with contextlib.suppress(ChannelError):  # whoever has started this is gone
        preparation = decode(control.receive())
        prepare = {"box": _prepare_box, "tester": _prepare_tester}[role]
        serve_child, learn = prepare(preparation, packages)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, 0)  # or it would end with the thread that has started it; from now on a closed socket ends it
        control.send(encode("ready"))
        gc.collect()
        gc.freeze()
        while True:
            frame, sockets = control.receive_with_sockets()
            operation, request = decode(frame)
            if operation == "end":
                if request in children:
                    children.discard(request)
                    _end(request)
                control.send(encode(True))
                continue
            if operation == "learn":
                learn(request)
                gc.freeze()
                control.send(encode(True))
                continue
            pid = os.fork()
            if pid == 0:
                kernel.end_with(mine)
                control.socket.detach()  # or its end as an object would close whatever has its number then
                _be_child(serve_child, request, sockets[0])
            children.add(pid)
            sockets[0].close()
            control.send(encode(pid))
    for pid in children:
        _end(pid)
    shutil.rmtree(preparation.get("folder", ""), ignore_errors=True)  # whoever would have done so has been killed
    os._exit(0)  # IPython would look for its folders


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _be_child(serve: Any, request: dict[str, Any], connection: socket.socket) -> NoReturn:
    try:
        _close_all_but(connection.fileno())
        random.seed()
        sys.modules["numpy"].random.seed()
        serve(Channel(connection), request)
    except ChannelError:
        pass
    finally:
        os._exit(0)


def _close_all_but(handle: int) -> None:
    """Close what a child inherits, but for a socket and the fonts, which Matplotlib keeps open to read glyphs from."""
    for inherited in range(3, os.sysconf("SC_OPEN_MAX")) if not Path("/proc/self/fd").exists() else map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):
            font = stat.S_ISREG(os.fstat(inherited).st_mode) and fcntl.fcntl(inherited, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
            if inherited > 2 and inherited != handle and not font:
                os.close(inherited)


def _prepare_box(preparation: dict[str, Any], packages: str) -> Any:
    from IPython.core import pylabtools

    from nbreferee.engine.box import Box
    from nbreferee.engine.figures import Figures
    from nbreferee.engine.shell import Shell, warm_up

    sys.path.remove(packages)
    sys.path.insert(0, "")
    figures = Figures()
    pylabtools.print_figure = figures.print_figure  # before the shell looks it up
    shell = Shell.instance()
    warm_up(shell)
    layers = frozenset(Layer(name) for name in preparation["layers"])

    def serve(channel: Channel, request: dict[str, Any]) -> None:
        scratch = Path(request["scratch"])
        os.dup2(1, 2)  # or os.write(2, ...) reaches the terminal of whoever grades
        if layers:
            enter(Walls(Path(preparation["root"]), scratch, interpreter_folders(), Limits(**preparation["limits"]), layers))
        os.chdir(scratch)
        os.environ.clear()
        os.environ.update(ENVIRONMENT, HOME=str(scratch), MPLCONFIGDIR=str(scratch))
        shell.take_over()
        os.register_at_fork(after_in_child=channel.close)  # one process speaks for the notebook
        Box(channel, shell, figures).serve()

    return serve, None


def _prepare_tester(preparation: dict[str, Any], packages: str) -> Any:
    from nbreferee.engine.names import Names
    from nbreferee.engine.rehearsed import RehearsedShell
    from nbreferee.engine.shell import warm_up
    from nbreferee.engine.tester import Tester
    from nbreferee.plan import Plan

    sys.path.remove(packages)
    sys.path.insert(0, preparation["sources"])
    names = Names()
    plans: list[Plan] = []
    shell = RehearsedShell.instance(user_ns=names)
    warm_up(shell)
    sys.dont_write_bytecode = True  # no __pycache__ among the assignment's files
    for module in preparation["modules"]:
        with contextlib.suppress(Exception):
            __import__(module)

    def serve(channel: Channel, request: dict[str, Any]) -> None:
        scratch = Path(request["scratch"])
        os.chdir(scratch)
        if preparation["layers"]:
            layers = {Layer.LIMITS, Layer.PRIVILEGES, Layer.LANDLOCK, Layer.SECCOMP}
            readable = (*interpreter_folders(), Path(preparation["sources"]), scratch)
            enter(Walls(scratch, scratch, readable, Limits(**preparation["limits"]), layers))
        shell.take_over()
        Tester(channel, shell, names, plans[request["plan"]]).serve()

    def learn(plain: dict[str, Any]) -> None:
        plans.append(Plan.from_plain(plain))
        shell.rehearse([step.source for step in plans[-1].steps if step.source])

    return serve, learn

