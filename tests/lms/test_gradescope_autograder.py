"""A Gradescope autograder in the documented folders: no network, no part of this environment but
installed packages, the scores of autograde.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
from denied import NUMBERS, PROGRAM, TIER_B
from lms_classes import ANSWERS, copy_of, notebooks
from small_class import BINARIES, RIGHT, grade_here

from nbreferee.lms.results import block, code, message, plain

VISIBILITIES = {"visible", "hidden", "after_due_date", "after_published"}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
TOP: dict[str, Any] = {
    "score": (int, float),
    "execution_time": (int, float),
    "output": str,
    "output_format": FORMATS,
    "test_output_format": FORMATS,
    "test_name_format": FORMATS,
    "visibility": VISIBILITIES,
    "stdout_visibility": VISIBILITIES,
    "extra_data": dict,
    "tests": list,
    "leaderboard": list,
}
TEST: dict[str, Any] = {
    "score": (int, float),
    "max_score": (int, float),
    "status": {"passed", "failed"},
    "name": str,
    "name_format": FORMATS,
    "number": str,
    "output": str,
    "output_format": FORMATS,
    "tags": list,
    "visibility": VISIBILITIES,
    "extra_data": dict,
}
LOOPS = "def half(x):\n    while True:\n        pass"
ATTACK = """import builtins, os
for path in ({root!r} + "/source/course/source/ps1/one.ipynb", {root!r} + "/source/settings.json"):
    try:
        print(open(path).read())
    except OSError as error:
        print("no", type(error).__name__)
try:
    open({root!r} + "/results/results.json", "w").write('{{"score": 100}}')
except OSError as error:
    print("no", type(error).__name__)
builtins.AssertionError = ValueError
def double(x):
    os._exit(0)
"""


@pytest.fixture(scope="module")
def course(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course that nobody has handed in to."""
    return copy_of(released, tmp_path_factory.mktemp("gradescope") / "course")


@pytest.fixture(scope="module")
def root(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of Gradescope's container, with the packages that setup.sh installs: links to
    those that are installed here, and our wheel.
    """
    root = tmp_path_factory.mktemp("container")
    command: list[str | Path] = [
        BINARIES / "nbreferee",
        "gradescope",
        "ps1",
        "--course-dir",
        course,
        "--to",
        root / "autograder.zip",
        "--visibility",
        "why=after_published",
    ]
    subprocess.run(command, check=True, capture_output=True)
    with zipfile.ZipFile(root / "autograder.zip") as archive:
        archive.extractall(root / "source")
    venv.create(root / "venv", with_pip=False, symlinks=True)
    (here,) = (Path(sys.prefix) / "lib").glob("python3.*/site-packages")
    (there,) = (root / "venv/lib").glob("python3.*/site-packages")
    shutil.copytree(
        here,
        there,
        copy_function=_link,
        ignore=shutil.ignore_patterns("*nbreferee*", "*.pyc", "jedi", "playwright"),
        dirs_exist_ok=True,
    )
    with zipfile.ZipFile(next((root / "source").glob("*.whl"))) as wheel:
        wheel.extractall(there)
    shutil.copy(root / "source/run_autograder", root)
    return root


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)


def run(
    root: Path, files: dict[str, bytes], denied: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the autograder as Gradescope does, in a namespace without a network; some system calls
    may be denied.
    """
    for name in ("submission", "results"):
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir()
    for name, data in files.items():
        (root / "submission" / name).write_bytes(data)
    no_network = (
        ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    )
    command = [*no_network, "bash", str(root / "run_autograder")]
    if denied:
        package = str(Path(__file__).parents[2])
        program = PROGRAM.format(package=package, denied=[NUMBERS[name] for name in denied])
        command = [
            *no_network,
            sys.executable,
            "-c",
            f"{program}\nimport os\nos.execvp('bash', ['bash', {str(root / 'run_autograder')!r}])",
        ]
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(root),
        "AUTOGRADER_ROOT": str(root),
    }
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root)


def results(root: Path, files: dict[str, bytes], denied: tuple[str, ...] = ()) -> dict[str, Any]:
    """Run it, and return results.json, which must have the documented fields alone."""
    ended = run(root, files, denied)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found: dict[str, Any] = json.loads((root / "results/results.json").read_text())
    for entry, fields in [(found, TOP), *((test, TEST) for test in found["tests"])]:
        for name, value in entry.items():
            wanted = fields[name]
            assert value in wanted if isinstance(wanted, set) else isinstance(value, wanted), (
                name,
                value,
            )
    assert "score" in found
    return found


