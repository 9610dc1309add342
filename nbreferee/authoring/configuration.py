"""nbreferee init: lines by which nbgrader grades with nbreferee, put into a course or taken out.

The lines stand in a block of their own at the end of `nbgrader_config.py`. Taking it out leaves
every other byte of the file as it was.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from traitlets.config import Config

from nbreferee.course.configuration import NAME, ConfigurationError, read_configuration
from nbreferee.grading.atomic import whole_file

# The settings, as nbgrader has to read them.
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "Autograde.sanitize_preprocessors": ("nbreferee.preprocessors.RebuildSubmission",),
    "Autograde.autograde_preprocessors": (
        "nbreferee.preprocessors.GradeSubmission",
        "nbreferee.preprocessors.SaveGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
    ),
    "GenerateFeedback.preprocessors": (
        "nbgrader.preprocessors.GetGrades",
        "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
        "nbreferee.preprocessors.PreparePage",
    ),
}
BEGIN = (
    "# >>> nbreferee init: nbgrader grades with nbreferee. To take this out: nbreferee init --undo"
)
END = "# <<< nbreferee init"
NEW_FILE = " (this file is new)"
NO_NEWLINE = " (the line before had no end)"
BEGIN_LINE = "c = get_config()"
_BLOCK = re.compile(
    rb"(?P<begin>"
    + re.escape(BEGIN.encode())
    + rb"(?P<note>[^\r\n]*))(?P<end_of_line>\r\n|\n|\r)(?P<lines>.*?)"
    + re.escape(END.encode())
    + rb"(?:\r\n|\n|\r)?",
    re.DOTALL,
)


class InitError(Exception):
    """A course in which this cannot be done; the text says why and what to do."""


@dataclass(frozen=True)
class Initialised:
    """What has been done to a configuration."""

    path: Path
    lines: tuple[str, ...] = ()  # that were added or taken out
    notes: tuple[str, ...] = ()  # what a person should know besides


def setting_line(name: str) -> str:
    """Return the line that sets a setting."""
    values = ", ".join(f'"{value}"' for value in SETTINGS[name])
    return f"c.{name} = [{values}]"


def add_settings(folder: Path) -> Initialised:
    """Add the lines that a course lacks.

    Raises
    ------
    InitError
        where there is no course, or its configuration cannot be changed so that the lines hold.
    """
    root, before = _read(folder)
    path = root / f"{NAME}.py"
    missing = [name for name in SETTINGS if _named(before, name) != SETTINGS[name]]
    if not missing:
        return Initialised(path)
    data = path.read_bytes() if path.exists() else None
    if data is not None and (found := _BLOCK.search(data)):
        note, data = found["note"], _without(data, found)  # an older or an edited block
        data = None if NEW_FILE.encode() in note and not data else data
        missing = list(SETTINGS)
    lines = [setting_line(name) for name in SETTINGS if name in missing]
    notes = [note for name in missing for note in _replaced(before, name)]
    was = path.read_bytes() if path.exists() else None
    _write(path, _with_block(data, lines))
    try:
        _, after = _read(folder)
        if ignored := [name for name in missing if _named(after, name) != SETTINGS[name]]:
            raise InitError(
                f"{path}: another configuration comes after this file and sets c.{ignored[0]}, "
                f"{NAME}.json perhaps. Take the setting out there, then run nbreferee init again."
            )
    except BaseException:
        _restore(path, was)
        raise
    return Initialised(path, tuple(lines), tuple(notes))


def remove_settings(folder: Path) -> Initialised:
    """Take the lines out again; those that somebody has written among them stay.

    Raises
    ------
    InitError
        where there are none.
    """
    path = _root(folder) / f"{NAME}.py"
    data = path.read_bytes() if path.exists() else b""
    found = _BLOCK.search(data)
    if found is None:
        raise InitError(f"{path}: nbreferee init has added nothing here.")
    ours = {setting_line(name) for name in SETTINGS} | {BEGIN_LINE}
    lines = found["lines"].decode(errors="surrogateescape").splitlines()
    kept = [line for line in lines if line.strip() and line not in ours]
    rest = _without(data, found)
    if NEW_FILE.encode() in found["note"] and not rest:
        path.unlink()
    else:
        _write(path, rest)
    notes = [f"This line of yours stays: {line}" for line in kept]
    removed = tuple(line for line in lines if line in ours and line != BEGIN_LINE)
    return Initialised(path, removed, tuple(notes))


def _without(data: bytes, found: re.Match[bytes]) -> bytes:
    ours = {setting_line(name).encode() for name in SETTINGS} | {BEGIN_LINE.encode()}
    kept = b"".join(
        line
        for line in found["lines"].splitlines(keepends=True)
        if line.rstrip(b"\r\n") not in ours
    )
    before, after = data[: found.start()], data[found.end() :]
    if NO_NEWLINE.encode() in found["note"] and not kept and not after:
        before = before.removesuffix(found["end_of_line"])
    return before + kept + after


def _with_block(data: bytes | None, lines: Sequence[str]) -> bytes:
    """Return a file with the block at its end, in the file's own line ends."""
    data, note = (b"", NEW_FILE) if data is None else (data, "")
    newline = next((end for end in (b"\r\n", b"\n", b"\r") if end in data), b"\n")
    if data and not data.endswith(newline):
        data, note = data + newline, NO_NEWLINE
    block = [BEGIN + note, BEGIN_LINE, *lines, END]
    return data + b"".join(line.encode() + newline for line in block)


def _replaced(config: Config, name: str) -> Iterator[str]:
    """Yield which steps of the course's own nbgrader will no longer take."""
    for value in _named(config, name):
        if not value.startswith(("nbgrader.", "nbconvert.", "nbreferee.")):
            yield f"c.{name} was set: nbgrader no longer runs {value}."


def _named(config: Config, name: str) -> tuple[str, ...]:
    """Return a setting's values as names; nothing where it is not set."""
    section, _, key = name.partition(".")
    values = config[section].get(key) if section in config else None
    if not isinstance(values, list | tuple):
        return ()
    return tuple(
        value if isinstance(value, str) else f"{value.__module__}.{value.__qualname__}"
        for value in values
    )


def _read(folder: Path) -> tuple[Path, Config]:
    """Return the root of a course and its configuration, as nbgrader reads it."""
    if not folder.is_dir():
        raise InitError(f"{folder}: no such folder. Name the course's with --course-dir.")
    try:
        course = read_configuration(folder, named=folder != Path())
    except ConfigurationError as error:
        if (folder / f"{NAME}.py").exists():
            raise InitError(str(error)) from None
        root, config, source = folder, Config(), folder / "source"
    else:
        root, config = Path(course.root), course.config
        source = Path(course.format_path(course.source_directory, ".", "."))
    if not (root / f"{NAME}.py").exists() and not source.is_dir():
        raise InitError(
            f"{root}: this is no course of nbgrader's, for there is neither {NAME}.py nor "
            f"{source.name}/. Go to the course's folder, or make one: nbgrader quickstart NAME."
        )
    return root, config


def _root(folder: Path) -> Path:
    with contextlib.suppress(InitError):
        return _read(folder)[0]
    return folder


def _write(path: Path, data: bytes) -> None:
    target = path.resolve()  # a link stays one
    mode = target.stat().st_mode if target.exists() else None
    with whole_file(target) as file:
        file.write(data)
    if mode is not None:
        target.chmod(mode & 0o7777)


def _restore(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink(missing_ok=True)
    else:
        _write(path, data)
