"""Grade nbgrader courses: grade one notebook or a class, and verify a course's tests.

`nbreferee.api` documents what this package offers; the commands are in `nbreferee.cli`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbreferee.api import (
        CellGrade,
        Error,
        Finding,
        NotebookGrade,
        grade_course,
        grade_notebook,
        verify_course,
    )

__version__ = "0.1.0"
__all__ = [
    "CellGrade",
    "Error",
    "Finding",
    "NotebookGrade",
    "grade_course",
    "grade_notebook",
    "verify_course",
]


def __getattr__(name: str) -> object:
    """Load what is used: a command that needs nothing of it starts faster."""
    if name in __all__:
        from nbreferee import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
