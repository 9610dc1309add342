"""Cells become Python as IPython makes it, whether they are taken apart into tokens or not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from nbreferee.engine.transformer import MAY_BE_SPECIAL, Transformer

PIECES = [
    "a",
    " ",
    "\n",
    "=",
    "%",
    "!",
    "?",
    ",",
    ";",
    "/",
    "\\\n",
    '"',
    "'''",
    "#",
    "(",
    ")",
    "\f",
]


def by_ipython(cell: str) -> str:
    return transformed(TransformerManager(), cell)


def transformed(transformer: TransformerManager, cell: str) -> str:
    """Return a cell as Python; IPython does not survive everything."""
    try:
        python: str = transformer.transform_cell(cell)
    except IndexError as error:
        return str(error)
    return python


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_cells_are_transformed_as_by_ipython(cell: str) -> None:
    assert transformed(Transformer(), cell) == by_ipython(cell)


@pytest.mark.parametrize(
    "cell", ["x = %pwd", "x = \\\n  !ls", "if 1:\n    %time f()", "f?", "/f 1", ",f a", "\\\n%pwd"]
)
def test_special_syntax_is_recognised(cell: str) -> None:
    assert MAY_BE_SPECIAL.search(cell)
    assert Transformer().transform_cell(cell) == by_ipython(cell) != cell + "\n"


def test_plain_python_is_left_as_it_is() -> None:
    cell = "x = 5 % 3\nprint('%d' % x, x != 3)\n"
    assert MAY_BE_SPECIAL.search(cell) is None
    assert Transformer().transform_cell(cell) == cell
