"""Our own course under `nbreferee verify`: nothing to mend, and the README says what was
counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from counts import PAGE, with_counts
from notebooks import COURSE


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    out = tmp_path_factory.mktemp("verify") / "verified.json"
    nbreferee = Path(sys.executable).with_name("nbreferee")
    ran = subprocess.run(
        [nbreferee, "verify", "--json", out], cwd=COURSE, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found: list[dict[str, Any]] = json.loads(out.read_text())
    return found


def test_verify_finds_nothing_to_mend(verified: list[dict[str, Any]]) -> None:
    assert [one["notebook"] for one in verified if one["findings"]] == []
    assert len(verified) == 5


def test_every_exercise_has_mutants_mistakes_and_an_alternative(
    verified: list[dict[str, Any]],
) -> None:
    bare = [
        exercise["name"]
        for one in verified
        for exercise in one["exercises"]
        if not all(
            exercise[kind]["tried"] for kind in ("lazy", "mutants", "mistakes", "alternatives")
        )
    ]
    assert bare == []


def test_page_on_verify_shows_these_counts(verified: list[dict[str, Any]]) -> None:
    assert PAGE.read_text() == with_counts(PAGE.read_text(), verified), "run: make counts"
