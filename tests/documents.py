"""What README.md and docs/ hold: blocks of code, links, and names of commands, options, files and settings.

A block stands between lines of three backticks, with its language. The tests run blocks in order, page by page:

- `bash`: each line is a command; all of them must succeed.
- `console`: a command stands after "$ ", what it prints below it. "..." stands for anything.
- `python`: run in one namespace a page; `c = get_config()` gives an empty configuration.
- `toml`: must be TOML. `text` is not run.

A comment in the line above a block may say `<!-- not run: REASON -->`, or `<!-- exit status 1: REASON -->`.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from traitlets.config import Config

COURSE = Path(__file__).parent.parent
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
NOT_RUN = re.compile(r"<!-- not run: ((?:(?!-->).)+?) -->\s*$", re.DOTALL)
EXIT_STATUS = re.compile(r"<!-- exit status (\d+): (?:(?!-->).)+? -->\s*$", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code, and the line that it begins in."""

    language: str
    text: str
    line: int
    not_run: str = ""  # why
    status: int = 0  # of the last command

    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each command with the lines that it prints."""
        if self.language == "bash":
            lines = re.sub(r"\s+#.*", "", self.text).replace("\\\n", " ").splitlines()
            yield from ((line.strip(), []) for line in lines if line.strip())
            return
        for part in re.split(r"^\$ ", self.text.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
            command, *printed = part.splitlines()
            yield command.strip(), [line for line in printed if line.strip()]


@dataclass(frozen=True)
class Page:
    """One document."""

    path: Path

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return str(self.path.relative_to(COURSE))

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks of code, in order."""
        return tuple(self._blocks())

    def _blocks(self) -> Iterator[Block]:
        for found in FENCE.finditer(self.text):
            before = self.text[: found.start()]
            why, status = NOT_RUN.search(before), EXIT_STATUS.search(before)
            text = re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
            yield Block(
                found["language"],
                text,
                before.count("\n") + 1,
                " ".join(why[1].split()) if why else "",
                int(status[1]) if status else 0,
            )

    @cached_property
    def prose(self) -> str:
        """The text without its blocks."""
        return FENCE.sub("", self.text)

    @property
    def links(self) -> list[str]:
        return LINK.findall(self.prose)

    @property
    def spans(self) -> list[str]:
        """What stands between single backticks."""
        return SPAN.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """What links to a heading of this page end in, as GitHub makes it."""
        return {
            re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading)).lower().strip().replace(" ", "-")
            for heading in HEADING.findall(self.prose)
        }

    def command_lines(self) -> Iterator[str]:
        """Yield every command line, whether it is run or not: of blocks, and of spans."""
        for block in self.blocks:
            if block.language in ("bash", "console"):
                yield from (command for command, _ in block.commands())
        yield from self.spans


PAGES = tuple(
    Page(path)
    for path in (
        COURSE / "README.md",
        COURSE / "CONTRIBUTING.md",
        COURSE / "SECURITY.md",
        *sorted((COURSE / "docs").glob("*.md")),
    )
)


def run_page(
    page: Page, folder: Path, home: Path, after: Callable[[Block], object] = lambda _: None
) -> None:
    """Run the blocks of a page in order, beginning in `folder`; `home` is the home folder.

    `after` does what a person does between two blocks, marking for example.
    """
    names: dict[str, object] = {"get_config": Config, "c": Config()}
    for block in page.blocks:
        where = f"{page.name}, line {block.line}"
        if block.not_run or block.language == "text":
            continue
        if block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "python":
            with contextlib.chdir(folder):
                exec(compile(block.text, where, "exec"), names)
        else:
            folder = _run_block(block, folder, home, where)
            after(block)


def _run_block(block: Block, folder: Path, home: Path, where: str) -> Path:
    """Run the commands of a block; return the folder in which they end."""
    here = home / ".here"
    environment = os.environ | {"HOME": str(home), "COLUMNS": "120", "HERE": str(here)}
    commands = list(block.commands())
    assert commands, where
    for number, (command, printed) in enumerate(commands):
        ran = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f"{command}\ncode=$?; pwd > $HERE; exit $code"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        wanted = block.status if number == len(commands) - 1 else 0
        assert ran.returncode == wanted, f"{where}: $ {command}\n{ran.stdout[-3000:]}"
        folder = Path(here.read_text().strip())
        said = " ".join(ran.stdout.split())
        for line in printed:
            parts = [re.escape(" ".join(part.split())) for part in line.split("...")]
            assert re.search(".*".join(parts), said), (
                f"{where}: {line}\n\n$ {command}\n{ran.stdout}"
            )
    return folder
