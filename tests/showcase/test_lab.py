"""`make lab`: JupyterLab comes up on this course, with nbgrader's extensions."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from notebooks import COURSE, SOURCES


@pytest.fixture(scope="module")
def lab() -> Iterator[str]:
    """The address of a running JupyterLab, on this machine alone."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = f"--no-browser --ip=127.0.0.1 --port={port} --ServerApp.token=test"
    environment = Path(sys.executable).parent.parent
    command = ["make", "lab", f"VENV={environment}", f"lab_options={options}"]
    process = subprocess.Popen(
        command,
        cwd=COURSE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(600):
            try:
                fetch(f"http://127.0.0.1:{port}", "api")
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def fetch(address: str, path: str) -> bytes:
    separator = "&" if "?" in path else "?"
    with urllib.request.urlopen(f"{address}/{path}{separator}token=test", timeout=60) as page:
        return bytes(page.read())


def test_lab_serves_the_course(lab: str) -> None:
    listed = json.loads(fetch(lab, "api/contents/source"))
    assert {entry["name"] for entry in listed["content"]} >= {
        source.parent.name for source in SOURCES
    }


def test_formgrader_lists_the_assignments(lab: str) -> None:
    listed = json.loads(fetch(lab, "formgrader/api/assignments"))
    assert {entry["name"] for entry in listed} == {source.parent.name for source in SOURCES}


def test_nbgraders_lab_extension_is_on(lab: str) -> None:
    page = fetch(lab, "lab").decode()
    assert "@jupyter/nbgrader" in page


def test_formgrader_finds_the_exchange(lab: str) -> None:
    page = fetch(lab, "formgrader/manage_assignments").decode()
    assert "Add new assignment" in page
    assert "alert-warning" not in page


def test_assignment_list_finds_the_exchange(lab: str) -> None:
    listed = json.loads(fetch(lab, "assignments?course_id=gradients"))
    assert listed["success"] is True
