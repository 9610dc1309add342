"""A small batch with as many hostile students as honest ones; the table in SECURITY.md is the one
of the counts that are kept.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from building import answer, graded, write
from notebooks import COURSE

sys.path.insert(0, str(COURSE / "benchmarks"))

import attacks
import hostile_batch

FAULTS = (
    "os_exit",
    "forks",
    "memory_of_many",
    "descriptors_closed",
    "loop_that_catches",
    "process_that_stays",
)


def test_hostile_students_cost_honest_ones_nothing_and_leave_nothing(tmp_path: Path) -> None:
    master = tmp_path / "bombs"
    master.mkdir()
    write(master, answer(), graded())
    config = hostile_batch.CONFIG.replace("call_s = 2", "call_s = 30").replace(
        "cell_s = 4", "cell_s = 10"
    )  # on a slow machine too
    with tempfile.TemporaryDirectory(
        dir="/tmp"
    ) as folder:  # the name of a socket below it must be short
        course = Path(folder) / "course"
        course.mkdir()
        hostile_batch.prepare(
            course, master, len(FAULTS), [hostile_batch.FAULTS[name] for name in FAULTS], config
        )
        batch = hostile_batch.grade(course, master.name, jobs=4)
    assert (batch.notebooks, batch.not_whole, batch.left) == (2 * len(FAULTS), (), ())


def test_table_in_security_is_that_of_the_counts_and_names_every_kind() -> None:
    text = attacks.SECURITY.read_text()
    assert attacks.with_counts(text, attacks.read_counts()) == text
    assert all(f"| {kind} |" in text for kind in attacks.kinds())


def test_security_names_tests_and_commands_that_exist() -> None:
    import re

    text = attacks.SECURITY.read_text()
    named = set(re.findall(r"(?:tests|benchmarks)/\w+\.py", text))
    assert named
    assert [name for name in named if not Path(COURSE, name).exists()] == []
