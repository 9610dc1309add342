"""Wrong answers to an exercise, grouped by what they do.

Two answers are in one group if a test names the same mistake for both, if they raise the same
exception, or if they give the same results in all tests that fail. What an answer gives is known by
a digest that grading keeps (`engine.tester.behaviour`); how its code is written makes no
difference.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbformat import NotebookNode

from nbreferee.grading.executed import read_executed
from nbreferee.marking.questions import exercises_of, read_notebook
from nbreferee.pages.blocks import Writer
from nbreferee.pages.exercises import says_stub
from nbreferee.pages.message import read_message
from nbreferee.pages.plain import policy_for
from nbreferee.pages.shown import plain
from nbreferee.pages.student import page_cell

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory

LOST = ("failed", "error", "timeout", "partial")  # statuses of tests that an answer has failed
UNWRITTEN, MISTAKE, EXCEPTION, TIMEOUT, RESULTS = (
    "not written", "likely cause", "exception", "timeout", "same results",
)  # fmt: skip
_RAISED = re.compile(r"\braised (?P<what>[A-Za-z_]\w*: .*?)(?: \(at: |\n|$)")
_NUMBERS = re.compile(r"0x[0-9a-f]+|\d+")
_FOLLOWED = re.compile(r"^Your [^;\n]+; .*?with (?:a right one|right ones) [^\n:]*: ")


@dataclass(frozen=True)
class TestedExercise:
    """An exercise with automatic tests, as the instructor's notebook has it."""

    notebook: str
    title: str
    answers: tuple[str, ...]  # grade ids
    tests: Mapping[str, str]  # source by grade id

    @property
    def name(self) -> str:
        """The grade id that it is known by: its first answer's, or else its first test's."""
        return self.answers[0] if self.answers else next(iter(self.tests))

    def is_called(self, name: str) -> bool:
        """Whether a name means this exercise."""
        names = {*self.answers, *self.tests}
        return name in names or name in {f"{self.notebook}/{one}" for one in names}


@dataclass(frozen=True)
class WrongAnswer:
    """What one student's answer does wrong."""

    student: str
    keys: tuple[tuple[str, str], ...]  # (kind, text): answers that share one are alike
    message: str
    code: str
    failed: tuple[str, ...] = ()  # grade ids of tests


@dataclass(frozen=True)
class Group:
    """Wrong answers that do the same."""

    id: str
    kind: str
    label: str
    answers: tuple[WrongAnswer, ...]
    behaviours: tuple[str, ...]  # digests of all keys of its answers

    @property
    def students(self) -> list[str]:
        """Who is in it."""
        return [one.student for one in self.answers]

    @property
    def failed(self) -> set[str]:
        """The tests that all of its answers fail."""
        return set.intersection(*(set(one.failed) for one in self.answers))


@dataclass(frozen=True)
class ExerciseGroups:
    """The groups of one exercise, the largest first."""

    exercise: TestedExercise
    handed_in: int  # executed notebooks in which it is tested
    groups: tuple[Group, ...]

    @property
    def wrong(self) -> int:
        """How many answers are wrong."""
        return sum(len(group.answers) for group in self.groups)


def groups_of(
    course: CourseDirectory, assignment: str, students: Iterable[str]
) -> list[ExerciseGroups]:
    """Return the groups of all exercises of an assignment, from its executed notebooks."""
    exercises = tested_exercises(course, assignment)
    wrong: dict[int, list[WrongAnswer]] = {n: [] for n in range(len(exercises))}
    handed_in = Counter[int]()
    notebooks = sorted({one.notebook for one in exercises})
    for student in students:
        folder = Path(course.format_path(course.autograded_directory, student, assignment))
        for notebook in notebooks:
            found = _read(folder / f"{notebook}.ipynb")
            if found is None:
                continue
            sources, record = found
            for number, exercise in enumerate(exercises):
                if exercise.notebook == notebook and exercise.tests.keys() & record.keys():
                    handed_in[number] += 1
                    if answer := _wrong_answer(student, exercise, sources, record):
                        wrong[number].append(answer)
    return [
        ExerciseGroups(exercise, handed_in[number], _grouped(wrong[number]))
        for number, exercise in enumerate(exercises)
    ]


def tested_exercises(course: CourseDirectory, assignment: str) -> list[TestedExercise]:
    """Return the exercises of an assignment that have automatic tests."""
    folder = Path(course.format_path(course.source_directory, ".", assignment))
    found: list[TestedExercise] = []
    for path in sorted(folder.glob("*.ipynb")):
        source = read_notebook(path)
        if source is not None:
            found += _tested(path.stem, source)
    return found


