"""Figures of a notebook, drawn when all of it has run: one that the solution shows, too, need not be drawn again.

A cell's figure is packed where the notebook would draw it, and a name that only its content determines
is shown in its place. When the last cell has run, the orchestrator asks for those whose names it does
not know from the solution. Drawing takes twenty times as long as packing (a test holds that both come
to the same bytes). What is packed never leaves the box, and is opened nowhere else.
"""

from __future__ import annotations

import copyreg
import hashlib
import io
import pickle
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from IPython.core import pylabtools
from matplotlib.figure import Figure
from matplotlib.transforms import TransformNode

from nbreferee.engine.conversation import MARK

PACKED_BYTES = 64 << 20  # of one notebook; further figures are drawn at once
DRAW = pylabtools.print_figure


class _Packer(pickle.Pickler):
    """Packs figures so that equal ones become equal bytes: no address in memory gets in."""

    def reducer_override(self, one: Any) -> Any:
        if not isinstance(one, TransformNode):
            return NotImplemented
        state = one.__getstate__()
        state["_parents"] = dict(enumerate(state["_parents"].values()))  # by id otherwise
        return copyreg.__newobj__, (type(one),), state


class Figures:
    """What a box has to draw."""

    def __init__(self) -> None:
        self._packed: dict[str, bytes] = {}
        self._left = PACKED_BYTES

    def print_figure(self, figure: Figure, fmt: str = "png", bbox_inches: Any = "tight", base64: bool = False, **named: Any) -> Any:
        """Stand for IPython's function of that name: return a mark for a picture."""
        named["bbox_inches"] = bbox_inches
        packed = self._pack(figure, named) if fmt == "png" and base64 and (figure.axes or figure.lines) else None
        if packed is None:
            return DRAW(figure, fmt, base64=base64, **named)
        name = hashlib.sha256(packed).hexdigest()
        if name not in self._packed:
            self._packed[name] = packed
            self._left -= len(packed)
        return MARK + name

    def draw(self, name: str) -> tuple[str, str]:
        """Return a picture in base 64, or nothing and why there is none."""
        try:
            figure, named, parameters = pickle.loads(self._packed[name])
            with matplotlib.rc_context():
                dict.update(matplotlib.rcParams, parameters)
                return DRAW(figure, base64=True, **named), ""
        except Exception as error:
            return "", f"{type(error).__name__}: {error}"
        finally:
            plt.close("all")

    def _pack(self, figure: Figure, named: dict[str, Any]) -> bytes | None:
        packed = io.BytesIO()
        try:
            _Packer(packed, 5).dump((figure, named, dict.copy(matplotlib.rcParams)))
        except Exception:  # a label that a lambda makes, for one
            return None
        return packed.getvalue() if packed.tell() <= self._left else None
