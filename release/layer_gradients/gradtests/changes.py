"""Search for a known mistake that is changed besides, or for the reference of changed arguments."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck import ended
from gradtests.agreement import Change, agreement_of, is_surely
from gradtests.shapes import in_other_shape
from gradtests.trials import MOST_KEPT, Trial, results_of

SEARCH_S = 1.0  # of processor time, to look for changed mistakes


@np.errstate(all="ignore")
def changed_mistake(
    trial: Trial,
    mistakes: Mapping[str, Callable[..., Any]],
    reference: Callable[..., Any],
    names: list[str],
) -> str:
    """Find a named mistake whose result is negated or transposed besides, or the reference of other
    arguments; '' where there is none.
    """
    if found := in_other_shape(results_of(trial, trial.gots, trial.wants), names):
        return found
    if sum(part.size for part in trial.wants[trial.in_order[0]].parts) >= MOST_KEPT:
        return ""  # each attempt would compute it again
    end = time.process_time() + SEARCH_S
    others = _with_other_arguments(reference, trial.cases[0], names)
    for words, wrong in others:
        if time.process_time() > end:
            return ""
        if is_surely(agreement_of(trial, wrong)):
            return f"the result comes out as if {words}"
    for sentence, wrong in mistakes.items():
        if time.process_time() > end:
            return ""
        for words, change in CHANGES:
            if is_surely(agreement_of(trial, wrong, change)):
                return f"{ended(sentence)} Besides, {words}"
    for words, wrong in others:
        if time.process_time() > end:
            return ""
        if is_surely(agreement_of(trial, wrong, np.negative)):
            return f"the result comes out as if {words}; besides, the sign is flipped"
    return ""


def _with_other_arguments(
    reference: Callable[..., Any], case: tuple[Any, ...], names: list[str]
) -> list[tuple[str, Callable[..., Any]]]:
    """Return the reference of changed arguments, each with a clause that names the change."""

    def changed(position: int, change: Change) -> Callable[..., Any]:
        def wrong(*arguments: Any) -> Any:
            made = list(arguments)
            made[position] = change(np.asarray(made[position], dtype=float))
            return reference(*made)

        return wrong

    def exchanged(i: int, j: int) -> Callable[..., Any]:
        def wrong(*arguments: Any) -> Any:
            made = list(arguments)
            made[i], made[j] = made[j], made[i]
            return reference(*made)

        return wrong

    arrays = [
        n
        for n, value in enumerate(case[: len(names)])
        if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind == "f"
    ]
    found = [
        (f"{names[i]} and {names[j]} were exchanged", exchanged(i, j))
        for i, j in itertools.combinations(arrays, 2)
        if case[i].ndim == case[j].ndim
    ]
    for n in arrays:
        for words, change in ARGUMENT_CHANGES.items():
            of_row = "entry" if case[n].ndim == 1 else "row"
            clause = words.format(names[n]).replace("entry or row", of_row)
            found.append((clause, changed(n, change)))
    return found


def _transposed(x: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    if x.ndim != len(order):
        raise ValueError("an array of other axes")
    return x.transpose(order)


def _emptied(end: int, axis: int) -> Change:
    """Return a change that puts 0 into the first or last slice along an axis."""

    def change(x: np.ndarray) -> np.ndarray:
        made = x.copy()
        slices = np.moveaxis(made, axis, 0)  # a ValueError where there are fewer axes
        slices[end] = 0
        return made

    return change


def _repeated(x: np.ndarray, axis: int) -> np.ndarray:
    """Put the first row or column in the place of each."""
    if x.ndim != 2:
        raise ValueError("no matrix")
    return np.repeat(np.take(x, [0], axis), x.shape[axis], axis)


def _only_vector(x: np.ndarray, number: float) -> np.ndarray:
    if x.ndim != 1:
        raise ValueError("no vector")
    return np.full(x.shape, number)


CHANGES: list[tuple[str, Change]] = [
    ("the sign is flipped", np.negative),
    ("it is the transpose", lambda x: _transposed(x, (1, 0))),
    ("it is the transpose, and the sign is flipped", lambda x: -_transposed(x, (1, 0))),
    ("it is cut to whole numbers, as in an array of integers", np.trunc),
    ("it is flattened", lambda x: x.ravel() if x.ndim > 1 else _transposed(x, ())),
    *(
        (f"the axes are permuted{sign}", lambda x, o=order, f=factor: f * _transposed(x, o))
        for sign, factor in (("", 1), (", and the sign is flipped", -1))
        for n in (3, 4)
        for order in itertools.permutations(range(n))
        if order != tuple(range(n))
    ),
]
ARGUMENT_CHANGES: dict[str, Change] = {
    "{0} had the opposite sign": np.negative,
    "{0} stood where its transpose belongs": lambda x: _transposed(x, (1, 0)),
    "{0} were reshaped where a transpose belongs": lambda x: x.reshape(x.T.shape).T,
    "{0} were reshaped to the shape of its transpose, and that transposed": lambda x: x.T.reshape(
        x.shape
    ),
    "the inverse of {0} stood where its transpose belongs": lambda x: np.linalg.pinv(x).T,
    "every column of {0} were the first": lambda x: _repeated(x, 1),
    "every row of {0} were the first": lambda x: _repeated(x, 0),
    "every entry of {0} were the sum of them all": lambda x: _only_vector(x, float(np.sum(x))),
    "every entry of {0} were the mean of them all": lambda x: _only_vector(x, float(np.mean(x))),
    **{
        f"the {where} {of} {{0}} were 0: is it left out of a loop, or of a slice?": _emptied(
            end, axis
        )
        for end, where in ((0, "first"), (-1, "last"))
        for axis, of in ((0, "entry or row of"), (1, "column of"))
    },
}
