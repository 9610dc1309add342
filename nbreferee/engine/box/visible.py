"""A name for what can be seen of a figure, without the digits that no page shows.

A right answer that is written in another way than the solution differs from it in the last bits.
So numbers in data coordinates are rounded to nine digits of their axis, numbers that a colour map
shows to six digits of its range, and all others to twelve significant digits. All else of a figure
(texts, kinds, order, settings) has to be equal. Where a number happens to lie between two rounded
ones, the names differ, and the figure is drawn again.
"""

from __future__ import annotations

import copyreg
import hashlib
import io
import math
import types
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import Collection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import _ImageBase
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.transforms import (
    BboxTransform,
    BboxTransformFrom,
    BboxTransformTo,
    BlendedAffine2D,
    CompositeAffine2D,
    Transform,
    TransformedBbox,
    TransformedPath,
    TransformNode,
)

from nbreferee.engine.box.packing import Packer

OF_AXIS, OF_COLOURS, SIGNIFICANT = 1e-9, 1e-6, 12
NOISE = 1e-14  # of the largest number of an array
IMPORTABLE = (
    type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType
)  # fmt: skip
DERIVED = ("_xorig", "_yorig", "_transformed_path")  # of a line, from what is compared
CACHED = {"_invalid", "_inverted"}  # of transforms
COMPUTED = {"_mtx", "_points"}  # of those that depend on others
OF_OTHERS = (
    BboxTransform, BboxTransformFrom, BboxTransformTo,
    BlendedAffine2D, CompositeAffine2D, TransformedBbox,
)  # fmt: skip


