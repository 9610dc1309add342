"""Changes in one place: an operator, a comparison, a sign, a transpose, an index, an axis, a
constant, a neighbouring function, a line that is gone. `words` says what each does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from nbreferee.mutation.syntax import Change, is_transpose, worth_changing

SWAPPED_OPERATORS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.MatMult),
    ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
NOT_COMMUTATIVE = (ast.Sub, ast.Div, ast.MatMult, ast.Pow)
SWAPPED_COMPARISONS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
NEIGHBOURS = {
    "sum": "mean",
    "mean": "sum",
    "max": "min",
    "min": "max",
    "amax": "amin",
    "argmax": "argmin",
    "argmin": "argmax",
    "maximum": "minimum",
    "minimum": "maximum",
    "zeros": "ones",
    "ones": "zeros",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "exp": "expm1",
    "log": "log1p",
    "sin": "cos",
    "cos": "sin",
    "sqrt": "square",
    "outer": "multiply",
    "tile": "repeat",
    "repeat": "tile",
    "hstack": "vstack",
    "vstack": "hstack",
    "eye": "ones",
    "all": "any",
    "any": "all",
    "cumsum": "cumprod",
    "prod": "sum",
    "dot": "outer",
    "abs": "positive",
    "flatnonzero": "nonzero",
    "floor": "ceil",
    "ceil": "floor",
    "append": "clear",
    "sorted": "list",
    "range": "reversed",
    "left": "right",
}
TRANSPARENT_METHODS = {
    "copy",
    "ravel",
    "reshape",
    "transpose",
    "swapaxes",
    "astype",
    "flatten",
    "squeeze",
}


def changes(tree: ast.AST) -> Iterator[Change]:
    """Yield (node, kind of change, what to put in its place)."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            yield from _swapped_parameters(function)
    for node in worth_changing(tree):
        if isinstance(node, ast.stmt):
            yield from _statement_changes(node)
        elif isinstance(node, ast.BinOp):
            for operator in SWAPPED_OPERATORS.get(type(node.op), ()):
                yield node, "operator", ast.BinOp(node.left, operator(), node.right)
            if isinstance(node.op, NOT_COMMUTATIVE):
                yield node, "operands swapped", ast.BinOp(node.right, node.op, node.left)
            if isinstance(node.op, ast.MatMult):
                for side in (node.left, node.right):
                    if not is_transpose(side):
                        yield side, "transpose added", ast.Attribute(side, "T", ast.Load())
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not, ast.Invert)):
            yield node, "sign", node.operand
        elif isinstance(node, ast.Compare):
            for position, comparison in enumerate(node.ops):
                for other in SWAPPED_COMPARISONS.get(type(comparison), ()):
                    ops: list[ast.cmpop] = [
                        *node.ops[:position],
                        other(),
                        *node.ops[position + 1 :],
                    ]
                    yield node, "comparison", ast.Compare(node.left, ops, node.comparators)
        elif isinstance(node, ast.BoolOp):
            yield (
                node,
                "operator",
                ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values),
            )
        elif isinstance(node, ast.IfExp):
            yield node, "condition", ast.IfExp(node.test, node.orelse, node.body)
        elif isinstance(node, ast.Constant):
            yield from (
                (node, "constant", ast.Constant(value)) for value in _other_constants(node.value)
            )
        elif isinstance(node, ast.Subscript):
            index = node.slice
            if isinstance(index, ast.Tuple) and len(index.elts) > 1:
                swapped = ast.Tuple([index.elts[1], index.elts[0], *index.elts[2:]], ast.Load())
                yield node, "index", ast.Subscript(node.value, swapped, node.ctx)
        elif isinstance(node, ast.Attribute):
            if is_transpose(node):
                yield node, "transpose dropped", node.value
            elif node.attr in NEIGHBOURS:
                yield node, "neighbour", ast.Attribute(node.value, NEIGHBOURS[node.attr], node.ctx)
        elif isinstance(node, ast.Call):
            yield from _call_changes(node)


def _swapped_parameters(function: ast.FunctionDef) -> Iterator[Change]:
    """Put the next parameter wherever one is read."""
    names = [argument.arg for argument in function.args.args]
    following = dict(zip(names, names[1:] + names[:1], strict=True))
    for node in worth_changing(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in following:
            yield node, "argument swapped", ast.Name(following[node.id], ast.Load())


def _statement_changes(node: ast.stmt) -> Iterator[Change]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Pass)):
        return
    yield node, "line removed", ast.Pass()
    if isinstance(node, ast.Return) and node.value is not None:
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for value in values:
            yield value, "sign", ast.UnaryOp(ast.USub(), value)
        if len(values) > 1:
            yield node.value, "order", ast.Tuple([values[1], values[0], *values[2:]], ast.Load())
    if isinstance(node, (ast.If, ast.While)):
        yield node.test, "condition", ast.UnaryOp(ast.Not(), node.test)


def _call_changes(node: ast.Call) -> Iterator[Change]:
    def call(args: list[Any], keywords: list[Any]) -> ast.Call:
        return ast.Call(node.func, args, keywords)

    for i in range(len(node.args) - 1):
        args = [*node.args[:i], node.args[i + 1], node.args[i], *node.args[i + 2 :]]
        yield node, "arguments swapped", call(args, node.keywords)
    for keyword in node.keywords:
        others = [k for k in node.keywords if k is not keyword]
        if keyword.arg in ("axis", "keepdims", "axes"):
            yield node, "axis", call(node.args, others)
        if keyword.arg == "axis" and isinstance(keyword.value, ast.UnaryOp):
            yield keyword.value, "axis", ast.Constant(0)
    if isinstance(node.func, ast.Attribute) and node.func.attr in TRANSPARENT_METHODS:
        yield node, "call dropped", node.func.value
    if isinstance(node.func, ast.Name) and node.func.id in NEIGHBOURS:
        yield node.func, "neighbour", ast.Name(NEIGHBOURS[node.func.id], ast.Load())
    first = node.args[0] if node.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str) and "->" in first.value:
        yield from ((first, "index", ast.Constant(text)) for text in _other_subscripts(first.value))


def _other_constants(value: object) -> Iterator[bool | int | float]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield value + 1
        if value:
            yield value - 1


def _other_subscripts(subscripts: str) -> Iterator[str]:
    """Yield einsum subscripts with the first two letters of an operand or of the result swapped."""
    for match in re.finditer(r"[a-zA-Z]{2,}", subscripts):
        letters = match.group()
        yield (
            subscripts[: match.start()]
            + letters[1]
            + letters[0]
            + letters[2:]
            + subscripts[match.end() :]
        )
