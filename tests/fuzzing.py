"""What is fuzzed: everything that reads untrusted bytes in a trusted process.

Each target takes any bytes and raises nothing.

With coverage, for as long as wanted (`pip install atheris` first):

    python tests/fuzzing.py codec -max_total_time=600
    python tests/fuzzing.py reading -max_total_time=600
    python tests/fuzzing.py matching -max_total_time=600

What it finds beyond the corpus in tests/corpus/ goes into a temporary folder; a failure is written
beside it. The test suite runs the corpus with seeded mutations, without atheris.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
MOST_BYTES = 4096


@contextlib.contextmanager
def _instrumented(wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    import atheris

    with atheris.instrument_imports(include=["nbreferee"]):
        yield


with _instrumented(__name__ == "__main__"):
    from rebuilding import KNOWN, ORIGINALS, check

    from nbreferee.engine.wire.codec import Bounds, CodecError, decode, encode
    from nbreferee.submission.candidates import choose_files
    from nbreferee.submission.reading import SubmissionError
    from nbreferee.submission.rebuild import rebuild

SMALL = Bounds(total_bytes=1 << 20, depth=16, values=10_000, integer_bits=4096)
PARTS = (
    *(one.text for one in ORIGINALS.all),
    "",
    "\n",
    "    ",
    "def f(x):",
    "def g(x):\n    return x",
    "    return x",
    "f = g = 1\n",
    "raise NotImplementedError()",
    "# YOUR CODE HERE",
    "x = (",
    ")",
    '"""',
    "%%time\n",
    "class f:\n    pass",
    "else:",
    "@g",
    "\\",
    "\r\n",
    "So.",
    "\0",
    "é",
    "\ud800",
    "assert f(0) == 0",
    "### BEGIN SOLUTION\n",
)
IDS = ("", *KNOWN, *(one.cell_id for one in ORIGINALS.all), "other")
KINDS = ("code", "markdown", "raw", "heading")


def read_value(data: bytes) -> None:
    """What the codec reads, it can write and read again."""
    try:
        value = decode(data, SMALL, unwrap=lambda wrapped: None)
    except CodecError:
        return
    with contextlib.suppress(CodecError):  # too large as numbers are packed otherwise
        decode(encode(value, SMALL), SMALL)


def read_file(data: bytes) -> None:
    """Any file is rebuilt or refused, and is one notebook of an assignment, or none."""
    choose_files({"one.ipynb": data, "other.ipynb": data}, {"one": ORIGINALS, "two": ORIGINALS})
    try:
        made = rebuild(ORIGINALS, data)
    except SubmissionError as error:
        assert str(error).isprintable()
        return
    check(made)


def match_cells(data: bytes) -> None:
    """Any sequence of cells made of parts of the released notebook is rebuilt; what was rebuilt is
    complete.
    """
    check(rebuild(ORIGINALS, notebook_of(data)))


def notebook_of(data: bytes) -> bytes:
    """Return a notebook that bytes stand for: for each cell its type, its ids, and the parts of its
    text.
    """
    steps = iter(data)
    cells = []
    for head in steps:
        source = "".join(
            PARTS[next(steps, 0) % len(PARTS)] + "\n" * (head & 1) for _ in range(head >> 5)
        )
        metadata = {"nbgrader": {"grade_id": IDS[next(steps, 0) % len(IDS)]}} if head & 2 else {}
        cells.append(
            {
                "cell_type": KINDS[head >> 3 & 3],
                "source": source,
                "metadata": metadata,
                "id": IDS[next(steps, 0) % len(IDS)] if head & 4 else "",
            }
        )
    return json.dumps({"cells": cells}).encode()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "codec": read_value,
    "reading": read_file,
    "matching": match_cells,
}


def mutated(samples: list[bytes], dice: random.Random) -> bytes:
    """Return a sample with a few changes: bytes flipped, left out, repeated, or taken from another
    sample.
    """
    data = bytearray(dice.choice(samples))
    for _ in range(dice.randint(1, 4)):
        start = dice.randint(0, len(data))
        end = min(len(data), start + dice.choice((1, 1, 2, 8, 64)))
        other = dice.choice(samples)
        there = dice.randint(0, len(other))
        data[start:end] = dice.choice(
            (
                bytes(dice.randrange(256) for _ in range(end - start)),
                b"",
                bytes(data[start:end]) * 2,
                other[there : there + end - start],
                b"\xff" * (end - start),
            )
        )
    return bytes(data[:MOST_BYTES])


def main() -> None:
    import atheris

    target, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as found:
        atheris.Setup(
            [sys.argv[0], found, str(CORPUS / target), f"-max_len={MOST_BYTES}", *options],
            TARGETS[target],
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main()
