"""Results that students share: what depends on equal answers is run for the first of them only.

The key of a cell (see `grading.regrading`) names all that its result depends on: with the same key
it comes to the same in another student's notebook. Only a test that has got all its points, and a
cell that shows no error and no warning, are taken over. What loses points is judged in each
student's own process: nobody loses any for what another has handed in.

A worker keeps results in memory, and those of one machine give them to each other in a folder of
the run: both end with it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock, get_ident

from nbreferee.engine.box_runner import CellResult
from nbreferee.engine.wire.codec_format import CodecError
from nbreferee.engine.wire.records import Records
from nbreferee.engine.wire.to_tester import Evidence
from nbreferee.grading.regrading import CellKeys
from nbreferee.verdicts import CellVerdict

LIMIT_BYTES = 64 << 20  # that a worker keeps, and that it writes
FOLDER = "results"
_RECORDS = Records(CellResult, CellVerdict, Evidence)


@dataclass
class SharedResults:
    """The results of cells by their keys; the oldest go first."""

    _results: dict[str, bytes] = field(default_factory=dict)
    _size: int = 0
    _written: int = 0
    _lock: Lock = field(default_factory=Lock)

    def find(self, keys: CellKeys, shared: str) -> dict[int, CellResult]:
        """Return the results that there are for the cells of a notebook, by their place.

        Parameters
        ----------
        shared
            A folder that the workers of this machine share, if there is one; not for boxes.
        """
        found = {}
        for number, key in enumerate(keys.keys):
            data = self._results.get(key) if key else None
            if key and shared and data is None:
                with contextlib.suppress(OSError):
                    data = (Path(shared) / FOLDER / key).read_bytes()
                    self._keep(key, data)
            if data is not None:
                with contextlib.suppress(CodecError):
                    found[number] = _RECORDS.decode(data, CellResult)
        return found

    def learn(self, keys: CellKeys, came: Sequence[CellResult], shared: str) -> None:
        """Keep the results of a notebook in which nothing was cut short."""
        for key, one in zip(keys.keys, came, strict=True):
            if key and key not in self._results and _may_be_shared(one):
                data = _RECORDS.encode(replace(one, wall_s=0.0))
                self._keep(key, data)
                if shared and self._written < LIMIT_BYTES:
                    self._written += len(data)
                    with contextlib.suppress(OSError):
                        _write(Path(shared) / FOLDER / key, data)

    def _keep(self, key: str, data: bytes) -> None:
        with self._lock:
            if key not in self._results:
                self._results[key] = data
                self._size += len(data)
            while self._size > LIMIT_BYTES:
                self._size -= len(self._results.pop(next(iter(self._results))))


def _may_be_shared(one: CellResult) -> bool:
    if any(out["output_type"] == "error" or out.get("name") == "stderr" for out in one.outputs):
        return False
    verdict = one.verdict
    return verdict is None or (
        verdict.status == "passed"
        and verdict.score == verdict.max_score
        and not (verdict.message or verdict.follow_through)
    )


def _write(path: Path, data: bytes) -> None:
    """Write a file that is there as a whole, or not at all."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.{get_ident()}")
    path.parent.mkdir(mode=0o700, exist_ok=True)
    aside.write_bytes(data)
    aside.replace(path)
