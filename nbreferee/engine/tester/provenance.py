"""No text, file or bytes that the box has sent become code in the tester, however a test goes about
it.

An audit hook, which nothing can take off, sees whatever is compiled, imported, unmarshalled or
unpickled. It decides by where the text comes from, and looks at nothing before that: a call of a
student's function costs no more.

*Who compiles.* Python's frames tell. What no frame of the instructor's has asked for (the shell
that prepares a cell, a traceback) and what a module does while it is imported from the interpreter
or the instructor's files is not looked at. `ast.parse` makes a tree and runs nothing, so a test may
parse an answer; but the tree, and any tree in a cell that has parsed text of the box, is not
compiled. Packages that compute what they parse (pandas' `query`, for example) count as if they
compiled it.

*Which text.* Text that an instructor's file holds as a literal, or as a whole, is the instructor's.
Of any other text those tokens are the instructor's that stand beside the same neighbour in one of
the literals, as in `eval(f"f({n})")`. The rest must not be the box's:
- no received text may stand in it as a run of tokens: not "reference", not "x", if it is a word of
  the rest;
- it must not be, as a whole, a run of tokens of a received text;
- where the instructor's own code hands the text over, no word of the rest may be a word of a
  received text, and
  every word of it must be in the instructor's files: a decoded, reversed or joined text is not told
  by its words.
A package's own text (a `namedtuple`, a `dataclass`, a distribution of SciPy) may hold received
*names*: a column of a student's table can be a field. It may hold no more of the box than names.

Numbers and signs do no harm, and are in every text. Received ones count as a whole and in the cell
in which they came (`eval(f"2 {sign} 3")`), brackets, commas and the like not even there.

*Files and bytes.* Modules, extension modules and bytecode come from the interpreter's folders and
the instructor's. Objects are unpickled where the box has sent neither bytes nor a file, from a file
of the instructor's, or from what this process has pickled itself.

What is refused is noted for the cell, even if the test catches the exception (see `Tester`).
"""

from __future__ import annotations

import ast
import contextlib
import os
import threading
import types
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from yaml.constructor import FullConstructor

from nbreferee.engine.tester.audit import Handler, add_handlers
from nbreferee.engine.tester.callers import (
    IMPORTERS,
    callers,
    is_in,
    module_of,
    split,
    texts_handed_to,
)
from nbreferee.engine.tester.instructor_text import InstructorText
from nbreferee.engine.tester.own_pickles import PLAIN_CLASSES, OwnPickles
from nbreferee.engine.tester.received import WORD, Received, as_text, tokens_of, words_of
from nbreferee.engine.wire.protocol import is_writing
from nbreferee.sandbox import interpreter_folders

# Packages that compile, or compute, what they are given: there a single word of the box counts as
# well.
EVALUATORS = (
    "IPython",
    "bdb",
    "code",
    "codeop",
    "cProfile",
    "doctest",
    "inspect",
    "numexpr",
    "pandas.core.computation",
    "pdb",
    "profile",
    "runpy",
    "sympy",
    "timeit",
    "trace",
    "typing",
    "yaml",
)
STARTERS = (
    "IPython",
    "asyncio",
    "nbreferee",
    "os",
    "posix",
    "subprocess",
)  # of processes, for those who call them
COMPUTES_TREES = "pandas.core.computation"
MADE_TEXT = (
    "IPython.core.magics.execution",
    "sympy",
    "timeit",
)  # the text that they compile is their own, around what they are given
NO_TEXT = frozenset({"lambdify"})  # evaluators whose arguments are no code
MAKERS = frozenset({"collections", "dataclasses"})  # of classes with fields of given names
STRUCTURE = frozenset("()[]{},.:'\"")  # one of these alone is in nearly every text
TEXT = "a test cannot run the text of an answer here"
FILE = "a test cannot load code from a file that the assignment does not have"
PICKLE = "a test does not load pickled objects that may be a student's, for they can run anything"


class NotRun(RuntimeError):
    """A test was about to run, import or load something that may come from the box."""


@cache
def trusted_prefixes(folder: Path) -> tuple[str, ...]:
    """Return how the paths of files begin whose code may run: the interpreter's and those in a
    folder. A process that forks others asks first, for it takes time.
    """
    folders = (*interpreter_folders(), folder)
    return tuple({f"{path}{os.sep}" for one in folders for path in (one, one.resolve())})


