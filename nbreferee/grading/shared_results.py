"""Results that students share: what depends on equal answers is run once, not once a student.

The key of a cell (see `grading.regrading`) names all that its result depends on: with the same key
it comes to the same in another student's notebook. A test that has got all its points, and a cell
that shows no error and no warning, are taken over from the first student. Anything else is taken
over only when the runs of two students have come to the same: no single notebook costs another
student a point. An error may name cells by number, so it is shared only between notebooks with the
same numbers.

A worker keeps results in memory, and those of one machine give them to each other in a folder of
the run: both end with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock, get_ident

from nbreferee.engine.box_runner import CellResult, CellToRun, box_counts
from nbreferee.engine.wire.codec_format import CodecError
from nbreferee.engine.wire.records import Records
from nbreferee.engine.wire.to_tester import Evidence
from nbreferee.grading.regrading import CellKeys
from nbreferee.verdicts import CellVerdict

KEPT_BYTES = 64 << 20  # of a worker, in memory
WRITTEN_BYTES = 16 << 20  # of a worker, for the others
DIGEST_BYTES = 32
FOLDER = "results"
SEEN_ONCE = ".once"  # at the end of a name: what one student's run has come to
_RECORDS = Records(CellResult, CellVerdict, Evidence)


@dataclass
class SharedResults:
    """The results of cells by name; those that nobody has asked for longest go first."""

    _results: dict[str, bytes] = field(default_factory=dict)
    _size: int = 0
    _written: int = 0
    _lock: Lock = field(default_factory=Lock)

    def find(
        self, parts: Sequence[CellToRun], keys: CellKeys, shared: str, known: Collection[int] = ()
    ) -> dict[int, CellResult]:
        """Return the results that there are for the cells of a notebook, by their place.

        Parameters
        ----------
        shared
            A folder that the workers of this machine share, if there is one; not for boxes.
        known
            Places of cells whose results are known already.
        """
        found = {}
        for number, names in _names(parts, keys):
            data = None if number in known else self._any_of(names, shared)
            if data is not None and (result := _decoded(data)) is not None:
                found[number] = result
        return found

    def learn(
        self,
        parts: Sequence[CellToRun],
        keys: CellKeys,
        came: Sequence[CellResult],
        shared: str,
        known: Collection[int] = (),
    ) -> None:
        """Keep the results of a notebook in which nothing was cut short; not those that were
        `known` before it was run.
        """
        for number, (name, exact_name) in _names(parts, keys):
            if number in known:
                continue
            try:
                data = _RECORDS.encode(replace(came[number], wall_s=0.0))
            except CodecError:  # too large or too deep to be kept
                continue
            if _is_good(came[number]):
                self._keep(name, data, shared)
            elif self._any_of([exact_name], shared) is None:
                is_second = self._any_of([exact_name + SEEN_ONCE], shared) == data
                self._keep(exact_name if is_second else exact_name + SEEN_ONCE, data, shared)

    def _any_of(self, names: Sequence[str], shared: str) -> bytes | None:
        for name in names:
            data = self._results.get(name)
            if data is None and shared:
                data = _read(Path(shared) / FOLDER / name)
            if data is not None:
                self._remember(name, data)
                return data
        return None

    def _keep(self, name: str, data: bytes, shared: str) -> None:
        self._remember(name, data)
        if shared and self._written < WRITTEN_BYTES:
            self._written += len(data)
            with contextlib.suppress(OSError):
                _write(Path(shared) / FOLDER / name, data)

    def _remember(self, name: str, data: bytes) -> None:
        with self._lock:
            self._size += len(data) - len(self._results.pop(name, b""))
            self._results[name] = data
            while self._size > KEPT_BYTES:
                self._size -= len(self._results.pop(next(iter(self._results))))


def _names(parts: Sequence[CellToRun], keys: CellKeys) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield for each cell its place, and its names: of a good result, and of another one."""
    counts = box_counts(parts)
    for number, key in enumerate(keys.keys):
        if key:
            numbers = [counts.get(one, 0) for one in (*sorted(keys.slices[number]), number)]
            digest = hashlib.sha256(repr(numbers).encode()).hexdigest()
            yield number, (key, f"{key}-{digest[:8]}")


def _is_good(one: CellResult) -> bool:
    if any(out["output_type"] == "error" or out.get("name") == "stderr" for out in one.outputs):
        return False
    verdict = one.verdict
    return verdict is None or (
        verdict.status == "passed"
        and verdict.score == verdict.max_score
        and not (verdict.message or verdict.follow_through)
    )


def _write(path: Path, data: bytes) -> None:
    """Write a file that is there as a whole, or not at all: the disk may be full."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.{get_ident()}")
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        aside.write_bytes(hashlib.sha256(data).digest() + data)
        aside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise


def _read(path: Path) -> bytes | None:
    """Return what a file holds; None if it is not there, or not as it was written."""
    try:
        written = path.read_bytes()
    except OSError:
        return None
    digest, data = written[:DIGEST_BYTES], written[DIGEST_BYTES:]
    return data if hashlib.sha256(data).digest() == digest else None


def _decoded(data: bytes) -> CellResult | None:
    try:
        return _RECORDS.decode(data, CellResult)
    except CodecError:
        return None
