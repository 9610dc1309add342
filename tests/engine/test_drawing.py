"""A figure that is drawn once looks like the one that savefig draws."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import IdentityTransform
from pictures import look_alike

from nbreferee.engine.box import drawing
from nbreferee.engine.box.drawing import draw_once
from nbreferee.engine.box.figures import DRAW

X = np.linspace(0.1, 3, 40)
TIGHT = {"bbox_inches": "tight"}


def lines(figure: Figure) -> None:
    axes = figure.subplots()
    axes.semilogy(X, X**3, "o-", label="$x^3$")
    axes.axhline(2, linestyle="--")
    axes.annotate("here", (1, 1), xytext=(10, 20), textcoords="offset points")
    axes.legend(bbox_to_anchor=(1.02, 1))
    axes.set_title("a title")


def panels(figure: Figure) -> None:
    axes = figure.subplots(2, 2, sharex=True)
    shown = axes[0, 0].imshow(np.outer(X, X), aspect="auto")
    figure.colorbar(shown, ax=axes, label="number")
    axes[0, 1].contourf(np.outer(X, X))
    axes[1, 0].quiver([0, 1], [0, 1], [1, 2], [2, 1], angles="xy", scale_units="xy", scale=1)
    axes[1, 1].scatter(X, X**2, c=X)
    axes[1, 1].twinx().plot(X, 100 * X)
    figure.suptitle("all")


def equal_scales(figure: Figure) -> None:
    axes = figure.add_subplot(aspect="equal")
    axes.fill_between(X, X, 2 * X, alpha=0.3)
    axes.bar([1, 2], [3, 4])
    axes.inset_axes((0.1, 0.6, 0.3, 0.3)).plot(X)
    axes.set_ylabel("far away", labelpad=40)


def polar(figure: Figure) -> None:
    figure.add_subplot(projection="polar").plot(X, X)


def legend_of_the_figure(figure: Figure) -> None:
    figure.subplots().plot(X, label="a")
    figure.legend()


def line_in_pixels(figure: Figure) -> None:
    figure.subplots().add_line(Line2D([9, 99], [9, 99], transform=IdentityTransform()))


def text_in_pixels(figure: Figure) -> None:
    figure.subplots().annotate("a", (20, 20), xycoords="figure pixels")


def own_layout(figure: Figure) -> None:
    figure.set_layout_engine("constrained")
    figure.subplots().plot(X)


def three_dimensions(figure: Figure) -> None:
    figure.add_subplot(projection="3d")


def transparent(figure: Figure) -> None:
    figure.set_facecolor("none")
    figure.subplots()


def edge_of_the_figure(figure: Figure) -> None:
    figure.set(linewidth=9, edgecolor="black")
    figure.subplots().plot(X)


def label_out_of_sight(figure: Figure) -> None:
    figure.subplots().set_ylabel("a", labelpad=200)


def picture_in_pixels(figure: Figure) -> None:
    figure.subplots()
    figure.figimage(np.eye(20))


@pytest.mark.parametrize("kind", [lines, panels, equal_scales, polar])
def test_figure_that_is_drawn_once_looks_like_savefig_s(kind: Callable[[Figure], None]) -> None:
    figure = Figure(figsize=(4.3, 3.7))
    kind(figure)
    figure.canvas.draw()
    before = DRAW(figure, base64=True)
    once = draw_once(figure, TIGHT)
    assert look_alike(once, before)
    assert DRAW(figure, base64=True) == before  # the figure is as it was


@pytest.mark.parametrize("kind", [lines, panels, equal_scales, polar])
def test_ticks_that_are_placed_once_are_where_matplotlib_has_them(
    kind: Callable[[Figure], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind(figure := Figure())
    picture = draw_once(figure, TIGHT)
    monkeypatch.setattr(drawing, "_cheap_ticks", contextlib.nullcontext)
    kind(figure := Figure())
    assert picture == draw_once(figure, TIGHT)


@pytest.mark.parametrize(
    "kind",
    [
        legend_of_the_figure,
        line_in_pixels,
        text_in_pixels,
        own_layout,
        three_dimensions,
        transparent,
        edge_of_the_figure,
        label_out_of_sight,
        picture_in_pixels,
    ],
)
def test_unusual_figure_is_left_to_savefig(kind: Callable[[Figure], None]) -> None:
    figure = Figure(figsize=(4.3, 3.7))
    kind(figure)
    assert draw_once(figure, TIGHT) == ""


def test_other_ways_to_print_are_left_to_savefig() -> None:
    figure = Figure()
    figure.subplots()
    assert base64.b64decode(draw_once(figure, TIGHT)).startswith(b"\x89PNG")
    assert draw_once(figure, {"bbox_inches": None}) == ""
    assert draw_once(figure, {**TIGHT, "dpi": 50}) == ""


def test_pictures_that_differ_visibly_do_not_look_alike() -> None:
    one, other = Figure(figsize=(3, 2)), Figure(figsize=(3, 2))
    one.subplots().plot([0, 1, 0.5], linewidth=3)
    other.subplots().plot([0, 1, 0.7], linewidth=3)
    assert not look_alike(DRAW(one, base64=True), DRAW(other, base64=True))
