"""Notebooks damaged by a seeded generator, as editors, students and accidents do it; every answer
stays whole in some cell.

A damage is a function that changes a notebook in JSON. It never takes an answer away: what is
deleted, emptied or changed are tests, locked cells, ids and metadata; answers are copied, split,
merged, moved and retyped.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Cells = list[dict[str, Any]]


@dataclass(frozen=True)
class Released:
    """A released notebook for the generator: the stubs by grade id."""

    stubs: dict[str, str]


def grade_id(cell: dict[str, Any]) -> str:
    """Return a cell's grade id; empty where it has none."""
    settings = cell.get("metadata", {}).get("nbgrader", {})
    return settings.get("grade_id", "") if isinstance(settings, dict) else ""


def is_answer(cell: dict[str, Any]) -> bool:
    return bool(grade_id(cell)) and bool(cell["metadata"]["nbgrader"].get("solution"))


def answers(cells: Cells, released: Released, code: bool) -> list[int]:
    """Return where the answers stand that have their own ids."""
    return [n for n in of(cells, answer=True, code=code) if grade_id(cells[n]) in released.stubs]


def of(cells: Cells, answer: bool | None = None, code: bool | None = None) -> list[int]:
    """Return where the cells with a grade id stand: answers, or others with no answer in them; code
    or text.
    """
    return [
        n
        for n, cell in enumerate(cells)
        if grade_id(cell)
        and answer in (None, is_answer(cell))
        and (answer is not False or not cell.get("holds"))
        and code in (None, cell["cell_type"] == "code")
    ]


def plain(source: str, kind: str = "code") -> dict[str, Any]:
    """Return a cell that a student has added."""
    return {
        "cell_type": kind,
        "source": source,
        "metadata": {},
        "id": f"new-{abs(hash(source)) % 10**9}",
    }


def pick(dice: random.Random, numbers: list[int]) -> int | None:
    return dice.choice(numbers) if numbers else None


# ---------------------------------------------------------------- damages


def delete(cells: Cells, dice: random.Random, _: Released) -> None:
    for _n in range(dice.randint(1, 4)):
        if (n := pick(dice, of(cells, answer=False))) is not None:
            del cells[n]


def delete_free(cells: Cells, dice: random.Random, released: Released) -> None:
    free = [n for n, cell in enumerate(cells) if not grade_id(cell) and cell.get("free")]
    for n in sorted(dice.sample(free, min(len(free), 3)), reverse=True):
        del cells[n]


def empty(cells: Cells, dice: random.Random, _: Released) -> None:
    if (n := pick(dice, of(cells, answer=False))) is not None:
        cells[n]["source"] = dice.choice(["", "\n", "  "])


def change_test(cells: Cells, dice: random.Random, _: Released) -> None:
    if (n := pick(dice, of(cells, answer=False))) is not None:
        cells[n]["source"] = dice.choice(
            ["assert True", cells[n]["source"] + "\nprint('mine')", "# " + cells[n]["source"]]
        )


def duplicate(cells: Cells, dice: random.Random, _: Released) -> None:
    if (n := pick(dice, of(cells))) is not None:
        again = copy.deepcopy(cells[n])
        again["id"] = f"copy-{dice.random()}"
        if dice.random() < 0.3:
            again["metadata"] = {}
        cells.insert(n + 1, again)


def duplicate_stub(cells: Cells, dice: random.Random, released: Released) -> None:
    if (n := pick(dice, answers(cells, released, code=True))) is not None:
        stub = {
            **copy.deepcopy(cells[n]),
            "source": released.stubs[grade_id(cells[n])],
            "id": f"stub-{dice.random()}",
        }
        if dice.random() < 0.5:
            stub["metadata"] = {}
        cells.insert(n + dice.randint(0, 1), stub)


def split(cells: Cells, dice: random.Random, _: Released) -> None:
    """Split an answer between two lines: both halves keep the metadata (JupyterLab), or one of them
    does.
    """
    if (
        n := pick(dice, [n for n in of(cells, answer=True) if cells[n]["source"].count("\n") > 1])
    ) is None:
        return
    lines = cells[n]["source"].split("\n")
    at = dice.randint(1, len(lines) - 1)
    first, second = copy.deepcopy(cells[n]), copy.deepcopy(cells[n])
    first["source"], second["source"] = "\n".join(lines[:at]), "\n".join(lines[at:])
    second["id"] = f"half-{dice.random()}"
    if (which := dice.choice([None, first, second])) is not None:
        which["metadata"] = {}
    cells[n : n + 1] = [first, second]