def _tested(notebook: str, source: NotebookNode) -> Iterator[TestedExercise]:
    texts = frozenset(cell.source for cell in source.cells)
    cells = [page_cell(number, cell, texts) for number, cell in enumerate(source.cells, 1)]
    writer = Writer(policy_for(cell.grade_id for cell in cells))
    for exercise in exercises_of(cells, writer):
        tests = {one.cell.grade_id: one.cell.source for one in exercise.parts if one.cell.is_test}
        if tests:
            title = plain(writer.name(exercise)[0].striptags().strip())
            answers = tuple(cell.grade_id for cell in exercise.answers if not cell.is_graded)
            yield TestedExercise(notebook, title, answers, tests)


def _read(path: Path) -> tuple[dict[str, str], dict[str, dict[str, Any]]] | None:
    """Return sources and verdicts of an executed notebook by grade id; None if there are none."""
    try:
        notebook = read_executed(path)
        cells = notebook["metadata"]["nbreferee"]["cells"]
        sources = {
            cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"])
            for cell in notebook["cells"]
            if cell["metadata"].get("nbgrader", {}).get("solution")
        }
        return sources, {one["grade_id"]: one for one in cells}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _wrong_answer(
    student: str,
    exercise: TestedExercise,
    sources: Mapping[str, str],
    record: Mapping[str, dict[str, Any]],
) -> WrongAnswer | None:
    failed = [
        record[name]
        for name in exercise.tests
        if name in record
        and record[name]["status"] in LOST
        and record[name]["score"] < record[name]["max_score"]
    ]
    if not failed:
        return None
    code = "\n\n".join(sources[name] for name in exercise.answers if name in sources)
    names = tuple(str(one["grade_id"]) for one in failed)
    return WrongAnswer(student, tuple(_keys(failed)), str(failed[-1]["message"]), code, names)


def _keys(failed: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield what answers have in common that do the same, what says most first."""
    messages = [str(one["message"]) for one in failed]
    if all(map(says_stub, messages)):
        yield UNWRITTEN, "nothing is written yet"
        return
    causes = [cause for message in messages if (cause := read_message(message).cause)]
    if causes:
        yield MISTAKE, causes[-1]  # of the last test, which knows most mistakes
    if all(one["status"] == "timeout" for one in failed):
        yield TIMEOUT, "it takes too long"
    raised = [_exception(one) for one in failed]
    if all(raised):
        yield EXCEPTION, raised[-1]
    names = [str(one["grade_id"]) for one in failed]
    digests = [str(one.get("behaviour") or "") for one in failed]
    if all(digests):
        yield RESULTS, json.dumps([*zip(names, digests, strict=True)])
    elif not causes or not all(raised):
        yield RESULTS, json.dumps([*zip(names, messages, strict=True)])


def _exception(one: Mapping[str, Any]) -> str:
    """Return the exception that a test has met in an answer, without numbers; or ''."""
    message = str(one["message"])
    if found := _RAISED.search(message):
        return _NUMBERS.sub("n", found["what"])[:300]
    if one["status"] == "error":
        return _NUMBERS.sub("n", message.partition("\n")[0])[:300]
    return ""


def _grouped(answers: Sequence[WrongAnswer]) -> tuple[Group, ...]:
    """Return groups of answers that share a key, directly or by way of others."""
    parent = list(range(len(answers)))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = n = parent[parent[n]]
        return n

    first: dict[tuple[str, str], int] = {}
    for n, answer in enumerate(answers):
        for key in answer.keys:
            parent[root(n)] = root(first.setdefault(key, n))
    members: dict[int, list[WrongAnswer]] = {}
    for n, answer in enumerate(answers):
        members.setdefault(root(n), []).append(answer)
    found = [_group(one) for one in members.values()]
    return tuple(sorted(found, key=lambda one: (-len(one.answers), one.id)))


def _group(answers: Sequence[WrongAnswer]) -> Group:
    counts = Counter(key for answer in answers for key in answer.keys)
    order = (UNWRITTEN, MISTAKE, TIMEOUT, EXCEPTION, RESULTS)
    kind, text = min(counts, key=lambda key: (order.index(key[0]), -counts[key], key))
    digests = sorted({behaviour_of(key) for key in counts})
    label = text if kind != RESULTS else _described(answers[0].message)
    return Group(f"g{behaviour_of((kind, text))[:6]}", kind, label, tuple(answers), tuple(digests))


def behaviour_of(key: tuple[str, str]) -> str:
    """Return a short name for what answers have in common."""
    return hashlib.sha256("\0".join(key).encode("utf-8", "replace")).hexdigest()[:16]


def _described(message: str) -> str:
    """Return what an unnamed mistake does, from the test's message."""
    text = _FOLLOWED.sub("", message).partition("\n")[0]
    return text if len(text) <= 200 else f"{text[:200]} …"
