"""Derivatives for the notebook of layers whose samples are columns, by automatic differentiation.

Only the forward formulas are written here, one sample at a time and unshifted as in a textbook.
HIPS autograd differentiates L = sum(G * Y), whose upstream gradient is G, and the mean loss itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad


def _layer(X: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    return anp.stack([anp.dot(W, X[:, s]) + b for s in range(X.shape[1])], axis=1)


def _fully_connected_backward(
    dL_dY: np.ndarray, X: np.ndarray, W: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, ...]:
    def loss(X: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
        return anp.sum(dL_dY * _layer(X, W, b))

    return tuple(grad(loss, argument)(X, W, b) for argument in range(3))


def _relu_backward(dL_dY: np.ndarray, X: np.ndarray) -> np.ndarray:
    return grad(lambda X: anp.sum(dL_dY * (X + anp.abs(X)) / 2))(X)


def _mean_loss(X: np.ndarray, labels: np.ndarray) -> np.ndarray:
    losses = [-anp.log(anp.exp(X[c, s]) / anp.sum(anp.exp(X[:, s]))) for s, c in enumerate(labels)]
    return sum(losses) / len(losses)


def _random(seed: int, *shapes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=shape) for shape in shapes)


GRADIENTS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "fully_connected_backward": (
        _fully_connected_backward,
        _random(1, (4, 5), (3, 5), (4, 3), (4,)),
    ),
    "relu_backward": (_relu_backward, _random(2, (3, 6), (3, 6))),
    "softmaxloss_backward": (grad(_mean_loss), (*_random(3, (4, 3)), np.array([3, 0, 1]))),
}
