"""One notebook of one submission: the box and the tester side by side, cell by cell, whatever happens.

A cell that ends the box, or never ends, costs itself: another box runs the cells before it again, and
the rest goes on there.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbreferee.codec import decode, encode
from nbreferee.engine.channel import Channel, ChannelError, Late
from nbreferee.engine.conversation import MARK
from nbreferee.engine.warm import GRACE_S, BoxLost, StudentBox, Warm
from nbreferee.plan import Plan

DRAWN_CHARACTERS = 48 << 20  # of the figures of one notebook
TEXT_FIELDS = {"stream": ("name", "text"), "error": ("ename", "evalue"), "display_data": (), "execute_result": ()}


@dataclass(frozen=True)
class Part:
    """One cell of a submission, with the master's step that it stands for, if any."""

    source: str
    is_code: bool
    step: int | None = None
    role: str = "free"
    passed: tuple[int, ...] = ()  # steps for the tester alone, before this one


@dataclass
class Came:
    """What came of one cell."""

    outputs: list[dict[str, Any]] = field(default_factory=list)
    count: int | None = None  # its number in the box
    status: str = ""  # of a test: passed, partial, failed, error, timeout, grader_failed
    score: float = 0.0
    message: str = ""
    oddities: list = field(default_factory=list)
    limits: tuple[str, ...] = ()  # what could not pass between the two processes
    wall_s: float = 0.0


@dataclass(frozen=True)
class Known:
    """What is known of a master from the run of its solution."""

    oddities: Mapping[int, list] | None = None  # by test; none yet while that run is on
    figures: Mapping[str, str] = field(default_factory=dict)  # pictures by name (see `figures`)


LendTester = Callable[[], contextlib.AbstractContextManager[Channel]]


class Referee:
    """Grades one notebook."""

    def __init__(self, warm: Warm, lend_tester: LendTester, plan: Plan, files: Mapping[str, bytes], known: Known) -> None:
        self._warm = warm
        self._steps = plan.steps
        self._lend_tester = lend_tester
        self._lent = contextlib.ExitStack()
        self._tester: Channel | None = None
        self._instructed: list[int] = []  # what a new tester has to run again
        self._files = dict(files)
        self._allowed = known.oddities
        self.drawn = dict(known.figures)
        self._budget = warm.budget
        self._box: StudentBox | None = None
        self._ran: list[tuple[int, str]] = []  # what a new box has to run again
        self._offenders: set[int] = set()
        self._end = time.monotonic() + self._budget.submission_s

    def grade(self, parts: Sequence[Part]) -> list[Came]:
        """Run all cells; return what came of each."""
        came = []
        try:
            with contextlib.suppress(BoxLost, ChannelError):  # the first box may wait for a template to get warm
                self._ready_box()
            self._end = time.monotonic() + self._budget.submission_s
            for number, part in enumerate(parts):
                started = time.monotonic()
                for step in part.passed:
                    self._instruct(step, self._budget.cell_s)
                one = self._run(number, part) if part.is_code else Came()
                one.wall_s = time.monotonic() - started
                came.append(one)
            self._draw([output["data"] for one in came for output in one.outputs if is_to_draw(output)])
        finally:
            self._drop_box()
            self._lent.close()
        return came

    def _run(self, number: int, part: Part) -> Came:
        left = self._end - time.monotonic()
        if left <= 0:
            text = f"not run: the notebook has used its {self._budget.submission_s:g} s"
            return Came([_error("TimeoutError", text)], status="timeout" if part.role == "test" else "", message=text)
        limit_s = min(self._budget.cell_s, left)
        if part.role == "test":
            return self._test(part, limit_s)
        came = self._run_in_box(number, part.source, limit_s)
        if part.step is not None:
            self._instruct(part.step, limit_s)
        return came

    # ------------------------------------------------ the box

    def _run_in_box(self, number: int, source: str, limit_s: float) -> Came:
        try:
            box = self._ready_box()
            came = self._cell(box, source, limit_s)
        except BoxLost as lost:
            self._drop_box()
            self._offenders.add(number)
            late = str(lost) == "the time was up"
            text = f"this cell took longer than {limit_s:g} s" if late else f"{lost} in this cell"
            return Came([_error("TimeoutError" if late else "ProcessError", f"{text}; the notebook goes on without it")])
        self._ran.append((number, source))
        return came

    def _ready_box(self) -> StudentBox:
        """Return the box, a new one where there is none, in which the cells so far have run."""
        if self._box is None:
            self._box = self._warm.box()
            self._ready_tester()  # which gets ready at the same time
            if self._files:
                self._box.ask("files", self._files, limit_s=self._budget.cell_s)
            for number, source in list(self._ran):
                try:
                    self._cell(self._box, source, min(self._budget.cell_s, max(0.1, self._end - time.monotonic())))
                except BoxLost:
                    self._ran.remove((number, source))
                    self._drop_box()
                    return self._ready_box()
            self._connect()
        return self._box

    def _connect(self) -> None:
        """Let the tester talk to the box."""
        request = encode(("connect", (self._budget.call_s,)))
        self._ready_tester().send_with_sockets(request, [self._box.channel.socket])
        self._tester.receive(time.monotonic() + self._budget.cell_s)

    def _drop_box(self) -> None:
        if self._box is not None:
            self._box.end()
            self._box = None

    def _cell(self, box: StudentBox, source: str, limit_s: float) -> Came:
        body = box.ask("cell", source, limit_s, limit_s=limit_s)
        match body:
            case (list(shown), int(count), bool()) if 0 <= count < 1 << 31:
                return Came(clean_outputs(shown, count), count)
        raise BoxLost("the notebook's process did not keep to the protocol")

    def _draw(self, shown: list[dict[str, Any]]) -> None:
        """Put figures where their marks are: those of the solution, or what the box draws now."""
        end = time.monotonic() + self._budget.cell_s
        left = DRAWN_CHARACTERS
        for data in shown:
            name, why = data.pop("image/png").removeprefix(MARK), ""
            if name not in self.drawn:
                self.drawn[name], why = self._drawn_by_box(name, end - time.monotonic())
            left -= len(self.drawn[name])
            if self.drawn[name] and left > 0:
                data["image/png"] = self.drawn[name]
            else:
                data["text/plain"] = f"{data.get('text/plain', 'a figure')}, not drawn: {why or 'the notebook shows too much'}"

    def _drawn_by_box(self, name: str, limit_s: float) -> tuple[str, str]:
        if self._box is None or limit_s <= 0:
            return "", "the notebook's process has ended, or takes too long"
        try:
            match self._box.ask("draw", name, limit_s, limit_s=limit_s):
                case (str(picture), str(why)) if picture.isascii():
                    return picture, why
            raise BoxLost("the notebook's process did not keep to the protocol")
        except BoxLost as lost:
            self._drop_box()
            return "", str(lost)

    # ------------------------------------------------ the tester

    def _instruct(self, step: int, limit_s: float) -> None:
        """Have the tester run a step that is no test, if it has anything to do there."""
        if not self._steps[step].source and not self._steps[step].given_up:
            return
        with contextlib.suppress(BoxLost, ChannelError):  # it says so itself, in the cells that come to nothing by it
            self._ready_box()
            self._step(step, limit_s)
            self._instructed.append(step)

    def _test(self, part: Part, limit_s: float) -> Came:
        try:
            self._ready_box()
            answer = self._step(part.step, limit_s)
        except BoxLost as lost:
            self._drop_box()
            return _lost_test("error", str(lost))
        except Late:
            return _lost_test("timeout", "the test takes too long")
        except ChannelError:
            return _lost_test("grader_failed", "the test ended its own process. Tell your instructor.")
        return Came(answer["shown"], None, answer["status"], answer["score"], answer["message"], answer["oddities"], tuple(answer["limits"]))

    def _step(self, step: int, limit_s: float) -> dict[str, Any]:
        allowed = None if self._allowed is None else self._allowed.get(step)  # none where the solution itself has failed
        try:
            self._ready_tester().send_with_sockets(encode(("run", (step, limit_s, allowed))), [])
            answer = decode(self._tester.receive(time.monotonic() + 2 * limit_s + 3 * GRACE_S))
        except ChannelError:
            self._tester = None
            self._drop_box()  # in the middle of a conversation, perhaps
            raise
        if answer.get("lost"):
            self._drop_box()
        return answer

    def _ready_tester(self) -> Channel:
        """Return the tester, a new one where there is none, in which the instructor's cells so far have run."""
        if self._tester is None:
            self._lent.close()
            self._tester = self._lent.enter_context(self._lend_tester())
            for step in list(self._instructed):
                self._tester.send_with_sockets(encode(("run", (step, self._budget.cell_s, None))), [])
                self._tester.receive(time.monotonic() + 2 * self._budget.cell_s)
        return self._tester


