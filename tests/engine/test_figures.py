"""Figures are drawn when a notebook has run, and look as if they had been drawn at once; the
solution's are not drawn again.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from building import answer, cell, graded
from hand_in import solved
from nbformat import NotebookNode
from notebooks import COURSE
from pictures import look_alike
from refereed import Court, verdicts

from nbreferee.budget import Budget
from nbreferee.course.source import read_master
from nbreferee.engine.wire.protocol import MARK
from nbreferee.grading.notebook import NotebookMaterial

DRAWN_AT_ONCE = """
import json, os, sys
from nbreferee.engine.shell import Shell
shell = Shell.instance()
sys.path.insert(0, "")
shell.take_over()
pictures = []
for source in json.load(open(sys.argv[1])):
    pictures += [one["data"]["image/png"] for one in shell.run(source)[0] if "image/png" in one.get("data", {})]
sys.__stdout__.write(json.dumps(pictures))
"""
DRAWN_TWICE = """
import json, os, sys
from IPython.core import pylabtools
from nbreferee.engine.wire.protocol import MARK
from nbreferee.engine.box.figures import DRAW, Figures
figures, drawn = Figures(), []
def both(figure, *arguments, **named):
    mark = figures.print_figure(figure, *arguments, **named)
    drawn.append((DRAW(figure, *arguments, **named), mark.removeprefix(MARK)))
pylabtools.print_figure = both
from nbreferee.engine.shell import Shell
shell = Shell.instance()
sys.path.insert(0, "")
shell.take_over()
for source in json.load(open(sys.argv[1])):
    shell.run(source)
