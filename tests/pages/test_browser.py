"""A hostile submission in a person's browser: no mark changes, and nothing of the student's runs,
whichever way its page was made.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hostile
import nbformat
import pytest
from browser import Formgrader, Listener, formgrader, listening, skip_without_chromium
from building import answer, cell, graded, write
from hand_in import answered, read_notebook
from nbgrader.api import Gradebook
from notebooks import COURSE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = skip_without_chromium

SOLUTION = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TESTS = (
    "assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(4711) == 9422, 'You add.'\n"
    "### END HIDDEN TESTS"
)
LOOKS_S = 5  # how long a person looks at a submission: what acts late waits for 2 s
WORKS_S = 30  # how long the attack may take where nothing stops it

RICH = """import pandas as pd
from IPython.display import HTML, SVG, Latex, Markdown, display

def double(x):
    return 2 * x

frame = pd.DataFrame({"step": [1, 2, 3], "loss": [0.9, 0.5, 0.2]})
display(frame)
display(frame.style.highlight_min(color="lightgreen").bar(subset=["loss"]).set_caption("Styled"))
display(HTML("<table><tr><th>plain</th><td style='color: red'>red</td></tr></table>"))
display(Latex("$e^{i\\\\pi} = -1$"), Markdown("**bold** and $a<b$"))
display(SVG('<svg xmlns="http://www.w3.org/2000/svg" width="60" height="30"><circle cx="15" cy="15" r="12" fill="teal"/></svg>'))
import matplotlib.pyplot as plt
plt.plot([1, 3, 2])
plt.show()
"""
WORDS = (
    "Because $a<b$, see `<b>`.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<details>\n"
    "<summary>More</summary>\n\n**Proof.** It is so.\n\n</details>\n"
)
STUDENTS = ("honest", "hostile", "pressed", "stock", "typing")


@dataclass(frozen=True)
class Class:
    """A course, a server on it, and who nobody may call."""

    folder: Path
    server: Formgrader
    listener: Listener

    def submission(self, student: str) -> str:
        """The path of a student's submission in the Formgrader."""
        with self._gradebook() as book:
            return (
                f"formgrader/submissions/{book.find_submission_notebook('one', 'one', student).id}/"
            )

    def marks(self, student: str) -> dict[str, tuple[Any, ...]]:
        """All that the gradebook knows of a student's cells."""
        with self._gradebook() as book:
            found = book.find_submission_notebook("one", "one", student)
            scores = {
                grade.name: (
                    grade.auto_score,
                    grade.manual_score,
                    grade.extra_credit,
                    bool(grade.needs_manual_grade),
                )
                for grade in found.grades
            }
            return scores | {
                f"comment on {one.name}": (one.auto_comment, one.manual_comment)
                for one in found.comments
            }

    def autograded(self, student: str) -> Path:
        return self.folder / f"autograded/{student}/one/one.ipynb"

    def _gradebook(self) -> Gradebook:
        return Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}", "gradients")


def run(course: Path, *command: str) -> None:
    ran = subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:]],
        cwd=course,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]


