"""Which answers count as equal.

A comparison takes what the student returned, a right answer, and the case, and returns the right
answer that is nearest to the student's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradtests.calls import Parts, call
from gradtests.results import agree, tolerance

ZERO = 1e-10  # what counts as 0, as a part of the largest singular value


def up_to_sign(got: Parts, right: Parts, case: tuple[Any, ...]) -> Parts:
    """Accept every part with either sign."""
    return tuple(-r if np.vdot(g, r).real < 0 else r for g, r in zip(got, right, strict=True))


def up_to_basis(got: Parts, right: Parts, case: tuple[Any, ...]) -> Parts:
    """Accept any orthonormal basis of the same space: the columns of each part.

    The basis nearest to the student's has the same projector as the reference (orthogonal
    Procrustes problem: Golub & Van Loan, Matrix Computations, 6.4.1).
    """
    nearest = []
    for g, r in zip(got, right, strict=True):
        u, _, vt = np.linalg.svd(r.T @ g)
        nearest.append(r @ u @ vt)
    return tuple(nearest)


def any_svd(got: Parts, right: Parts, case: tuple[Any, ...]) -> Parts:
    """Accept any thin singular value decomposition (U, s, V) of the case's matrix, in any order.

    Each part can be judged by itself: U alone; s in the order of the student's U, where that is
    right; V with the student's U, where that is right.
    """
    (U, s, V), (right_U, right_s, right_V) = got, right
    B = (right_U * right_s) @ right_V.T
    left, values, right_vectors = np.linalg.svd(B)
    nearest_U = _nearest_vectors(U, right_U, left, values)
    nearest_V = _nearest_vectors(V, right_V, right_vectors.T, values)
    # A part that is not judged may be the reference's own: then it says nothing of the student's
    # order.
    if U is right_U or not agree(U, nearest_U, tolerance(U)):
        return nearest_U, right_s[np.argsort(np.argsort(-s))], nearest_V
    images = B.T @ nearest_U
    lengths = np.linalg.norm(images, axis=0)
    zero = lengths <= ZERO * values[0]
    return (
        nearest_U,
        np.where(zero, 0, lengths),
        np.where(zero, nearest_V, images / np.where(zero, 1, lengths)),
    )


def _nearest_vectors(
    vectors: np.ndarray, right: np.ndarray, basis: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """Return the singular vectors nearest to the student's: any order and signs, any basis for
    equal values.

    `basis` holds all of them as columns, `values` the singular values in the same, descending
    order.
    """
    padded = np.append(values, np.zeros(len(basis)))[: len(basis)]
    starts = np.flatnonzero(np.append(True, padded[:-1] - padded[1:] > ZERO * padded[0]))
    groups = np.split(np.arange(len(basis)), starts[1:])
    shares = np.array([np.sum((basis[:, group].T @ vectors) ** 2, axis=0) for group in groups])
    chosen = shares.argmax(axis=0)
    answer = np.zeros(vectors.shape)
    for n, group in enumerate(groups):
        own = np.flatnonzero(chosen == n)
        wanted = np.sum(group < len(values))  # how many a thin decomposition has
        if len(own) != wanted:
            return right  # one is missing, or there twice
        turn, _, turn_back = np.linalg.svd(basis[:, group].T @ vectors[:, own], full_matrices=False)
        answer[:, own] = basis[:, group] @ turn @ turn_back
    return answer


def any_slope(other_side: Callable[..., Any]) -> Callable[[Parts, Parts, tuple[Any, ...]], Parts]:
    """Accept any slope at a kink: all values between the reference's and `other_side`'s.

    The reference takes the derivative from one side of the kink, `other_side` from the other;
    elsewhere they agree.
    """

    def compare(got: Parts, right: Parts, case: tuple[Any, ...]) -> Parts:
        others = call(other_side, case, right).parts
        return tuple(
            np.clip(g, np.minimum(r, o), np.maximum(r, o))
            for g, r, o in zip(got, right, others, strict=True)
        )

    return compare
