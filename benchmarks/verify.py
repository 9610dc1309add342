"""How fast are mutants tried in boxes and testers, and against new kernels?

    python benchmarks/verify.py

Verifies the whole course, then tries a few mutants of one notebook in a new kernel each, which is
how a notebook runner would do it, and prints both as mutants a second and their ratio.
"""

from __future__ import annotations

import itertools
import os
import statistics
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from nbreferee.course.locate import open_course, source_assignments
from nbreferee.course.source import read_master
from nbreferee.mutation import mutants
from nbreferee.verify import course_release, trial_processes, verify_assignment

COURSE = Path(__file__).parent.parent
KERNELS = 5


def in_new_kernels(path: Path) -> float:
    """Return the median seconds that one mutant of a notebook takes in a kernel of its own."""
    master, walls_s = read_master(path), []
    changed = (
        (cell, mutant)
        for cell in master.answers
        for mutant in mutants(cell.source, cell.solution_lines)
    )
    for cell, mutant in itertools.islice(changed, KERNELS):
        notebook = nbformat.from_dict(master.notebook)
        notebook.cells[cell.index].source = mutant.source
        started = time.monotonic()
        NotebookClient(
            notebook, allow_errors=True, resources={"metadata": {"path": str(path.parent)}}
        ).execute()
        walls_s.append(time.monotonic() - started)
    return statistics.median(walls_s)


def main() -> None:
    """Print the table."""
    course, jobs = open_course(COURSE), os.cpu_count() or 1
    started, tried, sample_rate = time.monotonic(), 0, 0.0
    print(f"{'notebook':<20} {'mutants':>8} {'seconds':>8} {'a second':>9}   ({jobs} at once)")
    with trial_processes(course, jobs) as processes:
        for assignment in source_assignments(course):
            for one in verify_assignment(course, assignment, course_release(course), processes):
                count = sum(e.mutants.tried + e.equivalent for e in one.exercises)
                tried += count
                rate = count / one.wall_s
                print(f"{one.notebook:<20} {count:>8} {one.wall_s:>8.1f} {rate:>9.1f}")
                if one.notebook == "softmax":
                    sample_rate = rate
    wall_s = time.monotonic() - started
    print(f"{'all':<20} {tried:>8} {wall_s:>8.1f} {tried / wall_s:>9.1f}")
    kernel_s = in_new_kernels(COURSE / "source/softmax/softmax.ipynb")
    print(
        f"softmax, new kernels {KERNELS:>8} {'':>8} {jobs / kernel_s:>9.1f}   ({kernel_s:.1f} s "
        f"each, {jobs} at once)"
    )
    print(f"ratio on softmax: {sample_rate * kernel_s / jobs:.0f}")


if __name__ == "__main__":
    main()
