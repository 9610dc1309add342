"""What a box is asked for follow-through (see `stand_ins`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbreferee.engine.wire.to_box import Order, Texts


@dataclass(frozen=True)
class AnswersUsed(Texts, operation="needed"):
    """Say which of some `answers` the objects with the names `roots` use."""

    roots: Sequence[str]
    answers: Sequence[str]


@dataclass(frozen=True)
class StandIn(Order, operation="stand_in"):
    """Put others in the place of answers, wherever the objects with the names `roots` use them."""

    roots: Sequence[str]
    others: Mapping[str, Any]


@dataclass(frozen=True)
class PutBack(Order, operation="put_back"):
    """Put the answers back."""
