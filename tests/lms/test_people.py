"""Whose a submission is: one student, or nobody with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lms_classes import export_here, handed_in, import_here
from nbgrader.api import Gradebook
from platform_files import (
    Sheet,
    Student,
    canvas_gradebook,
    canvas_zip,
    moodle_worksheet,
    moodle_zip,
    zip_of,
)

from nbreferee.lms.naming import name_students
from nbreferee.lms.people import Person, Register
from nbreferee.lms.roster import read_roster

GOOD = {"one.ipynb": b'{"cells": []}'}


def files(text: str) -> dict[str, bytes]:
    return {"one.ipynb": f'{{"cells": [], "of": "{text}"}}'.encode()}


def roster(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


TWO_OF_ONE_NAME = [
    Student("Jane", "Doe", 1, "jane1", files("first")),
    Student("Jane", "Doe", 2, "jane2", files("second")),
]
LEFT = Student("Gone", "Long", 3, "gone", files("gone"))
STRANGER = Student("Not", "Enrolled", 4, "stranger", files("stranger"))


def test_two_of_one_name_one_who_left_one_unknown(course: Path, tmp_path: Path) -> None:
    """With ids each student gets their own mark; a student who left or is not in the roster is
    named.
    """
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        book.add_student("gone", first_name="Gone", last_name="Long", lms_user_id="3")
    gradebook = roster(
        tmp_path / "canvas.csv", canvas_gradebook(TWO_OF_ONE_NAME, Sheet(), 9).decode()
    )
    done = import_here(
        course, canvas_zip(tmp_path / "x.zip", [*TWO_OF_ONE_NAME, LEFT, STRANGER]), gradebook
    )
    assert handed_in(course) == {"jane1": files("first"), "jane2": files("second")}
    assert {one.source for one in done.left_out} == {"longgone_3", "enrollednot_4"}
    assert all("is not in" in one.why for one in done.left_out)


def test_two_of_one_name_without_ids_are_nobody(course: Path, tmp_path: Path) -> None:
    """A roster without the platform's ids: names alone cannot tell them."""
    people = roster(
        tmp_path / "people.csv",
        "student_id,first_name,last_name\njane1,Jane,Doe\njane2,Jane,Doe\nben,Ben,Meyer\n",
    )
    ben = Student("Ben", "Meyer", 9, "ben", files("ben"))
    done = import_here(course, canvas_zip(tmp_path / "x.zip", [*TWO_OF_ONE_NAME, ben]), people)
    assert handed_in(course) == {"ben": files("ben")}
    assert [one.source for one in done.left_out] == ["doejane_1", "doejane_2"]
    assert all("students have this name" in one.why for one in done.left_out)


def test_two_submissions_of_one_name_are_nobodys(course: Path, tmp_path: Path) -> None:
    """One in the roster, two in the zip: one of them is somebody else."""
    people = roster(tmp_path / "people.csv", "student_id,first_name,last_name\njane1,Jane,Doe\n")
    done = import_here(course, canvas_zip(tmp_path / "x.zip", TWO_OF_ONE_NAME), people)
    assert handed_in(course) == {}
    assert len(done.left_out) == 2
    assert "several submissions would be jane1's" in done.left_out[0].why