class Provenance:
    """The audit hook of a tester: `record` what the box sends, and read `refused`."""

    def __init__(
        self, instructor: InstructorText, folder: Path, note: Callable[[str], None]
    ) -> None:
        self.received = Received()
        self.refused = ""  # the sentence about what the running cell was kept from
        self._note = note
        self._instructor = instructor
        self._trusted = trusted_prefixes(folder)
        self._files: set[str] = set()  # that came from the box
        self._parsed: set[str] = set()  # texts of which the cell has made trees
        self._opened: set[str] = set()  # files, in the cell
        self._pickles = OwnPickles()
        self._busy = threading.local()
        self._checks: dict[str, Callable[..., None]] = {
            "compile": self._on_compile,
            "import": self._on_import,
            "open": self._on_open,
            "marshal.loads": self._on_bytecode,
            "pickle.find_class": self._on_unpickle,
            "ctypes.dlopen": self._on_library,
            "code.__new__": self._on_code,
            "subprocess.Popen": self._on_command,
            "os.system": self._on_command,
            "os.exec": self._on_command,
            "os.posix_spawn": self._on_command,
        }

    def install(self, before: Callable[[str], list[Handler]] = lambda event: []) -> None:
        """Start to watch; there is no way back. `before` are handlers that come first, by event."""
        self._pickles.watch()
        self._guard_yaml()
        checks, check = self._checks, self.check
        add_handlers(lambda event: before(event) + [check] * (event in checks))

    def begin_cell(self) -> None:
        """Start a cell."""
        self.refused = ""
        self._parsed.clear()
        self._opened.clear()
        self.received.begin_cell()

    @contextlib.contextmanager
    def instructors_text(self) -> Iterator[None]:
        """Look at nothing while text that is made of the instructor's alone is compiled; it must
        not run in here.
        """
        before = getattr(self._busy, "now", False)
        self._busy.now = True
        try:
            yield
        finally:
            self._busy.now = before

    def record(self, frame: bytes | memoryview) -> None:
        """Keep what the box has sent."""
        self.received.add(frame)

    def record_file(self, path: Path) -> None:
        """Keep that a file came from the box."""
        self._files.add(os.path.realpath(path))

    def check(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at an audit event.

        Raises
        ------
        NotRun
            where something of the box would become code.
        """
        if getattr(self._busy, "now", False) or not self.received.anything:
            return
        self._busy.now = True
        try:
            self._checks[event](*arguments)
        except NotRun:
            raise
        except Exception:  # what cannot be looked at is not run
            self._refuse(TEXT)
        finally:
            self._busy.now = False

    def _refuse(self, sentence: str) -> None:
        self.refused = self.refused or sentence
        self._note(sentence)
        raise NotRun(sentence)

    # ------------------------------------------------ text

    def _on_compile(self, source: Any, filename: Any = None, *_: Any) -> None:
        caller, *outer_frames = callers()
        module = module_of(caller)
        if caller.f_code is ast.parse.__code__:
            outer = module_of(outer_frames[0])
            if outer is None and isinstance(source, (str, bytes)):
                self._parsed.add(as_text(source))
            if outer is None or not is_in(outer, (COMPUTES_TREES,)):
                return
        if module in IMPORTERS:
            if not self._is_trusted(filename) and self._is_of_box(self._text(source), strict=True):
                self._refuse(FILE)
            return
        library, asks = split([caller, *outer_frames])
        if asks is None:
            return
        if isinstance(source, ast.AST) and any(
            self._is_of_box(text, strict=True) for text in self._parsed
        ):
            self._refuse(TEXT)
        text = self._text(source)
        if (
            self._is_more_than_names(text, library)
            if library
            else self._is_of_box(text, strict=True)
        ):
            self._refuse(TEXT)

    @staticmethod
    def _text(source: Any) -> str:
        if source is None:
            return ""
        return ast.unparse(source) if isinstance(source, ast.AST) else as_text(source)

    def _is_more_than_names(self, text: str, library: list[types.FrameType]) -> bool:
        """Tell whether a package compiles more of the box than names."""
        modules = [module_of(frame) or "" for frame in library]
        given = list(texts_handed_to(library[-1]))
        if modules[0] in MAKERS:
            evaluates = False
            given = [
                one
                for one in given
                if modules[-1] == modules[0]
                and not words_of(tokens_of(one)) <= self._instructor.literal_words
            ]
        else:
            evaluates = any(is_in(module, EVALUATORS) for module in modules)
            given = given if evaluates and library[-1].f_code.co_name not in NO_TEXT else []
        if any(self._is_of_box(one, strict=True) for one in given):
            return True
        if modules[0] == "collections":  # a namedtuple's fields are names: it looks
            return False
        return self._is_of_box(
            text,
            strict=False,
            names=evaluates and not any(is_in(module, MADE_TEXT) for module in modules),
        )

    def _is_of_box(self, text: str, strict: bool, names: bool = True) -> bool:
        """Tell whether a text, or a part of it, may come from the box.

        Parameters
        ----------
        text : str
        strict : bool
            Whether each word of it must be accounted for.
        names : bool
            Whether received names in it count as well.
        """
        if self._instructor.is_own(text):
            return False
        self.received.update()
        if self.received.everything:
            return True
        mine = tokens_of(text)
        if not mine:
            return False
        covered = self._instructor.covers(mine)
        rest = {
            one
            for one, own in zip(mine, covered, strict=True)
            if not own and not self._instructor.is_own(one)
        }
        if any(self._counts(run, mine, rest, names) for run in self.received.whole_in(mine)):
            return True
        if (
            any(map(WORD.fullmatch, mine))
            and (strict or names or len(mine) > 2)
            and self.received.holds(mine)
            and not (len(mine) > 1 and self._instructor.holds(mine))
        ):
            return True
        if not strict:
            return False
        unknown = {
            word for word in words_of(list(rest)) if word not in self._instructor.literal_words
        }
        if unknown & self.received.words or any(map(self._is_completed, unknown)):
            return True
        return len(mine) > 1 and not all(map(self._instructor.knows, unknown))

    def _is_completed(self, word: str) -> bool:
        """Tell whether a word is one of the instructor's that a received word has made longer."""
        parts = [(word[:at], word[at:]) for at in range(1, len(word))]
        own = self._instructor.literal_words
        return any(
            (a in own and self.received.is_word(b)) or (b in own and self.received.is_word(a))
            for a, b in parts
        )

    def _counts(self, run: str, mine: list[str], rest: set[str], names: bool) -> bool:
        """Tell whether a received text that stands in a text is more than a coincidence."""
        tokens = run.strip("\0").split("\0")
        if len(tokens) == len(mine):
            return True
        if tokens[0] in STRUCTURE and len(tokens) == 1:
            return False
        if not names and (
            not words_of(tokens) or all(token.isidentifier() or token == "," for token in tokens)
        ):
            return False
        return not self._instructor.holds(tokens) if len(tokens) > 1 else tokens[0] in rest

    # ------------------------------------------------ files and bytes

    def _is_trusted(self, path: Any) -> bool:
        """Tell whether a file is the interpreter's or the instructor's."""
        try:
            return f"{os.path.realpath(os.fsdecode(path))}{os.sep}".startswith(self._trusted)
        except (TypeError, ValueError):
            return False

    def _on_import(self, name: Any, filename: Any, *_: Any) -> None:
        if filename is not None and not self._is_trusted(filename):
            self._refuse(FILE)

    def _on_open(self, path: Any, _: Any, flags: Any) -> None:
        if isinstance(path, (str, bytes)) and not is_writing(flags):
            self._opened.add(os.fsdecode(path))

    def _on_bytecode(self, *_: Any) -> None:
        caller = next(callers())
        if module_of(caller) in IMPORTERS:
            values = caller.f_locals
            path = values.get("bytecode_path") or values.get("pathname") or values.get("fullpath")
            if path is None or self._is_trusted(path):
                return
        self._refuse(FILE)

    def _on_library(self, name: Any, *_: Any) -> None:
        if (
            isinstance(name, (str, bytes))
            and os.sep in os.fsdecode(name)
            and not self._is_trusted(name)
        ):
            self._refuse(FILE)

    def _on_code(self, code: Any, *_: Any) -> None:
        library, asks = split(callers())
        if asks is not None and not library:
            self._refuse(TEXT)

    def _on_command(self, *arguments: Any) -> None:
        library, asks = split(callers())
        if asks is None or (library and not is_in(module_of(library[-1]) or "", STARTERS)):
            return
        said = [
            one
            for argument in arguments
            for one in (argument if isinstance(argument, (list, tuple)) else [argument])
        ]
        for one in said:
            if isinstance(one, (str, bytes)) and self._is_of_box(as_text(one), strict=False):
                self._refuse(TEXT)

    # ------------------------------------------------ pickles

    def _on_unpickle(self, module: Any, name: Any) -> None:
        self.received.update()
        opened = {os.path.realpath(path) for path in self._opened}
        own = any(map(os.path.isfile, opened)) and not opened & self._files
        plain = not self._files and name in PLAIN_CLASSES.get(module, ())
        if not self._pickles.at_hand and (self.received.has_bytes or not (own or plain)):
            self._refuse(PICKLE)

    def _guard_yaml(self) -> None:
        """Refuse YAML that names functions: no audit event tells of it."""
        find = FullConstructor.find_python_name

        def find_python_name(constructor: Any, name: str, mark: Any, unsafe: bool = False) -> Any:
            if unsafe and self.received.anything:
                self._refuse(TEXT)
            return find(constructor, name, mark, unsafe)

        FullConstructor.find_python_name = find_python_name
