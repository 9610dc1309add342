"""Notebooks as VS Code, Colab and older Jupyter save them: every answer is found, and is graded as it is.

The shapes are those of files that these programs have written: metadata that they add and drop, cell ids,
formats of outputs, and versions of the notebook format.
"""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from building import answer, cell, graded
from hand_in import answered, read_notebook, solved
from notebooks import SOURCES, released
from refereed import Court, verdicts

from nbreferee import api
from nbreferee.submission.rebuild import rebuild

Json = dict[str, Any]
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": "3.11.4",
}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def lines(source: str) -> list[str]:
    return source.splitlines(keepends=True)


def code_cells(notebook: Json) -> list[Json]:
    return [one for one in notebook["cells"] if one["cell_type"] == "code"]


def vs_code(notebook: Json) -> Json:
    """VS Code today: keeps metadata and ids, adds its own, names the environment."""
    for number, one in enumerate(notebook["cells"]):
        one["source"] = lines(one["source"])
        if one["cell_type"] == "code":
            one["execution_count"] = number + 1
            one["outputs"] = [
                {"name": "stdout", "output_type": "stream", "text": ["[0.731 0.269]\n"]},
                {
                    "data": {"image/png": PIXEL, "text/plain": ["<Figure size 550x360>"]},
                    "metadata": {},
                    "output_type": "display_data",
                },
            ]
    code_cells(notebook)[-1]["metadata"]["vscode"] = {"languageId": "python"}
    notebook["metadata"] = {
        "kernelspec": {"display_name": ".venv (3.11.4)", "language": "python", "name": "python3"},
        "language_info": LANGUAGE,
    }
    return notebook


def vs_code_of_2020(notebook: Json) -> Json:
    """VS Code of 2020 and 2021: no ids, and no metadata of cells that have been run."""
    for one in notebook["cells"]:
        del one["id"]
        one["source"] = lines(one["source"])
        if one["cell_type"] == "code":
            one["metadata"] = {}
            one["execution_count"] = 1
            one["outputs"] = [
                {
                    "ename": "NameError",
                    "evalue": "name 'x' is not defined",
                    "output_type": "error",
                    "traceback": ["\x1b[1;31mNameError\x1b[0m: name 'x' is not defined"],
                }
            ]
    notebook["metadata"] = {
        "interpreter": {"hash": "31f2aee4e71d21fbe5cf8b01ff0e069b9275f58929596ceb00d14d90e3e16cd6"},
        "kernelspec": {"display_name": "Python 3.8.5 64-bit ('base': conda)", "name": "python3"},
        "language_info": {**LANGUAGE, "version": 3},
        "orig_nbformat": 2,
    }
    return {**notebook, "nbformat": 4, "nbformat_minor": 2}


def colab(notebook: Json, keeps: bool = True) -> Json:
    """Colab: format 4.0, ids in the metadata, a badge on top, cells of the student's own, rich outputs."""
    for number, one in enumerate(notebook["cells"]):
        del one["id"]
        mine = {"id": f"{number:012x}"}
        one["metadata"] = {**one["metadata"], **mine} if keeps else mine
        one["source"] = lines(one["source"])
        if one["cell_type"] == "code":
            one["metadata"]["colab"] = {"base_uri": "https://localhost:8080/", "height": 35}
            one["metadata"]["outputId"] = str(uuid.UUID(int=number))
            one["outputs"] = [
                {
                    "output_type": "execute_result",
                    "data": {
                        "text/plain": ["'x'"],
                        "text/html": ["<div id='df-1'><script>google.colab.kernel</script></div>"],
                        "application/vnd.google.colaboratory.intrinsic+json": {"type": "string"},
                    },
                    "metadata": {},
                    "execution_count": number,
                },
                {
                    "output_type": "error",
                    "ename": "ImportError",
                    "evalue": "ignored",
                    "traceback": ["\x1b[0;31mImportError\x1b[0m"],
                    "errorDetails": {"actions": [{"action": "open_url", "url": "/notebooks"}]},
                },
            ]
    badge = {
        "cell_type": "markdown",
        "metadata": {"id": "view-in-github", "colab_type": "text"},
        "source": ['<a href="https://colab.research.google.com/github/x">Open In Colab</a>'],
    }
    drive = {
        "cell_type": "code",
        "source": ["from google.colab import drive\n", "drive.mount('/content/drive')"],
        "metadata": {"id": "drive", "cellView": "form"},
        "execution_count": None,
        "outputs": [],
    }
    return {
        "nbformat": 4,
        "nbformat_minor": 0,
        "metadata": {
            "colab": {"provenance": [], "toc_visible": True},
            "kernelspec": {"name": "python3", "display_name": "Python 3"},
            "language_info": {"name": "python"},
            "accelerator": "GPU",
            "widgets": {"application/vnd.jupyter.widget-state+json": {"a1": {"model_name": "X"}}},
        },
        "cells": [badge, drive, *notebook["cells"]],
    }


