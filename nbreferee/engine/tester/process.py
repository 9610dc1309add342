"""The tester: it runs the instructor's cells, asks the box for what is the student's, and decides.

Nothing of the student's runs here. It has no network, and reads no files but the interpreter's and
the assignment's.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import math
import signal
import socket
import sys
import time
import types
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from nbreferee.budget import GUESS, MANY_CALLS, TIME_UP, TOO_LONG
from nbreferee.course.ownership import Plan, Step
from nbreferee.engine.assignment_files import RELEASED, UNRELEASED
from nbreferee.engine.placing import WorkingFolder
from nbreferee.engine.shell import error_output
from nbreferee.engine.tester.box_client import BoxClient, Lost, OutOfTime
from nbreferee.engine.tester.compiled_cells import TYPE_OF, RehearsedShell
from nbreferee.engine.tester.credit import credit_of
from nbreferee.engine.tester.file_exchange import FileExchange
from nbreferee.engine.tester.instructor_text import InstructorText
from nbreferee.engine.tester.likely_causes import AskingModules, LikelyCauses
from nbreferee.engine.tester.namespace import Namespace
from nbreferee.engine.tester.provenance import Provenance
from nbreferee.engine.tester.proxies import is_proxy, type_of
from nbreferee.engine.tester.reference_answers import ReferenceAnswer, ReferenceAnswers, alive
from nbreferee.engine.tester.references import NameOwnership
from nbreferee.engine.tester.student_modules import StudentFinder
from nbreferee.engine.tester.suspicious import in_words
from nbreferee.engine.wire.channel import Channel
from nbreferee.engine.wire.to_box_stand_ins import AnswersUsed, PutBack, StandIn
from nbreferee.engine.wire.to_tester import (
    TESTER,
    Answer,
    Connect,
    Evidence,
    RunStep,
    RunWithReferences,
    StepResult,
    TesterRequest,
)
from nbreferee.verdicts import CellStatus, CellVerdict

STARTS = frozenset(
    {
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.fork",
        "os.forkpty",
        "pty.spawn",
    }
)  # audit events


class Tester:
    """The tester of one submission."""

    def __init__(
        self,
        control: Channel,
        shell: RehearsedShell,
        names: Namespace,
        plan: Plan,
        instructor: InstructorText,
        asking: AskingModules,
        sources: Path,
        placed: WorkingFolder,
        mutants_s: float,
    ) -> None:
        self._control = control
        self._shell = shell
        self._names = names
        self._steps = plan.steps
        self._student = BoxClient(
            names, NameOwnership(plan.student_classes, plan.modules, plan.written)
        )
        self._answers = ReferenceAnswers(names, plan.references)
        self._provenance = Provenance(instructor, sources, self._student.note_limit)
        self._student.record = self._provenance.record
        self._looks_for_causes = True
        self._refused_before: list[str] = []  # in cells that are no tests
        self._files = FileExchange(self._student, placed, self._provenance)
        self._student.files_to_box, self._student.files_from_box = (
            self._files.send,
            self._files.fetch,
        )
        dict.__setitem__(names, TYPE_OF, type_of)
        shell.while_code_runs = lambda: names.asking(self._student)
        names.students_own = frozenset(plan.student_names)
        parts = [str(sources / part) for part in (RELEASED, UNRELEASED)]
        sys.meta_path.append(
            StudentFinder(self._student.ask_module, lambda: names.student is not None, parts)
        )
        self._causes = LikelyCauses(
            plan, names, self._provenance.instructors_text, mutants_s, asking
        )
        self._patch()

    def serve(self) -> None:
        """Do what the orchestrator asks for, until it is gone."""
        while True:
            frame, sockets = self._control.receive_with_sockets()
            request: object = TESTER.decode(frame, TesterRequest)
            if answer := self.answer(request, sockets):
                self._control.send(TESTER.encode(answer))

    def answer(self, request: object, sockets: Sequence[socket.socket]) -> object:
        """Do what is asked for, and return the answer; None where there is none."""
        if isinstance(request, RunStep):
            return self._run(request)
        if isinstance(request, RunWithReferences):
            return self._run_with_references(request)
        if isinstance(request, Connect):
            self._student.connect(Channel(sockets[0]), request.call_s)
            self._files.forget()
        return StepResult()

    def _run(self, request: RunStep) -> StepResult:
        """Run a step, and judge it if it is a test.

        If other answers can stand for those that the answer under test needs, it can be judged
        again: so no cause is looked for.
        """
        step, limit_s, allowed = self._steps[request.step], request.limit_s, request.allowed
        replaceable = request.replaceable
        needed = self._needed(step, replaceable, limit_s) if replaceable else ()
        self._looks_for_causes = not needed
        for name in step.given_up:
            self._names.pop(name, None)
        if not step.source:
            return StepResult(judge(step, None, None)[0] if step.role == "test" else None)
        self._student.refused = None
        # while the solution is graded
        self._student.patches.active = step.role == "test" and allowed is None and request.may_patch
        before = set(dict.keys(self._names))
        result = self._attempt(step, limit_s)
        if step.role == "answer":
            self._names.imported |= {
                name: dict.pop(self._names, name)
                for name in set(dict.keys(self._names)) - before
                if not name.startswith("_")
            }
        evidence = Evidence(
            tuple(sorted(self._student.suspicious)),
            tuple(self._student.limits),
            self._student.patched,
        )
        verdict, shown = result.verdict, result.outputs
        if verdict is not None and allowed is not None and verdict.score:
            refused = [one for one in evidence.oddities if one not in allowed]
            if refused:
                self._student.refused = allowed
                again = self._attempt(step, limit_s)
                self._student.refused = None
                if again.verdict is not None and again.verdict.score < verdict.score:
                    evidence = replace(evidence, odd_pass=in_words(*refused[0]))
                verdict, shown = again.verdict, again.outputs
        return StepResult(verdict, shown, evidence, self._student.lost, needed)

    def _run_with_references(self, request: RunWithReferences) -> StepResult:
        """Run a test again, with references in the place of answers."""
        step = self._steps[request.step]
        self._student.begin(time.monotonic() + request.limit_s)
        try:
            others = {name: self._answers.find(name, cell) for name, cell in request.replaced}
            self._student.ask(StandIn(step.under_test, others))
            functions = [one for one in others.values() if type(one) is ReferenceAnswer]
            self._student.replaced, self._student.asked_for_replaced = frozenset(others), False
            with alive(functions):
                result = self._run(RunStep(request.step, request.limit_s, request.allowed))
            used = {
                name
                for name, one in others.items()
                if type(one) is not ReferenceAnswer or one.calls
            }
            self._student.replaced = ()
            if not self._student.lost:
                self._student.ask(PutBack())
        except (Exception, Lost, OutOfTime):
            return StepResult(lost=self._student.lost or "it cannot be asked")
        if self._student.asked_for_replaced:
            used = set()
        answers = tuple(one for one in request.replaced if one[0] in used)
        return replace(result, answers=answers, lost=self._student.lost)

    def _needed(
        self, step: Step, replaceable: Sequence[Answer], limit_s: float
    ) -> tuple[Answer, ...]:
        """Return those of some answers that the answer under test needs, and in whose place a
        reference can stand.
        """
        self._student.begin(time.monotonic() + limit_s)
        try:
            names = tuple(name for name, _ in replaceable)
            said = self._student.ask(AnswersUsed(step.under_test, names))
        except (Exception, Lost, OutOfTime):
            return ()
        found: list[Answer] = []
        for name, cell in replaceable:
            with contextlib.suppress(LookupError):
                if name in said:
                    self._answers.find(name, cell)
                    found.append((name, cell))
        return tuple(found)

    def _attempt(self, step: Step, limit_s: float) -> StepResult:
        deadline = time.monotonic() + limit_s
        self._provenance.begin_cell()
        if step.role == "test":
            self._causes.begin_cell(step.index, step.source, self._looks_for_causes)
        self._student.begin(deadline)
        for reason in self._refused_before if step.role == "test" else ():
            self._student.note_limit(reason)
        if step.role == "test" and not self._student.lost:
            with contextlib.suppress(BaseException):  # whatever the box makes of it
                self._files.fetch()
                if (
                    self._student.open_figures
                ):  # of the test before: a notebook closes them after each cell
                    self._student.call("close", ("all",))
        self._names.begin()
        before = {name: dict.get(self._names, name, self) for name in step.set_for_students}

        def set_for_students(
            lent: Collection[str],
        ) -> tuple[dict[str, Any], list[str], list[str]]:
            now = {name: dict.get(self._names, name, self) for name in before}
            names = {
                name: value
                for name, value in now.items()
                if value is not self and (value is not before[name] or name in lent)
            }
            changed = self._names.changed()
            names |= changed
            gone = [name for name in self._names.deleted if name not in names]
            return names, gone, list(changed)

        self._student.set_for_students = set_for_students
        self._shell.figures.draws = step.role == "test"
        with _limited(limit_s):
            shown, result = self._shell.run(step.source)
        if step.role == "test" and not self._student.lost:
            with contextlib.suppress(BaseException):  # later cells see what the test has made
                self._files.send()
        error = result.error_before_exec or result.error_in_exec or self._shell.shown_error
        if isinstance(error, OutOfTime) and self._student.calls > MANY_CALLS:
            self._student.note_limit(
                f"it calls the student's code {self._student.calls:,} times, which takes longer "
                "between two processes"
            )
        verdict, kind = judge(step, result.result, error)
        refused = self._provenance.refused
        if refused and step.role != "test":
            self._refused_before.append(f"{refused} (a cell before this test)")
        if refused and verdict.status in ("passed", "partial"):  # the test has gone on without
            verdict, kind = replace(verdict, status="error", score=0.0, message=refused), "NotRun"
        if verdict.score < step.points:
            self._student.note_failure()
        shown = [output for output in shown if output.get("name") != "stderr"]
        if error is not None or verdict.status == "grader_failed" or kind == "NotRun":
            shown = [output for output in shown if output["output_type"] != "execute_result"]
            message = verdict.message or self._say_where(step, error)
            verdict = replace(verdict, message=message)
            shown.append(error_output(kind, message, self._traceback(step, error, kind, message)))
        if verdict.score < step.points:
            verdict = replace(verdict, behaviour=self._student.behaviour.digest)
        return StepResult(verdict if step.role == "test" else None, tuple(shown))

    # ------------------------------------------------ what a student gets to read

    def _say_where(self, step: Step, error: BaseException | None) -> str:
        """Say in a sentence what failed, where the author has not: without the hidden text."""
        line = _failing_line(error)
        text = (
            step.source.split("\n")[line - 1].strip()
            if 0 < line <= step.source.count("\n") + 1
            else ""
        )
        if line and line not in step.hidden_lines:
            return f"in line {line}: {text}"
        try:
            tree = ast.parse(step.source)
        except SyntaxError:
            return "a test does not hold"
        statements = [
            n
            for n in ast.walk(tree)
            if isinstance(n, ast.stmt) and n.lineno <= line <= (n.end_lineno or n.lineno)
        ]
        theirs = {name for given in self._steps for name in given.given_up}
        used = {
            n.id
            for one in statements[-1:]
            for n in ast.walk(one)
            if isinstance(n, ast.Name) and n.id in theirs
        }
        return (
            f"a hidden test of {', '.join(sorted(used))} does not hold"
            if used
            else "a hidden test does not hold"
        )

    def _traceback(
        self, step: Step, error: BaseException | None, kind: str, message: str
    ) -> list[str]:
        render = getattr(error, "_render_traceback_", None)
        if render is not None and not isinstance(error, Lost):
            return [str(line) for line in render()]
        lines = [f"{kind}: {message}"]
        if message and isinstance(error, NotImplementedError):  # an answer that is not written yet
            return lines
        if getattr(error, "from_student", False) and not self._student.lost:
            with contextlib.suppress(BaseException):  # whatever its __str__ raises
                lines = self._student.student_traceback() or lines
        line = _failing_line(error)
        if line and line not in step.hidden_lines and not message.startswith("in line "):
            lines.insert(
                0, f"In line {line} of this cell: {step.source.splitlines()[line - 1].strip()}"
            )
        return lines

    # ------------------------------------------------ between the two sides

    def _patch(self) -> None:
        """Let what looks into functions and figures look into the student's, too."""

        def note_start(*_: object) -> None:
            self._student.note_limit(
                "it starts another program or process, and a test that is judged in two processes "
                "may not"
            )

        self._provenance.install(
            lambda event: [*self._files.handlers(event), *([note_start] if event in STARTS else [])]
        )
        real = {name: getattr(inspect, name) for name in ("getsource", "getsourcelines")}

        def getsource(object: Any) -> str:
            if is_proxy(object):
                return self._student.source(object)
            text: str = real["getsource"](object)
            return text

        def getsourcelines(object: Any) -> tuple[list[str], int]:
            if is_proxy(object):
                return self._student.source(object).splitlines(keepends=True), 1
            lines: tuple[list[str], int] = real["getsourcelines"](object)
            return lines

        inspect.getsource, inspect.getsourcelines = getsource, getsourcelines
        for name in ("gcf", "gca", "close"):
            setattr(plt, name, self._figure_or(name, getattr(plt, name)))
        own_numbers = plt.get_fignums
        plt.get_fignums = lambda: own_numbers() or list(range(1, self._student.open_figures + 1))

    def _figure_or(self, name: str, real: Any) -> Any:
        own_numbers = plt.get_fignums

        def current(*arguments: Any, **named: Any) -> Any:
            theirs = self._student.open_figures and not own_numbers()
            return self._student.call(name, ()) if theirs else real(*arguments, **named)

        return current


