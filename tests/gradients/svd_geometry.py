"""Independent derivatives for svd_geometry: singular values as roots of eigenvalues, differentiated
by autograd.

`np.linalg.eigh` of the smaller Gram matrix knows nothing of left and right singular vectors; only
the primal function, A to its singular values, is written down here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import jacobian


def singular_values(A: anp.ndarray) -> anp.ndarray:
    """Return the singular values of A (m, n) in descending order, (min(m, n),)."""
    gram = A @ A.T if A.shape[0] <= A.shape[1] else A.T @ A
    return anp.sqrt(anp.linalg.eigh(gram)[0][::-1])


rng = np.random.default_rng(2)

# Function name to (independent derivative, arguments to try).
GRADIENTS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "singular_value_gradient": (jacobian(singular_values), (rng.normal(size=(3, 5)),)),
}
