"""Figures that look the same have one name, and only those."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread

from nbreferee.engine.box.outlines import outline
from nbreferee.engine.box.visible import visible_name

X = np.linspace(0.1, 3, 40)


def new_axes(layout: Literal["constrained"] | None = None) -> Axes:
    axes: Axes = Figure(figsize=(3, 2), layout=layout).subplots()
    return axes


def figure_of(axes: Axes) -> Figure:
    figure = axes.figure
    assert isinstance(figure, Figure)
    return figure


def line(a: float) -> Axes:
    axes = new_axes()
    axes.plot(X, np.sin(X) + a, "o-", label="a")
    axes.legend()
    return axes


def zoomed(a: float) -> Axes:
    axes = new_axes()
    axes.plot(1000 + 1e-6 * (X + a), X)
    return axes


def logarithmic(a: float) -> Axes:
    axes = new_axes()
    axes.loglog(X, 1e-9 * X * (1 + a))
    return axes


def around_zero(a: float) -> Axes:
    axes = new_axes()
    axes.plot([0, 1], [a, 1])
    axes.set_yscale("symlog")
    return axes


def image(a: float) -> Axes:
    axes = new_axes()
    shown = axes.imshow(np.add.outer(X, X) + a, vmin=0, vmax=6, cmap="PuOr")
    figure_of(axes).colorbar(shown)
    return axes


def arrows(a: float) -> Axes:
    axes = new_axes()
    axes.quiver([0, 0], [0, 0], [1, a], [a, 1], angles="xy", scale_units="xy", scale=1)
    axes.set(xlim=(-1, 2), ylim=(-1, 2))
    return axes


def shapes(a: float) -> Axes:
    axes = new_axes(layout="constrained")
    axes.fill([0, 1 + a, 1], [0, 0, 1])
    axes.scatter(X, X**2 + a)
    axes.contour(np.add.outer(X + a, X), 3)
    axes.bar([3], [2 + a])
    axes.axhline(2 + a)
    axes.text(1 + a, 1, "text")
    return axes


KINDS = (line, zoomed, logarithmic, around_zero, image, arrows, shapes)


def name(axes: Axes) -> str:
    return visible_name(figure_of(axes), {"bbox_inches": "tight"}, dict(mpl.rcParams.items()))


def picture(axes: Axes) -> np.ndarray:
    drawn = io.BytesIO()
    figure_of(axes).savefig(drawn, dpi=100)
    drawn.seek(0)
    return imread(drawn)


@pytest.mark.parametrize("kind", KINDS)
def test_rounding_errors_do_not_change_the_name(kind: Callable[..., Any]) -> None:
    one, other = kind(0.0), kind(3e-16)
    assert name(one) == name(other) != ""
    assert outline(figure_of(one)) == outline(figure_of(other)) != ""


@pytest.mark.parametrize("kind", KINDS)
def test_what_can_be_seen_changes_the_name(kind: Callable[..., Any]) -> None:
    assert name(kind(0.0)) != name(kind(0.05))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("a", [1e-15, 1e-12, 1e-9, 1e-7])
def test_figures_of_one_name_look_the_same(kind: Callable[..., Any], a: float) -> None:
    one, other = kind(0.0), kind(a)
    if name(one) == name(other):
        assert np.abs(picture(one) - picture(other)).max() < 0.02


def test_other_data_have_another_outline() -> None:
    assert outline(figure_of(line(0.0))) != outline(figure_of(line(0.05)))
    assert outline(figure_of(image(0.0))) != outline(figure_of(image(0.05)))


CHANGES = {
    "a text": lambda axes: axes.set_title("b"),
    "a colour": lambda axes: axes.lines[0].set_color((0.1, 0.2, 0.31)),
    "a width": lambda axes: axes.lines[0].set_linewidth(1.01),
    "limits": lambda axes: axes.set_xlim(0, 3.0001),
    "a place on the page": lambda axes: axes.title.set_x(0.5001),
    "a clip": lambda axes: axes.lines[0].set_clip_path(axes.patch),
    "ticks": lambda axes: axes.set_xticks([1, 2]),
    "a label": lambda axes: axes.set_xticks([1, 2], ["1", "two"]),
    "order": lambda axes: axes.lines[0].set_zorder(0),
    "what is hidden": lambda axes: axes.lines[0].set_visible(False),
    "a scale": lambda axes: axes.set_yscale("symlog"),
    "a size": lambda axes: axes.figure.set_size_inches(3.01, 2),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_visible_setting_is_in_the_name(change: str) -> None:
    one, other = line(0.0), line(0.0)
    one.set_xlim(0, 1e6 if change == "a place on the page" else 3)
    other.set_xlim(0, 1e6 if change == "a place on the page" else 3)
    for axes in (one, other):
        axes.set_title("a")
    assert name(one) == name(other)
    CHANGES[change](other)
    assert name(one) != name(other)


def test_settings_at_the_time_of_drawing_are_in_the_name() -> None:
    with mpl.rc_context({"text.antialiased": False}):
        changed = name(line(0.0))
    assert changed != name(line(0.0))


def test_limits_that_follow_the_data_may_differ_in_late_digits_too() -> None:
    one, other = (Figure().subplots() for _ in range(2))
    one.plot(X, X * 1500)
    other.plot(X, X * 1500 * (1 + 1e-13))
    assert name(one) == name(other)
    assert outline(figure_of(one)) == outline(figure_of(other))


def test_rounding_errors_around_0_of_a_place_are_not_seen() -> None:
    one, other, apart = (Figure().subplots() for _ in range(3))
    one.annotate("", (0.0, 1.0), (np.float64(3e-17), 0.5))
    other.annotate("", (0.0, 1.0), (-1e-17, 0.5))
    apart.annotate("", (0.0, 1.0), (0.001, 0.5))
    assert name(one) == name(other) != name(apart)


def test_small_numbers_have_colours_on_a_logarithmic_scale() -> None:
    values = np.array([[1e-15, 1, 1e-16]])
    for show in ("imshow", "pcolormesh"):
        one, other = (Figure().subplots() for _ in range(2))
        getattr(one, show)(values, norm="log")
        getattr(other, show)(values[:, ::-1], norm="log")
        third = Figure().subplots()
        getattr(third, show)(np.minimum(values * [[0.1, 1, 1]], 1), norm="log")
        assert len({name(one), name(other), name(third)}) == 3


def test_numbers_in_lists_and_arrays_are_one() -> None:
    one, other = (Figure().subplots() for _ in range(2))
    one.plot([1, 2, 3], [1.0, 2.0, 4.0])
    other.plot(np.array([1, 2, 3]), np.array([1, 2, 4]))
    assert name(one) == name(other)
    assert outline(figure_of(one)) == outline(figure_of(other))


def test_figure_that_cannot_be_packed_has_no_name() -> None:
    axes = line(0.0)
    axes.xaxis.set_major_formatter(lambda x, place: f"{x} m")
    assert name(axes) == ""