def colab_without_metadata(notebook: Json) -> Json:
    """A copy of the cells in a new notebook of Colab's."""
    return colab(notebook, keeps=False)


def jupyter_with_widgets(notebook: Json) -> Json:
    """JupyterLab 4: widget state, collapsed cells, execution times."""
    notebook["metadata"]["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {
            "state": {"a1": {"model_name": "IntSliderModel", "state": {"value": 3}}},
            "version_major": 2,
            "version_minor": 0,
        }
    }
    for one in code_cells(notebook):
        one["metadata"] |= {
            "execution": {"iopub.status.busy": "2026-11-27T08:00:00Z"},
            "scrolled": True,
        }
        one["metadata"]["jupyter"] = {"source_hidden": True, "outputs_hidden": True}
    return notebook


EDITORS: list[Callable[[Json], Json]] = [
    vs_code, vs_code_of_2020, colab, colab_without_metadata, jupyter_with_widgets,
]  # fmt: skip
editors = pytest.mark.parametrize("save", EDITORS, ids=lambda save: save.__name__)


def saved(notebook: Json, save: Callable[[Json], Json]) -> bytes:
    return json.dumps(save(copy.deepcopy(notebook)), indent=1).encode()


@pytest.fixture(scope="module")
def originals() -> dict[Path, Any]:
    """The instructor's cells of every notebook, as students got them."""
    return {source: api._material(source)[0].originals for source in SOURCES}


@editors
def test_every_answer_of_our_notebooks_is_found(
    save: Callable[..., Any], originals: dict[Path, Any]
) -> None:
    for source in SOURCES:
        answers = solved(read_notebook(source))
        handed_in = answered(read_notebook(released(source)), answers)
        rebuilt = rebuild(originals[source], saved(handed_in, save))
        found = {
            one.metadata.nbgrader.grade_id: one.source
            for one in rebuilt.notebook.cells
            if one.metadata.get("nbgrader", {}).get("solution")
        }
        assert {name: text.rstrip() for name, text in found.items()} == {
            name: text.rstrip() for name, text in answers.items()
        }
        assert not [text for text in rebuilt.repairs if "changed" in text or "missing" in text]


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court() as found:
        yield found


@editors
def test_scores_are_those_of_the_same_answers_in_jupyter(
    save: Callable[..., Any], court: Court
) -> None:
    material = court.material(
        cell("import math", grade_id="imports", locked=True),
        answer("def double(x):\n    return 2 * x", "double"),
        graded("assert double(2) == 4", "double_tests"),
        answer("def half(x):\n    return x / 2", "half"),
        graded("assert half(2) == 1", "half_tests"),
        cell("Why?", "markdown", grade_id="why", grade=True, solution=True, points=3),
    )
    answers = {
        "double": "def double(x):\n    return x + x",
        "half": "def half(x):\n    return x",
        "why": "So.",
    }
    handed_in = answered(material.master.notebook, answers)
    found = verdicts(court.grade_bytes(material, saved(handed_in, save)))
    assert {name: (one.status, one.score) for name, one in found.items()} == {
        "double_tests": ("passed", 2),
        "half_tests": ("failed", 0),
        "why": ("manual", 0),
    }
