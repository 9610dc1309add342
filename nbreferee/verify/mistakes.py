"""The mistakes that tests name: a student who makes one has to be told its own sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbreferee.verify.plugins import told_mistakes
from nbreferee.verify.subject import Subject
from nbreferee.verify.trial import Trial, TrialResult

WORD = "mistakes"  # in a test that names some
LIMIT_S = 600.0  # for all mistakes of one cell


class Mistakes:
    """The mistakes that the tests of a notebook name."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._cells = subject.plugged.try_mistakes
        self._tests = [test for test in subject.master.tests if self._cells and WORD in test.source]

    def trials(self) -> list[Trial]:
        """Return what to run: each test alone, where the solution stands."""
        parts = {part.step: part for part in self._subject.solution}
        return [
            Trial(
                ("mistakes", test.index),
                [*self._cells, parts[test.index]],
                at=test.index,
                limit_s=LIMIT_S,
            )
            for test in self._tests
        ]

    def judge(self, results: Mapping[Any, TrialResult]) -> None:
        """Count the mistakes that are told by their own sentence, and find the others."""
        for test in self._tests:
            result = dict(results["mistakes", test.index].ran)[test.index]
            if result.score < test.points:
                self._subject.find(
                    test.label, f"its mistakes cannot be tried: {result.message}. Mend the test."
                )
            for sentence, heard in told_mistakes(result):
                good = heard in (sentence, f"{sentence}.")
                if test.index in self._subject.owners:
                    owner = self._subject.owners[test.index]
                    self._subject.exercises[owner].mistakes.count(good)
                if not good:
                    instead = (
                        f"the student hears {heard!r}"
                        if heard
                        else "the check lets it pass: add a case that shows it"
                    )
                    self._subject.find(
                        test.label, f"the mistake {sentence!r} is not told: {instead}."
                    )
