"""Follow-through: a step that is right counts, even if an earlier answer that it uses is wrong.

A test cell that has lost points is judged again at once, in the same box. In the place of each
answer that the answer under test needs, and that has lost points in a cell of its own, stands the
solution's function, which the tester answers (see `reference_answers` and `stand_ins`). The better
result counts. What the cell reads itself is never replaced.

Results of references may stay in the box, whatever a student does with them. So where an answer
comes under test for which a reference has answered before, a new box is used.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nbreferee.course.ownership import Plan, Step
from nbreferee.engine.box_runner import CellResult
from nbreferee.engine.wire.to_tester import Answer


@dataclass(frozen=True)
class Follow:
    """How follow-through is done for one notebook."""

    skipped: Collection[int] = ()  # test cells that are not judged in two processes
    scores: Mapping[int, float] = field(
        default_factory=dict
    )  # of those of them that are judged in one
    unwritten: Collection[int] = ()  # answer cells that are as released


class FollowThrough:
    """Which answers of a submission have lost points so far."""

    def __init__(self, plan: Plan, follow: Follow) -> None:
        self._known = {(one.name, one.cell) for one in plan.references}
        self._follow = follow
        self._lost: set[Answer] = set()
        self.answered: set[str] = (
            set()
        )  # names for which references have answered in the present box

    def note(self, step: Step, came: CellResult) -> None:
        """Note the result of a test cell."""
        score = (
            self._follow.scores.get(step.index)
            if step.index in self._follow.skipped
            else came.score
        )
        if score is not None and score < step.points:
            self._lost |= self._known & set(step.judges)

    def replaceable(self, step: Step) -> list[Answer]:
        """Return the answers in whose place references may stand if a test cell is judged again."""
        if step.index in self._follow.skipped or not step.under_test:
            return []
        return [
            one
            for one in self._latest(step).items()
            if one in self._lost and one[0] not in step.under_test
        ]

    def _latest(self, step: Step) -> dict[str, int]:
        """Return the cell in which each answer was bound last before a test cell."""
        return {name: cell for name, cell in sorted(self._known) if cell < step.index}

    def needs_new_box(self, step: Step) -> bool:
        """Tell whether the present box may hold results of references for what a test cell
        judges.
        """
        return bool(self.answered & set(step.under_test))

    def better(
        self, step: Step, first: CellResult, second: CellResult, names: Sequence[str]
    ) -> CellResult:
        """Return the result that counts: of the cell as it is, or with references in the place of
        the answers `names`.
        """
        if not names or second.score < first.score or second.status == "grader_failed":
            return first
        latest = self._latest(step)
        missing = [name for name in names if latest[name] in self._follow.unwritten]
        wrong, right = _in_words([name for name in names if name not in missing], missing)
        if second.score == first.score and (why := _why_unsure(first, second)):
            hint = f"{wrong}; whether this is right with {right} could not be found out: {why}."
            return _with_message(first, hint, f"{hint} {first.message}".strip())
        if second.score >= step.points:
            said = f"{wrong}; with {right} this is right."
            return _with_message(second, said, said, names)
        gets = (
            f"gets {second.score:g} of {step.points:g} points, and what still fails is this"
            if second.score > first.score
            else "still fails"
        )
        said = f"{wrong}; with {right} this {gets}:"
        limits = tuple(dict.fromkeys((*first.evidence.limits, *second.evidence.limits)))
        second = replace(second, evidence=replace(second.evidence, limits=limits))
        return _with_message(second, said, f"{said} {second.message}".strip(), names)


def _with_message(
    result: CellResult, line: str, message: str, names: Sequence[str] = ()
) -> CellResult:
    """Return a result with another message, and a line of it before its outputs.

    It counts with references in the place of the answers `names`.
    """
    assert result.verdict is not None, "only a test follows through"
    verdict = replace(result.verdict, message=message, follow_through=tuple(names))
    return replace(result, verdict=verdict, outputs=[_line(line), *result.outputs])


def _why_unsure(first: CellResult, second: CellResult) -> str:
    """Return why the second judgement came to no result, where that was no fault of the answer."""
    if second.status == "timeout":
        return "it takes too long"
    known = first.evidence.limits
    return next((reason for reason in second.evidence.limits if reason not in known), "")


def _in_words(wrong: Sequence[str], missing: Sequence[str]) -> tuple[str, str]:
    """Return what to say of answers that are wrong or missing, and what to call right ones."""
    said = [
        f"{_joined(names)} {'is' if len(names) == 1 else 'are'} {what}"
        for names, what in ((wrong, "wrong"), (missing, "not written yet"))
        if names
    ]
    return f"Your {' and '.join(said)}", "a right one" if len(wrong) + len(
        missing
    ) == 1 else "right ones"


def _joined(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1])] * (len(names) > 1) + [names[-1]])


def _line(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": f"{text}\n"}
