"""What a box is asked for replay (see `engine.replay`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nbreferee.engine.wire.codec_format import CodecError
from nbreferee.engine.wire.to_box import BoxRequest, CellOutputs

RecordedCall = tuple[str, bytes]  # a function's name, and (arguments, named arguments), encoded


@dataclass(frozen=True)
class RecordedRun:
    """What a cell of the solution's notebook has shown and done."""

    shown: CellOutputs
    is_complete: bool  # all calls of answers are among `calls`, and have only returned something
    calls: tuple[RecordedCall, ...]  # of answers, in order
    results: tuple[Any, ...] = field(compare=False)
    functions: dict[str, bytes]  # answers before it that are plain functions: their signatures
    # values before it of the names that were asked for, where they are data
    values: dict[str, Any] = field(compare=False)
    opaque: frozenset[str]  # names before it that hold objects which cannot be compared
    changed: frozenset[str]  # names that the cell has bound, or whose objects it may have changed


@dataclass(frozen=True)
class RecordCell(BoxRequest[RecordedRun], operation="record cell"):
    """Run a cell of the solution's notebook, and say how it has called `answers`."""

    source: str
    limit_s: float
    count: int
    answers: Sequence[str]
    reads: Sequence[str]

    def read(self, answer: Any) -> RecordedRun:
        """Return what the cell has shown and done."""
        match answer:
            case (
                (list(outputs), int(count)),
                (bool(complete), list(calls), list(results)),
                (dict(functions), dict(values), list(opaque), list(changed)),
            ) if len(calls) == len(results) and all(
                isinstance(name, str) for name in (*functions, *opaque, *changed)
            ):
                return RecordedRun(
                    CellOutputs(outputs, count),
                    complete,
                    tuple(calls),
                    tuple(results),
                    functions,
                    values,
                    frozenset(opaque),
                    frozenset(changed),
                )
        raise CodecError("no record of a cell")


@dataclass(frozen=True)
class Returned:
    """What answers return now; nothing of it is checked."""

    is_clean: bool  # all are plain functions that printed nothing, changed no argument, and so on
    results: list[Any]
    values: dict[Any, Any]
    signatures: dict[Any, Any]


@dataclass(frozen=True)
class CallAnswers(BoxRequest[Returned], operation="call answers"):
    """Call answers as a cell would, and give the signatures of `functions` and the values of
    names.
    """

    calls: Sequence[RecordedCall]
    functions: Sequence[str]
    names: Sequence[str]
    limit_s: float

    def read(self, answer: Any) -> Returned:
        """Return what came back."""
        match answer:
            case (bool(is_clean), list(results), dict(values), dict(signatures)):
                return Returned(is_clean, results, values, signatures)
        raise CodecError("no results of calls")