def merge_answers(cells: Cells, dice: random.Random, _: Released) -> None:
    """Merge an answer with another one: the metadata of one of them is left."""
    codes = of(cells, answer=True, code=True)
    if len(codes) < 2:
        return
    place = dice.randrange(len(codes) - 1)
    first, second = codes[place], codes[place + 1]
    kept, lost = dice.choice([(first, second), (second, first)])
    cells[kept]["source"] = f"{cells[first]['source']}\n\n{cells[second]['source']}"
    del cells[lost]


def merge_with_neighbour(cells: Cells, dice: random.Random, _: Released) -> None:
    """Merge a code answer with the code cell above or below it: the metadata of one of them is
    left.
    """
    pairs = [
        (n, m)
        for n in of(cells, answer=True, code=True)
        for m in (n - 1, n + 1)
        if 0 <= m < len(cells)
    ]
    pairs = [
        (n, m) for n, m in pairs if cells[m]["cell_type"] == "code" and not is_answer(cells[m])
    ]
    if not pairs:
        return
    mine, other = dice.choice(pairs)
    both = "\n\n".join(cells[n]["source"] for n in sorted((mine, other)))
    kept, lost = dice.choice([(mine, other), (other, mine)])
    cells[kept].update(source=both, holds=True, free=False)
    del cells[lost]


def reorder(cells: Cells, dice: random.Random, _: Released) -> None:
    for _n in range(dice.randint(1, 3)):
        cells.insert(dice.randrange(len(cells)), cells.pop(dice.randrange(len(cells))))


def shuffle(cells: Cells, dice: random.Random, _: Released) -> None:
    dice.shuffle(cells)


def retype(cells: Cells, dice: random.Random, _: Released) -> None:
    for _n in range(dice.randint(1, 3)):
        if (n := pick(dice, of(cells))) is not None:
            cells[n]["cell_type"] = dice.choice(
                [kind for kind in ("code", "markdown", "raw") if kind != cells[n]["cell_type"]]
            )


def strip_some(cells: Cells, dice: random.Random, _: Released) -> None:
    for n in dice.sample(range(len(cells)), min(len(cells), 5)):
        cells[n]["metadata"] = {}
        if dice.random() < 0.5:
            cells[n].pop("id", None)


def strip_all(cells: Cells, dice: random.Random, _: Released) -> None:
    for cell in cells:
        cell["metadata"] = {}


def strip_all_and_ids(cells: Cells, dice: random.Random, _: Released) -> None:
    for n, cell in enumerate(cells):
        cell["metadata"] = dice.choice([{}, {"id": f"colab{n}"}])
        cell["id"] = f"fresh{n}"


def rename_ids(cells: Cells, dice: random.Random, _: Released) -> None:
    for n in dice.sample(of(cells), min(len(of(cells)), 3)):
        cells[n]["metadata"]["nbgrader"]["grade_id"] = f"renamed-{dice.random()}"
        cells[n]["id"] = f"renamed-{dice.random()}"


def swap_ids(cells: Cells, dice: random.Random, _: Released) -> None:
    codes = of(cells, answer=True, code=True)
    if len(codes) > 1:
        one, other = (cells[n]["metadata"]["nbgrader"] for n in dice.sample(codes, 2))
        one["grade_id"], other["grade_id"] = other["grade_id"], one["grade_id"]


def take_id(cells: Cells, dice: random.Random, _: Released) -> None:
    """Give a cell the grade id of an answer."""
    codes = of(cells, code=True)
    answers = of(cells, answer=True, code=True)
    if len(codes) > 1 and answers:
        cells[dice.choice(codes)]["metadata"]["nbgrader"]["grade_id"] = grade_id(
            cells[dice.choice(answers)]
        )


def answer_elsewhere(cells: Cells, dice: random.Random, released: Released) -> None:
    """Have an answer in a cell of its own below, above, at the top or at the end, and leave or
    delete its place.
    """
    if (n := pick(dice, answers(cells, released, code=True))) is None:
        return
    mine = plain(cells[n]["source"])
    if dice.random() < 0.6:
        cells[n]["source"] = dice.choice(
            [released.stubs[grade_id(cells[n])], "", released.stubs[grade_id(cells[n])] + " \n"]
        )
    else:
        del cells[n]
    cells.insert(dice.choice([min(n + 1, len(cells)), n, 0, len(cells)]), mine)


