"""Check gradients against finite differences.

What the notebooks of this course import beside NumPy and Matplotlib:

    numerical_jacobian(f, x)            central differences
    check_gradient(f, gradient, x)      analytic against numeric, with a picture where they differ
    plot_jacobians(analytic, numeric)   that picture
    check_example(f, x, gives=y)        one call against what was worked out by hand
    random_arrays(seed, shape, ...)     arrays to try a function on

It holds no answers. Hidden tests use the package `gradtests` beside it. That package is loaded when
an example is checked or a gradient is wrong, to say what is wrong: `import gradcheck` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "NotWritten",
    "check_example",
    "check_gradient",
    "numerical_jacobian",
    "plot_jacobians",
    "random_arrays",
]


MOST_PRINTED = 60
"""Entries of the largest array that `check_gradient` prints whole."""


class NotWritten(NotImplementedError):
    """Raised by a function that is still to be written: says which, in one line.

    Examples
    --------
    >>> def softmax(z):
    ...     raise NotWritten
    >>> softmax(0)
    Traceback (most recent call last):
    ...
    gradcheck.NotWritten: softmax is not written yet.
    """

    def __init__(self, text: str = "") -> None:
        name = sys._getframe(1).f_code.co_name
        super().__init__(
            text or f"{'This cell' if name == '<module>' else name} is not written yet."
        )

    def _render_traceback_(self) -> list[str]:
        """Return what Jupyter shows."""
        return [str(self)]


def numerical_jacobian(f: Callable[..., Any], x: Any, h: float = 1e-6) -> np.ndarray:
    """Approximate the Jacobian of `f` at `x` by central differences.

    Parameters
    ----------
    f : function of one array of x's shape, returning an array or a number
    x : array_like, copied to float64
    h : step; the error is about h² from the formula and 1e-16 / h from rounding

    Returns
    -------
    array of shape f(x).shape + x.shape: the derivative of every output by every input.

    Examples
    --------
    >>> numerical_jacobian(lambda x: x[0] * x, np.array([2.0, 3.0])).round(6)
    array([[4., 0.],
           [3., 2.]])
    """
    x = np.array(x, dtype=np.float64)
    jacobian = np.empty(_value_of(f, x).shape + x.shape)
    for index in np.ndindex(x.shape):
        forward, backward = x.copy(), x.copy()
        forward[index] += h
        backward[index] -= h
        step = forward[index] - backward[index]  # what floating point made of 2h
        jacobian[(..., *index)] = (_value_of(f, forward) - _value_of(f, backward)) / step
    return jacobian


def check_gradient(
    f: Callable[..., Any],
    gradient: Any,
    x: Any,
    *,
    h: float = 1e-6,
    tolerance: float = 1e-6,
    figure: bool = True,
) -> float:
    """Compare an analytic gradient or Jacobian of `f` at `x` with the numerical one; print both.

    Parameters
    ----------
    f : function of one array, returning an array or a number
    gradient : array of shape f(x).shape + x.shape, or a function that returns it for x
    tolerance : largest relative error accepted, in every entry, beyond what the numbers can tell
    figure : draw `plot_jacobians` where the two differ

    Returns
    -------
    The relative error max|analytic - numeric| / max|numeric|.

    Raises
    ------
    AssertionError
        where the shapes differ or the relative error of an entry exceeds the tolerance.
    """
    _require_order(f, gradient, x)
    x = np.array(x, dtype=np.float64)
    with np.errstate(all="ignore"):
        numeric, slopes, doubt = _differences(f, x, h)
    analytic = _value_of(gradient, x) if callable(gradient) else as_array(gradient)
    if analytic.shape != numeric.shape:
        raise _wrong_shape(analytic, numeric)
    if not np.all(np.isfinite(numeric)):
        raise failure(
            f"The numeric gradient is not finite: f has no derivative here, or the step h = {h:g} "
            "does not suit x."
        )
    largest = np.max(np.abs(numeric), initial=0)
    kinks = np.abs(slopes[1] - slopes[0]) > 1e-3 * largest + doubt
    low, high = (np.where(kinks, side(slopes, axis=0), numeric) for side in (np.min, np.max))
    nearest = np.clip(
        analytic, low, high
    )  # at a kink any slope between those of the two sides is right
    difference = np.max(np.abs(analytic - nearest), initial=0)
    error = float(difference / max(largest, np.max(doubt, initial=0), 1e-300))
    _print_both(analytic, numeric)
    print(f"relative error: {error:.1e}")
    if np.any(kinks):
        print(
            "Note: f has a kink here. Its slope is another on each side, and the numeric gradient "
            "is their mean."
        )
    wrong = ~(np.abs(analytic - nearest) <= tolerance * np.abs(numeric) + doubt)
    if not np.any(wrong):
        return error
    if figure:
        plot_jacobians(analytic, numeric, inputs=x.size)
    raise _wrong_entry(analytic, numeric, np.where(wrong, nearest, analytic), x)


def _print_both(analytic: np.ndarray, numeric: np.ndarray) -> None:
    """Print two arrays of one shape: all entries if they fit on a screen, else the shape."""
    if analytic.size > MOST_PRINTED:
        print(f"analytic and numeric: shape {analytic.shape}, {analytic.size} entries each")
        return
    with np.printoptions(precision=6, suppress=True, threshold=MOST_PRINTED):
        print(f"analytic:\n{analytic}\nnumeric:\n{numeric}")


def _wrong_shape(analytic: np.ndarray, numeric: np.ndarray) -> AssertionError:
    from gradtests.faults import shape_fault

    return failure(
        f"The analytic gradient {shape_fault(analytic, numeric, 'the numeric one has')}."
    )


def _wrong_entry(
    analytic: np.ndarray, numeric: np.ndarray, nearest: np.ndarray, x: np.ndarray
) -> AssertionError:
    """Return an error that names the entry farthest from the nearest right one, and the cause."""
    from gradtests.faults import differing
    from gradtests.patterns import pattern, vague_pattern
    from gradtests.results import Result, farthest

    worst = farthest(analytic, nearest)
    where = f" at entry {[int(i) for i in worst]}" if worst else ""
    values = differing(analytic[worst], numeric[worst], ", numeric ")
    result = Result(analytic, numeric, (x,), least_rtol=1e-5)
    is_finite = np.all(np.isfinite(analytic))
    hint = pattern([result], ["x"]) or vague_pattern([result]) if is_finite else ""
    return failure(f"The gradient{where}: analytic {values}.", hint)


def _differences(
    f: Callable[..., Any], x: np.ndarray, h: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the numeric Jacobian, the slopes on both sides of x, and how far the Jacobian may be
    off.

    It is off by rounding, about 1e-16 max|f| / h, and by the formula's own error, which is about a
    third of the change when the step is doubled. What f cancels on the way, 1e-9 of the largest
    entry stands for.
    """
    numeric = numerical_jacobian(f, x, h)
    center = _value_of(f, x)
    values = center.reshape(center.shape + (1,) * x.ndim)
    sides = []
    for sign in (-1, 1):
        side = np.empty(numeric.shape)
        for index in np.ndindex(x.shape):
            moved = x.copy()
            moved[index] += sign * h
            side[(..., *index)] = (_value_of(f, moved) - center) / (moved[index] - x[index])
        sides.append(side)
    rounding = 20 * np.finfo(float).eps * np.abs(values) / h
    doubled = np.abs(numerical_jacobian(f, x, 2 * h) - numeric)
    doubt = rounding + doubled + 1e-9 * np.max(np.abs(numeric), initial=0)
    return numeric, np.array(sides), np.where(np.isfinite(doubt), doubt, 0)


