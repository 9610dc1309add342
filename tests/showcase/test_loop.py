"""An assignment on its way from the instructor to students and back, by the buttons that they press in JupyterLab.

    python -m pytest -n 0 tests/showcase/test_loop.py --screenshots FOLDER

keeps a picture of every step.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import hostile
import nbformat
import pytest
from browser import skip_without_chromium, started
from hand_in import answered, read_notebook, solved
from nbgrader.api import Gradebook
from notebooks import COURSE
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

pytestmark = skip_without_chromium

PATIENCE_MS = 120_000  # for what takes seconds on a quiet machine
FROM_THE_TOP = """() => {
    const panel = document.querySelector(".jp-WindowedPanel-outer");
    if (panel.scrollTop + panel.clientHeight >= panel.scrollHeight - 2) panel.scrollTo(0, 0);
}"""
RIGHT = "    gradient = softmax(z)\n    gradient[c] -= 1\n    return gradient"
WRONG = RIGHT.replace("[c]", "[c - 1]")
CONFIGURATION = """
c = get_config()
c.CourseDirectory.course_id = "gradients"
c.CourseDirectory.student_id = {student!r}
c.Exchange.root = {exchange!r}
"""


@dataclass
class Person:
    """Somebody at a JupyterLab of their own."""

    page: Page
    folder: Path  # that JupyterLab is open on
    screenshots: Path | None
    _taken: list[str] = field(default_factory=list)

    def choose(self, menu: str, item: str) -> None:
        """Choose an item of a menu."""
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def keep_picture(self, step: str) -> None:
        """Take a screenshot, where they are wanted."""
        self._taken.append(step)
        if self.screenshots is not None:
            self.page.wait_for_timeout(500)  # dialogs fade in
            name = f"{self.folder.name}-{len(self._taken):02}-{step.replace(' ', '-')}.png"
            self.page.screenshot(path=self.screenshots / name)

    @property
    def formgrader(self) -> FrameLocator:
        """The Formgrader's pages, inside JupyterLab."""
        return self.page.frame_locator("#formgrader iframe")

    def press(self, button: str) -> str:
        """Press a button of the Formgrader; return what its dialog says."""
        self.formgrader.locator(f"{button} a").click()
        dialog = self.formgrader.locator(".modal-dialog")
        dialog.wait_for()
        said = dialog.inner_text()
        self.keep_picture(button.rpartition(".")[2])
        dialog.locator(".modal-footer button").click()
        dialog.wait_for(state="detached")
        return said


@dataclass(frozen=True)
class Class:
    """A course on its instructor's and a student's screens."""

    course: Path
    instructor: Person
    student: Person

    @property
    def solutions(self) -> dict[str, str]:
        """The instructor's answers."""
        return solved(read_notebook(self.course / "source/softmax/softmax.ipynb"))

    def scores(self, student: str) -> dict[str, tuple[float | None, float | None]]:
        """The automatic and the manual score of every cell of a student, by grade id."""
        url = f"sqlite:///{self.course / 'gradebook.db'}"
        with Gradebook(url, "gradients") as book:
            found = book.find_submission_notebook("softmax", "softmax", student)
            return {one.name: (one.auto_score, one.manual_score) for one in found.grades}


def run(*command: str, folder: Path, **environment: str) -> str:
    ran = subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:]],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout + ran.stderr


@pytest.fixture
def people(
    browser: Browser,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Class]:
    """The course, with softmax alone, open in two JupyterLabs as `make lab` and `make student` open it."""
    course, homes = tmp_path / "course", [tmp_path / "home-a", tmp_path / "home-b"]
    for name in ("source/softmax", "exchange", "student"):
        shutil.copytree(COURSE / name, course / name, ignore=shutil.ignore_patterns(".ipynb*"))
    shutil.copy(COURSE / "nbgrader_config.py", course)
    (course / "students.csv").write_text(
        "student_id,first_name,last_name\nstudent,Sonia,Student\nmallory,Mallory,Malice\npetra,Petra,Path\n"
    )
    kept = request.config.getoption("--screenshots")
    screenshots = Path(kept).absolute() if kept else None
    if screenshots:
        screenshots.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE_MS)
    with ExitStack() as stack:
        servers = []
        for folder, home in zip((course, course / "student"), homes, strict=True):
            home.mkdir()
            servers.append(stack.enter_context(started(folder, "lab", home=home)))
        run("nbreferee", "roster", folder=course)
        seated = []
        for server, folder in zip(servers, (course, course / "student"), strict=True):
            server.wait()
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            page.goto(f"{server.address}/lab?token={server.token}")
            page.get_by_role("button", name="No", exact=True).click()  # Jupyter's news
            seated.append(Person(page, folder, screenshots))
        yield Class(course, *seated)