def text_elsewhere(cells: Cells, dice: random.Random, released: Released) -> None:
    """Have a text answer in a cell below or above its place."""
    if (n := pick(dice, answers(cells, released, code=False))) is not None:
        mine = plain(cells[n]["source"], "markdown")
        cells[n]["source"] = released.stubs[grade_id(cells[n])]
        cells.insert(n + dice.randint(0, 1), mine)


def answer_in_test(cells: Cells, dice: random.Random, released: Released) -> None:
    """Have an answer typed into the cell of the instructor's that is next to it, and leave its
    place.
    """
    pairs = [
        (n, m)
        for n in answers(cells, released, code=True)
        for m in (n - 1, n + 1)
        if m in of(cells, answer=False, code=True)
    ]
    if not pairs:
        return
    mine, other = dice.choice(pairs)
    text, theirs = cells[mine]["source"], cells[other]["source"]
    cells[other].update(
        source=dice.choice([text, f"{theirs}\n{text}", f"{text}\n{theirs}"]), holds=True
    )
    cells[mine]["source"] = released.stubs[grade_id(cells[mine])]


def add(cells: Cells, dice: random.Random, _: Released) -> None:
    tests = [
        cell["source"]
        for cell in cells
        if grade_id(cell) and not is_answer(cell) and cell["cell_type"] == "code"
    ]
    for n in range(dice.randint(1, 4)):
        new = dice.choice(
            [
                plain(f"print({n})"),
                plain("# notes", "markdown"),
                plain(""),
                *map(plain, tests[:1]),
                plain(f"scratch_{n} = {n}"),
            ]
        )
        cells.insert(dice.randint(0, len(cells)), new)


def lie(cells: Cells, dice: random.Random, _: Released) -> None:
    for n in of(cells):
        lies = {
            "points": 1000,
            "grade": dice.random() < 0.5,
            "locked": dice.random() < 0.5,
            "schema_version": dice.randint(0, 99),
            "task": True,
        }
        cells[n]["metadata"]["nbgrader"].update(dict(dice.sample(sorted(lies.items()), 2)))


def line_ends(cells: Cells, dice: random.Random, _: Released) -> None:
    for cell in cells:
        cell["source"] = dice.choice(
            [cell["source"].replace("\n", "\r\n"), cell["source"] + "\n\n", cell["source"]]
        )


DAMAGES: dict[str, Callable[[Cells, random.Random, Released], None]] = {
    one.__name__: one
    for one in (
        delete,
        delete_free,
        empty,
        change_test,
        duplicate,
        duplicate_stub,
        split,
        merge_answers,
        merge_with_neighbour,
        reorder,
        shuffle,
        retype,
        strip_some,
        strip_all,
        strip_all_and_ids,
        rename_ids,
        swap_ids,
        take_id,
        answer_elsewhere,
        text_elsewhere,
        answer_in_test,
        add,
        lie,
        line_ends,
    )
}


def format_3(notebook: dict[str, Any]) -> bytes:
    cells = [
        {**cell, "input": cell["source"]} if cell["cell_type"] == "code" else cell
        for cell in notebook["cells"]
    ]
    cells = [
        {
            name: value
            for name, value in cell.items()
            if cell["cell_type"] != "code" or name != "source"
        }
        for cell in cells
    ]
    return json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}).encode()


FORMS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "json": lambda notebook: json.dumps(notebook).encode(),
    "utf_16": lambda notebook: json.dumps(notebook, ensure_ascii=False).encode("utf-16"),
    "with_mark": lambda notebook: json.dumps(notebook, ensure_ascii=False).encode("utf-8-sig"),
    "format_3": format_3,
    "commas": lambda notebook: json.dumps(notebook, indent=1).replace("\n }", ",\n }").encode(),
}


def damaged(
    notebook: dict[str, Any], released: Released, seed: int, most: int = 3
) -> tuple[bytes, list[str]]:
    """Return a notebook's bytes after one to `most` damages, and their names."""
    dice = random.Random(seed)
    cells = copy.deepcopy(notebook["cells"])
    for cell in cells:
        cell["free"] = not grade_id(cell)
    names = [
        list(DAMAGES)[seed % len(DAMAGES)],
        *dice.sample(list(DAMAGES), dice.randint(0, most - 1)),
    ]
    for name in sorted(
        names, key="split".__eq__
    ):  # halves that other cells have come between are no whole answer
        DAMAGES[name](cells, dice, released)
    for cell in cells:
        cell.pop("free", None)
        cell.pop("holds", None)
    form = dice.choice(list(FORMS)) if dice.random() < 0.3 else "json"
    return FORMS[form]({**notebook, "cells": cells}), [*names, form]
