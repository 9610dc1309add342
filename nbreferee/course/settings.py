"""What a course may set in its nbgrader_config.py: c.NbReferee.cell_s = 20, for example."""

from __future__ import annotations

from traitlets import Bool, Enum, Float, Integer, List, Unicode, Union
from traitlets.config import Configurable

from nbreferee.budget import Budget
from nbreferee.course.nbgrader_settings import cell_timeout_s, is_set
from nbreferee.sandbox import ALL_LAYERS, WITHOUT_NAMESPACES, Limits, probing
from nbreferee.sandbox.probe import CURES, tier


class SandboxError(Exception):
    """Student code must not run here; the text says which layer is missing, and the cure."""


class NbReferee(Configurable):
    """Budgets of a submission. Who exceeds one sees it in the cell, and the rest is graded."""

    call_s = Float(
        Budget.call_s,
        help="Seconds for one call of a student's function by a test; then the test fails with a "
        "TimeoutError.",
    ).tag(config=True)
    cell_s = Float(
        Budget.cell_s, help="Seconds for one cell; then it ends with a TimeoutError."
    ).tag(config=True)
    submission_s = Float(
        Budget.submission_s, help="Seconds for one notebook; cells after that are not run."
    ).tag(config=True)
    memory_mb = Integer(
        2048,
        help="Megabytes of memory for a notebook. A process that wants more sees a "
        "MemoryError; where the notebook's processes together use more, all of them are ended, the "
        "cell says so, and the notebook goes on without it.",
    ).tag(config=True)
    processes = Integer(
        64,
        help="How many processes and threads a notebook may have at a time. One more fails with a "
        "BlockingIOError (a thread: RuntimeError). Where root runs the grader with a Python that "
        "only root can read, Linux does not hold a notebook to this limit: its processes are then "
        "ended, the cell says so, and the notebook goes on without it. Without namespaces (tier "
        "B) a notebook starts no process at all.",
    ).tag(config=True)
    file_mb = Integer(
        64,
        help="Megabytes that a notebook may write, and as many of shared memory. What wants more "
        "sees an OSError.",
    ).tag(config=True)

    mutants_s = Float(
        Budget.mutants_s,
        help="Seconds of processor time for one test cell in which the cause of a wrong answer is "
        "looked for among small changes of the solution and the reference, where the test's own "
        "module asks for it (its name `look_further`). 0: not at all.",
    ).tag(config=True)

    one_process = Union(
        [Enum(["auto", "never"]), List(Unicode())],
        default_value="auto",
        help="Which test cells are judged in one process with the answers, as stock nbgrader does: "
        "'auto' finds out with the solution which need it, 'never' leaves these to a person, and "
        "a list of grade ids names them.",
    ).tag(config=True)

    follow_through = Bool(
        False,
        help="Whether a test cell that has lost points is judged again with the solution's "
        "functions in the place of earlier answers that have lost points. The better result "
        "counts, and its message names these answers.",
    ).tag(config=True)

    replay = Bool(
        True,
        help="Whether a cell of the instructor's own, not a test, shows the solution's outputs "
        "without being run, where the student's functions return to it what the solution's do (to "
        "nine digits) and no test or cell of the student's reads what it binds.",
    ).tag(config=True)

    share_results = Bool(
        True,
        help="Whether a cell that depends on the same answers as a cell of another student takes "
        "its result without being run. One that loses points does so after the runs of two "
        "students have come to the same.",
    ).tag(config=True)

    @property
    def one_process_cells(self) -> str | tuple[str, ...]:
        """Return 'auto', 'never' or grade ids."""
        return self.one_process if isinstance(self.one_process, str) else tuple(self.one_process)

    def budget(self, unsafe: bool = False) -> Budget:
        """Return the budget of submissions on this machine; `unsafe`: without any sandbox.

        Raises
        ------
        SandboxError
            where the machine has no sandbox that would do.
        """
        cell_s, call_s = self._seconds()
        file_bytes, cpu_s = self.file_mb << 20, int(self.submission_s) + 10
        box = Limits(
            self.memory_mb << 20, self.processes, cpu_s, file_bytes, scratch_bytes=file_bytes
        )
        if unsafe:
            return Budget(call_s, cell_s, self.submission_s, box, frozenset(), self.mutants_s)
        found = probing.found()
        reached = tier(found)
        if not reached:
            missing = [one for one in found if not one.holds and one.layer in WITHOUT_NAMESPACES]
            cures = " ".join(
                f"{one.layer.value}: {one.reason}. To mend it, {CURES[one.layer]}."
                for one in missing
            )
            raise SandboxError(
                f"student code must not run here, for the sandbox lacks a layer. {cures} See "
                "nbreferee doctor."
            )
        layers = ALL_LAYERS if reached == "A" else WITHOUT_NAMESPACES
        return Budget(call_s, cell_s, self.submission_s, box, layers, self.mutants_s)

    def _seconds(self) -> tuple[float, float]:
        """Return the seconds of a cell and of a call: nbgrader's c.Execute.timeout holds where the
        course has not set ours.
        """
        timeout_s = cell_timeout_s(self.config)
        if timeout_s is None or is_set(self.config, "NbReferee.cell_s"):
            return self.cell_s, self.call_s
        cell_s = min(timeout_s, self.submission_s)
        return cell_s, self.call_s if is_set(self.config, "NbReferee.call_s") else min(
            self.call_s, cell_s
        )
