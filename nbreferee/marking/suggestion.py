"""What to add to a test so that it names a group of wrong answers as a mistake."""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from nbreferee.marking.groups import MISTAKE, TIMEOUT, UNWRITTEN, Group, TestedExercise
from nbreferee.marking.wrong_function import (
    WrongFunction,
    source_of,
    statements_of,
    surroundings,
    wrong_function,
)

KNOWN = (
    "The test already names this mistake ({!r}). To say it otherwise, change that sentence in {}."
)
NOTHING = "Nothing was written in these answers, so there is no mistake to add to the test."
ENDLESS = (
    "These answers do not come to an end, and neither would a test that tries them: "
    "there is no mistake to add to it."
)
TABLE = "To have the test name this mistake from now on, add to `mistakes` in cell {} of {}:"
ARGUMENT = (
    "To have the test name this mistake from now on, give `check` in cell {} of {} this argument:"
)
PLAIN = (
    "To have the test say this from now on, give the assertion in cell {} of {} that fails the "
    "text:"
)
ABOVE = "and this function above `check`:"
UNKNOWN = "{} is not known in the test: write what it stands for into the function."
YOURS = "and `{}` above `check`: a function that does what these answers do."


@dataclass(frozen=True)
class Suggestion:
    """What to add to a test."""

    sentence: str
    lines: str = ""  # Python, with words between


@dataclass(frozen=True)
class _Call:
    """A call of `check` in a test."""

    test: str  # grade id
    tested: str  # what it is given to test, as Python
    mistakes: int | None  # in its table; None where it has none


def suggestion(
    exercise: TestedExercise, group: Group, text: str, path: str, source: NotebookNode
) -> Suggestion:
    """Return what to add to the test of an exercise; `source` is the instructor's notebook."""
    if group.kind == UNWRITTEN:
        return Suggestion(NOTHING)
    if group.kind == TIMEOUT:
        return Suggestion(ENDLESS)
    if group.kind == MISTAKE and any(
        group.label.rstrip(".") in test for test in exercise.tests.values()
    ):
        return Suggestion(KNOWN.format(group.label, path))
    tests = [name for name in exercise.tests if name in group.failed] or [*exercise.tests]
    written = _functions([source_of(source, name) for name in exercise.answers])
    sentence = json.dumps(" ".join(text.split()), ensure_ascii=False)
    call = _call(exercise, tests, written)
    if call is None:
        return Suggestion(PLAIN.format(tests[-1], path), f"assert ..., {sentence}")
    where = (ARGUMENT if call.mistakes is None else TABLE).format(call.test, path)
    if call.tested not in written:
        return Suggestion(where, _entry(call, sentence, "wrong") + f"\n\n{YOURS.format('wrong')}")
    around = surroundings(source, exercise.answers)
    found = [wrong_function(call.tested, one.code, around) for one in group.answers]
    shortest = min(
        (one for one in found if one is not None),
        key=lambda one: (len(one.unknown), len(one.source)),
        default=None,
    )
    return Suggestion(where, _lines(sentence, call, shortest))


def _call(exercise: TestedExercise, tests: Sequence[str], written: Collection[str]) -> _Call | None:
    """Return the call of `check` with the longest table, of the last test that has one.

    Calls that test what students write come before those of something made from it.
    """
    for test in reversed(tests):
        calls = [*_calls(test, exercise.tests[test])]
        if calls:
            return max(
                calls,
                key=lambda one: (
                    one.tested in written,
                    -1 if one.mistakes is None else one.mistakes,
                ),
            )
    return None


def _calls(test: str, source: str) -> Iterator[_Call]:
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic, perhaps
        return
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "check"
            and node.args
        ):
            tables = [one.value for one in node.keywords if one.arg == "mistakes"] + node.args[3:4]
            sizes = [len(one.keys) if isinstance(one, ast.Dict) else 1 for one in tables]
            yield _Call(test, ast.unparse(node.args[0]), sizes[0] if sizes else None)


def _functions(sources: Sequence[str]) -> set[str]:
    return {node.name for node in statements_of(sources) if isinstance(node, ast.FunctionDef)}


def _lines(sentence: str, call: _Call, found: WrongFunction | None) -> str:
    name = f"wrong_{call.tested}"
    if found is None:
        return f"{_entry(call, sentence, name)}\n\n{YOURS.format(name)}"
    lines = _entry(call, sentence, found.expression or name)
    if not found.expression:
        lines += f"\n\n{ABOVE}\n\n{found.source}"
    if found.unknown:
        lines += f"\n\n{UNKNOWN.format(', '.join(found.unknown))}"
    return lines


def _entry(call: _Call, sentence: str, function: str) -> str:
    entry = f"{sentence}: {function},"
    return entry if call.mistakes is not None else f"mistakes={{\n    {entry}\n}},"
