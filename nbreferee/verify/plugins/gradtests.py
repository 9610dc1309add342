"""What `verify` knows of `gradtests`. The tester runs this file, and then one of its functions."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any


def start() -> None:
    """Have `check` look for no cause: it takes long, and only the score counts."""
    package: Any = __import__("gradtests.checks")
    original, causes = package.check, package.checks
    own = {name: getattr(causes, name) for name in ("likely_cause", "plain_pattern")}

    def check(
        student: Any, reference: Any, cases: Any, mistakes: Any = None, **options: Any
    ) -> None:
        if not package.check.tries_mistakes:
            original(student, reference, cases, mistakes, **options)
            return
        vars(causes).update(own)
        cases = list(cases)
        for sentence, mistake in (mistakes or {}).items():
            told = ""
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    original(mistake, reference, cases, mistakes, **options)
            except AssertionError as error:
                told = str(error).partition("\nLikely cause: ")[2] or "no cause at all"
            except Exception as error:
                told = f"{type(error).__name__}: {error}"
            sys.stdout.write(f"nbreferee mistake {json.dumps([sentence, told])}\n")

    check.tries_mistakes = False  # type: ignore[attr-defined]  # a function may have any
    package.check = check
    vars(causes).update(dict.fromkeys(own, lambda *_: ""))


def try_mistakes() -> None:
    """Have `check` try each mistake in the place of the student's function."""
    sys.modules["gradtests"].check.tries_mistakes = True
