"""The tester's shell: a warm process rehearses the instructor's cells, and those that it forks only
run them.

A rehearsal does what IPython does with a cell, but for running it. What comes of that is kept by
the cell's text: how it is transformed, parsed and compiled.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import sys
import types
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from IPython.core.compilerop import CachingCompiler
from IPython.core.interactiveshell import ExecutionResult
from traitlets import Type

from nbreferee.engine.shell import Shell
from nbreferee.engine.tester.pictures import FigurePrinter

TYPE_OF = "__type_of__"


class _TypesOfProxies(ast.NodeTransformer):
    """Lets type(x) in a test be the class of the object that x stands for."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if (
            isinstance(node.func, ast.Name)
            and node.func.id == "type"
            and len(node.args) == 1
            and not node.keywords
        ):
            node.func.id = TYPE_OF
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr == "__class__" and isinstance(node.ctx, ast.Load):
            return ast.copy_location(
                ast.Call(ast.copy_location(ast.Name(TYPE_OF, ast.Load()), node), [node.value], []),
                node,
            )
        return node


class _RememberingCompiler(CachingCompiler):
    """Parses and compiles what it has seen before no second time."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # IPython's
        self._trees: dict[str, ast.AST] = {}
        self._codes: dict[
            tuple[int, str], tuple[ast.AST, types.CodeType]
        ] = {}  # by id of a statement, which is kept, or its id could be another's

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        """Return a name that does not depend on when the cell is run."""
        return f"<ipython-input-{hashlib.sha256(transformed_code.encode()).hexdigest()[:12]}>"

    def ast_parse(self, source: str, filename: str = "<unknown>", symbol: str = "exec") -> ast.AST:
        """Parse a cell."""
        if source not in self._trees:
            self._trees[source] = _TypesOfProxies().visit(
                super().ast_parse(source, filename, symbol)
            )
        return self._trees[source]

    def __call__(self, source: Any, filename: str, symbol: str, **named: Any) -> types.CodeType:
        """Compile, as a rule, the tree of one statement of a cell."""
        body = getattr(source, "body", None)
        if type(body) is not list or len(body) != 1:
            return super().__call__(source, filename, symbol, **named)
        key = id(body[0]), symbol
        if key not in self._codes:
            self._codes[key] = body[0], super().__call__(source, filename, symbol, **named)
        return self._codes[key][1]


class RehearsedShell(Shell):
    """The shell of a tester."""

    compiler_class = Type(_RememberingCompiler)  # type: ignore[assignment]  # a trait, not a type

    def __init__(self, **options: Any) -> None:
        self.shown_error: BaseException | None = None
        self._rehearsing = False
        self._transformed: dict[str, str] = {}
        self._awaiting: dict[str, bool] = {}
        self.figures = FigurePrinter()
        self.figures.install()
        super().__init__(**options)

    def rehearse(self, sources: list[str]) -> None:
        """Prepare cells."""
        if any(
            "__future__" in source for source in sources
        ):  # which changes how later cells are compiled
            return
        self._rehearsing = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for source in sources:
                self.run_cell(source)  # type: ignore[no-untyped-call]  # IPython's
        self._rehearsing = False

    def transform_cell(self, raw_cell: str) -> str:
        """Return a cell as Python."""
        if "\n" not in raw_cell:  # which may be a magic or not: it depends on the names there are
            text: str = super().transform_cell(raw_cell)  # type: ignore[no-untyped-call]  # IPython's
            return text
        if raw_cell not in self._transformed:
            python: str = super().transform_cell(raw_cell)  # type: ignore[no-untyped-call]  # IPython's
            self._transformed[raw_cell] = python
        return self._transformed[raw_cell]

    def as_python(self, sources: Iterable[str]) -> Iterator[str]:
        """Yield cells as Python, which is how their magics are run."""
        for source in sources:
            with contextlib.suppress(SyntaxError, ValueError):
                yield self.transform_cell(source)

    def should_run_async(self, raw_cell: str, **named: Any) -> bool:
        """Tell whether a cell awaits something; a rehearsal does not, for a fork can use no event
        loop of its parent's.
        """
        cell = named.get("transformed_cell") or raw_cell
        if cell not in self._awaiting:
            self._awaiting[cell] = super().should_run_async(raw_cell, **named)
        return self._awaiting[cell] and not self._rehearsing

    async def run_code(self, *arguments: Any, **named: Any) -> bool:
        """Run compiled code."""
        return False if self._rehearsing else await super().run_code(*arguments, **named)

    def run(self, source: str) -> tuple[list[dict[str, Any]], ExecutionResult]:
        """Run a cell; `shown_error` is then an error that it would show, also one in a cell within
        it (`%%capture`).
        """
        self.shown_error = None
        return super().run(source)

    def showtraceback(self, exc_tuple: tuple[Any, ...] | None = None, *_: Any, **__: Any) -> None:
        """Keep the error: a tester shows it in its own way."""
        self.shown_error = self.shown_error or (exc_tuple or sys.exc_info())[1]

    def showsyntaxerror(self, *_: Any, **__: Any) -> None:
        """Keep the error: a tester shows it in its own way."""
        self.showtraceback()
