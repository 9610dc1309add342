"""Partial credit is read as nbgrader reads it, and NumPy's numbers as numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import SupportsFloat

import numpy as np
import pytest
import sympy
from nbgrader.utils import get_partial_grade

from nbreferee.engine.tester.credit import credit_of

NUMPY = {
    "float64": np.float64(2),
    "float32": np.float32(1.5),
    "int64": np.int64(1),
    "uint8": np.uint8(2),
    "half": np.float16(0.5),
    "longdouble": np.longdouble(1),
    "mean": np.mean([1.0, 0.0]),
    "no dimension": np.array(2.0),
}
AS_NBGRADER = {
    "int": 1,
    "float": 0.5,
    "zero": 0,
    "bool": True,
    "none": None,
    "text": "1",
    "list": [1],
    "sympy": sympy.Integer(1),
    "decimal": Decimal(1),
    "complex": 1j,
    "numpy's bool": np.True_,
    "array": np.array([1.0]),
    "timedelta": np.timedelta64(1, "s"),
}


@pytest.mark.parametrize("value", NUMPY.values(), ids=NUMPY)
def test_numbers_of_numpy_are_numbers(value: SupportsFloat) -> None:
    assert credit_of(value) == float(value)


@pytest.mark.parametrize("value", AS_NBGRADER.values(), ids=AS_NBGRADER)
def test_other_values_are_read_as_nbgrader_reads_them(value: object) -> None:
    credit = credit_of(value)
    assert (2 if credit is None else credit) == get_partial_grade(
        {"data": {"text/plain": repr(value)}}, 2
    )
