"""Attack stock nbgrader and nbreferee with the collection in tests/, kind by kind, and print what each attack has got.

    python benchmarks/attacks.py [--each N] [--only KIND ...] [--write]

Each kind is a class: two honest students, one with a wrong answer, and one for each attack, who adds it to the wrong
answer. Both graders grade it with their own command. An attack has

- gained, where its submission has more points than the wrong answer;
- hurt, where an honest student has not all points afterwards (stock nbgrader: the attacks are then graded one by one);
- leaked, where its notebook shows a word that only hidden tests, other students, or processes outside have;
- left something behind, where a process or a file of its own is there when the grader has ended.

--each: so many attacks of a kind, evenly chosen (default: all). --write: keep the counts in attacks.json, kind by kind, and put
the table of all that is there into SECURITY.md. Attacks that would take down this machine (floods of processes and of memory) are
tried on nbreferee alone.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

COURSE = Path(__file__).parent.parent
sys.path[:0] = [str(COURSE), str(COURSE / "tests")]

import nbformat  # noqa: E402
from building import write  # noqa: E402
from hand_in import answered, read_notebook  # noqa: E402
from outside import OUTSIDE  # noqa: E402
from test_attacks import COMPARISON, FILES, LOOKING, LYING, MASTER, RIGHT, SHADOW, SHELL, SOLUTION_IMPORTS, VECTOR, WRITTEN, wrong  # noqa: E402
from test_faults import IN_CELL  # noqa: E402

SECURITY, COUNTS = COURSE / "SECURITY.md", Path(__file__).with_name("attacks.json")
BLOCK = re.compile(r"(<!-- attacks:.*?-->\n).*?(<!-- end of attacks -->)", re.DOTALL)
SECRET = "WORD-OF-THE-INSTRUCTOR"
FLOODS = {"forks", "threads", "memory_of_many", "disk", "memory_by_and_by", "files_by_the_thousand", "thread_that_goes_on", "descriptors"}
ENDINGS = [name for name, (_, words, counts) in IN_CELL.items() if "took longer" in words or not counts or name in FLOODS]
CONFIG = """c = get_config()
c.CourseDirectory.course_id = "attacked"
c.Execute.timeout = 10
c.NbReferee.call_s = 3
c.NbReferee.cell_s = 6
c.NbReferee.memory_mb = 1024
"""
COMMAND_S = 1800
GRADERS = ("nbgrader", "nbreferee")
RIGHT_ANSWERS = {
    "functions": SOLUTION_IMPORTS + RIGHT, "value": "answer_value = 42", "vector": VECTOR.format(sign="+"), "double": "def double(x): return 2 * x",
}  # fmt: skip


@dataclass(frozen=True)
class Attack:
    """What a student adds to a wrong answer: a cell's text, or files beside the notebook."""

    code: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    names_places: bool = False  # such as {folder}


@dataclass
class Tally:
    """How many attacks of a kind a grader has been tried with, and what they have got."""

    tried: int = 0
    gained: int = 0
    hurt: int = 0
    leaked: int = 0
    left: int = 0


def kinds() -> dict[str, dict[str, Attack]]:
    """Return the attacks by kind; the code is that of the tests."""
    codes = {
        "patch the comparison": COMPARISON, "patch the shell": SHELL, "lying values": LYING, "look at the test": LOOKING,
        "shadow modules": WRITTEN, "end the batch": {name: IN_CELL[name][0] for name in ENDINGS}, **OUTSIDE,
    }  # fmt: skip
    found = {kind: {name: Attack(code, names_places=kind in OUTSIDE) for name, code in some.items()} for kind, some in codes.items()}
    found["shadow modules"] |= {name: Attack(files=files) for name, files in SHADOW.items()}
    return found


