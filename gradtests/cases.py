"""Arguments to call a function with."""

from __future__ import annotations

import itertools

import numpy as np

from gradcheck import random_arrays


def cases_for(seed: int, *shapes: str) -> list[tuple[np.ndarray, ...]]:
    """Return cases for arrays whose axes have names: `cases_for(1, "N m", "m n")`; "" is a number.

    In the first all axes are unlike. Then each is 1 in turn, any two are alike in turn, and all are
    long; last come small whole numbers, with zeros, equal rows and equal columns.

    Examples
    --------
    >>> [(D.shape, W.shape) for D, W in cases_for(1, "N m", "m n")][:3]
    [((3, 4), (4, 5)), ((1, 4), (4, 5)), ((3, 1), (1, 5))]
    """
    names = list(dict.fromkeys(name for shape in shapes for name in shape.split()))
    unlike = {name: 3 + n for n, name in enumerate(names)}
    sizes = [unlike, *({**unlike, name: 1} for name in names)]
    sizes += [{**unlike, a: unlike[b]} for a, b in itertools.combinations(names, 2)]
    sizes += [{name: 35 + 2 * n for n, name in enumerate(names)}, unlike]
    cases = [
        random_arrays(seed + n, *(tuple(size[name] for name in shape.split()) for shape in shapes))
        for n, size in enumerate(sizes)
    ]
    whole = tuple(np.rint(x) for x in cases.pop())
    for x in whole:
        for axis in range(np.ndim(x)):
            x[(0,) * np.ndim(x)] = 0
            first, last = ([slice(None)] * axis + [end] for end in (0, -1))
            x[tuple(last)] = x[tuple(first)]
    return [*cases, whole]
