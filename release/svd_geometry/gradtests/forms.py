"""The forms in which a test gives arguments: lists, integers, float32, small and large numbers."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import numpy as np

from gradcheck import ended

# The first case is tried in these forms too. Those of the first table cost no points: where one
# fails, a note says so, and what helps.
GIVEN_AS = {
    "lists": ("as lists", "np.asarray(x, dtype=float) turns a list into an array"),
    "integers": (
        "as integers",
        "np.asarray(x, dtype=float) makes them floats; np.zeros_like keeps integers",
    ),
    "float32": ("in float32", "np.asarray(x, dtype=float) makes every array float64"),
    "read-only": ("as a read-only array", "work on a copy of what you write into"),
    "strided": (
        "as every other entry of a larger array",
        "use the array's shape and indices, not how its numbers lie in memory",
    ),
}
SCALED = {
    "small": ("100,000 times smaller", "it rounds, or takes small numbers for 0"),
    "large": ("100,000 times larger", "it clips, or takes a fixed bound for a relative one"),
}
FORMS = GIVEN_AS | SCALED


def give(argument: Any, form: str) -> Any:
    """Return a copy of an argument, an array of at least one axis in the form asked for."""
    x = copy.deepcopy(argument)
    if not isinstance(x, np.ndarray) or x.ndim == 0:
        return x
    if form == "lists":
        return x.tolist()
    if form == "integers":
        return x.astype(int)
    if form == "float32" and x.dtype.kind == "f":
        return x.astype(np.float32)
    if form == "strided":
        return np.repeat(x, 2, axis=-1)[..., ::2]
    if form == "read-only":
        x.setflags(write=False)
    return x


def in_form(case: tuple[Any, ...], form: str) -> tuple[Any, ...]:
    """Return the case with numbers that the form can hold, in float64."""

    def adapted(x: Any) -> Any:
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            return x
        if form == "integers":
            return np.rint(4 * x)
        if form == "float32":
            return x.astype(np.float32).astype(np.float64)
        return x * {"small": 1e-5, "large": 1e5}.get(form, 1)

    return tuple(adapted(x) for x in case)


def as_float_arrays(case: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Return a case with lists or integers as arrays, first of the numbers' own type, then of
    floats.
    """

    def array(x: Any, dtype: type | None) -> Any:
        if isinstance(x, list) or (isinstance(x, np.ndarray) and x.dtype.kind == "i"):
            with contextlib.suppress(ValueError, TypeError):  # a ragged list stays one
                made = np.array(x, dtype=dtype)
                return made if made.dtype.kind in "if" else x
        return x

    others = [tuple(array(x, dtype) for x in case) for dtype in (None, float)]
    return others if any(a is not b for a, b in zip(case, others[0], strict=True)) else []


def form_note(fault: str, form: str) -> str:
    """Say what fails in a form that costs no points, and what helps; `fault` is its sentence."""
    given, help_ = GIVEN_AS[form]
    return (
        f"is right, but not where its arguments are given {given}: it {ended(fault)} It "
        f"costs no points; {help_}"
    )
