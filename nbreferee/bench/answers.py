"""Answers that a class hands in: right ones in the words of different students, wrong ones of the
kinds that occur.

Right answers are the instructor's alternatives, wrong ones the mistakes that the tests name, and
mutants of the solution. Nothing is run here.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbreferee.course.alternatives import read_alternatives
from nbreferee.course.dataflow import changed_names, free_names
from nbreferee.course.source import Cell, Master
from nbreferee.mutation import mutants


@dataclass(frozen=True)
class Choices:
    """What students may write into one solution cell."""

    right: tuple[str, ...]
    mistakes: tuple[str, ...]  # that a test names
    mutants: tuple[str, ...]

    @property
    def wrong(self) -> dict[str, tuple[str, ...]]:
        """The wrong answers by kind."""
        return {"mistake": self.mistakes, "mutant": self.mutants}


def choices_of(master: Master, notebook: Path) -> dict[str, Choices]:
    """Return the choices for each solution cell of a source notebook, by grade id.

    The solution itself is a choice only where the instructor has written no alternative.
    """
    alternatives = read_alternatives(notebook)
    return {
        cell.grade_id: Choices(
            tuple(source for label, source in alternatives if label == cell.label)
            or (without_markers(cell.source),),
            tuple(_named_mistakes(master, cell)),
            tuple(without_markers(one.source) for one in mutants(cell.source, cell.solution_lines)),
        )
        for cell in master.answers
    }


def without_markers(source: str) -> str:
    """Return a source without the lines that mark the solution."""
    return "\n".join(line for line in source.split("\n") if " SOLUTION" not in line)


def _named_mistakes(master: Master, answer: Cell) -> Iterator[str]:
    """Yield the solution with a function replaced by a mistake of `check(..., mistakes={sentence:
    lambda ...})`.
    """
    if answer.tree is None:
        return
    functions = {one.name: one for one in answer.tree.body if isinstance(one, ast.FunctionDef)}
    known = {*dir(builtins), *functions}.union(
        *(changed_names(cell) or () for cell in master.cells if cell.is_code and not cell.is_test)
    )
    for test in master.tests:
        for call in ast.walk(test.tree) if test.tree else ():
            if not isinstance(call, ast.Call) or not call.args:
                continue
            subject = call.args[0]
            function = functions.get(subject.id) if isinstance(subject, ast.Name) else None
            if function is None:
                continue
            for mistake in _lambdas(call):
                if free_names(mistake) <= known:
                    yield without_markers(_with_body(answer.source, function, mistake))


def _lambdas(call: ast.Call) -> Iterator[ast.Lambda]:
    for keyword in call.keywords:
        if keyword.arg == "mistakes" and isinstance(keyword.value, ast.Dict):
            yield from (one for one in keyword.value.values if isinstance(one, ast.Lambda))


def _with_body(source: str, function: ast.FunctionDef, mistake: ast.Lambda) -> str:
    lines = source.split("\n")
    made = (
        f"def {function.name}({ast.unparse(mistake.args)}):\n    return {ast.unparse(mistake.body)}"
    )
    return "\n".join([*lines[: function.lineno - 1], made, *lines[function.end_lineno :]])
