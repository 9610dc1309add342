"""Trials that run at the same time, from a few checkpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from nbreferee.verify.trial import TrialResult

OPEN_CHECKPOINTS = 3  # each holds the memory of a notebook


class Batch:
    """Trials that run at the same time."""

    def __init__(self, pool: ThreadPoolExecutor, done: Callable[[], None]) -> None:
        self._pool, self._most, self._done = pool, OPEN_CHECKPOINTS, done
        self._running: dict[Future[TrialResult], Callable[[], None]] = {}
        self._left: Counter[Callable[[], None]] = Counter()  # trials of each checkpoint, by its end
        self._found: dict[Any, TrialResult] = {}

    def start_all(
        self,
        trials: list[Callable[[], TrialResult]],
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """Start trials, those from a checkpoint with a `close` to call when all have ended."""
        while len(self._left) >= self._most:
            self._collect()
        self._left[close] += len(trials)
        for trial in trials:
            self._running[self._pool.submit(trial)] = close

    def wait(self) -> None:
        """Wait until all have ended that were started."""
        while self._running:
            self._collect()

    def finish(self) -> dict[Any, TrialResult]:
        """Wait for all, and return the results by key."""
        self.wait()
        return self._found

    def abandon(self) -> None:
        """Start no more, where one has failed."""
        for future in self._running:
            future.cancel()

    def _collect(self) -> None:
        for future in wait(self._running, return_when=FIRST_COMPLETED).done:
            close = self._running.pop(future)
            self._left[close] -= 1
            if not self._left[close]:
                del self._left[close]
                close()
            result = future.result()
            self._found[result.key] = result
            self._done()
