"""Marking by hand in a real browser: by keys, closed in the middle, beside another tab."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hostile
import nbformat
import pytest
from auditing import OPEN_ALL, SEVERE, TOO_WIDE, axe_core
from browser import formgrader, listening, skip_without_chromium
from building import answer, cell, graded, write
from hand_in import answered, read_notebook
from nbgrader.api import Gradebook
from notebooks import COURSE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = skip_without_chromium

PROOF_TASK = """## Exercise 1 · prove it — 2 points

Prove that $\\sum_i i$ is what it is.

| what is marked | points |
|:--|--:|
| the sum $\\sum_i$ is *written* | 0.5 |
| the limit | 0.5 |
| the reason | 1 |
"""
DOUBLE = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TESTS = "### BEGIN HIDDEN TESTS\nassert double(1) == 2\n### END HIDDEN TESTS"
FAULT = "assert double(1) == 3, 'this test is wrong'"
STUDENTS = [f"student{n:02}" for n in range(10)]
HOSTILE = STUDENTS[-1]
SAVED = "#saved:has-text('In the gradebook')"
CLOBBERS = "## score\n\n## marks\n\n<p id='trouble'>x</p><p id='saved'>In the gradebook</p>"
REUSED = "Which limit? It is $n$."

# What is pressed for each student's answer, with the score and comment that it gives.
PROOFS = {
    "student00": (("1",), 0.5, ""),
    "student01": (("1", "3"), 1.5, ""),
    "student02": (("f",), 2, ""),
    "student03": (("0",), 0, ""),
    "student04": (("3", "reuse"), 1, REUSED),
    "student05": (("2", "c", f"type:{REUSED}", "Escape"), 0.5, REUSED),
    "student06": (("1", "2", "1"), 0.5, ""),
    "student07": (("1", "s", "type:0.75", "Enter"), 0.75, ""),
    "student08": (("0", "c", "type:Nothing of this holds.", "Escape"), 0, "Nothing of this holds."),
    "student09": (("1", "2"), 1, ""),
}
WORDS = {name: (("s", f"type:{n % 4}", "Escape"), n % 4, "") for n, name in enumerate(STUDENTS)}


@dataclass(frozen=True)
class Course:
    """A graded course."""

    folder: Path
    listener: str

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name(arguments[0]), *arguments[1:]],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def marks(self, name: str) -> dict[str, tuple[Any, str | None]]:
        """By student: the score by hand and the comment."""
        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}", "gradients") as book:
            found = {}
            for one in book.notebook_submissions("one", "one"):
                score = next(grade.manual_score for grade in one.grades if grade.name == name)
                comment = [each.manual_comment for each in one.comments if each.name == name]
                found[one.student.id] = (score, comment[0] if comment else None)
            return found

    def comment(self, name: str, student: str) -> str | None:
        """A person's comment on a cell."""
        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}", "gradients") as book:
            found = book.find_submission_notebook("one", "one", student).comments
            comments: list[str | None] = [one.manual_comment for one in found if one.name == name]
            return comments[0]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """A graded class of ten: two written answers each, one with a scheme; a test with a fault."""
    folder = tmp_path_factory.mktemp("marking") / "course"
    (folder / "source/one").mkdir(parents=True)
    shutil.copy(COURSE / "nbgrader_config.py", folder)
    known = {"grade": True, "solution": True}
    write(
        folder / "source/one",
        cell(PROOF_TASK, "markdown", grade_id="proof_task", locked=True),
        cell("Because $i < n$.", "markdown", grade_id="proof", points=2, **known),
        cell("## In words", "markdown", grade_id="words_task", locked=True),
        cell("The model's words.", "markdown", grade_id="words", points=3, **known),
        cell("## Double", "markdown", grade_id="double_task", locked=True),
        answer(DOUBLE, "double"),
        graded(TESTS, "double_tests"),
        graded(FAULT, "double_more", points=1),
    )
    with listening() as listener:
        made = Course(folder, listener.address)
        assert made.command("nbgrader", "generate_assignment", "one").returncode == 0
        release = read_notebook(folder / "release/one/one.ipynb")
        for name in STUDENTS:
            given = {
                "proof": f"Proof by {name}: $\\sum_i i = \\frac12 n(n+1)$.",
                "words": f"Words by {name}.",
                "double": "def double(x):\n    return 2 * x",
            }
            if name == HOSTILE:
                given["proof"] += f"\n\n{CLOBBERS}\n\n{hostile.markdown(listener.address)}"
                given["double"] += "\n" + hostile.code(listener.address)
            (folder / "submitted" / name / "one").mkdir(parents=True)
            (folder / "submitted" / name / "one/one.ipynb").write_text(
                nbformat.writes(answered(release, given))
            )
        ran = made.command("nbreferee", "autograde", "one")
        assert "double_more" in ran.stderr, ran.stderr
        listener.requests.clear()
        yield made
        assert listener.requests == []


