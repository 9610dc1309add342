"""Run by `test_provenance` in a process of its own, for an audit hook cannot be taken off: random
text that a box sends, in all the forms in which text travels, handed to all that compiles. Nothing
with that text in it may be compiled.
"""

from __future__ import annotations

import ast
import code
import contextlib
import inspect
import io
import json
import socket
import sys
import tempfile
import textwrap
import threading
import timeit
import typing
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import HealthCheck, assume, given, settings

from nbreferee.engine.tester.box_client import BoxClient
from nbreferee.engine.tester.instructor_text import InstructorText
from nbreferee.engine.tester.provenance import STRUCTURE, NotRun, Provenance
from nbreferee.engine.tester.received import WORD, as_text, joined, tokens_of
from nbreferee.engine.tester.references import NameOwnership
from nbreferee.engine.wire.channel import LENGTH, Channel
from nbreferee.engine.wire.codec import encode
from nbreferee.engine.wire.protocol import CallResult, ObjectDescription, compacted
from nbreferee.engine.wire.to_box_modules import ModuleAttribute

INSTRUCTOR = (
    "reference = 3\nassert eval('reference + 1') == 4, 'the reference is wrong: [{}]'\n"
    "for n in range(3):\n    eval(f'value_{n}')\n"
)


class Wrapped:
    """Travels as a reference."""

    def __init__(self, said: Any) -> None:
        self.said = said


def message(what: str, body: Any) -> bytes:
    """Return a frame of the box."""
    data = encode((1, what, body), wrap=lambda one: one.said)
    return LENGTH.pack(len(data)) + data


@contextlib.contextmanager
def student(provenance: Provenance, frames: list[bytes]) -> Iterator[BoxClient]:
    """Yield the tester's side of a box that sends these frames."""
    ours, theirs = socket.socketpair()
    made = BoxClient({}, NameOwnership())
    made.record = provenance.record
    made.connect(Channel(ours), 5.0)
    made.begin(float("inf"))
    thread = threading.Thread(target=theirs.sendall, args=[b"".join(frames)])
    thread.start()
    try:
        yield made
    finally:
        thread.join()
        ours.close()
        theirs.close()


def asked(
    provenance: Provenance, what: str, body: Any, question: Callable[[BoxClient], Any]
) -> Any:
    """Return the answer to one question."""
    with student(provenance, [message(what, body)]) as made:
        return question(made)


ANYTHING: Any = None  # the box answers whatever it is asked about
QUESTION = ModuleAttribute("module", "x")  # to which the answer may be any value


def plain(provenance: Provenance, body: Any) -> Any:
    return asked(provenance, "value", body, lambda made: made.ask(QUESTION))


def raised(provenance: Provenance, body: Any) -> BaseException:
    try:
        asked(provenance, "raised", body, lambda made: made.ask(QUESTION))
    except Exception as error:
        return error
    raise AssertionError


def printed(provenance: Provenance, text: str) -> str:
    """Return what a test hears of a call that prints a text."""
    with (
        student(provenance, [message("value", compacted(CallResult(heard=(text, ""))))]) as made,
        contextlib.redirect_stdout(io.StringIO()) as said,
    ):
        made.call("f", ())
        return said.getvalue()


def beside(provenance: Provenance, text: str) -> str:
    """Return a text in a message that refers to a list which the tester has sent."""
    mine = [1]
    data = encode((1, "value", [mine, text]), shared={id(mine): 0})
    with student(provenance, []) as made:
        made._shared = [mine]
        read: str = made._read(data)[2][1]
        return read


def signature(
    provenance: Provenance, default: tuple[Any, ...], annotation: tuple[Any, ...]
) -> inspect.Parameter:
    body = [("x", 1, default, annotation)], ()
    made: inspect.Signature = asked(
        provenance, "value", body, lambda made: made.signature(ANYTHING)
    )
    return made.parameters["x"]


