"""Draw a figure once, where Matplotlib's `savefig` with a tight box lays it out twice.

The figure is drawn with a wide margin, and the picture is cut to the tight box. Its size is that of
savefig's picture, and what it shows lies less than a pixel from where savefig has it. This holds
where all parts of a figure move with it: so figures with anything else, such as a layout engine, a
legend of the whole figure or a place in pixels, are left to savefig.
"""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

import matplotlib
import numpy as np
from matplotlib import (
    axis,
    collections,
    contour,
    image,
    lines,
    markers,
    patches,
    quiver,
    spines,
    text,
)
from matplotlib._tight_bbox import adjust_bbox
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.transforms import Affine2D, Bbox, TransformedBbox
from PIL import Image

Locator = Callable[[Axes, Any], Bbox]
MOST_PIXELS = 64_000_000
COMPRESSION = 3  # of PNG: without transparency as small as savefig's 6 with it, in half the time
MARGIN = 1.0  # inches around a figure: labels may lie there, and the usual margin
MODULES = frozenset(
    one.__name__ for one in (lines, patches, collections, text, quiver, contour, spines, axis)
)
FLAT = ("rectilinear", "polar")
INSIDE = (0.5, 0.5)  # a point that all scales have
PLACES = frozenset(  # of annotations
    ("data", "axes fraction", "axes points", "axes pixels", "offset points", "offset pixels")
)


def draw_once(figure: Figure, named: Mapping[str, Any]) -> str:
    """Return a picture in base64, as IPython shows a figure; '' where savefig has to draw it."""
    size = (figure.get_size_inches() + 2 * MARGIN) * figure.dpi
    if named != {"bbox_inches": "tight"} or not 0 < size.prod() <= MOST_PIXELS:
        return ""
    if not _is_plain(figure) or (found := _draw(figure)) is None:
        return ""
    drawn, box = found
    padded = box.padded(matplotlib.rcParams["savefig.pad_inches"])
    if not np.all(np.isfinite(padded.extents)):
        return ""
    width, height = map(int, _in_pixels(Bbox.from_bounds(0, 0, *padded.size), figure.dpi).size)
    left, bottom = map(round, _in_pixels(padded, figure.dpi).p0)
    top = drawn.shape[0] - bottom - height
    if min(left, bottom, top, drawn.shape[1] - left - width, width - 1, height - 1) < 0:
        return ""
    file = io.BytesIO()
    picture = Image.fromarray(drawn[top : top + height, left : left + width]).convert("RGB")
    picture.save(file, format="png", dpi=(figure.dpi, figure.dpi), compress_level=COMPRESSION)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _draw(figure: Figure) -> tuple[np.ndarray, Bbox] | None:
    """Return the pixels (height, width, 4) of a figure with its margin, and its tight box; None
    where something would keep its place on the page.
    """
    width, height = figure.get_size_inches()
    around = Bbox.from_extents(-MARGIN, -MARGIN, width + MARGIN, height + MARGIN)
    before = figure.canvas
    canvas = FigureCanvasAgg(figure)
    try:
        renderer = canvas.get_renderer()
        for axes in figure.axes:
            locator: Locator | None = axes.get_axes_locator()
            axes.apply_aspect(None if locator is None else locator(axes, renderer))
        places = _places(figure)
        restore = adjust_bbox(figure, around, renderer)
        try:
            if not np.allclose(_places(figure) - places, MARGIN * figure.dpi, rtol=0, atol=1e-3):
                return None
            canvas._is_saving = True  # type: ignore[attr-defined]  # or animated artists are left out
            with _cheap_ticks():
                canvas.draw()
                box = figure.get_tightbbox(canvas.get_renderer())
            return np.asarray(canvas.buffer_rgba()), box
        finally:
            restore()
    finally:
        figure.set_canvas(before)


