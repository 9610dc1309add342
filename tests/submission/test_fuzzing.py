"""A short fuzz of everything that reads untrusted bytes: the corpus, and seeded mutations of it;
see fuzzing.py for a long one.
"""

from __future__ import annotations

import random

import pytest
from fuzzing import CORPUS, TARGETS, mutated

MUTATIONS = {"codec": 20_000, "reading": 400, "matching": 400}


@pytest.mark.parametrize("target", TARGETS)
def test_corpus_and_mutations_of_it_raise_nothing(target: str) -> None:
    samples = [path.read_bytes() for path in sorted((CORPUS / target).iterdir())]
    assert len(samples) >= 10
    for data in samples:
        TARGETS[target](data)
    dice = random.Random(1)
    for _ in range(MUTATIONS[target]):
        data = mutated(samples, dice)
        try:
            TARGETS[target](data)
        except Exception as error:
            raise AssertionError(f"{target} raises {error!r} for {data!r}") from error