sys.__stdout__.write(json.dumps([(at_once, figures.draw(name)[0]) for at_once, name in drawn]))
"""
SHOWN = {
    "line": (
        "fig, ax = plt.subplots()\nax.plot([0, f(1), 4], label='$x^2$')\nax.legend()\nplt.show()"
    ),
    "layout of its own": (
        "fig, axes = plt.subplots(2, 2, layout='constrained')\n"
        "axes[0, 0].imshow(np.eye(3) * f(1))\nfig.colorbar(axes[0, 0].images[0])"
    ),
    "style of its own": (
        "with plt.style.context('ggplot'):\n    plt.plot([1, 2, f(3)])\n    plt.show()"
    ),
    "setting after it": (
        "plt.plot([1, 2], label='a')\nplt.legend()\nplt.show()\nplt.rcParams['lines.linewidth'] = 9"
    ),
    "change after it": "fig, ax = plt.subplots()\nax.plot([1, f(2)])\nplt.show()\nax.plot([3, 1])",
    "two at once": (
        "plt.figure()\nplt.bar(['a', 'b'], [1, f(2)])\nplt.figure()\nplt.scatter([1, 2], [3, f(4)])"
    ),
    "three dimensions": (
        "ax = plt.figure().add_subplot(projection='3d')\n"
        "ax.plot_surface(*np.mgrid[:3, :3], np.eye(3))"
    ),
    "shown by hand": (
        "from IPython.display import display\nfig = plt.figure()\n"
        "fig.add_subplot().text(0.5, 0.5, f(3))\nplt.close()\ndisplay(fig)"
    ),
    "label of a lambda": (
        "fig, ax = plt.subplots()\nax.plot([1, 2])\n"
        "ax.xaxis.set_major_formatter(lambda x, place: f'{x} m')"
    ),
    "changed afterwards": (
        "fig, ax = plt.subplots()\nax.plot([1, f(2)])\nplt.show()\nax.plot([5, 5])\nfig.dpi = 30"
    ),
    "size of its own": (
        "%config InlineBackend.print_figure_kwargs = {'bbox_inches': None, 'dpi': 50}\n"
        "plt.plot([1, f(2)])"
    ),
}
RIGHT = "def f(x):\n    return x"


def pictures(notebook: NotebookNode) -> list[str]:
    """The pictures that a notebook shows."""
    shown = [
        output["data"]
        for one in notebook.cells
        for output in one.get("outputs", [])
        if "data" in output
    ]
    assert MARK not in json.dumps(notebook)
    return [data["image/png"] for data in shown if "image/png" in data]


def run_cells(program: str, sources: list[str], folder: Path, work: Path) -> list[Any]:
    """What a program for another process makes of cells."""
    (folder / "cells.json").write_text(json.dumps(sources))
    environment = {
        **os.environ,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": str(COURSE),
    }
    command = [sys.executable, "-B", "-c", program, str(folder / "cells.json")]
    ran = subprocess.run(
        command,
        cwd=work,
        env={**environment, "IPYTHONDIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[Any] = json.loads(ran.stdout)
    return found


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court(Budget(call_s=3, cell_s=5)) as court:
        yield court


def master(court: Court, *shown: str) -> NotebookMaterial:
    imports = cell(
        "import matplotlib.pyplot as plt\nimport numpy as np", grade_id="imports", locked=True
    )
    figures = [
        cell(source, grade_id=f"figure{number}", locked=True) for number, source in enumerate(shown)
    ]
    return court.material(imports, answer(), *figures, graded())


@pytest.mark.parametrize("kind", SHOWN)
def test_figure_is_what_drawing_it_at_once_gives(court: Court, kind: str, tmp_path: Path) -> None:
    subject = master(court, SHOWN[kind])
    here = run_cells(
        DRAWN_AT_ONCE,
        ["import matplotlib.pyplot as plt\nimport numpy as np", RIGHT, SHOWN[kind]],
        tmp_path,
        tmp_path,
    )
    assert here
    first = pictures(court.grade(subject, {"f": RIGHT}).notebook)  # the solution's
    assert len(first) == len(here)
    assert all(map(look_alike, first, here))
    court.grader.forget_figures()
    assert pictures(court.grade(subject, {"f": RIGHT}).notebook) == first  # drawn by this box


@pytest.mark.parametrize(
    "path", sorted((COURSE / "source").glob("*/*.ipynb")), ids=lambda path: path.stem
)
def test_figures_of_the_course_are_the_same_later(path: Path, tmp_path: Path) -> None:
    parsed = read_master(path)
    answers = solved(parsed.notebook)
    sources = [
        answers.get(one.grade_id, one.source)
        for one in parsed.cells
        if one.is_code and not one.is_test
    ]
    pairs = run_cells(DRAWN_TWICE, sources, tmp_path, path.parent)
    assert len(pairs) > 2
    assert all(look_alike(at_once, later) for at_once, later in pairs)


def test_figure_of_a_wrong_answer_is_its_own(court: Court) -> None:
    subject = master(court, SHOWN["line"])
    right, wrong = (
        pictures(court.grade(subject, {"f": f"def f(x):\n    return {value}"}).notebook)
        for value in ("x", "3 * x")
    )
    assert right != wrong
    assert len(right) == len(wrong) == 1


def test_solution_s_figures_are_not_drawn_again(court: Court) -> None:
    refuse = (
        "import gc\nfrom nbreferee.engine.box.figures import Figures\n"
        "Figures.draw = lambda figures, name: ('', 'asked to draw')\n"
    )
    subject = master(court, SHOWN["line"])
    assert len(pictures(court.grade(subject, {"f": refuse + RIGHT}).notebook)) == 1
    court.grader.forget_figures()
    notebook = court.grade(subject, {"f": refuse + RIGHT}).notebook
    assert not pictures(notebook)
    assert "not drawn: asked to draw" in json.dumps(notebook)


def test_figure_with_another_outline_is_not_named(court: Court) -> None:
    refuse = (
        "import gc, os\nfrom nbreferee.engine.box.figures import Figures\n"
        "Figures.visible_name = lambda figures, name: os._exit(1)\n"
    )
    subject = master(court, SHOWN["line"])
    wrong = "def f(x):\n    return 3 * x"
    assert len(pictures(court.grade(subject, {"f": refuse + wrong}).notebook)) == 1
    near = "def f(x):\n    return x * (1 + 1e-12)"
    assert not pictures(court.grade(subject, {"f": refuse + near}).notebook)


def test_tester_draws_figures_of_tests_alone(court: Court) -> None:
    locked = (
        "import matplotlib.pyplot as plt\nfrom matplotlib.lines import Line2D\ndrawn = []\n"
        "class Noting(Line2D):\n    def draw(self, renderer):\n        drawn.append(1)\n"
        "def show():\n    fig, ax = plt.subplots()\n    ax.add_line(Noting([0, 1], [0, 1]))\n"
        "    plt.show()\nshow()"
    )
    shows = cell(locked, grade_id="shows", locked=True)
    test = graded("assert f(2) == 2 and not drawn\nshow()\nassert drawn")
    found = court.grade(court.material(shows, answer(), test), {"f": RIGHT})
    assert verdicts(found)["f_tests"].score == 2, verdicts(found)["f_tests"].message


def test_figure_before_a_crash_is_drawn_by_the_next_box(court: Court) -> None:
    subject = master(court, SHOWN["line"], "import os\nif f(1) == 3: os._exit(1)", "f(1)")
    found = court.grade(subject, {"f": "def f(x):\n    return 3 * x"})
    assert len(pictures(found.notebook)) == 1


LABELS = {
    "function": "def label(x, _):\n    return unit",
    "class": (
        "class Label(plt.Formatter):\n    def __call__(self, x, _=None):\n        return unit\n"
        "label = Label()"
    ),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_are_those_of_the_cell_that_shows_a_figure(court: Court, kind: str) -> None:
    shows = (
        f"unit = 'm'\n{LABELS[kind]}\nfig, ax = plt.subplots(figsize=(2, 2))\nax.plot([1, 2])\n"
        "ax.xaxis.set_major_formatter(label)\nplt.show()"
    )
    subject = court.material(cell("import matplotlib.pyplot as plt"), answer(), graded())
    found = [
        pictures(court.grade(subject, {"f": f"{RIGHT}\n{shows}"}, {"f_tests": more}).notebook)
        for more in ("", "unit = 'another unit'")
    ]
    assert found[0] == found[1] != []


WRONG_FIGURES = {
    "text that cannot be drawn": ("plt.title('$\\\\frac{$')\nplt.show()", "ValueError"),
    "one that never gets drawn": (
        (
            "from matplotlib.lines import Line2D\nclass Slow(Line2D):\n    def draw(self, renderer):\n"
            "        while True: pass\n"
            "fig, ax = plt.subplots()\nax.add_line(Slow([0, 1], [0, 1]))\nplt.show()"
        ),
        "stopped after|time was up",
    ),
    "one that ends its process": (
        (
            "import os\nfrom matplotlib.lines import Line2D\nclass Fatal(Line2D):\n"
            "    def draw(self, renderer): os._exit(1)\n"
            "fig, ax = plt.subplots()\nax.add_line(Fatal([0, 1], [0, 1]))\nplt.show()"
        ),
        "process ended",
    ),
    "a name that nobody knows": (
        (
            "from IPython.display import display\n"
            f"display({{'image/png': '{MARK}{'0' * 64}'}}, raw=True)"
        ),
        "KeyError",
    ),
    "a name that is none": (
        (
            "from IPython.display import display\n"
            f"display({{'image/png': '{MARK}../../etc'}}, raw=True)"
        ),
        "KeyError",
    ),
}


@pytest.mark.parametrize("kind", WRONG_FIGURES)
def test_figure_that_cannot_be_drawn_costs_itself_alone(court: Court, kind: str) -> None:
    added, words = WRONG_FIGURES[kind]
    subject = master(court, SHOWN["line"])
    found = court.grade(subject, {"f": "import matplotlib.pyplot as plt\n" + RIGHT + "\n" + added})
    assert verdicts(found)["f_tests"].score == 2
    assert re.search(f'not drawn: [^"]*({words})', json.dumps(found.notebook))
