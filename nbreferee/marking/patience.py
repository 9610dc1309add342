"""How long marking waits for a gradebook that another program writes in: a person waits too."""

from __future__ import annotations

from typing import Any

from nbgrader.api import Gradebook
from sqlalchemy import event

LOCK_MS = 1_000


def wait_briefly(gradebook: Gradebook) -> None:
    """Have a locked gradebook say so within a second: a person waits for the answer."""
    if gradebook.engine.dialect.name == "sqlite":
        event.listen(gradebook.engine, "connect", _wait_a_second)
        gradebook.db.remove()
        gradebook.engine.dispose()


def _wait_a_second(connection: Any, _: object) -> None:
    """Have SQLite give up soon: the marker's page waits for the answer."""
    connection.execute(f"PRAGMA busy_timeout = {LOCK_MS}")
