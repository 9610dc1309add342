"""Find out, while the solution is graded, whether a test patches a module.

A patch in the tester does not reach student code in the box. So before each call of the solution's
code the functions of all loaded modules are compared with those at the start of the cell.
"""

from __future__ import annotations

import os
import sys
import types

COMPARED = 60  # calls of one cell
CARRIED = {
    ("builtins", "input"),
    ("builtins", "print"),
    ("builtins", "open"),
}  # replaced in the box as well
SHELL = {
    ("builtins", name) for name in ("exit", "quit", "get_ipython", "display")
}  # set by IPython for every cell
STREAMS = {
    "stdout",
    "stderr",
    "stdin",
    "displayhook",
    "excepthook",
    "last_type",
    "last_value",
    "last_traceback",
}


class Patches:
    """What a cell has replaced in modules, looked at from time to time."""

    def __init__(self) -> None:
        self.active = False
        self._before: dict[str, dict[str, object]] = {}
        self._environment: tuple[dict[str, str], str] = ({}, "")
        self._left = 0

    def begin(self) -> None:
        """Start a cell."""
        if self.active:
            self._left = COMPARED
            self._before = {
                name: _functions(module)
                for name, module in list(sys.modules.items())
                if isinstance(module, types.ModuleType)
            }
            self._environment = dict(os.environ), os.getcwd()

    def found(self) -> str:
        """Return what has been replaced since the cell began; '' where nothing has, or this is not
        looked at.
        """
        if not self.active or self._left <= 0:
            return ""
        self._left -= 1
        if (dict(os.environ), os.getcwd()) != self._environment:
            return "it changes the environment or the working folder"
        for name, before in self._before.items():
            now = vars(sys.modules[name]) if name in sys.modules else {}
            for part, value in before.items():
                if now.get(part, self) is not value:
                    return f"it replaces {name}.{part}"
        return ""


def _functions(module: types.ModuleType) -> dict[str, object]:
    name = module.__name__ if type(getattr(module, "__name__", None)) is str else ""
    if name in ("__main__", "warnings"):  # the latter's filters and records are carried
        return {}
    return {
        part: value
        for part, value in list(vars(module).items())
        if callable(value)
        and not (name == "sys" and part in STREAMS)
        and (name, part) not in CARRIED | SHELL
    }
