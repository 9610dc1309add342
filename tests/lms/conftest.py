"""A course that everybody here starts from."""

from __future__ import annotations

from pathlib import Path

import pytest
from lms_classes import copy_of, make_course


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course that has been released, and that nobody has handed in to: make a copy of it."""
    return make_course(tmp_path_factory.mktemp("lms") / "course")


@pytest.fixture
def course(released: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return copy_of(released, tmp_path / "course")
