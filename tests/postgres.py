"""A PostgreSQL server for a test: on a socket in a folder of its own, and gone with the process
that has started it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbgrader.api import Base
from sqlalchemy import create_engine, select, text

from nbreferee.sandbox import kernel

NOBODY = 65534


def programs() -> Path | None:
    """Return the folder of initdb and postgres: this system's, or those that pgserver brings; None
    where there are none.
    """
    folders = [
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
        *map(Path, os.environ["PATH"].split(os.pathsep)),
    ]
    if (spec := importlib.util.find_spec("pgserver")) is not None and spec.origin:
        folders.append(Path(spec.origin).parent / "pginstall/bin")
    return next(
        (
            folder
            for folder in folders
            if (folder / "initdb").exists() and (folder / "postgres").exists()
        ),
        None,
    )


def end_with_us() -> None:
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGQUIT)


@contextmanager
def server() -> Iterator[str]:
    """Run a server; yield its URL, with a place for the name of a database."""
    folder = Path(
        tempfile.mkdtemp(prefix="pg", dir="/tmp")
    )  # short, for a socket, and open to nobody
    there = programs()
    assert there, "PostgreSQL is not installed"
    who: dict[str, Any] = {}
    data = folder / "data"
    options = [f"-k{folder}", "-clisten_addresses=", "-cfsync=off"]
    try:
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            who = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            os.chown(folder, NOBODY, NOBODY)
            packages = there.parents[2]
            if (packages / "pgserver").is_dir():  # an environment that perhaps root alone can read
                for part in ("pgserver/pginstall", "pgserver.libs"):
                    shutil.copytree(packages / part, folder / "packages" / part)
                there = folder / "packages" / there.relative_to(packages)
        subprocess.run(
            [
                there / "initdb",
                "-D",
                data,
                "-U",
                "tests",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            **who,
        )
        command: list[str | Path] = [there / "postgres", "-D", data, *options]
        with subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            preexec_fn=end_with_us,  # noqa: PLW1509, no threads here
            **who,
        ) as process:
            assert process.stderr
            try:
                said = ""
                for line in process.stderr:
                    said += line
                    if "ready to accept connections" in line:
                        break
                assert process.poll() is None, said
                yield f"postgresql+psycopg://tests@/{{}}?host={folder}"
            finally:
                process.send_signal(signal.SIGINT)  # end all sessions
                process.communicate(timeout=60)
    finally:
        shutil.rmtree(folder)


def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of a gradebook by table; ids that are made by chance read as what they stand for."""
    names: dict[str, str] = {}
    found: dict[str, list[dict[str, Any]]] = {}
    engine = create_engine(url)
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            found[table.name] = []
            for row in connection.execute(select(table)).mappings():
                plain = {
                    column.name: names.get(row[column.name], row[column.name])
                    if column.foreign_keys
                    else row[column.name]
                    for column in table.columns
                }
                if "id" in plain and table.c.id.default is not None:
                    parts = [
                        plain[column.name]
                        for column in table.columns
                        if column.foreign_keys or column.name == "name"
                    ]
                    names[plain["id"]] = plain["id"] = f"{table.name}({', '.join(map(str, parts))})"
                found[table.name].append(plain)
            found[table.name].sort(key=lambda row: [str(value) for value in row.values()])
        found["alembic_version"] = [
            dict(row)
            for row in connection.execute(text("SELECT * FROM alembic_version")).mappings()
        ]
    engine.dispose()
    return found
