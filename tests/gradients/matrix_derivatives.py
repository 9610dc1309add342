"""Derivatives of matrix products by automatic differentiation of the products themselves.

Autograd (HIPS) knows nothing of Kronecker products or vec: each function here writes down the
product that is differentiated, and at most reshapes what comes out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad, jacobian

_rng = np.random.default_rng(2024)


def _random(*shapes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    return tuple(_rng.normal(size=shape) for shape in shapes)


def _through(value: np.ndarray, derivative: np.ndarray) -> Callable[..., np.ndarray]:
    """Return a curved function of x that has this value and this derivative at x = 0."""
    return lambda x: value + anp.dot(derivative, anp.sin(x)) + anp.sum(x**2)


def _upstream(dz_dY: np.ndarray) -> Callable[..., np.ndarray]:
    """Return a curved f whose gradient is dz_dY at Y = Y0: f(Y, Y0)."""
    return lambda Y, Y0: anp.sum(dz_dY * anp.sin(Y - Y0) + (Y - Y0) ** 2)


def product_rule(k: np.ndarray, dk: np.ndarray, u: np.ndarray, du: np.ndarray) -> np.ndarray:
    """Jacobian of k(x) u(x) at 0, (m, n)."""
    k_of, u_of = _through(k, dk), _through(u, du)
    return jacobian(lambda x: k_of(x) * u_of(x))(np.zeros(dk.size))


def inner_product_rule(u: np.ndarray, du: np.ndarray, v: np.ndarray, dv: np.ndarray) -> np.ndarray:
    """Gradient of u(x) · v(x) at 0, (n,)."""
    u_of, v_of = _through(u, du), _through(v, dv)
    return grad(lambda x: anp.sum(u_of(x) * v_of(x)))(np.zeros(du.shape[1]))


def linear_rule(A: np.ndarray, du: np.ndarray) -> np.ndarray:
    """Jacobian of A u(x) at 0, (p, n)."""
    u_of = _through(np.ones(du.shape[0]), du)
    return jacobian(lambda x: anp.dot(A, u_of(x)))(np.zeros(du.shape[1]))


def place(i: int, a: np.ndarray, m: int) -> np.ndarray:
    """Gradient of (W a)_i by W, laid out by rows, (m·n,)."""
    return grad(lambda W: anp.dot(W, a)[i])(np.zeros((m, a.size))).ravel()


def dy_dW(W: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Jacobian of W x by vec(W), (m, m·n)."""
    return jacobian(lambda W: anp.dot(W, x))(W).reshape(W.shape[0], W.size)


def dY_dW(W: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Jacobian of vec(W X) by vec(W), (m·b, m·n)."""
    return jacobian(lambda W: anp.dot(W, X))(W).reshape(-1, W.size)


def dy_dX(w: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Jacobian of wᵀX by vec(X), (b, n·b)."""
    return jacobian(lambda X: anp.dot(w, X))(X).reshape(-1, X.size)


def dY_dX(W: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Derivative of W X by X, (m, b, n, b)."""
    return jacobian(lambda X: anp.dot(W, X))(X)


def dz_dW_outer(dz_dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Gradient of f(W x) by W, (m, n)."""
    W, f = np.ones((dz_dy.size, x.size)), _upstream(dz_dy)
    return grad(lambda V: f(anp.dot(V, x), W @ x))(W)


def dz_dW(dz_dY: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Gradient of f(W X) by W, (m, n)."""
    W, f = np.ones((dz_dY.shape[0], X.shape[0])), _upstream(dz_dY)
    return grad(lambda V: f(anp.dot(V, X), W @ X))(W)


def dz_dX(dz_dY: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Gradient of f(W X) by X, (n, b)."""
    X, f = np.ones((W.shape[1], dz_dY.shape[1])), _upstream(dz_dY)
    return grad(lambda V: f(anp.dot(W, V), W @ X))(X)


def vjp_dY_dW(G: np.ndarray, X: np.ndarray) -> np.ndarray:
    """The Jacobian of vec(W X) by vec(W), transposed, times vec(G), as (m, n)."""
    W = np.ones((G.shape[0], X.shape[0]))
    return (dY_dW(W, X).T @ G.ravel()).reshape(W.shape)


GRADIENTS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "product_rule": (product_rule, (1.7, *_random((3,), (5,), (5, 3)))),
    "inner_product_rule": (inner_product_rule, _random((5,), (5, 3), (5,), (5, 3))),
    "linear_rule": (linear_rule, _random((4, 5), (5, 3))),
    "place": (place, (2, *_random((4,)), 5)),
    "dy_dW": (dy_dW, _random((4, 3), (3,))),
    "dY_dW": (dY_dW, _random((4, 3), (3, 5))),
    "dy_dX": (dy_dX, _random((4,), (4, 3))),
    "dY_dX": (dY_dX, _random((4, 3), (3, 5))),
    "dz_dW_outer": (dz_dW_outer, _random((4,), (3,))),
    "dz_dW": (dz_dW, _random((4, 5), (3, 5))),
    "dz_dX": (dz_dX, _random((4, 5), (4, 3))),
    "vjp_dY_dW": (vjp_dY_dW, _random((4, 5), (3, 5))),
}
