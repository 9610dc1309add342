"""Messages are taken apart into tables and sentences, and no word of them is lost."""

from __future__ import annotations

import re

import pytest

from nbreferee.pages.message import Message, read_message
from nbreferee.pages.record import ONE_PROCESS, Judged, read_record

MESSAGES = {
    (
        "softmax, called with z = [ 1000. 0.], W (3, 2): entry [0] is nan, expected finite "
        "numbers.\nLikely cause: Shift first."
    ): Message(
        (),
        "Shift first.",
        "softmax",
        (("z", "[ 1000. 0.]"), ("W", "array of shape (3, 2)")),
        (("Where", "entry [0]"), ("Your function gives", "nan"), ("Expected", "finite numbers")),
    ),
    "f, called with s = list: dE/db has shape (3, 2), expected (2,).": Message(
        (),
        "",
        "f",
        (("s", "a list"),),
        (("Where", "dE/db"), ("Your function gives", "shape (3, 2)"), ("Expected", "shape (2,)")),
    ),
    "f, called with x = 1: raised ValueError: no.": Message(
        ("It raised ValueError: no.",), "", "f", (("x", "1"),)
    ),
    "You add, called with nothing.": Message(("You add, called with nothing.",)),
    "Two lines:\n  got 1": Message(("Two lines:", "  got 1")),
    "no\nLikely cause: You add.\nAnd more.": Message(("no", "And more."), "You add."),
    "": Message(),
}


@pytest.mark.parametrize("text", MESSAGES)
def test_message_is_taken_apart(text: str) -> None:
    assert read_message(text) == MESSAGES[text]


@pytest.mark.parametrize("text", MESSAGES)
def test_no_number_of_a_message_is_lost(text: str) -> None:
    read = repr(read_message(text))
    assert [word for word in re.findall(r"[\d.]*\d", text) if word not in read] == []


def test_record_tells_of_a_test_that_ran_together_with_the_answer() -> None:
    verdict = {"status": "failed", "score": 0.0, "max_score": 1.0, "message": "no"}
    cells = [
        {"grade_id": "a", **verdict, "in_one_process": True},
        {"grade_id": "b", **verdict},
        {"grade_id": "c"},
        "no verdict",
    ]
    assert read_record({"cells": cells}) == {"a": Judged("no", (ONE_PROCESS,)), "b": Judged("no")}
