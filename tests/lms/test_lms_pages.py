"""The pages on Canvas, Moodle and Gradescope: their commands run in order, on files as the platforms write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from documents import PAGES, Block, Page, run_page
from lms_classes import POINTS, make_class, mark
from platform_files import (
    Sheet,
    canvas_gradebook,
    canvas_zip,
    gradescope_scores,
    gradescope_zip,
    moodle_worksheet,
    moodle_zip,
)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "lms-" in page.name], ids=lambda page: page.name
)
def test_commands_run_in_order(page: Page, course: Path, tmp_path: Path) -> None:
    students = make_class(course)[:2]
    if page.path.stem == "lms-canvas":
        canvas_zip(course / "submissions.zip", students)
        (course / "gradebook.csv").write_bytes(canvas_gradebook(students, Sheet(), POINTS))
    elif page.path.stem == "lms-moodle":
        moodle_zip(course / "submissions.zip", students)
        (course / "worksheet.csv").write_bytes(moodle_worksheet(students, Sheet(), POINTS))
    else:
        gradescope_zip(course / "assignment_31_export.zip", students)
        (course / "scores.csv").write_bytes(gradescope_scores(students, Sheet(), POINTS))

    def then(block: Block) -> None:
        if "nbreferee grade" in block.text:
            mark(course)

    run_page(page, course, tmp_path, then)
    assert (course / "upload.csv").is_file()
