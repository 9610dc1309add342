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
            elif one.dtype.kind == "O":
                left.extend(itertools.islice(one.flat, WALKED))
        elif isinstance(one, (float, complex, np.inexact)) and one != one:
            found.add("nan, which is no number")
        elif isinstance(one, Proxy) and _is_object(one):
            found.add("an object that is no plain value")
    return found


def _is_object(one: Proxy) -> bool:
    """Tell whether it is an object that no exercise is about; that it may be called or iterated makes it no function."""
    own_callable = one._facts.kind == "callable" and one._facts.type_module == "__main__"
    return (own_callable or one._facts.kind in ("object", "iterator")) and not one._computes
