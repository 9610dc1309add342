"""The server of the marking pages: this machine alone, and only for who knows the address.

Theory of operation. It listens on 127.0.0.1. Every path begins with a random token, which is
compared in constant time; there are no cookies, so another site's page cannot ask in the marker's
name. The Host header has to be this server's (a name that is rebound to 127.0.0.1 is refused), a
request that changes something has to be JSON and of the same origin, and nothing is allowed to
other origins. The pages' policy allows one script, the server's own.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import signal
from collections.abc import Callable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import PeriodicCallback
from tornado.netutil import bind_sockets
from tornado.web import Application, Finish, RequestHandler

from nbreferee.marking.entries import Entered, Entry, Seen
from nbreferee.marking.files import static
from nbreferee.marking.marks import LOCKED, GradebookLockedError
from nbreferee.marking.pages import (
    Around,
    Row,
    answer_page,
    home_page,
    saved_words,
    sentence_page,
    state_words,
    style,
)
from nbreferee.marking.questions import Question
from nbreferee.marking.session import LEFT, MARKED, MarkedElsewhereError, MarkError, Marking

HOST = "127.0.0.1"
LARGEST_BYTES = 1_000_000  # of a request
DRAFTS_MS = 1_000  # between two tries to write what could not be written
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src data:; font-src data:; media-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
REFUSED = "This address is not complete. Take all of the one that nbreferee mark has printed."
NOTHING_HERE = "There is no such page. Go back to the list of exercises."
WRONG_HOST = (
    "This server answers at its own address only: take the one that nbreferee mark has printed."
)


class _Handler(RequestHandler):
    """What all pages have in common."""

    def initialize(self, marking: Marking, token: str, port: int) -> None:
        """Take what the application gives."""
        self.marking = marking
        self._hosts = (f"{HOST}:{port}", f"localhost:{port}")
        self.base = f"/{token}"
        self._token = token
        self._is_known = False  # whether the request has the token: no other answer holds it

    def set_default_headers(self) -> None:
        """Forbid what no page needs."""
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        """Refuse who does not know the address, or comes by another name."""
        host = self.request.headers.get("Host", "")
        if host not in self._hosts:
            self._refuse(403, WRONG_HOST)
        given = self.request.path.split("/")[1]
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            self._refuse(403, REFUSED)
        if self.request.method == "POST":
            origin = self.request.headers.get("Origin", f"http://{host}")
            kind = self.request.headers.get("Content-Type", "").partition(";")[0]
            if origin != f"http://{host}" or kind != "application/json":
                self._refuse(403, REFUSED)
        self._is_known = True

    def _refuse(self, status: int, sentence: str) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{sentence}\n")
        raise Finish

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what is wrong in a sentence."""
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        if not self._is_known:  # refused before `prepare`, for its method or its form
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"{REFUSED}\n")
        elif isinstance(error, GradebookLockedError):
            self.set_status(503)
            again = self.request.path
            self.finish(
                sentence_page(self.base, "The gradebook is in use by another program.", again)
            )
        elif status_code == 404:
            self.finish(sentence_page(self.base, NOTHING_HERE, f"{self.base}/"))
        else:
            self.finish(
                sentence_page(self.base, f"nbreferee failed ({type(error).__name__}: {error}).")
            )

    def log_exception(self, *arguments: Any) -> None:
        """Keep quiet about a locked gradebook: the page says it."""
        if not isinstance(arguments[1], GradebookLockedError):
            super().log_exception(*arguments)

    def question(self, place: str) -> Question:
        """Return a question by its place in the list."""
        if not 0 < int(place) <= len(self.marking.questions):
            self.send_error(404)
            raise Finish
        return self.marking.questions[int(place) - 1]


class _Refused(_Handler):
    """Any other path."""

    def get(self) -> None:
        """Say that there is nothing."""
        self.send_error(404)

    post = get


class _File(_Handler):
    """The style sheet and the script."""

    def get(self, name: str) -> None:
        """Send a file."""
        self.set_header("Cache-Control", "private, max-age=3600")
        self.set_header(
            "Content-Type", f"text/{'css' if name == 'mark.css' else 'javascript'}; charset=utf-8"
        )
        self.write(style() if name == "mark.css" else static(name))


class _Home(_Handler):
    """The list of exercises."""

    def get(self) -> None:
        """Send the list."""
        rows = []
        for place, question in enumerate(self.marking.questions, 1):
            queue = self.marking.queue(question)
            rows.append(Row(place, question, len(queue), _left(queue)))
        self.write(home_page(self.marking.assignment, self.base, rows))


class _Exercise(_Handler):
    """An exercise: the first answer that is left."""

    def get(self, place: str) -> None:
        """Go on where the marker has stopped."""
        queue = self.marking.queue(self.question(place))
        first = next((one for one in queue if one.state != MARKED), next(iter(queue), None))
        if first is None:
            self.write(
                sentence_page(self.base, "Nobody has handed in this exercise.", f"{self.base}/")
            )
        else:
            self.redirect(f"{self.base}/{place}/{first.id}")


