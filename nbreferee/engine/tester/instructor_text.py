"""What the instructor's cells and files hold as text: see `provenance`."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

from nbreferee.engine.assignment_files import COMPILED
from nbreferee.engine.tester.received import as_text, joined, tokens_of, words_of

FILE_BYTES = 256 << 10  # of one file that is read
FOLDER_BYTES = 8 << 20
FILES = 2_000
DIGITS_AT_END = re.compile(r"\d+$")
# Words in the representation of plain values.
OF_VALUES = frozenset(
    {
        "array",
        "dtype",
        "nan",
        "inf",
        "int",
        "float",
        "float32",
        "float64",
        "int32",
        "int64",
        "j",
        "e",
        "np",
        "True",
        "False",
        "None",
    }
)


PREPARED_CHARACTERS = 1 << 20  # of an assignment that is read before it is asked for


class InstructorText:
    """The literals and words of an assignment.

    They are read when they are first asked for, or before that by `prepare`.
    """

    def __init__(self, texts: Callable[[], Iterable[str]], folder: Path) -> None:
        self._texts = texts
        self._folder = folder

    def prepare(self) -> None:
        """Read them now, in a process that forks others, unless that would take long."""
        if sum(map(len, self._sources)) <= PREPARED_CHARACTERS:
            _ = self._whole, self._runs, self._pairs, self.literal_words, self._words

    def is_own(self, text: str) -> bool:
        """Tell whether a text stands there as a literal or as a whole."""
        return text.strip() in self._whole

    def holds(self, tokens: list[str]) -> bool:
        """Tell whether one literal holds these tokens as a run."""
        run = joined(tokens)
        return any(run in one for one in self._runs)

    def covers(self, tokens: list[str]) -> list[bool]:
        """Tell of each token whether it stands beside the same neighbour in a literal."""
        pairs = [pair in self._pairs for pair in itertools.pairwise(tokens)]
        return [
            before or after for before, after in zip([False, *pairs], [*pairs, False], strict=True)
        ]

    def knows(self, word: str) -> bool:
        """Tell whether a word is somewhere in the instructor's text, if only with another number at
        its end.
        """
        stem = DIGITS_AT_END.sub("", word)
        return len(stem) < 2 or word in OF_VALUES or word in self._words or stem in self._words

    @cached_property
    def _sources(self) -> list[str]:
        sources = [text for text in self._texts() if text]
        left = FOLDER_BYTES
        bytecode = self._folder / COMPILED
        paths = (one for one in self._folder.rglob("*") if bytecode not in one.parents)
        for path in sorted(itertools.islice(paths, FILES)):
            if path.is_file() and path.stat().st_size <= min(FILE_BYTES, left):
                left -= path.stat().st_size
                sources.append(as_text(path.read_bytes()))
        return sources

    @cached_property
    def _literals(self) -> list[str]:
        found = []
        for source in self._sources:
            try:
                tree = ast.parse(source)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
            found += [
                as_text(node.value)
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))
            ]
        return found

    @cached_property
    def _whole(self) -> set[str]:
        return {text.strip() for text in (*self._literals, *self._sources)}

    @cached_property
    def _runs(self) -> list[str]:
        return [joined(tokens_of(text)) for text in self._literals]

    @cached_property
    def _pairs(self) -> set[tuple[str, str]]:
        return {
            pair for tokens in map(tokens_of, self._literals) for pair in itertools.pairwise(tokens)
        }

    @cached_property
    def literal_words(self) -> set[str]:
        """All words of the literals."""
        return {word for text in self._literals for word in words_of(tokens_of(text))}

    @cached_property
    def _words(self) -> set[str]:
        return {word for text in self._sources for word in words_of(tokens_of(text))}
