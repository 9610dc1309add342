"""nbreferee validate: what the visible tests of a student's notebook say, in a sentence each.

It finds what the button Validate in JupyterLab finds, and ends with an exit status that a script
can use. The notebook's code runs unprotected: it is for a student's own work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearOutput, Execute
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution, setenv

# No history of the student's, and no remarks of the kernel on how it is connected.
KERNEL_OPTIONS = ["--HistoryManager.hist_file=:memory:", "--log-level=ERROR"]


class ValidationError(Exception):
    """A notebook that cannot be validated; the text says why and what to do."""


@dataclass(frozen=True)
class Validated:
    """What the visible tests of a notebook say."""

    path: Path
    tests: int
    failed: dict[str, str] = field(default_factory=dict)  # by grade id: why, in a sentence

    def lines(self) -> Iterator[str]:
        """Yield what a person reads."""
        for grade_id, why in self.failed.items():
            yield f"{grade_id}: {why}"
        if self.failed:
            yield f"{self.path}: {len(self.failed)} of {self.tests} visible tests fail."
        else:
            yield f"{self.path}: all {self.tests} visible tests pass; hidden ones are for grading."


def validate(path: Path) -> Validated:
    """Run a notebook in its folder, and return what its visible tests say.

    Raises
    ------
    ValidationError
        where it cannot be run, or holds no test.
    """
    notebook = _read(path)
    tests = [cell for cell in notebook.cells if _is_visible_test(cell)]
    if not tests:
        raise ValidationError(f"{path}: no visible test here. Is it a notebook of the course?")
    changed = {_grade_id(cell) for cell in tests if _is_changed(cell)}
    executed = _run(notebook, path)
    failed = {}
    for cell in filter(_is_visible_test, executed.cells):
        if _grade_id(cell) in changed:
            failed[_grade_id(cell)] = (
                "this test is not as it was handed out. Take it from a fresh copy of the notebook."
            )
        elif why := _fault(cell):
            failed[_grade_id(cell)] = why
    return Validated(path, len(tests), failed)


def _read(path: Path) -> NotebookNode:
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
    except OSError as error:
        raise ValidationError(f"{path}: {error.strerror}. Name a notebook.") from None
    except Exception as error:  # nbformat raises all sorts
        said = next(iter(str(error).splitlines()), type(error).__name__)[:200]
        raise ValidationError(
            f"{path}: this is no notebook ({said}). Save it again in JupyterLab, or start afresh."
        ) from None
    return notebook


def _run(notebook: NotebookNode, path: Path) -> NotebookNode:
    resources = {"metadata": {"path": str(path.absolute().parent)}}
    try:
        with setenv(NBGRADER_VALIDATING="1", NBGRADER_EXECUTION="validate"):
            for step in (ClearOutput(), Execute(extra_arguments=KERNEL_OPTIONS)):
                notebook, resources = step.preprocess(notebook, resources)
    except DeadKernelError:
        raise ValidationError(
            f"{path}: Python ended while the notebook ran. See in JupyterLab in which cell."
        ) from None
    except CellTimeoutError:
        raise ValidationError(
            f"{path}: a cell takes too long. Run it in JupyterLab and see which one."
        ) from None
    except Exception as error:  # the kernel could not be started, for example
        said = next(iter(str(error).splitlines()), type(error).__name__)[:200]
        raise ValidationError(f"{path}: the notebook cannot be run ({said}).") from None
    return notebook


def _is_visible_test(cell: NotebookNode) -> bool:
    """Return whether a cell tests something: of a hidden test students have the comment alone."""
    if cell.cell_type != "code" or not is_grade(cell) or is_solution(cell):
        return False
    rows = (row.strip() for row in cell.source.split("\n"))
    return any(row and not row.startswith("#") for row in rows)


def _is_changed(cell: NotebookNode) -> bool:
    checksum = cell.metadata.nbgrader.get("checksum")
    return checksum is not None and checksum != compute_checksum(cell)


def _grade_id(cell: NotebookNode) -> str:
    return str(cell.metadata.nbgrader.grade_id)


def _fault(cell: NotebookNode) -> str:
    """Return why a test that has run fails, or nothing. What is on stderr is no fault."""
    for output in cell.outputs:
        if output.output_type == "error":
            return _sentence(output)
    cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
    score, points = determine_grade(cell)
    if score is not None and score < points:
        return f"{score:g} of {points:g} points."
    return ""


def _sentence(error: NotebookNode) -> str:
    text = " ".join(error.evalue.split())
    if error.ename == "AssertionError":
        return text or "the assertion does not hold."
    return f"{error.ename}: {text}".removesuffix(": ")


def validate_all(paths: Sequence[Path]) -> Iterator[tuple[int, str]]:
    """Yield (status, line) of several notebooks: 0 passed, 1 some test fails, 2 none could run."""
    for path in paths:
        try:
            found = validate(path)
        except ValidationError as error:
            yield 2, f"nbreferee: {error}"
        else:
            for line in found.lines():
                yield 1 if found.failed else 0, line
