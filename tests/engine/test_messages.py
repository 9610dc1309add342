"""Messages are typed on the way out, and checked on the way in: whatever a box answers."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbreferee.budget import Budget
from nbreferee.course.ownership import Plan, Reference, Step
from nbreferee.engine.processes import BoxHandle, BoxLost
from nbreferee.engine.wire import (
    to_box,
    to_box_forks,
    to_box_modules,
    to_box_replay,
    to_box_stand_ins,
)
from nbreferee.engine.wire.channel import Channel
from nbreferee.engine.wire.codec import CodecError, decode, encode
from nbreferee.engine.wire.records import Records
from nbreferee.engine.wire.to_tester import TESTER, Evidence, RunStep, StepResult
from nbreferee.engine.wire.to_zygote import EVERY_ZYGOTE, ForkBox, Learn
from nbreferee.engine.zygote import Fork
from nbreferee.sandbox import Layer, Limits
from nbreferee.verdicts import CellVerdict

REQUESTS: tuple[to_box.BoxRequest[Any], ...] = (
    to_box.RunCell("x", 1.0, 0),
    to_box.DrawFigure("figure", 1.0),
    to_box.SeenOfFigure("figure", 1.0),
    to_box.OutlineOfFigure("figure", 1.0),
    to_box.HandIn({}),
    to_box.NewFiles(),
    to_box.TakeFiles({}, [], []),
    to_box.LookUp("x"),
    to_box.AllNames(),
    to_box.Call("len", b"", [], 1.0, b""),
    to_box.Attributes(None),
    to_box.State(None),
    to_box.ClassOf(None),
    to_box.SourceOf(None),
    to_box.SignatureOf(None),
    to_box.LastTraceback(),
    to_box_forks.ForkHere(is_last=True),
    to_box_forks.EndFork(1),
    to_box_modules.FindModule("m"),
    to_box_modules.ImportModule("m", again=False),
    to_box_modules.ModuleNames("m"),
    to_box_modules.ModuleAttribute("m", "x"),
    to_box_modules.SetModuleAttribute("m", "x", 1),
    to_box_replay.RecordCell("x", 1.0, 0, ["f"], ["x"]),
    to_box_replay.CallAnswers([("f", b"")], ["f"], ["x"], 1.0),
    to_box_stand_ins.AnswersUsed(("f",), ("g",)),
    to_box_stand_ins.StandIn(("f",), {}),
    to_box_stand_ins.PutBack(),
)
ODD: tuple[object, ...] = (
    None,
    5,
    "text",
    float("nan"),
    np.array([1, 2]),
    [],
    (),
    {},
    {"x": 1},
    {3: "x"},
    {-1: 5, 99: 5, "f": 5},
    [3],
    ([], -1),
    (([], 0), (True, [], []), ([3], {}, [[]], [])),
    ([], 1 << 31),
    ([], np.array([1, 2])),
    (True,),
    (np.array([True, False]), 9),
    (True, 1, 2, 3),
    ("not ascii: \u00e9", ""),
    ("", 5),
    ({3: 1}, None),
    ({}, [], {}),
    (True, 3),
    {"x": {"y": ({}, [])}},
)
NUMBERS = (-1, 7, True, None, "x", np.array([-1, -1]), np.int64(-1), (-1,))


def classes(kind: type[Any]) -> set[type[Any]]:
    below = {one for child in kind.__subclasses__() for one in classes(child)}
    return below | ({kind} if getattr(kind, "operation", "") else set())


def test_every_request_is_in_the_table() -> None:
    assert {type(one) for one in REQUESTS} == classes(to_box.BoxRequest)
    assert len({one.operation for one in REQUESTS}) == len(REQUESTS)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: one.operation)
def test_an_answer_of_any_shape_is_read_or_refused(request_: to_box.BoxRequest[Any]) -> None:
    for said in ODD:
        try:
            request_.read(said)
        except CodecError:
            continue


def test_answers_of_other_shapes_are_refused() -> None:
    refused = {
        type(one): sum(_is_refused(one, said) for said in ODD)
        for one in REQUESTS
        if not isinstance(one, (to_box.Order, to_box.Value))
    }
    lenient = (to_box.SourceOf, to_box.LastTraceback, to_box_modules.FindModule)
    assert {kind for kind, count in refused.items() if count == 0} == set(lenient)


def _is_refused(request: to_box.BoxRequest[Any], said: Any) -> bool:
    try:
        request.read(said)
    except CodecError:
        return True
    return False


def asked(request: to_box.BoxRequest[Any], *answer: Any) -> Any:
    """Return what the orchestrator makes of a box that answers a question in this way."""
    ours, theirs = socket.socketpair()
    box = BoxHandle(Fork(None, Channel(ours), Path()), Budget(layers=frozenset()))  # type: ignore[arg-type]  # nothing is forked
    there = Channel(theirs)

    def reply() -> None:
        decode(there.receive())
        there.send(encode(answer))

    thread = threading.Thread(target=reply)
    thread.start()
    try:
        return box.ask(request, 30)
    finally:
        thread.join()
        ours.close()
        theirs.close()


def test_honest_answer_is_a_record() -> None:
    run = to_box.RunCell("x", 1.0, 0)
    assert asked(run, -1, "value", ([], 3)) == to_box.CellOutputs([], 3)


@pytest.mark.parametrize("number", NUMBERS[1:], ids=repr)
def test_box_that_answers_another_question_is_lost(number: object) -> None:
    with pytest.raises(BoxLost):
        asked(to_box.RunCell("x", 1.0, 0), number, "value", ([], 3))


@pytest.mark.parametrize("said", ODD, ids=repr)
def test_box_that_answers_with_another_shape_is_lost(said: object) -> None:
    with pytest.raises(BoxLost):
        asked(to_box.RunCell("x", 1.0, 0), -1, "value", said)
    with pytest.raises(BoxLost):
        asked(to_box.RunCell("x", 1.0, 0), -1, said, ([], 3))


# ---------------------------------------------------------------- records of our own processes

PLAN = Plan(
    "one",
    (Step(0, "test", "t", "assert f(1)", 2.0, hidden_lines=(1,), judges=(("f", 3),)),),
    ("f",),
    (),
    ("numpy",),
    (),
    (Reference("f", 3, "def f(x): return x"),),
)


def test_records_come_back_as_they_were() -> None:
    table = Records(*EVERY_ZYGOTE, ForkBox, Learn, Plan, Step, Reference)
    layers = frozenset({Layer.LIMITS, Layer.SECCOMP})
    for record in (Learn(PLAN), ForkBox("/s", "/r", Limits(open_files=9), layers, ("/a",))):
        assert table.decode(table.encode(record), object) == record
    verdict = CellVerdict("t", "partial", 1.0, 2.0, "why", ("f",), behaviour="d")
    shown = ({"output_type": "stream", "name": "stdout", "text": "x"},)
    result = StepResult(verdict, shown, Evidence((("f()", "a class"),)), "", (("f", 3),))
    assert TESTER.decode(TESTER.encode(result), StepResult) == result


@pytest.mark.parametrize(
    "said",
    [("Plan",), ("Evidence", 1, 2, 3, 4, 5), ("builtins.eval", "1"), (), 3, ("RunStep",), ([],)],
    ids=repr,
)
def test_what_is_no_record_of_the_table_is_refused(said: object) -> None:
    data = encode(object(), wrap=lambda _: said)
    with pytest.raises(CodecError):
        TESTER.decode(data, object)


def test_record_of_another_kind_is_refused() -> None:
    with pytest.raises(CodecError):
        TESTER.decode(TESTER.encode(RunStep(0, 1.0, None)), StepResult)
    with pytest.raises(CodecError):
        TESTER.encode(Learn(PLAN))
