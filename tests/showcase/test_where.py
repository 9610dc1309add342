"""Where an answer is wrong: `gradtests` says it where new arguments bear it out, and is silent else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradtests import check, random_arrays


def early_return(k: np.ndarray, dk: np.ndarray, u: np.ndarray, du: np.ndarray) -> np.ndarray:
    return np.zeros(du.shape) if k == 0 else product_rule(k, dk, u, du)


def product_rule(k: np.ndarray, dk: np.ndarray, u: np.ndarray, du: np.ndarray) -> np.ndarray:
    return np.outer(u, dk) + k * du


def axis_by_length(D: np.ndarray, b: np.ndarray) -> np.ndarray:
    return D + (b[:, None] if len(b) == len(D) else b)


def transposed_where_it_fits(D: np.ndarray, W: np.ndarray) -> np.ndarray:
    return D @ W.T if W.shape[0] == W.shape[1] else D @ W


def two_terms(U: np.ndarray, s: np.ndarray, V: np.ndarray) -> np.ndarray:
    return s[0] * np.outer(U[:, 0], V[:, 0]) + s[1] * np.outer(U[:, 1], V[:, 1])


def doubled_beside_a_zero(x: np.ndarray) -> np.ndarray:
    return 2 * x if np.any(x == 0) else x


def place(i: int, a: np.ndarray, m: int) -> np.ndarray:
    row = np.zeros(m * a.size)
    row[i * a.size : (i + 1) * a.size] = a
    return row


def all_but_the_last_block(i: int, a: np.ndarray, m: int) -> np.ndarray:
    row = np.zeros(m * a.size)
    row[i * a.size : -(m - 1 - i) * a.size] = a
    return row


def blocks_as_wide_as_their_number(i: int, a: np.ndarray, m: int) -> np.ndarray:
    row = np.zeros(m * a.size)
    row[(i * m + np.arange(a.size)) % row.size] = a
    return row


def nothing_at_zero(D: np.ndarray) -> np.ndarray:
    return np.select([D > 0, D < 0], [1 / (1 + np.exp(-D)), np.exp(D) / (1 + np.exp(D))], 0)


BLOCKS = [(i, *random_arrays(n, (n + 2,)), m) for n, (i, m) in enumerate([(1, 3), (0, 2), (2, 3)])]
LAYERS = [random_arrays(n, (4, n + 1), (n + 1, 3)) for n in range(1, 5)]
FACTORS = [random_arrays(r, (5, r), (r,), (4, r)) for r in (2, 2, 3, 4)]
FOUND: dict[str, tuple[Callable[..., Any], Callable[..., Any], list[tuple[Any, ...]]]] = {
    "it is wrong only where k is 0": (
        early_return,
        product_rule,
        [(k, *random_arrays(3, (3,), (4,), (4, 3))) for k in (2.5, -1.5, 0.0, 0.7)],
    ),
    "it is wrong only where D is square": (
        axis_by_length,
        lambda D, b: D + b,
        [random_arrays(n, (n, 3), (3,)) for n in (2, 3, 4)],
    ),
    "it is wrong only where W is square": (
        transposed_where_it_fits,
        lambda D, W: D @ W,
        LAYERS,
    ),
    "it is right only where the number of columns of U is 2": (
        two_terms,
        lambda U, s, V: (U * s) @ V.T,
        FACTORS,
    ),
    "it is wrong only where theta is negative": (
        lambda theta: np.array([np.cos(theta % 1.5), np.sin(theta % 1.5)]),
        lambda theta: np.array([np.cos(theta), np.sin(theta)]),
        [(theta,) for theta in (0.5, -0.7, 1.2, -0.2)],
    ),
    "it is right only where the length of sizes is 3": (
        lambda sizes: sizes[0] * sizes[1] + sizes[1] + sizes[1] * sizes[2] + sizes[2],
        lambda sizes: np.sum(np.array(sizes)[1:] * (np.array(sizes)[:-1] + 1)),
        [(np.array([4, 3, 2]),), ([5, 2],), ([3, 4, 5, 2],)],
    ),
    "it is wrong only where all entries of A are 0": (
        lambda A: A[:1] if not A.any() else A.T @ A,
        lambda A: A.T @ A,
        [*(random_arrays(n, (4, n)) for n in (2, 3)), (np.zeros((4, 2)),)],
    ),
    "it is wrong only where i is m − 1": (all_but_the_last_block, place, BLOCKS),
    "it is right where all lengths are equal: a transpose is missing, or the length of one axis "
    "stands where that of another belongs": (blocks_as_wide_as_their_number, place, BLOCKS),
    "it is wrong only in the entries where D is 0": (
        nothing_at_zero,
        lambda D: 1 / (1 + np.exp(-D)),
        [(np.array([[-3.0, 0, 2], [1, 4, -1]]),), (np.array([[1.0, 2, -1]]),)],
    ),
    "it is wrong only where x holds a 0": (
        doubled_beside_a_zero,
        lambda x: x,
        [*(random_arrays(n, (4,)) for n in range(3)), (np.array([1.0, 0.0, 3.0, -2.0]),)],
    ),
}


def message(
    student: Callable[..., Any], reference: Callable[..., Any], cases: list[tuple[Any, ...]]
) -> str:
    with pytest.raises(AssertionError) as caught:
        check(student, reference, cases, forms=())
    return str(caught.value)


@pytest.mark.parametrize("words", FOUND)
def test_property_that_all_wrong_cases_share_is_told(words: str) -> None:
    assert f"Likely cause: {words}." in message(*FOUND[words])


def test_property_that_separates_cases_by_chance_is_not_told() -> None:
    def by_chance(k: np.ndarray, x: np.ndarray) -> np.ndarray:
        return 2 * x if x[0] > 1 else x

    cases = [(0.0, np.array([2.0, 1.0])), (1.0, np.array([0.5, 1.0])), (2.0, np.array([0.1, 3.0]))]
    assert "only where" not in message(by_chance, lambda k, x: x, cases)


def test_arguments_that_the_reference_refuses_are_no_evidence() -> None:
    def reference(k: np.ndarray, x: np.ndarray) -> np.ndarray:
        if k == 0:
            raise ZeroDivisionError
        return x / k

    def student(k: np.ndarray, x: np.ndarray) -> np.ndarray:
        return x / k if k != 1 else x + 1

    cases = [(k, np.array([2.0, 1.0, 4.0])) for k in (1.0, 2.0, 4.0)]
    assert "only where" not in message(student, reference, cases)


def test_functions_among_the_arguments_are_no_numbers() -> None:
    def slope(f: Callable[[float], float], x: float, h: float) -> float:
        return (f(x + h) - f(x - h)) / (2 * h)

    cases = [(np.sin, 0.3, 0.1), (np.exp, 0.2, 0.3), (np.cos, 1.0, 0.2)]
    said = message(lambda f, x, h: max(slope(f, x, h), 0.0), slope, cases)
    assert "not supported" not in said
