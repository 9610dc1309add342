"""The warm processes of one worker: boxes and testers are forked from them, one of each ahead of
need.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbreferee.budget import ENDED, TIME_UP, Budget
from nbreferee.course.ownership import Plan
from nbreferee.engine.assignment_files import RELEASED, AssignmentFiles, local_copy
from nbreferee.engine.scratch import Scratch
from nbreferee.engine.wire.channel import Channel, ChannelError, Late
from nbreferee.engine.wire.codec import Bounds, CodecError, decode, encode
from nbreferee.engine.zygote import Fork, Zygote
from nbreferee.sandbox import Layer, watch

GRACE_S = 3.0  # a cell ends by itself in time; that long after it, its process is ended
NO_FILES = AssignmentFiles()
OUTPUT_BOUNDS = Bounds(total_bytes=64 << 20, depth=32, values=200_000)


class BoxLost(Exception):
    """A box that has to be replaced; the text says why."""


class BoxHandle:
    """A box, seen from the orchestrator, which believes nothing it says."""

    def __init__(self, child: Fork, budget: Budget) -> None:
        self.channel, self.end = child.channel, child.end
        self._child, self._budget = child, budget
        self._number = 0

    def over_limit(self) -> str:
        """Return in words which limit on the whole box has ended it, or ''."""
        if (
            Layer.NAMESPACES not in self._budget.layers
        ):  # without them nobody watches, and the folder is the student's
            return ""
        limit = watch.reason(self._child.folder)
        return self._budget.in_words(limit) if limit else ""

    def ask(self, operation: str, *arguments: Any, limit_s: float) -> Any:
        """Ask the box something to which the answer is plain."""
        self._number -= 1
        deadline = time.monotonic() + limit_s + GRACE_S
        try:
            self.channel.send(encode((self._number, operation, arguments)), deadline=deadline)
            number, what, body = decode(self.channel.receive(deadline), OUTPUT_BOUNDS)
        except Late:
            raise BoxLost(TIME_UP) from None
        except ChannelError:
            raise BoxLost(self.over_limit() or ENDED) from None
        except (CodecError, ValueError, TypeError):
            raise BoxLost("the notebook's process sent an answer that cannot be read") from None
        if number != self._number or what != "value":
            raise BoxLost("the notebook's process sent an answer that cannot be read")
        return body


@dataclass
class _TesterZygotes:
    """What testers are forked from, for masters that import the same."""

    template: Zygote
    _plans: dict[Plan, int] = field(default_factory=dict)

    def number_of(self, plan: Plan) -> int:
        """Return the number of a master's plan; the template learns it first, where it is new."""
        if plan not in self._plans:
            self.template.ask("learn", plan.as_plain())
            self._plans[plan] = len(self._plans)
        return self._plans[plan]


class WarmProcesses:
    """The warm processes of one worker, and a folder for what they leave; use it in a `with`."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._own = Scratch()
        self.folder = self._own.path
        (self.folder / "root").mkdir()
        self._box_template, self._tester_template = (
            Zygote.start(role, self.folder) for role in ("box", "tester")
        )
        self._testers: dict[tuple[Any, ...], _TesterZygotes] = {}
        self._ahead: dict[
            Any, Fork
        ] = {}  # forked before they are asked for: a box, and a tester of the last master

    def __enter__(self) -> WarmProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def is_whole(self) -> bool:
        """Return whether all processes are there that boxes and testers are forked from: a box that
        ends with one is no student's fault.
        """
        templates = (
            self._box_template,
            self._tester_template,
            *(testers.template for testers in self._testers.values()),
        )
        return all(template.is_alive() for template in templates)

    def close(self) -> None:
        """End all of them."""
        for child in self._ahead.values():
            child.channel.close()
        for template in (
            *(testers.template for testers in self._testers.values()),
            self._tester_template,
            self._box_template,
        ):
            template.close()
        self._own.remove()

    def box(self, files: AssignmentFiles = NO_FILES) -> BoxHandle:
        """Return a new box, with the instructor's files in its folder."""
        key = "box", files.key
        for other in [one for one in self._ahead if one[0] == "box" and one != key]:
            self._ahead.pop(other).end()

        def fork() -> Fork:
            placed = [str(local_copy(files) / RELEASED)] if files.files or files.folders else []
            terms = self._terms()
            terms["limits"]["scratch_files"] += 2 * (
                len(files.files) + len(files.folders)
            )  # links, and what they become
            return self._box_template.fork({**terms, "placed": placed}, self._scratch())

        return BoxHandle(self._next(key, fork), self.budget)

    @contextlib.contextmanager
    def tester(self, plan: Plan, files: AssignmentFiles = NO_FILES) -> Iterator[Channel]:
        """Lend a new tester for a master, with the instructor's files around it."""
        key = (plan.modules, files.key)
        if key not in self._testers:
            sources = local_copy(files)
            self._testers[key] = _TesterZygotes(
                self._tester_template.branch({"sources": str(sources), "modules": plan.modules})
            )
        testers = self._testers[key]

        def fork() -> Fork:
            return testers.template.fork(
                {**self._terms(), "plan": testers.number_of(plan)}, self._scratch()
            )

        for other in [one for one in self._ahead if one[0] != "box" and one != (key, plan)]:
            self._ahead.pop(other).end()
        tester = self._next((key, plan), fork)
        try:
            yield tester.channel
        finally:
            tester.end()

    def _next(self, key: Any, fork: Callable[[], Fork]) -> Fork:
        """Return a child that is ready, if there is one, and let another get ready."""
        child = self._ahead.pop(key, None) or fork()
        self._ahead[key] = fork()
        return child

    def _terms(self) -> dict[str, Any]:
        plain = self.budget.as_plain()
        return {
            "limits": plain["box"],
            "layers": plain["layers"],
            "root": str(self.folder / "root"),
            "mutants_s": self.budget.mutants_s,
        }

    def _scratch(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="", dir=self.folder))
