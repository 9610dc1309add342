"""A course's configuration, read as nbgrader's own commands read it.

In order of rising precedence: `jupyter_config` and `nbgrader_config` (.py, .json) of Jupyter's
folders, ~/.jupyter for example, `nbgrader_config` of the current folder, and that of the course's
root.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader.apps.baseapp import NbGrader
from nbgrader.coursedir import CourseDirectory
from traitlets import default
from traitlets.config import Config

NAME = "nbgrader_config"


class ConfigurationError(Exception):
    """A configuration that cannot be read; the text says where, why and what to do."""


class _Application(NbGrader):  # type: ignore[misc]  # nbgrader has no types
    """nbgrader's application as far as it reads its configuration."""

    name = NAME.removesuffix("_config")  # as messages of traitlets have it
    description = __doc__

    @default("log")
    def _log_default(self) -> logging.Logger:
        # What cannot be read is an error here. `getLogger` would pass it on to the root logger.
        quiet = logging.Logger(__name__)  # noqa: LOG001
        quiet.addHandler(logging.NullHandler())
        return quiet

    def parse_command_line(self, argv: Any = None) -> None:
        """Take no options: those of nbreferee are in `cli_config`."""

    def migrate_config(self) -> None:
        """Leave the user's folders as they are."""

    def init_syspath(self) -> None:
        """Let the configuration import what lies in the course, plugins for example."""
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())

    def exit(self, exit_status: int | str | None = 0) -> None:
        """Raise what traitlets has caught."""
        raise  # noqa: PLE0704, it is called where the error is handled


def read_configuration(folder: Path, named: bool) -> CourseDirectory:
    """Return the course that nbgrader would work on in `folder`, with its configuration.

    Parameters
    ----------
    folder
        The current folder.
    named
        Whether the user has named the folder as the course's: then no file may name another root.

    Raises
    ------
    ConfigurationError
        if there is no configuration, or it cannot be read.
    """
    application = _Application(raise_config_file_errors=True)
    if named:
        application.cli_config = Config({"CourseDirectory": {"root": str(folder.resolve())}})
        application.update_config(application.cli_config)
    with _current_folder(folder):
        try:
            application.initialize([])
        except Exception as error:
            broken = _last_read(application) or folder / f"{NAME}.py"
            raise ConfigurationError(f"{broken}: {error}. Mend the file.") from error
        if not _is_configured(application):
            raise ConfigurationError(
                f"{folder}: no {NAME}.py here. Go to the course's folder, or name it with "
                "--course-dir."
            )
        application.config.CourseDirectory.root = application.coursedir.root
        return CourseDirectory(config=application.config)


def _is_configured(application: _Application) -> bool:
    """Return whether there is a configuration of nbgrader's; one that sets nothing will do."""
    if any(Path(path).stem == NAME for path in application.loaded_config_files):
        return True
    folders = (os.getcwd(), application.coursedir.root)
    return any(
        (Path(folder) / f"{NAME}{end}").is_file() for folder in folders for end in (".py", ".json")
    )


def _last_read(application: _Application) -> Path | None:
    """Return the file that is at fault: the first of those that nbgrader reads that cannot be
    loaded.
    """
    folders = [*reversed(application.config_file_paths), os.getcwd(), application.coursedir.root]
    for path in (Path(folder) / f"{NAME}{end}" for folder in folders for end in (".py", ".json")):
        loader = (
            application.python_config_loader_class
            if path.suffix == ".py"
            else application.json_config_loader_class
        )
        if path.is_file():
            try:
                loader(path.name, path=str(path.parent)).load_config()
            except Exception:
                return path
    return None


@contextlib.contextmanager
def _current_folder(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
