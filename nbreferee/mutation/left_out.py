"""Likely mistakes of students: a step is left out, or another name or function stands there.

They serve to name mistakes; `verify` does not try them."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator

from nbreferee.mutation.syntax import Change, reduced, worth_changing

LEFT_OUT_CALLS = frozenset(
    {
        "abs",
        "absolute",
        "amax",
        "amin",
        "array",
        "clip",
        "copy",
        "cumsum",
        "diag",
        "dot",
        "exp",
        "flip",
        "log",
        "max",
        "maximum",
        "mean",
        "min",
        "minimum",
        "multiply",
        "outer",
        "prod",
        "sqrt",
        "square",
        "sum",
        "tanh",
        "tile",
        "where",
    }
)
OTHER_LOGARITHMS = {"log": ("log2", "log10"), "sum": ("max",), "mean": ("max",), "max": ("sum",)}
MOST_NAMES = 8  # in a function: with more, exchanging them makes too many mutants


def further_changes(tree: ast.AST) -> Iterator[Change]:
    """Yield changes that leave a step out, or take another name or function."""
    for node in worth_changing(tree):
        yield from _shorter_sums(node)
        if isinstance(node, ast.BinOp):
            yield from _without_brackets(node)
            yield node, "right left out", node.left
            if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.MatMult)):
                yield node, "left left out", node.right
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and len(node.args) == 1 and not node.keywords:
                yield node, "function left out", node.args[0]
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            inner = reduced(node)
            if name in LEFT_OUT_CALLS and inner is not None:
                yield node, "call left out", inner
            if isinstance(node.func, ast.Attribute):
                for other in OTHER_LOGARITHMS.get(name, ()):
                    yield node.func, "neighbour", ast.Attribute(node.func.value, other, ast.Load())
            for keyword in node.keywords:
                if (
                    keyword.arg == "axis"
                    and isinstance(keyword.value, ast.Constant)
                    and keyword.value.value == 0
                ):
                    yield keyword.value, "constant", ast.Constant(-1)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, (int, float))
            and not isinstance(node.value, bool)
            and node.value not in (0, 1)
        ):
            yield node, "constant", ast.Constant(node.value / 2)
            yield node, "constant", ast.Constant(1)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            yield from _exchanged_names(function)


def _without_brackets(node: ast.BinOp) -> Iterator[Change]:
    """Yield a product or quotient with the brackets of a sum in it left out."""
    inner, outer = (ast.Add, ast.Sub), (ast.Mult, ast.Div, ast.MatMult)
    if not isinstance(node.op, outer):
        return
    left, right = node.left, node.right
    if isinstance(left, ast.BinOp) and isinstance(left.op, inner):
        made = ast.BinOp(left.right, node.op, right)
        yield node, "brackets left out", ast.BinOp(left.left, left.op, made)
    if isinstance(right, ast.BinOp) and isinstance(right.op, inner):
        made = ast.BinOp(left, node.op, right.left)
        yield node, "brackets left out", ast.BinOp(made, right.op, right.right)


PARTS_OF_SUM = ("1:", ":-1", "-1:", ":1")  # without the first or the last term, or that alone


def _shorter_sums(node: ast.AST) -> Iterator[tuple[ast.expr, str, ast.AST]]:
    """Yield changes after which a sum leaves its first or last term out, or has no other."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        for part in PARTS_OF_SUM:
            left, right = _sliced(node.left, f"..., {part}"), _last_but_one(node.right, part)
            yield node, f"sum over {part}", ast.BinOp(left, node.op, right)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    if node.func.attr == "einsum" and node.args and isinstance(node.args[0], ast.Constant):
        subscripts, _, kept = str(node.args[0].value).partition("->")
        operands = subscripts.split(",")
        if not set("".join(operands) + kept) <= set(string.ascii_letters):
            return
        for letter in sorted(set("".join(operands)) - set(kept)):
            for part in PARTS_OF_SUM:
                args = [
                    _sliced(arg, ", ".join(part if one == letter else ":" for one in operand))
                    if letter in operand
                    else arg
                    for operand, arg in zip(operands, node.args[1:], strict=False)
                ]
                made = ast.Call(node.func, [node.args[0], *args], node.keywords)
                yield node, f"sum over {part}", made
    elif node.func.attr in ("sum", "mean") and (summed := reduced(node)) is not None:
        axis = next((k.value for k in node.keywords if k.arg == "axis"), None)
        try:
            index = {None: "{}", 0: "{}", 1: ":, {}", -1: "..., {}"}[
                None if axis is None else ast.literal_eval(axis)
            ]
        except (KeyError, TypeError, ValueError):
            return
        for part in PARTS_OF_SUM:
            shorter = _sliced(summed, index.format(part))
            if summed in node.args:
                made = ast.Call(node.func, [shorter, *node.args[1:]], node.keywords)
            else:
                function = ast.Attribute(shorter, node.func.attr, ast.Load())
                made = ast.Call(function, node.args, node.keywords)
            yield node, f"sum over {part}", made


def _sliced(node: ast.expr, index: str) -> ast.expr:
    """Return the node with an index after it."""
    subscript = ast.parse(f"_[{index}]", mode="eval").body
    assert isinstance(subscript, ast.Subscript)
    return ast.Subscript(node, subscript.slice, ast.Load())


def _last_but_one(node: ast.expr, part: str) -> ast.expr:
    """Return a part of a matrix product's right factor: of its rows, or of a vector's entries."""
    moved = ast.Attribute(node, "T", ast.Load())
    return ast.Attribute(_sliced(moved, f"..., {part}"), "T", ast.Load())


def _exchanged_names(function: ast.FunctionDef) -> Iterator[Change]:
    """Put another name of the function's own wherever one is read."""
    own = [argument.arg for argument in function.args.args]
    own += [
        n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
    own = list(dict.fromkeys(own))
    if len(own) > MOST_NAMES:
        return
    for node in worth_changing(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in own:
            for other in own:
                if other != node.id:
                    yield node, "name exchanged", ast.Name(other, ast.Load())