class Classroom:
    """A course in a folder of its own, with what attacks are after."""

    def __init__(self, folder: Path, port: int, mark: Path) -> None:
        self.folder, self._mark = folder, mark
        self._words = {"folder": folder, "port": port, "mark": mark, "secret": SECRET}
        (folder / "source/ps1").mkdir(parents=True)
        write(folder / "source/ps1", *(with_secret(one) for one in MASTER))
        for name, data in FILES.items():
            (folder / "source/ps1" / name).write_bytes(data)
        (folder / "nbgrader_config.py").write_text(CONFIG)
        self._run("nbgrader", "generate_assignment", "ps1")
        self._hand_in("a_honest", RIGHT_ANSWERS, comment=f"# {SECRET}-1")
        self._hand_in("b_wrong", wrong())
        self._hand_in("z_honest", RIGHT_ANSWERS)

    def attack(self, number: int, attack: Attack) -> str:
        """Hand in an attack; return the student."""
        student = f"m_{number:03}"
        code = attack.code.format(**self._words) if attack.names_places else attack.code
        self._hand_in(student, wrong(code + "\n"), files=attack.files)
        return student

    def _hand_in(self, student: str, answers: Mapping[str, str], comment: str = "", files: Mapping[str, str] | None = None) -> None:
        folder = self.folder / "submitted" / student / "ps1"
        folder.mkdir(parents=True)
        notebook = answered(read_notebook(self.folder / "release/ps1/one.ipynb"), {name: f"{text}\n{comment}" for name, text in answers.items()})
        (folder / "one.ipynb").write_text(nbformat.writes(notebook))
        for name, text in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    def grade(self, grader: str) -> None:
        """Grade the class with a grader's own command."""
        self._run(grader, "autograde", "ps1", *(["--jobs", "2"] if grader == "nbreferee" else []))

    def _run(self, program: str, *arguments: str) -> None:
        environment = {**os.environ, "HIDDEN": f"{SECRET}-2", "HOME": str(self.folder), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        with (self.folder / "said.txt").open("a") as said, contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run([program, *arguments], cwd=self.folder, env=environment, stdout=said, stderr=said, timeout=COMMAND_S, check=False)

    def scores(self) -> dict[str, float]:
        """Return what each student who is graded has in all."""
        query = """select sa.student_id, sum(coalesce(g.manual_score, g.auto_score, 0)) from grade g join submitted_notebook sn on sn.id = g.notebook_id
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
        if self._processes() or any(self._mark.iterdir()):
            time.sleep(5)  # workers that are about to end do, and attacks do what they have planned for later
        found = self._processes()
        files = list(self._mark.iterdir())
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for path in files:
            path.unlink()
        return max(len(files), len(found))

    def _processes(self) -> list[int]:
        """Return the processes that a grader of this class has started, and that still run."""
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if f"HOME={self.folder}\0".encode() in path.read_bytes():
                    found.append(int(path.parent.name))
        return found


def with_secret(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a cell with a secret in its hidden tests."""
    return nbformat.from_dict({**cell, "source": cell.source.replace("### BEGIN HIDDEN TESTS\n", f"### BEGIN HIDDEN TESTS\n# {SECRET}-3\n")})


@contextlib.contextmanager
def listener() -> Iterator[int]:
    """Have somebody listen who tells whoever calls a secret."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    caller, _ = server.accept()
                    with caller:
                        caller.sendall(f"{SECRET}-4".encode())

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def try_class(grader: str, attacks: Mapping[str, Attack], tally: Tally) -> list[str]:
    """Grade one class with attacks; add to the tally, and return what happened, in lines."""
    said = []
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as mark, listener() as port:
        Path(mark).chmod(0o777)
        classroom = Classroom(Path(folder) / "course", port, Path(mark))
        students = {name: classroom.attack(number, attack) for number, (name, attack) in enumerate(attacks.items())}
        classroom.grade(grader)
        left, scores = classroom.left(), classroom.scores()
        most = 2.0 * sum(bool(one.metadata.get("nbgrader", {}).get("grade")) for one in MASTER)
        hurt = [student for student in ("a_honest", "z_honest") if scores.get(student) != most]
        if hurt and len(attacks) > 1:  # which of them?
            return [line for name, attack in attacks.items() for line in try_class(grader, {name: attack}, tally)]
        tally.tried += len(attacks)
        tally.hurt += bool(hurt)
        tally.left += min(left, len(attacks))
        said += [f"{', '.join(attacks)}: hurt {', '.join(f'{one} ({scores.get(one)})' for one in hurt)}"] if hurt else []
        said += [f"left behind: {left}"] if left else []
        for name, student in students.items():
            if scores.get(student, 0.0) > scores.get("b_wrong", 0.0):
                tally.gained += 1
                said.append(f"{name}: gained {scores[student] - scores.get('b_wrong', 0.0):g}")
            if re.search(rf"found {SECRET}-\d", classroom.shown(student)):
                tally.leaked += 1
                said.append(f"{name}: leaked")
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
    return {kind: {grader: Tally(**counts) for grader, counts in by_grader.items()} for kind, by_grader in kept.items()}


def write_counts(tallies: Mapping[str, Mapping[str, Tally]]) -> None:
    """Keep counts, and put them into SECURITY.md."""
    plain = {kind: {grader: asdict(tally) for grader, tally in tallies[kind].items()} for kind in kinds() if kind in tallies}
    COUNTS.write_text(json.dumps(plain, indent=1) + "\n")
    SECURITY.write_text(with_counts(SECURITY.read_text(), tallies))


def with_counts(text: str, tallies: Mapping[str, Mapping[str, Tally]]) -> str:
    """Return the text of SECURITY.md with the table made anew."""
    return BLOCK.sub(lambda match: match[1] + "\n" + table(tallies) + "\n" + match[2], text)


def table(tallies: Mapping[str, Mapping[str, Tally]]) -> str:
    """Return the counts as a Markdown table, with a line for each kind, tried or not."""
    columns = ("tried", "gained", "hurt", "leaked", "left")
    tallies = {kind: tallies.get(kind) or {grader: Tally() for grader in GRADERS} for kind in kinds()}
    heads = " | ".join(f"{grader}: {'left behind' if one == 'left' else one}" for grader in GRADERS for one in columns)
    rows = [f"| kind | {heads} |", "|---|" + "--:|" * 10]
    for kind, by_grader in tallies.items():
        rows.append(f"| {kind} | " + " | ".join(str(getattr(by_grader[grader], one)) for grader in GRADERS for one in columns) + " |")
    sums = [sum(getattr(by_grader[grader], one) for by_grader in tallies.values()) for grader in GRADERS for one in columns]
    return "\n".join([*rows, "| **together** | " + " | ".join(f"**{one}**" for one in sums) + " |"]) + "\n"


def main() -> None:
    """Try what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, help="how many attacks of each kind (default: all)")
    parser.add_argument("--only", action="append", choices=kinds(), help="a kind; may be given several times")
    parser.add_argument("--write", action="store_true", help="put the table into SECURITY.md")
    wanted = parser.parse_args()
    tallies: dict[str, dict[str, Tally]] = read_counts() if wanted.write else {}
    for kind, attacks in kinds().items():
        if wanted.only and kind not in wanted.only:
            continue
        tallies[kind] = {grader: Tally() for grader in GRADERS}
        for grader in GRADERS:
            some = chosen({name: one for name, one in attacks.items() if grader == "nbreferee" or name not in FLOODS}, wanted.each)
            for line in try_class(grader, some, tallies[kind][grader]):
                print(f"{kind}, {grader}: {line}", flush=True)
        if wanted.write:
            write_counts(tallies)
    print(table(tallies))


if __name__ == "__main__":
    main()
