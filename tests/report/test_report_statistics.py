"""Alike answers, mistakes and correlations of a report, on answers and numbers made for it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbreferee.report.alike import WINDOW, K, alike_pairs, fingerprints, tokens
from nbreferee.report.exercises import heading_of
from nbreferee.report.marks import CellKey
from nbreferee.report.mistakes import mistakes_of
from nbreferee.report.statistics import correlation

KEY = CellKey("one", "f")
NAMES = ("total", "count", "values", "rows", "cols", "left", "right", "step", "limit", "rate")
CALLS = ("np.sum", "np.dot", "len", "max", "sorted", "zip", "np.exp", "abs", "range", "np.outer")


def program(seed: int, lines: int = 12) -> str:
    """A function that nobody else writes."""
    rng = random.Random(seed)
    pick = rng.choice
    body = [
        f"    {pick(NAMES)} = {pick(CALLS)}({pick(NAMES)}) {pick('+-*/')} {pick(CALLS)}"
        f"({pick(NAMES)}, {rng.randrange(99)}) {pick('+-*/')} {rng.randrange(99)}"
        for _ in range(lines)
    ]
    return "\n".join(["def f(x):", *body, "    return x"])


def renamed(text: str) -> str:
    for name in NAMES:
        text = text.replace(name, f"{name}_of_mine")
    return "# my own work\n" + text.replace("\n", "  # so\n", 3)


def test_copy_with_other_names_and_comments_is_found_among_many() -> None:
    answers = {f"s{n}": program(n) for n in range(60)}
    answers["copy"] = renamed(program(7))
    (pair,) = alike_pairs({KEY: answers}, {})
    assert (pair.students, pair.how_sure) == (("copy", "s7"), "very likely")
    assert (pair.answers[0].is_same_code, pair.answers[0].is_same_text) == (True, False)


def test_what_was_released_and_what_many_wrote_is_no_likeness() -> None:
    answers = {f"s{n}": program(n % 3) + f"\n# {n}" for n in range(60)}
    assert alike_pairs({KEY: answers}, {}) == []
    answers = {f"s{n}": program(n) for n in range(20)} | {"a": program(99), "b": program(99)}
    assert [pair.students for pair in alike_pairs({KEY: answers}, {})] == [("a", "b")]
    assert alike_pairs({KEY: answers}, {KEY: program(99)}) == []


def test_copied_half_of_an_answer_is_found_and_a_line_is_not() -> None:
    other = program(1, 30).splitlines()
    answers = {f"s{n}": program(n, 30) for n in range(20)}
    half = "\n".join([*other[:22], *program(50, 10).splitlines()[1:]])
    line = "\n".join([*program(51, 30).splitlines()[:-1], *other[3:5]])
    pairs = alike_pairs({KEY: {**answers, "half": half, "line": line}}, {})
    assert [pair.students for pair in pairs] == [("half", "s1")]


@given(st.lists(st.sampled_from([*NAMES, *CALLS, "(", ")", "+", "\n"]), max_size=80), st.integers(0, 20))  # fmt: skip
def test_a_shared_run_of_tokens_shares_a_fingerprint(words: list[str], before: int) -> None:
    text = " ".join(words)
    prints = fingerprints({"a": text, "b": "y = 1\n" * before + text}, is_code=True)
    if len(tokens(text, True)) >= K + WINDOW + 1:  # a token at its ends may read otherwise
        assert prints["a"] & prints["b"]


def test_short_answers_have_no_fingerprints_of_others() -> None:
    found = fingerprints({"a": "x", "b": "", "c": program(1), "d": "y = 1"}, is_code=True)
    assert {name for name, numbers in found.items() if numbers} == {"c"}
    assert found["c"] == fingerprints({"c": program(1)}, is_code=True)["c"]


def test_mistakes_that_differ_in_numbers_alone_are_one() -> None:
    found = mistakes_of({"a": "too large by 1.5", "b": "too large by 2e-3", "c": "You add."})
    assert [(one.text, one.students) for one in found] == [
        ("too large by …", ("a", "b")),
        ("You add.", ("c",)),
    ]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(0, 4), (1, 3), (2, 2), (3, 1), (4, 0)], -1.0),
        ([(0, 1), (1, 2)], None),  # too few
        ([(1, n) for n in range(9)], None),  # all the same
    ],
)
def test_correlation(pairs: list[tuple[int, int]], expected: float | None) -> None:
    assert correlation(pairs) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# One\n\ntext\n\n## Two ##\nmore", "Two"),
        ("```\n# no\n```", ""),
        ("~~~\n# no\n```\n# no\n~~~\n# yes", "yes"),
        ("#hashtag", ""),
        ("<h2>In <b>HTML</b></h2>", "In <b>HTML</b>"),
    ],
)
def test_headings_of_a_text(text: str, expected: str) -> None:
    assert heading_of(text) == expected
