"""Frozen dataclasses and enumerations as bytes, between processes that are all our own.

Each channel has a table of the classes that may travel on it. Bytes name a class of the table and
give the values of its fields, in order. Nothing else is made of them: no pickle, no import.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Any, TypeVar

from nbreferee.engine.wire.codec import decode, encode
from nbreferee.engine.wire.codec_format import CodecError

T = TypeVar("T")


class Records:
    """The classes whose objects travel on a channel."""

    def __init__(self, *kinds: type[Any]) -> None:
        self._kinds = {kind.__name__: kind for kind in kinds}
        self._fields = {
            kind: ("value",)
            if issubclass(kind, enum.Enum)
            else tuple(field.name for field in dataclasses.fields(kind))
            for kind in kinds
        }

    def encode(self, record: object) -> bytes:
        """Return a record as bytes.

        Raises
        ------
        CodecError
            if it holds something that may not travel here.
        """
        return encode(record, wrap=self._wrap)

    def decode(self, frame: bytes | memoryview, kind: type[T]) -> T:
        """Return the record that bytes stand for.

        Raises
        ------
        CodecError
            if they stand for no record of this kind.
        """
        record = decode(frame, unwrap=self._unwrap)
        if not isinstance(record, kind):
            raise CodecError(f"no {kind.__name__}")
        return record

    def _wrap(self, value: Any) -> tuple[Any, ...]:
        kind = type(value)
        if kind not in self._fields:
            raise CodecError(f"a {kind.__name__} does not travel here")
        return (kind.__name__, *(getattr(value, name) for name in self._fields[kind]))

    def _unwrap(self, said: Any) -> Any:
        try:
            name, *values = said
            return self._kinds[name](*values)
        except (TypeError, ValueError, KeyError):
            raise CodecError("no such record") from None
