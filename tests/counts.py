"""Write what `nbreferee verify --json` found into docs/verify.md: python tests/counts.py
verified.json
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent / "docs/verify.md"
BLOCK = re.compile(r"(<!-- counts.*?-->\n).*?(<!-- end of counts -->)", re.DOTALL)


def counts(verified: Iterable[dict[str, Any]]) -> str:
    """Return the table of counts, from what `verify` wrote."""
    rows = [
        (
            "| notebook | functions | mutants caught | equivalent | mistakes told | alternatives "
            "kept |"
        ),
        "|---|--:|--:|--:|--:|--:|",
    ]
    total = [0, 0, 0, 0, 0]
    for one in verified:
        exercises = one["exercises"]
        sums = [
            sum(e[kind]["good"] for e in exercises)
            for kind in ("mutants", "mistakes", "alternatives")
        ]
        row = [len(exercises), sums[0], sum(e["equivalent"] for e in exercises), *sums[1:]]
        total = [a + b for a, b in zip(total, row, strict=True)]
        rows.append(f"| {one['notebook']} | " + " | ".join(map(str, row)) + " |")
    rows.append("| **together** | " + " | ".join(f"**{n}**" for n in total) + " |")
    return "\n".join(rows) + "\n"


def with_counts(page: str, verified: Iterable[dict[str, Any]]) -> str:
    """Return the page with its table of counts made anew."""
    return BLOCK.sub(lambda match: match[1] + "\n" + counts(verified) + "\n" + match[2], page)


if __name__ == "__main__":
    PAGE.write_text(with_counts(PAGE.read_text(), json.loads(Path(sys.argv[1]).read_text())))
