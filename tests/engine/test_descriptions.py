"""Figures are described by their titles, labels and legends."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest
from building import answer, cell, graded
from matplotlib.figure import Figure
from refereed import Court

from nbreferee.engine.box.descriptions import description


def figure(**texts: str) -> Figure:
    made, axes = plt.subplots()
    axes.plot([1, 2], label=texts.pop("label", "_"))
    if axes.get_legend_handles_labels()[1]:
        axes.legend()
    axes.set(**texts)
    plt.close(made)
    return made


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (
            {"title": "Loss", "xlabel": "step $t$", "ylabel": "$L_t$"},
            "Figure: Loss, L_t against step t.",
        ),
        ({"ylabel": "error", "label": "ours"}, "Figure: error, showing ours."),
        ({}, ""),
    ],
)
def test_description_is_what_the_figure_says_of_itself(texts: dict[str, str], words: str) -> None:
    assert description(figure(**texts)) == words


def test_figure_that_cannot_be_read_has_no_description(monkeypatch: pytest.MonkeyPatch) -> None:
    made = figure(title="x")
    monkeypatch.setattr(made.axes[0], "get_title", lambda: 1 / 0)
    assert description(made) == ""


def test_figure_that_a_notebook_shows_has_its_description_in_the_output() -> None:
    draws = (
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\n"
        "ax.set(title='Mine', xlabel='x')\nplt.show()"
    )
    with Court() as court:
        done = court.grade(
            court.material(answer(), graded(), cell("1", grade_id="last", locked=True)),
            {"f": f"def f(x):\n    return x\n{draws}"},
        )
    metadata = [
        one.metadata
        for found in done.notebook.cells
        for one in found.get("outputs", ())
        if one.output_type == "display_data"
    ]
    assert metadata == [{"image/png": {"alt": "Figure: Mine, x."}}]
