"""How much of a class the ten largest groups hold: python benchmarks/groups.py [STUDENTS]

A class of softmax is made and graded. Half of its answers are wrong: named mistakes of the tests
and mutants of the solution, in a random order of which the n-th is made with a frequency in
proportion to 1/n (Zipf's law; a few mistakes are common, most are rare). The other half is drawn
from the right answers. It ends with status 1 where ten groups hold less than 80 % of the wrong
answers to an exercise.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

COURSE = Path(__file__).parent.parent
BINARIES = Path(sys.executable).parent
sys.path.insert(0, str(COURSE))
ASSIGNMENT = "softmax"
LARGEST = 10
WANTED = 0.8


def main() -> int:
    """Print a row for each exercise."""
    from nbreferee.course.locate import open_course
    from nbreferee.marking.groups import groups_of

    os.environ["PATH"] = f"{BINARIES}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    least = 1.0
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder)
        shutil.copytree(COURSE / "source" / ASSIGNMENT, course / "source" / ASSIGNMENT)
        shutil.copy(COURSE / f"source/{ASSIGNMENT}.alternatives.py", course / "source")
        shutil.copy(COURSE / "nbgrader_config.py", course)
        _run(course, "nbgrader", "generate_assignment", ASSIGNMENT, "--log-level=ERROR")
        students = _hand_in(course, count)
        _run(course, "nbreferee", "autograde", ASSIGNMENT)
        print(f"{'exercise':28}{'wrong':>7}{'groups':>8}{'in the ten largest':>20}")
        for found in groups_of(open_course(course), ASSIGNMENT, students):
            if not found.wrong:
                continue
            held = sum(len(group.answers) for group in found.groups[:LARGEST]) / found.wrong
            least = min(least, held)
            print(f"{found.exercise.title:28.28}{found.wrong:7}{len(found.groups):8}{held:19.0%}")
    return 0 if least >= WANTED else 1


def _run(course: Path, *command: str) -> None:
    subprocess.run(
        [BINARIES / command[0], *command[1:]], cwd=course, check=True, stdout=subprocess.DEVNULL
    )


def _hand_in(course: Path, count: int) -> list[str]:
    """Hand a notebook in for each student; return their names."""
    from nbreferee.bench.answers import choices_of
    from nbreferee.course.source import read_master

    path = course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    choices = choices_of(read_master(path), path)
    release = nbformat.read(str(course / "release" / ASSIGNMENT / path.name), as_version=4)
    chance = random.Random(1)
    wrong = {label: [*one.mistakes, *one.mutants] for label, one in choices.items()}
    for answers in wrong.values():
        chance.shuffle(answers)
    students = [f"student_{number:03}" for number in range(count)]
    for student in students:
        for cell in release.cells:
            label = cell.metadata.get("nbgrader", {}).get("grade_id")
            if label not in choices:
                continue
            if wrong[label] and chance.random() < 0.5:
                weights = [1 / (n + 1) for n in range(len(wrong[label]))]
                cell.source = chance.choices(wrong[label], weights)[0]
            else:
                cell.source = chance.choice(choices[label].right)
        target = course / "submitted" / student / ASSIGNMENT / path.name
        target.parent.mkdir(parents=True)
        nbformat.write(release, str(target))
    return students


if __name__ == "__main__":
    sys.exit(main())
