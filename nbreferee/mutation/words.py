"""A mutant in a tutor's words: "as if W were not transposed".

Nothing of the source is quoted but names that students see.

Students see the parameters of a function, and the functions of the notebook. What else a source
computes on its way is called by what it is: a product, the sum, an intermediate result.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection
from typing import Any

from nbreferee.mutation.vocabulary import (
    CALLS,
    NAMED,
    OPERATIONS,
    OPERATORS,
    SHORTER_SUMS,
    SOMETHING,
    SWAPPED,
)


class Reader:
    """Puts changes of one source into words."""

    def __init__(self, tree: ast.AST, known: Collection[str] = ()) -> None:
        self._parents = {
            child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)
        }
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        self._visible = {argument.arg for function in functions for argument in function.args.args}
        self._known = self._visible | set(known)

    def words(self, kind: str, node: ast.AST, replacement: ast.AST) -> str:
        """Return a clause that begins with "as if"."""
        if kind.startswith("sum over "):
            return f"as if a sum {SHORTER_SUMS[kind.removeprefix('sum over ')]}"
        say: Callable[..., str] = getattr(self, f"_{kind.replace(' ', '_')}", self._changed)
        return f"as if {say(node, replacement)}"

    def is_named(self, words: str) -> bool:
        """Tell whether a clause names something that students see: a parameter, a function, an
        axis.
        """
        return bool(self._known & set(re.findall(r"\w+", words)) or NAMED.search(words))

    def of(self, node: ast.AST) -> str:
        """Return what an operand is called."""
        match node:
            case ast.Name(id=name):
                return name if name in self._known else SOMETHING
            case ast.Constant(value=int() | float() as number):
                return f"the number {number:g}"
            case ast.UnaryOp(operand=operand):
                return self.of(operand)
            case ast.Attribute(value=value, attr="T"):
                return self._part("the transpose", value)
            case ast.Attribute(value=value, attr="size"):
                return self._part("the number of entries", value)
            case ast.Subscript(
                value=ast.Attribute(value=value, attr="shape"),
                slice=ast.Constant(value=int() as axis),
            ):
                name = {0: "the number of rows", 1: "the number of columns"}.get(
                    axis, "the length of an axis"
                )
                return self._part(
                    "the length" if isinstance(value, ast.Name) and axis not in (0, 1) else name,
                    value,
                )
            case ast.Call(func=ast.Name(id="len"), args=[value]):
                return self._part("the length", value)
            case ast.Call(func=ast.Name(id=name)) if name in self._known:
                return f"the result of {name}"
            case ast.Call(func=ast.Attribute(attr=name)) if name in CALLS:
                return CALLS[name]
            case ast.BinOp(op=op) if type(op) in OPERATIONS:
                names = [
                    name.id
                    for name in ast.walk(node)
                    if isinstance(name, ast.Name) and name.id in self._visible
                ]
                return f"a {OPERATIONS[type(op)]}" + (f" with {names[0]}" if names else "")
            case ast.Subscript(value=value):
                return self._part("a part", value)
            case ast.Compare():
                return "a comparison"
        return SOMETHING

    def _part(self, what: str, value: ast.AST) -> str:
        name = self.of(value)
        return what if name == SOMETHING else f"{what} of {name}"

    # ------------------------------------------------ kinds of changes

    def _changed(self, node: ast.AST, replacement: ast.AST) -> str:
        return f"{self.of(node)} were another"

    def _operator(self, node: ast.AST, replacement: ast.AST) -> str:
        if isinstance(node, ast.BinOp) and isinstance(replacement, ast.BinOp):
            words = OPERATORS.get(
                (type(node.op), type(replacement.op)), "an operation were another"
            )
            return words.format(right=self.of(node.right))
        return (
            "'and' were 'or'"
            if isinstance(replacement, ast.BoolOp) and isinstance(replacement.op, ast.Or)
            else "'or' were 'and'"
        )

    def _brackets_left_out(self, node: ast.BinOp, replacement: ast.AST) -> str:
        other = node.right if isinstance(node.left, ast.BinOp) else node.left
        verb = "divided by" if isinstance(node.op, ast.Div) else "multiplied by"
        return f"only one term of a sum were {verb} {self.of(other)}: brackets are missing"

    def _operands_swapped(self, node: ast.BinOp, replacement: ast.AST) -> str:
        return SWAPPED.get(type(node.op), "the operands of an operation were exchanged")

    def _transpose_added(self, node: ast.AST, replacement: ast.AST) -> str:
        return f"{self.of(node)} were transposed"

    def _function_left_out(self, node: ast.Call, replacement: ast.AST) -> str:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        return f"{name} were not applied" if name in self._known else "one step were missing"

    def _transpose_dropped(self, node: ast.Attribute, replacement: ast.AST) -> str:
        parent = self._parents.get(node)
        is_zipped = (
            isinstance(parent, ast.Call)
            and isinstance(parent.func, ast.Name)
            and parent.func.id in ("zip", "enumerate", "list", "iter")
        )
        if is_zipped or isinstance(parent, (ast.For, ast.comprehension, ast.Subscript)):
            name = self.of(node.value)
            return f"the rows of {name} stood in the place of its columns"
        return f"{self.of(node.value)} were not transposed"

    def _sign(self, node: ast.AST, replacement: ast.AST) -> str:
        if isinstance(replacement, ast.UnaryOp) and isinstance(
            self._parents.get(node), (ast.Return, ast.Tuple)
        ):
            return (
                "the sign of the result were flipped"
                if isinstance(self._parents[node], ast.Return)
                else "the sign of one output were flipped"
            )
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return f"the minus sign before {self.of(node.operand)} were missing"
        return "a condition were negated"

    def _comparison(self, node: ast.Compare, replacement: ast.Compare) -> str:
        before, after = type(node.ops[0]), type(replacement.ops[0])
        if {before, after} in ({ast.Lt, ast.LtE}, {ast.Gt, ast.GtE}):
            return (
                f"a comparison {'included' if after in (ast.LtE, ast.GtE) else 'left out'} equal "
                "values"
            )
        return "a comparison were the other way round"

    def _index(self, node: ast.AST, replacement: ast.AST) -> str:
        return "two indices were exchanged"

    def _condition(self, node: ast.AST, replacement: ast.AST) -> str:
        return "a condition were the other way round"

    def _constant(self, node: ast.Constant, replacement: ast.Constant) -> str:
        parent = self._parents.get(node)
        before: Any = node.value  # a number
        after: Any = replacement.value
        if isinstance(parent, ast.keyword) and parent.arg == "axis":
            return f"{self.of(self._parents[parent])} ran over axis {after} instead of {before}"
        if isinstance(before, bool):
            return f"{parent.arg if isinstance(parent, ast.keyword) else 'a setting'} were {after}"
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Pow):
            return f"a power had the exponent {after:g} instead of {before:g}"
        if isinstance(parent, (ast.Subscript, ast.Slice, ast.Tuple)):
            return f"an index were {after:g} instead of {before:g}"
        return f"a {before:g} were a {after:g}"

    def _axis(self, node: ast.AST, replacement: ast.AST) -> str:
        if isinstance(node, ast.Call) and isinstance(replacement, ast.Call):
            gone = {k.arg for k in node.keywords} - {k.arg for k in replacement.keywords}
            if "keepdims" in gone:
                return f"{self.of(node)} did not keep its axis (keepdims=True)"
            return f"{self.of(node)} ran over the whole array instead of one axis"
        return "an axis were another"

    def _arguments_swapped(self, node: ast.Call, replacement: ast.AST) -> str:
        return f"two arguments were exchanged ({self.of(node)})"

    def _argument_swapped(self, node: ast.Name, replacement: ast.Name) -> str:
        new, old = self.of(replacement), self.of(node)
        return f"{new} stood in the place of {old if old != new else 'another'}"

    _name_exchanged = _argument_swapped

    def _neighbour(self, node: ast.AST, replacement: ast.AST) -> str:
        before, after = (
            str(getattr(one, "attr", None) or getattr(one, "id", "")) for one in (node, replacement)
        )
        if {before, after} == {"range", "reversed"}:
            return "a loop ran backwards"
        return f"{CALLS.get(after, after)} stood in the place of {CALLS.get(before, before)}"

    def _call_dropped(self, node: ast.Call, replacement: ast.AST) -> str:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        return (
            "no copy were made"
            if name == "copy"
            else f"a change of shape or type ({name}) were missing"
        )

    def _call_left_out(self, node: ast.Call, replacement: ast.AST) -> str:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if CALLS.get(name, "").startswith("the "):
            return f"{CALLS[name]} were missing"
        return f"a step ({name}) were missing"

    def _right_left_out(self, node: ast.BinOp, replacement: ast.AST) -> str:
        return self._missing(node.op, node.right)

    def _left_left_out(self, node: ast.BinOp, replacement: ast.AST) -> str:
        return self._missing(ast.Add() if isinstance(node.op, ast.Sub) else node.op, node.left)

    def _missing(self, operator: ast.operator, operand: ast.AST) -> str:
        if isinstance(operator, ast.Div):
            return f"the division by {self.of(operand)} were missing"
        if isinstance(operator, ast.Pow):
            return "the power were missing"
        if isinstance(operator, ast.Sub):
            return f"{self.of(operand)} were not subtracted"
        return (
            f"{self.of(operand)} were missing as a "
            f"{'term' if isinstance(operator, ast.Add) else 'factor'}"
        )

    def _order(self, node: ast.AST, replacement: ast.AST) -> str:
        return "another output stood in the place of this one"

    def _line_removed(self, node: ast.stmt, replacement: ast.AST) -> str:
        match node:
            case ast.AugAssign(op=ast.Add(), value=value):
                return f"the step that adds {self.of(value)} were missing"
            case ast.AugAssign(op=ast.Sub(), value=value):
                return f"the step that subtracts {self.of(value)} were missing"
            case ast.Assign(targets=[ast.Name(id=name)]) if name in self._visible:
                return f"the step that changes {name} were missing"
            case ast.Assign(targets=[ast.Subscript()]):
                return "the step that fills in some entries were missing"
            case ast.Assign(value=value) if self.of(value) != SOMETHING:
                return f"the step that computes {self.of(value)} were missing"
            case ast.Return():
                return "nothing were returned"
        return "one step were missing"