@pytest.fixture(scope="module")
def graded_class(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    """A class graded by the command, by the Formgrader's button, and by what stock nbgrader would
    have left.
    """
    folder = tmp_path_factory.mktemp("browser") / "course"
    (folder / "source/one").mkdir(parents=True)
    shutil.copy(COURSE / "nbgrader_config.py", folder)
    notice = cell(
        '<div class="alert alert-info" id="notice">Read <a href="other.html">this</a></div>',
        "markdown",
        grade_id="notice",
        locked=True,
    )
    words = cell("Because.", "markdown", grade_id="words", grade=True, solution=True, points=3)
    write(
        folder / "source/one",
        notice,
        answer(SOLUTION, "double"),
        graded(TESTS, "double_tests"),
        words,
    )
    run(folder, "nbgrader", "generate_assignment", "one")
    release = read_notebook(folder / "release/one/one.ipynb")
    with listening() as listener:
        bad = {
            "double": hostile.code(listener.address),
            "words": hostile.markdown(listener.address),
        }
        for student in STUDENTS:
            (folder / "submitted" / student / "one").mkdir(parents=True)
            given = {"double": RICH, "words": WORDS} if student == "honest" else bad
            (folder / "submitted" / student / "one/one.ipynb").write_text(
                nbformat.writes(answered(release, given))
            )
        run(
            folder,
            "nbreferee",
            "autograde",
            "one",
            *(f"--student={student}" for student in STUDENTS if student != "pressed"),
        )
        with formgrader(folder) as server:
            assert json.loads(server.post("submission/one/pressed/autograde"))["success"]
            found = Class(folder, server, listener)
            _undo(found.autograded("stock"), bad["words"], listener.address)
            _undo(
                found.autograded("typing"),
                hostile.PIECES["image that fails"].replace("LISTENER", listener.address),
                listener.address,
            )
            yield found


def _undo(path: Path, words: str, listener: str) -> None:
    """Put back into an autograded notebook what nothing would have taken out."""
    notebook = nbformat.read(str(path), as_version=4)
    for one in notebook.cells:
        if one.metadata.get("nbgrader", {}).get("grade_id") == "words":
            one.source = words
        elif one.metadata.get("nbgrader", {}).get("grade_id") == "double":
            script = hostile.PIECES["script"].replace("LISTENER", listener)
            one.outputs = [
                nbformat.v4.new_output("display_data", {"text/html": script, "text/plain": "x"})
            ]
    path.chmod(0o644)
    path.write_text(nbformat.writes(notebook))


@pytest.fixture
def window(browser: Browser, graded_class: Class) -> Iterator[BrowserContext]:
    """The windows of a person who grades, and has logged in."""
    context = browser.new_context(viewport={"width": 1200, "height": 2200})
    graded_class.server.log_in(context.new_page())
    graded_class.listener.requests.clear()
    yield context
    context.close()


@pytest.fixture
def page(window: BrowserContext) -> Page:
    """A page in it."""
    return window.new_page()


def open_submission(page: Any, graded_class: Class, student: str) -> None:
    page.goto(f"{graded_class.server.address}/{graded_class.submission(student)}")
    page.wait_for_function(
        "formgrader.grades && formgrader.grades.loaded && formgrader.comments && "
        "formgrader.comments.loaded"
    )


def acted(page: Any, graded_class: Class) -> list[str]:
    """All that a page has done of its own."""
    ran = page.evaluate("window.ran")
    return graded_class.listener.requests + ([f"ran {ran}"] if ran else [])


def test_submission_open_in_the_formgrader_changes_no_mark_and_runs_nothing(
    window: BrowserContext, graded_class: Class
) -> None:
    before = {student: graded_class.marks(student) for student in ("hostile", "pressed")}
    pages = {student: window.new_page() for student in before}
    for student, page in pages.items():
        open_submission(page, graded_class, student)
    addresses = {student: page.url for student, page in pages.items()}
    page.wait_for_timeout(1000 * LOOKS_S)
    for student, page in pages.items():
        assert acted(page, graded_class) == []
        assert page.url == addresses[student]
        boxes = page.eval_on_selector_all(
            ".score", "all => all.map(one => [one.id, one.value, one.offsetParent !== null])"
        )
        assert boxes == [["double_tests", "", True], ["words", "", True]]
        assert graded_class.marks(student) == before[student]
        assert before[student]["double_tests"] == (2, None, None, False)


def test_attack_types_marks_where_nothing_is_taken_out(page: Page, graded_class: Class) -> None:
    open_submission(page, graded_class, "typing")
    deadline = time.monotonic() + WORKS_S
    while graded_class.marks("typing")["words"][1] is None and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    assert graded_class.marks("typing")["words"][1] == 3
    assert acted(page, graded_class) != []


def test_person_reads_the_whole_answer_and_types_the_mark_into_its_own_box(
    page: Page, graded_class: Class
) -> None:
    open_submission(page, graded_class, "pressed")
    shown = page.inner_text("body")
    for words in (
        "Because it is so.",
        "That is all.",
        "<script>",
        "onerror",
        "double_tests",
        "javascript:window.ran=1",
    ):
        assert words in shown
    page.fill("#words", "1")
    with page.expect_response("**/api/grade/*"):
        page.dispatch_event("#words", "change")
    assert graded_class.marks("pressed")["words"][1] == 1
    assert graded_class.marks("pressed")["double_tests"][:2] == (2, None)


def test_honest_output_and_text_show(page: Page, graded_class: Class) -> None:
    open_submission(page, graded_class, "honest")
    assert page.locator("table").count() == 4
    assert (
        page.locator("table")
        .nth(1)
        .locator("td")
        .first.evaluate("one => getComputedStyle(one).backgroundColor")
        == "rgb(144, 238, 144)"
    )
    assert (
        page.locator("td:has-text('red')").evaluate("one => getComputedStyle(one).color")
        == "rgb(255, 0, 0)"
    )
    sizes = page.eval_on_selector_all("img", "all => all.map(one => one.naturalWidth)")
    assert len(sizes) == 2
    assert 0 not in sizes
    assert page.locator("strong:has-text('bold')").count() == 1
    assert page.locator("#notice a").get_attribute("href") == "other.html"  # the instructor's
    words = next(
        one
        for one in read_notebook(graded_class.autograded("honest")).cells
        if one.metadata.get("nbgrader", {}).get("grade_id") == "words"
    )
    assert words.source == WORDS.removesuffix("\n") or words.source == WORDS


def write_by_nbgrader(graded_class: Class) -> None:
    run(graded_class.folder, "nbgrader", "generate_feedback", "one", "--force")


def write_by_us(graded_class: Class) -> None:
    run(graded_class.folder, "nbreferee", "feedback", "one")


def write_by_the_button(graded_class: Class) -> None:
    assert json.loads(graded_class.server.post("assignment/one/generate_feedback"))["success"]


@pytest.mark.parametrize("write_pages", [write_by_nbgrader, write_by_us, write_by_the_button])
def test_feedback_page_holds_no_hidden_test_and_runs_nothing(
    write_pages: Callable[..., Any], window: BrowserContext, graded_class: Class
) -> None:
    shutil.rmtree(graded_class.folder / "feedback", ignore_errors=True)
    write_pages(graded_class)
    files = {
        student: graded_class.folder / f"feedback/{student}/one/one.html" for student in STUDENTS
    }
    for file in files.values():
        text = file.read_text()
        assert [words for words in ("4711", "9422", "You add.", "HIDDEN") if words in text] == []

    refused: list[str] = []
    pages = {student: window.new_page() for student in ("hostile", "stock")}
    for student, page in pages.items():
        page.on(
            "console",
            lambda message: (
                refused.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        page.goto(f"file://{files[student]}")
    page.wait_for_timeout(2500)  # what refreshes the page waits for 2 s
    for student, page in pages.items():
        assert acted(page, graded_class) == []
        assert page.url == f"file://{files[student]}"
        assert "That is all." in page.inner_text("body")
    assert [
        text for text in refused if "inline" in text
    ] == []  # nothing is left that the policy would have to stop
    page.evaluate(
        "document.body.appendChild(document.createElement('script')).textContent = 'window.ran = 1'"
    )
    assert page.evaluate("window.ran") is None  # and it would
