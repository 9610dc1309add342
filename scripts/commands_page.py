"""Write docs/commands.md from the command line itself: python scripts/commands_page.py"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from nbreferee.cli import main

PAGE = Path(__file__).parent.parent / "docs/commands.md"
TOP = """# Commands

This page is written by `python scripts/commands_page.py` from what `nbreferee --help` knows. Every
command works on the nbgrader course in the current folder; `--course-dir` names another. Without
ASSIGNMENTS it works on all of them.

`nbreferee --version` prints the version, `nbreferee COMMAND --help` the options of a command.
`python -m nbreferee` is the same program.

| exit status | meaning |
|--:|:--|
| 0 | All is done. |
| 1 | Some of it could not be done, or needs a person: a line names each case and what to do. |
| 2 | Nothing could be done: the options or the course are at fault. The message says what to do. |
| 130 | Stopped with Ctrl-C. What is done is kept; the same command goes on. |
"""
DEFAULT = re.compile(r"\s*\((?:default: )(.+?)\)")


def commands_page() -> str:
    """Return the page."""
    parts = [TOP, *_list_of_commands()]
    for name, command in sorted(main.commands.items()):
        parts += _section(name, command)
    return "\n".join(parts).rstrip() + "\n"


def default_of(option: click.Option) -> str:
    """Return what holds where an option is not given, as the page says it."""
    if option.required:
        return "must be given"
    if option.is_flag and not DEFAULT.search(option.help or ""):
        return "off"
    if option.multiple:
        return "none"
    if found := DEFAULT.search(option.help or ""):
        return found[1]
    plain = option.to_info_dict().get("default")
    return f"`{plain}`" if plain not in (None, "") else "none"


def _list_of_commands() -> Iterator[str]:
    yield "| command | |\n|:--|:--|"
    for name, command in sorted(main.commands.items()):
        first = (command.help or "").split("\n\n")[0]
        yield f"| [`nbreferee {name}`](#nbreferee-{name}) | {_line(first)} |"
    yield ""


def _section(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"nbreferee {name}")
    yield f"## nbreferee {name}\n"
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"```text\n{usage}\n```\n"
    for paragraph in (command.help or "").split("\n\n"):
        yield f"{_line(paragraph)}\n"
    rows = [
        f"| {_written(one, context)} | {_explained(one)} | {default_of(one)} |"
        for one in command.params
        if isinstance(one, click.Option)
    ]
    if rows:
        yield "\n".join(["| option | | default |", "|:--|:--|:--|", *rows, ""])


def _written(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    if option.is_flag:
        return names
    value = "N" if isinstance(option.type, click.IntRange | click.FloatRange) else ""
    value = value or option.make_metavar(context).replace("|", "\\|")
    return f"{names} `{value}`"


def _explained(option: click.Option) -> str:
    return _line(DEFAULT.sub("", option.help or ""))


def _line(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    PAGE.write_text(commands_page())
