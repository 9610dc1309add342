"""What one changed test costs: python benchmarks/regrading.py [--students N] [--test GRADE_ID]

A class hands in the softmax notebook (see `nbreferee.bench.classroom`) and is graded. Then a hidden
test changes, and the class is graded again: once as it comes, and once with --force in a copy of
the course. Prints the processor time of each and of the preview, how many cells were run, and
whether the gradebooks agree row for row.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

from nbreferee.bench.classroom import hand_in, make_course
from nbreferee.bench.commands import CommandCost, run

COURSE = Path(__file__).parent.parent
ASSIGNMENT = "softmax"
# What the changed test asks for besides: an array that most right answers give, and some do not.
ADDED = "assert type({0}) is not list, 'return an array, not a list'\n"
CALLS = {
    "softmax_tests": "softmax(np.array([1.0, 2.0]))",
    "cross_entropy_gradient_tests": "cross_entropy_gradient(np.array([1.0, 2.0]), 0)",
    "dy_dw_tests": "dy_dw(np.ones(2), np.ones((2, 3)), np.ones(3))",
}
# Rows that a person or a student would see, without the random ids of new rows.
ROWS = """
select a.name, s.student_id, n.name, c.name, g.auto_score, g.manual_score, g.needs_manual_grade
from grade g join submitted_notebook sn on sn.id = g.notebook_id
join submitted_assignment s on s.id = sn.assignment_id join assignment a on a.id = s.assignment_id
join notebook n on n.id = sn.notebook_id join base_cell c on c.id = g.cell_id
union all
select a.name, s.student_id, n.name, c.name, k.auto_comment, k.manual_comment, 0
from comment k join submitted_notebook sn on sn.id = k.notebook_id
join submitted_assignment s on s.id = sn.assignment_id join assignment a on a.id = s.assignment_id
join notebook n on n.id = sn.notebook_id join base_cell c on c.id = k.cell_id
"""


def main() -> None:
    """Print one line for each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--test", default="softmax_tests", choices=sorted(CALLS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.students, options.test)


def measure(folder: Path, students: int, test: str) -> None:
    course, copy = folder / "course", folder / "copy"
    make_course(COURSE, course, [ASSIGNMENT])
    hand_in(course, ASSIGNMENT, students)
    first = graded("full run", course)
    change_test(course, test)
    before = digest(course)
    preview = graded("preview of a changed test", course, "--preview")
    after = digest(course)
    print(
        f"{'':34}{'wrote nothing' if after == before else 'HAS WRITTEN'}: hash of gradebook and "
        f"folders {before[:12]} before, {after[:12]} after"
    )
    run(["nbgrader", "generate_assignment", ASSIGNMENT, "--force", "--log-level=ERROR"], course)
    shutil.copytree(course, copy)
    again = graded("the changed test", course)
    forced = graded("the same with --force", copy, "--force")
    same = rows(course) == rows(copy)
    print(
        f"{'':34}{'the same gradebook' if same else 'ANOTHER GRADEBOOK'}: {len(rows(course))} rows"
    )
    differing = list(verdicts(course) ^ verdicts(copy))
    print(f"{'':34}{'the same messages' if not differing else f'OTHER MESSAGES: {differing[:4]}'}")
    for name, cost in (("preview", preview), ("changed test", again)):
        print(
            f"{name}: {cost.cpu_s / forced.cpu_s:.1%} of a full run's processor time, "
            f"{cost.wall_s / forced.wall_s:.1%} of its time"
        )
    print(f"first run against --force: {first.cpu_s:.0f} s, {forced.cpu_s:.0f} s")
    print(f"a notebook of the changed test: {again.cpu_s / students:.3f} s CPU, start-up included")
    sys.exit(not same or after != before)


def graded(name: str, course: Path, *options: str) -> CommandCost:
    to = course.parent / f"{course.name}.json"
    cost = run(["nbreferee", "autograde", ASSIGNMENT, "--json", str(to), *options], course, True)
    found = json.loads(to.read_text())
    cells = sum(one["cells_run"] for one in found)
    print(
        f"{name:34}{cost.cpu_s:8.1f} s CPU {cost.wall_s:8.1f} s wall {cells / len(found):6.1f} "
        f"cells a notebook, {sum(bool(one.get('changes')) for one in found)} notebooks change",
        flush=True,
    )
    return cost


def change_test(course: Path, test: str) -> None:
    path = course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == test:
            place = next(n for n, line in enumerate(cell["source"]) if "END HIDDEN" in line)
            cell["source"].insert(place, ADDED.format(CALLS[test]))
    path.write_text(json.dumps(notebook, indent=1))


def rows(course: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(course / "gradebook.db") as book:
        return sorted(book.execute(ROWS), key=repr)


def verdicts(course: Path) -> set[tuple[str, str, str]]:
    found = json.loads((course.parent / f"{course.name}.json").read_text())
    return {
        (one["student"], cell["grade_id"], cell["message"])
        for one in found
        for cell in one["cells"]
    }


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        found.update(f"{path} {path.stat().st_mtime_ns}".encode())
        found.update(path.read_bytes() if path.is_file() else b"")
    return found.hexdigest()


if __name__ == "__main__":
    main()
