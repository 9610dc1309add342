"""Write release/README.md, what students read first: python scripts/release_readme.py [COURSE]

All of it comes from the released notebooks: their first cells, points and lengths.
"""

from __future__ import annotations

import sys
from pathlib import Path

from course_notebooks import (
    CODE_LINES_A_MINUTE,
    WORDS_A_MINUTE,
    CourseNotebook,
    LayoutError,
    in_order,
    read_course,
)

PAGE = """# Gradients, in {count} notebooks

{intro}

| | notebook | it comes after | points | minutes to read | minutes for the exercises |
|--:|:--|:--|--:|--:|--:|
{rows}
| | **together** | | **{points:g}** | **{reading}** | **{exercises}** |

Take them in this order; one with a dash in the first column fits in at any time. The minutes to read follow from the length of text, formulas
and code ({words} words or {lines} lines of code a minute). The minutes for the exercises are the authors' estimates.

## What you need to know before

{needs}

## What is allowed

{allowed}

## How the exercises work

- A task gives definitions and shapes, and asks for the rest. Derive it on paper first. Two hints are folded below each derivative: open them one at a time.
- Below your function is a cell to try it. `check_gradient` compares your derivative with finite differences: you know whether it is right before you hand in.
- The tests of a function stand below that: first an example by hand that you can read, then tests that are hidden.
  A hidden test that you fail tells you the mistake where it recognises one.
- Two things cost nothing, and a note tells you: that a function does not take lists, integers or float32; that it returns a list, or an axis of length 1 too many.
  An argument that comes back changed costs points.
- A person reads {by_person:g} of the {points:g} points. The task says what is marked.
- `gradcheck.py`, the folder `gradtests` and the other files beside a notebook belong to it: leave them in its folder.

## How to hand in

{hand_in}
"""


def release_readme(notebooks: list[CourseNotebook]) -> str:
    """Return the page.

    Raises
    ------
    LayoutError
        if a notebook does not say what the page needs.
    """
    ordered = in_order(notebooks)
    headers = [one.header for one in ordered]
    return PAGE.format(
        count=len(ordered),
        intro="Each notebook explains a part of the gradients behind neural networks, and asks you "
        "to derive and program them with NumPy.",
        rows="\n".join(_rows(ordered)),
        points=sum(one.points for one in ordered),
        by_person=sum(one.points_by_person for one in ordered),
        reading=sum(one.reading_minutes for one in headers),
        exercises=sum(one.exercise_minutes for one in headers),
        words=WORDS_A_MINUTE,
        lines=CODE_LINES_A_MINUTE,
        needs="\n".join(f"- `{one.name}`: {one.header.needs}." for one in ordered),
        allowed=_alike(ordered, [f"Allowed are {one.allowed}" for one in headers]),
        hand_in=_alike(
            ordered,
            [f"Hand in {one.hand_in.replace('this file', 'each notebook')}" for one in headers],
        ),
    )


def _rows(ordered: list[CourseNotebook]) -> list[str]:
    number, rows = 0, []
    for one in ordered:
        others = [two for two in ordered if two is not one]
        stands_alone = not any(
            two.name in one.header.after or one.name in two.header.after for two in others
        )
        number += not stands_alone
        link = f"[{one.title}]({one.path.parent.name}/{one.path.name})"
        cells = [
            "–" if stands_alone else str(number),
            link,
            one.header.after.replace("`", ""),
            f"{one.points:g}",
        ]
        rows.append(
            "| "
            + " | ".join(
                [*cells, str(one.header.reading_minutes), str(one.header.exercise_minutes)]
            )
            + " |"
        )
    return rows


def _alike(ordered: list[CourseNotebook], sentences: list[str]) -> str:
    """Return one sentence where all notebooks say the same, else one for each."""
    if len(set(sentences)) == 1:
        return f"{sentences[0]}."
    return "\n".join(
        f"- `{one.name}`: {sentence}." for one, sentence in zip(ordered, sentences, strict=True)
    )


if __name__ == "__main__":
    release = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent) / "release"
    try:
        (release / "README.md").write_text(release_readme(read_course(release)))
    except LayoutError as error:
        sys.exit(str(error))