def release(instructor: Person) -> None:
    """Generate and release the assignment in the Formgrader."""
    instructor.choose("Nbgrader", "Formgrader")
    instructor.formgrader.locator("td.name a", has_text="softmax").wait_for()
    instructor.keep_picture("formgrader")
    assert instructor.formgrader.locator(".alert-warning").count() == 0
    assert "Successfully created the student version" in instructor.press("td.assign")
    assert "Successfully released" in instructor.press("td.release")


def fetch(student: Person) -> None:
    """Fetch the assignment from the Assignment List."""
    student.choose("Nbgrader", "Assignment List")
    assignments = student.page.locator("#nbgrader-assignment-list")
    assignments.get_by_role("button", name="Fetch", exact=True).click()
    assignments.get_by_role("button", name="Submit").wait_for()
    student.keep_picture("fetched")


def work(student: Person, solutions: dict[str, str]) -> None:
    """Open the notebook in which all but one answer is right, run it, and see figures and formulas."""
    path = student.folder / "softmax/softmax.ipynb"
    wrong = {
        **solutions,
        "cross_entropy_gradient": f"def cross_entropy_gradient(z, c):\n{WRONG}",
    }
    path.write_text(nbformat.writes(answered(read_notebook(path), wrong)))
    page = student.page
    page.locator("#nbgrader-assignment-list a.assignment-notebooks-link").click()
    page.locator("#nbgrader-assignment-list .nested_list_item a").click()
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    expect(page.locator(".jp-Notebook mjx-container").first).to_be_visible()
    student.keep_picture("opened")
    page.get_by_text("| Idle").wait_for()
    student.choose("Run", "Run All Cells")
    figure = page.locator(".jp-OutputArea img").first
    scroll_to(student, figure)
    figure.scroll_into_view_if_needed()
    assert figure.evaluate("one => one.naturalWidth") > 200
    student.keep_picture("figure")


def scroll_to(student: Person, wanted: Locator) -> None:
    """Scroll the notebook, again and again, until a part of it is there: JupyterLab keeps few cells at a time."""
    page = student.page
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not wanted.count() and time.monotonic() < deadline:
        page.locator(".jp-Notebook").hover()
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(50)
        page.evaluate(FROM_THE_TOP)
    wanted.wait_for()


def gradient_cell(student: Person) -> Locator:
    """Return the editor of the wrong answer."""
    editor = student.page.locator(".jp-CodeCell .cm-content", has_text="gradient[c - 1]")
    scroll_to(student, editor)
    return editor


def validate(student: Person) -> str:
    """Press Validate; return what its dialog says."""
    student.page.locator(".validate-button").click()
    dialog = student.page.locator(".jp-Dialog")
    dialog.wait_for()
    said = dialog.inner_text()
    student.keep_picture("validated")
    dialog.locator(".jp-mod-accept").click()
    dialog.wait_for(state="detached")
    return said


def correct(student: Person) -> None:
    """Type the right answer into the cell."""
    gradient_cell(student).click()
    student.page.keyboard.press("Control+a")
    student.page.keyboard.insert_text(f"def cross_entropy_gradient(z, c):\n{RIGHT}")


def submit(student: Person) -> None:
    """Submit in the Assignment List."""
    student.page.get_by_role("tab", name="Assignments").click()
    assignments = student.page.locator("#nbgrader-assignment-list")
    assignments.get_by_role("button", name="Submit").click()
    assignments.get_by_role("button", name="Fetch Feedback").wait_for()
    student.keep_picture("submitted")


def hand_in(people: Class, student: str, name: str, answers: dict[str, str]) -> None:
    """Hand in as another student, by nbgrader's command."""
    home = people.course.parent / student
    (home / "softmax").mkdir(parents=True)
    exchange = str(people.course / "exchange")
    (home / "nbgrader_config.py").write_text(
        CONFIGURATION.format(student=student, exchange=exchange)
    )
    released = read_notebook(people.course / "release/softmax/softmax.ipynb")
    (home / "softmax" / name).write_text(nbformat.writes(answered(released, answers)))
    run("nbgrader", "submit", "softmax", folder=home, HOME=str(home))


def collect(instructor: Person) -> None:
    """Collect the submissions, and look at who has handed in."""
    said = instructor.press("td.collect")
    assert "Successfully collected" in said
    assert "cheating" not in said
    instructor.formgrader.locator("td.num-submissions a").click()
    names = instructor.formgrader.locator("td.student-name")
    expect(names).to_have_text(["Malice, Mallory", "Path, Petra", "Student, Sonia"])
    instructor.keep_picture("collected")


