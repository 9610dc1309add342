"""What an executed notebook of an earlier run says of its grading."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nbreferee.engine.box_runner import CellResult
from nbreferee.verdicts import NotebookResult, read_verdict


@dataclass(frozen=True)
class EarlierResult:
    """What an executed notebook says of its grading."""

    fingerprint: str
    submission: str  # '' in notebooks of earlier versions
    result: NotebookResult  # its verdicts and repairs

    def is_of(self, submission: str | None) -> bool:
        """Tell whether this is, as far as is known, of what the student has handed in now; None:
        nothing.
        """
        return submission is not None and self.submission in ("", submission)


def read_metadata(notebook: bytes) -> EarlierResult | None:
    """Return what an executed notebook says of its grading; None if it says nothing."""
    try:
        found = json.loads(notebook)["metadata"]["nbreferee"]
        cells = tuple(map(read_verdict, found["cells"]))
        submission = str(found.get("submission", ""))
        result = NotebookResult("graded", cells=cells, repairs=tuple(found["repairs"]))
        return EarlierResult(found["fingerprint"], submission, result)
    except (ValueError, KeyError, TypeError):
        return None


def what_to_keep(keys: Sequence[str], came: Sequence[CellResult]) -> dict[str, Any]:
    """Return what an executed notebook holds for `read_results`."""
    after = {
        str(number): [list(pair) for pair in one.replaceable]
        for number, one in enumerate(came)
        if one.replaceable
    }
    return {"keys": list(keys), "after": after}


def read_results(
    notebook: bytes, keys: Sequence[str], roles: Sequence[str]
) -> dict[int, CellResult]:
    """Return the results that an executed notebook has of cells with these keys, by their place
    among them; nothing where it says nothing of keys.
    """
    try:
        executed = json.loads(notebook)
        kept = executed["metadata"]["nbreferee"]
        verdicts = {one["grade_id"]: read_verdict(one) for one in kept["cells"]}
        after = kept["regrading"]["after"]
        places = {key: number for number, key in enumerate(kept["regrading"]["keys"]) if key}
        found = {}
        for number, (key, role) in enumerate(zip(keys, roles, strict=True)):
            if not key or key not in places:
                continue
            cell = executed["cells"][places[key]]
            result = CellResult([_plain(output) for output in cell["outputs"]])
            if role == "test":
                result.verdict = verdicts[cell["metadata"]["nbgrader"]["grade_id"]]
                pairs = after.get(str(places[key]), ())
                result.replaceable = tuple((str(name), int(one)) for name, one in pairs)
            found[number] = result
        return found
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return {}


def _plain(output: dict[str, Any]) -> dict[str, Any]:
    """Return an output with its text in one piece, as results have it."""

    def joined(value: Any) -> Any:
        return "".join(value) if isinstance(value, list) else value

    plain = dict(output)
    if "text" in plain:
        plain["text"] = joined(plain["text"])
    if "data" in plain:
        plain["data"] = {
            kind: value if kind.endswith("json") else joined(value)
            for kind, value in plain["data"].items()
        }
    return plain
