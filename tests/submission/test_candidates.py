"""A notebook under another name is taken where it is the only candidate; else a person reads what
is expected and what was found.
"""

from __future__ import annotations

import copy
import json
import unicodedata
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from building import answer, cell, graded, write

from nbreferee.course.source import read_master
from nbreferee.submission.candidates import NotebookFiles, choose_files, is_candidate
from nbreferee.submission.originals import Originals, originals_of

ONE = (
    cell("# Squares and what they are good for", "markdown"),
    answer(
        "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION", "square"
    ),
    graded("### BEGIN HIDDEN TESTS\nassert square(2) == 4\n### END HIDDEN TESTS", "square_tests"),
    cell("*Why is it so?*", "markdown", grade_id="why", grade=True, solution=True, points=4),
)
TWO = (
    cell("# Cubes and what they are good for", "markdown"),
    answer("def cube(x):\n    ### BEGIN SOLUTION\n    return x ** 3\n    ### END SOLUTION", "cube"),
    graded("### BEGIN HIDDEN TESTS\nassert cube(2) == 8\n### END HIDDEN TESTS", "cube_tests"),
)
ONE_NAME, TWO_NAME = "Übung one", "two"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Originals]:
    folder = tmp_path_factory.mktemp("masters")
    masters = {
        name: read_master(write(folder, *cells, name=name))
        for name, cells in ((ONE_NAME, ONE), (TWO_NAME, TWO))
    }
    return {name: originals_of(master, {}) for name, master in masters.items()}


def handed_in(
    *cells: nbformat.NotebookNode, change: Callable[[dict[str, Any]], object] = lambda one: None
) -> bytes:
    notebook = json.loads(
        nbformat.writes(nbformat.v4.new_notebook(cells=copy.deepcopy(list(cells))))
    )
    for one in notebook["cells"]:
        change(one)
    return json.dumps(notebook).encode()


def strip(one: dict[str, Any]) -> None:
    one["metadata"] = {}


FIRST, SECOND = handed_in(*ONE), handed_in(*TWO)
BARE = handed_in(*ONE, change=strip)
EXTRA = handed_in(cell("# Shopping"), cell("milk = 3\ndef square(x): return 4"))
RIGHT = {f"{TWO_NAME}.ipynb": SECOND}
OTHER_NAMES = {
    "browser": f"{ONE_NAME} (1).ipynb",
    "copy": f"{ONE_NAME}-Copy1.ipynb",
    "student": f"ada_lovelace_{ONE_NAME}.ipynb",
    "final": f"{ONE_NAME}_final_v2.ipynb",
    "case": f"{ONE_NAME.lower()}.ipynb",
    "ending": f"{ONE_NAME}.IPYNB",
    "decomposed": f"{unicodedata.normalize('NFD', ONE_NAME)}.ipynb",
    "text": f"{ONE_NAME}.ipynb.txt",
    "json": f"{ONE_NAME}.ipynb.json",
    "folder": f"ps1/{ONE_NAME}.ipynb",
    "nothing_in_common": "Untitled3.ipynb",
}


@pytest.mark.parametrize(
    "data", [FIRST, BARE, FIRST.decode().encode("utf-16")], ids=["with_ids", "bare", "utf_16"]
)
@pytest.mark.parametrize("kind", OTHER_NAMES)
def test_the_only_candidate_is_taken_and_noted(
    kind: str, data: bytes, expected: dict[str, Originals]
) -> None:
    name = OTHER_NAMES[kind]
    choice = choose_files({**RIGHT, name: data}, expected)
    assert choice.files == {ONE_NAME: name, TWO_NAME: f"{TWO_NAME}.ipynb"}
    assert choice.problems == {}
    assert list(choice.repairs) == [ONE_NAME]
    assert choice.repairs[ONE_NAME] == (
        (
            f"{name} was graded as {ONE_NAME}: there is no {ONE_NAME}.ipynb, and this file has the "
            f"cells of {ONE_NAME}"
        ),
    )
    assert is_candidate(name.rsplit("/", 1)[-1])


def test_expected_names_need_no_note(expected: dict[str, Originals]) -> None:
    found = {f"{ONE_NAME}.ipynb": FIRST, **RIGHT}
    assert choose_files(found, expected) == NotebookFiles(
        {name: f"{name}.ipynb" for name in expected}
    )


def test_expected_name_is_taken_whatever_is_in_the_file_and_extra_notebooks_stay(
    expected: dict[str, Originals],
) -> None:
    for data in (BARE, b"", b"PK\3\4", FIRST[:100], handed_in(), FIRST.decode().encode("utf-16")):
        choice = choose_files(
            {f"{ONE_NAME}.ipynb": data, **RIGHT, "shopping.ipynb": EXTRA}, expected
        )
        assert choice == NotebookFiles({name: f"{name}.ipynb" for name in expected}), data


