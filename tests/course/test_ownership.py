"""A plan says whose a name is, and what the tester runs, from the master alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from building import answer, cell, graded, write
from nbformat import NotebookNode

from nbreferee.course.dataflow import free_names
from nbreferee.course.given_up import bound_names
from nbreferee.course.ownership import Plan, Reference, Step, make_plan
from nbreferee.course.source import read_master
from nbreferee.engine.wire.records import Records


def plan_of(folder: Path, *cells: NotebookNode) -> Plan:
    return make_plan(read_master(write(folder, *cells)))


def solution(code: str) -> str:
    return f"### BEGIN SOLUTION\n{code}\n### END SOLUTION"


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("x = 1", {"x"}),
        ("def f(a):\n    b = a\n    return b", {"f"}),
        ("class C:\n    y = 1", {"C"}),
        ("x += 1", {"x"}),
        ("x[0] = 1", {"x"}),
        ("tree.left.value = 1", {"tree"}),
        ("x.append(1)", {"x"}),
        ("last = x.pop()", {"x", "last"}),
        ("fill(x)", {"x"}),
        ("machine.run()", {"machine"}),
        ("y = A.dot(b)", {"y"}),  # an array does not change by it: A stays the instructor's
        ("y = solve(A, b)", {"y"}),
        ("import numpy as np", set()),  # nor does a module, whoever imports it
        ("import numpy as np\nz = np.append(x, 1)", {"z"}),
        ("import matplotlib.pyplot as plt\nplt.plot(x)", set()),
        ("import numpy as np\nnp.random.shuffle(x)", {"x"}),
        ("for i in range(3):\n    total = i", {"i", "total"}),
        ("with open('a') as file:\n    text = file.read()", {"file", "text"}),
        ("print(x)", set()),
        ("setattr(x, 'y', 1)", {"x"}),
        ("max = 3", {"max"}),
        ("del x", {"x"}),
    ],
)
def test_names_that_a_solution_changes_are_the_students(
    code: str, names: set[str], tmp_path: Path
) -> None:
    plan = plan_of(tmp_path, answer(solution(code)), graded())
    assert set(plan.steps[0].given_up) == names


def test_tester_runs_what_tests_need_and_no_more(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        cell("import numpy as np\nimport os", grade_id="imports", locked=True),
        cell("def helper(x):\n    return np.sin(x)", grade_id="helper", locked=True),
        cell("plot = draw_for_a_minute()", grade_id="slow", locked=True),
        cell("def free_helper():\n    return LIMIT\nLIMIT = 3\ndata = load()"),
        cell("x = train()"),
        answer(),
        graded(
            "### BEGIN HIDDEN TESTS\nassert helper(f(1)) == free_helper()\n### END HIDDEN TESTS"
        ),
    )
    assert [bool(step.source) for step in plan.steps] == [
        True,
        True,
        False,
        True,
        False,
        False,
        True,
    ]
    assert (
        plan.steps[3].source == "def free_helper():\n    return LIMIT"
    )  # what students may change comes from them
    assert set(plan.steps[3].given_up) == {"LIMIT", "data"}
    assert plan.steps[6].hidden_lines == (2,)


def test_test_that_asks_for_any_name_gets_all_that_the_instructor_has(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        cell("a = 1", grade_id="a", locked=True),
        answer(),
        graded("### BEGIN HIDDEN TESTS\nassert globals()['a']\n### END HIDDEN TESTS"),
    )
    assert plan.steps[0].source == "a = 1"


def test_names_that_a_test_sets_for_students_functions_are_those_they_read(tmp_path: Path) -> None:
    code = (
        "### BEGIN HIDDEN TESTS\nprice = 3\nexpected = 6\nassert total() == expected\n"
        "### END HIDDEN TESTS"
    )
    plan = plan_of(
        tmp_path,
        answer("def total():\n    ### BEGIN SOLUTION\n    return 2 * price\n    ### END SOLUTION"),
        graded(code),
    )
    assert plan.steps[1].set_for_students == ("price",)


def test_plan_holds_no_solution_and_survives_the_wire(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        cell("import math", grade_id="i", locked=True),
        answer(solution("class Secret:\n    value = 4711")),
        graded(),
    )
    assert "4711" not in repr(plan)
    assert plan.student_classes == ("Secret",)
    assert plan.modules == ("math",)
    messages = Records(Plan, Step, Reference)
    assert messages.decode(messages.encode(plan), Plan) == plan


def test_names_in_functions_are_not_bound_outside() -> None:
    assert bound_names(ast.parse("def f():\n    x = 1\ny = [z for z in a]")) == {"f", "y", "z"}


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    pass\nexcept OSError as found:\n    print(found)",
        "def f():\n    try:\n        pass\n    except OSError as found:\n        print(found)",
        "def f():\n    def found():\n        pass\n    return found()",
        "def f():\n    class found:\n        pass\n    return found()",
        "def f():\n    import found\n    return found",
        "def f(x):\n    match x:\n        case [1, *found]:\n            return found",
    ],
)
def test_names_that_a_function_or_handler_binds_itself_are_not_read_from_outside(code: str) -> None:
    assert "found" not in free_names(ast.parse(code))
    assert "found" in free_names(ast.parse(code + "\nfound"))
    assert "found" in free_names(
        ast.parse("def f():\n    global found\n    import found\n    return found")
    )