def too_long(error: BaseException) -> str:
    """Return what a student reads whose function has run out of time, with its arguments where a
    test notes them.
    """
    return " ".join([TOO_LONG, *(f"{note}." for note in getattr(error, "__notes__", ()))])


def judge(step: Step, value: Any, error: BaseException | None) -> tuple[CellVerdict, str]:
    """Return the verdict on a cell that has run, and the kind of error that it shows."""

    def verdict(status: CellStatus, message: str = "", score: float = 0.0) -> CellVerdict:
        return CellVerdict(step.grade_id, status, score, step.points, message)

    if error is None:
        credit = None if value is None else credit_of(value)
        if credit is None or credit == step.points:
            return verdict("passed", score=step.points), ""
        gives = f"the test gives {credit:g} of {step.points:g} points"
        if math.isnan(credit) or not 0 <= credit <= step.points:
            return verdict("grader_failed", f"{gives}. Tell your instructor."), "ScoreError"
        return verdict("partial" if credit else "failed", gives, credit), ""
    if isinstance(error, OutOfTime) or (isinstance(error, Lost) and str(error) == TIME_UP):
        return verdict("timeout", too_long(error)), "TimeoutError"
    if isinstance(error, Lost):
        return verdict("error", f"{error}: {GUESS}"), "ProcessError"
    try:
        message = str(error)
    except BaseException:  # whatever a student's object makes of being asked for its text
        message = ""
    status: CellStatus = "failed" if isinstance(error, AssertionError) else "error"
    return verdict(status, message), type(error).__name__


def _failing_line(error: BaseException | None) -> int:
    """Return the number of the cell's own line where it failed; 0 where that is not known."""
    if isinstance(error, SyntaxError) and error.__traceback__ is None:
        return error.lineno or 0
    line, cell, frames = 0, "", error.__traceback__ if error else None
    while frames is not None:
        name = frames.tb_frame.f_code.co_filename
        if not cell and name.startswith(("<ipython-input", "/tmp/ipykernel")):
            cell = (
                name  # the outermost is the cell itself; further ones may be helpers of other cells
            )
        if name == cell:
            line = frames.tb_lineno
        frames = frames.tb_next
    return line


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in a test that takes too long by itself."""

    def stop(number: int, frame: types.FrameType | None) -> None:
        raise OutOfTime

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds + 1.0, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
