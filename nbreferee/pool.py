"""Where workers come from: this machine's cores, or a Dask cluster."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Executor, ProcessPoolExecutor

from nbreferee.course import CourseError
from nbreferee.worker import start_worker


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
