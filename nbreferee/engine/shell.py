"""An IPython shell without a terminal: it runs cells and returns what a notebook would show.

One is made in a warm process, and every fork of that process has it ready. It keeps no history on
disk, starts no thread, and reads no profile.
"""

from __future__ import annotations

import base64
import builtins
import inspect
import io
import json
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from matplotlib.figure import Figure
from traitlets import Instance, Type

from nbreferee.engine.transformer import Transformer

STREAM_CHARACTERS = 1_000_000  # of one cell; what comes after is dropped, and a line says so
RICH_CHARACTERS = 16_000_000
MOST_OUTPUTS = 2_000
SAID_OF_EXIT = "To exit: use"  # by IPython, to who is at a terminal


class Outputs:
    """What one cell shows, as nbformat has it."""

    def __init__(self) -> None:
        self.shown: list[dict[str, Any]] = []
        self._by_display_id: dict[str, list[dict[str, Any]]] = {}
        self._left = {"stream": STREAM_CHARACTERS, "rich": RICH_CHARACTERS}
        self._clear_next = False

    def write(self, stream: str, text: str) -> None:
        """Add text to a stream."""
        if not text or self._left["stream"] < 0:
            return
        self._before_more()
        self._left["stream"] -= len(text)
        if self._left["stream"] < 0:
            text = (
                text[: self._left["stream"]]
                + f"\n[The rest is not shown: a cell may print {STREAM_CHARACTERS:,} characters.]\n"
            )
        last = self.shown[-1] if self.shown else {}
        if (last.get("output_type"), last.get("name")) == ("stream", stream):
            last["text"] += text
        elif len(self.shown) < MOST_OUTPUTS:
            self.shown.append({"output_type": "stream", "name": stream, "text": text})

    def add(self, output: dict[str, Any], display_id: str = "") -> None:
        """Add a figure, a result or an error."""
        self._before_more()
        self._left["rich"] -= len(json.dumps(output))
        if self._left["rich"] < 0:
            output = {
                "output_type": "stream",
                "name": "stderr",
                "text": "[Not shown: this cell displays too much.]\n",
            }
        if len(self.shown) >= MOST_OUTPUTS and output["output_type"] != "error":
            return
        self.shown.append(output)
        if display_id:
            self._by_display_id.setdefault(display_id, []).append(output)

    def update(self, display_id: str, data: dict[Any, Any], metadata: dict[Any, Any]) -> None:
        """Change what is already displayed under a name."""
        for output in self._by_display_id.get(display_id, []):
            output.update(data=data, metadata=metadata)

    def clear(self, wait: bool) -> None:
        """Take everything away: now, or when there is something new."""
        self._clear_next = True
        if not wait:
            self._before_more()

    def _before_more(self) -> None:
        if self._clear_next:
            self.shown.clear()
            self._clear_next = False