class _Answer(_Handler):
    """One answer."""

    def get(self, place: str, entry_id: str) -> None:
        """Send an answer with what has been entered for it."""
        question = self.question(place)
        queue = self.marking.queue(question)
        position = next((n for n, one in enumerate(queue) if one.id == entry_id), None)
        if position is None:
            self.send_error(404)
            return
        every = sum(
            _left(queue if one is question else self.marking.queue(one))
            for one in self.marking.questions
        )
        one = self.marking.open(question, queue[position])
        around = self._around(place, queue, position, every)
        page = answer_page(self.marking.assignment, question, one, around, self.marking.with_names)
        self.write(page)

    def _around(self, place: str, queue: list[Entry], position: int, left_in_all: int) -> Around:
        def address(number: int) -> str:
            there = 0 <= number < len(queue)
            return f"{self.base}/{place}/{queue[number].id}" if there else ""

        later = [*range(position + 1, len(queue)), *range(position)]
        unmarked = next((address(n) for n in later if queue[n].state != MARKED), f"{self.base}/")
        return Around(
            self.base,
            address(position),
            position + 1,
            len(queue),
            _left(queue),
            left_in_all,
            address(position - 1),
            address(position + 1),
            unmarked,
        )


class _Save(_Handler):
    """What is entered for one answer."""

    def post(self, place: str, entry_id: str) -> None:
        """Write a mark; the answer is JSON."""
        question = self.question(place)
        try:
            new, seen = _read_entered(self.request)
        except (ValueError, TypeError, KeyError):
            self._say(400, error="This is no mark. It is not written.")
            return
        entry: Entry | None = None
        try:
            entry = self.marking.find(question, entry_id)
            if entry is None:
                self._say(
                    404,
                    error="This answer is not in the gradebook any more. The mark is not written.",
                )
                return
            new = self.marking.save(question, entry, new, seen)
        except MarkedElsewhereError as error:
            self._say(409, error=str(error))
        except MarkError as error:
            self._say(400, error=str(error))
        except GradebookLockedError:
            kept = entry is not None
            state = {"state": "not written yet", "state_class": "partly-right"}
            stands = new.digest if kept else seen.mark
            shown = self._answer(question, entry, seen)
            self._say(423, error=LOCKED, kept=kept, seen=stands, answer=shown, **state)
        else:
            standing = MARKED if new.score is not None else LEFT
            words, colour = state_words(standing, question, new, entry.mark)
            said = saved_words(question, new)
            shown = self._answer(question, entry, seen)
            state = {"state": words, "state_class": colour}
            self._say(200, saved=said, seen=new.digest, answer=shown, **state)

    def _answer(self, question: Question, entry: Entry | None, seen: Seen) -> str:
        """Return the digest of the answer that the marker has accepted."""
        return self.marking.answer(question, entry) if seen.is_forced and entry else seen.answer

    def _say(self, status: int, **said: object) -> None:
        self.set_status(status)
        self.write(said)


def _left(queue: list[Entry]) -> int:
    return sum(one.state != MARKED for one in queue)


def _read_entered(request: HTTPServerRequest) -> tuple[Entered, Seen]:
    said = json.loads(request.body)
    score, comment, steps = said["score"], said["comment"], said["steps"]
    if isinstance(score, bool) or not isinstance(score, int | float | None):
        raise TypeError
    if not isinstance(comment, str) or not all(type(step) is int for step in steps):
        raise TypeError
    comment.encode()  # a lone surrogate is no text
    seen = Seen(str(said["seen"]), str(said["answer"]), said.get("force") is True)
    return Entered(score, comment, tuple(steps)), seen


def make_application(marking: Marking, token: str, port: int) -> Application:
    """Return the web application."""
    given = {"marking": marking, "token": token, "port": port}
    start, entry = r"/[^/]*", r"(\d{1,4})/([0-9a-f]{12})"
    handlers: list[tuple[str, type[_Handler], dict[str, object]]] = [
        (rf"{start}/", _Home, given),
        (rf"{start}/(mark\.(?:css|js))", _File, given),
        (rf"{start}/(\d{{1,4}})/", _Exercise, given),
        (rf"{start}/{entry}", _Answer, given),
        (rf"{start}/{entry}/save", _Save, given),
        (r".*", _Refused, given),
    ]
    return Application(handlers, log_function=lambda _: None)


async def serve(marking: Marking, port: int, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C; `ready` is called with the address.

    Raises
    ------
    OSError
        if the port is in use.
    """
    token = secrets.token_urlsafe(24)
    sockets = bind_sockets(port, HOST)
    port = sockets[0].getsockname()[1]
    server = HTTPServer(make_application(marking, token, port), max_body_size=LARGEST_BYTES)
    server.add_sockets(sockets)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def write_drafts() -> None:
        try:
            marking.write_drafts()
        except GradebookLockedError:
            return

    writer = PeriodicCallback(write_drafts, DRAFTS_MS)
    writer.start()
    ready(f"http://{HOST}:{port}/{token}/")
    try:
        await stop.wait()
    finally:
        writer.stop()
        server.stop()
        write_drafts()
