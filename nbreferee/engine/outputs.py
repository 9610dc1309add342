"""Outputs of cells as nbformat has them, from what an untrusted process sends."""

from __future__ import annotations

from typing import Any

TEXT_FIELDS = {
    "stream": ("name", "text"),
    "error": ("ename", "evalue"),
    "display_data": (),
    "execute_result": (),
}


def error_of(kind: str, text: str) -> dict[str, Any]:
    """Return an error as nbformat has it."""
    return {"output_type": "error", "ename": kind, "evalue": text, "traceback": [f"{kind}: {text}"]}


def clean_outputs(shown: list[Any], count: int) -> list[dict[str, Any]]:
    """Return those outputs that nbformat allows, without anything that it does not allow."""
    clean = []
    for output in shown:
        kind = output.get("output_type") if type(output) is dict else None
        if (
            type(kind) is not str
            or kind not in TEXT_FIELDS
            or not all(type(output.get(name)) is str for name in TEXT_FIELDS[kind])
        ):
            continue
        new: dict[str, Any] = {
            "output_type": kind,
            **{name: output[name] for name in TEXT_FIELDS[kind]},
        }
        if kind == "stream":
            new["name"] = "stderr" if new["name"] == "stderr" else "stdout"
        elif kind == "error":
            lines = output.get("traceback")
            new["traceback"] = (
                [line for line in lines if type(line) is str] if type(lines) is list else []
            )
        else:
            new["data"], new["metadata"] = _json(output.get("data")), _json(output.get("metadata"))
            if kind == "execute_result":
                new["execution_count"] = count
        clean.append(new)
    return clean


def _json(value: Any) -> dict[str, Any]:
    """Return a dictionary of text to JSON; anything else is left out."""

    def is_json(one: Any) -> bool:
        if type(one) is list:
            return all(map(is_json, one))
        if type(one) is dict:
            return all(type(key) is str and is_json(item) for key, item in one.items())
        if type(one) is int:
            return abs(one) < 1 << 63
        return (
            one is None
            or type(one) in (str, bool)
            or (type(one) is float and one == one and abs(one) != float("inf"))
        )

    return (
        {key: item for key, item in value.items() if type(key) is str and is_json(item)}
        if type(value) is dict
        else {}
    )
