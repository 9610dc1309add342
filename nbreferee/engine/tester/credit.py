"""Partial credit: the number that the last expression of a test gives, as nbgrader reads it."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbreferee.engine.tester.proxies import Proxy

NO_NUMBERS = (
    bool,
    np.bool_,
    np.timedelta64,
    complex,
    np.complexfloating,
    str,
    bytes,
    list,
    tuple,
    dict,
    set,
)


def credit_of(value: Any) -> float | None:
    """Return the points that the value of a test stands for; None where it is no number.

    nbgrader reads the text of the result (nbgrader.utils.get_partial_grade). NumPy's numbers count
    as numbers here: since NumPy 2 their text, `np.float64(2.0)`, is none. A student's object is not
    asked.
    """
    if issubclass(type(value), Proxy) or isinstance(value, NO_NUMBERS):
        return None
    if isinstance(value, (np.integer, np.floating)) or (
        isinstance(value, np.ndarray) and value.shape == () and value.dtype.kind in "iuf"
    ):
        return float(value)
    try:
        return float(repr(value))
    except BaseException:  # an object of the test's may hold one of the student's
        return None
