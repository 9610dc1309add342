"""What a reader of a release sees, in passages: prose, formulas and code, each with where it
stands.

Comments, docstrings and other strings of a code cell, such as the title of a figure, are read as
prose.
"""

from __future__ import annotations

import ast
import html
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from IPython.core.inputtransformer2 import TransformerManager

from nbreferee.verify.latex import LIMITED, formula, formula_in_prose
from nbreferee.verify.pycode import code, code_in_prose
from nbreferee.verify.symbols import Symbol

Kind = Literal["formula", "code", "prose"]
SPECIAL = re.compile(
    r"(?P<fence>^[ \t]*(`{3,}|~{3,})[^\n]*\n(?P<fenced>.*?)^[ \t]*\2)"
    r"|(?P<tick>`+)(?P<span>.+?)(?P=tick)"
    r"|\$\$(?P<display>.+?)\$\$|\\\\?\[(?P<bracketed>.+?)\\\\?\]|\\\\?\((?P<parenthesised>.+?)\\\\?\)"
    r"|(?P<environment>\\begin\{(?P<name>[a-z]+\*?)\}.*?\\end\{(?P=name)\})"
    r"|(?<!\\)\$(?P<inline>[^$\n]+(?:\n[^$\n]+)*?)\$",
    re.DOTALL | re.MULTILINE,
)
FORMULAS = ("display", "bracketed", "parenthesised", "environment", "inline")
CODES = ("fenced", "span")
GAP = " \N{BULLET} "  # stands in prose where a formula or code has been taken out


@dataclass(frozen=True)
class Passage:
    """A piece of one kind."""

    place: str  # the cell or file
    line: int  # of its first line in there, from 1
    kind: Kind
    text: str

    def formulas(self) -> list[list[Symbol]]:
        """Return its symbols as a formula, with the upper limits of sums and without; the position
        of each is the number of its line.
        """
        if self.kind == "code" and "\n" in self.text:
            return []  # its comments and strings are passages of their own
        read = formula if self.kind == "formula" else formula_in_prose
        readings = [read(self.text)]
        if any(symbol.text in LIMITED for symbol in readings[0]):
            readings.append(read(self.text, limits=False))
        lines = [
            [self.line + self.text.count("\n", 0, symbol.position) for symbol in symbols]
            for symbols in readings
        ]
        return [
            [symbol._replace(position=at) for symbol, at in zip(*both, strict=True)]
            for both in zip(readings, lines, strict=True)
        ]

    def codes(self) -> list[list[Symbol]]:
        """Return its symbols as code, in each way to read it; the position of each is the number of
        its line.
        """
        if self.kind == "formula":
            return []
        readings = (
            [code(self.text), code_in_prose(self.text)]
            if self.kind == "code"
            else [code_in_prose(self.text)]
        )
        return [
            [one._replace(position=self.line + one.position - 1) for one in symbols]
            for symbols in readings
        ]


def markdown_passages(place: str, text: str, line: int = 1) -> Iterator[Passage]:
    """Yield the passages of Markdown, or of a comment or string."""
    text = re.sub(
        r"<su([bp])>(.*?)</su[bp]>",
        lambda found: ("_{" if found[1] == "b" else "^{") + found[2] + "}",
        html.unescape(text),
    )
    prose, end = [], 0
    for found in SPECIAL.finditer(text):
        group = next(name for name in (*FORMULAS, *CODES) if found[name] is not None)
        kind: Kind = "formula" if group in FORMULAS else "code"
        yield Passage(place, line + text.count("\n", 0, found.start(group)), kind, found[group])
        prose += [text[end : found.start()], GAP + "\n" * found[0].count("\n")]
        end = found.end()
    yield Passage(place, line, "prose", "".join([*prose, text[end:]]))


def code_passages(place: str, source: str) -> Iterator[Passage]:
    """Yield the passages of a code cell or of a module: all of it as code, then its comments and
    strings.
    """
    python = (
        TransformerManager().transform_cell(source)
        if re.search(r"^\s*[%!]", source, re.MULTILINE)
        else source
    )
    yield Passage(place, 1, "code", python)
    for line, text in (*_comments(python), *_strings(python)):
        yield from markdown_passages(place, text, line)


def _comments(source: str) -> list[tuple[int, str]]:
    """Return (line, text) of the comments; those on lines that follow each other are one."""
    found: list[tuple[int, str]] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                line, text = token.start[0], token.string.lstrip("#")
                if found and found[-1][0] + found[-1][1].count("\n") + 1 == line:
                    found[-1] = (found[-1][0], f"{found[-1][1]}\n{text}")
                else:
                    found.append((line, text))
    except (tokenize.TokenError, SyntaxError):
        pass  # the rest is read as code, comments and all
    return found


def _strings(source: str) -> list[tuple[int, str]]:
    """Return (line, text) of the strings; of a formatted one, its fixed parts."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    found = []
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(one) for one in node.values}
            parts = [one.value if isinstance(one, ast.Constant) else GAP for one in node.values]
            found.append((node.lineno, "".join(map(str, parts))))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in inside
        ):
            found.append((node.lineno, node.value))
    return found
