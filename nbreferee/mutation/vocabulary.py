"""What functions, operators and changes are called in a tutor's words."""

from __future__ import annotations

import ast
import re

CALLS = {
    "abs": "the absolute value",
    "amax": "the maximum",
    "argmax": "the place of the maximum",
    "array": "an array",
    "clip": "the clipping",
    "cos": "the cosine",
    "cumsum": "the cumulative sum",
    "diag": "the diagonal",
    "dot": "the dot product",
    "einsum": "a sum of products",
    "exp": "the exponential",
    "expm1": "the exponential less 1",
    "eye": "the identity matrix",
    "flip": "the flip",
    "kron": "the Kronecker product",
    "log": "the logarithm",
    "log10": "the logarithm to base 10",
    "log1p": "the logarithm of 1 more",
    "log2": "the logarithm to base 2",
    "logaddexp": "the logarithm of the sum of exponentials",
    "max": "the maximum",
    "maximum": "the larger of two",
    "mean": "the mean",
    "min": "the minimum",
    "minimum": "the smaller of two",
    "multiply": "the product entry by entry",
    "ones": "ones",
    "ones_like": "ones",
    "outer": "the outer product",
    "prod": "the product",
    "repeat": "repeating each entry",
    "sin": "the sine",
    "sqrt": "the root",
    "square": "the square",
    "sum": "the sum",
    "tanh": "tanh",
    "tile": "repeating the whole",
    "where": "the choice between two",
    "zeros": "zeros",
    "zeros_like": "zeros",
    "hstack": "stacking side by side",
    "vstack": "stacking on top of each other",
    "cumprod": "the cumulative product",
}
OPERATIONS: dict[type, str] = {
    ast.Add: "sum",
    ast.Sub: "difference",
    ast.Mult: "product",
    ast.MatMult: "matrix product",
    ast.Div: "quotient",
    ast.Pow: "power",
}
NAMED = re.compile(
    r"\baxis\b|\b(?:" + "|".join(w for w in CALLS.values() if w.startswith("the ")) + ")"
)
SOMETHING = "an intermediate result"
OPERATORS: dict[tuple[type, type], str] = {
    (ast.Add, ast.Sub): "{right} were subtracted instead of added",
    (ast.Sub, ast.Add): "{right} were added instead of subtracted",
    (ast.Mult, ast.Div): "there were a division by {right} instead of a multiplication",
    (ast.Mult, ast.MatMult): "a product entry by entry were a matrix product",
    (ast.Div, ast.Mult): "there were a multiplication by {right} instead of a division",
    (ast.MatMult, ast.Mult): "a matrix product were taken entry by entry",
    (ast.Pow, ast.Mult): "a power were a product",
    (ast.FloorDiv, ast.Div): "a division were not rounded down",
}
SHORTER_SUMS = {
    "1:": "left its first term out: does a loop start too late?",
    ":-1": "left its last term out: does a loop end too early?",
    "-1:": "held its last term only: is each term written over the one before?",
    ":1": "held its first term only: does a loop end after one turn?",
}
SWAPPED: dict[type, str] = {
    ast.Sub: "a difference were taken the other way round",
    ast.Div: "a quotient were upside down",
    ast.MatMult: "the factors of a matrix product stood in the other order",
    ast.Pow: "base and exponent of a power were exchanged",
}
