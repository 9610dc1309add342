"""What verdicts depend on besides the course and the submission: versions of packages, and the code
of this grader.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nbreferee import __version__

# Those that change what a cell shows or computes, where they are installed.
PACKAGES = ("numpy", "ipython", "matplotlib", "nbgrader", "pandas", "scipy", "sympy")
CODE = "the code of nbreferee"


@cache
def identity() -> tuple[tuple[str, str], ...]:
    """Return names and versions, found once a process."""
    found = {
        "nbreferee": __version__,
        "Python": platform.python_version(),
        CODE: _code_digest(Path(__file__).parent),
    }
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return tuple(found.items())


def difference(theirs: Mapping[str, str], ours: Mapping[str, str]) -> str:
    """Return the first thing in which another grader differs, in words: what it has, and what is
    here; nothing where all is the same.
    """
    for name in [*ours, *theirs]:
        there, here = theirs.get(name), ours.get(name)
        if there == here:
            continue
        if name == CODE:
            return f"another state of {CODE}"
        return (
            f"{name} {there}, and not {here}"
            if there and here
            else f"no {name}"
            if here
            else f"{name}, which is not here"
        )
    return ""


def _code_digest(package: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        if "__pycache__" not in path.parts and path.is_file():
            data = path.read_bytes()
            digest.update(f"{path.relative_to(package).as_posix()} {len(data)} ".encode() + data)
    return digest.hexdigest()
