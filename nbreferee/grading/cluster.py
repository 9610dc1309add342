"""A Dask cluster as an executor: bytes in, bytes out, on machines that need share no file system
with this one.

A worker that ends in the middle costs time alone: Dask gives its tasks to another. A cluster that
cannot be reached, or whose grader is another, is found out before anything is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

from nbreferee import __version__
from nbreferee.course.locate import CourseError
from nbreferee.engine.assignment_files import FilesChanged
from nbreferee.quiet import without_warnings_of
from nbreferee.versions import difference, identity

T = TypeVar("T")

CONNECT_S = 5.0  # for a scheduler to answer
COUNT_S = 1.0  # workers come and go: they are counted as often
LOUD = ("distributed", "tornado", "asyncio")  # loggers
RETRIES = (
    2  # of a task that has raised something; one whose worker has ended goes to another anyway
)
GONE = "{}: the Dask cluster has gone. What is done is kept; run the command again to go on."


class Cluster(Executor):
    """The workers of a Dask cluster.

    Raises
    ------
    CourseError
        where there is no cluster at this address, or its grader is not this one.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._silence = contextlib.ExitStack()
        _need_dask()
        self._silence.enter_context(_silence())
        try:
            self._client = _connect(address)
        except BaseException:
            self._silence.close()
            raise
        self._executor = self._client.get_executor(pure=False, retries=RETRIES)
        self._threads, self._counted = 0, -COUNT_S
        try:
            self._compare_versions()
        except BaseException:
            self.shutdown()
            raise

    def submit(self, function: Callable[..., T], /, *arguments: Any, **named: Any) -> Future[T]:
        """Give a task to whichever worker is free."""
        try:
            future: Future[T] = self._executor.submit(function, *arguments, **named)
            return future
        except Exception:  # a client that has lost its scheduler raises this and that
            raise CourseError(GONE.format(self.address)) from None

    def run_on(self, worker: str, function: Callable[[Any], Any], argument: Any) -> None:
        """Have one worker do something now; one that has gone is passed over, for its tasks go to
        others.
        """
        try:
            self._client.run(function, argument, workers=[worker])
        except FilesChanged as error:
            raise CourseError(f"{error}. Run the command again.") from None
        except Exception:  # it has left, or is about to: what it was given comes back
            return

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let go of the cluster and of what is still to be done there; its workers stay."""
        self._executor.shutdown(wait=False)
        self._client.close(timeout=CONNECT_S)
        self._silence.close()

    @property
    def threads(self) -> int:
        """How many tasks the cluster works on at a time, as of now."""
        if time.monotonic() - self._counted > COUNT_S:
            # if it fails, the cluster's futures are cancelled, and what waits for them is told
            with contextlib.suppress(Exception):
                self._threads = sum(self._client.nthreads().values())
            self._counted = time.monotonic()
        return self._threads

    def _compare_versions(self) -> None:
        def version() -> (
            str
            # inside another function, it travels as code: the cluster may have no nbreferee to find
            # it in
        ):
            try:
                from nbreferee import __version__
            except ImportError:
                return ""
            return __version__

        def everything() -> dict[str, str]:
            from nbreferee.versions import identity

            return dict(identity())

        try:
            found = {"its scheduler": self._client.run_on_scheduler(version)}
            found |= {
                f"its worker {name}": there for name, there in self._client.run(version).items()
            }
            same = set(found.values()) == {__version__}
            whole = self._client.run(everything) if same else {}
        except Exception as error:
            raise CourseError(
                f"{self.address}: the Dask cluster cannot be asked for its grader "
                f"({_first_line(error)}). Restart it."
            ) from None
        for name, there in found.items():
            if there != __version__:
                has = f"nbreferee {there}" if there else "no nbreferee"
                raise CourseError(
                    f"{self.address}: {name} has {has}, and this is {__version__}. Install "
                    f"nbreferee {__version__} there, and restart it."
                )
        for name, there in whole.items():
            if other := difference(there, dict(identity())):
                raise CourseError(
                    f"{self.address}: its worker {name} has {other}. Install the same there as "
                    "here, and restart it."
                )


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep Dask and what it is made of from logging: what goes wrong is told in a sentence."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in LOUD]
    levels = {name: logging.getLogger(name).level for name in (*LOUD, *names)}
    with without_warnings_of("distributed"):
        for name in levels:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


def _need_dask() -> None:
    try:
        import distributed  # noqa: F401, its loggers are there from now on
    except ImportError:
        raise CourseError(
            "--scheduler needs Dask. Install it: pip install nbreferee[dask]."
        ) from None


def _connect(address: str) -> Any:
    from distributed import Client

    try:
        asyncio.run(_call(address))
        return Client(address, timeout=CONNECT_S, set_as_default=False)
    except Exception as error:
        raise CourseError(
            f"{address}: no Dask scheduler answers there ({_first_line(error)}). Start one, dask "
            "scheduler, and name the address it prints."
        ) from None


async def _call(address: str) -> None:
    """Speak to a scheduler once: a client that cannot is hard to get rid of."""
    from distributed.core import rpc
    from distributed.security import Security

    async with rpc(
        address, timeout=CONNECT_S, connection_args=Security().get_connection_args("client")
    ) as there:
        who = await asyncio.wait_for(
            there.identity(), CONNECT_S + 1
        )  # a second for somebody who answers with nothing
    if who["type"] != "Scheduler":
        raise OSError(f"this is the address of a {who['type'].lower()}")


def _first_line(error: Exception) -> str:
    return (
        (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
    )  # a MemoryError, for one: bytes that were no greeting of Dask's
