"""What can be told of a notebook by reading it: what its release leaks, and what is unsound in
it.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearOutput, ClearSolutions
from traitlets.config import Config

from nbreferee.course.source import Cell, Master, MasterError, read_master
from nbreferee.verify.records import Finding

TELLING = 16  # characters: a shorter line may stand in the release by chance
COMMONPLACE = re.compile(
    r"(import |from |rng = |def |for |if |while |with |[\])}]|#|\w+=[^=]*,$|[\w.]+[,:(]?$)"
)
DATA = {
    ".npz",
    ".npy",
    ".csv",
    ".json",
    ".txt",
    ".pkl",
    ".h5",
    ".mat",
    ".png",
    ".jpg",
    ".svg",
    ".dat",
    ".tsv",
    ".parquet",
}


def make_release(master: Master, config: Config) -> NotebookNode:
    """Return what nbgrader hands out for a master.

    Raises
    ------
    MasterError
        where nbgrader would refuse to.
    """
    notebook = copy.deepcopy(master.notebook)
    try:
        MetadataValidator().validate_nb(notebook)
        for step in (ClearSolutions, ClearOutput, ClearHiddenTests, ClearMarkScheme):
            notebook, _ = step(config=config).preprocess(notebook, {})
    except Exception as error:  # nbgrader raises all sorts
        said = " ".join(str(error).split())[:200]
        raise MasterError(
            f"{master.path}: nbgrader refuses it ({said}). Set the cell's type and points anew in "
            "JupyterLab."
        ) from None
    return notebook


def findings(master: Master, release: NotebookNode, config: Config) -> Iterator[Finding]:
    """Yield what is to be mended, as far as reading can tell."""
    yield from _leaked_lines(master, release, config)
    yield from _leaked_files(master, release)
    yield from _points(master)
    for cell in master.cells:
        if cell.has_output:
            yield Finding(
                cell.label,
                "the source holds outputs of an earlier run. Clear all outputs and save.",
            )
        if cell.solution and cell.attachments:
            names = ", ".join(cell.attachments)
            yield Finding(
                cell.label,
                f"the release keeps what is attached to this answer: {names}. Take it out.",
            )
        if cell.is_test and cell.tree is None:
            yield Finding(cell.label, "a graded cell that is not Python cannot be verified.")
    answered = {
        test.index for answer in master.answers for test in master.affected_tests(answer.index)
    }
    for test in master.tests:
        if test.index not in answered:
            yield Finding(
                test.label,
                "uses nothing that a student writes, so it cannot be failed. Test an answer, or "
                "make it ungraded.",
            )


# ---------------------------------------------------------------- leaks


def _secret_lines(master: Master) -> Iterator[tuple[Cell, str, str]]:
    """Yield (cell, sort, line) of all that a student must not read."""
    for cell in master.cells:
        rows = cell.source.split("\n")
        shown = (
            {row.strip() for n, row in enumerate(rows, 1) if n not in cell.hidden_lines}
            if cell.hidden_lines
            else set()
        )
        hidden = [
            ("a hidden test", n) for n in cell.hidden_lines if rows[n - 1].strip() not in shown
        ]
        answer = [("the solution", n) for n in cell.solution_lines] if cell.is_answer else []
        for sort, number in hidden + answer:
            line = rows[number - 1].strip()
            if len(line) >= TELLING and not COMMONPLACE.match(line):
                yield cell, sort, line
        for text in _hidden_sentences(cell):
            yield cell, "a sentence of a hidden test", text


def _hidden_sentences(cell: Cell) -> list[str]:
    if cell.tree is None or not cell.hidden_lines:
        return []
    return [
        node.value
        for node in ast.walk(cell.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and len(node.value) > 2 * TELLING
        and node.lineno in cell.hidden_lines
    ]


def _leaked_lines(master: Master, release: NotebookNode, config: Config) -> Iterator[Finding]:
    texts = {
        cell.label: shown.source for cell, shown in zip(master.cells, release.cells, strict=True)
    }
    for path in _companions(master):
        if path.suffix not in DATA:
            texts[path.name] = path.read_text(errors="replace")
    for path in master.path.parent.glob("*.ipynb"):
        if path != master.path:
            with contextlib.suppress(MasterError):  # which is reported in its own place
                sibling = make_release(read_master(path, master.delimiters), config)
                texts[path.name] = "\n".join(cell.source for cell in sibling.cells)
    for cell, sort, secret in dict.fromkeys(_secret_lines(master)):
        for label, text in texts.items():
            if secret in text:
                yield Finding(
                    cell.label,
                    f"{sort} can be read in the release, in {label}: {secret!r}. Change or hide "
                    "it there.",
                )
    for cell, shown in zip(master.cells, release.cells, strict=True):
        if shown.get("outputs"):
            yield Finding(cell.label, "the release shows an output. Clear it.")


def _companions(master: Master) -> list[Path]:
    """Return the other files that nbgrader hands out with the notebook."""
    return [
        p
        for p in sorted(master.path.parent.rglob("*"))
        if p.is_file() and p.suffix not in (".ipynb", ".pyc")
    ]


def _leaked_files(master: Master, release: NotebookNode) -> Iterator[Finding]:
    shown = "\n".join(cell.source for cell in release.cells)
    secret = {
        cell.label: "\n".join(cell.source.split("\n")[n - 1] for n in cell.hidden_lines)
        for cell in master.cells
    }
    for path in _companions(master):
        users = [label for label, text in secret.items() if path.name in text]
        if users and path.name not in shown:
            yield Finding(
                users[0],
                f"the file {path.name} is handed out, and only hidden tests use it. Put its "
                "numbers into the test.",
            )


# ---------------------------------------------------------------- points and layout


def _points(master: Master) -> Iterator[Finding]:
    total = sum(cell.points for cell in master.tests)
    hidden = sum(cell.points for cell in master.tests if _is_hidden(cell))
    if 2 * hidden < total:
        yield Finding(
            "",
            f"hidden tests hold {hidden:g} of {total:g} automatic points: less than half. Hide "
            "more of the tests.",
        )
    claims = list(_claimed_points(master.cells))
    for heading, claimed, counted in claims:
        if abs(claimed - counted) > 1e-9:
            yield Finding(
                heading.label,
                f"the heading says {claimed:g} points, its cells hold {counted:g}. Change one of "
                "them.",
            )


def _is_hidden(cell: Cell) -> bool:
    """Return whether hidden lines decide on the points; a visible example may stand beside them."""
    hidden = [row for n, row in enumerate(cell.source.split("\n"), 1) if n in cell.hidden_lines]
    return any(row.strip() and not row.strip().startswith("#") for row in hidden)


def _claimed_points(cells: Iterable[Cell]) -> Iterator[tuple[Cell, float, float]]:
    """Yield (heading, points it claims, points of its cells, up to the next claim of its level or
    above).
    """
    claims: dict[int, tuple[Cell, float, float]] = {}
    for cell in cells:
        first = cell.source.split("\n")[0]
        level = len(first) - len(first.lstrip("#"))
        said = (
            re.findall(r"(\d+(?:\.\d+)?)\s*points?\b", first) if level and not cell.is_code else []
        )
        if said:
            open_claims = {above: claim for above, claim in claims.items() if above < level}
            yield from (claim for above, claim in claims.items() if above >= level)
            claims = {**open_claims, level: (cell, sum(map(float, said)), 0.0)}
        claims = {
            above: (heading, claimed, counted + cell.points)
            for above, (heading, claimed, counted) in claims.items()
        }
    yield from claims.values()