ERROR = ("ValueError", "Exception")
PLACE = (("f.py", 3, "f", "raise"),)
# Ways in which text gets into the tester.
ROUTES: dict[str, Callable[[Provenance, str], str]] = {
    "value": plain,
    "bytes": lambda p, t: plain(p, t.encode()).decode(),
    "in a list": lambda p, t: plain(p, [1, t])[1],
    "as a key": lambda p, t: next(iter(plain(p, {t: 1}))),
    "in a table": lambda p, t: plain(p, {"a": ({"b": t},)})["a"][0]["b"],
    "in an array": lambda p, t: str(plain(p, np.array([t, "b"]))[0]),
    "in an array of objects": lambda p, t: plain(p, Wrapped(("copy", ("objects", (2,), [t, 1]))))[
        0
    ],
    "in a deque": lambda p, t: plain(p, Wrapped(("copy", ("deque", [t], None))))[0],
    "in a buffer": lambda p, t: plain(p, Wrapped(("copy", ("StringIO", t, 0)))).getvalue(),
    "in a namespace": lambda p, t: vars(plain(p, Wrapped(("copy", ("SimpleNamespace", {"a": t})))))[
        "a"
    ],
    "a template": lambda p, t: plain(p, Wrapped(("copy", ("Template", t)))).template,
    "a masked value": lambda p, t: str(
        plain(p, Wrapped(("copy", ("masked", np.array([t]), np.array([False]), None, False))))[0]
    ),
    "by its characters": lambda p, t: "".join(plain(p, list(t))),
    "beside something of the test's": beside,
    "in JSON": lambda p, t: json.loads(plain(p, json.dumps([t], ensure_ascii=False)))[0],
    "a name": lambda p, t: (
        plain(
            p,
            Wrapped(
                (
                    "object",
                    1,
                    ObjectDescription("function", t[:199], "function", "__main__").as_tuple(),
                )
            ),
        ).__name__
    ),
    "source": lambda p, t: asked(p, "value", t, lambda made: made.source(ANYTHING)),
    "an attribute": lambda p, t: asked(
        p, "value", {"a": t}, lambda made: made.attributes(ANYTHING)
    )["a"],
    "printed": printed,
    "a message": lambda p, t: str(raised(p, (ERROR, t, (t,), PLACE, {}, None))),
    "an attribute of an error": lambda p, t: vars(
        raised(p, (ERROR, "", (), PLACE, {"a": t}, None))
    )["a"],
    "a line of a traceback": lambda p, t: (
        raised(p, (ERROR, "", (), (("f.py", 3, "f", t),), {}, None)),
        t,
    )[1],
    "the name of a function in a traceback": lambda p, t: (
        raised(p, (ERROR, "", (), (("f.py", 3, t, "x"),), {}, None)),
        t,
    )[1],
    "a class of an error": lambda p, t: (
        type(raised(p, ((t, *ERROR), "", (), PLACE, {}, None))).__name__
    ),
    "a default": lambda p, t: signature(p, (t,), ()).default,
    "an annotation": lambda p, t: signature(p, (), (t,)).annotation,
}


class Hinted:
    """Has an annotation of the box."""


def hint(text: str) -> None:
    Hinted.__annotations__ = {"a": text}
    typing.get_type_hints(Hinted)


# Ways in which a test may run it.
USES: dict[str, Callable[[str], Any]] = {
    "eval": eval,
    "exec": lambda t: exec(t, {}),
    "in a frame": lambda t: eval(f"[{t}, 5]"),
    "in a call": lambda t: eval(f"own({t})"),
    "in a function": lambda t: exec("def own():\n" + textwrap.indent(t, "    ") + "\n    return 5"),
    "of bytes": lambda t: eval(t.encode()),
    "compiled": lambda t: compile(t, "answer", "exec"),
    "dedented": lambda t: exec(textwrap.dedent(t).strip() + "\n"),
    "in lines": lambda t: exec("\n".join(["import math", *t.splitlines()])),
    "as a tree": lambda t: compile(ast.parse(t), "answer", "exec"),
    "timed": lambda t: timeit.Timer(t),
    "as a hint": hint,
    "in an interpreter": lambda t: code.InteractiveInterpreter().runsource(t, symbol="exec"),
    "run in a thread": lambda t: run_in_thread(t),
}


