"""Who does the work: an executor, on this machine's cores or a Dask cluster, made anew where a worker has broken it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from typing import Any

from nbreferee.course import CourseError
from nbreferee.worker import start_worker


class Workers:
    """An executor that is made anew where a worker has broken it, and how much to give it at a time."""

    def __init__(self, new_executor: Callable[[], Executor], in_flight: int) -> None:
        self._new_executor = new_executor
        self._executor: Executor | None = None
        self.in_flight = in_flight  # notebooks that are with workers at a time, which bounds memory

    def submit(self, function: Callable[[Any], Any], task: Any) -> Future:
        """Give a task to a worker."""
        try:
            return self._ready().submit(function, task)
        except BrokenExecutor:
            return self.replace().submit(function, task)

    def replace(self) -> Executor:
        """Go on with a new executor: the old one has broken."""
        self._executor = None
        return self._ready()

    def close(self) -> None:
        """End the workers."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None

    def _ready(self) -> Executor:
        if self._executor is None:
            self._executor = self._new_executor()
        return self._executor


def local_pool(jobs: int) -> Executor:
    """Return a pool of processes on this machine, fresh ones: they hold nothing of this process."""
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), start_worker)


def dask_pool(address: str) -> tuple[Executor, int]:
    """Return the workers of a Dask cluster, and how many there are.

    Raises
    ------
    CourseError
        where there is none at this address.
    """
    try:
        from distributed import Client
    except ImportError:
        raise CourseError("--scheduler needs Dask. Install it: pip install nbreferee[dask].") from None
    try:
        client = Client(address, timeout="10s")
        threads = sum(client.nthreads().values())
    except (OSError, ValueError) as error:
        raise CourseError(f"{address}: no Dask scheduler answers there ({error}). Start one: dask scheduler.") from None
    return client.get_executor(pure=False, retries=2), max(1, threads)
