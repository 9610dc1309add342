"""Run a whole notebook in one process, tests and answers together, as stock nbgrader does.

This is for tests that cannot work from another process. The sandbox holds all the same. What is
lost is that tests are out of a student's reach, so nothing that this run shows is passed on: of
each test it keeps the score, and a message that is made of the author's visible text alone. Which
cells are judged so is decided in `grading.calibration`.
"""

from __future__ import annotations

import ast
import builtins
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbreferee.budget import TOO_LONG
from nbreferee.engine.assignment_files import AssignmentFiles
from nbreferee.engine.box_runner import BoxRunner, CellResult, CellToRun
from nbreferee.engine.processes import Boxes
from nbreferee.verdicts import CellStatus, CellVerdict

NUMPY_NUMBER = re.compile(r"np\.\w+\((.*)\)")
FAILING_LINE = re.compile(r"^-+> ?(\d+) ", re.MULTILINE)
MESSAGE_CHARACTERS = 2_000


@dataclass(frozen=True)
class TestCell:
    """A test cell: its source, its points, and the numbers, from 1, of its hidden lines."""

    grade_id: str
    source: str
    points: float
    hidden_lines: Collection[int] = ()


class OneProcess(BoxRunner):
    """Runs a notebook with its tests in a box; keeps the scores of tests."""

    def __init__(
        self,
        warm: Boxes,
        files: Mapping[str, bytes],
        placed: AssignmentFiles,
        tests: Mapping[int, TestCell],
    ) -> None:
        super().__init__(warm, files, placed)
        self._tests = tests  # by the step of the instructor's notebook

    def grade(self, parts: Sequence[CellToRun]) -> list[CellResult]:
        """Run all cells; return the status, score and message of those that are tests."""
        try:
            return [
                self._verdict(part, one)
                for part, one in zip(parts, self._run_all(parts), strict=True)
            ]
        finally:
            self._drop_box()

    def _not_run(self, part: CellToRun, text: str) -> CellVerdict:
        assert part.step is not None, "every test is a step of the plan"
        test = self._tests[part.step]
        return CellVerdict(test.grade_id, "timeout", 0.0, test.points, text)

    def _verdict(self, part: CellToRun, ran: CellResult) -> CellResult:
        if part.role != "test" or part.step is None:
            return CellResult()
        if ran.verdict is not None:  # not run
            return CellResult(verdict=ran.verdict)
        verdict = judge_outputs(self._tests[part.step], ran.outputs)
        return CellResult(verdict=verdict, wall_s=ran.wall_s)


def judge_outputs(test: TestCell, outputs: Sequence[dict[str, Any]]) -> CellVerdict:
    """Return the verdict on a test that has run, from its outputs.

    As nbgrader.utils.determine_grade does, but that text on stderr costs nothing and a NumPy number
    is a number.
    """

    def verdict(status: CellStatus, message: str, score: float = 0.0) -> CellVerdict:
        return CellVerdict(test.grade_id, status, score, test.points, message)

    for output in outputs:
        if output["output_type"] == "error":
            kind = output["ename"]
            if kind == "TimeoutError" and not output["traceback"][:-1]:
                return verdict("timeout", TOO_LONG)
            status: CellStatus = "failed" if kind == "AssertionError" else "error"
            return verdict(status, visible_message(test, output))
        if output["output_type"] == "execute_result":
            score = number_of(output["data"].get("text/plain"))
            if score is None:
                break
            gives = f"the test gives {score:g} of {test.points:g} points"
            if not 0 <= score <= test.points:
                return verdict("grader_failed", f"{gives}. Tell your instructor.")
            if score == test.points:
                break
            return verdict("partial" if score else "failed", gives, score)
    return verdict("passed", "", test.points)


def number_of(text: object) -> float | None:
    """Return the number that a result shows; None where it shows none."""
    if not isinstance(text, str) or len(text) > 100 or text in ("True", "False"):
        return None
    inner = NUMPY_NUMBER.fullmatch(text.strip())
    try:
        number = float(inner[1] if inner else text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def visible_message(test: TestCell, error: Mapping[str, Any]) -> str:
    """Return what failed in a test, in the author's visible words; what the process says is not
    passed on.
    """
    found = FAILING_LINE.search("\n".join(error["traceback"]))
    line = int(found[1]) if found else 0
    lines = test.source.split("\n")
    if not 0 < line <= len(lines):
        return "the test does not hold"
    if line in test.hidden_lines:
        return "a hidden test does not hold"
    if words := _author_words(test.source, line):
        return words
    kind = (
        error["ename"] if isinstance(getattr(builtins, error["ename"], None), type) else "it fails"
    )
    return f"{kind} in line {line}: {lines[line - 1].strip()}"[:MESSAGE_CHARACTERS]


def _author_words(source: str, line: int) -> str:
    """Return the message that stands as plain text in the assertion at a line."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Assert)
            and node.lineno <= line <= (node.end_lineno or node.lineno)
            and isinstance(node.msg, ast.Constant)
            and isinstance(node.msg.value, str)
        ):
            return node.msg.value[:MESSAGE_CHARACTERS]
    return ""
