"""The message of a test, taken apart: what the test did, got and expected, and apart from it the
tutor's sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CAUSE = "Likely cause:"
_FOLLOWED = re.compile(r"Your [^;\n]+; .*with (?:a right one|right ones) [^\n]+[.:]")
_CALL = re.compile(
    r"(?P<name>[\w.]+), called (?P<form>[^:;]*?)with (?P<arguments>.*?): (?P<rest>.*)", re.DOTALL
)
_ARGUMENT = re.compile(r"(?:^|, )(?P<name>[A-Za-z_]\w*)(?: = | (?:of shape )?(?=\())")
_VALUES = re.compile(
    r"(?P<where>.*?(?:entry \[[^\]]*\]|the value)) is (?P<got>[^\s,]+), expected "
    r"(?P<expected>[^;:]+?)(?P<rest>[.;:](?:\s.*)?)?$",
    re.DOTALL,
)
_SHAPES = re.compile(
    r"(?P<where>.*?)has shape (?P<got>\([^)]*\)), expected "
    r"(?P<expected>\([^)]*\))(?P<rest>[.:;,].*)?$",
    re.DOTALL,
)


@dataclass(frozen=True)
class Message:
    """What a student reads of one test."""

    fault: tuple[str, ...] = ()  # sentences
    cause: str = ""  # what a tutor would say
    called: str = ""  # the function
    arguments: tuple[tuple[str, str], ...] = ()  # name and value
    values: tuple[tuple[str, str], ...] = ()  # where, got and expected


def followed(outputs: Sequence[Mapping[str, Any]]) -> str:
    """Return the sentence about earlier answers with which follow-through begins the outputs of a
    test; '' where there is none.
    """
    text = (
        str(outputs[0].get("text", "")).strip()
        if outputs and outputs[0]["output_type"] == "stream"
        else ""
    )
    return text if _FOLLOWED.fullmatch(text) else ""


def read_message(text: str) -> Message:
    """Return the parts of a message; all of its words are kept, whatever its form."""
    fault, _, cause = text.partition(CAUSE)
    fault, cause = fault.strip(), cause.strip()
    cause, _, after = cause.partition("\n")
    sentences = tuple(line.strip() for line in after.split("\n") if line.strip())
    call = _CALL.fullmatch(fault)
    if call is None or "\n" in fault:
        lines = tuple(line.rstrip() for line in fault.split("\n") if line.strip())
        return Message((*lines, *sentences), cause)
    form = call["form"].strip()
    arguments = _arguments(call["arguments"])
    if not arguments:
        return Message((fault, *sentences), cause)
    values, left = _values(call["rest"].strip())
    called = f"{call['name']} ({form})" if form else call["name"]
    return Message((*([left] if left else []), *sentences), cause, called, arguments, values)


def _arguments(text: str) -> tuple[tuple[str, str], ...]:
    """Return names and values of `X of shape (3, 2), b = [1, 2]`; nothing where that is not its
    form.
    """
    found = list(_ARGUMENT.finditer(text))
    if not found or found[0].start() != 0:
        return ()
    ends = [one.start() for one in found[1:]] + [len(text)]
    pairs = []
    for one, end in zip(found, ends, strict=True):
        value = text[one.end() : end].strip()
        is_shape = not one[0].endswith("= ")
        pairs.append(
            (
                one["name"],
                f"array of shape {value}" if is_shape else "a list" if value == "list" else value,
            )
        )
    return tuple(pairs)


def _values(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    """Return what was got and expected as rows, and the words that are in no row."""
    for pattern, what in ((_VALUES, ""), (_SHAPES, "shape ")):
        if found := pattern.match(text):
            where = found["where"].strip()
            rest = (found["rest"] or "").strip(" .;:,")
            rows = [("Where", where)] if where else []
            rows += [
                ("Your function gives", what + found["got"]),
                ("Expected", what + found["expected"].strip(" .")),
            ]
            return (*rows, ("Note", rest)) if rest else tuple(rows), ""
    return (), f"It {text}" if text else ""