def autograde(instructor: Person, student: str) -> str:
    """Press a student's button."""
    return instructor.press(f'tr:has(td.student-id:text-is("{student}")) td.autograde')


def mark(instructor: Person) -> None:
    """Read a proof of the student's, mark it and comment on it."""
    pages = instructor.formgrader
    pages.get_by_role("link", name="Manual Grading").click()
    pages.get_by_role("link", name="softmax").click()
    pages.get_by_text("cross_entropy").or_(pages.get_by_role("link", name="softmax")).first.click()
    row = pages.locator('tr:has(a.name-shown:text-is("Student, Sonia"))')
    row.locator(".name-hidden.glyphicon").click()
    row.locator("a.name-shown").click()
    expect(pages.locator("body")).to_contain_text("does not depend on")  # the proof
    comment = pages.locator("#shift_proof-comment")
    expect(comment).to_be_editable()
    comment.fill("Say why the factor may be cancelled.")
    for proof, score in (("shift_proof", "1.5"), ("jacobian_proof", "2")):
        box = pages.locator(f"input.score#{proof}")
        box.scroll_into_view_if_needed()
        with instructor.page.expect_response("**/api/grade/*"):
            box.fill(score)
            box.press("Tab")
    instructor.keep_picture("marked")


def publish(instructor: Person) -> None:
    """Generate and release feedback."""
    instructor.choose("Nbgrader", "Formgrader")
    instructor.page.frames[1].goto(
        f"{instructor.page.url.split('/lab')[0]}/formgrader/manage_assignments"
    )
    said = instructor.press("td.generate-feedback")
    assert "Successfully generated feedback" in said
    assert "not recognized" not in said
    assert "Successfully released feedback" in instructor.press("td.release-feedback")


def read_feedback(student: Person) -> str:
    """Fetch the feedback, open its page, and return what it says."""
    page = student.page
    assignments = page.locator("#nbgrader-assignment-list")
    assignments.locator("#refresh_assignments_list").click()
    assignments.get_by_text("feedback available to fetch").wait_for()
    assignments.get_by_role("button", name="Fetch Feedback").click()
    assignments.get_by_text("view feedback").click()
    page.locator(".jp-DirListing-item", has_text="softmax.html").dblclick()
    shown = page.frame_locator(".jp-HTMLViewer iframe").locator("body")
    shown.get_by_text("Summary").first.wait_for()
    student.keep_picture("feedback")
    return shown.inner_text()


def test_assignment_goes_from_the_instructor_to_students_and_back(people: Class) -> None:
    instructor, student, solutions = people.instructor, people.student, people.solutions
    release(instructor)
    fetch(student)
    work(student, solutions)
    said = validate(student)
    assert said.count("The following cell failed") == 1
    assert "cross_entropy_gradient, called with z = [1.09861, 0.693147, 0], c = 2: entry" in said
    correct(student)
    assert "Success! Your notebook passes all the tests." in validate(student)
    submit(student)

    bad = hostile.code("http://127.0.0.1:1").replace(
        "def double", solutions["softmax"] + "\n\ndef double"
    )
    hostile_answers = {"softmax": bad, "shift_proof": hostile.markdown("http://127.0.0.1:1")}
    hand_in(people, "mallory", "softmax.ipynb", {**solutions, **hostile_answers})
    hand_in(people, "petra", "softmax (1).ipynb", solutions)

    collect(instructor)
    assert "Successfully autograded" in autograde(instructor, "student")
    said = autograde(instructor, "mallory")
    assert "cell shift_proof: HTML or links that a browser would act on are shown as text" in said
    said = autograde(instructor, "petra")  # nbgrader's button knows files by their names alone
    assert "Skipping unknown notebook" in said
    assert "softmax (1).ipynb" in said
    said = run("nbreferee", "autograde", "softmax", "--student", "petra", folder=people.course)
    assert "softmax (1).ipynb was graded as softmax: there is no softmax.ipynb" in " ".join(
        said.split()
    )
    for one in ("student", "mallory", "petra"):
        scores = people.scores(one)
        assert sum(automatic or 0 for automatic, _ in scores.values()) == 16
        assert scores["shift_proof"] == (None, None)

    mark(instructor)
    assert people.scores("student")["shift_proof"][1] == 1.5
    publish(instructor)
    page = read_feedback(student)
    assert "19.5 of 20" in page
    assert "repaired" not in page
    assert "Say why the factor may be cancelled." in page
