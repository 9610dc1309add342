"""Attack stock nbgrader and nbreferee with the collection in tests/, kind by kind, and print what
each attack has got.

    python benchmarks/attacks.py [--each N | --all] [--only KIND ...] [--patience N] [--write]

Each kind is a class: three honest students, one with a wrong answer, and one for each attack, who
adds it to the wrong answer. Both graders grade it with their own command, by a person who may not
read everything. An attack has

- gained, where its submission has more points than the wrong answer;
- hurt, where an honest student has not all points afterwards (the attacks are then graded one by
  one);
- leaked, where its notebook shows a word that only hidden tests, other students, or processes
  outside have;
- left something behind, where a process or a file of its own is there when the grader has ended.

Some kinds need their own reading of this:

- poison the reader: a person opens each submission in the Formgrader. Gained: points were typed.
  Leaked: code of the student ran
  in the browser, or a page from elsewhere was asked for; or feedback shows hidden tests.
- get out of the box's limits: leaked, where the code says that it is beyond a limit. Stock nbgrader
  has none.
- make the grader fail: the submission has right answers, and is graded a second time while
  something goes wrong. Hurt: it has
  fewer points than before, or anybody else has.
- honest trouble: the answers are right. Hurt: the student has fewer points than the exercise in
  trouble costs.

--patience: on a busy machine, so many times as long until a cell is stopped and a grader counts as
hanging. --each: so many attacks of a kind, evenly chosen (default: 3). --write: keep the counts in
attacks.json, kind by kind, and put the table of all that is there into SECURITY.md. Attacks that
would take down this machine (floods of processes and of memory) are tried on nbreferee alone, and
with --all.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

COURSE = Path(__file__).parent.parent
sys.path[:0] = [
    str(COURSE),
    *(str(COURSE / "tests" / part) for part in ("", "engine", "submission", "grading")),
]

import nbformat
from attack_kinds import (
    Assignment,
    Attack,
    Kind,
    nothing_else,
    running,
    too_much_for_stock,
    with_secret,
)
from attack_kinds import (
    kinds as kinds,
)
from attack_reader import acted
from browser import listening
from building import write
from hand_in import answered, read_notebook

SECURITY, COUNTS = COURSE / "SECURITY.md", Path(__file__).with_name("attacks.json")
BLOCK = re.compile(r"(<!-- attacks:.*?-->\n).*?(<!-- end of attacks -->)", re.DOTALL)
SECRET = "WORD-OF-THE-INSTRUCTOR"
CONFIG = """c = get_config()
c.CourseDirectory.course_id = "attacked"
c.Execute.timeout = {nbgrader}
c.NbReferee.call_s = {call}
c.NbReferee.cell_s = {cell}
c.NbReferee.memory_mb = 1024
"""
TIMEOUTS_S = {"nbgrader": 10, "call": 3, "cell": 6}
COMMAND_S, EACH_S = (
    90,
    30,
)  # for a class, and for each attack in it: a grader that takes longer hangs
GRADERS = ("nbgrader", "nbreferee")
HONEST = ("a_honest", "m_honest", "z_honest")
# root may read everything, unless it drops this right
DROP = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


@dataclass
class Tally:
    """How many attacks of a kind a grader has been tried with, and what they have got."""

    tried: int = 0
    gained: int = 0
    hurt: int = 0
    leaked: int = 0
    left: int = 0


class Classroom:
    """A course in a folder of its own, with what attacks are after."""

    def __init__(
        self,
        folder: Path,
        assignment: Assignment,
        places: Mapping[str, object],
        grader: str,
        patience: int,
    ) -> None:
        self._patience = patience
        self.folder, self.grader, self.assignment, self._places = (
            folder,
            grader,
            assignment,
            {"folder": folder, **places},
        )
        (folder / "source/ps1").mkdir(parents=True)
        write(folder / "source/ps1", *(with_secret(one, SECRET) for one in assignment.cells))
        for name, data in assignment.files.items():
            (folder / "source/ps1" / name).write_bytes(data)
        (folder / "nbgrader_config.py").write_text(
            CONFIG.format(**{name: patience * seconds for name, seconds in TIMEOUTS_S.items()})
        )
        self._run("nbgrader", "generate_assignment", "ps1")
        for student in HONEST:
            self._hand_in(student, assignment.right(""), comment=f"# {SECRET}-1")
        self._hand_in("b_wrong", assignment.wrong(""))

    def attack(self, number: int, attack: Attack) -> str:
        """Hand in an attack; return the student.

        One for the second grading hands in right answers first.
        """
        student = f"m_{number:03}"
        if attack.again is None:
            self._attack(student, attack)
        else:
            self._hand_in(student, self.assignment.right(""))
        return student

    def _attack(self, student: str, attack: Attack) -> None:
        code = (
            attack.code.format(**self._places)
            if attack.names_places
            else attack.code.replace("LISTENER", f"http://127.0.0.1:{self._places['web']}")
        )
        right = attack.costs is not None or attack.again
        answers = (
            self.assignment.right(code)
            if right
            else self.assignment.wrong(f"{code}\n" if code else "")
        )
        folder = self._hand_in(student, answers, files=attack.files)
        if attack.change:
            attack.change(folder)

    def _hand_in(
        self,
        student: str,
        answers: Mapping[str, str],
        comment: str = "",
        files: Mapping[str, str] | None = None,
    ) -> Path:
        folder = self.folder / "submitted" / student / "ps1"
        folder.mkdir(parents=True, exist_ok=True)
        notebook = answered(
            read_notebook(self.folder / "release/ps1/one.ipynb"),
            {name: f"{text}\n{comment}" for name, text in answers.items()},
        )
        (folder / "one.ipynb").write_text(nbformat.writes(notebook))
        for name, text in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return folder

    def grade(self, *options: str, prefix: Sequence[str] = ()) -> None:
        """Grade the class with the grader's own command."""
        self._run(
            self.grader,
            "autograde",
            "ps1",
            *options,
            *(["--jobs", "2"] if self.grader == "nbreferee" else []),
            prefix=(*prefix, *DROP),
        )

    def grade_again(self, student: str, attack: Attack) -> None:
        """Grade a student a second time, in trouble."""
        self._attack(student, attack)
        with (attack.again or nothing_else)(self.folder) as place:
            here = (
                ("env", "-C", str(self.folder)) if place.prefix else ()
            )  # nsenter leaves the folder
            self.grade("--student", student, "--force", prefix=(*place.prefix, *here))

    def feedback(self, student: str) -> str:
        """Have feedback made by the grader; return a student's pages."""
        self._run(
            self.grader,
            *(["feedback"] if self.grader == "nbreferee" else ["generate_feedback"]),
            "ps1",
        )
        return "\n".join(
            path.read_text() for path in (self.folder / "feedback" / student).rglob("*.html")
        )

    def _run(self, program: str, *arguments: str, prefix: Sequence[str] = ()) -> None:
        environment = {
            **os.environ,
            "HIDDEN": f"{SECRET}-2",
            "HOME": str(self.folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        seconds = self._patience * (
            COMMAND_S + EACH_S * len(list(self.folder.glob("submitted/m_0*")))
        )
        with (self.folder / "said.txt").open("a") as said:
            try:
                command = [*prefix, program, *arguments]
                subprocess.run(
                    command,
                    cwd=self.folder,
                    env=environment,
                    stdout=said,
                    stderr=said,
                    timeout=seconds,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                said.write(f"{program} was ended after {seconds} s\n")
                kill(running(self.folder))  # it could not end them itself

    def scores(self) -> dict[str, float]:
        """Return what each student who is graded has in all."""
        query = """select sa.student_id, sum(coalesce(g.manual_score, g.auto_score, 0)) from grade g
            join submitted_notebook sn on sn.id = g.notebook_id
            join submitted_assignment sa on sa.id = sn.assignment_id group by sa.student_id"""
        with contextlib.closing(sqlite3.connect(self.folder / "gradebook.db")) as book:
            return dict(book.execute(query))

    def shown(self, student: str) -> str:
        """Return the outputs in a student's graded notebook."""
        path = self.folder / "autograded" / student / "ps1/one.ipynb"
        cells = read_notebook(path).cells if path.exists() else []
        return "\n".join(str(cell.get("outputs", "")) for cell in cells)

    def left(self) -> int:
        """Return how many processes and files attacks have left behind; end and remove them."""
        mark = Path(str(self._places["mark"]))
        if running(self.folder) or any(mark.iterdir()):
            time.sleep(
                5
            )  # workers that are about to end do, and attacks do what they have planned for later
        found, files = running(self.folder), list(mark.iterdir())
        kill(found)
        for path in files:
            path.unlink()
        return max(len(files), len(found))


def kill(processes: Iterable[int]) -> None:
    """End processes."""
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def listener() -> Iterator[int]:
    """Run a listener that sends a secret to every caller."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    caller, _ = server.accept()
                    with caller:
                        caller.sendall(f"{SECRET}-4".encode())

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def try_class(
    grader: str, kind: Kind, attacks: Mapping[str, Attack], tally: Tally, patience: int
) -> list[str]:
    """Grade one class with attacks; add to the tally, and return what happened, in lines."""
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as mark,
        listener() as port,
        listening() as web,
    ):
        Path(mark).chmod(0o777)
        classroom = Classroom(
            Path(folder) / "course",
            kind.assignment,
            {"port": port, "mark": mark, "secret": SECRET, "web": web.port},
            grader,
            patience,
        )
        students = {
            name: classroom.attack(number, attack)
            for number, (name, attack) in enumerate(attacks.items())
        }
        classroom.grade()
        left = classroom.left()
        for name, attack in attacks.items():
            if attack.again:
                classroom.grade_again(students[name], attack)
        active = acted(classroom.folder, students.values(), web) if kind.in_browser else set()
        scores, most = classroom.scores(), kind.assignment.points
        hurt = [student for student in HONEST if scores.get(student) != most]
        if hurt and len(attacks) > 1:  # which of them?
            return [
                line
                for name, attack in attacks.items()
                for line in try_class(grader, kind, {name: attack}, tally, patience)
            ]
        said = (
            [
                (
                    f"{', '.join(attacks)}: hurt "
                    f"{', '.join(f'{one} ({scores.get(one)})' for one in hurt)}"
                )
            ]
            if hurt
            else []
        )
        said += [f"left behind: {left}"] if left else []
        tally.tried += len(attacks)
        tally.hurt += bool(hurt)
        tally.left += min(left, len(attacks))
        for name, student in students.items():
            said += [
                f"{name}: {line}"
                for line in judge(
                    classroom, attacks[name], student, scores, tally, bool(hurt), student in active
                )
            ]
    return said


def judge(
    classroom: Classroom,
    attack: Attack,
    student: str,
    scores: Mapping[str, float],
    tally: Tally,
    hurt: bool,
    active: bool,
) -> list[str]:
    """Add to the tally what one attack has got, and return that."""
    said, mine = [], scores.get(student, 0.0)
    if attack.costs is not None or attack.again:
        least = classroom.assignment.points - (attack.costs or 0)
        if mine < least and not hurt:
            tally.hurt += 1
            said.append(f"hurt: {mine:g} of {least:g} points")
    elif mine > scores.get("b_wrong", 0.0):
        tally.gained += 1
        said.append(f"gained {mine - scores.get('b_wrong', 0.0):g}")
    seen = classroom.feedback(student) if attack.reads_feedback else ""
    if (
        active
        or re.search(rf"found {SECRET}-\d", classroom.shown(student))
        or re.search(rf"{SECRET}-\d", seen)
    ):
        tally.leaked += 1
        said.append("leaked")
    return said


def chosen(attacks: Mapping[str, Attack], each: int | None) -> dict[str, Attack]:
    """Return so many attacks, evenly chosen."""
    names = list(attacks)
    if each is not None and each < len(names):
        names = [names[round(place * (len(names) - 1) / max(1, each - 1))] for place in range(each)]
    return {name: attacks[name] for name in names}


def read_counts() -> dict[str, dict[str, Tally]]:
    """Return the counts that are kept, by kind and grader."""
    kept = json.loads(COUNTS.read_text()) if COUNTS.exists() else {}
    return {
        kind: {grader: Tally(**counts) for grader, counts in by_grader.items()}
        for kind, by_grader in kept.items()
    }


def write_counts(tallies: Mapping[str, Mapping[str, Tally]]) -> None:
    """Keep counts, and put them into SECURITY.md."""
    plain = {
        kind: {grader: asdict(tally) for grader, tally in tallies[kind].items()}
        for kind in kinds()
        if kind in tallies
    }
    COUNTS.write_text(json.dumps(plain, indent=1) + "\n")
    SECURITY.write_text(with_counts(SECURITY.read_text(), tallies))


def with_counts(text: str, tallies: Mapping[str, Mapping[str, Tally]]) -> str:
    """Return the text of SECURITY.md with the table made anew."""
    return BLOCK.sub(lambda match: match[1] + "\n" + table(tallies) + "\n" + match[2], text)


def table(tallies: Mapping[str, Mapping[str, Tally]]) -> str:
    """Return the counts as a Markdown table, with a line for each kind; a dash where a grader has
    not been tried.
    """
    columns = ("tried", "gained", "hurt", "leaked", "left")
    heads = " | ".join(
        f"{grader}: {'left behind' if one == 'left' else one}"
        for grader in GRADERS
        for one in columns
    )
    rows = [f"| kind | {heads} |", "|---|" + "--:|" * 10]
    for kind in kinds():
        found = [tallies.get(kind, {}).get(grader) for grader in GRADERS]
        rows.append(
            f"| {kind} | "
            + " | ".join(
                str(getattr(tally, one)) if tally else "–" for tally in found for one in columns
            )
            + " |"
        )
    sums = [
        sum(
            getattr(by_grader[grader], one) for by_grader in tallies.values() if grader in by_grader
        )
        for grader in GRADERS
        for one in columns
    ]
    return (
        "\n".join([*rows, "| **together** | " + " | ".join(f"**{one}**" for one in sums) + " |"])
        + "\n"
    )


def try_kind(kind: Kind, each: int | None, patience: int) -> tuple[dict[str, Tally], list[str]]:
    """Try attacks of a kind on both graders at the same time; return the counts, and what happened,
    in lines.
    """
    graders = GRADERS[1:] if kind.only_here else GRADERS
    bearable = {name: one for name, one in kind.attacks.items() if not too_much_for_stock(name)}
    tallies = {grader: Tally() for grader in graders}

    def run(grader: str) -> list[str]:
        attacks = (
            chosen(bearable, each) if each is not None or grader == "nbgrader" else kind.attacks
        )
        return [
            f"{grader}: {line}"
            for line in try_class(grader, kind, attacks, tallies[grader], patience)
        ]

    with ThreadPoolExecutor() as pool:
        return tallies, [line for lines in pool.map(run, graders) for line in lines]


def main() -> None:
    """Try what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    number = parser.add_mutually_exclusive_group()
    number.add_argument(
        "--each", type=int, default=3, help="how many attacks of each kind (default: 3)"
    )
    number.add_argument("--all", action="store_const", const=None, dest="each", help="every attack")
    parser.add_argument(
        "--only", action="append", choices=kinds(), help="a kind; may be given several times"
    )
    parser.add_argument(
        "--patience",
        type=int,
        default=1,
        help="multiply all limits on time: for a busy machine (default: 1)",
    )
    parser.add_argument("--write", action="store_true", help="put the table into SECURITY.md")
    wanted = parser.parse_args()
    tallies: dict[str, dict[str, Tally]] = read_counts() if wanted.write else {}
    for name, kind in kinds().items():
        if wanted.only and name not in wanted.only:
            continue
        started = time.monotonic()
        tallies[name], said = try_kind(kind, wanted.each, wanted.patience)
        print(f"{name}: {time.monotonic() - started:.0f} s", *said, sep="\n  ", flush=True)
        if wanted.write:
            write_counts(tallies)
    print(table(tallies))


if __name__ == "__main__":
    main()
