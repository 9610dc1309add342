"""The line that makes a group of wrong answers a named mistake of its test."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from nbreferee.marking.groups import MISTAKE, UNWRITTEN, Group, TestedExercise

KNOWN = (
    "The test already names this mistake ({!r}). To say it otherwise, change that sentence in {}."
)
NOTHING = "Nothing was written in these answers, so there is no mistake to add to the test."
TABLE = "To have the test name this mistake from now on, add to `mistakes` in cell {} of {}:"
PLAIN = (
    "To have the test say this from now on, give the assertion in cell {} of {} that fails the "
    "text:"
)


@dataclass(frozen=True)
class Suggestion:
    """What to add to a test."""

    sentence: str
    lines: str = ""  # Python


def suggestion(exercise: TestedExercise, group: Group, text: str, path: str) -> Suggestion:
    """Return the line to add to the test of an exercise; `path` is the instructor's notebook."""
    if group.kind == UNWRITTEN:
        return Suggestion(NOTHING)
    if group.kind == MISTAKE and any(
        group.label.rstrip(".") in source for source in exercise.tests.values()
    ):
        return Suggestion(KNOWN.format(group.label, path))
    call = _call(exercise)
    if call is None:
        name = list(exercise.tests)[-1]
        return Suggestion(PLAIN.format(name, path), f"assert ..., {text!r}")
    name, function = call
    lines = _lines(text, function, group.answers[0].code)
    return Suggestion(TABLE.format(name, path), lines)


def _call(exercise: TestedExercise) -> tuple[str, str] | None:
    """Return the last test that is a table of mistakes, and the function that it calls."""
    found = None
    for name, source in exercise.tests.items():
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "check"
                and node.args
                and isinstance(node.args[0], ast.Name)
            ):
                has_table = any(one.arg == "mistakes" for one in node.keywords)
                if found is None or has_table:
                    found = name, node.args[0].id
    return found


def _lines(text: str, function: str, code: str) -> str:
    """Return an entry of the table, with the function of an example: on one line if it can be."""
    definition = _definition(function, code)
    if definition is None:
        return f"{text!r}: wrong_{function},"
    body = [node for node in definition.body if not _is_docstring(node)]
    parameters = ast.unparse(definition.args)
    if len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value is not None:
        return f"{text!r}: lambda {parameters}: {ast.unparse(body[0].value)},"
    definition.name = f"wrong_{function}"
    definition.body = body or definition.body
    above = "with the function of one of these answers above it:"
    return f"{text!r}: {definition.name},\n\n{above}\n\n{ast.unparse(definition)}"


def _definition(function: str, code: str) -> ast.FunctionDef | None:
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return None
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == function
    ]
    return found[-1] if found else None


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
