"""Derivatives for the softmax notebook by automatic differentiation of the plain formulas.

Only the functions themselves are written here, unshifted as in a textbook; HIPS autograd finds the
derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad, jacobian


def _softmax(z: np.ndarray) -> np.ndarray:
    return anp.exp(z) / anp.sum(anp.exp(z))


def _y(x: np.ndarray, W: np.ndarray, u: np.ndarray) -> np.ndarray:
    return _softmax(anp.dot(W.T, x) - u)


def _cross_entropy(z: np.ndarray, c: np.ndarray) -> np.ndarray:
    return -anp.log(_softmax(z)[c])


def _softmax_vjp(z: np.ndarray, g: np.ndarray) -> np.ndarray:
    return grad(lambda z: anp.sum(g * _softmax(z)))(z)


def _dy_dw(x: np.ndarray, W: np.ndarray, u: np.ndarray) -> np.ndarray:
    by_entry = jacobian(_y, 1)(x, W, u)  # (k, d, k): output, row of W, column of W
    return by_entry.transpose(0, 2, 1)


def _random(seed: int, *shapes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=shape) for shape in shapes)


GRADIENTS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "softmax_jacobian": (jacobian(_softmax), _random(1, (5,))),
    "softmax_vjp": (_softmax_vjp, _random(2, (6,), (6,))),
    "dy_dx": (jacobian(_y, 0), _random(3, (4,), (4, 3), (3,))),
    "dy_dw": (_dy_dw, _random(4, (2,), (2, 5), (5,))),
    "dy_du": (jacobian(_y, 2), _random(5, (3,), (3, 4), (4,))),
    "cross_entropy_gradient": (grad(_cross_entropy), (*_random(6, (7,)), 4)),
}