def test_second_version_beside_the_expected_name_is_named(expected: dict[str, Originals]) -> None:
    choice = choose_files(
        {f"{ONE_NAME}.ipynb": FIRST, f"{ONE_NAME} (1).ipynb": FIRST, **RIGHT}, expected
    )
    assert choice.files == {name: f"{name}.ipynb" for name in expected}
    assert choice.repairs == {
        ONE_NAME: (
            (
                f"{ONE_NAME} (1).ipynb: not graded. It has the cells of {ONE_NAME} as well, and "
                f"{ONE_NAME}.ipynb is there"
            ),
        )
    }


def test_two_candidates_are_named_and_none_is_graded(expected: dict[str, Originals]) -> None:
    choice = choose_files({"a.ipynb": FIRST, "b.ipynb": BARE, **RIGHT}, expected)
    assert choice.files == {TWO_NAME: "two.ipynb"}
    assert choice.problems == {
        ONE_NAME: f"{ONE_NAME}.ipynb was not handed in, and 2 files could be it: a.ipynb, b.ipynb. None was "
        f"graded. Rename the right one to {ONE_NAME}.ipynb, then grade again"
    }


def test_what_is_plainly_another_notebook_is_named_and_never_taken(
    expected: dict[str, Originals],
) -> None:
    choice = choose_files(
        {f"Notes for {ONE_NAME}.ipynb": EXTRA, "shopping.ipynb": EXTRA, **RIGHT}, expected
    )
    assert choice.files == {TWO_NAME: "two.ipynb"}
    assert choice.repairs == {}
    assert choice.problems[ONE_NAME].startswith(
        f"{ONE_NAME}.ipynb was not handed in, and no other file has its cells. Found: "
    )
    assert (
        f"If one of them is it, rename it to {ONE_NAME}.ipynb, then grade again"
        in choice.problems[ONE_NAME]
    )


def test_notebooks_of_one_assignment_are_told_apart_by_their_cells(
    expected: dict[str, Originals],
) -> None:
    assert choose_files({"x.ipynb": SECOND, "y.ipynb": BARE}, expected).files == {
        ONE_NAME: "y.ipynb",
        TWO_NAME: "x.ipynb",
    }
    swapped = choose_files({f"{ONE_NAME}.ipynb": SECOND, f"{TWO_NAME}.ipynb": FIRST}, expected)
    assert swapped.files == {ONE_NAME: f"{TWO_NAME}.ipynb", TWO_NAME: f"{ONE_NAME}.ipynb"}
    assert swapped.repairs[TWO_NAME] == (
        (
            f"{ONE_NAME}.ipynb was graded as {TWO_NAME}: {TWO_NAME}.ipynb has other cells, and this "
            f"file has the cells of {TWO_NAME}"
        ),
    )


def test_another_notebook_under_the_expected_name_is_named(expected: dict[str, Originals]) -> None:
    choice = choose_files({f"{ONE_NAME}.ipynb": SECOND, **RIGHT}, expected)
    assert choice.files == {TWO_NAME: "two.ipynb"}
    assert choice.problems == {
        ONE_NAME: (
            f"{ONE_NAME}.ipynb has the cells of {TWO_NAME}, not its own. Ask for the right notebook"
        )
    }


def test_a_copy_of_a_notebook_that_is_there_is_no_other_notebook(
    expected: dict[str, Originals],
) -> None:
    choice = choose_files({"two (1).ipynb": SECOND, **RIGHT}, expected)
    assert choice.files == {TWO_NAME: "two.ipynb"}
    assert ONE_NAME not in choice.problems


def test_what_was_not_handed_in_has_neither_file_nor_problem(
    expected: dict[str, Originals],
) -> None:
    assert choose_files({}, expected) == NotebookFiles()
    assert choose_files(RIGHT, expected) == NotebookFiles({TWO_NAME: "two.ipynb"})


def test_names_of_files_are_shown_without_control_characters(
    expected: dict[str, Originals],
) -> None:
    choice = choose_files({"a\n\x1b[31m.ipynb": EXTRA}, expected)
    assert all(
        problem.isprintable() and "a??[31m.ipynb" in problem for problem in choice.problems.values()
    )


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("a.ipynb", True),
        ("A.IPYNB", True),
        ("a.ipynb.txt", True),
        (".a.ipynb", False),
        ("a.py", False),
    ],
)
def test_candidates_by_name(name: str, is_one: bool) -> None:
    assert is_candidate(name) == is_one
