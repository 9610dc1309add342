"""Where a notebook's time goes: python benchmarks/parts.py [NOTEBOOK ...] [--students N]

Grades the honest class of `nbreferee bench` with one worker, and prints processor seconds (user and
system) for each notebook: of the box and all forks it takes, of the tester, and of the worker
itself, which reads, rebuilds, sanitizes and writes. Processor seconds are what a busy machine
changes least, but compare only what was measured in turn.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbreferee.course.rules import Rules
    from nbreferee.engine.processes import WarmProcesses

COURSE = Path(__file__).parent.parent
sys.path[:0] = [str(COURSE)]
TICKS = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36
SETTLE_S = 0.3  # forks that are made ahead get ready


def main() -> None:
    """Print a table, one row a notebook."""
    from nbreferee.course.rules import Rules

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "notebooks", nargs="*", type=Path, default=sorted((COURSE / "source").glob("*/*.ipynb"))
    )
    parser.add_argument("--students", type=int, default=12)
    parser.add_argument(
        "--mutants-s", type=float, help="c.NbReferee.mutants_s (default: the course's)"
    )
    parser.add_argument("--no-replay", action="store_true", help="c.NbReferee.replay = False")
    parser.add_argument(
        "--no-sharing", action="store_true", help="c.NbReferee.share_results = False"
    )
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # the orphans of boxes come to us
    print(f"{'CPU seconds':20}{'box':>9}{'tester':>9}{'worker':>9}{'all':>9}{'drawn':>9}")
    for path in options.notebooks:
        with tempfile.TemporaryDirectory() as folder:
            rules = Rules(
                follow_through=True,
                replay=not options.no_replay,
                share_results=not options.no_sharing,
            )
            parts, drawn = measure(path, options.students, options.mutants_s, Path(folder), rules)
        row = "".join(f"{parts[name]:9.3f}" for name in ("box", "tester", "worker"))
        print(f"{path.stem:20}{row}{sum(parts.values()):9.3f}{drawn:9.1f}", flush=True)


def measure(
    path: Path, students: int, mutants_s: float | None, folder: Path, rules: Rules
) -> tuple[dict[str, float], float]:
    """Return processor seconds for each notebook by part, and how many figures were drawn."""
    from nbreferee.bench.classroom import hand_in
    from nbreferee.budget import Budget
    from nbreferee.course.source import read_master
    from nbreferee.engine.processes import WarmProcesses
    from nbreferee.engine.referee import Referee
    from nbreferee.engine.wire.to_box import Drawing
    from nbreferee.grading.course_files import read_assignment_files
    from nbreferee.grading.notebook import Grader, NotebookMaterial, as_bytes
    from nbreferee.submission.originals import Released

    for name in ("source", "release"):
        (folder / name).symlink_to(COURSE / name)
    hand_in(folder, path.parent.name, students + 1)
    submissions = sorted((folder / "submitted").glob(f"*/*/{path.name}"))
    release = read_master(COURSE / "release" / path.parent.name / path.name)
    released = {one.grade_id: Released(one.source, "") for one in release.cells if one.grade_id}
    files = read_assignment_files(path.parent, ["__pycache__"])
    material = NotebookMaterial(str(path), path.read_bytes(), released, files, rules)
    drawn = 0

    class Counting(Referee):
        def _drawn_by_box(self, name: str, limit_s: float) -> Drawing:
            nonlocal drawn
            drawn += 1
            return super()._drawn_by_box(name, limit_s)

    import nbreferee.grading.notebook as grading

    grading.Referee = Counting  # type: ignore[attr-defined]  # its own import
    budget = Budget() if mutants_s is None else Budget(mutants_s=mutants_s)
    with WarmProcesses(budget) as warm:
        grader = Grader(warm)
        ways = grader.calibrate(material)
        first, *submissions = submissions
        grader.grade(material, first.read_bytes(), {}, ways)
        time.sleep(SETTLE_S)
        usage = Usage(warm)
        before, drawn = usage.spent(), 0
        for submission in submissions:
            as_bytes(grader.grade(material, submission.read_bytes(), {}, ways).notebook)
            usage.reap()
        time.sleep(SETTLE_S)
        after = usage.spent()
    return {name: (after[name] - before[name]) / students for name in after}, drawn / students


class Usage:
    """Processor time of the warm processes, of all that they have forked, and of this one."""

    def __init__(self, warm: WarmProcesses) -> None:
        zygotes = {"box": warm._box_template, "tester": warm._tester_template}
        self._zygotes = {
            name: one._process.pid
            for name, one in zygotes.items()
            if isinstance(one._process, subprocess.Popen)
        }
        self._reaped_s = 0.0  # of boxes whose first process ended before the last

    def spent(self) -> dict[str, float]:
        """Return seconds by part, since the beginning."""
        self.reap()
        found = processes()
        mine = resource.getrusage(resource.RUSAGE_SELF)
        parts = {name: tree(pid, found) for name, pid in self._zygotes.items()}
        parts["box"] += self._reaped_s
        return {**parts, "worker": mine.ru_utime + mine.ru_stime}

    def reap(self) -> None:
        """Collect the orphans that have ended."""
        for pid, (parent, spent_s, state) in processes().items():
            if parent == os.getpid() and state == "Z" and pid not in self._zygotes.values():
                self._reaped_s += spent_s
                os.waitpid(pid, 0)


def processes() -> dict[int, tuple[int, float, str]]:
    """Return (parent, seconds of it and of its children that were waited for, state) by process."""
    found = {}
    for folder in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path(f"/proc/{folder}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        spent_s = sum(map(int, fields[11:15])) / TICKS
        found[int(folder)] = int(fields[1]), spent_s, fields[0]
    return found


def tree(pid: int, found: dict[int, tuple[int, float, str]]) -> float:
    """Return the seconds of a process and all below it."""
    below = [child for child, (parent, _, _) in found.items() if parent == pid]
    return (found[pid][1] if pid in found else 0.0) + sum(tree(child, found) for child in below)


if __name__ == "__main__":
    main()
