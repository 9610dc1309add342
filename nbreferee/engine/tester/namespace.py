"""The namespace of the instructor's cells, in which the student's names are found, too."""

from __future__ import annotations

import builtins
import collections
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbreferee.engine.tester.box_client import BoxClient
from nbreferee.engine.tester.proxies import is_proxy
from nbreferee.engine.tester.write_back import adopt
from nbreferee.engine.wire.codec import Bounds, CodecError, encode
from nbreferee.engine.wire.to_box import AllNames

OWN = frozenset(dir(builtins)) | {"get_ipython", "In", "Out", "exit", "quit", "open"}
DICTIONARIES = (collections.OrderedDict, collections.defaultdict, collections.Counter)
CHANGEABLE = (list, dict, set, bytearray, np.ndarray, collections.deque, *DICTIONARIES)
WATCHED = Bounds(total_bytes=1 << 16, values=5_000)  # larger values are not looked at for changes


@dataclass
class _LookedUpName:
    """A name of the student's that a test has looked up."""

    value: Any
    blob: bytes  # the value then; empty where it cannot change, or is too large to watch
    calls: int  # how many calls the test had made by then


def _blob(value: Any) -> bytes:
    try:
        plain = dict(value) if type(value) in DICTIONARIES else value
        plain = list(value) if type(value) is collections.deque else plain
        return encode(plain, WATCHED) if type(value) in CHANGEABLE else b""
    except CodecError:
        return b""


class Namespace(dict[Any, Any]):
    """The namespace of the instructor's cells; what is not in it is looked for in the box."""

    def __init__(self) -> None:
        super().__init__()
        self.student: BoxClient | None = None  # whom to ask, while the code of a cell runs
        self.students_own: frozenset[str] = frozenset()  # names of Python's that the solution binds
        self.deleted: set[str] = set()  # names of the student's that the cell has deleted
        self.imported: dict[
            str, Any
        ] = {}  # by solutions: students who import them, too, have them from here
        self._known: dict[str, _LookedUpName] = {}  # what has been looked up in this cell

    def begin(self) -> None:
        """Start a cell: what has been looked up in another is forgotten."""
        self.deleted.clear()
        self._known.clear()

    @contextlib.contextmanager
    def asking(self, student: BoxClient) -> Iterator[None]:
        """Let names be looked for in the box."""
        self.student = student
        try:
            yield
        finally:
            self.student = None

    def __delitem__(self, name: str) -> None:
        if not dict.__contains__(self, name) and name in self:
            self.deleted.add(name)
            self._known.pop(name, None)
        else:
            dict.__delitem__(self, name)

    def __missing__(self, name: str) -> Any:
        known, student = self._known.get(name), self.student
        if known is not None and (
            is_proxy(known.value) or (student is not None and known.calls == student.calls)
        ):
            return known.value
        if student is None or not self._may_ask(name):
            raise KeyError(name)
        found, value = student.name(name)
        if not found:
            raise KeyError(name)
        if name in self.imported:
            return self.imported[name]
        if known is not None:  # a call may have changed it: the test's own object follows
            value = adopt(known.value, value)
        self._known[name] = _LookedUpName(value, _blob(value), student.calls)
        return value

    def changed(self) -> dict[str, Any]:
        """Return the student's values that the test has changed in place since it looked them
        up.
        """
        found = {}
        for name, known in self._known.items():
            if known.blob and (blob := _blob(known.value)) != known.blob:
                found[name], known.blob = known.value, blob
        return found

    def __contains__(self, name: object) -> bool:
        if dict.__contains__(self, name):
            return True
        student = self.student
        if student is None or not isinstance(name, str) or not self._may_ask(name):
            return False
        return student.name(name)[0]

    def keys(self) -> list[str]:  # type: ignore[override]  # dir() wants names, and no view
        """Return the names of both sides, while a cell runs."""
        theirs = self.student.ask(AllNames()) if self.student is not None else ()
        return [
            *dict.keys(self),
            *(name for name in theirs if not dict.__contains__(self, name) and self._may_ask(name)),
        ]

    def items(self) -> list[tuple[str, Any]]:  # type: ignore[override]  # as keys()
        """Return the names of both sides with their values, while a cell runs."""
        return [(name, self[name]) for name in self.keys()]

    def get(self, name: Any, default: Any = None) -> Any:
        """Return the value of a name, as globals().get does."""
        try:
            return self[name]
        except KeyError:
            return default

    def _may_ask(self, name: Any) -> bool:
        if (
            self.student is None
            or not isinstance(name, str)
            or name.startswith("_")
            or name in self.deleted
        ):
            return False
        return name not in OWN or name in self.students_own
