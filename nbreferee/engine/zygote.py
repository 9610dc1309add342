"""Warm processes that are forked for every submission: one for boxes, one for testers.

Each is a fresh interpreter that has loaded what notebooks load, and knows no more. It waits for a
frame with a socket, forks, and says the child's process id; the child serves that socket. The
template of boxes never learns anything of a course. That of testers branches: a fork of it that has
loaded what an assignment imports is a template itself.

`Zygote` starts one, and is how the rest of the program sees it.
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
import sys
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

from nbreferee.engine.assignment_files import RELEASED, UNRELEASED, own_folder
from nbreferee.engine.common_zygote import fork_zygote
from nbreferee.engine.forks import close_sandbox, first_folder, room_for_forks
from nbreferee.engine.launching import ENVIRONMENT, homes, launch
from nbreferee.engine.placing import WHOLE_FROM, WorkingFolder
from nbreferee.engine.wire.channel import Channel, ChannelError
from nbreferee.engine.wire.records import Records
from nbreferee.engine.wire.to_zygote import (
    EVERY_ZYGOTE,
    Branch,
    Done,
    End,
    ForkBox,
    ForkTester,
    Learn,
    Ready,
    ZygoteRequest,
)
from nbreferee.sandbox import Box as Walls
from nbreferee.sandbox import Layer, enter, interpreter_folders, kernel, prepare
from nbreferee.sandbox.namespaces import Mapper

if TYPE_CHECKING:  # the zygote of boxes loads nothing of courses
    from nbreferee.course.ownership import Plan
    from nbreferee.engine.tester.instructor_text import InstructorText
    from nbreferee.engine.tester.likely_causes import AskingModules


class Process(Protocol):
    """A process that this one can end."""

    def poll(self) -> int | None:
        """Return None as long as it is there."""

    def kill(self) -> None:
        """End it."""

    def wait(self) -> object:
        """Wait for its end."""


class Fork:
    """A child of a template, seen from outside. `folder` is its own, and goes with it."""

    def __init__(self, template: Zygote, channel: Channel, folder: Path) -> None:
        self._template, self.channel, self.folder = template, channel, folder
        self._pid = 0  # until the template has said it

    def set_pid(self, pid: int) -> None:
        """Learn its process id."""
        self._pid = pid

    def end(self) -> None:
        """End it and whatever it has started; the template does so while others go on."""
        self.channel.close()
        self._template.catch_up()
        self._template.ask(
            End(self._pid), then=lambda _: shutil.rmtree(self.folder, ignore_errors=True)
        )


class Zygote:
    """A warm process, seen from outside.

    It gets warm by itself: only the first who wants something has to wait.
    """

    def __init__(self, control: Channel, process: Process | None) -> None:
        self._control = control
        self._process = process  # none for a branch, which ends with what it branches off
        self._turn = threading.RLock()  # one thread at a time asks, or reads answers
        self._ready = False
        self._messages = _messages()
        # what to do with answers that are still to come, in order
        self._awaited: deque[Callable[[Done], None]] = deque()

    @staticmethod
    def start(role: str, folder: Path, common: str = "") -> Zygote:
        """Start a process, as a fork of the common zygote at an address if there is one; should
        this one be killed, it removes the folder when it ends.
        """
        if common and (forked := fork_zygote(common, role, folder, own_folder())):
            return Zygote(Channel(forked[0]), forked[1])
        ours, theirs = socket.socketpair()
        arguments = [role, str(theirs.fileno()), str(os.getpid()), str(folder), str(own_folder())]
        with theirs:
            process = launch("zygote", arguments, _home(folder, role), [theirs.fileno()])
        return Zygote(Channel(ours), process)

    def branch(self, request: Branch) -> Zygote:
        """Return a template that is a fork of this one, and prepared for more."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self.ask(request, [theirs])
        except ChannelError:
            ours.close()
            raise
        return Zygote(Channel(ours), None)

    def fork(self, request: ForkBox | ForkTester) -> Fork:
        """Return a new child, which gets ready by itself."""
        ours, theirs = socket.socketpair()
        child = Fork(self, Channel(ours), Path(request.scratch))
        try:
            with theirs:
                self.ask(request, [theirs], lambda done: child.set_pid(done.pid))
        except ChannelError:
            ours.close()
            raise
        return child

    def ask(
        self,
        request: ZygoteRequest,
        sockets: Sequence[socket.socket] = (),
        then: Callable[[Done], None] = lambda _: None,
    ) -> None:
        """Have the template do something, and do something with its answer when that is read."""
        with self._turn:
            if not self._ready:
                self._messages.decode(self._control.receive(), Ready)
                self._ready = True
            self._control.send_with_sockets(self._messages.encode(request), sockets)
            self._awaited.append(then)

    def catch_up(self) -> None:
        """Read all answers that are due."""
        with self._turn:
            while self._awaited:
                then = self._awaited.popleft()
                then(self._messages.decode(self._control.receive(), Done))

    def is_alive(self) -> bool:
        """Return whether the process is there: its end of the connection is closed before its
        children end with it.
        """
        ended = self._process is not None and self._process.poll() is not None
        return not ended and not self._control.is_closed()

    def close(self) -> None:
        """End the template, and with it all its children."""
        if self._process is not None:
            self._process.kill()  # before it could take a closed connection for the end of this
            self._process.wait()
        self._control.close()