def is_to_draw(output: dict[str, Any]) -> bool:
    """Tell whether an output is a figure that is still to be drawn."""
    picture = output.get("data", {}).get("image/png")
    return type(picture) is str and picture.startswith(MARK)


def _lost_test(status: str, text: str) -> Came:
    kind = {"timeout": "TimeoutError", "grader_failed": "TestError"}.get(status, "ProcessError")
    return Came([_error(kind, text)], status=status, message=text)


def _error(kind: str, text: str) -> dict[str, Any]:
    return {"output_type": "error", "ename": kind, "evalue": text, "traceback": [f"{kind}: {text}"]}


def clean_outputs(shown: list, count: int) -> list[dict[str, Any]]:
    """Return those outputs that nbformat allows, with nothing in them but what it allows."""
    clean = []
    for output in shown:
        kind = output.get("output_type") if type(output) is dict else None
        if type(kind) is not str or kind not in TEXT_FIELDS or not all(type(output.get(name)) is str for name in TEXT_FIELDS[kind]):
            continue
        new: dict[str, Any] = {"output_type": kind, **{name: output[name] for name in TEXT_FIELDS[kind]}}
        if kind == "stream":
            new["name"] = "stderr" if new["name"] == "stderr" else "stdout"
        elif kind == "error":
            lines = output.get("traceback")
            new["traceback"] = [line for line in lines if type(line) is str] if type(lines) is list else []
        else:
            new["data"], new["metadata"] = _json(output.get("data")), _json(output.get("metadata"))
            if kind == "execute_result":
                new["execution_count"] = count
        clean.append(new)
    return clean


def _json(value: Any) -> dict[str, Any]:
    """Return a dictionary of text to JSON; whatever else is in it goes."""

    def is_json(one: Any) -> bool:
        if type(one) is list:
            return all(map(is_json, one))
        if type(one) is dict:
            return all(type(key) is str and is_json(item) for key, item in one.items())
        if type(one) is int:
            return abs(one) < 1 << 63
        return one is None or type(one) in (str, bool) or (type(one) is float and one == one and abs(one) != float("inf"))

    return {key: item for key, item in value.items() if type(key) is str and is_json(item)} if type(value) is dict else {}

