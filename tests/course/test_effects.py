"""Which names a cell reads from others, by itself and through functions of earlier cells."""

from __future__ import annotations

import pytest

from nbreferee.course.context import context_of
from nbreferee.course.effects import effects_of
from nbreferee.course.replaying import CodeCell, read_for_replay

IMPORTS = "import numpy as np"


@pytest.mark.parametrize(
    ("source", "reads_x"),
    [
        ("with np.errstate(all='ignore'):\n    x = 1\nprint(x)", False),
        ("with np.printoptions(precision=2), np.errstate() as x:\n    pass\nprint(x)", False),
        ("with np.errstate():\n    if y:\n        x = 1\nprint(x)", True),
        ("with np.errstate():\n    x = 1\n    del x\nprint(x)", True),
        ("with hush():\n    x = 1 / y\nprint(x)", True),
        ("with np.errstate(), hush():\n    x = 1 / y\nprint(x)", True),
        ("try:\n    print(y)\nexcept ValueError as x:\n    print(x)", False),
        ("try:\n    x = y\nexcept ValueError:\n    print(x)", True),
        ("try:\n    print(y)\nexcept ValueError as x:\n    pass\nelse:\n    print(x)", True),
        ("if (x := len(y)) != 2:\n    print(x)", False),
        ("if x := len(y):\n    pass\nprint(x)", False),
        ("if x == (x := 1):\n    pass", True),
        ("if (x := len(x)) != 2:\n    pass", True),
        ("if y and (x := 1):\n    pass\nprint(x)", True),
    ],
)
def test_name_is_read_from_another_cell_where_it_may_not_be_bound_before(
    source: str, reads_x: bool
) -> None:
    context = context_of([IMPORTS, "x = y = 0\ndef hush():\n    return y", source], {})
    assert ("x" in effects_of(source, context).reads) == reads_x


def test_cell_depends_on_functions_of_earlier_cells_alone() -> None:
    sources = [
        "def once(x):\n    return twice(x)",
        "print(once(1))",
        "def twice(x):\n    return f(x)",
        "print(once(1))",
    ]
    cells = [CodeCell(number, source) for number, source in enumerate(sources)]
    student = CodeCell(4, "def f(x):\n    return x", is_students=True)
    reading = read_for_replay([*cells, student], {})
    assert "f" not in reading.cells[1].reads
    assert "f" in reading.cells[3].reads