def _home(folder: Path, role: str) -> Path:
    return folder / f"{role} home"


def _messages() -> Records:
    """Return what travels to and from zygotes, as the orchestrator needs it."""
    from nbreferee.course.ownership import Plan, Reference, Step

    return Records(*EVERY_ZYGOTE, ForkBox, ForkTester, Branch, Learn, Plan, Step, Reference)


# ---------------------------------------------------------------- inside the template


def main(packages: str) -> None:
    """Be a template that one worker has started."""
    role, handle, parent, folder, files = (
        sys.argv[1],
        int(sys.argv[2]),
        int(sys.argv[3]),
        *sys.argv[4:6],
    )

    def leave_nothing(*_: object) -> None:
        """Remove what the parent would have removed, if it had not been killed."""
        shutil.rmtree(folder, ignore_errors=True)
        if os.getppid() != parent:
            shutil.rmtree(files, ignore_errors=True)
        os._exit(0)  # IPython would look for its folders

    # While it gets warm it does not listen: the kernel tells it that its parent has ended.
    signal.signal(signal.SIGTERM, leave_nothing)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        leave_nothing()
    kernel.set_name(role)
    control = Channel(socket.socket(fileno=handle))
    prepared = _prepared(role, packages)
    kernel.prctl(
        kernel.PR_SET_PDEATHSIG, 0
    )  # or it would end with the thread that has started it; from now on a closed socket ends it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _listen(control, prepared)
    leave_nothing()


def serve_worker(
    role: str, connection: socket.socket, folder: Path, files: Path, packages: str
) -> NoReturn:
    """Be a template for a worker, in a fork of the common zygote.

    A worker ends it before it closes the connection: if that is closed, the worker is gone.
    """
    control = Channel(connection)
    try:
        _close_all_but({connection.fileno()})
        kernel.set_name(role)
        home = _home(folder, role)
        home.mkdir(parents=True, exist_ok=True)
        os.chdir(home)
        os.environ.update(homes(home))
        _listen(control, _prepared(role, packages))
    except BaseException:
        if not control.is_closed():  # or its folder is gone with its worker
            traceback.print_exc()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(files, ignore_errors=True)
        os._exit(0)


def _prepared(role: str, packages: str) -> _Role:
    # A worker that is gone has taken this one's home with it, which IPython would tell.
    warnings.filterwarnings("ignore", "IPython (dir|parent) ")
    added = warnings.filters[0]
    prepared = _BoxRole(packages) if role == "box" else _TesterRole(packages)
    warnings.filters.remove(added)  # type: ignore[attr-defined]  # a list, whatever its stub says
    return prepared


class _Role(Protocol):
    """What a zygote is for."""

    messages: Records  # that it gets and sends

    def prepare(self, request: Branch) -> None:
        """Load what an assignment imports."""

    def learn(self, plan: Plan) -> None:
        """Prepare a plan."""

    def new_mapper(self, request: ForkBox | ForkTester) -> Mapper | None:
        """Return what maps user ids for the next child, where it will need that."""

    def serve(self, channel: Channel, request: ForkBox | ForkTester, mapper: Mapper | None) -> None:
        """Be a box or a tester."""


