"""Pack, name and draw the figures of a notebook, as `engine.referee` asks: that one decides which
need no drawing.

A cell's figure is packed where the notebook would draw it, and the hash of what is packed is shown
in its place. When the last cell has run, `engine.referee` asks for the outline (see `outlines`) of
each figure whose hash it does not know from the solution, for the visible name (see `visible`) if
a figure of the solution has that outline, and for the picture if it does not know that name either.
A figure that has been changed since is named and drawn as it was packed. Naming takes several times
as long as packing, and drawing several times as long as naming. What is packed never leaves the
box, and is opened nowhere else.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import matplotlib
from IPython.core import pylabtools
from matplotlib.figure import Figure

from nbreferee.engine.box.drawing import draw_once
from nbreferee.engine.box.outlines import outline
from nbreferee.engine.box.packing import Packer
from nbreferee.engine.box.visible import visible_name
from nbreferee.engine.wire.protocol import MARK

PACKED_BYTES = 64 << 20  # of one notebook; further figures are drawn at once
DRAW: Callable[..., Any] = pylabtools.print_figure


class _Shown(NamedTuple):
    """A figure as a notebook has shown it; with it, what has an effect on drawing."""

    figure: Figure
    named: dict[str, Any]
    parameters: dict[str, Any]
    packed: bytes  # which tells whether the figure is still what it was then; empty: it is


class Figures:
    """What a box has to draw."""

    def __init__(self) -> None:
        self._shown: dict[str, _Shown] = {}
        self._left = PACKED_BYTES

    def print_figure(
        self,
        figure: Figure,
        fmt: str = "png",
        bbox_inches: Any = "tight",
        base64: bool = False,
        **named: Any,
    ) -> Any:
        """Stand for IPython's function of that name: return a mark for a picture."""
        named["bbox_inches"] = bbox_inches
        parameters: dict[Any, Any] = dict.copy(matplotlib.rcParams)
        _settle_limits(figure)
        packed = (
            _packed(figure, named, parameters)
            if fmt == "png" and base64 and (figure.axes or figure.lines)
            else b""
        )
        if not 0 < len(packed) <= self._left:
            return DRAW(figure, fmt, base64=base64, **named)
        name = hashlib.sha256(packed).hexdigest()
        if name not in self._shown:
            self._shown[name] = _Shown(figure, named, parameters, packed)
            self._left -= len(packed)
        return MARK + name

    def outline(self, name: str) -> str:
        """Return the outline of a figure; '' where it has none."""
        try:
            self._shown[name] = _as_shown(self._shown[name])
            return outline(self._shown[name].figure)
        except Exception:
            return ""

    def visible_name(self, name: str) -> str:
        """Return the name of what can be seen of a figure; '' where it has none."""
        try:
            figure, named, parameters, _ = self._shown[name] = _as_shown(self._shown[name])
            return visible_name(figure, named, parameters)
        except Exception:
            return ""

    def draw(self, name: str) -> tuple[str, str]:
        """Return a picture in base 64, or nothing and why there is none."""
        try:
            shown = self._shown.pop(name)  # each is asked for once
            figure, named, parameters, _ = _as_shown(shown)
            with matplotlib.rc_context():
                # past the checks of each, which have been made
                dict.update(matplotlib.rcParams, parameters)  # type: ignore[misc]
                return _drawn(figure, named), ""
        except Exception as error:
            return "", f"{type(error).__name__}: {error}"


def _drawn(figure: Figure, named: dict[str, Any]) -> str:
    """Return a picture in base64."""
    picture = ""
    with contextlib.suppress(Exception):  # which IPython's function will come to, and raise
        picture = draw_once(figure, named)
    return picture or DRAW(figure, base64=True, **named)


def _as_shown(shown: _Shown) -> _Shown:
    """Return a figure as it was when it was shown."""
    figure, named, parameters, packed = shown
    if packed and _packed(figure, named, parameters) != packed:
        figure, named, parameters = pickle.loads(packed)
    return _Shown(figure, named, parameters, b"")


def _settle_limits(figure: Figure) -> None:
    """Compute limits that depend on the content, as drawing does first (with any error)."""
    with contextlib.suppress(Exception):
        for axes in figure.axes:
            axes.viewLim  # noqa: B018 (computed when it is looked up)


def _packed(figure: Figure, named: dict[str, Any], parameters: dict[str, Any]) -> bytes:
    """Return a figure as bytes; none where that cannot be: a label that a lambda makes, for one."""
    packed = io.BytesIO()
    try:
        Packer(packed, 5).dump((figure, named, parameters))
    except Exception:
        return b""
    return packed.getvalue()
