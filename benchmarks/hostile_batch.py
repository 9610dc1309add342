"""Grade a batch in which every other submission is hostile, and print what that costs the honest
ones.

    python benchmarks/hostile_batch.py [--honest N] [--hostile N] [--jobs N] [--assignment NAME]

First a class of honest students alone hands in the assignment's solution, then the same class with
as many hostile students, who add a loop, a crash or a bomb of tests/engine/test_faults.py to the
answer of one exercise. Both are graded by `nbreferee autograde`. It ends with status 1 where an
honest score is not whole, the throughput of the second batch is less than half that of the first,
or anything is left behind: a process, a file, a mount.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COURSE = Path(__file__).parent.parent
sys.path[:0] = [
    str(COURSE),
    *(str(COURSE / "tests" / part) for part in ("", "engine", "submission", "grading")),
]

import nbformat
from child_processes import PR_SET_CHILD_SUBREAPER, children, ended
from hand_in import answered, read_notebook, solved
from test_faults import IN_CELL

# Cells that students add, by the name of the fault.
FAULTS = {name: source for name, (source, _, _) in IN_CELL.items()}
CONFIG = """c = get_config()
c.CourseDirectory.course_id = "hostile"
c.NbReferee.call_s = 2
c.NbReferee.cell_s = 4
c.NbReferee.memory_mb = 1024
"""


@dataclass(frozen=True)
class Batch:
    """The result of one class."""

    wall_s: float
    notebooks: int
    not_whole: tuple[str, ...]  # honest students without all points, or not graded
    left: tuple[str, ...]  # what was there afterwards

    @property
    def a_second(self) -> float:
        """How many notebooks were graded in a second."""
        return self.notebooks / self.wall_s


def prepare(
    folder: Path, master: Path, honest: int, faults: Sequence[str], config: str = CONFIG
) -> None:
    """Make a course whose students have handed in an assignment: a hostile one for each fault.

    `master`: the instructor's folder.
    """
    assignment = master.name
    shutil.copytree(master, folder / "source" / assignment)
    (folder / "nbgrader_config.py").write_text(config)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = ["nbgrader", "generate_assignment", assignment]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    for source in sorted((folder / "source" / assignment).glob("*.ipynb")):
        release, answers = (
            read_notebook(folder / "release" / assignment / source.name),
            solved(read_notebook(source)),
        )
        code = [
            one.metadata.nbgrader.grade_id
            for one in release.cells
            if one.cell_type == "code" and one.metadata.get("nbgrader", {}).get("solution")
        ]
        handed_in = {f"s{number:04}_honest": answers for number in range(honest)}
        for number, fault in enumerate(faults):
            target = code[number % len(code)]
            handed_in[f"s{number:04}_hostile"] = {**answers, target: f"{answers[target]}\n{fault}"}
        for student, mine in handed_in.items():
            path = folder / "submitted" / student / assignment / source.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(nbformat.writes(answered(release, mine)))


def grade(folder: Path, assignment: str, jobs: int) -> Batch:
    """Grade a class with the command, in a folder for temporary files of its own."""
    temporary = folder.parent / "temporary"
    temporary.mkdir()
    mounts, shared = Path("/proc/self/mounts").read_text(), set(os.listdir("/dev/shm"))
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans come to us
    before = children()
    command = [
        sys.executable,
        "-m",
        "nbreferee.cli",
        "autograde",
        assignment,
        "--jobs",
        str(jobs),
        "--json",
        "verdicts.json",
    ]
    started = time.monotonic()
    ran = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
    )
    wall_s = time.monotonic() - started
    left = [f"process {pid}" for pid in children() - before if not ended(pid)]
    left += [f"file {path}" for path in temporary.iterdir()]
    new = set(os.listdir("/dev/shm")) - shared
    left += [
        f"file in /dev/shm: {name}" for name in new if not name.startswith("sem.mp-")
    ]  # of multiprocessing in other programs
    left += [
        f"mount {line}"
        for line in set(Path("/proc/self/mounts").read_text().splitlines())
        - set(mounts.splitlines())
    ]
    if not (folder / "verdicts.json").exists():
        sys.exit(f"no verdicts: {ran.stdout}{ran.stderr}")
    found = json.loads((folder / "verdicts.json").read_text())
    whole = {
        one["student"]
        for one in found
        if one["status"] == "graded" and one["score"] == one["max_score"] - manual_points(one)
    }
    handed_in = {path.name for path in (folder / "submitted").iterdir()}
    not_whole = sorted(
        student for student in handed_in if student.endswith("_honest") and student not in whole
    )
    ungraded = sorted(handed_in - {one["student"] for one in found if one["status"] == "graded"})
    return Batch(
        wall_s,
        len(found),
        tuple(not_whole),
        tuple(left + [f"ungraded: {student}" for student in ungraded]),
    )


def manual_points(notebook: Mapping[str, Any]) -> float:
    """Return the points that a person gives."""
    points: float = sum(
        cell["max_score"] for cell in notebook["cells"] if cell["status"] == "manual"
    )
    return points


def compare(master: Path, honest: int, hostile: int, jobs: int) -> tuple[Batch, Batch]:
    """Grade the honest class, then the mixed one."""
    batches = []
    faults = [*FAULTS.values()]
    for bad in ([], [faults[number % len(faults)] for number in range(hostile)]):
        with tempfile.TemporaryDirectory() as folder:
            course = Path(folder) / "course"
            course.mkdir()
            prepare(course, master, honest, bad)
            batches.append(grade(course, master.name, jobs))
    return batches[0], batches[1]


def main() -> None:
    """Print both batches, and what is wrong with the second."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--honest", type=int, default=200)
    parser.add_argument("--hostile", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--assignment", default="softmax")
    wanted = parser.parse_args()
    alone, mixed = compare(
        COURSE / "source" / wanted.assignment, wanted.honest, wanted.hostile, wanted.jobs
    )
    print(f"{len(os.sched_getaffinity(0))} cores, {wanted.jobs} workers, {wanted.assignment}")
    for name, batch in (("honest alone", alone), ("with hostile ones", mixed)):
        print(
            f"{name}: {batch.notebooks} notebooks in {batch.wall_s:.1f} s, {batch.a_second:.2f} a "
            "second"
        )
    print(f"throughput: {mixed.a_second / alone.a_second:.2f} of the honest batch's")
    print(f"honest scores not whole: {', '.join(mixed.not_whole + alone.not_whole) or 'none'}")
    print(f"left behind: {', '.join(mixed.left + alone.left) or 'nothing'}")
    sys.exit(
        bool(
            mixed.not_whole
            or alone.not_whole
            or mixed.left
            or alone.left
            or mixed.a_second < alone.a_second / 2
        )
    )


if __name__ == "__main__":
    main()