def _listen(control: Channel, role: _Role) -> None:
    """Do what is asked for, until nobody is there to ask."""
    children: set[int] = set()
    mine = os.getpid()
    gc.collect()
    gc.freeze()
    with contextlib.suppress(ChannelError):
        control.send(role.messages.encode(Ready()))
        while True:
            frame, sockets = control.receive_with_sockets()
            request: object = role.messages.decode(frame, object)
            done = Done()
            if isinstance(request, Learn):
                role.learn(request.plan)
                gc.freeze()
            elif isinstance(request, End):
                if request.pid in children:
                    children.discard(request.pid)
                    _end(request.pid)
            elif isinstance(request, (Branch, ForkBox, ForkTester)):
                mapper = None if isinstance(request, Branch) else role.new_mapper(request)
                if (pid := os.fork()) == 0:
                    kernel.end_with(mine)
                    # or its end as an object would close whatever has its number then
                    control.socket.detach()
                    _be_child(role, request, sockets[0], mapper)
                done = Done(pid)
                children.add(pid)
                sockets[0].close()
                if mapper:
                    mapper.serve(pid)
            control.send(role.messages.encode(done))
    for pid in children:
        _end(pid)


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _be_child(
    role: _Role,
    request: Branch | ForkBox | ForkTester,
    connection: socket.socket,
    mapper: Mapper | None,
) -> NoReturn:
    try:
        _close_all_but({connection.fileno(), *(mapper.handles if mapper else ())})
        random.seed()
        sys.modules["numpy"].random.seed()
        if isinstance(request, Branch):
            role.prepare(request)
            _listen(Channel(connection), role)
        else:
            role.serve(Channel(connection), request, mapper)
    except ChannelError:
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _close_all_but(kept: set[int]) -> None:
    """Close what a child inherits, but for the files in `kept` and the fonts, which Matplotlib
    keeps open to read glyphs from.
    """
    for inherited in (
        range(3, os.sysconf("SC_OPEN_MAX"))
        if not Path("/proc/self/fd").exists()
        else map(int, os.listdir("/proc/self/fd"))
    ):
        with contextlib.suppress(OSError):
            font = (
                stat.S_ISREG(os.fstat(inherited).st_mode)
                and fcntl.fcntl(inherited, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
            )
            if inherited > 2 and inherited not in kept and not font:
                os.close(inherited)


class _BoxRole:
    messages = Records(*EVERY_ZYGOTE, ForkBox)

    def __init__(self, packages: str) -> None:
        from IPython.core import pylabtools

        from nbreferee.engine.box.descriptions import with_description
        from nbreferee.engine.box.figures import Figures
        from nbreferee.engine.box.forking import ForkingBox
        from nbreferee.engine.box.process import Box
        from nbreferee.engine.shell import Shell, warm_up

        sys.path.remove(packages)
        sys.path.insert(0, "")
        self._figures = Figures()
        pylabtools.print_figure = with_description(
            self._figures.print_figure
        )  # before the shell looks it up
        self._shell = Shell.instance()
        self._new_box, self._new_forking_box = Box, ForkingBox
        warm_up(self._shell)
        prepare()

    def prepare(self, request: Branch) -> None:
        raise TypeError("the zygote of boxes knows nothing of an assignment")

    def learn(self, plan: Plan) -> None:
        raise TypeError("the zygote of boxes knows nothing of an assignment")

    def new_mapper(self, request: ForkBox | ForkTester) -> Mapper | None:
        """Return what maps user ids for the next child, where it will need that."""
        needed = {Layer.NAMESPACES, Layer.ROOT} <= request.layers
        return Mapper() if os.geteuid() == 0 and needed else None

    def serve(self, channel: Channel, request: ForkBox | ForkTester, mapper: Mapper | None) -> None:
        assert isinstance(request, ForkBox), "only boxes are forked from the zygote of boxes"
        scratch = Path(request.scratch)
        os.dup2(1, 2)  # or os.write(2, ...) reaches the terminal of whoever grades
        if request.layers:
            readable = (*interpreter_folders(), *map(Path, request.placed))
            limits, layers = request.limits, request.layers
            if request.may_fork:
                limits, layers = room_for_forks(limits), layers - {Layer.SECCOMP}
            enter(Walls(Path(request.root), scratch, readable, limits, layers), mapper)
        if request.may_fork:
            scratch = first_folder(scratch)
        os.chdir(scratch)
        placed = WorkingFolder(map(Path, request.placed), scratch)
        os.environ.clear()
        os.environ.update(ENVIRONMENT, HOME=str(scratch), MPLCONFIGDIR=str(scratch))
        self._shell.take_over()
        os.register_at_fork(after_in_child=channel.close)  # one process speaks for the notebook
        if not request.may_fork:
            self._new_box(channel, self._shell, self._figures, placed).serve()
        close = partial(
            close_sandbox,
            request.layers,
            request.limits,
            new_processes=Layer.NAMESPACES in request.layers,
        )
        self._new_forking_box(
            channel, self._shell, self._figures, placed, close_sandbox=close
        ).serve()


class _TesterRole:
    def __init__(self, packages: str) -> None:
        from nbreferee.course.ownership import Plan, Reference, Step
        from nbreferee.engine.shell import warm_up
        from nbreferee.engine.tester.compiled_cells import RehearsedShell
        from nbreferee.engine.tester.forking import ForkingTester
        from nbreferee.engine.tester.instructor_text import InstructorText
        from nbreferee.engine.tester.likely_causes import AskingModules
        from nbreferee.engine.tester.namespace import Namespace
        from nbreferee.engine.tester.process import Tester
        from nbreferee.engine.tester.provenance import trusted_prefixes

        sys.path.remove(packages)
        self.messages = Records(*EVERY_ZYGOTE, ForkTester, Branch, Learn, Plan, Step, Reference)
        self._names = Namespace()
        self._shell = RehearsedShell.instance(user_ns=self._names)
        self._new_tester: Callable[..., Tester] = Tester
        self._new_forking_tester = ForkingTester
        self._new_text = InstructorText
        self._new_asking = AskingModules
        self._prepare_trust = trusted_prefixes
        self._plans: list[tuple[Plan, InstructorText, AskingModules]] = []
        warm_up(self._shell)
        prepare()

    def new_mapper(self, request: ForkBox | ForkTester) -> None:
        """Return what maps user ids for the next child: a tester stays who it is."""

    def prepare(self, request: Branch) -> None:
        self._sources = request.sources
        sys.path[:0] = [f"{self._sources}/{part}" for part in (RELEASED, UNRELEASED)]
        sys.dont_write_bytecode = True  # no __pycache__ among the assignment's files
        for module in request.modules:
            with contextlib.suppress(Exception, SystemExit):
                __import__(module)

    def learn(self, plan: Plan) -> None:
        sources = [step.source for step in plan.steps if step.source]
        self._shell.rehearse(sources)
        text = self._new_text(lambda: self._shell.as_python(sources), Path(self._sources))
        text.prepare()
        self._prepare_trust(Path(self._sources))
        self._plans.append((plan, text, self._new_asking(plan.modules)))

    def serve(self, channel: Channel, request: ForkBox | ForkTester, mapper: Mapper | None) -> None:
        assert isinstance(request, ForkTester), "only testers are forked from their zygote"
        scratch = Path(request.scratch)
        folder = first_folder(scratch) if request.may_fork else scratch
        os.chdir(folder)
        placed = WorkingFolder(
            [Path(self._sources, part) for part in (RELEASED, UNRELEASED)],
            folder,
            whole_from=WHOLE_FROM,
        )
        if request.layers:
            layers = {Layer.LIMITS, Layer.PRIVILEGES, Layer.LANDLOCK}
            layers |= set() if request.may_fork else {Layer.SECCOMP}
            readable = (*interpreter_folders(), Path(self._sources), scratch)
            enter(Walls(scratch, scratch, readable, request.limits, layers))
        self._shell.take_over()
        new_tester = self._new_tester
        if request.may_fork:
            close = partial(close_sandbox, request.layers, request.limits, new_processes=False)
            new_tester = partial(self._new_forking_tester, close_sandbox=close)
        new_tester(
            channel,
            self._shell,
            self._names,
            *self._plans[request.plan],
            Path(self._sources),
            placed,
            request.mutants_s,
        ).serve()