def test_moodle_rosters_of_other_assignments_fit_nobody(course: Path, tmp_path: Path) -> None:
    """Participants' numbers are another assignment's: no name can make up for that."""
    other = [
        Student("Jane", "Doe", 11, "jane1"),
        Student("Ben", "Meyer", 1, "ben"),
    ]  # 70001 was Jane's
    sheet = tmp_path / "other.csv"
    sheet.write_bytes(moodle_worksheet(other, Sheet(), 9))
    done = import_here(course, moodle_zip(tmp_path / "x.zip", TWO_OF_ONE_NAME), sheet)
    assert handed_in(course) == {}
    assert "is Ben Meyer" in done.left_out[0].why
    assert "Is it the roster of this assignment?" in done.left_out[0].why


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own
def test_exports_name_everybody_who_is_not_in_both(course: Path, tmp_path: Path) -> None:
    """Rows that two students could be, and students without a row: nobody's cell changes, and each
    is named.
    """
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        for student, email, lms in (
            ("jane1", "jane1@example.org", None),
            ("mail", "jane2", None),
            ("jane2", None, "2"),
            ("gone", None, None),
        ):
            book.add_student(
                student, first_name="Jane", last_name="Doe", email=email, lms_user_id=lms
            )
            submission = book.add_submission("ps1", student)
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    grade.auto_score, grade.needs_manual_grade = 1.0, False
        book.db.commit()
    template = tmp_path / "canvas.csv"
    template.write_bytes(canvas_gradebook([*TWO_OF_ONE_NAME, STRANGER], Sheet(), 9))
    done = export_here(course, "canvas", template, tmp_path / "out.csv")
    changed = [
        line
        for line, before in zip(
            (tmp_path / "out.csv").read_text().splitlines(),
            template.read_text().splitlines(),
            strict=True,
        )
        if line != before
    ]
    assert [line.split(",")[2] for line in changed] == ["1", "2"]
    assert {row.name for row in done.rows if row.remark == "is not in the gradebook"} == {
        "Not Enrolled (Canvas id 4)"
    }
    assert [problem.split()[0] for problem in done.problems] == ["gone", "mail"]
    assert not done.complete


CONFLICTS = {
    "the id says one, the e-mail address another": (
        {"login": "anna", "email": "ben@example.org"},
        "several students",
    ),
    "lms_user_id says one, the id another": ({"login": "anna", "canvas": "22"}, "several students"),
}


@pytest.mark.parametrize("case", CONFLICTS)
def test_ids_that_disagree_match_nobody(case: str) -> None:
    ids, why = CONFLICTS[case]
    book = [
        Person("Anna A", ids={"student": "anna", "login": "anna"}),
        Person(
            "Ben B", ids={"student": "ben", "login": "ben", "email": "ben@example.org", "lms": "22"}
        ),
    ]
    named = name_students([Person(ids=ids)], book)
    assert named.people == ()
    assert why in named.problems[0][1]


names = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "Zs"]), min_size=1, max_size=12
).filter(lambda text: text.strip())
rosters = st.lists(
    st.tuples(names, names, st.integers(1, 30), st.sampled_from(["", "a", "b", "c"])),
    min_size=1,
    max_size=8,
)


@given(rosters, rosters)
def test_nobody_is_two_people_and_nobody_gets_two_submissions(
    people: list[tuple[str, str, int, str]], claims: list[tuple[str, str, int, str]]
) -> None:
    """Whatever the files say: a match agrees with every id that both have, and no two people become
    one student.
    """
    roster = [
        Person(
            f"{first} {last}",
            first,
            last,
            {k: v for k, v in {"canvas": str(number), "login": login}.items() if v},
            where=str(n),
        )
        for n, (first, last, number, login) in enumerate(people)
    ]
    named = name_students(
        roster,
        [
            Person("Old Student", ids={"student": "a", "login": "a"}),
            Person("X Y", ids={"student": "q", "login": "q", "lms": "7"}),
        ],
    )
    students = [person.student for person in named.people]
    assert len(set(students)) == len(students)
    assert len(named.people) + len(named.problems) == len(roster)
    register = Register(named.people, "roster")
    for first, last, number, login in claims:
        claim = Person(
            f"{first} {last}",
            ids={k: v for k, v in {"canvas": str(number), "login": login}.items() if v},
        )
        match = register.find(claim)
        assert (match.person is None) == bool(match.problem)
        if match.person is not None:
            assert all(
                match.person.ids.get(kind, value) == value for kind, value in claim.ids.items()
            )


