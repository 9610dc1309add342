"""nbreferee verify, run as a command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

NBREFEREE = Path(sys.executable).with_name("nbreferee")


def run_verify(
    course: Path, *arguments: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, dict[str, Any]]]:
    """Run the command in a course; return the process and what it says by notebook."""
    out = course / "verified.json"
    ran = subprocess.run(
        [NBREFEREE, "verify", *arguments, "--json", out], cwd=course, capture_output=True, text=True
    )
    return ran, {
        one["notebook"]: one for one in json.loads(out.read_text())
    } if out.exists() else {}


def reasons(verified: dict[str, Any]) -> str:
    return "\n".join(finding["reason"] for finding in verified["findings"])