def _require_order(f: Any, gradient: Any, x: Any) -> None:
    """Say in a sentence where the arguments of check_gradient stand in another order."""
    order = "The order is check_gradient(f, gradient, x)"
    if callable(x):
        raise failure(
            f"x, the third argument, is a function. {order}: x is the array at which the two are "
            "compared."
        )
    if not callable(f):
        raise failure(
            f"f, the first argument, is no function. {order}: f is the function whose gradient is "
            "meant."
        )
    if (
        callable(gradient)
        and _is_gradient_of(gradient, f, x)
        and not _is_gradient_of(f, gradient, x)
    ):
        raise failure(
            "f and gradient seem to be swapped: the first has the shape of a gradient of the "
            f"second. {order}."
        )


def _is_gradient_of(f: Callable[..., Any], gradient: Callable[..., Any], x: Any) -> bool:
    """Tell by shapes whether one function may be the gradient of the other."""
    x = np.array(x, dtype=np.float64)
    try:
        return bool(np.shape(gradient(x.copy())) == np.shape(f(x.copy())) + x.shape)
    except Exception:  # what is wrong with them is said later
        return False


def plot_jacobians(analytic: np.ndarray, numeric: np.ndarray, inputs: int | None = None) -> Figure:
    """Draw a Jacobian, its numerical twin beside it and their difference below; return the figure.

    Every array is drawn as a matrix with an output a row and an input a column; `inputs` is the
    number of columns (default: the last axis). Differences below a millionth of the largest
    derivative are rounding errors, and drawn as 0.
    """
    import matplotlib.pyplot as plt

    columns = inputs or np.shape(np.atleast_1d(numeric))[-1]
    analytic, numeric = (np.reshape(a, (-1, columns)) for a in (analytic, numeric))
    difference = analytic - numeric
    largest = np.max(np.abs(numeric[np.isfinite(numeric)]), initial=0)
    panels = (analytic, numeric, np.where(np.abs(difference) < 1e-6 * largest, 0, difference))
    fig = plt.figure(figsize=(6.4, 5.2))  # cropped when shown: narrow, for a phone
    space = {"hspace": 0.5, "wspace": 0.7}  # by hand: a layout engine takes twice as long
    axes = fig.subplot_mosaic([["analytic", "numeric"], ["difference", "."]], gridspec_kw=space)
    for (title, ax), panel in zip(axes.items(), panels, strict=True):
        limit = np.max(np.abs(panel[np.isfinite(panel)]), initial=0) or 1
        ax.imshow(panel, cmap="PuOr", vmin=-limit, vmax=limit, aspect="auto")
        rows, columns = panel.shape
        ax.set(title=title, xlabel="input", ylabel="output")
        ax.set(xticks=range(0, columns, columns // 5 + 1), yticks=range(0, rows, rows // 5 + 1))
        _draw_scale(ax, limit)
    return fig


def _draw_scale(ax: Axes, limit: float) -> None:
    """Draw the colours from -limit to limit beside a panel; a colorbar takes as long as a panel."""
    ax.autoscale(False)
    place: dict[str, Any] = {"transform": ax.transAxes, "clip_on": False}
    ramp = np.linspace(1, -1, 64)[:, np.newaxis]
    ax.imshow(ramp, cmap="PuOr", aspect="auto", extent=(1.06, 1.12, 0, 1), **place)
    for height, number in ((1, limit), (0.5, 0), (0, -limit)):
        text = f"{number:.2g}".replace("-", "\N{MINUS SIGN}")
        ax.text(1.15, height, text, verticalalignment="center", **place)


def random_arrays(seed: int, *shapes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Return one case: standard normal arrays of the given shapes, the same for the same seed."""
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=shape) for shape in shapes)


def check_example(student: Callable[..., Any], *arguments: Any, gives: Any) -> None:
    """Compare one call of a student's function with what it gives, worked out by hand.

    Examples
    --------
    >>> check_example(np.cumsum, [1, 2, 4], gives=[1, 3, 7])
    cumsum: right on 1 case.
    """
    from gradtests.checks import check_cases

    check_cases(student, lambda *arguments: gives, [arguments], {}, is_example=True)


def _value_of(f: Callable[..., Any], x: np.ndarray) -> np.ndarray:
    try:
        return as_array(f(x.copy()))
    except ValueError as error:
        raise ValueError(f"{getattr(f, '__name__', 'f')}: {error}") from None


def as_array(value: Any, may_be_complex: bool = False) -> np.ndarray:
    """Return what a function returned as an array of floating-point numbers.

    Raises
    ------
    ValueError
        if it is none; the text says why, to stand after the function's name.
    """
    if value is None:
        raise ValueError("returned None; is a return missing?")
    if type(value) in (list, tuple):
        try:
            value = np.array(value)
        except ValueError:
            raise ValueError(
                "returned a list that is no array: its rows differ in length"
            ) from None
    plain = type(value) is np.ndarray or isinstance(value, (bool, int, float, complex, np.generic))
    array = np.asarray(value) if plain else None
    if array is None or array.dtype.kind not in "biufc":
        raise ValueError(f"returned {kind_of(value)}, expected a plain array of numbers")
    if array.dtype.kind == "c" and not may_be_complex:
        raise ValueError("returned complex numbers, expected real ones")
    return array.astype(np.float64) if array.dtype.kind in "biu" else array


def kind_of(value: Any) -> str:
    """Return what to call an object that is no array of numbers."""
    if isinstance(value, np.ma.MaskedArray):
        return "a masked array"
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        return "an array of objects"
    if isinstance(value, str) or (isinstance(value, np.ndarray) and value.dtype.kind in "US"):
        return "text"
    return f"an object of type {type(value).__name__}"


def failure(fault: str, cause: str = "") -> AssertionError:
    """Return the error to raise: Jupyter shows its text alone, without the lines of a hidden
    test.
    """
    text = fault + (f"\nLikely cause: {ended(cause)}" if cause else "")
    error = AssertionError(text)
    shown = f"AssertionError: {text}".split("\n")
    error._render_traceback_ = lambda: shown  # type: ignore[attr-defined]  # for IPython
    return error


def ended(sentence: str) -> str:
    """Return a sentence with a full stop, if it has no end of its own."""
    return sentence if sentence.endswith((".", "!", "?")) else sentence + "."
