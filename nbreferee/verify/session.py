"""Cells in one namespace, run as a kernel would and scored as nbgrader would, without a kernel."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from nbreferee.course.source import Cell

# Before anything imports them: no figure is rendered, and a fork wants a single thread.
QUIET = {
    "MPLBACKEND": "template",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Ran:
    """What running one cell came to."""

    error: str  # the exception in a line; '' where there was none
    stderr: str
    wall_s: float
    number: float | None  # the last expression, where it is a number: nbgrader's partial credit
    shows: bool = False  # the last expression is neither nothing nor a number

    def score(self, cell: Cell) -> float:
        """Return the points that nbgrader gives for this run of a graded cell."""
        if self.error or self.stderr:
            return 0.0
        if self.number is not None and 0 <= self.number <= cell.points:
            return self.number
        return cell.points


class Session:
    """An IPython shell in this process, standing in the assignment's folder."""

    def __init__(self, folder: Path) -> None:
        os.environ.update(QUIET)
        from IPython.core.history import HistoryManager
        from IPython.core.interactiveshell import InteractiveShell

        HistoryManager.enabled = False  # type: ignore[assignment]  # IPython's own idiom
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        self._shell = InteractiveShell.instance(colors="nocolor")
        # its types are those of a method
        self._shell.register_magic_function(lambda line: None, "line", "matplotlib")  # type: ignore[arg-type]

    @property
    def names(self) -> dict[Any, Any]:
        """The namespace of the cells."""
        names: dict[Any, Any] = self._shell.user_ns
        return names

    @property
    def module(self) -> ModuleType:
        """The module of the cells."""
        module: ModuleType = self._shell.user_module
        return module

    def renew(self) -> None:
        """Go on in a new, empty namespace; what lives in the old one stays usable."""
        self._shell.user_module, self._shell.user_ns = self._shell.prepare_user_module()
        self._shell.init_user_ns()

    def run(self, source: str) -> Ran:
        """Run the source of a cell."""
        errors, started = io.StringIO(), time.monotonic()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            result = self._shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        said = f"{type(error).__name__}: {error}" if error else ""
        number = result.result if type(result.result) in (int, float) else None
        wall_s = time.monotonic() - started
        return Ran(
            said, errors.getvalue(), wall_s, number, result.result is not None and number is None
        )

    def run_cells(
        self, cells: list[Cell], sources: Mapping[int, str], until_loss: bool = False
    ) -> dict[str, tuple[float, str]]:
        """Run cells, some with another source; return (score, message) of every test by grade
        id.
        """
        scores: dict[str, tuple[float, str]] = {}
        for cell in cells:
            ran = self.run(sources.get(cell.index, cell.source))
            if cell.is_test:
                scores[cell.grade_id] = (ran.score(cell), ran.error or ran.stderr)
                if until_loss and scores[cell.grade_id][0] < cell.points:
                    break
        return scores
