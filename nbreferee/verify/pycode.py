"""Python code as symbols that are the same for each way to lay the code out.

White space, superfluous brackets, the prefix `np.`, and the spellings of a transpose, a matrix
product and a sum make no difference. Code that does not parse, such as a piece of code in a
sentence, is read symbol by symbol.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator

from nbreferee.verify.symbols import Symbol

PREFIXES = {"np", "numpy"}
OPERATORS = {
    "matmul": ast.MatMult,
    "dot": ast.MatMult,
    "multiply": ast.Mult,
    "add": ast.Add,
    "subtract": ast.Sub,
    "divide": ast.Div,
}
METHODS = {
    "sum",
    "mean",
    "max",
    "min",
    "prod",
    "reshape",
    "ravel",
    "trace",
}  # np.sum(x, 0) is x.sum(0)
LEXEME = re.compile(r"[A-Za-z_]\w*|\d+\.?\d*(?:e-?\d+)?|\*\*=?|//|[-+*/@]=|[=!<>]=|->|\S")


def code(source: str) -> list[Symbol]:
    """Return the symbols of code, each with the number of its line, from 1; as they stand where it
    is not Python.
    """
    tree = parsed(source)
    return (
        list(_statements(_Canonical().visit(tree).body))
        if tree is not None
        else code_in_prose(source)
    )


def parsed(source: str) -> ast.Module | None:
    """Return the syntax tree of code, indented or not; None where it is not Python."""
    try:
        return ast.parse(textwrap.dedent(source))
    except (SyntaxError, ValueError):
        return None


def code_in_prose(text: str) -> list[Symbol]:
    """Return the symbols of a text that may hold code, each with the number of its line."""
    lines = enumerate(text.split("\n"), 1)
    return [symbol for number, line in lines for symbol in _plain(LEXEME.findall(line), number)]


def _plain(lexemes: list[str], line: int) -> Iterator[Symbol]:
    """Yield symbols without NumPy's prefix and without brackets around a single name or number."""
    dropped: set[int] = set()
    for n in range(len(lexemes) - 2):
        if lexemes[n] in PREFIXES and lexemes[n + 1] == ".":
            dropped |= {n, n + 1}
        is_call = n > 0 and re.match(r"[\w)\]]", lexemes[n - 1])
        if lexemes[n] == "(" and lexemes[n + 2] == ")" and not is_call:
            dropped |= {n, n + 2}
    yield from (Symbol(one, line) for n, one in enumerate(lexemes) if n not in dropped)


def _statements(body: list[ast.stmt]) -> Iterator[Symbol]:
    """Yield the symbols of statements; a semicolon stands between two."""
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # a docstring
        inner = [
            child
            for name in ("body", "orelse", "finalbody")
            for child in getattr(statement, name, [])
            if isinstance(child, ast.stmt)
        ]
        heads = (
            [
                child
                for child in ast.iter_child_nodes(statement)
                if isinstance(child, ast.expr | ast.arguments)
            ]
            if inner
            else [statement]
        )
        for head in heads:
            line = getattr(head, "lineno", getattr(statement, "lineno", 1))
            yield from (Symbol(one, line) for one in LEXEME.findall(ast.unparse(head)))
        yield Symbol(";", getattr(statement, "lineno", 1))
        yield from _statements(inner)


class _Canonical(ast.NodeTransformer):
    """Give one form to the spellings of the same call."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in PREFIXES:
            return ast.copy_location(ast.Name(node.attr, node.ctx), node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        made = _plain_call(node)
        return ast.copy_location(made, node)


def _plain_call(node: ast.Call) -> ast.expr:
    """Return a call of a function of NumPy's as the operator or the method that does the same."""
    name, arguments = _called(node)
    if (
        name in ("transpose", "swapaxes")
        and arguments
        and not isinstance(arguments[0], ast.Constant)
        and all(ast.unparse(a) in ("0", "1", "-1", "-2") for a in arguments[1:])
    ):
        return ast.Attribute(arguments[0], "T", ast.Load())
    if name in OPERATORS and len(arguments) == 2 and not node.keywords:
        return ast.BinOp(arguments[0], OPERATORS[name](), arguments[1])
    if name == "negative" and len(arguments) == 1:
        return ast.UnaryOp(ast.USub(), arguments[0])
    if name in METHODS and arguments:
        axis = (
            [keyword.value for keyword in node.keywords if keyword.arg == "axis"]
            if len(arguments) == 1
            else []
        )
        keywords = [keyword for keyword in node.keywords if not axis or keyword.arg != "axis"]
        return ast.Call(
            ast.Attribute(arguments[0], name, ast.Load()), [*arguments[1:], *axis], keywords
        )
    return node


def _called(node: ast.Call) -> tuple[str, list[ast.expr]]:
    """Return the name of what is called, and its arguments, the object of a method first."""
    if isinstance(node.func, ast.Name):
        return node.func.id, node.args
    if isinstance(node.func, ast.Attribute):
        return node.func.attr, [node.func.value, *node.args]
    return "", node.args