def test_markup_in_names_prints_whole(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Brackets are no markup, and nothing in a name is."""
    from rich.console import Console

    from nbreferee.lms.importing import show

    done = import_here(
        course,
        zip_of(
            tmp_path / "x.zip", {"anna[old]/one.ipynb": b"{}", "[red]ben[/red]/one.ipynb": b"{}"}
        ),
    )
    show(done, Console(width=200), dry_run=False)
    printed = capsys.readouterr().out
    assert "anna[old]" in printed
    assert "[red]ben" in printed


def test_names_do_not_make_up_for_other_numbers(course: Path, tmp_path: Path) -> None:
    """The gradebook knows a Jane Doe with another Canvas id: this one is somebody else."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "tiny") as book:
        book.add_student("jane", first_name="Jane", last_name="Doe", lms_user_id="111")
        book.add_student("ben", first_name="Ben", last_name="Meyer")
    done = import_here(
        course,
        canvas_zip(
            tmp_path / "x.zip",
            [
                Student("Jane", "Doe", 222, "x", files("x")),
                Student("Ben", "Meyer", 9, "b", files("b")),
            ],
        ),
    )
    assert handed_in(course) == {}
    assert [one.why.split(".")[0] for one in done.left_out] == [
        "doejane (Canvas id 222) is not in the gradebook",
        "meyerben (Canvas id 9) is not in the gradebook",
    ]


def test_rows_that_stand_twice_are_one_person(course: Path, tmp_path: Path) -> None:
    people = roster(tmp_path / "people.csv", "student_id,canvas_id\nanna,1\nanna,1\nben,2\n")
    import_here(course, canvas_zip(tmp_path / "x.zip", TWO_OF_ONE_NAME), people)
    assert handed_in(course) == {"anna": files("first"), "ben": files("second")}


WRAPPED = {
    "Canvas's, zipped again": (
        {
            "submissions/doejane_1_9001_one.ipynb": b"{}",
            "submissions/meyerben_2_9002_one.ipynb": b"{}",
        },
        "canvas",
        {"canvas_1", "canvas_2"},
    ),
    "Moodle's, zipped again": (
        {
            "x/Jane Doe_1_assignsubmission_file/one.ipynb": b"{}",
            "x/B M_2_assignsubmission_file/one.ipynb": b"{}",
        },
        "moodle",
        {"participant_1", "participant_2"},
    ),
    "Moodle's, of one student": (
        {"Jane Doe_1_assignsubmission_file/one.ipynb": b"{}"},
        "moodle",
        {"participant_1"},
    ),
    "nbgrader's own layout": (
        {"submitted/anna/ps1/one.ipynb": b"{}", "submitted/ben/ps1/one.ipynb": b"{}"},
        "folders",
        {"anna", "ben"},
    ),
    "folders": ({"anna/one.ipynb": b"{}", "ben/one.ipynb": b"{}"}, "folders", {"anna", "ben"}),
    "one folder": ({"anna/one.ipynb": b"{}"}, "folders", {"anna"}),
    "one folder in nbgrader's layout": ({"anna/ps1/one.ipynb": b"{}"}, "folders", {"anna"}),
    "a student with a file of Gradescope's": (
        {"anna/submission_metadata.yml": b"x: 1", "anna/one.ipynb": b"{}", "ben/one.ipynb": b"{}"},
        "folders",
        {"anna", "ben"},
    ),
    "a student with a name of Moodle's": (
        {
            "doejane_1_9001_x_1_assignsubmission_file_y.ipynb": b"{}",
            "meyerben_2_9002_one.ipynb": b"{}",
        },
        "canvas",
        {"canvas_1", "canvas_2"},
    ),
}


@pytest.mark.parametrize("case", WRAPPED)
def test_zips_are_recognised(case: str, course: Path, tmp_path: Path) -> None:
    contents, platform, students = WRAPPED[case]
    done = import_here(course, zip_of(tmp_path / "x.zip", contents))
    assert (done.platform, set(handed_in(course))) == (platform, students)


ROSTERS = {
    "ids that look like participants": (
        "student_id,first_name,last_name,email\nstudent01,Ann,A,a@x.org\nstudent02,Ben,B,b@x.org\n"
    ),
    "with a section": (
        "id;last name;first name;email address;section\ns1;A;Ann;a@x.org;1\ns2;B;Ben;b@x.org;1\n"
    ),
    "nbgrader's own": "id,first_name,last_name,email,lms_user_id\nanna,Ann,A,a@x.org,17\n",
}


@pytest.mark.parametrize("case", ROSTERS)
def test_plain_rosters_are_read_as_such(case: str, tmp_path: Path) -> None:
    people = read_roster(roster(tmp_path / "people.csv", ROSTERS[case]))
    assert {person.student for person in people} <= {"student01", "student02", "s1", "s2", "anna"}
    assert people[0].ids["email"] == "a@x.org"
    assert (people[0].first, people[0].last) == ("Ann", "A")
