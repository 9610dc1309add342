"""Who does the work: an executor, on this machine's cores or a Dask cluster, made anew where a
worker has broken it.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Collection
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from functools import partial
from typing import Any

from nbreferee.course.locate import CourseError
from nbreferee.engine.assignment_files import AssignmentFiles, deliveries, take
from nbreferee.engine.common_zygote import CommonZygote
from nbreferee.engine.scratch import remove_abandoned
from nbreferee.grading.cluster import GONE, Cluster
from nbreferee.grading.interrupts import born_deaf
from nbreferee.grading.task import Task, TaskAnswer, Unfit, get_ready, run, run_far
from nbreferee.startup import start_worker
from nbreferee.versions import identity

STOP_S = 0.2  # for a process that has been killed


class Workers:
    """An executor that is made anew where a worker has broken it, and how much to give it at a
    time.
    """

    def __init__(
        self,
        new_executor: Callable[[], Executor],
        threads: Callable[[], int],
        grade: Callable[[Task], TaskAnswer] = run,
    ) -> None:
        self._new_executor = new_executor
        self._threads = threads
        self._executor: Executor | None = None
        self._delivered: set[tuple[str, str]] = set()  # (worker, key of files)
        self.grade = grade  # what to submit for a notebook to be graded

    @property
    def count(self) -> int:
        """How many notebooks are graded at a time."""
        return self._threads()

    @property
    def in_flight(self) -> int:
        """How many notebooks are to be with workers at a time: enough for all to be busy, and
        memory is bounded.
        """
        return 2 * self._threads() + 2

    def submit(self, function: Callable[[Any], Any], task: Any) -> Future[Any]:
        """Give a task to a worker."""
        with born_deaf():  # a pool starts its processes here
            try:
                return self._ready().submit(function, task)
            except BrokenExecutor:
                return self.replace().submit(function, task)

    def start(self, number: int) -> None:
        """Let some of them get ready before there is anything to do, where they are on this
        machine.
        """
        if not isinstance(self._ready(), ProcessPoolExecutor):
            return
        for _ in range(number):  # a pool starts a process with every task that finds none idle
            self.submit(repr, None)

    def get_ready(self, task: Task) -> None:
        """Let one of them get ready for such a task, where they are on this machine."""
        if isinstance(self._ready(), ProcessPoolExecutor):
            self.submit(get_ready, task)

    def finished(self, running: Collection[Future[Any]]) -> set[Future[Any]]:
        """Wait for the first of these to be done, and return all that are.

        Raises
        ------
        CourseError
            where the workers have gone for good, or one must not grade.
        """
        ready = wait(running, return_when=FIRST_COMPLETED).done
        for future in ready:
            if future.cancelled():
                raise CourseError(GONE.format(getattr(self._executor, "address", "workers")))
            if isinstance(error := future.exception(), Unfit):
                raise CourseError(str(error))
        return ready

    def deliver(self, worker: str, files: AssignmentFiles) -> None:
        """Bring the contents of an assignment's files to a worker on another machine, once."""
        executor = self._ready()
        if isinstance(executor, Cluster) and (worker, files.key) not in self._delivered:
            self._delivered.add((worker, files.key))
            for delivery in deliveries(files):
                executor.run_on(worker, take, delivery)

    def replace(self) -> Executor:
        """Go on with a new executor: the old one has broken."""
        self._executor = None
        return self._ready()

    def stop(self) -> None:
        """End the workers at once, whatever they work on; their own processes end with them."""
        executor = self._executor
        if not isinstance(executor, ProcessPoolExecutor):
            return
        processes = list((executor._processes or {}).values())
        for process in processes:
            process.kill()
        for process in processes:
            process.join(STOP_S)
        if processes:
            # Or the pool waits for the rest of a result that a worker was writing.
            executor._result_queue._writer.close()  # type: ignore[attr-defined]  # private
            remove_abandoned()

    def close(self) -> None:
        """End the workers."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None

    def _ready(self) -> Executor:
        if self._executor is None:
            self._executor = self._new_executor()
        return self._executor


class LocalWorkers(Workers):
    """Workers on this machine; those that are to grade are warm by a common zygote, which ends
    with them.
    """

    def __init__(self, count: int, grade: bool, common: CommonZygote | None) -> None:
        self._common = common
        self._initial = grade, common.address if common else ""
        super().__init__(lambda: local_pool(count, *self._initial), lambda: count)

    def fork(self, number: int) -> None:
        """Start some of them as forks of this process: they have what it has loaded.

        It must have no other thread, and hold nothing that workers are not to have. A worker in
        place of one that has died is no fork.
        """
        with born_deaf():
            self._executor = local_pool(number, *self._initial, way="fork")
            self._executor.submit(repr, None)  # all start with the first task

    def stop(self) -> None:
        """End the workers at once, whatever they work on; their own processes end with them."""
        super().stop()
        self._end_common()

    def close(self) -> None:
        """End the workers."""
        super().close()
        self._end_common()

    def _end_common(self) -> None:
        if self._common is not None:
            self._common.close()
            self._common = None


def local_pool(jobs: int, grade: bool, common: str = "", way: str = "spawn") -> Executor:
    """Return a pool of processes on this machine; as a rule fresh ones, which hold nothing of this
    process.
    """
    context = multiprocessing.get_context(way)
    return ProcessPoolExecutor(jobs, context, start_worker, (grade, common))


def local_workers(
    jobs: int | None, grade: bool = False, common: CommonZygote | None = None
) -> LocalWorkers:
    """Return workers on this machine, one per core unless a number is given; those that are to
    `grade` get warm for it, as forks of a common zygote.
    """
    count = jobs or len(os.sched_getaffinity(0))
    common = common or (CommonZygote.start() if grade else None)
    return LocalWorkers(count, grade, common)


def far_workers(address: str, waiting: Callable[[], None]) -> Workers:
    """Return the workers of a Dask cluster; where none has joined it yet, call `waiting`.

    Raises
    ------
    CourseError
        where there is no cluster at this address, or its grader is not this one.
    """
    cluster = Cluster(address)
    if not cluster.threads:
        waiting()
    return Workers(lambda: cluster, lambda: cluster.threads, partial(run_far, dict(identity())))
