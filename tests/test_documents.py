"""The documents tell what is there: their blocks run, and each link, path, command, option and setting in them exists."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import commands_page
import nbgrader.apps
import nbgrader.exchange.default
import nbgrader.plugins
import pytest
from documents import COURSE, PAGES, Page, run_page
from failures import PAGE as failures_page
from failures import grade_failures, table, with_table
from nbgrader import converters, preprocessors
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Configurable

from nbreferee.cli import main
from nbreferee.course.settings import NbReferee

REPORTED = re.compile(r"\bnbreferee ((?:[a-z]+)\b)(.*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
# Folders that a class goes through, and what commands write: not in a clone.
MADE = ("submitted", "autograded", "feedback", "exchange", "bench")

# Where the commands of a page are typed; the others begin in an empty folder.
IN_THIS_COURSE = ("README.md", "CONTRIBUTING.md", "docs/verify.md", "docs/instructor.md")
IN_A_GRADED_COURSE = (
    "docs/course-setup.md",
    "docs/grader.md",
    "docs/groups.md",
    "docs/how-tests-run.md",
    "docs/marking.md",
    "docs/regrading.md",
    "docs/report.md",
)

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def tracked_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=COURSE,
        check=True,
        capture_output=True,
        text=True,
    )
    return listed.stdout.splitlines()


# ---------------------------------------------------------------- what the command line and the settings hold


def test_page_of_commands_is_what_the_command_line_says() -> None:
    assert commands_page.PAGE.read_text() == commands_page.commands_page(), (
        "run: python scripts/commands_page.py"
    )


@pytest.mark.parametrize(
    "option",
    [
        pytest.param(option, id=f"{name} {option.opts[0]}")
        for name, command in main.commands.items()
        for option in command.params
        if isinstance(option, click.Option)
    ],
)
def test_option_is_explained_in_a_sentence_and_its_default_is_told(option: click.Option) -> None:
    assert re.search(r"\w.*[.)]$", option.help or ""), option.help
    told = commands_page.default_of(option)
    value = option.to_info_dict()["default"]
    assert told != "none" or not isinstance(value, int | float | str) or not value


# ---------------------------------------------------------------- what the documents name


@by_page
def test_links_lead_somewhere(page: Page) -> None:
    broken = []
    for link in page.links:
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.path.parent / path).resolve() if path else page.path
        if not target.exists() or (anchor and anchor not in Page(target).anchors):
            broken.append(link)
    assert broken == []


@by_page
def test_paths_are_those_of_files_in_a_clone(page: Page) -> None:
    tracked = tracked_files()
    folders = {str(parent) for name in tracked for parent in Path(name).parents}
    tops = {name.partition("/")[0] for name in tracked if "/" in name} - {*MADE}
    missing = []
    for span in page.spans:
        path = span.removesuffix("/")
        if not re.fullmatch(r"[\w.*-]+(/[\w.*-]+)+", path) or path.partition("/")[0] not in tops:
            continue
        if re.search(r"\b(?:[A-Z]{3,}|ps1|week1)\b", path):  # a place holder
            continue
        if "*" in path:
            if not list(COURSE.glob(path)):
                missing.append(span)
        elif path not in tracked and path not in folders:
            missing.append(span)
    assert missing == []


@by_page
def test_commands_and_their_options_exist(page: Page) -> None:
    wrong = []
    for line in page.command_lines():
        for found in REPORTED.finditer(line):
            command = main.commands.get(found[1])
            if command is None:
                wrong.append(line)
                continue
            known = {name for option in command.params for name in option.opts} | {"--help"}
            end = re.split(r"&&|\||;", found[2])[0]
            wrong += [f"{line}: {name}" for name in OPTION.findall(end) if name not in known]
    assert wrong == []


@by_page
def test_options_by_themselves_are_those_of_some_command(page: Page) -> None:
    known = {
        name for one in main.commands.values() for option in one.params for name in option.opts
    }
    alone = {name for span in page.spans if span.startswith("--") for name in OPTION.findall(span)}
    others = {"--help", "--version", "--exporter"}
    for script in (COURSE / "benchmarks").glob("*.py"):
        others |= set(OPTION.findall(script.read_text()))
    assert alone - known - others == set()


@by_page
def test_make_targets_and_nbgraders_commands_exist(page: Page) -> None:
    targets = set(re.findall(r"^([\w.$()/]+):", (COURSE / "Makefile").read_text(), re.MULTILINE))
    targets |= {".venv/ready"}
    commands = set(nbgrader.apps.NbGraderApp.subcommands)
    wrong = []
    for line in page.command_lines():
        if (found := re.match(r"make ([\w./]+)", line)) and found[1] not in targets:
            wrong.append(line)
        named = re.findall(r"\bnbgrader ([a-z_]+)\b", line)
        wrong += [line for name in named if name not in commands]
    assert wrong == []


def classes_with_settings() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    modules = (
        converters,
        preprocessors,
        nbgrader.exchange.default,
        nbgrader.plugins,
        nbgrader.apps,
    )
    kinds = [
        CourseDirectory,
        NbReferee,
        *(
            value
            for module in modules
            for value in vars(module).values()
            if isinstance(value, type)
        ),
    ]
    for kind in kinds:
        for one in kind.__mro__:
            if issubclass(one, Configurable):
                found.setdefault(one.__name__, set()).update(one.class_traits(config=True))
    return found


@by_page
def test_settings_exist(page: Page) -> None:
    known = classes_with_settings()
    named = set(re.findall(r"\bc\.([A-Z]\w+)\.([a-z]\w+)", page.text))
    assert {f"{kind}.{name}" for kind, name in named if name not in known.get(kind, ())} == set()


@by_page
def test_blocks_have_a_language_and_none_is_indented(page: Page) -> None:
    assert {block.language for block in page.blocks} <= {
        "bash",
        "console",
        "python",
        "toml",
        "text",
    }
    lines = page.prose.splitlines()
    indented = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if re.match(r" {4,}\S", line) and not before.strip() and not re.match(r" +[-*\d]", line)
    ]
    assert indented == []


def test_index_leads_to_every_page() -> None:
    index = Page(COURSE / "docs/README.md")
    there = {path.name for path in (COURSE / "docs").glob("*.md")} - {"README.md"}
    assert there - {link.partition("#")[0] for link in index.links} == set()


# ---------------------------------------------------------------- what the documents have people do


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A small class, graded, with a submission of every kind that fails; and the table of them."""
    course = tmp_path_factory.mktemp("failures") / "course"
    return course, table(grade_failures(course))


