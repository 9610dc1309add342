"""What functions and their arguments are called in a message."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np


def name_of(function: Callable[..., Any]) -> str:
    """Return what to call a function."""
    name = getattr(function, "__name__", "<lambda>")
    return "Your function" if name == "<lambda>" else name


def parameter_names(function: Callable[..., Any]) -> list[str]:
    """Return the names of a function's parameters, if it tells them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a built-in function
        return []
    return [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def describe(
    student: Callable[..., Any], reference: Callable[..., Any], case: tuple[Any, ...]
) -> str:
    """Say with which arguments: small ones by value, others by shape."""
    names = parameter_names(reference) or parameter_names(student)
    words = []
    for name, value in itertools.zip_longest(names[: len(case)], case, fillvalue="argument"):
        shown = _shown(value)
        words.append(f"{name} of {shown}" if shown.startswith("shape ") else f"{name} = {shown}")
    return "called with " + ", ".join(words) if words else "called"


def _shown(value: Any) -> str:
    """Write an argument as it was given, if it is small."""
    if isinstance(value, (float, np.floating)):
        return f"{value + 0.0:.6g}"  # -0 becomes 0
    if isinstance(value, (list, tuple)) and not any(isinstance(x, np.ndarray) for x in value):
        text = (
            repr(value) if isinstance(value, tuple) else "[" + ", ".join(map(_shown, value)) + "]"
        )
        return text if len(text) <= 200 else f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, np.ndarray):
        if value.ndim > 2 or value.size > 16 or any(n > 8 for n in value.shape) or not value.size:
            return f"shape {value.shape}"
        if value.ndim == 2 and value.shape[0] > 4:
            return f"shape {value.shape}"
        return _shown(value.tolist()) if value.ndim else _shown(value.item())
    if isinstance(value, (int, str, np.integer)) or value is None:
        return repr(value)
    return getattr(value, "__name__", type(value).__name__)
