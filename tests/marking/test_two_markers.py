"""Two markers at once on one gradebook: no mark is lost without a word."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from nbreferee.marking.marks import MarkTable, StoredMark

STUDENTS = [f"student_{n:02}" for n in range(30)]


def make_gradebook(url: str) -> None:
    with Gradebook(url, "tiny") as book:
        book.add_assignment("ps1")
        book.add_notebook("one", "ps1")
        book.add_grade_cell("why", "one", "ps1", max_score=4, cell_type="markdown")
        book.add_solution_cell("why", "one", "ps1")
        for student in STUDENTS:
            book.add_student(student)
            book.add_submission("ps1", student)


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # of nbgrader's add_submission
def test_of_two_marks_on_one_answer_the_second_marker_is_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    make_gradebook(url)
    together = threading.Barrier(2)
    told: dict[float, dict[str, StoredMark | None]] = {1.0: {}, 2.0: {}}
    failures: list[BaseException] = []

    def mark(score: float) -> None:
        try:
            with Gradebook(url, "tiny") as book:
                table = MarkTable(book, "ps1")
                (cell,) = table.cells()
                for student, seen in table.marks(cell).items():
                    together.wait()
                    text = f"by {score:g}"
                    told[score][student] = table.write(cell, student, score, text, seen.digest)
        except BaseException as error:
            failures.append(error)
            together.abort()

    markers = [threading.Thread(target=mark, args=(score,)) for score in told]
    for one in markers:
        one.start()
    for one in markers:
        one.join()
    assert failures == []
    with Gradebook(url, "tiny") as book:
        table = MarkTable(book, "ps1")
        (cell,) = table.cells()
        for student, mark_there in table.marks(cell).items():
            (written,) = (score for score, found in told.items() if found[student] is None)
            (other,) = (score for score in told if score != written)
            assert (mark_there.score, mark_there.comment) == (written, f"by {written:g}")
            refused = told[other][student]
            assert refused is not None
            assert refused.score == written
