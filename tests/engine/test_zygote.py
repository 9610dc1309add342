"""Forks of a warm process: results come back, what goes wrong is told, and nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Hashable
from functools import partial
from pathlib import Path

from nbreferee.verify.warm import Forks, Trial, TrialResult


def run(*tasks: Trial, jobs: int = 2) -> dict[Hashable, TrialResult]:
    outcomes: dict[Hashable, TrialResult] = {}
    forks = Forks(jobs, lambda outcome: outcomes.update({outcome.key: outcome}))
    forks.start(tasks)
    forks.finish()
    return outcomes


def test_results_come_back_under_their_keys() -> None:
    outcomes = run(*(Trial(n, partial(pow, n, 2), limit_s=30) for n in range(20)))
    assert {key: outcome.result for key, outcome in outcomes.items()} == {
        n: n * n for n in range(20)
    }


def test_large_result_comes_back_whole() -> None:
    assert run(Trial("big", lambda: "x" * 3_000_000, limit_s=30))["big"].result == "x" * 3_000_000


def test_child_sees_the_state_and_changes_only_its_own_copy() -> None:
    state = {"n": 1}

    def change() -> int:
        state["n"] += 1
        return state["n"]

    outcomes = run(*(Trial(n, change, limit_s=30) for n in range(4)))
    assert [outcomes[n].result for n in range(4)] == [2, 2, 2, 2]
    assert state == {"n": 1}


def loop_forever() -> None:
    while True:
        time.sleep(60)


def test_endless_loop_is_a_timeout_and_the_others_go_on() -> None:
    outcomes = run(Trial("loop", loop_forever, limit_s=0.5), Trial("fine", lambda: 1, limit_s=30))
    assert outcomes["loop"].lost == "timeout"
    assert outcomes["fine"].result == 1


def test_exit_exception_and_signal_are_crashes() -> None:
    outcomes = run(
        Trial("exit", lambda: os._exit(0), limit_s=30),
        Trial("raise", lambda: 1 / 0, limit_s=30),
        Trial("signal", lambda: os.kill(os.getpid(), signal.SIGKILL), limit_s=30),
        Trial("no json", lambda: object(), limit_s=30),
        Trial("fine", lambda: 1, limit_s=30),
    )
    assert {key: outcome.lost for key, outcome in outcomes.items()} == {
        "exit": "crash",
        "raise": "crash",
        "signal": "crash",
        "no json": "crash",
        "fine": "",
    }


def test_memory_bomb_sees_a_memory_error() -> None:
    def bomb() -> int | str:
        try:
            return len(bytearray(1 << 40))
        except MemoryError:
            return "MemoryError"

    assert run(Trial("bomb", bomb, limit_s=30))["bomb"].result == "MemoryError"


def test_processes_that_a_task_started_are_gone_with_it(tmp_path: Path) -> None:
    def leave_one() -> int:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        return child.pid

    pid = run(Trial("parent", leave_one, limit_s=30))["parent"].result
    for _ in range(500):  # the kernel takes a moment
        try:
            status = Path(f"/proc/{pid}/stat").read_text().split()[2]
        except FileNotFoundError:
            return
        if status == "Z":
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} still runs")
