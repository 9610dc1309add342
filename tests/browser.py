"""A real browser, a Jupyter server with nbgrader's Formgrader, and a listener that counts who
calls: all on this machine alone.

    from browser import skip_without_chromium
    pytestmark = skip_without_chromium

    def test_of_a_page(browser): ...  # the fixture is in conftest.py

Where Chromium is missing, tests are skipped with a sentence; in CI (`CI=true`) they fail.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
# No sandbox, for CI is root; nothing that Chromium would fetch by itself; and no host but this
# machine.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
START_S = 180  # the most that a server may take to answer

skip_without_chromium = pytest.mark.skipif(
    not CHROMIUM and os.environ.get("CI", "").lower() != "true",
    reason="Chromium is not installed: apt-get install chromium, then run these tests again",
)


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Run Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=list(OPTIONS)
        )
        try:
            yield found
        finally:
            found.close()


@dataclass
class Listener:
    """A web server that answers everything, and remembers what it was asked."""

    port: int
    requests: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    """Run a listener on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            listener.requests.append(f"{self.command} {self.path}")
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        listener = Listener(server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Formgrader:
    """A running Jupyter server in a course's folder."""

    address: str
    token: str = "test"

    def post(self, path: str) -> bytes:
        """Ask the Formgrader's API for what its buttons ask for."""
        request = urllib.request.Request(
            f"{self.address}/formgrader/api/{path}", data=b"", method="POST"
        )
        request.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(request, timeout=300) as answer:
            content: bytes = answer.read()
            return content

    def log_in(self, page: Any) -> None:
        """Give a page's browser the cookie that a person's has."""
        page.goto(f"{self.address}/login?token={self.token}")


@contextlib.contextmanager
def formgrader(course: Path) -> Iterator[Formgrader]:
    """Run a Jupyter server with nbgrader's extensions in a course's folder, until it answers and while it is used."""
    extension = "--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"
    with started(course, "server", extension) as server:
        server.wait("formgrader/api/assignments")
        yield Formgrader(server.address)


@dataclass(frozen=True)
class JupyterServer:
    """A Jupyter server that has been started, and perhaps does not answer yet."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path
    token: str = "test"

    def wait(self, path: str = "api") -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START_S
        while True:
            try:
                urllib.request.urlopen(
                    f"{self.address}/{path}?token={self.token}", timeout=10
                ).close()
                return
            except (urllib.error.URLError, ConnectionError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(
                        f"the Jupyter server does not answer: {self.log.read_text()[-2000:]}"
                    )
                time.sleep(0.1)


@contextlib.contextmanager
def started(
    folder: Path, application: str, *options: str, home: Path | None = None
) -> Iterator[JupyterServer]:
    """Start `jupyter server` or `jupyter lab` in a folder; with a home, it has Jupyter's folders of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    binaries = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    if home is not None:
        environment = {
            name: value
            for name, value in environment.items()
            if not name.startswith(("JUPYTER_", "IPYTHON", "XDG_", "MPL"))
        } | {"HOME": str(home)}
    path = (home or folder.parent) / "jupyter.log"
    fixed = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    with path.open("wb") as log:
        process = subprocess.Popen(
            [binaries / "jupyter", application, *fixed, "--IdentityProvider.token=test", *options],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield JupyterServer(f"http://127.0.0.1:{port}", process, path)
        finally:
            process.terminate()  # which also ends its kernels
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
