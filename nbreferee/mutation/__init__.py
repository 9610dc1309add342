"""Small changes to a solution, each of which a good test should notice.

A mutant differs from the solution in one place: an operator, a sign, a transpose, an index, an
axis, the order of arguments, a constant, a comparison, a statement left out, a function for its
neighbour. It knows nothing of notebooks and runs nothing. `verify` makes mutants to try them on the
tests, and the tester to name a student's mistake: one that does the same.
"""

from __future__ import annotations

import ast
import copy
import itertools
import re
import string
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from nbreferee.mutation_words import Reader

Place = ast.expr | ast.stmt
Change = tuple[Place, str, ast.AST]  # a node, the kind of change, and what to put in its place


@dataclass(frozen=True)
class Mutant:
    """A changed source, and in a word how it was changed; `words` is a clause for students: "as if
    X were missing".
    """

    kind: str
    line: int
    source: str
    words: str = ""
    is_named: bool = True  # whether the words name something that students see


IPYTHON_LINE = re.compile(
    r"(?m)^([ \t]*)(?:[\w, ]+=[ \t]*)?(?:%(?!%)|!(?!=)|\?).*$|^([ \t]*)[\w.]+\?+[ \t]*$"
)
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


def mutants(
    source: str,
    lines: Collection[int] | None = None,
    further: bool = False,
    known: Collection[str] = (),
) -> Iterator[Mutant]:
    """Yield the mutants of a Python source, each once, changing only the given lines (from 1).

    Messages of exceptions, docstrings and annotations are left alone: no test should depend on
    them. Lines of IPython's own syntax, such as `!ls`, are left alone; a cell in another language
    has no mutants. `further` mutants leave a step of the computation out or put another name: they
    are likely mistakes of students, and too many for verifying. `known` are names of functions that
    words may hold.
    """
    tree = _parsed(source)
    if tree is None:
        return
    seen = {ast.dump(tree)}
    reader = Reader(tree, known)
    for node, kind, replacement in itertools.chain(
        _changes(tree), _further_changes(tree) if further else ()
    ):
        if (
            further
            and isinstance(node, ast.Constant)
            and type(node.value) is float
            and 0 < node.value < SMALL
        ):
            continue
        if lines is not None and node.lineno not in lines:
            continue
        changed = _spliced(source, node, replacement)
        made = _parsed(changed)
        if made is not None and (dump := ast.dump(made)) not in seen:
            seen.add(dump)
            words = reader.words(kind, node, replacement) if further else ""
            yield Mutant(kind, node.lineno, changed, words, reader.is_named(words))


def _parsed(source: str) -> ast.Module | None:
    """Parse a source in which each line of IPython's own syntax counts as `pass`; None where it is
    no Python.
    """
    for text in (source, IPYTHON_LINE.sub(r"\1\2pass", source)):
        try:
            return ast.parse(text)
        except SyntaxError:
            continue
    return None


def _changes(tree: ast.AST) -> Iterator[Change]:
    """Yield (node, kind of change, what to put in its place)."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            yield from _swapped_parameters(function)
    for node in _worth_changing(tree):
        if isinstance(node, ast.stmt):
            yield from _statement_changes(node)
        elif isinstance(node, ast.BinOp):
            for operator in SWAPPED_OPERATORS.get(type(node.op), ()):
                yield node, "operator", ast.BinOp(node.left, operator(), node.right)
            if isinstance(node.op, NOT_COMMUTATIVE):
                yield node, "operands swapped", ast.BinOp(node.right, node.op, node.left)
            if isinstance(node.op, ast.MatMult):
                for side in (node.left, node.right):
                    if not _is_transpose(side):
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
            if _is_transpose(node):
                yield node, "transpose dropped", node.value
            elif node.attr in NEIGHBOURS:
                yield node, "neighbour", ast.Attribute(node.value, NEIGHBOURS[node.attr], node.ctx)
        elif isinstance(node, ast.Call):
            yield from _call_changes(node)


def _worth_changing(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk the tree, but not into annotations, docstrings, and what an exception says."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, (ast.arguments, ast.Import, ast.ImportFrom)) or _is_docstring(child):
            continue
        yield child
        if not isinstance(child, ast.Raise):
            yield from _worth_changing(child)


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
SMALL = 1e-3  # a bound below which numbers count as 0: to change it says nothing to a student
MOST_NAMES = 8  # in a function: with more, exchanging them makes too many mutants


def _further_changes(tree: ast.AST) -> Iterator[Change]:
    """Yield changes that leave a step out, or take another name or function."""
    for node in _worth_changing(tree):
        yield from _shorter_sums(node)
        if isinstance(node, ast.BinOp):
            yield node, "right left out", node.left
            if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.MatMult)):
                yield node, "left left out", node.right
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and len(node.args) == 1 and not node.keywords:
                yield node, "function left out", node.args[0]
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            inner = _reduced(node)
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
    elif node.func.attr in ("sum", "mean") and (summed := _reduced(node)) is not None:
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


def _reduced(call: ast.Call) -> ast.expr | None:
    """Return what a call is about: the first argument of a module's function, or the object of a
    method.
    """
    if isinstance(call.func, ast.Attribute):
        of_module = isinstance(call.func.value, ast.Name) and call.func.value.id in (
            "np",
            "numpy",
            "math",
        )
        return (call.args[0] if call.args else None) if of_module else call.func.value
    return None


def _exchanged_names(function: ast.FunctionDef) -> Iterator[Change]:
    """Put another name of the function's own wherever one is read."""
    own = [argument.arg for argument in function.args.args]
    own += [
        n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
    own = list(dict.fromkeys(own))
    if len(own) > MOST_NAMES:
        return
    for node in _worth_changing(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in own:
            for other in own:
                if other != node.id:
                    yield node, "name exchanged", ast.Name(other, ast.Load())


def _swapped_parameters(function: ast.FunctionDef) -> Iterator[Change]:
    """Put the next parameter wherever one is read."""
    names = [argument.arg for argument in function.args.args]
    following = dict(zip(names, names[1:] + names[:1], strict=True))
    for node in _worth_changing(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in following:
            yield node, "argument swapped", ast.Name(following[node.id], ast.Load())


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_transpose(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "T"


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


def _spliced(source: str, node: Place, replacement: ast.AST) -> str:
    """Return the source with one node replaced, all else as it was written."""
    text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(replacement)))
    if isinstance(replacement, (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp)):
        text = f"({text})"
    rows = source.encode().split(b"\n")  # the offsets of ast count bytes
    before = b"\n".join([*rows[: node.lineno - 1], rows[node.lineno - 1][: node.col_offset]])
    last = node.end_lineno or node.lineno
    after = b"\n".join([rows[last - 1][node.end_col_offset :], *rows[last:]])
    return (before + text.encode() + after).decode()