class Stream(io.TextIOBase):
    """sys.stdout or sys.stderr of cells."""

    encoding = "utf-8"

    def __init__(self, shell: Shell, name: str) -> None:
        self._shell = shell
        self.name = name

    def writable(self) -> bool:
        """Tell that one may write."""
        return True

    def write(self, text: str) -> int:
        """Show text in the cell that runs."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._shell.outputs.write(self.name, text)
        return len(text)


class _ResultHook(DisplayHook):
    shell: Shell

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(
        self, format_dict: dict[Any, Any], md_dict: dict[Any, Any] | None = None
    ) -> None:
        count = self.shell.execution_count - 1  # IPython has counted on already
        result = {
            "output_type": "execute_result",
            "execution_count": count,
            "data": plain(format_dict),
            "metadata": plain(md_dict or {}),
        }
        self.shell.outputs.add(result)

    def finish_displayhook(self) -> None:
        self._is_active = False


class _Publisher(DisplayPublisher):
    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        source: Any = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        display_id = str((transient or {}).get("display_id") or "")
        data, metadata = plain(data), plain(metadata or {})
        if update:
            self.shell.outputs.update(display_id, data, metadata)
        else:
            self.shell.outputs.add(
                {"output_type": "display_data", "data": data, "metadata": metadata}, display_id
            )

    def clear_output(self, wait: bool = False) -> None:
        self.shell.outputs.clear(wait)


def plain(data: dict[Any, Any]) -> dict[str, Any]:
    """Return a MIME bundle as JSON has it: bytes in base 64, and nothing that is not text or
    JSON.
    """
    text = json.dumps(
        data, default=lambda v: base64.b64encode(v).decode() if isinstance(v, bytes) else str(v)
    )
    bundle: dict[str, Any] = json.loads(text)
    return bundle


class _Compiler(CachingCompiler):
    def cache(self, transformed_code: str, number: int = 0, raw_code: str | None = None) -> str:
        name = super().cache(transformed_code, number, raw_code)
        inspect.modulesbyfile[name] = (
            "__main__"  # or it looks at all modules there are, for every line of a traceback
        )
        return name


class Shell(InteractiveShell):
    """The shell; `outputs` is what the running cell has shown so far."""

    input_transformer_manager = Instance(Transformer, ())
    compiler_class = Type(_Compiler)
    displayhook_class = Type(_ResultHook)
    display_pub_class = Type(_Publisher)

    def __init__(self, **options: Any) -> None:
        HistoryManager.enabled = False  # type: ignore[assignment]  # IPython's own idiom
        self.outputs = Outputs()
        self.while_code_runs: Callable[[], AbstractContextManager[Any]] = (
            nullcontext  # not while IPython prepares it
        )
        super().__init__(colors="nocolor", **options)  # type: ignore[no-untyped-call]  # IPython's
        self.run_line_magic("matplotlib", "inline")

    def take_over(self) -> None:
        """Make this process's print, input and the like the cells'."""
        sys.stdout, sys.stderr = Stream(self, "stdout"), Stream(self, "stderr")
        builtins.input = self.no_input
        warnings.filterwarnings("ignore", SAID_OF_EXIT, UserWarning)
        sys.stdin = io.StringIO()

    def run(self, source: str) -> tuple[list[dict[str, Any]], ExecutionResult]:
        """Run a cell; return what it shows, and what IPython says of it."""
        self.outputs = Outputs()
        with warnings.catch_warnings():  # whose end has each warning shown that was shown before
            pass
        for name in ("stdout", "stderr"):
            try:  # an earlier cell may have put None there, or a closed file
                getattr(sys, name).flush()
            except Exception:
                setattr(sys, name, Stream(self, name))
        result: ExecutionResult = self.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]  # IPython's
        return self.outputs.shown, result

    def should_run_async(
        self,
        raw_cell: str,
        *,
        transformed_cell: str | None = None,
        preprocessing_exc_tuple: Any = None,
    ) -> bool:
        """Tell whether a cell awaits something: IPython compiles it to find out."""
        if transformed_cell is not None and not re.search("a(wait|sync)", transformed_cell):
            return False
        awaits: bool = super().should_run_async(
            raw_cell,
            transformed_cell=transformed_cell,
            preprocessing_exc_tuple=preprocessing_exc_tuple,
        )
        return awaits

    async def run_code(self, *arguments: Any, **named: Any) -> bool:
        """Run compiled code."""
        with self.while_code_runs():
            failed: bool = await super().run_code(*arguments, **named)  # type: ignore[no-untyped-call]  # IPython's
            return failed

    def no_input(self, prompt: object = "") -> str:
        """Stand for input(): while grading, nobody is there to type."""
        raise StdinNotImplementedError(
            "input() has nobody to ask while a notebook is graded. Give the value in the code."
        )

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        self.outputs.add(error_output(etype.__name__, str(evalue), list(stb)))

    def _format_exception_for_storage(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {}  # nobody reads the history

    def ask_exit(self) -> None:
        """Go on: exit() in a cell ends nothing but itself."""

    def enable_gui(self, gui: str | None = None) -> None:
        """Do nothing: there is no screen."""

    def system(self, command: str) -> None:
        """Run !command and show what it prints."""
        ran = subprocess.run(
            self.var_expand(command, depth=1),  # type: ignore[no-untyped-call]  # IPython's
            shell=True,
            capture_output=True,
            text=True,
            errors="replace",
        )
        self.outputs.write("stdout", ran.stdout)
        self.outputs.write("stderr", ran.stderr)
        self.user_ns["_exit_code"] = ran.returncode


def error_output(ename: str, evalue: str, traceback: list[str]) -> dict[str, Any]:
    """Return an error as nbformat has it."""
    return {"output_type": "error", "ename": ename, "evalue": evalue, "traceback": traceback}


@cache
def draw_first_figure() -> None:
    """Load what the first figure would load; a fork of this process has it."""
    axes = (figure := Figure()).subplots()
    axes.plot([0, 1])
    axes.set_title("$x^2$")
    figure.savefig(io.BytesIO(), bbox_inches="tight")


def warm_up(shell: Shell) -> None:
    """Load what the first cell, the first traceback and the first figure would load."""
    re.compile(SAID_OF_EXIT, re.IGNORECASE)  # and keep it: each fork filters such warnings
    # which fails in a module: IPython looks for the modules of all lines
    shell.run_cell("__import__('json').loads('{')")  # type: ignore[no-untyped-call]  # IPython's
    draw_first_figure()
    plt.close(plt.figure())