def visible_name(figure: Figure, named: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """Return the name of a figure, printed with arguments and rcParams; '' where it has none."""
    packed = io.BytesIO()
    try:
        _VisiblePacker(packed, figure).dump((figure, named, parameters))
    except Exception:
        return ""
    return hashlib.sha256(packed.getbuffer()).hexdigest()


class _VisiblePacker(Packer):
    """Packs a figure with its numbers rounded."""

    def __init__(self, file: io.BytesIO, figure: Figure) -> None:
        super().__init__(file, 5)
        self._limits: dict[int, Axes] = {}  # by id of the boxes that hold the limits of its axes
        for axes in figure.axes:
            if axes.name == "rectilinear":
                self._limits |= {id(axes.viewLim): axes, id(axes.dataLim): axes}

    def reducer_override(self, one: Any) -> Any:
        if isinstance(one, np.floating):
            return float, (_rounded_number(float(one)),)
        if type(one) in (np.ndarray, np.ma.MaskedArray):
            return _packed_array(one, None)
        if isinstance(one, IMPORTABLE) or type(one) in copyreg.dispatch_table:
            return NotImplemented
        reduced = super().reducer_override(one)
        if reduced is NotImplemented:
            reduced = one.__reduce_ex__(5)
        if type(reduced) is not tuple or len(reduced) < 3 or type(reduced[2]) is not dict:
            return reduced
        return *reduced[:2], self._rounded_state(one, reduced[2]), *reduced[3:]

    def _rounded_state(self, one: Any, state: dict[str, Any]) -> dict[str, Any]:
        if isinstance(
            one, TransformedPath
        ):  # of a line: derived from what is compared; or it clips
            return {"_patch": state.get("_patch")}
        noise = _noise(one)
        state = {key: _rounded(value, noise) for key, value in state.items()}
        if isinstance(one, TransformNode):
            state |= dict.fromkeys(CACHED & state.keys())
            state |= dict.fromkeys(COMPUTED & state.keys() if isinstance(one, OF_OTHERS) else ())
        if isinstance(clip := state.get("_clippath"), TransformedPath):
            state["_clippath"] = (
                clip,
                getattr(clip, "_path", None),
                getattr(clip, "_transform", None),
            )
        if axes := self._limits.get(id(one)):
            state["_points"] = _on_axes(one._points, (axes.xaxis, axes.yaxis))
            state["_minpos"] = (
                None  # the smallest positive number: of log axes, whose limits are compared
            )
        elif isinstance(one, Artist) and isinstance(one.axes, Axes) and one is not one.axes:
            state |= _visible_artist(one, state, one.axes)
        return state


def _visible_artist(one: Artist, state: Mapping[str, Any], axes: Axes) -> dict[str, Any]:
    """Return those parts of an artist's state that are data or colours, rounded."""
    found: dict[str, Any] = {}
    if axes.name != "rectilinear":
        return found
    if isinstance(one, Line2D) and not (state["_invalidx"] or state["_invalidy"]):
        found |= dict.fromkeys(DERIVED)
        x, y = _axes_of(one.get_transform(), axes)
        found |= {"_x": _on_axis(state["_x"], x), "_y": _on_axis(state["_y"], y)}
        found["_xy"] = None  # both
    if type(state.get("_path")) is Path:
        found["_path"] = _on_path(state["_path"], _axes_of(one.get_transform(), axes))
    if isinstance(one, Collection):
        on = _axes_of(one.get_transform(), axes)
        paths = state.get("_paths")
        if isinstance(paths, Iterable):
            found["_paths"] = [_on_path(path, on) for path in paths]
        offsets = state.get("_offsets")
        if isinstance(offsets, np.ndarray) and offsets.ndim == 2:
            found["_offsets"] = _on_axes(offsets, _axes_of(one.get_offset_transform(), axes))
    if isinstance(one, (_ImageBase, Collection)):
        found |= _visible_colours(one, state.get("_A"))
    return found


def _visible_colours(one: _ImageBase | Collection, values: Any) -> dict[str, Any]:
    """Return the numbers that an artist shows by a colour map, rounded."""
    norm = one.norm
    if isinstance(values, np.ndarray) and type(norm) is not Normalize:
        return {"_A": _Exact(values)}  # small numbers can have colours of their own
    if not isinstance(one, _ImageBase):
        return {}
    is_map = isinstance(values, np.ndarray) and values.ndim == 2 and values.dtype.kind in "iuf"
    if not is_map or type(norm) is not Normalize or norm.vmin is None or norm.vmax is None:
        return {}
    step = OF_COLOURS * (norm.vmax - norm.vmin)
    return {"_A": _Rounded(values, 2.0 ** math.floor(math.log2(step)))} if step > 0 else {}


class _Rounded:
    """An array to be packed in multiples of a step, all kinds of numbers alike."""

    def __init__(self, values: Any, step: float) -> None:
        self._values, self._step = values, step

    def __reduce__(self) -> Any:
        return _packed_array(self._values, self._step)


class _Exact:
    """An array to be packed in significant digits; numbers close to 0 do not become 0."""

    def __init__(self, values: Any) -> None:
        self._values = values

    def __reduce__(self) -> Any:
        return _packed_array(self._values, None, 0.0)


def _packed_array(values: Any, step: float | None, noise: float = NOISE) -> Any:
    """Reduce an array: numbers as multiples of a step, or else in significant digits, where `noise`
    is the part of the largest one below which they are 0.
    """
    if values.dtype.kind not in "f" + "iu" * (step is not None) or values.dtype.itemsize > 8:
        return values.__reduce_ex__(5)
    mask = np.ma.getmaskarray(values).tobytes() if isinstance(values, np.ma.MaskedArray) else b""
    numbers = np.array(np.ma.getdata(values), dtype=float)
    with np.errstate(all="ignore"):
        if step is None:
            largest = np.max(np.abs(numbers[np.isfinite(numbers)]), initial=0.0)
            if largest > 0:  # rounding errors around 0 go
                numbers = np.where(np.abs(numbers) < noise * largest, 0.0, numbers)
            digits = 10.0 ** (SIGNIFICANT - 1 - np.floor(np.log10(np.abs(numbers))))
            rounded = np.rint(numbers * digits) / digits
        else:
            rounded = np.rint(numbers / step)
    kept = np.where(np.isfinite(rounded), rounded, numbers) + 0.0  # no -0.0
    kept[np.isnan(kept)] = np.nan
    return tuple, ((numbers.shape, kept.tobytes(), mask, step),)


def _axes_of(transform: Transform, axes: Axes) -> tuple[Axis | None, Axis | None]:
    """Return the axes that the first and the second numbers of points are on; None: no axis."""
    of_data = transform.contains_branch_seperately(axes.transData)
    return (axes.xaxis if of_data[0] else None), (axes.yaxis if of_data[1] else None)


def _on_path(path: Any, on: tuple[Axis | None, Axis | None]) -> Any:
    """Return what is compared of a path."""
    if type(path) is not Path:
        return path
    steps = vars(path)["_interpolation_steps"]
    return _on_axes(path.vertices, on), path.codes, path.should_simplify, steps


def _on_axes(points: Any, on: tuple[Axis | None, Axis | None]) -> tuple[Any, Any]:
    return _on_axis(points[:, 0], on[0]), _on_axis(points[:, 1], on[1])


def _on_axis(values: Any, axis: Axis | None) -> Any:
    """Return numbers to be packed in steps that cannot be told apart on an axis, on its scale."""
    if axis is None or values.dtype.kind not in "iuf":
        return values
    scale = axis.get_transform()
    lowest, highest = scale.transform(np.asarray(axis.get_view_interval(), dtype=float))
    step = OF_AXIS * abs(highest - lowest)
    if not (math.isfinite(step) and step > 0):
        return values
    step = 2.0 ** math.floor(math.log2(step))  # or a limit's last digits would be in all numbers
    shown = scale.transform(np.ma.getdata(values).astype(float))
    return _Rounded(np.ma.array(shown, mask=np.ma.getmaskarray(values)), step)


def _noise(one: Any) -> float:
    """Return what a number of an artist's may be above 0 and be seen as 0: a coordinate, as a
    rule.
    """
    axes = one.axes if isinstance(one, Artist) else None
    if not isinstance(axes, Axes) or axes is one or axes.name != "rectilinear":
        return 0.0
    if (axes.get_xscale(), axes.get_yscale()) != ("linear", "linear"):
        return 0.0
    limits = axes.get_xlim(), axes.get_ylim()
    return NOISE * min(1.0, *(abs(highest - lowest) for lowest, highest in limits))


def _rounded(value: Any, noise: float = 0.0) -> Any:
    """Return a number, or a list or tuple of numbers, in significant digits; all else as it is."""
    if isinstance(value, float):
        return _rounded_number(value, noise)
    if (
        type(value) in (list, tuple)
        and value
        and all(isinstance(number, float) for number in value)
    ):
        return type(value)(_rounded_number(number, noise) for number in value)
    return value


def _rounded_number(number: float, noise: float = 0.0) -> float:
    return 0.0 if abs(number) < noise else float(f"{number:.{SIGNIFICANT}g}") + 0.0
