"""Small changes to a solution, each of which a good test should notice.

A mutant differs from the solution in one place: an operator, a sign, a transpose, an index, an
axis, the order of arguments, a constant, a comparison, a statement left out, a function for its
neighbour. It knows nothing of notebooks and runs nothing. `verify` makes mutants to try them on the
tests, and the tester to name a student's mistake: one that does the same.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from nbreferee.mutation.changes import changes
from nbreferee.mutation.left_out import further_changes
from nbreferee.mutation.syntax import Place
from nbreferee.mutation.words import Reader


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
    seen = {source if further else ast.dump(tree)}
    reader = Reader(tree, known)
    for node, kind, replacement in itertools.chain(
        changes(tree), further_changes(tree) if further else ()
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
        made = None if changed in seen else _parsed(changed)
        # one that is there already, in other brackets, does no harm to who looks for a mistake
        if made is not None and (text := changed if further else ast.dump(made)) not in seen:
            seen.add(text)
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


SMALL = 1e-3  # a bound below which numbers count as 0: to change it says nothing to a student


def _spliced(source: str, node: Place, replacement: ast.AST) -> str:
    """Return the source with one node replaced, all else as it was written."""
    text = ast.unparse(replacement)
    if isinstance(replacement, (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp)):
        text = f"({text})"
    rows = source.encode().split(b"\n")  # the offsets of ast count bytes
    before = b"\n".join([*rows[: node.lineno - 1], rows[node.lineno - 1][: node.col_offset]])
    last = node.end_lineno or node.lineno
    after = b"\n".join([rows[last - 1][node.end_col_offset :], *rows[last:]])
    return (before + text.encode() + after).decode()
