"""What Gradescope shows of a graded submission: results.json, in its documented fields.

Source: gradescope/autograder_samples, docs/specs.md. The top-level score is always given, so a test
that a person has yet to grade needs none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbreferee.grading.outcome import NotebookOutcome
from nbreferee.verdicts import CellVerdict

VISIBILITIES = ("visible", "hidden", "after_due_date", "after_published")
OUTPUT_CHARACTERS = 10_000  # of one test, and of the whole
NO_RESPONSE = "This could not be graded automatically. A person will look at it."


@dataclass(frozen=True)
class Exercise:
    """A graded cell of the assignment."""

    notebook: str
    grade_id: str
    points: float
    by_hand: bool


@dataclass(frozen=True)
class Visibility:
    """What students see, as the instructor sets it."""

    default: str = "visible"
    by_grade_id: Mapping[str, str] = field(default_factory=dict)

    def of(self, grade_id: str) -> str:
        """Return the visibility of one exercise."""
        return self.by_grade_id.get(grade_id, self.default)


def results(
    outcomes: Sequence[NotebookOutcome],
    exercises: Sequence[Exercise],
    handed_in: Sequence[str],
    shown: Visibility,
    wall_s: float,
    stamp: str,
) -> dict[str, Any]:
    """Return results.json for one submission."""
    by_notebook = {one.notebook: one for one in outcomes}
    names = list(dict.fromkeys(one.notebook for one in exercises))
    tests, score = [], 0.0
    for exercise in exercises:
        outcome = by_notebook[exercise.notebook]
        verdict = next((cell for cell in outcome.cells if cell.grade_id == exercise.grade_id), None)
        test = _test(exercise, outcome, verdict, shown)
        score += test.get("score", 0.0)
        siblings = [one for one in exercises if one.notebook == exercise.notebook]
        test["number"] = f"{names.index(exercise.notebook) + 1}.{siblings.index(exercise) + 1}"
        if len(names) > 1:
            test["name"] = f"{exercise.notebook}: {exercise.grade_id}"
        tests.append(test)
    return {
        "score": score,
        "execution_time": round(wall_s, 3),
        "output": _cut(_summary(outcomes, exercises, handed_in, stamp)),
        "output_format": "md",
        "test_output_format": "md",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def _test(
    exercise: Exercise, outcome: NotebookOutcome, verdict: CellVerdict | None, shown: Visibility
) -> dict[str, Any]:
    """Return one entry of `tests`."""
    test: dict[str, Any] = {
        "name": exercise.grade_id,
        "max_score": exercise.points,
        "visibility": shown.of(exercise.grade_id),
    }
    if outcome.status == "missing":
        return {
            **test,
            "score": 0.0,
            "status": "failed",
            "output": f"There is no {code(exercise.notebook + '.ipynb')} in what you handed in.",
        }
    if outcome.status == "unreadable":
        return {
            **test,
            "score": 0.0,
            "status": "failed",
            "output": f"{code(exercise.notebook + '.ipynb')} cannot be read: {_reason(outcome)}",
        }
    if verdict is None or verdict.is_left_to_a_person:
        by_hand = (
            f"A person grades this answer, for {exercise.points:g} points."
            if exercise.by_hand
            else NO_RESPONSE
        )
        return {**test, "output": by_hand}
    passed = verdict.status == "passed"
    return {
        **test,
        "score": verdict.score,
        "status": "passed" if passed else "failed",
        "output": _cut(message(verdict.message)) if verdict.message else "",
    }


def _reason(outcome: NotebookOutcome) -> str:
    """Return why a notebook cannot be read; what follows that in a message is for the
    instructor.
    """
    return plain(f"{outcome.message.partition('. ')[0].rstrip('.')}.")


def message(text: str) -> str:
    """Return a verdict's message as Markdown: the error as it is, the tutor's sentence as text
    below.
    """
    error, cause, sentence = text.partition("Likely cause:")
    parts = [block(error.strip())] if error.strip() else []
    parts += [f"**Likely cause:** {plain(sentence.strip())}"] if cause else []
    return "\n\n".join(parts)


def block(text: str) -> str:
    """Return text as a block of code that nothing in the text can end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text[: OUTPUT_CHARACTERS - 2000]}\n{fence}"


def code(text: str) -> str:
    """Return text as code within a line."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)[:200].replace(
        "`", "'"
    )
    return f"`{shown}`"


def plain(text: str) -> str:
    """Return text in which Markdown and HTML mean nothing."""
    return re.sub(r"([\\`*_{}\[\]<>()#+\-.!|~$&])", r"\\\1", " ".join(text.split()))


def _summary(
    outcomes: Sequence[NotebookOutcome],
    exercises: Sequence[Exercise],
    handed_in: Sequence[str],
    stamp: str,
) -> str:
    lines = [f"**Graded without a sandbox:** {plain(stamp)}"] if stamp else []
    for outcome in outcomes:
        name = code(f"{outcome.notebook}.ipynb")
        if outcome.status == "missing":
            others = ", ".join(code(path) for path in handed_in[:20]) or "nothing"
            lines.append(
                f"There is no {name} in what you handed in, which is: {others}. Rename your "
                f"notebook to {name}, and hand it in again."
            )
            if not outcome.message.startswith("not handed in"):
                lines.append(plain(outcome.message))
        elif outcome.status == "unreadable":
            lines.append(
                f"{name} cannot be read: {_reason(outcome)} Save it again in Jupyter, and hand it "
                "in again."
            )
        lines += [f"{name}: {plain(repair)}." for repair in outcome.repairs]
    lines += dict.fromkeys(f"{plain(note)}." for outcome in outcomes for note in outcome.notes)
    left = sum(one.points for one in exercises if one.by_hand)
    if left:
        lines.append(f"A person grades the other {left:g} points.")
    return "\n\n".join(lines)


def _cut(text: str) -> str:
    return (
        text if len(text) <= OUTPUT_CHARACTERS else f"{text[:OUTPUT_CHARACTERS]}\n\n(cut off here)"
    )
