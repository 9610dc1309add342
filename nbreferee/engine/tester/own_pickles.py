"""What a tester has pickled itself, and may load again: see `provenance`."""

from __future__ import annotations

import hashlib
import pickle
from typing import Any

# Their instances are plain values, whatever a pickle says of them.
PLAIN_CLASSES = {
    "builtins": {
        "bytearray",
        "complex",
        "dict",
        "frozenset",
        "list",
        "range",
        "set",
        "slice",
        "tuple",
    },
    "collections": {"Counter", "OrderedDict", "defaultdict", "deque"},
    "datetime": {"date", "datetime", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
    **{
        key: {"_reconstruct", "dtype", "ndarray", "scalar"}
        for key in ["numpy", "numpy.core.multiarray", "numpy._core.multiarray"]
    },
}
REMEMBERED = 10_000


class OwnPickles:
    """The pickles that this process has made with `pickle.dumps`."""

    def __init__(self) -> None:
        self.at_hand = False  # whether one of them is being loaded
        self._known: set[bytes] = set()

    def watch(self) -> None:
        """Put functions that remember and know them in the place of `pickle.dumps` and
        `pickle.loads`.
        """
        dumps, loads = pickle.dumps, pickle.loads

        def remembering_dumps(*arguments: Any, **named: Any) -> bytes:
            made = dumps(*arguments, **named)
            if len(self._known) < REMEMBERED:
                self._known.add(hashlib.sha256(made).digest())
            return made

        def knowing_loads(data: Any, /, **named: Any) -> Any:
            before = self.at_hand
            self.at_hand = hashlib.sha256(data).digest() in self._known
            try:
                return loads(data, **named)
            finally:
                self.at_hand = before

        pickle.dumps, pickle.loads = remembering_dumps, knowing_loads
