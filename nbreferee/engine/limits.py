"""How long things may take, and how much they may use."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from nbreferee.sandbox import ALL_LAYERS, Layer, Limits


@dataclass(frozen=True)
class Budget:
    """What one submission may cost. Who exceeds it gets a TimeoutError in the cell, and the grading goes on."""

    call_s: float = 30.0  # one call of a student's function by a test
    cell_s: float = 60.0  # one cell
    submission_s: float = 600.0  # all cells of one notebook; those left then are not run
    box: Limits = field(default_factory=Limits)
    layers: frozenset[Layer] = ALL_LAYERS

    def as_plain(self) -> dict[str, Any]:
        """Return it as JSON and the codec take it."""
        return {**asdict(self), "layers": sorted(layer.value for layer in self.layers)}