def test_graders_page_shows_what_is_said_of_each_failed_submission(
    failures: tuple[Path, str],
) -> None:
    text = failures_page.read_text()
    assert text == with_table(text, failures[1]), "run: python tests/failures.py"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "lms-" not in page.name], ids=lambda page: page.name
)
def test_blocks_run_in_order(page: Page, tmp_path: Path, failures: tuple[Path, str]) -> None:
    folder = tmp_path
    if page.name in IN_A_GRADED_COURSE:
        folder = Path(shutil.copytree(failures[0], tmp_path / "course", symlinks=True))
    elif page.name in IN_THIS_COURSE:
        folder = COURSE
    run_page(page, folder, tmp_path)


def test_speed_is_quoted_as_it_was_measured() -> None:
    scaling = (COURSE / "docs/scaling.md").read_text()
    found = re.search(r"^\| autograde \| (\d+) \| (\d+) \| ([\d.]+) \|$", scaling, re.MULTILINE)
    assert found
    _, ours, times = found.groups()
    for page in PAGES:
        for quoted in re.findall(r"(\d+) times as many", page.text):
            assert int(quoted) == round(float(times)), page.name
        for count, seconds in re.findall(r"(\d+) softmax notebooks take about (\d+) s", page.text):
            assert float(seconds) == pytest.approx(60 * int(count) / int(ours), rel=0.1), page.name
