"""Two findings as one: sets united, and what holds of either."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)


def united(one: T, other: T) -> T:
    """Return a dataclass of sets and truth values that has what either of two has."""
    return type(one)(*(getattr(one, each.name) | getattr(other, each.name) for each in fields(one)))
