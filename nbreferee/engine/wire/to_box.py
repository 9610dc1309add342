"""What a box is asked: one class for each question, and how its answer is read.

A question travels as its operation and the values of its fields, in order (see `protocol`). An
answer may be forged: each class checks the shape of its own, and raises CodecError for another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from nbreferee.engine.wire.codec_format import CodecError
from nbreferee.engine.wire.protocol import CallResult, expanded

A = TypeVar("A")


class BoxRequest(Generic[A]):
    """A question to a box; its answer is read as `A`. Subclasses are frozen dataclasses."""

    operation: ClassVar[str]

    def __init_subclass__(cls, *, operation: str = "") -> None:
        super().__init_subclass__()
        cls.operation = operation

    def arguments(self) -> tuple[Any, ...]:
        """Return the values of the fields, in order."""
        return tuple(vars(self).values())

    def read(self, answer: Any) -> A:
        """Return the answer, checked.

        Raises
        ------
        CodecError
            if it has another shape.
        """
        raise NotImplementedError


R = TypeVar("R", bound=BoxRequest[Any])


def on(request: type[R], do: Callable[[R], object]) -> tuple[str, Callable[..., object]]:
    """Return an operation's name, and a function of the arguments as they come that does it."""
    return request.operation, lambda *arguments: do(request(*arguments))


class Order(BoxRequest[None]):
    """A request whose answer says nothing."""

    def read(self, answer: Any) -> None:
        """Ignore the answer."""


class Texts(BoxRequest[list[str]]):
    """A question to which the answer is a list of texts."""

    def read(self, answer: Any) -> list[str]:
        """Return the list."""
        if type(answer) is not list or not all(type(one) is str for one in answer):
            raise CodecError("no list of texts")
        return answer


class Value(BoxRequest[Any]):
    """A question to which the answer may be any value."""

    def read(self, answer: Any) -> Any:
        """Return the value."""
        return answer


# ---------------------------------------------------------------- cells and files


@dataclass(frozen=True)
class CellOutputs:
    """What a cell has shown, not checked yet, and its number in the box."""

    outputs: list[Any]
    count: int


@dataclass(frozen=True)
class RunCell(BoxRequest[CellOutputs], operation="cell"):
    """Run a cell."""

    source: str
    limit_s: float
    count: int  # its number in the box; 0: the next

    def read(self, answer: Any) -> CellOutputs:
        """Return what the cell has shown."""
        match answer:
            case (list(outputs), int(count)) if 0 <= count < 1 << 31:
                return CellOutputs(outputs, count)
        raise CodecError("no outputs of a cell")


@dataclass(frozen=True)
class Drawing:
    """A picture in base 64, or why there is none."""

    picture: str
    why: str


@dataclass(frozen=True)
class DrawFigure(BoxRequest[Drawing], operation="draw"):
    """Draw a figure that a cell has shown by its name."""

    name: str
    limit_s: float

    def read(self, answer: Any) -> Drawing:
        """Return the picture."""
        match answer:
            case (str(picture), str(why)) if picture.isascii():
                return Drawing(picture, why)
        raise CodecError("no picture")


@dataclass(frozen=True)
class SeenOfFigure(BoxRequest[str], operation="seen of figure"):
    """Name what can be seen of a figure that a cell has shown, by its own name."""

    name: str
    limit_s: float

    def read(self, answer: Any) -> str:
        """Return that name."""
        if type(answer) is not str:
            raise CodecError("no name of a figure")
        return answer


@dataclass(frozen=True)
class OutlineOfFigure(SeenOfFigure, operation="outline of figure"):
    """Name what a figure is made of, which takes less time."""


@dataclass(frozen=True)
class HandIn(Order, operation="hand_in"):
    """Write the files that the student has handed in."""

    files: Mapping[str, bytes]


