"""The package's imports run one way, and its command line answers without loading heavy
packages.
"""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from notebooks import COURSE

import nbreferee

PACKAGE = COURSE / "nbreferee"

# A group of modules, and what none of them imports: what comes later on a submission's way.
COMMANDS = (
    "api",
    "authoring",
    "bench",
    "cli",
    "commands",
    "compare",
    "lms",
    "marking",
    "preprocessors",
    "report",
    "validate",
    "verify",
)
UPWARD = {
    "sandbox": ("course", "submission", "engine", "pages", "grading", *COMMANDS),
    "course": ("submission", "engine", "pages", "grading", *COMMANDS),
    "submission": ("engine", "pages", "grading", *COMMANDS),
    "engine": ("submission", "pages", "grading", *COMMANDS),
    "pages": ("engine", "grading", *COMMANDS),
    "grading": COMMANDS,
    "verify": ("api", "authoring", "bench", "cli", "commands", "compare", "lms", "marking"),
    "lms": ("engine", "cli", "commands", "marking", "report"),
    "marking": ("engine", "bench", "cli", "commands", "compare", "lms", "report", "verify"),
    "report": ("engine", "bench", "cli", "commands", "compare", "verify"),
    "commands": ("cli",),
}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("nbreferee"):
            base = node.module.removeprefix("nbreferee").lstrip(".")
            inner = {f"{base}.{alias.name}".lstrip(".") for alias in node.names}
            names |= (inner & NAMES) or {base} - {""}
    return names


NAMES = {name_of(path) for path in PACKAGE.rglob("*.py")} - {""}
MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py")) if name_of(path)}


IMPORTS = {name: imported(path) for name, path in MODULES.items()}


def test_imports_have_no_cycle() -> None:
    graphlib.TopologicalSorter(IMPORTS).prepare()  # raises where there is one


@pytest.mark.parametrize("group", UPWARD)
def test_imports_run_one_way(group: str) -> None:
    mine = {name: found for name, found in IMPORTS.items() if name.split(".")[0] == group}
    assert {
        (name, one)
        for name, found in mine.items()
        for one in found
        if one.split(".")[0] in UPWARD[group]
    } == set()


def test_command_line_loads_no_heavy_package() -> None:
    code = (
        "import sys, nbreferee.cli; print({'numpy', 'nbgrader', 'IPython', 'rich', 'nbformat'} & "
        "set(sys.modules))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "set()"


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("autograde",),
        ("comment",),
        ("doctor",),
        ("export",),
        ("feedback",),
        ("grade",),
        ("gradescope",),
        ("groups",),
        ("import",),
        ("mark",),
        ("report",),
        ("verify",),
    ],
)
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    nbreferee = Path(sys.executable).with_name("nbreferee")
    shown = subprocess.run(
        [nbreferee, *command, "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert "Usage: nbreferee" in shown
    assert len(shown.splitlines()) > 4


def test_lock_pins_every_package_with_hashes_and_names_no_host() -> None:
    lock = (COURSE / "requirements.lock").read_text()
    packages = re.split(r"^(?=[a-zA-Z0-9])", lock, flags=re.MULTILINE)[1:]
    assert len(packages) > 100
    assert [
        package for package in packages if "==" not in package or "--hash=sha256:" not in package
    ] == []
    assert "://" not in lock


LINES = 300  # of a module, at most
# Longer modules, and why each is in one piece. This list only becomes shorter.
LONGER = {
    "api": "the public functions and records, with their docstrings",
    "cli": "all commands and their options, and nothing else",
    "engine.box.process": "all requests that the process of the student answers",
    "engine.box.references": "two directions of one exchange",
    "engine.referee": "the order in which cells are run and judged",
    "engine.tester.box_client": "all that the tester asks of the box",
    "engine.tester.process": "all requests that the tester answers",
    "engine.tester.provenance": "one argument: whose text may become code",
    "engine.tester.proxies": "the special methods that a proxy passes on",
    "engine.tester.references": "two directions of one exchange",
    "engine.wire.known_types": "a table of the types that travel",
    "engine.zygote": "both warm processes and the forks that they make",
    "grading.assignment": "the way of an assignment through pool and gradebook",
    "grading.gradebook": "all that is written into nbgrader's gradebook",
    "grading.notebook": "the way of a notebook from its bytes to its verdicts",
    "marking.server": "all addresses of the marking pages",
    "verify.latex": "one parser of formulas",
}


def test_modules_are_short() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert {name: n for name, n in lengths.items() if n > LINES and name not in LONGER} == {}
    assert max(lengths.values()) <= 600


def test_one_version() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "nbreferee", "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=COURSE,
    ).stdout
    assert shown.split()[-1] == nbreferee.__version__
    assert f"version: {nbreferee.__version__}\n" in (COURSE / "CITATION.cff").read_text()
    assert f"## {nbreferee.__version__}" in (COURSE / "CHANGELOG.md").read_text()
