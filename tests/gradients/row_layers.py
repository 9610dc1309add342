"""Derivatives of the row layers by automatic differentiation: nothing here was differentiated by
hand.

Backward passes differentiate E = sum of B * output, whose gradient by the output is B.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad, jacobian


def _linear(D: np.ndarray, W: np.ndarray) -> np.ndarray:
    return anp.dot(D, W)


def _bias(D: np.ndarray, b: np.ndarray) -> np.ndarray:
    return D + b


def _sigmoid(D: np.ndarray) -> np.ndarray:
    return 1 / (1 + anp.exp(-D))


def linear_jacobians(D: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, ...]:
    return jacobian(_linear, 1)(D, W), jacobian(_linear, 0)(D, W)


def linear_backward(B: np.ndarray, D: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, ...]:
    def error(D: np.ndarray, W: np.ndarray) -> np.ndarray:
        return anp.sum(B * _linear(D, W))

    return grad(error, 0)(D, W), grad(error, 1)(D, W)


def bias_backward(B: np.ndarray) -> tuple[np.ndarray, ...]:
    def error(D: np.ndarray, b: np.ndarray) -> np.ndarray:
        return anp.sum(B * _bias(D, b))

    D, b = (
        np.zeros(B.shape),
        np.zeros(B.shape[1]),
    )  # the layer is affine: its gradient is the same everywhere
    return grad(error, 0)(D, b), grad(error, 1)(D, b)


def sigmoid_backward(B: np.ndarray, A: np.ndarray) -> np.ndarray:
    def error(D: np.ndarray) -> np.ndarray:
        return anp.sum(B * _sigmoid(D))

    return grad(error)(np.log(A) - np.log(1 - A))  # at the D whose output is A


_rng = np.random.default_rng(2003)

GRADIENTS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "linear_jacobians": (linear_jacobians, (_rng.normal(size=(4, 3)), _rng.normal(size=(3, 2)))),
    "linear_backward": (
        linear_backward,
        (_rng.normal(size=(5, 2)), _rng.normal(size=(5, 3)), _rng.normal(size=(3, 2))),
    ),
    "bias_backward": (bias_backward, (_rng.normal(size=(5, 3)),)),
    "sigmoid_backward": (
        sigmoid_backward,
        (_rng.normal(size=(4, 3)), _rng.uniform(0.05, 0.95, size=(4, 3))),
    ),
}