@dataclass(frozen=True)
class FileChanges:
    """What one side's working folder has and the other's has not; nothing of it is checked."""

    files: dict[Any, Any]  # contents by name
    folders: list[Any]
    removed: list[Any]


@dataclass(frozen=True)
class NewFiles(BoxRequest[FileChanges], operation="new_files"):
    """Say what the student's code has made, changed and removed since the last time."""

    def read(self, answer: Any) -> FileChanges:
        """Return the changes."""
        match answer:
            case (dict(files), list(folders), list(removed)):
                return FileChanges(files, folders, removed)
        raise CodecError("no changes of files")


@dataclass(frozen=True)
class TakeFiles(Order, operation="files"):
    """Make the working folder as the tests have left theirs."""

    files: Mapping[str, bytes]
    folders: Sequence[str]
    removed: Sequence[str]


# ---------------------------------------------------------------- names, calls and objects


@dataclass(frozen=True)
class NamedValue:
    """Whether the notebook has a name, and its value."""

    is_there: bool
    value: Any


@dataclass(frozen=True)
class LookUp(BoxRequest[NamedValue], operation="name"):
    """Look a name up."""

    name: str

    def read(self, answer: Any) -> NamedValue:
        """Return the value; a third item says which objects its containers are."""
        match answer:
            case (bool(is_there), value, *rest) if type(answer) is tuple and len(rest) < 2:
                return NamedValue(is_there, value)
        raise CodecError("no value of a name")


@dataclass(frozen=True)
class AllNames(Texts, operation="names"):
    """Say which names the notebook has."""


@dataclass(frozen=True)
class Call(BoxRequest[CallResult], operation="call"):
    """Call a function: an object of the box, or an operation by its name."""

    function: Any
    arguments_blob: bytes  # (arguments, named arguments), encoded
    heap: list[tuple[str, bytes]]  # instances of instructor's classes among them
    limit_s: float
    context: bytes  # a CallContext, compacted and encoded; empty: the usual one

    def read(self, answer: Any) -> CallResult:
        """Return the result of the call; nothing in it is checked."""
        if type(answer) is not dict:
            raise CodecError("no result of a call")
        return expanded(CallResult, answer)


@dataclass(frozen=True)
class Attributes(BoxRequest[dict[str, Any]], operation="attributes"):
    """Say which attributes an object has."""

    object: Any

    def read(self, answer: Any) -> dict[str, Any]:
        """Return them by name."""
        return _checked_attributes(answer)


@dataclass(frozen=True)
class State(BoxRequest[tuple[dict[str, Any], Any]], operation="state"):
    """Say which attributes an object has, in its dictionary and in slots, and what else it
    holds.
    """

    object: Any

    def read(self, answer: Any) -> tuple[dict[str, Any], Any]:
        """Return attributes and content."""
        match answer:
            case (attributes, content):
                return _checked_attributes(attributes), content
        raise CodecError("no state of an object")


def _checked_attributes(said: Any) -> dict[str, Any]:
    if type(said) is not dict or not all(type(name) is str for name in said):
        raise CodecError("no attributes of an object")
    return said


@dataclass(frozen=True)
class ClassOf(Value, operation="class_of"):
    """Give the class of an object."""

    object: Any


@dataclass(frozen=True)
class SourceOf(BoxRequest[str], operation="source"):
    """Give the source of a function or class."""

    object: Any

    def read(self, answer: Any) -> str:
        """Return the source."""
        return str(answer)


@dataclass(frozen=True)
class SignatureOf(Value, operation="signature"):
    """Give the parameters of a function, and what it is annotated to return."""

    object: Any


@dataclass(frozen=True)
class LastTraceback(BoxRequest[list[str]], operation="traceback"):
    """Give the lines of the last exception's traceback, as the notebook would show them."""

    def read(self, answer: Any) -> list[str]:
        """Return the lines; none where the answer is no list."""
        if type(answer) is not list:
            return []
        return [str(line)[:20_000] for line in answer[:200]]
