"""Settings that every test needs, before anything imports Matplotlib; and the fixtures that several
modules share. What makes them is imported where it is used.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

os.environ["MPLBACKEND"] = "agg"
os.environ["PATH"] = os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ["PATH"]]
)  # nbgrader calls alembic

collect_ignore = ["class"]  # answers, not tests

settings.register_profile(
    "no deadline", parent=settings(), deadline=None
)  # a busy machine is no fault
settings.load_profile("no deadline")


# The files that take longest, first: a worker that gets one of them last would let the other wait.
DEAREST = (
    "test_verify",
    "test_killed",
    "test_class",
    "test_documents",
    "test_course",
    "test_loop",
    "test_cluster",
    "test_again",
    "test_marking",
    "test_new",
    "test_attacks",
    "test_honest",
)


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes run tests: three on two cores, as tests wait a quarter of the
    time.
    """
    cores = len(os.sched_getaffinity(0))
    return cores + cores // 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the dearest files first; see `DEAREST`."""
    places = {name: place for place, name in enumerate(DEAREST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture(autouse=True, scope="module")
def path_and_folder_stay() -> Iterator[None]:
    """Give the next module the import path and the folder that this one had: a private folder on
    the path makes every sandbox of root another one.
    """
    path, folder = list(sys.path), os.getcwd()
    yield
    sys.path[:] = path
    os.chdir(folder)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add an option of test_loop.py."""
    parser.addoption("--screenshots", metavar="FOLDER", help="Keep a picture of every step there.")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, driven by Playwright."""
    from browser import CHROMIUM, chromium

    if not CHROMIUM:
        pytest.fail("Chromium is not installed, and CI must have it: see .ci/run")
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The class of `small_class`, of which some have been graded before."""
    from small_class import prepare

    course = tmp_path_factory.mktemp("prepared") / "course"
    prepare(course)
    return course


@pytest.fixture
def course(prepared: Path, tmp_path: Path) -> Path:
    """A copy of `prepared`."""
    return Path(shutil.copytree(prepared, tmp_path / "course"))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course of `tiny_class`, released, with nothing handed in."""
    from tiny_class import release

    course = tmp_path_factory.mktemp("tiny") / "course"
    release(course)
    return course


@pytest.fixture(scope="session")
def report_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The class of `report_course`, graded; for reading only."""
    from report_course import prepare

    course = tmp_path_factory.mktemp("report") / "course"
    prepare(course)
    return course
