"""A class in which each named mistake of the course is made by some student.

python tests/mistaken.py FOLDER [ASSIGNMENT ...]    grade it in FOLDER, write its pages by
`nbreferee feedback` and by `nbgrader generate_feedback`, and look for each sentence in both

Student n of an assignment makes the nth mistake of every exercise that has so many. An answer runs
the hidden test of its exercise with another `check`, which takes a mistake out of its table: what a
student hands in does exactly what the test's author had in mind.
"""

from __future__ import annotations

import ast
import html
import os
import re
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).parent.parent))

from hand_in import answered, read_notebook, solved
from notebooks import COURSE, SOURCES, functions, graded_cells, is_test, read, run, settings
from trainings import WRONG, changed

BINARIES = Path(sys.executable).parent
TAKEN = """{solution}


def _mistake():
    found = {{}}

    def check(student, reference, cases=(), mistakes=None, **options):
        found.update(mistakes or {{}})

{test}

    return found[{sentence!r}]


{name} = {wrapped}
"""
# Tests that compare something made from the answer: the answer that makes it.
UNWRAPPED = {"sigmoid(D) / exp(D)": "(lambda wrong: lambda D: wrong(D) * np.exp(D))(_mistake())"}


COMMANDS = (("nbreferee", "feedback"), ("nbgrader", "generate_feedback", "--force"))


@dataclass(frozen=True)
class Made:
    """A mistake that a student makes: where, and the words that the page should hold."""

    student: str
    source: Path
    grade_id: str
    words: str


def answers_of(source: Path) -> dict[str, list[tuple[str, str, str]]]:
    """Return the wrong answers of a notebook by exercise: (grade id, words, code)."""
    notebook = read(source)
    solutions = solved(notebook)
    tests = {settings(cell)["grade_id"]: cell.source for cell in notebook.cells if is_test(cell)}
    ran = run(source)
    found: dict[str, list[tuple[str, str, str]]] = {}
    for name, ids in graded_cells(functions(notebook), tests).items():
        found[name] = [
            (
                check.grade_id,
                sentence,
                _code(
                    name, solutions[name], tests[check.grade_id], check.student.__name__, sentence
                ),
            )
            for check in ran.checks
            if check.grade_id in ids and name != "train"
            for sentence in check.mistakes
        ]
        if name == "train":
            found[name] = [
                (grade_id, words, changed(changes))
                for changes, lost in WRONG.values()
                for grade_id, words in lost.items()
                if words
            ]
    return found


def _code(name: str, solution: str, test: str, tested: str, sentence: str) -> str:
    wrapped = UNWRAPPED.get(tested, "_mistake()")
    body = textwrap.indent(_without_gradtests(test), "    ")
    return TAKEN.format(solution=solution, test=body, sentence=sentence, name=name, wrapped=wrapped)


def _without_gradtests(test: str) -> str:
    """Return a test with something in the place of what students do not have, which returns ()."""
    lines = test.split("\n")
    for node in ast.parse(test).body:
        if isinstance(node, ast.ImportFrom) and node.module == "gradtests":
            names = [one.name for one in node.names if one.name != "check"]
            lines[node.lineno - 1 : node.end_lineno] = [
                *(f"{name} = lambda *arguments, **options: ()" for name in names),
                *[""] * ((node.end_lineno or node.lineno) - node.lineno + 1 - len(names)),
            ]
    return "\n".join(lines)


def hand_in_class(course: Path, sources: list[Path], students: int | None = None) -> list[Made]:
    """Hand in the class of some notebooks, or its first students; return who makes what."""
    made = []
    for source in sources:
        release = read_notebook(COURSE / "release" / source.parent.name / source.name)
        answers = answers_of(source)
        for number in range(students or max(map(len, answers.values()))):
            student = f"mistaken_{number:02}"
            given = {}
            for name, wrong in answers.items():
                if number < len(wrong):
                    grade_id, words, given[name] = wrong[number]
                    made.append(Made(student, source, grade_id, words))
            path = course / "submitted" / student / source.parent.name / source.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(nbformat.writes(answered(release, given)))
    return made


def make_course(course: Path, assignments: list[str]) -> None:
    """Copy the course, with the release of the assignments."""
    course.mkdir()
    shutil.copy(COURSE / "nbgrader_config.py", course)
    for name in assignments:
        shutil.copytree(COURSE / "source" / name, course / "source" / name)
        command(course, "nbgrader", "generate_assignment", name, "--log-level=ERROR")


def command(course: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment in the course."""
    path = f"{BINARIES}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic
    return subprocess.run(
        [BINARIES / words[0], *words[1:]],
        cwd=course,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def text_of(page: Path) -> str:
    """Return the words of a page, with single spaces."""
    words = html.unescape(re.sub(r"<[^>]*>", "", page.read_text()))
    return " ".join(words.split())


def page_of(course: Path, one: Made) -> Path:
    """Return the page of the student who makes a mistake."""
    return course / "feedback" / one.student / one.source.parent.name / f"{one.source.stem}.html"


def untold(course: Path, made: list[Made]) -> list[Made]:
    """Return the mistakes that the page of their student does not name."""
    texts: dict[Path, str] = {}
    return [
        one
        for one in made
        if " ".join(one.words.split())
        not in texts.setdefault(page_of(course, one), text_of(page_of(course, one)))
    ]


def main(course: Path, assignments: list[str]) -> int:
    """Grade the class and look at its pages; return how many mistakes are not told."""
    sources = [one for one in SOURCES if not assignments or one.parent.name in assignments]
    names = sorted({one.parent.name for one in sources})
    make_course(course, names)
    made = hand_in_class(course, sources)
    print(f"{len(made)} mistakes, {len({page_of(course, one) for one in made})} notebooks")
    graded = command(course, "nbreferee", "autograde", *names)
    print(graded.stdout[-1500:], graded.stderr[-3000:])
    wrong = 0
    for words in COMMANDS:
        shutil.rmtree(course / "feedback", ignore_errors=True)
        for name in names:
            ran = command(course, *words, name)
            if ran.returncode:
                print(ran.stderr[-2000:])
        missing = untold(course, made)
        for one in missing:
            print(f"  {one.student}, {one.source.stem}, {one.grade_id}: {one.words}")
        print(f"{' '.join(words)}: {len(made) - len(missing)} of {len(made)} told")
        wrong += len(missing)
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1]), sys.argv[2:]) else 0)
