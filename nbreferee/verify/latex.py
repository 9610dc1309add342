"""LaTeX formulas as symbols that are the same for each way to typeset the formula.

Spaces, sizes of brackets, fonts, superfluous braces and brackets, signs of multiplication, the kind
of fraction, the spelling of a transpose and where a sum begins make no difference. Formulas typed
with Unicode, as in docstrings, give the same symbols as LaTeX.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from nbreferee.verify.symbols import Symbol

SPACES = {
    *(
        r"\, \; \: \! \> \quad \qquad \enspace \thinspace \medspace \thickspace \negthinspace "
        r"\hfill \displaystyle \textstyle"
    ).split(),
    *(
        r"\left \right \middle \big \Big \bigg \Bigg \bigl \bigr \Bigl \Bigr \biggl \biggr \Biggl "
        r"\Biggr"
    ).split(),
    *r"\limits \nolimits \nonumber \notag \cdot \times \ast \\".split(),
    "\\ ",
    "~",
    "&",
    "*",
    "·",
    "⋅",
    "×",
    "∗",
    "∙",
    "\N{INVISIBLE TIMES}",
    "\N{ZERO WIDTH SPACE}",
}
FONTS = set(
    r"\mathregular \mathdefault \mathnormal \mathup \symup \symbf \symrm \mathrm \mathbf \mathsf "
    r"\mathit \mathtt \mathbb \mathcal \mathscr \mathfrak \boldsymbol \bm \pmb \vec \rm \bf \sf "
    r"\it \boxed \mathop "
    r"\text \textrm \textbf \textit \textsf \texttt \operatorname \mbox \mathstrut \mathord "
    r"\mathbin \underline \overbrace \underbrace".split()
)
LIMITED = {r"\sum", r"\prod"}  # which may have an upper limit
FRACTIONS = {r"\frac", r"\tfrac", r"\dfrac", r"\cfrac", r"\nicefrac", r"\sfrac"}
WITH_ARGUMENT = {
    r"\sqrt",
    r"\hat",
    r"\bar",
    r"\tilde",
    r"\dot",
    r"\widehat",
    r"\overline",
    r"\widetilde",
}
DROPPED_WITH_ARGUMENT = {
    r"\begin",
    r"\end",
    r"\label",
    r"\tag",
    r"\color",
    r"\textcolor",
    r"\phantom",
    r"\vphantom",
    r"\hphantom",
    r"\hspace",
    r"\vspace",
}
SAME = {
    r"\intercal": r"\top",
    r"\ln": "log",
    r"\circ": r"\odot",
    "∘": r"\odot",
    "⊙": r"\odot",
    "∂": r"\partial",
    "∑": r"\sum",
    "∏": r"\prod",
    "−": "-",
    "⊗": r"\otimes",
    "∇": r"\nabla",
    "√": r"\sqrt",
    "′": "'",
    r"\prime": "'",
    "≠": r"\neq",
    r"\ne": r"\neq",
    "≤": r"\leq",
    r"\le": r"\leq",
    "≥": r"\geq",
    r"\ge": r"\geq",
    "∈": r"\in",
    "→": r"\to",
    r"\rightarrow": r"\to",
    r"\lVert": r"\|",
    r"\rVert": r"\|",
    r"\lvert": "|",
    r"\rvert": "|",
    r"\varepsilon": r"\epsilon",
    r"\vartheta": r"\theta",
    r"\varphi": r"\phi",
    r"\lbrace": "(",
    r"\rbrace": ")",
    r"\{": "(",
    r"\}": ")",
    "[": "(",
    "]": ")",
    r"\lbrack": "(",
    r"\rbrack": ")",
    r"\cdots": r"\dots",
    r"\ldots": r"\dots",
    "…": r"\dots",
}
WORDS = {
    "diag",
    "softmax",
    "sigmoid",
    "relu",
    "log",
    "exp",
    "max",
    "min",
    "det",
    "rank",
    "vec",
    "sign",
    "sin",
    "cos",
    "tan",
    "tanh",
    "arctan",
    "tr",
}
GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "phi chi psi omega"
).split()
IN_PROSE = {
    **{name: f"\\{name}" for name in GREEK},
    **{name.title(): f"\\{name.title()}" for name in GREEK},
    "sum": r"\sum",
    "partial": r"\partial",
}
SHORT = set(
    "is as in of to by on or so it be we an at if no do up us".split()
)  # words, not products of two letters
LEXEME = re.compile(r"\\[A-Za-z]+|[A-Za-z]+(?:\\_[A-Za-z0-9]+)+|\\.|[A-Za-z]+|\S", re.DOTALL)
NAME = re.compile(
    r"\b[A-Za-z]{2,}(?:_[A-Za-z0-9]{2,}|_[0-9])+\b"
)  # dz_dY is a name, and not dz with a subscript


@dataclass
class _Item:
    """A symbol with its scripts, or a bracket with what is in it."""

    base: list[Symbol]
    sub: list[Symbol] = field(default_factory=list)
    sup: list[Symbol] = field(default_factory=list)
    inner: list[_Item] | None = None  # of a bracket

    @property
    def text(self) -> str:
        return self.base[0].text if len(self.base) == 1 else ""

    def symbols(self) -> list[Symbol]:
        base = (
            [Symbol("(", self.base[0].position), *_flat(self.inner), Symbol(")")]
            if self.inner is not None
            else self.base
        )
        return base + _script("_", self.sub) + _script("^", self.sup)


def formula(text: str, limits: bool = True) -> list[Symbol]:
    """Return the symbols of a LaTeX formula, with the upper limits of sums or without."""
    return _flat(_Parser(list(_lexemes(text, prose=False)), limits).sequence())


def formula_in_prose(text: str, limits: bool = True) -> list[Symbol]:
    """Return the symbols of a text in which formulas are typed with Unicode, and other words stand
    around them.
    """
    return _flat(_Parser(list(_lexemes(text, prose=True)), limits).sequence())


def is_balanced(text: str) -> bool:
    """Return whether each brace of a formula has its other one."""
    depth = 0
    for lexeme in LEXEME.findall(text):
        depth += (lexeme == "{") - (lexeme == "}")
        if depth < 0:
            return False
    return depth == 0


# ---------------------------------------------------------------- lexemes


def _lexemes(text: str, prose: bool) -> Iterator[Symbol]:
    after_script = False
    if prose:
        text = NAME.sub(
            lambda found: (
                found[0] if found[0].partition("_")[0] in IN_PROSE else found[0].replace("_", "\\_")
            ),
            text,
        )
    for match in LEXEME.finditer(text):
        found, position = match[0], match.start()
        if found.isascii() and found.isalpha():
            parts = _letters(found, prose, after_script)
        elif found.isascii():
            parts = [found.replace("\\_", "_") if found[0].isalpha() else found]
        else:
            parts = _unicode(found)
        for part in parts:
            part = SAME.get(part, part)
            if part not in SPACES:
                yield Symbol(
                    part[1:] if part[1:] in WORDS and part[0] == "\\" and part != r"\vec" else part,
                    position,
                )
        after_script = found in ("_", "^")


def _letters(run: str, prose: bool, is_script: bool) -> list[str]:
    """Return a run of letters as words or as single letters."""
    if is_script and prose:  # y_ij: all of it is the script
        return ["{", *run, "}"]
    if run.lower() in WORDS or (prose and run.lower() in SHORT):
        return [run.lower()]
    if not prose or len(run) <= 2 or not run[1:].islower():
        return list(run)
    return [IN_PROSE.get(run, run)]


def _unicode(character: str) -> list[str]:
    """Return what a character outside of ASCII means in a formula."""
    if character in SAME or character in SPACES:
        return [character]
    kind, _, codes = unicodedata.decomposition(character).partition(" ")
    plain = [chr(int(code, 16)) for code in codes.split()] if codes else []
    if kind in ("<super>", "<sub>") and plain:
        return [
            "^" if kind == "<super>" else "_",
            "{",
            *(part for one in plain for part in _unicode(one)),
            "}",
        ]
    if kind == "<fraction>":
        return ["/" if one == "\N{FRACTION SLASH}" else one for one in plain]
    if kind == "<font>":
        return [part for one in plain for part in _unicode(one)]
    name = unicodedata.name(character, "").split()
    if name[:1] == ["GREEK"] and len(name) == 4 and name[2] == "LETTER":
        letter = name[3].replace("LAMDA", "LAMBDA")
        return ["\\" + (letter.lower() if name[1] == "SMALL" else letter.title())]
    return [SAME.get(character, character)]


# ---------------------------------------------------------------- structure


class _Parser:
    def __init__(self, lexemes: list[Symbol], limits: bool) -> None:
        self._lexemes, self._next = lexemes, 0
        self._limits = limits

    def _peek(self) -> str:
        return self._lexemes[self._next].text if self._next < len(self._lexemes) else ""

    def _take(self) -> Symbol:
        self._next += 1
        return self._lexemes[self._next - 1]

    def sequence(self, end: str = "") -> list[_Item]:
        """Read items up to a closing symbol, or to the end."""
        items: list[_Item] = []
        while self._next < len(self._lexemes) and self._peek() != end:
            if self._peek() in ("_", "^"):
                self._read_scripts(items)
            else:
                items += self._item()
        if self._next < len(self._lexemes):
            self._take()
        return _without_brackets_at_fractions(items)

    def _argument(self) -> list[_Item]:
        return self._item() if self._next < len(self._lexemes) else []

    def _item(self) -> list[_Item]:
        symbol = self._take()
        if symbol.text == "{":
            return self.sequence("}")
        if symbol.text == "(":
            inner = self.sequence(")")
            return inner if len(inner) == 1 and not inner[0].sup else [_Item([symbol], inner=inner)]
        if symbol.text in FONTS:
            return _as_word(self._argument(), symbol.position)
        if symbol.text in FRACTIONS:
            over, under = self._argument(), self._argument()
            return [
                _Item([symbol], inner=over),
                _Item([Symbol("/", symbol.position)]),
                _Item([symbol], inner=under),
            ]
        if symbol.text in WITH_ARGUMENT:
            return [_Item([symbol, *_braced(_flat(self._argument()))])]
        if symbol.text in DROPPED_WITH_ARGUMENT:
            self._argument()
            return []
        return [_Item([symbol])]

    def _read_scripts(self, items: list[_Item]) -> None:
        """Read a subscript or superscript, and give it to the item before."""
        kind = self._take().text
        script = [symbol for symbol in _flat(self._argument()) if symbol.text != ","]
        if not items:
            items.append(_Item([Symbol("")]))
        item = items[-1]
        if kind == "_":
            names = [_as_index(symbol) for symbol in script]
            big = item.text in LIMITED
            item.sub += (
                names[: next((n for n, one in enumerate(names) if one.text in ("=", r"\in")), None)]
                if big
                else names
            )
        elif self._limits or item.text not in LIMITED:
            item.sup += (
                [Symbol(r"\top", script[0].position)]
                if len(script) == 1 and script[0].text in ("T", r"\intercal")
                else script
            )


def _as_index(symbol: Symbol) -> Symbol:
    """Return a symbol of a subscript, marked as an index if it is a letter."""
    return symbol._replace(is_index=True) if re.fullmatch("[a-z]", symbol.text) else symbol


def _as_word(items: list[_Item], position: int) -> list[_Item]:
    """Return the argument of a font: several letters are one word."""
    letters = "".join(item.text for item in items)
    if (
        len(items) > 1
        and letters.isalpha()
        and all(item.text.isalpha() and not item.sub + item.sup for item in items)
    ):
        return [_Item([Symbol(letters.lower(), position)])]
    return items


def _without_brackets_at_fractions(items: list[_Item]) -> list[_Item]:
    """Take the brackets off numerators and denominators that are products."""
    found: list[_Item] = []
    for number, item in enumerate(items):
        beside = (*items[max(number - 1, 0) : number], *items[number + 1 : number + 2])
        is_product = item.inner is not None and not any(
            one.text in ("+", "-", ",") for one in item.inner
        )
        if is_product and not item.sub + item.sup and any(one.text == "/" for one in beside):
            found += item.inner or []
        else:
            found.append(item)
    return found


def _flat(items: list[_Item]) -> list[Symbol]:
    return [symbol for item in items for symbol in item.symbols()]


def _script(kind: str, symbols: list[Symbol]) -> list[Symbol]:
    return [Symbol(kind), *_braced(symbols)] if symbols else []


def _braced(symbols: list[Symbol]) -> list[Symbol]:
    return symbols if len(symbols) == 1 else [Symbol("{"), *symbols, Symbol("}")]