@contextlib.contextmanager
def _cheap_ticks() -> Iterator[None]:
    """Have each axis find its ticks and the boxes of their labels once, while nothing moves:
    Matplotlib does so for each spine, label and box again, which is a third of a drawing. And have
    a tick that is made like another share the parts of its markers: to copy them is a tenth.
    """
    of_all: Any = axis.Axis  # whose stubs lack both
    update, boxes_of = of_all._update_ticks, of_all._get_ticklabel_bboxes
    style: Any = markers.MarkerStyle
    set_marker = style._set_marker
    known: dict[axis.Axis, tuple[Any, list[Any]]] = {}
    boxes: dict[axis.Axis, tuple[list[Any], tuple[list[Bbox], list[Bbox]]]] = {}

    def update_once(self: axis.Axis) -> list[Any]:
        at = (*self.get_view_interval(), *self.axes.bbox.bounds)
        if self not in known or known[self][0] != at:
            known[self] = at, update(self)
        return known[self][1]

    def boxes_once(self: axis.Axis, ticks: list[Any], renderer: Any) -> tuple[Any, Any]:
        if self not in boxes or boxes[self][0] is not ticks:
            boxes[self] = ticks, boxes_of(self, ticks, renderer)
        first, second = boxes[self][1]
        return list(first), list(second)

    def share_marker(self: Any, marker: Any) -> None:
        if type(marker) is style and self is not marker:
            vars(self).update(vars(marker))
        else:
            set_marker(self, marker)

    of_all._update_ticks, of_all._get_ticklabel_bboxes = update_once, boxes_once
    style._set_marker = share_marker
    try:
        yield
    finally:
        of_all._update_ticks, of_all._get_ticklabel_bboxes = update, boxes_of
        style._set_marker = set_marker


def _in_pixels(box: Bbox, dpi: float) -> TransformedBbox:
    return TransformedBbox(box, Affine2D().scale(dpi))


# ---------------------------------------------------------------- what moves with a figure


def _is_plain(figure: Figure) -> bool:
    """Tell whether a figure has only parts whose places are known (see `_places`)."""
    if type(figure) is not Figure or figure.get_layout_engine() is not None:
        return False
    if figure.subfigs or figure.legends or figure.images or figure.artists:
        return False
    if figure.get_linewidth():  # its edge lies around the page
        return False
    return (
        matplotlib.colors.to_rgba(figure.get_facecolor())[3] == 1
        and all(axes.name in FLAT for axes in figure.axes)
        and all(map(_is_known, _shown(figure)))
    )


def _shown(figure: Figure) -> Iterator[Artist]:
    """Yield all that is placed, but for what axes place themselves: their ticks and their frame."""
    yield from chain(figure.texts, figure.lines, figure.patches)
    for axes in figure.axes:
        own = {axes.xaxis, axes.yaxis, axes.patch, *axes.spines.values()}
        yield from (one for one in axes.get_children() if one not in own)


def _is_known(one: Artist) -> bool:
    if isinstance(one, text.Annotation):
        return {one.xycoords, one.anncoords} <= PLACES
    return type(one) in (Axes, Legend, image.AxesImage) or type(one).__module__ in MODULES


def _places(figure: Figure) -> np.ndarray:
    """Return points of all that is placed, (k, 2), in pixels; they move with the figure."""
    return np.array([point for one in _shown(figure) for point in _points(one)]).reshape(-1, 2)


def _points(one: Artist) -> Iterator[Any]:
    if isinstance(one, Axes):
        yield one.bbox.p0
    elif isinstance(one, Legend):
        yield one.get_bbox_to_anchor().p0
    elif isinstance(one, quiver.Quiver):  # its other transform is made when it is drawn
        yield one.get_offset_transform().transform(INSIDE)
    elif isinstance(one, collections.Collection):
        yield one.get_transform().transform(INSIDE) + one.get_offset_transform().transform(INSIDE)
    elif not isinstance(one, text.Annotation):  # placed by `PLACES`
        yield one.get_transform().transform(INSIDE)
    if one.clipbox is not None:
        yield one.clipbox.p0