def scores(course: Path, files: dict[str, bytes]) -> dict[str, float]:
    """What `nbreferee autograde` gives for the same files."""
    folder = course / "submitted/same/ps1"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return {
        cell.grade_id: cell.score
        for one in grade_here(course, "same").values()
        for cell in one.cells
        if cell.status != "manual"
    }


def files(course: Path, **answers: str) -> dict[str, bytes]:
    ANSWERS["these"] = {**RIGHT, **answers}
    return notebooks(course, "these")


def by_name(found: dict[str, Any]) -> dict[str, float | None]:
    return {test["name"].partition(": ")[2]: test.get("score") for test in found["tests"]}


def test_right_answers_get_their_points_at_tier_b(course: Path, root: Path) -> None:
    right = files(course)
    found = results(root, right, TIER_B)
    assert (found["score"], [test["number"] for test in found["tests"]]) == (
        5.0,
        ["1.1", "2.1", "2.2"],
    )
    assert {name: score for name, score in by_name(found).items() if score is not None} == scores(
        course, right
    )
    (why,) = [test for test in found["tests"] if test["name"] == "two: why"]
    assert (why["visibility"], why.get("status"), why["output"]) == (
        "after_published",
        None,
        "A person grades this answer, for 4 points.",
    )


def test_loops_and_what_is_no_json_cost_their_exercises_alone(course: Path, root: Path) -> None:
    given = {**files(course, half=LOOPS), "one.ipynb": b"<html>no notebook</html>"}
    found = results(root, given)
    assert by_name(found) == {"double_tests": 0.0, "half_tests": 0.0, "why": None}
    outputs = {test["name"]: test["output"] for test in found["tests"]}
    assert "`one.ipynb` cannot be read" in outputs["one: double_tests"]
    assert "takes too long" in outputs["two: half_tests"]
    assert "hand it in again" in found["output"]


def test_attacks_gain_nothing_and_other_names_are_told(course: Path, root: Path) -> None:
    attack = files(course, double=ATTACK.format(root=str(root)))
    given = {"one.ipynb": attack["one.ipynb"], "my homework.ipynb": attack["two.ipynb"]}
    found = results(root, given)
    expected = scores(course, given)
    assert {name: score for name, score in by_name(found).items() if name in expected} == expected
    assert by_name(found)["double_tests"] == 0.0
    assert "`my homework.ipynb`" in found["output"] or "my homework" in found["output"]
    assert "HIDDEN" not in json.dumps(found)


def test_without_a_sandbox_nobody_gets_a_score(course: Path, root: Path) -> None:
    ended = run(root, files(course), (*TIER_B, "landlock"))
    assert ended.returncode == 1
    assert "the sandbox lacks a layer" in ended.stdout
    assert not (root / "results/results.json").exists()


def test_the_zip_holds_no_student(course: Path, root: Path) -> None:
    (course / "submitted/somebody/ps1").mkdir(parents=True)
    assert b"same" not in (root / "source/course/gradebook.db").read_bytes()
    names = zipfile.ZipFile(root / "autograder.zip").namelist()
    assert names[:2] == ["setup.sh", "run_autograder"]
    assert not [name for name in names if "submitted" in name]
    assert subprocess.run(["bash", "-n", root / "source/setup.sh"]).returncode == 0


MARKDOWN = {
    "a fence": block("```\n# big"),
    "a tick": code("a`b"),
    "a link": plain("[x](javascript:1) <script>"),
    "a cause": message("AssertionError: no\nLikely cause: You use `<b>`."),
}
SHOWN = {
    "a fence": "````text\n```\n# big\n````",
    "a tick": "`a'b`",
    "a link": r"\[x\]\(javascript:1\) \<script\>",
    "a cause": "```text\nAssertionError: no\n```\n\n**Likely cause:** You use \\`\\<b\\>\\`\\.",
}


@pytest.mark.parametrize("case", MARKDOWN)
def test_nothing_of_a_message_is_markup(case: str) -> None:
    assert MARKDOWN[case] == SHOWN[case]