def run_in_thread(text: str) -> None:
    caught: list[BaseException] = []

    def run() -> None:
        try:
            eval(text)
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    raise caught[0]


compiled: list[str] = []


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Keep what is compiled after all: this hook comes second, and sees nothing that the first
    refuses.
    """
    if (
        event == "compile"
        and arguments[0] is not None
        and sys._getframe(1).f_code is not ast.parse.__code__
    ):
        compiled.append(
            ast.unparse(arguments[0])
            if isinstance(arguments[0], ast.AST)
            else as_text(arguments[0])
        )


identifiers = st.from_regex(r"[a-z_][a-z_0-9]{0,6}", fullmatch=True)
snippets = st.sampled_from(
    [
        "reference",
        "x",
        "__import__('os')",
        "(lambda: 1)()",
        "f(1)\ng(2)",
        "def f(x):\n    return x",
        "1 + 1",
        "'a'",
        "value_1",
        "[1, 2]",
        "...",
        "print('x')",
        "import os",
        "x = 1; y",
        "{**a}",
        "a if b else c",
        "@d\ndef f(): pass",
        "# no",
        "\u00e9t\u00e9",
        "-1",
        "None",
        "not x",
        "reference + reference",
    ]
)
texts = (
    snippets
    | identifiers
    | st.text(min_size=1, max_size=30)
    | st.tuples(identifiers, st.sampled_from([".", "(", "+", "=", " "]), snippets).map("".join)
)


def main() -> None:
    """Try it."""
    warnings.simplefilter("ignore")
    folder = Path(tempfile.mkdtemp())
    notes: list[str] = []
    current: list[Provenance] = [
        Provenance(InstructorText(lambda: [INSTRUCTOR], folder), folder, notes.append)
    ]
    current[0].install()
    sys.addaudithook(watch)
    count = 0
    first = current[0]

    @settings(
        max_examples=int(sys.argv[1]) if sys.argv[1:] else 700,
        deadline=None,
        database=None,
        derandomize=not sys.argv[1:],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        texts,
        st.sampled_from(sorted(ROUTES)),
        st.sampled_from(sorted(USES)),
        st.lists(texts, max_size=3),
    )
    def no_text_is_compiled(text: str, route: str, use: str, others: list[str]) -> None:
        nonlocal count
        tokens = tokens_of(text)
        assume(tokens and "\0" not in text and text.isprintable() | ("\n" in text))
        assume(
            not (len(tokens) == 1 and tokens[0] in STRUCTURE)
            and not first._instructor.is_own(text)
            and not first._instructor.holds(tokens)
        )
        with contextlib.suppress(UnicodeEncodeError):
            text.encode()
            assume(
                WORD.search(text) or route != "in JSON"
            )  # of numbers and signs alone, those count that are a text of their own
            fresh = Provenance(InstructorText(lambda: [INSTRUCTOR], folder), folder, notes.append)
            first.__dict__.update(
                {**fresh.__dict__, "_checks": first._checks, "_busy": first._busy}
            )
            first.begin_cell()
            for other in others:
                plain(first, other)
            got = ROUTES[route](first, text)
            assert got in (text, text[:199])
            compiled.clear()
            notes.clear()
            try:
                USES[use](got)
            except NotRun:
                assert first.refused
                assert notes
            except Exception:  # it does not get as far as being compiled
                pass
            else:
                raise AssertionError(f"{use} of {text!r}, {route}, has gone through")
            run = joined(tokens_of(got))
            assert not any(run in joined(tokens_of(one)) for one in compiled), (
                compiled,
                text,
                route,
                use,
            )
            count += 1

    no_text_is_compiled()
    print(f"{count} examples")


if __name__ == "__main__":
    main()
