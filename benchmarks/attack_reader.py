"""A person opens hostile submissions in the Formgrader, with a real browser: which of them act
there?
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from browser import Listener, chromium, formgrader

LOOKS_S = 5  # how long a person looks at a submission; an attack types marks every 1.5 s


def acted(folder: Path, students: Iterable[str], listener: Listener) -> set[str]:
    """Return the students whose submissions ran code in the browser, left the page, or called
    somebody.
    """
    found = set()
    with formgrader(folder) as server, chromium() as browser:
        window = browser.new_context(viewport={"width": 1200, "height": 1600})
        server.log_in(window.new_page())
        for student, number in _submissions(folder).items():
            if student not in students:
                continue
            listener.requests.clear()
            page = window.new_page()
            address = f"{server.address}/formgrader/submissions/{number}/"
            page.goto(address)
            page.wait_for_timeout(1000 * LOOKS_S)
            if (
                page.url.rstrip("/").partition("?")[0] != address.rstrip("/")
                or listener.requests
                or page.evaluate("window.ran")
            ):
                found.add(student)
            page.close()
    return found


def _submissions(folder: Path) -> dict[str, str]:
    """Return the id in the Formgrader of each student's notebook."""
    query = (
        "select sa.student_id, sn.id from submitted_notebook sn join submitted_assignment sa on "
        "sa.id = sn.assignment_id"
    )
    with closing(sqlite3.connect(folder / "gradebook.db")) as book:
        return dict(book.execute(query))
