"""What is odd about a value: some pass tests that have forgotten about them, whatever the right answer."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from nbreferee.engine.proxies import Proxy

WALKED = 10_000  # values in a container that are looked at


def oddities(value: Any) -> set[str]:
    """Return what is odd about a value and what it holds, in words; nothing, as a rule."""
    found: set[str] = set()
    left = [value]
    for _ in range(WALKED):
        if not left:
            break
        one = left.pop()
        if type(one) in (list, tuple, set, frozenset):
            left.extend(itertools.islice(one, WALKED))
        elif type(one) is dict:
            left.extend(itertools.islice(one.values(), WALKED))
        elif isinstance(one, np.ndarray):
            if not one.size:
                found.add("an empty array")
            elif one.dtype.kind in "fc" and np.isnan(one).any():
                found.add("nan, which is no number")
        elif isinstance(one, (float, complex, np.inexact)) and one != one:
            found.add("nan, which is no number")
        elif isinstance(one, Proxy) and one._facts.kind == "object" and not one._computes:
            found.add("an object that is no plain value")
    return found
