"""The text that a box has sent to a tester: kept cheaply, and read only when a test compiles
something.

`add` keeps a frame as it came, so a call costs nothing noticeable. The strings in it are taken out
when they are asked for, or when the frames that wait take too much memory. Past a bound on the text
itself nothing more is kept, and `everything` says that any text may be the box's: memory is
bounded, and the error is on the safe side.

Texts are compared as runs of tokens (words and signs), so indentation, line ends and blanks around
a text do not matter, and a short text such as "x" is found as a word and not as a letter of another
word.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbreferee.engine.wire.codec import CodecError, decode
from nbreferee.engine.wire.codec_format import LARGE, Bounds, room_for_recursion
from nbreferee.engine.wire.codec_reading import Reader
from nbreferee.engine.wire.protocol import CallResult

UNREAD_BYTES = 64 << 20  # of frames that wait to be read
TEXT_CHARACTERS = 4 << 20  # of all texts that are kept
TEXTS = 100_000
SMALL_BYTES = 4096  # a frame below this size is copied: its buffer would cost more than it holds
FRAME_OVERHEAD_BYTES = 64
LARGE_BYTES = 1 << 17  # a frame above this is read at once, if few values but arrays are in it:
FEW_VALUES = Bounds(values=1_000)  # so its memory can be used again
VALUE_BYTES = 256  # that a value takes at most, beside its text
TOKEN = re.compile(r"\w+|[^\w\s\0]")
WORD = re.compile(r"[^\W\d]\w*")
ANY_CONTAINER = range(
    1 << 32
)  # a message may refer to the test's own lists, whose text is none of the box's
OPERATIONS = (("value",), ("raised",), ("call",))  # the second part of a message
INTERNAL = frozenset(
    {CallResult._fields.index("changed"), CallResult._fields.index("random")}
)  # bytes that no test gets


def tokens_of(text: str) -> list[str]:
    """Return the words and signs of a text."""
    return TOKEN.findall(text)


def joined(tokens: list[str]) -> str:
    """Return tokens as one string in which a run of tokens is a substring."""
    return "\0" + "\0".join(tokens) + "\0" if tokens else ""


def words_of(tokens: list[str]) -> set[str]:
    """Return those tokens that name something."""
    return {one for one in tokens if WORD.fullmatch(one) and not keyword.iskeyword(one)}


def as_text(source: str | bytes) -> str:
    """Return source code as text."""
    return source if isinstance(source, str) else bytes(source).decode("utf-8", "surrogateescape")


@dataclass(frozen=True)
class _Message:
    """What a frame says, without its large arrays of numbers."""

    value: Any
    objects: list[Any]  # what stands for objects that have no form of their own
    kept_bytes: int


class _TextReader(Reader):
    """Reads a message for the text in it: in the place of a large array of numbers it puts an empty
    one.
    """

    skipped_bytes = 0

    @property
    def values(self) -> int:
        """How many values have been read."""
        return self._values

    def _array_of(
        self, body: memoryview, dtype: np.dtype, shape: tuple[int, ...], flags: int
    ) -> np.ndarray:
        if dtype.kind == "U" or len(body) < LARGE:
            return super()._array_of(body, dtype, shape, flags)
        self.skipped_bytes += len(body)
        return np.empty(0)


class Received:
    """All text that has come from the box."""

    def __init__(self) -> None:
        self.anything = False  # whether the box has sent anything at all
        self.everything = False  # whether any text may be the box's
        self.has_bytes = False  # whether a test may hold bytes of the box
        self.words: set[str] = set()
        self.are_files = (
            False  # whether the bytes in the frames that come now are contents of files
        )
        self._cell = 0
        self._unread: list[tuple[int, bool, bytes | memoryview | _Message]] = []
        self._unread_bytes = 0
        self._seen: set[str] = set()
        self._new: list[str] = []  # seen, and not indexed yet
        self._characters = 0
        self._by_first: dict[str, set[str]] = {}  # joined tokens by the first of them
        self._signs: set[str] = set()  # the same without a word in them, of this cell

    def begin_cell(self) -> None:
        """Start a cell.

        Texts without a word (numbers, signs) count only in the cell in which they came.
        """
        self._cell += 1
        self._signs.clear()

    def add(self, frame: bytes | memoryview) -> None:
        """Keep a frame that the box has sent."""
        self.anything = True
        if self.everything:
            return
        kept: bytes | memoryview | _Message = frame
        kept_bytes = len(frame)
        if len(frame) < SMALL_BYTES:
            kept = bytes(frame)
        elif len(frame) > LARGE_BYTES and (message := _without_numbers(frame)) is not None:
            kept, kept_bytes = message, message.kept_bytes
        self._unread.append((self._cell, self.are_files, kept))
        self._unread_bytes += kept_bytes + FRAME_OVERHEAD_BYTES
        if self._unread_bytes > UNREAD_BYTES:
            self._read()

    def update(self) -> None:
        """Read what has come, for `everything`, `has_bytes` and `words`."""
        self._read()
        for text in self._new:
            tokens = tokens_of(text)
            self._by_first.setdefault(tokens[0], set()).add(joined(tokens))
            self.words |= words_of(tokens)
        self._new = []

    def whole_in(self, tokens: list[str]) -> Iterator[str]:
        """Yield those received texts, as joined tokens, that these tokens hold as a run."""
        self.update()
        within = joined(tokens)
        yield from (one for one in self._signs if one in within)
        for first in set(tokens):
            yield from (one for one in self._by_first.get(first, ()) if one in within)

    def holds(self, tokens: list[str]) -> bool:
        """Tell whether some received text holds these tokens as a run."""
        self.update()
        if not words_of(tokens) <= self.words:
            return False
        run = joined(tokens)
        return any(run in one for texts in self._by_first.values() for one in texts)

    def is_word(self, word: str) -> bool:
        """Tell whether a received text is just this word."""
        return joined([word]) in self._by_first.get(word, ())

    def _read(self) -> None:
        unread, self._unread, self._unread_bytes = self._unread, [], 0
        for cell, are_files, frame in unread:
            for text in self._strings(frame, are_files):
                if WORD.search(text) is None:
                    if cell == self._cell and (signs := joined(tokens_of(text))):
                        self._signs.add(signs)
                elif text not in self._seen:
                    self._seen.add(text)
                    self._new.append(text)
                    self._characters += len(text)
                if self._characters > TEXT_CHARACTERS or len(self._seen) + len(self._signs) > TEXTS:
                    self._give_up()
                    return

    def _give_up(self) -> None:
        self.everything = self.has_bytes = True
        self._new = []
        for kept in (self._seen, self._signs, self._by_first, self.words):
            kept.clear()

    def _strings(self, frame: bytes | memoryview | _Message, are_files: bool) -> Iterator[str]:
        """Yield all text in a frame, whatever it stands for."""
        said: list[Any] = []  # for objects that have no form of their own
        left: list[Any] = []
        try:
            if isinstance(frame, _Message):
                message, said = frame.value, frame.objects
            else:
                message = decode(frame, unwrap=said.append, shared=ANY_CONTAINER)
            left.append(
                message[2:] if type(message) is tuple and message[1:2] in OPERATIONS else message
            )
        except (CodecError, ValueError, TypeError, RecursionError, MemoryError):
            # no test gets a value of it; what it says counts all the same
            assert not isinstance(frame, _Message), "it has been read"
            yield as_text(bytes(frame[:TEXT_CHARACTERS]))
        left += [_text_in(one) for one in said]
        while left:
            one = left.pop()
            if type(one) is str:
                yield one
            elif type(one) is bytes:
                self.has_bytes |= not are_files
                yield as_text(one)
            elif type(one) is dict:
                is_answer = set(map(type, one)) == {int}
                left.extend(
                    value for key, value in one.items() if not (is_answer and key in INTERNAL)
                )
                left.extend(one)
            elif type(one) in (list, tuple, set, frozenset):
                left.extend(one)
                if len(one) > 1 and all(type(item) is str and len(item) == 1 for item in one):
                    yield "".join(one)  # a text by its characters
            elif isinstance(one, (np.ndarray, np.generic)) and one.dtype.kind == "U":
                left.extend(np.unique(one).tolist())


def _without_numbers(frame: bytes | memoryview) -> _Message | None:
    """Read a frame that is an array of numbers for the most part; None where it is another."""
    said: list[Any] = []
    reader = _TextReader(frame, FEW_VALUES, said.append, None, ANY_CONTAINER)
    try:
        with room_for_recursion(FEW_VALUES.depth):
            value = reader.value(FEW_VALUES.depth)
    except (CodecError, ValueError, TypeError, RecursionError, MemoryError):
        return None
    if reader.left or 2 * reader.skipped_bytes < len(frame):
        return None
    rest = len(frame) - reader.skipped_bytes + VALUE_BYTES * reader.values
    return _Message(value, said, rest)


def _text_in(said: Any) -> Any:
    """Return the part of what stands for an object that a test can get as text."""
    match said:
        case ("named" | "module" | "main", *_):  # what both sides have
            return None
        case ("object", _, (_, name, type_name, _, bases, *_)):
            return name, type_name, bases
        case tuple():
            return said[1:]  # the first part says only what it is
    return said
