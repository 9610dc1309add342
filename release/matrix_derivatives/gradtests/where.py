"""Say where an answer is wrong: what the arguments of all wrong cases have, and those of no other.

That may be so by chance, as tests have few cases. So new arguments are made, with what it seems to
be and without it, and the answer must be wrong for the former and right for the latter.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradtests.trials import Trial, try_cases
from gradtests.wrong_entries import with_argument, zeroed

Case = tuple[Any, ...]
Lengths = dict[tuple[int, int], tuple[int, ...]]
TRIED = 3  # new cases of each kind


@dataclass(frozen=True)
class _Property:
    """Something that a case has or has not, and how to make cases that have it, or have it not."""

    words: str
    holds: Callable[[Case], bool]
    made: Callable[[Case, bool, int], Case]  # from a case, with it or without it, by a seed


def where_wrong(
    trial: Trial,
    student: Callable[..., Any],
    reference: Callable[..., Any],
    names: Sequence[str],
) -> str:
    """Say where an answer is wrong that is right elsewhere, or return ''."""
    wrong = [fault is not None for fault in trial.faults]
    cases = [tuple(np.array(x) if isinstance(x, list) else x for x in case) for case in trial.cases]
    if len(wrong) < 3 or all(wrong) or not all(map(_is_plain, itertools.chain(*cases))):
        return ""

    def is_wrong(case: Case) -> bool:
        return any(try_cases(student, reference, [case], trial.judged, {}).faults)

    for one in _properties(cases, names):
        has = [one.holds(case) for case in cases]
        for word, where in (("wrong", True), ("right", False)):
            if has != [w == where for w in wrong]:
                continue
            if word == "right" and one.words.endswith(" is 1"):
                continue  # one entry is right whatever is done along its axis
            try:
                tried = [
                    (is_wrong(one.made(case, value, seed)), value == where)
                    for seed, case in enumerate(cases[:TRIED])
                    for value in (True, False)
                ]
            except Exception:  # of the reference: such arguments make no sense there
                continue
            if all(came == expected for came, expected in tried):
                return f"it is {word} only where {one.words}"
    return ""


def _is_plain(value: Any) -> bool:
    return _is_number(value) or (isinstance(value, np.ndarray) and value.dtype.kind in "fi")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _properties(cases: Sequence[Case], names: Sequence[str]) -> Iterator[_Property]:
    if len({len(case) for case in cases}) > 1:
        return
    for n, values in enumerate(zip(*cases, strict=True)):
        name = names[n] if n < len(names) else f"argument {n + 1}"
        if all(map(_is_number, values)):
            yield _Property(
                f"{name} is 0",
                lambda case, n=n: case[n] == 0,  # type: ignore[misc]
                lambda case, value, seed, n=n: with_argument(  # type: ignore[misc]
                    case, n, type(case[n])(0 if value else case[n] or 1)
                ),
            )
            yield _Property(
                f"{name} is negative",
                lambda case, n=n: case[n] < 0,  # type: ignore[misc]
                lambda case, value, seed, n=n: with_argument(  # type: ignore[misc]
                    case, n, -abs(case[n] or 1) if value else abs(case[n])
                ),
            )
        elif all(isinstance(value, np.ndarray) for value in values):
            yield _Property(
                f"{name} holds a 0",
                lambda case, n=n: bool(np.any(case[n] == 0)),  # type: ignore[misc]
                lambda case, value, seed, n=n: with_argument(case, n, zeroed(case[n], value, seed)),  # type: ignore[misc]
            )
            yield _Property(
                f"all entries of {name} are 0",
                lambda case, n=n: not np.any(case[n]),  # type: ignore[misc]
                lambda case, value, seed, n=n: with_argument(  # type: ignore[misc]
                    case, n, case[n] * 0 if value else np.where(case[n] == 0, 1, case[n])
                ),
            )
    yield from _of_last_indices(cases, names)
    yield from _of_lengths(cases, names)


def _of_last_indices(cases: Sequence[Case], names: Sequence[str]) -> Iterator[_Property]:
    """Yield that a whole number is the last index below another."""
    whole = [n for n, values in enumerate(zip(*cases, strict=True)) if all(map(_is_index, values))]

    def made(i: int, m: int) -> Callable[[Case, bool, int], Case]:
        def make(case: Case, value: bool, seed: int) -> Case:
            number = max(case[m], 3)
            index = number - 1 if value else seed % (number - 1)
            return with_argument(with_argument(case, m, number), i, index)

        return make

    def holds(i: int, m: int) -> Callable[[Case], bool]:
        return lambda case: bool(case[i] == case[m] - 1)

    for i, m in itertools.permutations(whole, 2):
        if max(i, m) < len(names):
            yield _Property(f"{names[i]} is {names[m]} − 1", holds(i, m), made(i, m))


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _of_lengths(cases: Sequence[Case], names: Sequence[str]) -> Iterator[_Property]:
    """Yield that two lengths are equal, and that one of them is some number."""
    if any(
        len({np.ndim(value) for value in values}) > 1 for values in zip(*cases, strict=True)
    ) or any(x.size == 0 for case in cases for x in case if isinstance(x, np.ndarray)):
        return
    lengths: Lengths = {}
    for n, values in enumerate(zip(*cases, strict=True)):
        if isinstance(values[0], np.ndarray):
            for axis in range(values[0].ndim):
                lengths[n, axis] = tuple(value.shape[axis] for value in values)
        elif all(isinstance(value, int) for value in values):
            lengths[n, -1] = tuple(values)
    # Axes that are as long as each other in every case belong together.
    together: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for place, found in lengths.items():
        together.setdefault(found, []).append(place)
    groups = [places for places in together.values() if any(axis >= 0 for _, axis in places)]

    def made(case: Case, chosen: dict[int, int], seed: int) -> Case:
        rng = np.random.default_rng(seed)
        free = iter(rng.permutation([n for n in (2, 3, 4, 5, 6, 7) if n not in chosen.values()]))
        new = {
            place: chosen.get(number, 0) or size
            for number, places in enumerate(groups)
            for size in [int(next(free))]
            for place in places
        }
        return tuple(
            _random(x, tuple(new[n, axis] for axis in range(x.ndim)), rng)
            if isinstance(x, np.ndarray)
            else new.get((n, -1), x)
            for n, x in enumerate(case)
        )

    def length(case: Case, number: int) -> int:
        n, axis = next(place for place in groups[number] if place[1] >= 0)
        return int(case[n].shape[axis])

    for a, b in itertools.combinations(range(len(groups)), 2):
        yield _Property(
            _equal_words(groups[a], groups[b], cases[0], names),
            lambda case, a=a, b=b: length(case, a) == length(case, b),  # type: ignore[misc]
            lambda case, value, seed, a=a, b=b: made(case, {a: 4, b: 4} if value else {}, seed),  # type: ignore[misc]
        )
    for a in range(len(groups)):
        for size in sorted({length(case, a) for case in cases}):
            yield _Property(
                f"{_length_words(groups[a], cases[0], names)} is {size}",
                lambda case, a=a, size=size: length(case, a) == size,  # type: ignore[misc]
                lambda case, value, seed, a=a, size=size: made(  # type: ignore[misc]
                    case, {a: size if value else size + 1 + seed}, seed
                ),
            )


def _random(like: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return random numbers, between 0 and 1 where those of another array are, and whole ones of
    that array where it holds whole ones.
    """
    if like.dtype.kind == "i":
        return rng.choice(like.ravel(), shape)
    between = bool(np.all(like > 0) and np.all(like < 1))
    return rng.uniform(0.1, 0.9, shape) if between else rng.normal(size=shape)


def _length_words(places: Sequence[tuple[int, int]], case: Case, names: Sequence[str]) -> str:
    n, axis = next(place for place in places if place[1] >= 0)
    name = names[n] if n < len(names) else f"argument {n + 1}"
    if case[n].ndim == 1:
        return f"the length of {name}"
    if case[n].ndim == 2:
        return f"the number of {('rows', 'columns')[axis]} of {name}"
    return f"the length of axis {axis} of {name}"


def _equal_words(
    a: Sequence[tuple[int, int]], b: Sequence[tuple[int, int]], case: Case, names: Sequence[str]
) -> str:
    for n in range(min(len(case), len(names))):
        if np.ndim(case[n]) == 2 and {(n, 0), (n, 1)} <= {*a, *b}:
            return f"{names[n]} is square"
    return f"{_length_words(a, case, names)} is {_length_words(b, case, names)}"
