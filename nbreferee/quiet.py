"""Warnings that nobody needs to see, ignored for a while: afterwards all filters are as before."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def without_warnings_of(module: str) -> Iterator[None]:
    """Ignore the warnings of a package."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=module)
        yield
