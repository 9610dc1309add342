"""What `nbreferee bench` measures with: the same class every time, and all that a command
starts.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from building import answer, cell, graded, write
from click.testing import CliRunner
from notebooks import COURSE

from nbreferee.bench import Latency, Measurement, ratio, start_up
from nbreferee.bench import write as write_results
from nbreferee.bench.classroom import (
    as_stock,
    change_a_test,
    drawing_cells,
    hand_in,
    without_sharing,
)
from nbreferee.bench.commands import BenchError, CommandCost, run
from nbreferee.cli import main
from nbreferee.course.alternatives import alternatives_path

SOLUTION = "def f(x):\n    ### BEGIN SOLUTION\n    return x + 1\n    ### END SOLUTION"
ALTERNATIVES = ("def f(x):\n    return 1 + x", "def f(x):\n    one = 1\n    return x + one")
TEST = (
    "### BEGIN HIDDEN TESTS\ncheck(f, g, cases=[(1,)], mistakes={'nine': lambda x: x * 9, 'own': "
    "lambda x: g(x)})\n### END HIDDEN TESTS"
)
STUB = "def f(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"


def course(folder: Path) -> Path:
    for step, source in (("source", SOLUTION), ("release", STUB)):
        (folder / step / "ps1").mkdir(parents=True)
        write(folder / step / "ps1", cell("import math"), answer(source), graded(TEST))
    (folder / "source/one.alternatives.py").write_text(
        "\n".join(f"# %% f\n{one}\n" for one in ALTERNATIVES)
    )
    return folder


def handed_in(folder: Path) -> list[str]:
    return [
        nbformat.read(path, as_version=4).cells[1].source
        for path in sorted(folder.glob("submitted/*/ps1/one.ipynb"))
    ]


def test_class_is_the_same_every_time_and_answers_differ(tmp_path: Path) -> None:
    first, second = course(tmp_path / "a"), course(tmp_path / "b")
    kinds = hand_in(first, "ps1", 40)
    assert kinds == hand_in(second, "ps1", 40)
    answers = handed_in(first)
    assert answers == handed_in(second)
    assert len(answers) == kinds.total() == 40
    right = [one for one in answers if one in ALTERNATIVES]
    assert set(right) == set(ALTERNATIVES)
    assert len(right) == kinds["right"] > 20
    assert answers.count(STUB) == kinds["unwritten"] > 0
    assert answers.count("def f(x):\n    return x * 9") == kinds["mistake"] > 0
    assert len(set(answers) - {STUB, *ALTERNATIVES}) > 1


def test_without_alternatives_a_right_answer_is_the_solution(tmp_path: Path) -> None:
    mine = course(tmp_path)
    alternatives_path(mine / "source/ps1/one.ipynb").unlink()
    kinds = hand_in(mine, "ps1", 20)
    assert handed_in(mine).count("def f(x):\n    return x + 1") == kinds["right"] > 10


def test_bare_cells_run_all_cells_in_order_beside_the_notebook(tmp_path: Path) -> None:
    (tmp_path / "value.txt").write_text("3")
    write(
        tmp_path,
        cell("x = int(open('value.txt').read())"),
        cell("open('out.txt', 'w').write(str(2 * x))"),
    )
    run(
        [
            Path(sys.executable).name,
            "-m",
            "nbreferee.bench.floor",
            "2",
            str(tmp_path / "one.ipynb"),
        ],
        COURSE,
    )
    assert (tmp_path / "out.txt").read_text() == "6"


def test_latency_is_median_and_95th_percentile() -> None:
    found = Latency.of("in a class", [float(n) for n in range(1, 101)])
    assert (found.submissions, found.median_s) == (100, 50.5)
    assert 95 <= found.percentile_95_s <= 96


def test_stock_course_has_nbgraders_own_preprocessors(tmp_path: Path) -> None:
    from traitlets.config.loader import PyFileConfigLoader

    shutil.copy(COURSE / "nbgrader_config.py", tmp_path)
    as_stock(tmp_path)
    config = PyFileConfigLoader("nbgrader_config.py", path=str(tmp_path)).load_config()
    assert config.CourseDirectory.course_id == "gradients"
    assert "autograde_preprocessors" not in config.Autograde
    assert "sanitize_preprocessors" not in config.Autograde
    assert "preprocessors" not in config.GenerateFeedback


def test_time_and_memory_of_what_a_command_leaves_behind_count(tmp_path: Path) -> None:
    spin = (
        "x = bytearray(80 << 20); t = time.process_time()\n"
        "while time.process_time() < t + 0.5: pass"
    )
    code = (
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', "
        f"{'import time' + chr(10) + spin!r}], start_new_session=True)"
    )
    with subprocess.Popen(
        [sys.executable], stdin=subprocess.PIPE
    ):  # a child of ours that is none of the command's
        cost = run([Path(sys.executable).name, "-c", code], tmp_path)
    assert cost.cpu_s > 0.5
    assert cost.peak_mb > 80


def test_cells_that_draw_are_found_in_what_has_been_graded(tmp_path: Path) -> None:
    picture = nbformat.v4.new_output("display_data", {"image/png": "iVBO"})
    for number in range(2):
        cells = [cell("maybe()"), cell("never()"), graded()]
        for one in cells[: 1 if number else 0] + cells[2:]:
            one.outputs = [picture]
        (tmp_path / f"autograded/s{number}/ps1").mkdir(parents=True)
        write(tmp_path / f"autograded/s{number}/ps1", *cells)
    assert drawing_cells(tmp_path, "ps1") == {"maybe()"}


@pytest.mark.parametrize(
    ("sizes", "refused"),
    [("none", False), ("", False), ("10,20", False), ("ten", True), ("0", True)],
)
def test_class_sizes_are_numbers_or_none(sizes: str, refused: bool) -> None:
    ran = CliRunner().invoke(
        main, ["bench", "--course-dir", str(COURSE), "--sizes", sizes, "missing"]
    )
    assert ran.exit_code == 2
    assert ("not numbers with commas" in ran.output) is refused, ran.output
    assert ("missing" in ran.output) is not refused, ran.output


def test_help_and_click_are_both_timed() -> None:
    seconds = start_up()
    assert list(seconds) == ["nbreferee --help", "python -c 'import click'"]
    assert min(seconds.values()) > 0


def test_command_that_fails_is_named_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="ended with status 3: sorry"):
        run([Path(sys.executable).name, "-c", "print('sorry'); raise SystemExit(3)"], tmp_path)


def test_results_are_written_with_their_ratios(tmp_path: Path) -> None:
    def one(grader: str, figures: bool, wall_s: float, **others: Any) -> Measurement:
        return Measurement(
            "autograde",
            grader,
            figures,
            others.get("students", 10),
            20,
            others.get("jobs", 1),
            CommandCost(wall_s, wall_s, 100, "writing results   0.5 s"),
            0.8,
        )

    measured = [
        one("nbreferee", True, 10),
        one("nbgrader", True, 60),
        one("nbreferee", True, 99, students=50, jobs=2),
        one("nbgrader", False, 8),
        one("bare cells", True, 15),
    ]
    assert ratio(measured, "autograde", True) == 6
    assert ratio(measured, "autograde", True, "bare cells") == 1.5
    assert ratio(measured, "autograde", False) is None
    latencies = [Latency.of("in a class", [1.0, 2.0])]
    write_results(measured, latencies, {"nbreferee --help": 0.1}, tmp_path)
    found = json.loads((tmp_path / "bench.json").read_text())
    assert found["ratios"]["autograde, with figures"] == 6
    assert found["start_up_s"] == {"nbreferee --help": 0.1}
    assert found["measured"][0]["writing"] == 0.05
    assert found["latencies"][0]["median_s"] == 1.5
    assert [one["notebooks_a_minute"] for one in found["measured"]] == [120, 20, 12.1, 150, 80]
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")


def test_changed_test_and_unshared_class_differ_in_a_line(tmp_path: Path) -> None:
    mine = course(tmp_path)
    (mine / "nbgrader_config.py").write_text("c = get_config()")
    without_sharing(mine)
    config = (mine / "nbgrader_config.py").read_text()
    assert config == "c = get_config()\nc.NbReferee.share_results = False\n"
    change_a_test(mine, "ps1")
    changed = nbformat.read(mine / "source/ps1/one.ipynb", as_version=4).cells[2].source
    assert changed == TEST.replace("\n### END", "\nassert True\n### END")
