"""What `verify` knows of the modules that tests are written with: a plug-in for each.

It is a file, MODULE.py in this folder or MODULE.verify.py in a course's source folder. Where the
notebook imports the module, the tester runs the file in a namespace of its own, and calls its
functions, each if it is there:

before the first cell: start()
    prepares the module. It may have it leave out what takes long and costs no points.
before a test that names mistakes: try_mistakes()
    from now on the module has to try each mistake that a test names in the place of the student's
    function, and to print a line for each: `nbreferee mistake `, and in JSON a list of the
    mistake's sentence and of what the student would be told, '' where the mistake passes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nbreferee.course.ownership import Plan, Step
from nbreferee.engine.box_runner import CellResult, CellToRun

FOLDER = Path(__file__).parent
LINE = "nbreferee mistake "
START, TRY_MISTAKES = "start", "try_mistakes"


@dataclass(frozen=True)
class PluggedIn:
    """A notebook's plan with the cells of plug-ins."""

    plan: Plan
    start: tuple[CellToRun, ...]  # to be run first
    try_mistakes: tuple[CellToRun, ...]  # to be run before a test


def plug_in(plan: Plan, source: Path) -> PluggedIn:
    """Return a plan with the cells of the plug-ins whose modules the notebook imports; `source` is
    the course's folder of assignments.
    """
    paths = [
        next((path for path in _paths(module, source) if path.is_file()), None)
        for module in plan.modules
    ]
    texts = [path.read_text() for path in paths if path]
    steps: list[Step] = []
    cells: dict[str, list[CellToRun]] = {START: [], TRY_MISTAKES: []}
    for function, found in cells.items():
        for text in texts:
            step = Step(len(plan.steps) + len(steps), "locked", source=_source(text, function))
            steps.append(step)
            found.append(CellToRun("", True, step.index, step.role))
    plan = replace(plan, steps=(*plan.steps, *steps))
    return PluggedIn(plan, tuple(cells[START]), tuple(cells[TRY_MISTAKES]))


def _paths(module: str, source: Path) -> tuple[Path, ...]:
    """Return where the plug-in for a module may be."""
    return source / f"{module}.verify.py", FOLDER / f"{module}.py"


def _source(text: str, function: str) -> str:
    """Return a cell that calls a function of a plug-in, and leaves no names to the tests."""
    text += f"\n\nglobals().get({function!r}, int)()\n"
    return f"exec({text!r}, {{'__name__': 'plugin'}})"


def told_mistakes(result: CellResult) -> Iterator[tuple[str, str]]:
    """Yield (sentence of a mistake, what the student would be told) from what a test prints."""
    for output in result.outputs:
        for line in output.get("text", "").splitlines():
            if line.startswith(LINE):
                sentence, told = json.loads(line.removeprefix(LINE))
                yield sentence, told
