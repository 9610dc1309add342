"""Groups of wrong answers as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from nbreferee.marking.groups import RESULTS, ExerciseGroups, Group
from nbreferee.marking.notes import GroupComment
from nbreferee.pages.shown import plain
from nbreferee.submission.folder import shown

NAMES = 6  # of students in a group
CODE_LINES = 16
CODE_WIDTH = 110


def as_text(
    assignment: str, found: Sequence[ExerciseGroups], comments: Sequence[GroupComment]
) -> str:
    """Return the groups for a terminal."""
    blocks = []
    for one in found:
        if not one.groups:
            continue
        count = len(one.groups)
        title = f" ({one.exercise.title})" if one.exercise.title != one.exercise.name else ""
        blocks.append(
            f"{one.exercise.name}{title}: {one.wrong} of {one.handed_in} wrong, "
            f"in {count} group{'' if count == 1 else 's'}"
        )
        blocks += [_block(place, one, group, comments) for place, group in enumerate(one.groups, 1)]
    if not blocks:
        return f"{assignment}: nobody has a wrong answer."
    return "\n\n".join(blocks)


def _block(place: int, one: ExerciseGroups, group: Group, comments: Sequence[GroupComment]) -> str:
    names = [shown(student) for student in group.students[:NAMES]]
    others = len(group.answers) - len(names)
    more = f" and {others} more" if others else ""
    example = group.answers[0]
    label = " ".join(plain(group.label).split())
    lines = [
        f"  {place}. {group.id}, {len(group.answers)}: {', '.join(names)}{more}",
        f"     {'the same results' if group.kind == RESULTS else group.kind}: {label}",
        *(f"     comment: {text}" for text in texts_for(one, group, comments)),
        f"     for example {shown(example.student)}:",
    ]
    code = plain(example.code).rstrip().split("\n")
    lines += [f"       | {line[:CODE_WIDTH]}" for line in code[:CODE_LINES]]
    if len(code) > CODE_LINES:
        lines.append(f"       | … {len(code) - CODE_LINES} more lines")
    return "\n".join(lines)


def texts_for(one: ExerciseGroups, group: Group, comments: Sequence[GroupComment]) -> list[str]:
    """Return the comments on a group."""
    place = one.exercise.notebook, one.exercise.name
    return [
        each.text
        for each in comments
        if (each.notebook, each.exercise) == place and set(each.behaviours) & set(group.behaviours)
    ]


def as_json(one: ExerciseGroups, comments: Sequence[GroupComment]) -> dict[str, object]:
    """Return the groups of an exercise as `--json` writes them."""
    return {
        "notebook": one.exercise.notebook,
        "exercise": one.exercise.name,
        "title": one.exercise.title,
        "handed_in": one.handed_in,
        "wrong": one.wrong,
        "groups": [
            {
                "group": group.id,
                "size": len(group.answers),
                "kind": group.kind,
                "label": group.label,
                "students": group.students,
                "comments": texts_for(one, group, comments),
                "example": {
                    "student": group.answers[0].student,
                    "message": group.answers[0].message,
                    "answer": group.answers[0].code,
                },
            }
            for group in one.groups
        ],
    }