@contextlib.contextmanager
def marking(course: Course, *options: str) -> Iterator[str]:
    """Run `nbreferee mark`; give its address."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("nbreferee"), "mark", "one", *options],
        cwd=course.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    try:
        lines = [process.stdout.readline(), process.stdout.readline()]
        found = re.search(r"http://127\.0\.0\.1:\d+/\S+/", lines[1])
        assert found, lines
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        process.stdout.close()
    assert process.returncode == 0


def page_of(browser: Any, found: list[str], **view: Any) -> Any:
    """A new window's page; what goes wrong in it is put into `found`."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}, **view).new_page()
    page.on("console", lambda message: found.append(message.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    return page


def press(page: Any, keys: tuple[str, ...]) -> None:
    for key in keys:
        if key.startswith("type:"):
            page.keyboard.type(key.removeprefix("type:"))
        elif key == "reuse":
            page.keyboard.press("r")
            while page.evaluate("document.activeElement.dataset.text") != REUSED:
                page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            page.keyboard.press("Escape")
        else:
            page.keyboard.press(key)


def student_in(written: str) -> str:
    """Return whose answer is shown."""
    found = re.search(r"by (student\d\d)", written)
    assert found, written
    return found[1]


def mark_those_left(
    page: Any, plan: Mapping[str, tuple[tuple[str, ...], float, str]], most: int
) -> list[str]:
    """Mark answers as planned, from one that is left to the next; return whose."""
    done: list[str] = []
    for _ in range(most):
        words = page.inner_text(".written")
        student = student_in(words)
        assert page.inner_text("#state") == "not marked"
        press(page, plan[student][0])
        page.wait_for_selector(SAVED)
        done.append(student)
        before = page.url
        page.keyboard.press("u")
        page.wait_for_url(lambda address, old=before: address != old)
    return done


def begin(page: Any, address: str, exercise: int) -> None:
    """Open the list and an exercise of it, by keys alone."""
    page.goto(address)
    for _ in range(exercise):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#marks")


@pytest.fixture(scope="module")
def served(course: Course) -> Iterator[str]:
    """The address of the marking pages, for all tests."""
    with marking(course) as address:
        yield address


def test_twenty_answers_marked_by_keys_stand_everywhere(
    browser: Browser, course: Course, served: str
) -> None:
    assert course.command("nbreferee", "feedback", "one").returncode == 0
    first_page = (course.folder / "feedback/student01/one/one.html").read_bytes()
    found: list[str] = []
    with marking(course, "--names") as address:
        page = page_of(browser, found)
        begin(page, address, 1)
        assert page.inner_text("#answer").startswith("Answer 1 of 10 · student00")
        assert "1.5" not in page.inner_text("fieldset")
        assert page.locator("fieldset math").count() == 1
        assert "Because" in page.inner_text(".model")
        done = mark_those_left(page, PROOFS, 4)
        page.context.close()  # in the middle
    with contextlib.nullcontext(served) as address:
        page = page_of(browser, found)
        begin(page, address, 1)
        assert page.inner_text("nav[aria-label=Exercises]").endswith(
            "6 left in this exercise, 26 in all"
        )
        done += mark_those_left(page, PROOFS, 6)
        begin(page, address, 2)
        assert page.locator("fieldset").count() == 0  # there is no scheme
        assert sorted(mark_those_left(page, WORDS, 10)) == STUDENTS
        assert sorted(done) == STUDENTS
        assert "left" not in page.inner_text("main li:first-child .state")
        page.goto(f"{address}1/")  # the boxes are as they were ticked
        ticked = page.eval_on_selector_all("input[name=step]", "all => all.map(one => one.checked)")
        student = student_in(page.inner_text(".written"))
        assert any(ticked) == any(key in "123f" for key in PROOFS[student][0])
        page.context.close()
    assert found == []

    expected = {name: (score, comment or None) for name, (_, score, comment) in PROOFS.items()}
    assert course.marks("proof") == expected
    assert course.marks("words") == {name: (score, None) for name, (_, score, _) in WORDS.items()}

    ran = course.command("nbreferee", "feedback", "one")
    assert ran.returncode == 0, ran.stderr
    for name in STUDENTS:
        text = (course.folder / f"feedback/{name}/one/one.html").read_text()
        score, comment = expected[name]
        assert f"Marked by a person: {score:g} of 2." in text
        assert f"Marked by a person: {WORDS[name][1]} of 3." in text
        assert ("Nothing of this holds." in text) == (comment == "Nothing of this holds.")
    assert (course.folder / "feedback/student01/one/one.html").read_bytes() != first_page

    with formgrader(course.folder) as server:
        page = browser.new_page()
        server.log_in(page)
        with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}", "gradients") as book:
            ids = {
                name: book.find_submission_notebook("one", "one", name).id
                for name in ("student06", "student07")
            }
        for name, submission in ids.items():
            page.goto(f"{server.address}/formgrader/submissions/{submission}/")
            page.wait_for_function(
                "formgrader.grades && formgrader.grades.loaded"
                " && formgrader.comments && formgrader.comments.loaded"
            )
            assert float(page.input_value("#proof")) == expected[name][0]
            assert page.input_value("#proof-comment") == (expected[name][1] or "")
            assert float(page.input_value("#words")) == WORDS[name][1]
        page.close()


def test_test_left_to_a_person_is_marked_with_its_reason(
    browser: Browser, course: Course, served: str
) -> None:
    found: list[str] = []
    page = page_of(browser, found)
    begin(page, served, 3)
    assert "student" not in page.inner_text("#answer")
    assert "The test of this cell has a fault" in page.inner_text(".tutor")
    assert "return 2 * x" in page.inner_text(".written")
    before = course.marks("double_more")
    press(page, ("f", "c", "type:The test is wrong, not you.", "Escape"))
    page.wait_for_selector(SAVED)
    changed = {name for name, mark in course.marks("double_more").items() if mark != before[name]}
    assert len(changed) == 1
    assert course.marks("double_more")[min(changed)][0] == 1
    assert course.comment("double", min(changed)) == "The test is wrong, not you."
    page.context.close()
    assert found == []


AT_SCORE = """() => {
    const box = document.getElementById("score").getBoundingClientRect();
    return document.elementFromPoint(box.x + 5, box.y + 5).id;
}"""


def address_of(served: str, path: str) -> str:
    return f"{served.split('/')[0]}//{served.split('/')[2]}{path}"


def test_hostile_answer_shows_and_does_nothing(
    browser: Browser, course: Course, served: str
) -> None:
    found: list[str] = []
    asked: list[str] = []
    page = page_of(browser, found)
    page.on("request", lambda request: asked.append(request.url))
    for exercise in (1, 3):
        page.goto(f"{served}{exercise}/")
        while address := page.locator("#previous").get_attribute("href"):
            page.goto(address_of(served, address))
        seen = 0
        while True:
            seen += "That is all." in page.inner_text("section.answer")
            page.evaluate(OPEN_ALL)
            assert page.evaluate("window.ran") is None
            assert page.evaluate(AT_SCORE) == "score"
            if not (address := page.locator("#next").get_attribute("href")):
                break
            page.goto(address_of(served, address))
        assert seen == (exercise == 1)
    assert found == []
    assert [url for url in asked if not url.startswith((served, "data:"))] == []
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_a_phone(
    browser: Browser, course: Course, served: str, scheme: str
) -> None:
    page = page_of(browser, [], color_scheme=scheme)
    for path in ("", "1/", "2/", "3/"):
        page.goto(f"{served}{path}")
        page.evaluate(OPEN_ALL)
        page.evaluate(axe_core())
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [one["id"] for one in result["violations"] if one["impact"] in SEVERE] == []
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate(TOO_WIDE) <= 0
        page.set_viewport_size({"width": 1280, "height": 900})
    page.context.close()


def test_gradebook_that_is_locked_loses_nothing(
    browser: Browser, course: Course, served: str
) -> None:
    page = page_of(browser, [])
    page.goto(f"{served}2/")
    student = student_in(page.inner_text(".written"))
    other = sqlite3.connect(course.folder / "gradebook.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    press(page, ("s", "type:2.5", "Enter", "c", "type:Typed while it was locked.", "Escape"))
    page.wait_for_selector("#trouble:has-text('in use by another program')")
    assert page.input_value("#comment") == "Typed while it was locked."
    page.wait_for_selector("#state:has-text('not written yet')")
    page.context.close()
    other.execute("ROLLBACK")
    other.close()
    deadline = time.monotonic() + 30
    while course.marks("words")[student][0] != 2.5 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert course.marks("words")[student] == (2.5, "Typed while it was locked.")


def test_two_tabs_on_one_answer_write_over_nothing_unasked(
    browser: Browser, course: Course, served: str
) -> None:
    first, second = page_of(browser, []), page_of(browser, [])
    first.goto(f"{served}2/")
    second.goto(first.url)
    student = student_in(first.inner_text(".written"))
    press(first, ("s", "type:1", "Enter", "c", "type:From the first.", "Escape"))
    first.wait_for_selector(SAVED)
    press(second, ("s", "type:3", "Enter"))
    second.wait_for_selector("#trouble:has-text('marked elsewhere meanwhile: the score 1')")
    score, comment = course.marks("words")[student]
    assert score == 1
    assert comment
    assert comment.endswith("From the first.")
    assert second.input_value("#score") == "3"
    second.click("#mine")
    second.wait_for_selector(SAVED)
    assert course.marks("words")[student][0] == 3
    press(first, ("0",))
    first.wait_for_selector("#trouble:has-text('the score 3')")
    first.click("#theirs")
    first.wait_for_selector("#state:has-text('3 of 3')")
    first.context.close()
    second.context.close()


def test_answer_that_has_changed_since_is_left_again(
    browser: Browser, course: Course, served: str
) -> None:
    path = course.folder / "submitted/student02/one/one.ipynb"
    notebook = read_notebook(path)
    for one in notebook.cells:
        if one.metadata.get("nbgrader", {}).get("grade_id") == "proof":
            one.source += " Now with a limit."
    path.write_text(nbformat.writes(notebook))
    old = page_of(browser, [])
    old.goto(f"{served}1/")
    while "by student02" not in old.inner_text(".written"):
        old.goto(address_of(served, old.locator("#next").get_attribute("href")))
    ran = course.command(
        "nbreferee",
        "autograde",
        "one",
        "--student",
        "student02",
        "--student",
        "student03",
        "--force",
    )
    assert "2" in ran.stdout, ran.stderr
    assert course.marks("proof")["student02"][0] == 2
    page = page_of(browser, [])
    page.goto(f"{served}1/")
    assert "by student02" in page.inner_text(".written")  # and student03's is as it was marked
    assert page.inner_text("#state") == "the answer has changed since it was marked"
    assert page.inner_text("nav[aria-label=Exercises]").startswith("one: 1 left in this exercise")
    assert page.locator("input[name=step]:checked").count() == 3
    press(old, ("0",))  # its marker has not seen the new answer
    old.wait_for_selector("#trouble:has-text('another answer meanwhile')")
    assert course.marks("proof")["student02"][0] == 2
    old.click("#theirs")
    old.wait_for_selector(".written:has-text('Now with a limit.')")
    old.context.close()
    press(page, ("2",))
    page.wait_for_selector("#state:has-text('1.5 of 2')")
    page.context.close()


def test_badge_says_the_state_of_what_is_ticked(browser: Browser, course: Course) -> None:
    page = page_of(browser, [])
    with marking(course) as address:
        page.goto(f"{address}1/")
        press(page, ("0", "1"))
        page.wait_for_selector("#state:has-text('0.5 of 2')")
        press(page, ("s", "Delete", "Escape"))  # an empty score is none: no step stays ticked
        page.wait_for_selector("#state:has-text('not marked')")
        page.wait_for_selector("#saved:empty", state="attached")
        assert page.locator("input[name=step]:checked").count() == 0
        page.reload()
        assert page.inner_text("#state") == "not marked"
        assert page.locator("input[name=step]:checked").count() == 0
    press(page, ("1",))  # nobody answers any more
    page.wait_for_selector("#trouble:has-text('does not answer')")
    assert page.inner_text("#state") == "not written yet"
    page.context.close()


def ask(address: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str, Any]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(address.rstrip("/") + path, data=body, headers=names)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def test_nobody_gets_in_without_the_address(course: Course, served: str) -> None:
    port = served.split(":")[2].split("/")[0]
    root, token = f"http://127.0.0.1:{port}", served.split("/")[3]
    for path in ("/", "/wrong/", f"/{token[:-1]}/", f"/{token}x/1/", f"//{token}/", "/mark.js"):
        status, text, _ = ask(root, path)
        assert (status, "not complete" in text) == (403, True), path
    assert ask(served, "/", Host=f"evil.example:{port}")[0] == 403
    assert ask(served, "/", Host="127.0.0.1")[0] == 403
    status, text, headers = ask(served, "/")
    assert status == 200
    assert "Access-Control-Allow-Origin" not in headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"].split("style-src")[0]
    with urllib.request.urlopen(f"{served}1/", timeout=20) as answer:
        place = "/" + answer.geturl().removeprefix(served) + "/save"
    before = course.marks("proof")
    mark = {"score": 1, "comment": "", "steps": [], "seen": "", "answer": "", "force": True}
    json_kind = {"Content_Type": "application/json"}
    refused = [
        (403, json.dumps(mark), {**json_kind, "Origin": "http://evil.example"}),
        (403, json.dumps(mark), {**json_kind, "Origin": "null"}),
        (403, json.dumps(mark), {"Content_Type": "text/plain"}),
        (400, "no JSON", json_kind),
        (400, json.dumps({**mark, "score": 2.5}), json_kind),
        (400, json.dumps({**mark, "score": -1}), json_kind),
        (400, json.dumps({**mark, "score": "1"}), json_kind),
        (400, '{"score": NaN, "comment": "", "steps": [], "seen": "", "force": true}', json_kind),
        (400, json.dumps({**mark, "comment": "x" * 30_000}), json_kind),
        (400, json.dumps({**mark, "comment": "\ud800"}), json_kind),
        (409, json.dumps({**mark, "score": 1.25, "seen": "old", "force": False}), json_kind),
    ]
    for status, body, headers in refused:
        assert ask(served, place, body.encode(), **headers)[0] == status, (status, body[:100])
    assert course.marks("proof") == before
    for method, path in (
        ("GET", "/x/%ff/"),
        ("GET", "/x/mark.js"),
        ("LOOK", "/"),
        ("OPTIONS", "/"),
    ):
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=20)
        connection.request(method, path)
        answer = connection.getresponse()
        assert answer.status >= 400
        assert token not in answer.read().decode() + str(answer.headers)
        connection.close()
    assert ask(served, "/1/000000000000")[0] == 404
    assert ask(served, "/99/")[0] == 404
    assert ask(served, place)[0] == 405


def test_command_that_cannot_serve_says_why(course: Course, served: str) -> None:
    port = served.split(":")[2].split("/")[0]
    for arguments, words in ((("two",), "no assignment two"), (("one", "--port", port), "in use")):
        ran = course.command("nbreferee", "mark", *arguments)
        assert ran.returncode == 2
        assert words in ran.stderr
        assert len(ran.stderr.splitlines()) == 1
